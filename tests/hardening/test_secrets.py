from __future__ import annotations

import json
import os
import subprocess
import time
from pathlib import Path

import pytest

from tests.cli.conftest import Cli
from tests.waiting import PATIENCE

CANARY = "c4n4ry/s3cr3t+value"
ENCODED = "c4n4ry%2Fs3cr3t%2Bvalue"


def everything(cli: Cli, *outputs: str) -> bytes:
    """Every byte of every file that the run left (captures with their logs, state), and what it printed."""
    files = [path for name in ("state", "config", "run") for path in (cli.folder / name).rglob("*") if path.is_file()]
    return b"".join(path.read_bytes() for path in files) + "".join(outputs).encode()


def assert_absent(found: bytes) -> None:
    import base64

    spellings = [CANARY, ENCODED, base64.b64encode(f"user:{CANARY}".encode()).decode(), CANARY.replace("/", "\\/")]
    for spelling in spellings:
        assert spelling.encode() not in found
    assert b"c4n4ry" not in found


def address(server: str, userinfo: str = "", path: str = "/echo") -> str:
    return server.replace("ws://", f"ws://{userinfo}") + path


WAYS = {
    "userinfo": (f"user:{ENCODED}@", "", [], {}),
    "query": ("", f"?access_token={ENCODED}", [], {}),
    "header": ("", "", ["--header", f"Authorization: Bearer {CANARY}"], {}),
    "key header": ("", "", ["--header", f"X-Api-Key: {CANARY}"], {}),
    "cookie": ("", "", ["--set", json.dumps({"sid": CANARY}).join(("cookies=", ""))], {}),
    "token": ("", "", ["--token", CANARY], {}),
    "password": ("", "", ["--username", "user", "--password", CANARY], {}),
    "environment": ("", "", [], {"RTUI_TOKEN": CANARY}),
}


@pytest.mark.parametrize("way", WAYS)
def test_a_secret_appears_nowhere(cli: Cli, server: str, way: str) -> None:
    userinfo, query, flags, env = WAYS[way]
    run = cli.folder / "run"
    run.mkdir()
    target = address(server, userinfo) + query
    said = json.dumps({"echo": CANARY})
    common = (*flags, "--capture", str(run / "a.rtui"), "--no-reconnect")
    send = ("send", target, said, "--wait", "1", "--include-sent", *common)
    refused = ("tail", address(server, userinfo, "/status?code=403") + query.replace("?", "&"), *common)
    lost = ("tail", address(server, userinfo, "/drop") + query, "--events", *common)
    nowhere = ("tail", f"ws://{userinfo}no-such-host.invalid/{query}", *common)
    statuses, ended = cli.run_all(send, refused, lost, nowhere, env=env)
    assert statuses == [0, 3, 4, 3], ended.stderr
    assert all("•••" in line for line in ended.stdout.splitlines()[:2]), "what was sent and its echo"
    # A process that knows no secret.
    statuses, shown = cli.run_all(*([*words, str(run / "a.rtui")] for words in (("captures", "show"), ("export",))))
    assert statuses == [0, 0], shown.stderr
    assert_absent(everything(cli, *(one.stdout + one.stderr for one in (ended, shown))))


def test_a_secret_of_env_and_template_appears_nowhere(cli: Cli, server: str) -> None:
    run = cli.folder / "run"
    run.mkdir()
    (cli.folder / ".env").write_text(f"PLANT='{CANARY}'\n")
    (cli.folder / "s.toml").write_text(
        f'[session]\nurl = "{server}/echo?key={{{{ env.PLANT }}}}"\n[options]\ntoken = "{{{{ env.PLANT }}}}"\n'
        '[[messages]]\nname = "login"\npayload = "let me in with {{ env.PLANT }}"\non_connect = true\n'
    )
    ended = cli.run("tail", "s.toml", "--include-sent", "--events", "--count", "2", "--capture", str(run / "a.rtui"))
    assert ended.returncode == 0, ended.stderr
    assert "let me in with •••" in ended.stdout
    shown = cli.run("sessions", "show", "s.toml")
    assert_absent(everything(cli, ended.stdout, ended.stderr, shown.stdout, shown.stderr))


def test_a_broken_env_line_is_named_without_its_value(cli: Cli, server: str) -> None:
    (cli.folder / ".env").write_text(f"no equals sign {CANARY}\nQ='{CANARY}\n")
    (cli.folder / "s.toml").write_text(f'[session]\nurl = "{server}/echo"\n[options]\ntoken = "{{{{ env.Q }}}}"\n')
    ended = cli.run("tail", "s.toml")
    assert ended.returncode == 2
    assert ".env:1" in ended.stderr
    assert_absent((ended.stdout + ended.stderr).encode())


@pytest.mark.parametrize(
    ("flag", "value"),
    [("--token", f"{CANARY}\nX: y"), ("--proxy", f"http://user:{ENCODED}@127.0.0.1:1"), ("--ca", "/x")],
)
def test_errors_do_not_quote_secrets(cli: Cli, flag: str, value: str) -> None:
    ended = cli.run("tail", "ws://example.invalid/", flag, value, "--no-capture", "--no-reconnect")
    assert ended.returncode in {2, 3}
    assert "unexpected" not in ended.stderr.lower()
    assert_absent((ended.stdout + ended.stderr).encode())


def test_the_process_list_shows_no_secret_of_the_environment(cli: Cli, server: str) -> None:
    process = cli.start("tail", f"{server}/slow", "--capture", str(cli.folder / "c.rtui"), env={"RTUI_TOKEN": CANARY})
    try:
        deadline = time.monotonic() + PATIENCE
        children: list[str] = []
        while not children and time.monotonic() < deadline:
            children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text(encoding="ascii").split()
        lines = [Path(f"/proc/{pid}/cmdline").read_bytes() for pid in (str(process.pid), *children)]
        assert len(lines) == 2
        assert_absent(b"".join(lines))
    finally:
        process.terminate()
        process.communicate(timeout=PATIENCE)


def test_files_are_for_the_owner_alone(cli: Cli, server: str) -> None:
    old = os.umask(0)
    try:
        cli.run("tail", f"{server}/ticker?rate=50", "--count", "1")
        cli.run("sessions", "new", "mine", f"{server}/echo")
    finally:
        os.umask(old)
    files = [path for path in cli.folder.rglob("*") if path.is_file()]
    assert len(files) >= 2
    for path in cli.folder.rglob("*"):
        assert path.stat().st_mode & 0o077 == 0, path


def test_a_crash_report_shows_no_secret(cli: Cli) -> None:
    """An unexpected error: the sentence, and no values of variables."""
    source = (
        "import rtui.cli.tail as tail, rtui.cli.main as main, sys\n"
        "def broken(one, *rest, **more): raise RuntimeError('broken on purpose')\n"
        "tail._tail = broken\n"
        f"sys.exit(main.run(['tail', 'ws://user:{ENCODED}@h/', '--no-capture']))\n"
    )
    ended = subprocess.run(
        [cli.command()[0], "-c", source],
        capture_output=True,
        text=True,
        check=False,
        env=cli.environment,
        cwd=cli.folder,
    )
    assert ended.returncode == 1
    assert "broken on purpose" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert_absent((ended.stdout + ended.stderr).encode())
