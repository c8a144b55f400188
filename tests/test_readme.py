"""What the README says holds: its tables, its commands, its files, its links and pictures."""

from __future__ import annotations

import re
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from rtui.cli.main import root
from rtui.settings.keymap import load_keymap
from rtui.settings.session import load_session
from tests.pictures.tables import README, TABLES, filled
from tests.pictures.view import VIEWS
from tests.protobuf.test_descriptor_set import PLANT
from tests.protoset import protoset

TEXT = README.read_text(encoding="utf-8")
VARIABLE = re.compile(r"[A-Z_]+=\S*")
OPERATORS = {"|", "&&", ">", ";"}
HEADS = {"websocket": "ws://x", "socket.io": "socketio+http://x", "mqtt": "mqtt://x"}
"""Where a page shows a part of a session file, its URL."""


def examples(kind: str = "") -> list[tuple[str, str]]:
    """The blocks of code (heading of their section, text): indented ones, or fenced ones of a kind."""
    found: list[tuple[str, str]] = []
    heading, block, fence = "", [], ""
    for line in [*TEXT.splitlines(), "end"]:
        inside = line.startswith("    ") if not kind else bool(fence) and not line.startswith("```")
        if inside:
            block.append(line[4:] if not kind else line)
            continue
        if block and fence == kind:
            found.append((heading, "\n".join(block)))
        block = []
        if line.startswith("```"):
            fence = "" if fence else line[3:]
        elif not fence and line.startswith("#"):
            heading = line.lstrip("# ")
    return found


def commands() -> Iterator[list[str]]:
    """The arguments of every `rtui …` in an indented example."""
    for _, block in examples():
        for line in block.splitlines():
            yield from _calls(_words(line))


def _words(line: str) -> list[str]:
    lexer = shlex.shlex(line, posix=True, punctuation_chars="|&;>")
    lexer.whitespace_split = True
    return list(lexer)


def _calls(words: list[str]) -> Iterator[list[str]]:
    call: list[str] = []
    for word in [*words, ";"]:
        if word in OPERATORS:
            if call[:1] == ["rtui"]:
                yield call[1:]
            call = []
        elif call or not VARIABLE.fullmatch(word):
            call.append(word)


def parse(arguments: list[str]) -> None:
    """Have click read a command line, and carry nothing out.

    Raises:
        click.ClickException: if it is wrong.
    """
    context = root.make_context("rtui", list(arguments))
    command: click.Command = root
    while isinstance(command, click.Group):
        rest = [*context._protected_args, *context.args]
        if not rest:
            return
        name, found, rest = command.resolve_command(context, rest)
        assert found is not None
        command, context = found, found.make_context(name, rest, parent=context)


def test_the_tables_are_what_the_program_says() -> None:
    assert all(f"<!-- {name}: " in TEXT for name in TABLES)
    assert filled(TEXT) == TEXT, "run: python -m tests.pictures.tables"


@pytest.mark.parametrize("arguments", list(commands()), ids=lambda words: " ".join(words)[:60])
def test_a_command_line_can_be_read(arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "FILE").touch()
    monkeypatch.chdir(tmp_path)
    parse(arguments)


def test_a_wrong_command_line_would_be_noticed() -> None:
    with pytest.raises(click.UsageError):
        parse(["tail", "ws://x", "--subscribbe", "x"])


@pytest.mark.parametrize(("heading", "text"), examples("toml"), ids=lambda text: text.splitlines()[0][:40])
def test_a_file_can_be_read(heading: str, text: str, tmp_path: Path) -> None:
    from rtui.workbench.actions.session import declares_for
    from rtui.workbench.bindings import default_keys

    path = tmp_path / "x.toml"
    if "[keys]" in text:
        path.write_text(text)
        assert load_keymap(path, default_keys())[1] == []
        return
    head = "" if "[session]" in text else f'[session]\nname = "x"\nurl = "{HEADS.get(heading.lower(), "ws://x")}"\n\n'
    if "@hello" in text:
        head += '[[messages]]\nname = "hello"\npayload = "x"\n\n'
    if "plant.protoset" in text:
        (tmp_path / "plant.proto").write_text(PLANT)
        protoset(tmp_path / "plant.proto", tmp_path / "plant.protoset")
    path.write_text(head + text)
    assert load_session(path, declares_for).stored is not None


def test_examples_are_found() -> None:
    assert len(list(commands())) > 40
    assert all(tomllib.loads(text) for _, text in examples("toml"))


def test_links_and_pictures_lead_somewhere() -> None:
    headings = re.findall(r"^#+ (.*)$", TEXT, re.MULTILINE)
    anchors = {re.sub(r"[^a-z0-9 -]", "", heading.lower()).replace(" ", "-") for heading in headings}
    assert set(re.findall(r"\]\(#([^)]*)\)", TEXT)) <= anchors
    pictures = re.findall(r"!\[[^]]+\]\(([^)]*)\)", TEXT)
    assert sorted(pictures) == sorted(f"tests/pictures/{name}.svg" for name in VIEWS)
    assert all((README.parent / name).is_file() for name in pictures)


def test_pictures_are_described_and_have_a_caption() -> None:
    told = re.findall(r"^!\[([^]]+)\]\([^)]*\)\n\n\*([^*\n]+\.)\*$", TEXT, re.MULTILINE)
    assert len(told) == len(VIEWS)
    assert all(len(description.split()) > 8 for description, _ in told), "for those who do not see it"


def test_ci_runs_the_readmes_test_command() -> None:
    install, _, test = next(line for line in TEXT.splitlines() if "[test]" in line).strip().partition(" && ")
    script = (Path(README).parent / ".ci" / "run").read_text(encoding="utf-8")
    assert install in script
    assert test in script
