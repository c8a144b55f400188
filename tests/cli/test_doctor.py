from __future__ import annotations

import json
import os
import pty
import termios
import threading
import tomllib
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import pytest
from rich.console import Console

from rtui.cli import diagnosis
from rtui.cli.diagnosis import TRUE_COLOUR, depth, examine
from rtui.cli.doctor import lines
from rtui.cli.interview import SAMPLES, Answers, interview, question, understand
from rtui.cli.soundness import files
from tests.cli.conftest import Cli
from tests.waiting import PATIENCE

ALL = b"\x1b[?2026;2$y\x1b[?1006;1$y\x1b[?5u\x1b[1;3R\x1b[1;2R\x1b[1;2R\x1b[1;3R\x1b[?62;22;52c"
FULL = Answers(
    device=True,
    modes={2026: True, 1006: True},
    keyboard=True,
    clipboard=True,
    widths={"wide": 2, "combined": 1, "glyph": 1, "emoji": 2},
)


def test_the_answers_of_a_terminal_that_says_everything() -> None:
    assert understand(b"typed early" + ALL) == FULL


def test_a_mode_that_is_not_known_is_not_there() -> None:
    told = understand(b"\x1b[?2026;0$y\x1b[?6c")
    assert (told.modes, told.clipboard, told.device) == ({2026: False}, False, True)


def test_a_first_device_attribute_of_52_is_a_level_and_no_clipboard() -> None:
    assert not understand(b"\x1b[?52;1c").clipboard


@pytest.fixture
def terminal() -> Iterator[tuple[int, int]]:
    """The two ends of a terminal: the emulator's and ours."""
    emulator, ours = pty.openpty()
    yield emulator, ours
    for end in (emulator, ours):
        try:
            os.close(end)
        except OSError:
            assert end == emulator, "a test may hang up, nothing else"


@pytest.fixture
def in_front(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if the terminal were our own; pytest's is another."""
    monkeypatch.setattr(os, "tcgetpgrp", lambda _: os.getpgrp())


def test_a_terminal_is_asked_and_left_as_it_was(terminal: tuple[int, int], in_front: None) -> None:
    emulator, ours = terminal
    before = termios.tcgetattr(ours)
    asked = bytearray()
    echoed: list[int] = []

    def answer() -> None:
        while not asked.endswith(b"\x1b[c"):
            asked.extend(os.read(emulator, 4096))
        echoed.append(termios.tcgetattr(ours)[3] & termios.ECHO)
        os.write(emulator, ALL)

    peer = threading.Thread(target=answer, daemon=True)
    peer.start()
    assert interview(ours, ours, 10.0) == FULL
    peer.join(PATIENCE)
    assert asked.decode() == question()
    assert echoed == [0]
    assert termios.tcgetattr(ours) == before


def test_a_silent_terminal_costs_the_time_out_only(terminal: tuple[int, int], in_front: None) -> None:
    _, ours = terminal
    before = termios.tcgetattr(ours)
    assert interview(ours, ours, 0.05) == Answers()
    assert termios.tcgetattr(ours) == before


def test_an_error_while_asking_leaves_the_terminal_as_it_was(
    terminal: tuple[int, int], in_front: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, ours = terminal
    before = termios.tcgetattr(ours)

    def fail(_: bytes) -> Answers:
        raise RuntimeError

    monkeypatch.setattr("rtui.cli.interview.understand", fail)
    with pytest.raises(RuntimeError):
        interview(ours, ours, 0.05)
    assert termios.tcgetattr(ours) == before


def test_a_pipe_and_a_terminal_of_another_job_are_not_asked(
    terminal: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    reading, writing = os.pipe()
    assert interview(reading, writing) is None
    os.close(reading)
    os.close(writing)
    monkeypatch.setattr(os, "tcgetpgrp", lambda _: os.getpgrp() + 1)
    assert interview(terminal[1], terminal[1]) is None


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {"TERM": "dumb"},
        {"TERM": "xterm"},
        {"TERM": "xterm-256color"},
        {"TERM": "xterm-16color"},
        {"TERM": "xterm-kitty"},
        {"TERM": "xterm-256color", "COLORTERM": "truecolor"},
        {"TERM": "dumb", "COLORTERM": "truecolor"},
        {"TERM": "xterm", "COLORTERM": "24bit"},
    ],
)
def test_colours_are_counted_as_they_will_be_shown(environment: dict[str, str]) -> None:
    names = {None: 0, "standard": 16, "256": 256, "truecolor": TRUE_COLOUR}
    shown = Console(force_terminal=True, _environ=environment).color_system
    assert depth(environment) == names[shown]


def test_no_color_is_a_wish_and_nothing_missing() -> None:
    found = diagnosis.colours({"NO_COLOR": "1", "TERM": "xterm"})
    assert (found.state, found.value) == ("ok", "none (NO_COLOR=1, TERM=xterm)")
    assert depth({"NO_COLOR": "", "COLORTERM": "truecolor"}) == 0


def test_terminals_of_old_have_no_colours() -> None:
    assert [depth({"TERM": term}) for term in ("vt100", "vt220", "xterm-mono", "linux")] == [0, 0, 0, 16]
    assert depth({"TERM": "vt100", "COLORTERM": "truecolor"}) == TRUE_COLOUR
    assert "reverse" in diagnosis.colours({"TERM": "vt100"}).cost


def test_gnu_screen_takes_the_mouse_away() -> None:
    found = {one.name: one for one in examine(FULL, 80, 24, {"STY": "1.tty"})}
    assert found["mouse"].state == "less"
    assert "--mouse" in found["mouse"].remedy


def test_a_terminal_without_a_cursor_is_bad_for_the_workbench() -> None:
    found = diagnosis.cursor({"TERM": "dumb"})
    assert (found.state, found.value) == ("bad", "cannot be moved (TERM=dumb)")
    assert "rtui tail" in found.cost
    assert diagnosis.cursor({"TERM": "screen"}).state == "ok"
    assert "signs" in diagnosis.colours({"TERM": "dumb"}).cost


@pytest.mark.parametrize("name", ["SSH_CONNECTION", "SSH_TTY", "SSH_CLIENT"])
def test_what_is_done_otherwise_over_a_line_is_told(name: str) -> None:
    told = diagnosis.ssh({name: "x"})
    assert told.value == "yes"
    assert "20 kB/s, 10 times a second" in told.cost
    assert diagnosis.ssh({}).cost == ""


def test_whatever_is_less_says_what_it_costs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(diagnosis, "_tmux_option", lambda *_: "external")
    poor = {"TERM": "xterm", "TMUX": "x", "EDITOR": "no-such-editor", "PATH": "/nowhere"}
    answers = Answers(device=True, modes={2026: False}, widths=dict.fromkeys(SAMPLES, 1))
    found = {finding.name: finding for finding in examine(answers, 60, 20, poor)}
    less = ("colours", "size", "mouse", "synchronised output", "clipboard", "unicode width")
    for name in (*less, "locale", "tmux", "editor", "openssl"):
        assert found[name].state == "less", name
        assert found[name].cost, name
    assert found["size"].cost.endswith("sessions, tree, message")
    assert found["unicode width"].value.endswith("世 1, 🚀 1")


def test_a_full_terminal_lacks_nothing() -> None:
    good = {"TERM": "xterm-256color", "COLORTERM": "truecolor", "LANG": "de_DE.utf8"}
    terminal = [finding for finding in examine(FULL, 160, 50, good) if finding.group == "terminal"]
    assert [finding.name for finding in terminal if finding.state != "ok" or finding.cost] == []
    assert len(terminal) == 8


def test_the_libraries_are_those_of_the_project_file(monkeypatch: pytest.MonkeyPatch) -> None:
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    needs = [*project["dependencies"], *(f'{one}; extra == "{extra}"' for extra in extras for one in extras[extra])]
    monkeypatch.setattr(metadata, "requires", lambda _: needs)
    found = {finding.name: finding for finding in diagnosis.versions()}
    assert found["textual"].value == metadata.version("textual")
    assert found["httpx"].group == "libraries"
    assert found["grpcio-tools"].group == "extra protos"
    assert "pytest" not in found
    assert set(diagnosis.EXTRAS) == set(extras) - {"test"}


def test_a_library_that_is_not_there() -> None:
    needed = diagnosis.library("no-such-library", ">=1,<2", "")
    assert (needed.state, needed.remedy) == ("bad", "pip install 'no-such-library>=1,<2'")
    assert diagnosis.library("no-such-library", "==1", "protos").state == "less"


def test_a_folder_that_cannot_be_is_bad_and_a_new_one_is_not_made(tmp_path: Path) -> None:
    assert diagnosis.folder("state", tmp_path / "new" / "deep").state == "ok"
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "file").touch()
    assert diagnosis.folder("state", tmp_path / "file" / "deep").state == "bad"


def test_in_a_pipe_it_says_what_it_could_not_ask(cli: Cli) -> None:
    done = cli.run("doctor", "--json", env={"TERM": "xterm-256color", "COLORTERM": "truecolor"})
    told = json.loads(done.stdout)
    found = {finding["name"]: finding for finding in told["findings"]}
    assert (done.returncode, done.stderr, told["ok"]) == (0, "", True)
    assert found["answers"]["value"] == "not asked: no terminal"
    assert found["colours"]["state"] == "ok"
    assert "\x1b" not in done.stdout


def test_a_state_folder_that_cannot_be_is_status_1(cli: Cli) -> None:
    (cli.folder / "file").touch()
    done = cli.run("doctor", env={"RTUI_STATE_HOME": str(cli.folder / "file" / "state")})
    assert done.returncode == 1
    assert "!!  state" in done.stdout
    assert "nothing can be recorded" in done.stdout
    assert "RTUI_STATE_HOME" in done.stdout


def test_for_people_the_cost_stands_below() -> None:
    told = list(lines([diagnosis.locale({})]))
    assert told[:2] == ["surroundings", "  --  locale  not set"]
    assert all(line.startswith("        ") for line in told[2:])
    assert len(told) == 4


def test_what_is_wrong_in_the_users_files_is_told_with_its_line(cli: Cli) -> None:
    config = cli.folder / "config"
    (config / "themes").mkdir(parents=True)
    (cli.folder / "sessions").mkdir()
    (config / "config.toml").write_text("fps = 900\n")
    (config / "keys.toml").write_text('[keys]\n"app.pong" = "f12"\n')
    (config / "themes" / "mine.toml").write_text("[[[")
    (cli.folder / "sessions" / "typo.toml").write_text('[session]\nurl = "ws://h/"\n\n[optoins]\n')
    (cli.folder / "state").mkdir()
    (cli.folder / "state" / "workbench.json").write_text("[[[")
    before = {path: path.read_bytes() for path in cli.folder.rglob("*.*")}
    done = cli.run("doctor")
    assert done.returncode == 0
    assert "workbench.json:1: is not a state file" in done.stdout
    for place in ("config.toml:1: fps", "keys.toml:2: keys", "mine.toml:1: not valid TOML", "typo.toml:4: optoins"):
        assert place in done.stdout
    assert {path: path.read_bytes() for path in cli.folder.rglob("*.*")} == before


def test_files_in_order_are_told_as_such(cli: Cli) -> None:
    (cli.folder / "config").mkdir()
    (cli.folder / "config" / "config.toml").write_text("fps = 20\n")
    findings = json.loads(cli.run("doctor", "--json").stdout)["findings"]
    found = {one["name"]: one for one in findings if one["group"] == "files"}
    assert all(one["state"] == "ok" for one in found.values())
    assert found["config.toml"]["value"] == str(cli.folder / "config" / "config.toml")


def test_keys_of_the_user_that_this_terminal_cannot_send(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RTUI_CONFIG_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "keys.toml").write_text('[keys]\n"app.ping" = "ctrl+i, f12"\n"app.jump" = "ctrl+enter"\n')
    told = {one.value: one.cost for one in files(old_terminal=True) if one.state == "less"}
    assert told == {
        "app.ping: ctrl+i": "this terminal sends tab for it",
        "app.jump: ctrl+enter": "this terminal cannot send it",
    }
    assert all(one.state == "ok" for one in files())
