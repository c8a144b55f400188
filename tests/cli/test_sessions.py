from __future__ import annotations

import json
import tomllib

import pytest

from tests.cli.conftest import Cli


def test_the_samples_are_listed_from_any_folder(cli: Cli) -> None:
    names = [json.loads(line)["name"] for line in cli.run("sessions", "list", "--json").stdout.splitlines()]
    assert {"demo/echo", "demo/ticker", "demo/chat"} <= set(names)
    assert cli.run("sessions").stdout == cli.run("sessions", "list").stdout


def test_the_samples_are_right(cli: Cli) -> None:
    ended = cli.run("sessions", "lint")
    assert ended.returncode == 0, ended.stderr


def test_new_writes_what_the_flags_say_and_no_secret(cli: Cli) -> None:
    made = cli.run(
        "sessions", "new", "work/x", "wss://h/p", "--header", "A: b", "--token", "hunter22", "--max-size", "1M"
    )
    path = cli.folder / "config" / "sessions" / "work" / "x.toml"
    text = path.read_text(encoding="utf-8")
    assert made.returncode == 0, made.stderr
    assert "hunter22" not in text + made.stderr
    assert tomllib.loads(text)["options"]["headers"] == {"A": "b"}
    assert cli.run("sessions", "lint", "work/x").returncode == 0
    assert cli.run("sessions", "new", "work/x", "ws://h").returncode == 2
    assert cli.run("sessions", "new", "work/x", "ws://h", "--force").returncode == 0
    assert tomllib.loads(path.read_text(encoding="utf-8")) == {"session": {"name": "x", "url": "ws://h"}}


def test_lint_names_file_line_and_key(cli: Cli) -> None:
    path = cli.folder / "bad.toml"
    path.write_text('[session]\nurl = "ws://h"\n\n[options]\nmax_sise = 1\n', encoding="utf-8")
    ended = cli.run("sessions", "lint", "bad.toml")
    assert ended.returncode == 2
    assert "bad.toml:5: options.max_sise: " in ended.stderr
    assert "max_size" in ended.stderr
    assert cli.run("tail", "bad.toml").returncode == 2


def test_show_prints_the_file(cli: Cli) -> None:
    assert tomllib.loads(cli.run("sessions", "show", "demo/echo").stdout)["session"]["name"] == "echo"


def test_schema_is_json(cli: Cli) -> None:
    assert "max_size" in json.loads(cli.run("sessions", "schema").stdout)["$defs"]["websocket"]["properties"]


def test_themes_and_keys_are_listed(cli: Cli) -> None:
    shown = cli.run("themes").stdout
    assert all(name in shown for name in ("dark", "light", "monochrome"))
    assert "app.close-tab" in cli.run("keys").stdout


@pytest.mark.parametrize("name", ["../etc/passwd", "/etc/passwd", "a\0b"])
def test_names_do_not_leave_their_folder(cli: Cli, name: str) -> None:
    if "\0" in name:
        return  # no process can be given such an argument
    ended = cli.run("sessions", "show", name)
    assert ended.returncode == 2
    assert "root:" not in ended.stdout
