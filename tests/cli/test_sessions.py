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


def test_a_theme_of_ones_own_begins_with_the_file_of_another(cli: Cli) -> None:
    shown = cli.run("themes", "show", "nord")
    assert shown.returncode == 0
    mine = cli.folder / "config" / "themes" / "mine.toml"
    mine.parent.mkdir(parents=True)
    mine.write_text(shown.stdout.replace('name = "nord"', 'name = "mine"'), encoding="utf-8")
    assert [line.split()[:3] for line in cli.run("themes").stdout.splitlines() if "mine" in line] == [
        ["mine", "dark", "user"]
    ]
    refused = cli.run("themes", "show", "nrod")
    assert (refused.returncode, "nord" in refused.stderr) == (2, True)


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


@pytest.mark.parametrize("name", ["../away", "work/../../away", "/tmp/away", ".away"])
def test_new_writes_nothing_that_its_name_would_not_find(cli: Cli, name: str) -> None:
    ended = cli.run("sessions", "new", name, "ws://a")
    assert ended.returncode == 2
    assert "no name for a session" in ended.stderr
    assert not list(cli.folder.rglob("*away*"))


NOTES = """
curl -N https://h/stream -H 'Authorization: Bearer hunter22' --retry 3
mosquitto_sub -h broker -t a/# -V 5
"""


def test_import_writes_sessions_and_tells_what_it_left(cli: Cli) -> None:
    (cli.folder / "notes.sh").write_text(NOTES, encoding="utf-8")
    made = cli.run("sessions", "import", "notes.sh", "--folder", "work")
    assert made.returncode == 0, made.stderr
    assert made.stdout.splitlines() == ["work/h-stream", "work/broker-a"]
    assert "--retry" in made.stderr
    assert "H_STREAM_TOKEN" in made.stderr
    assert "hunter22" not in made.stderr
    assert cli.run("sessions", "lint", "work/h-stream", "work/broker-a").returncode == 0
    folder = cli.folder / "config" / "sessions" / "work"
    assert "hunter22" not in (folder / "h-stream.toml").read_text(encoding="utf-8")
    assert not (folder / ".env").exists()
    again = cli.run("sessions", "import", "notes.sh", "--folder", "work", "--env")
    assert again.stdout.splitlines() == ["work/h-stream-2", "work/broker-a-2"]
    assert "hunter22" in (folder / ".env").read_text(encoding="utf-8")


def test_import_can_be_looked_at_first(cli: Cli) -> None:
    shown = cli.run("sessions", "import", "-", "--dry-run", stdin=NOTES)
    printed = cli.run("sessions", "import", "-", "--print", stdin=NOTES)
    assert shown.stdout.splitlines() == ["h-stream", "broker-a"]
    assert 'token = "{{ env.H_STREAM_TOKEN }}"' in printed.stdout
    assert "hunter22" not in printed.stdout + printed.stderr + shown.stderr
    assert not (cli.folder / "config").exists()


def test_import_of_a_command_in_quotes_and_of_nothing(cli: Cli) -> None:
    assert cli.run("sessions", "import", "wscat -c ws://h/x", "--name", "mine").stdout == "mine\n"
    broken = cli.run("sessions", "import", "-", "wscat -c ws://h/y", stdin='{"log": {"entries": 5}}')
    assert broken.returncode == 2
    assert broken.stdout == "h-y\n"
    assert "stdin: log.entries: must be a list, not 5" in broken.stderr


def test_show_as_commands(cli: Cli) -> None:
    shown = cli.run("sessions", "show", "demo/echo", "--as-command")
    assert shown.returncode == 0, shown.stderr
    assert "websocat ws://127.0.0.1:18080/echo\n" in shown.stdout
    assert "rtui tail demo/echo\n" in shown.stdout
    cli.run("sessions", "new", "x", "sse+http://h/p", "--token", "hunter22")
    secret = cli.run("sessions", "show", "x", "--as-command")
    assert '-H "Authorization: Bearer $X_TOKEN"' in secret.stdout
    assert "set before: X_TOKEN" in secret.stderr
