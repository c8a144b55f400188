from __future__ import annotations

import shlex
import signal
import subprocess
import time
from collections.abc import Iterator

import pytest

from tests.cli.conftest import Cli
from tests.hardening.peer import hang, listening
from tests.waiting import PATIENCE, settled

NOISE = ("Traceback", "never retrieved", "Warning", "Exception in", "was destroyed", "unclosed")


def shell(cli: Cli, line: str, **env: str) -> subprocess.CompletedProcess[str]:
    """`line` with RTUI standing for the program, under bash; stdout ends with its exit status."""
    program = " ".join(map(shlex.quote, [cli.command()[0], "-X", "dev", "-m", "rtui"]))
    ended = subprocess.run(
        ["/bin/bash", "-c", line.replace("RTUI", program)],
        capture_output=True,
        timeout=PATIENCE,
        check=False,
        cwd=cli.folder,
        env=cli.environment | env,
        encoding="utf-8",
        errors="backslashreplace",
        stdin=subprocess.DEVNULL,
    )
    # What asyncio's debug mode says of slow steps is for us, and depends on the machine.
    ended.stderr = "".join(line for line in ended.stderr.splitlines(True) if not line.startswith("Executing <"))
    assert not [word for word in NOISE if word in ended.stderr], ended.stderr
    return ended


@pytest.mark.parametrize(
    ("line", "status"),
    [
        ("RTUI --help >&-", 0),
        ("RTUI --version >&-", 0),
        ("RTUI tail {}/ticker?rate=50 --count 2 --no-capture >&-", 0),
        ("RTUI tail {}/ticker?rate=50 --count 2 --no-capture 2>&-", 0),
        ("RTUI tail {}/ticker?rate=50 --count 2 --capture a.rtui >&- 2>&- <&-", 0),
        ("RTUI tail ws://127.0.0.1:1 --no-capture 2>&-", 3),
        ("RTUI tail ws://127.0.0.1:1 --no-capture 2>/dev/full", 3),
        ("RTUI send {}/echo hi --wait 1 --no-capture <&-", 0),
        ("RTUI send {}/echo - --no-capture <&-", 0),
        ("RTUI tail {}/ticker?rate=50 --count 2 --no-capture >/dev/full", 1),
        ("RTUI tail {}/ticker?rate=50 --count 2 --filter ticker --no-capture --for 5s >/dev/full", 5),
        ("RTUI --help >/dev/full", 1),
        ("RTUI sessions >/dev/full", 1),
        ("RTUI sessions | true; (exit ${{PIPESTATUS[0]}})", 0),
        ("RTUI tail {}/burst --no-capture | true; (exit ${{PIPESTATUS[0]}})", 0),
        ("RTUI tail {}/burst --no-capture --filter burst | true; (exit ${{PIPESTATUS[0]}})", 0),
        ("RTUI send {}/echo hi --for 20s --every 10ms --no-capture | true; (exit ${{PIPESTATUS[0]}})", 0),
    ],
)
def test_closed_and_full_descriptors(cli: Cli, server: str, line: str, status: int) -> None:
    ended = shell(cli, line.format(server) + "; echo =$?")
    assert ended.stdout.rpartition("=")[2].strip() == str(status), ended
    assert ended.stderr.count("\n") <= 3


@pytest.mark.parametrize(
    "env",
    [
        {"LC_ALL": "C"},
        {"LC_ALL": "POSIX", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
        {"PYTHONIOENCODING": "ascii:strict"},
        {"PYTHONIOENCODING": "cp1252"},
        {"TERM": "dumb"},
        {"TERM": ""},
        {"COLUMNS": "0"},
    ],
    ids=str,
)
def test_odd_environments(cli: Cli, server: str, env: dict[str, str]) -> None:
    sent = shell(cli, f"RTUI send {server}/echo 'é€🎉' --wait 1 --format raw --no-capture", **env)
    assert (sent.returncode, sent.stdout, sent.stderr) == (0, "é€🎉\n", "")
    hostile = shell(cli, f"RTUI tail {server}/hostile --no-reconnect --no-capture --format text", **env)
    assert hostile.returncode == 4
    assert "\x1b" not in hostile.stdout + hostile.stderr
    lines = ("--help", "tail --help", "sessions", "themes", "keys", "captures")
    statuses, told = cli.run_all(*map(str.split, lines), env={**env, "PYTHONDEVMODE": "1"})
    assert statuses == [0] * len(lines), told.stderr
    assert not [word for word in NOISE if word in told.stderr], told.stderr


@pytest.mark.parametrize(
    "line",
    [
        "RTUI tail {}",
        "RTUI {}",
        "RTUI tail x://{}",
        "RTUI tail ws://{}",
        "RTUI tail ws://h --timeout {}",
        "RTUI tail ws://h --filter {}",
        "RTUI tail ws://h --filter kind:{}",
        "RTUI tail ws://h --filter /{}[/",
        "RTUI tail ws://h --set {}=1",
        "RTUI tail ws://h --header {}",
        "RTUI tail ws://h --ca {}",
        "RTUI tail ws://h --env-file {}",
        "RTUI tail ws://h --protocol {}",
        "RTUI tail ws://h --{}",
        "RTUI tail ws://h --capture /proc/{}",
        "RTUI tail {}.toml",
        "RTUI export {}",
        "RTUI captures show {}",
        "RTUI sessions {}",
        "RTUI sessions show {}",
        "RTUI sessions lint {}",
        "RTUI serve {}",
        "RTUI send ws://h @{}",
        "RTUI send ws://h hi --binary {}",
    ],
)
def test_hostile_arguments_do_not_reach_the_terminal(cli: Cli, line: str) -> None:
    ended = shell(cli, line.format("$'a\\x1b]52;c;eA==\\x07\\u202e\\x9bz'"))
    assert ended.returncode in {1, 2, 3}, ended
    assert ended.stdout == ""
    assert not [char for char in ended.stderr if not char.isprintable() and char != "\n"], ended.stderr


def test_a_hostile_session_file(cli: Cli) -> None:
    wild = "\\u001b]52;c;eA==\\u0007\\u202e\\u009b"
    (cli.folder / "sessions").mkdir()
    (cli.folder / "sessions" / "a\x1b[31m\u202e.toml").write_text('[session]\nurl = "ws://h"\n', encoding="utf-8")
    (cli.folder / "sessions" / "wild.toml").write_text(
        f'[session]\nname = "{wild}"\nurl = "ws://{wild}@h"\ndescription = "{wild}"\ntags = ["{wild}"]\n',
        encoding="utf-8",
    )
    (cli.folder / "bad.toml").write_text(
        f'[session]\nurl = "{wild}"\n[options]\n"{wild}" = 1\ntimeout = "{wild}"\n[view]\nfilter = "kind:{wild}"\n',
        encoding="utf-8",
    )
    (cli.folder / "broken.toml").write_text('[session\nurl = "\x1b[31m', encoding="utf-8")
    for line in (
        "RTUI sessions",
        "RTUI sessions list",
        "RTUI sessions show wild",
        "RTUI sessions lint bad.toml",
        "RTUI sessions lint broken.toml",
        "RTUI tail bad.toml",
        "RTUI tail wild --no-capture",
    ):
        ended = shell(cli, line)
        shown = ended.stdout + ended.stderr
        assert not [char for char in shown if not char.isprintable() and char != "\n"], (line, shown)
        assert "unexpected error" not in shown


PHASES = {
    "connecting": ("tail", "ws://127.0.0.1:{hang}/", "--no-capture"),
    "open": ("tail", "{server}/slow", "--no-capture"),
    "waiting": ("tail", "ws://127.0.0.1:1", "--retry-first", "--set", "timeout=1s", "--no-capture"),
    "sending": ("send", "{server}/echo", "-", "--no-capture"),
    "replies": ("send", "{server}/slow?every=60", "x", "--wait", "5", "--no-capture"),
    "flushing": ("tail", "{server}/burst?rate=50000&size=3000", "--count", "4000", "--no-capture"),
    "filtering": ("tail", "{server}/burst?rate=50000&size=3000", "--filter", "burst", "--no-capture"),
}


@pytest.fixture(scope="module")
def mute() -> Iterator[int]:
    with listening(hang) as port:
        yield port


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name)
@pytest.mark.parametrize("phase", PHASES)
def test_a_signal_at_every_phase(cli: Cli, server: str, mute: int, phase: str, number: signal.Signals) -> None:
    words = [word.format(server=server, hang=mute) for word in PHASES[phase]]
    process = cli.start(*words, stdin=subprocess.PIPE)
    settled(process.pid)
    began = time.monotonic()
    process.send_signal(number)
    assert process.wait(PATIENCE) == 130
    assert time.monotonic() - began < 30, "it waits for none of what it was about"
    _, complaint = process.communicate()
    assert not [word for word in NOISE if word in complaint], complaint


@pytest.mark.parametrize("limit", [("--for", "3s"), ("--idle", "3s"), ("--for", "3s", "--count", "999999")])
@pytest.mark.parametrize("more", [(), ("--filter", "burst")])
def test_time_runs_out_while_nobody_reads(cli: Cli, server: str, limit: tuple[str, ...], more: tuple[str, ...]) -> None:
    process = cli.start("tail", f"{server}/burst?rate=50000&size=3000", "--no-capture", *limit, *more)
    assert process.wait(PATIENCE) == 5
    _, complaint = process.communicate()
    assert "the reader of stdout stopped" in complaint


def test_pings_go_on_while_nobody_reads(cli: Cli, server: str) -> None:
    """The peer would drop us, or we it, if the loop waited for the reader."""
    process = cli.start("tail", f"{server}/burst?rate=20000&size=3000", "--no-capture", "--ping-interval", "300ms")
    time.sleep(2.5)
    assert process.stdout is not None
    lines = [process.stdout.readline() for _ in range(20_000)]
    assert lines[-1].endswith("}\n")
    process.terminate()
    _, complaint = process.communicate(timeout=PATIENCE)
    assert complaint == ""


def test_a_slow_reader_gets_everything(cli: Cli, server: str) -> None:
    ended = shell(
        cli, f"RTUI tail '{server}/burst?rate=20000&size=1000&n=9000' --no-capture | (sleep 3.5; wc -l; sleep 0.1)"
    )
    assert (ended.stdout.strip(), ended.stderr) == ("9000", "")


def test_nothing_is_said_by_libraries(cli: Cli, server: str) -> None:
    for path in (
        "/drop",
        "/close?code=1011",
        "/bad-frame",
        "/bad-utf8",
        "/bomb",
        "/status?code=500",
        "/redirect?to=ftp://x",
    ):
        line = f"RTUI tail '{server}{path}' --no-reconnect --no-capture"
        ended = shell(cli, line, PYTHONASYNCIODEBUG="1", PYTHONWARNINGS="error")
        said = [line for line in ended.stderr.splitlines() if not line.startswith("Executing <")]
        assert ended.returncode in {3, 4}
        assert said[0].startswith("rtui: ")
        assert all(line.startswith("  ") for line in said[1:]), said
