from __future__ import annotations

import json

from tests.cli.conftest import Cli


def test_a_run_is_listed_shown_exported_and_pruned(cli: Cli, server: str) -> None:
    cli.run("tail", f"{server}/burst?rate=1000&n=5")
    listed = cli.run("captures").stdout
    path = listed.split("  ")[0]
    assert path.startswith(str(cli.folder / "state" / "captures"))
    shown = cli.run("captures", "show", path).stdout
    assert "websocket" in shown
    lines = [json.loads(line) for line in cli.run("export", path).stdout.splitlines()]
    assert [line["kind"] for line in lines] == ["open", *["message"] * 5, "close"]
    matched = cli.run("export", path, "--filter", ".n>3", "--format", "raw").stdout.splitlines()
    assert [json.loads(line)["n"] for line in matched] == [4, 5]
    assert cli.run("captures", "prune", "--max-size", "1k").stdout == f"{path}\n"
    assert cli.run("captures").stdout == ""


def test_what_is_no_capture_is_refused(cli: Cli) -> None:
    (cli.folder / "x").write_bytes(b"hello")
    for command in ("export", "captures show"):
        ended = cli.run(*command.split(), "x")
        assert (ended.returncode, ended.stdout) == (2, "")


def test_a_capture_is_no_target(cli: Cli, server: str) -> None:
    cli.run("tail", f"{server}/burst?rate=1000&n=1", "--capture", "run.rtui")
    ended = cli.run("tail", "run.rtui")
    assert ended.returncode == 2
    assert "rtui export" in ended.stderr
