from __future__ import annotations

import subprocess
import sys

import pytest

from rtui.cli.main import SUMMARIES
from tests.cli.conftest import Cli


def modules_after(cli: Cli, code: str) -> set[str]:
    code = f"import sys\n{code}\nprint('\\n'.join(sys.modules), file=sys.stderr)"
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=cli.environment, check=True
    )
    return {name.partition(".")[0] for name in found.stderr.split()}


def test_help_imports_nothing_but_click(cli: Cli) -> None:
    loaded = modules_after(cli, "from rtui.cli.main import run; assert run(['--help']) == 0")
    assert "click" in loaded
    assert not loaded & {"textual", "rich", "asyncio", "msgspec", "websockets", "sqlite3", "jinja2", "tomlkit"}


def test_every_command_of_the_table_has_help(cli: Cli) -> None:
    listed = cli.run("--help").stdout
    statuses, shown = cli.run_all(*([name, "--help"] for name in SUMMARIES))
    assert statuses == [0] * len(SUMMARIES), shown.stderr
    for name in SUMMARIES:
        assert f"Usage: rtui {name} " in shown.stdout
        assert name in listed


def test_version(cli: Cli) -> None:
    from rtui import __version__

    assert cli.run("--version").stdout == f"rtui {__version__}\n"


@pytest.mark.parametrize(
    "arguments", [("tail",), ("tail", "ws://x", "--count", "0"), ("tail", "ws://x", "--hedaer", "a: b")]
)
def test_usage_errors_end_with_2_and_print_nothing(cli: Cli, arguments: tuple[str, ...]) -> None:
    ended = cli.run(*arguments)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert "Usage: rtui tail" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_the_nearest_flag_is_named(cli: Cli) -> None:
    assert "--header" in cli.run("tail", "ws://x", "--hedaer", "a: b").stderr


def test_the_nearest_session_is_named(cli: Cli) -> None:
    ended = cli.run("tail", "demo/tiker")
    assert ended.returncode == 2
    assert "Did you mean demo/ticker?" in ended.stderr


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        (("tial", "ws://x"), "the command `tail`"),
        (("eco",), "demo/echo?"),
        (("help",), "`rtui --help` the commands"),
        (("tail", "tial"), "`rtui sessions` lists the sessions."),
    ],
)
def test_what_was_meant_may_be_a_command_or_a_session_without_its_folder(
    cli: Cli, typed: tuple[str, ...], meant: str
) -> None:
    ended = cli.run(*typed)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert meant in ended.stderr
    assert "the command" not in ended.stderr or "tail" not in typed


def test_the_workbench_refuses_a_pipe(cli: Cli) -> None:
    for arguments in ((), ("demo",), ("demo/echo",)):
        ended = cli.run(*arguments)
        assert (ended.returncode, ended.stdout) == (2, "")
        assert "needs a terminal" in ended.stderr


def test_hostile_arguments_are_shown_safely(cli: Cli) -> None:
    ended = cli.run("tail", "no\x1b]52;c;AAAA\x07such")
    assert ended.returncode == 2
    assert "\x1b" not in ended.stderr
    assert "␛" in ended.stderr


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts(cli: Cli, shell: str) -> None:
    script = cli.run(env={"_RTUI_COMPLETE": f"{shell}_source"})
    assert script.returncode == 0, script.stderr
    assert "_RTUI_COMPLETE" in script.stdout


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("rtui ta", "tail"),
        ("rtui tail demo/t", "demo/ticker"),
        ("rtui demo/e", "demo/echo"),
        ("rtui tail --subp", "--subprotocol"),
        ("rtui send ws://x --typ", "--type"),
        ("rtui tail ws://x --format nd", "ndjson"),
        ("rtui sessions sch", "schema"),
    ],
)
def test_completion(cli: Cli, words: str, expected: str) -> None:
    count = len(words.split()) - 1
    found = cli.run(env={"_RTUI_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": str(count)})
    assert expected in [line.partition(",")[2] for line in found.stdout.splitlines()], found.stderr
