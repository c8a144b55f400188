from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from rtui.workbench.editor import command, edit_text


class Terminal:
    def __init__(self) -> None:
        self.given_away = 0

    @contextlib.contextmanager
    def suspend(self) -> Iterator[None]:
        self.given_away += 1
        yield


def test_visual_before_editor_before_vi() -> None:
    assert command("", {"VISUAL": "code --wait", "EDITOR": "nano"}) == ["code", "--wait"]
    assert command("", {"EDITOR": "nano"}) == ["nano"]
    assert command("", {}) == ["vi"]
    assert command("hx -c x", {"EDITOR": "nano"}) == ["hx", "-c", "x"]


async def test_the_edited_text_comes_back_and_no_file_stays(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    script = tmp_path / "editor.py"
    script.write_text("import sys; p = sys.argv[1]; t = open(p).read(); open(p, 'w').write(t.upper() + p)")
    monkeypatch.setenv("VISUAL", f"{sys.executable} {script}")
    terminal = Terminal()
    text, trouble = await edit_text(terminal, "abc\n")
    assert text.startswith("ABC\n")
    assert trouble == ""
    assert terminal.given_away == 1
    assert not await asyncio.to_thread(Path(text.removeprefix("ABC\n")).exists)


async def test_an_editor_that_is_not_there_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VISUAL", "/no/such/editor")
    text, trouble = await edit_text(Terminal(), "abc")
    assert text == "abc"
    assert "cannot be started" in trouble


async def test_a_key_that_comes_right_after_the_editor_finds_the_edited_text(monkeypatch: pytest.MonkeyPatch) -> None:
    happened: list[str] = []

    class Eager(Terminal):
        @contextlib.contextmanager
        def suspend(self) -> Iterator[None]:
            yield
            asyncio.get_running_loop().call_soon(happened.append, "a key")

    monkeypatch.setenv("VISUAL", "true")
    await edit_text(Eager(), "abc")
    happened.append("the text")
    await asyncio.sleep(0)
    assert happened == ["the text", "a key"]
