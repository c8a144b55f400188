from __future__ import annotations

import json
import os
import pty
import signal
import sqlite3
import subprocess
from pathlib import Path

import pytest

from tests.cli.conftest import Cli
from tests.waiting import PATIENCE, settled

KEYS = [
    "time",
    "connection",
    "protocol",
    "direction",
    "kind",
    "channel",
    "encoding",
    "data",
    "size",
    "latency_ms",
    "meta",
]


def test_ndjson_has_its_keys_in_order_and_counts_exactly(cli: Cli, server: str) -> None:
    ended = cli.run("tail", f"{server}/burst?rate=5000", "--count", "137")
    lines = ended.stdout.splitlines()
    assert (ended.returncode, len(lines), ended.stderr) == (0, 137, "")
    for line in lines:
        found = list(json.loads(line))
        assert found == [key for key in KEYS if key in found]
        assert {"time", "connection", "protocol", "direction", "kind", "encoding", "data", "size"} <= set(found)
    assert [json.loads(line)["data"]["n"] for line in lines] == list(range(1, 138))


def test_a_filter_counts_what_matches(cli: Cli, server: str) -> None:
    ended = cli.run("tail", f"{server}/burst?rate=5000", "--filter", ".n>=100", "--count", "5")
    assert [json.loads(line)["data"]["n"] for line in ended.stdout.splitlines()] == [100, 101, 102, 103, 104]
    assert ended.returncode == 0


def test_a_filter_prints_everything_before_a_clean_end(cli: Cli, server: str) -> None:
    ended = cli.run("tail", f"{server}/burst?rate=5000&n=300", "--filter", ".n>290")
    assert [json.loads(line)["data"]["n"] for line in ended.stdout.splitlines()] == list(range(291, 301))


def test_a_wrong_filter_shows_the_place(cli: Cli, server: str) -> None:
    ended = cli.run("tail", server, "--filter", "kind:nosuch")
    assert (ended.returncode, ended.stdout) == (2, "")
    assert "^" in ended.stderr


def test_raw_prints_the_bytes(cli: Cli, server: str) -> None:
    ended = cli.run("send", f"{server}/echo", "ä{}", "--wait", "1", "--format", "raw")
    assert ended.stdout == "ä{}\n"


def test_time_runs_out_before_the_count(cli: Cli, server: str) -> None:
    ended = cli.run("tail", f"{server}/slow?every=60", "--count", "1000", "--for", "4s")
    assert ended.returncode == 5
    assert "of 1,000 messages" in ended.stderr


def test_idle_runs_out_before_the_count(cli: Cli, server: str) -> None:
    ended = cli.run("tail", f"{server}/echo", "--count", "1", "--idle", "4s")
    assert (ended.returncode, ended.stdout) == (5, "")


def test_time_without_a_count_is_success(cli: Cli, server: str) -> None:
    assert cli.run("tail", f"{server}/ticker?rate=100", "--for", "4s").returncode == 0


def test_refused(cli: Cli) -> None:
    ended = cli.run("tail", "ws://127.0.0.1:1")
    assert (ended.returncode, ended.stdout) == (3, "")
    assert "refused" in ended.stderr


def test_a_refused_handshake_shows_status_and_body(cli: Cli, server: str) -> None:
    ended = cli.run("tail", f"{server}/status?code=401")
    assert ended.returncode == 3
    assert "HTTP 401" in ended.stderr
    assert '"error"' in ended.stderr


def test_a_lost_connection_ends_with_4(cli: Cli, server: str) -> None:
    assert cli.run("tail", f"{server}/drop", "--no-reconnect").returncode == 4


def test_a_connection_that_closes_before_the_count_ends_with_4(cli: Cli, server: str) -> None:
    ended = cli.run("tail", f"{server}/burst?rate=1000&n=3", "--count", "9")
    assert (ended.returncode, len(ended.stdout.splitlines())) == (4, 3)


def test_a_closed_pipe_is_no_error(cli: Cli, server: str) -> None:
    process = cli.start("tail", f"{server}/burst?rate=2000", "--no-capture")
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.readline()
    process.stdout.close()
    assert process.wait(PATIENCE) == 0
    assert process.stderr.read() == ""
    process.stderr.close()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_closes_properly(cli: Cli, server: str, number: signal.Signals) -> None:
    capture = cli.folder / "run.rtui"
    process = cli.start("tail", f"{server}/ticker?rate=100", "--capture", str(capture))
    assert process.stdout is not None
    process.stdout.readline()
    process.send_signal(number)
    _, complaint = process.communicate(timeout=PATIENCE)
    assert (process.returncode, complaint) == (130, "")
    assert closing_row(capture) == b"closed by us"


def closing_row(capture: Path) -> bytes:
    with sqlite3.connect(capture) as database:
        (payload,) = database.execute("SELECT payload FROM records WHERE kind = 2").fetchone()
    database.close()
    return bytes(payload[:12])


def test_a_signal_is_heard_while_the_reader_sleeps(cli: Cli, server: str) -> None:
    process = cli.start("tail", f"{server}/burst?rate=50000&size=2000", "--no-capture")
    settled(process.pid)  # nobody reads: the pipe fills and the write waits
    process.send_signal(signal.SIGINT)
    assert process.wait(PATIENCE) == 130
    process.communicate()


def test_who_sits_at_a_terminal_is_told_that_the_connection_is_open(cli: Cli, server: str) -> None:
    terminal, ours = pty.openpty()
    process = cli.start("tail", f"{server}/silent", "--count", "1", stdout=ours)
    os.close(ours)
    _, said = process.communicate(timeout=PATIENCE)
    os.close(terminal)
    assert said.startswith("rtui: open · WebSocket 13")
    assert cli.run("tail", f"{server}/silent", "--count", "1").stderr == ""


def test_a_terminal_gets_clean_text(cli: Cli, server: str) -> None:
    text = cli.on_terminal("tail", f"{server}/hostile", "--no-reconnect")
    assert len(text) > 500
    assert not [char for char in text if not char.isprintable() and char not in "\r\n"]


def test_environment_is_below_session_file_is_below_flags(cli: Cli, server: str) -> None:
    (cli.folder / "s.toml").write_text(
        f'[session]\nurl = "{server}/burst?rate=1000&size=5000"\n[options]\nmax_size = 1000\n'
    )
    wide = {"RTUI_MAX_SIZE": "1M"}
    assert cli.run("tail", f"{server}/burst?size=5000", "--count", "1", env={"RTUI_MAX_SIZE": "1000"}).returncode == 4
    assert cli.run("tail", "s.toml", "--count", "1", "--no-reconnect", env=wide).returncode == 4
    assert cli.run("tail", "s.toml", "--count", "1", "--max-size", "1M").returncode == 0
    assert cli.run("tail", "s.toml", "--count", "1", "--set", "max_size=1M").returncode == 0


def test_wrong_values_name_the_flag(cli: Cli) -> None:
    assert "'--timeout'" in cli.run("tail", "ws://x", "--timeout", "soon").stderr
    assert "max_sze" in cli.run("tail", "ws://x", "--set", "max_sze=1").stderr


def test_a_variable_that_is_missing_is_named(cli: Cli, server: str) -> None:
    (cli.folder / "s.toml").write_text(f'[session]\nurl = "{server}/{{{{ room }}}}"\n')
    ended = cli.run("tail", "s.toml", "--count", "1")
    assert ended.returncode == 2
    assert "'room'" in ended.stderr
    assert cli.run("tail", "s.toml", "--var", "room=ticker", "--count", "1").returncode == 0


def test_everything_printed_is_recorded(cli: Cli, server: str) -> None:
    capture = cli.folder / "run.rtui"
    printed = cli.run("tail", f"{server}/burst?rate=20000&n=5000", "--capture", str(capture)).stdout
    exported = cli.run("export", str(capture), "--messages").stdout
    assert len(printed.splitlines()) == 5000
    assert exported == printed


def test_no_capture_leaves_nothing(cli: Cli, server: str) -> None:
    temporary = cli.folder / "tmp"
    temporary.mkdir()
    cli.run("tail", f"{server}/burst?rate=1000&n=5", "--no-capture", env={"TMPDIR": str(temporary)})
    assert not list(temporary.iterdir())
    assert not (cli.folder / "state" / "captures").exists()


def test_the_reader_that_stops_is_a_subprocess_too(cli: Cli, server: str) -> None:
    head = subprocess.run(  # noqa: S602 - the pipe is the point
        f"{' '.join(cli.command('tail', server + '/burst?rate=1000'))} | head -2; echo ${{PIPESTATUS[0]}}",
        shell=True,
        executable="/bin/bash",
        capture_output=True,
        text=True,
        check=True,
        cwd=cli.folder,
        env=cli.environment,
        timeout=PATIENCE,
    )
    assert head.stdout.splitlines()[2] == "0"
    assert head.stderr == ""


CALLS = """
[session]
url = "{server}{path}"
[[messages]]
name = "call"
payload = '{{"jsonrpc":"2.0","id":7,"method":"sum","params":[1,2]}}'
on_connect = true
"""


@pytest.mark.parametrize(("path", "filtered", "count"), [("/jsonrpc", "answered", 1), ("/silent", "unanswered", 1)])
def test_a_request_is_judged_when_its_answer_had_time_to_come(
    cli: Cli, server: str, path: str, filtered: str, count: int
) -> None:
    (cli.folder / "calls.toml").write_text(CALLS.format(server=server, path=path), encoding="utf-8")
    other = "answered" if filtered == "unanswered" else "unanswered"
    ended = cli.run("tail", "calls.toml", "--include-sent", "--filter", filtered, "--count", str(count))
    assert [json.loads(line)["data"]["id"] for line in ended.stdout.splitlines()] == [7]
    ended = cli.run("tail", "calls.toml", "--include-sent", "--filter", other, "--for", "2s")
    assert ended.stdout == ""
