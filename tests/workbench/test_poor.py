"""Poor terminals: with few colours or none, behind a line, and very small for a while."""

from __future__ import annotations

from pathlib import Path

import pytest
from rich.color import ColorType
from textual.screen import ModalScreen
from textual.strip import Strip
from textual.widget import Widget
from textual.widgets import Input, OptionList, TextArea

from rtui.capture.journal import Journal
from rtui.capture.reader import Reader
from rtui.demo import websocket as demo
from rtui.settings.config import Config
from rtui.settings.theme import contrast
from rtui.workbench.app import Workbench
from rtui.workbench.widgets.sixteen import READABLE
from tests.workbench.conftest import running, until
from tests.workbench.glass import in_full
from tests.workbench.test_contrast import THEMES, place
from tests.workbench.test_snapshot import write_capture


@pytest.fixture
def reader(tmp_path: Path) -> Reader:
    write_capture(tmp_path / "old.rtui")
    return Reader(tmp_path / "old.rtui")


async def test_no_color_is_shades_of_grey(reader: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with running(None, reader=reader) as (bench, pilot):
        await until(pilot, lambda: bench.desk.log_view.total == 45, "all rows")
        styles = [segment.style for strip in bench.screen._compositor.render_strips() for segment in strip]
        colours = {one.get_truecolor() for style in styles if style for one in (style.color, style.bgcolor) if one}
        assert len(colours) > 2
        assert [colour.hex for colour in colours if not colour.red == colour.green == colour.blue] == []


async def test_20_by_5_and_back_is_as_before(reader: Reader) -> None:
    async with running(None, reader=reader) as (bench, pilot):
        await until(pilot, lambda: says_all(bench), "all rows")
        before = in_full(bench)
        await pilot.resize_terminal(20, 5)
        await until(pilot, lambda: [len(line) for line in in_full(bench)] == [20] * 5, "small")
        for key in ("question_mark", "escape"):
            await pilot.press(key)
            await pilot.pause()
            assert len(in_full(bench)) == 5, key
        await pilot.resize_terminal(140, 40)
        await until(pilot, lambda: in_full(bench) == before, "as before")


async def test_over_a_line_a_dialog_leaves_the_rest_as_it_was(reader: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSH_CONNECTION", "192.0.2.1 50022 192.0.2.2 22")
    async with running(None, reader=reader) as (bench, pilot):
        await until(pilot, lambda: says_all(bench), "all rows")
        before = painted(bench)
        await pilot.press("question_mark")
        await until(pilot, lambda: isinstance(bench.screen, ModalScreen) and place(bench), "a dialog")
        region, now = place(bench), painted(bench)
        around = [y for y in range(40) if not region.y <= y < region.bottom]
        assert around
        assert [y for y in around if now[y] != before[y]] == []


@pytest.mark.parametrize("still", [True, False])
async def test_with_reduced_motion_no_cursor_blinks(reader: Reader, still: bool) -> None:
    async with running(None, reader=reader, config=Config(animations=not still)) as (bench, pilot):
        await until(pilot, lambda: bench.desk.log_view.total == 45, "all rows")
        assert (bench.animation_level == "none") == still
        await pilot.press("slash")
        await until(pilot, lambda: isinstance(bench.focused, Input), "the filter")
        await pilot.press("escape", "ctrl+p")
        await until(pilot, lambda: isinstance(bench.focused, Input), "the palette")
        blinking = [one.cursor_blink for one in (bench.desk.picture.filter_bar.input, bench.focused)]  # type: ignore[union-attr]
        assert blinking == [not still] * 2


@pytest.mark.parametrize("theme", THEMES)
async def test_on_16_colours_everything_can_be_read(
    theme: str, reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("COLORTERM")
    monkeypatch.setenv("TERM", "xterm-16color")
    async with running(None, reader=reader, config=Config(theme=theme, animations=False)) as (bench, pilot):
        await until(pilot, lambda: bench.desk.log_view.total == 45, "all rows")
        lost: set[str] = set()
        for key in ("up", "question_mark", "f9", "slash"):
            await pilot.press("escape", key)
            await until(pilot, lambda: place(bench), "a dialog")
            lost |= {f"{key}: {text}" for text in hidden(bench)}
            await pilot.press("escape")
        assert lost == set()


@pytest.mark.parametrize(("term", "ascii_only"), [("xterm-16color", False), ("vt100", False), ("xterm-16color", True)])
async def test_with_few_colours_a_field_without_the_focus_shows_where_it_is(
    journal: Journal, server: demo.Server, monkeypatch: pytest.MonkeyPatch, term: str, ascii_only: bool
) -> None:
    monkeypatch.delenv("COLORTERM")
    monkeypatch.setenv("TERM", term)
    config = Config(animations=False, ascii=ascii_only)
    async with running(journal, f"{server.url}/echo", config=config, size=(80, 24)) as (bench, pilot):
        await until(pilot, lambda: len(fields(bench)) > 1, "the composer")
        lines = in_full(bench)
        for one in fields(bench):
            assert not one.has_focus
            edges = [one.region.x] if isinstance(one, TextArea) else [one.region.x, one.region.right - 1]
            assert [lines[one.region.y][x] for x in edges] == ["|" if ascii_only else "│"] * len(edges)


def fields(bench: Workbench) -> list[Widget]:
    """Those on the screen."""
    return [one for one in bench.screen.query("Input, TextArea") if one.region and one.display]


def says_all(bench: Workbench) -> bool:
    """Whether every row is there, and the title, which is told now and then, says so."""
    return bench.desk.log_view.total == 45 and "45" in str(bench.desk.log_view.border_title)


def painted(bench: Workbench) -> list[Strip]:
    return [strip.simplify() for strip in bench.screen._compositor.render_strips()]


def hidden(bench: Workbench) -> set[str]:
    """Text that does not stand out from its ground, or has a colour that is none of 16."""
    return {
        segment.text.strip()
        for strip in painted(bench)
        for segment in strip
        if any(char.isalnum() for char in segment.text)
        and segment.style is not None
        and segment.style.color is not None
        and segment.style.bgcolor is not None
        and (
            segment.style.color.type is not ColorType.STANDARD
            or contrast(segment.style.color.get_truecolor().hex, segment.style.bgcolor.get_truecolor().hex) < READABLE
        )
    }


@pytest.mark.parametrize("theme", ["dark", "light", "monochrome"])
async def test_without_colours_the_cursor_of_a_list_is_in_reverse(
    theme: str, reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("COLORTERM")
    monkeypatch.setenv("TERM", "vt100")
    async with running(None, reader=reader, config=Config(theme=theme, animations=False)) as (bench, pilot):
        await until(pilot, lambda: bench.desk.log_view.total == 45, "all rows")
        await pilot.press("up")
        await until(pilot, lambda: any("12:00:04.640" in text for text in reversed_text(bench)), "the row")
        await pilot.press("f10", "down")
        await until(pilot, lambda: bench.screen.query(OptionList), "the menu")
        lines = bench.screen.query_one(OptionList)
        titles = [f" {str(one.prompt).strip().partition('  ')[0]}  " for one in lines.options if not one.disabled]
        await until(pilot, lambda: [t for t in reversed_text(bench) if titles[1] in t], "the menu's second line")
        assert not [text for text in reversed_text(bench) if titles[2] in text]
        colours = [segment.style for strip in painted(bench) for segment in strip if segment.style]
        assert [style for style in colours if style.color or style.bgcolor] == []


def reversed_text(bench: Workbench) -> list[str]:
    return [part.text for strip in painted(bench) for part in strip if part.style and part.style.reverse]


async def test_ctrl_c_tells_how_to_leave_without_any_markup(reader: Reader) -> None:
    async with running(None, reader=reader) as (bench, pilot):
        await until(pilot, lambda: bench.desk.log_view.total == 45, "all rows")
        await pilot.press("ctrl+c")
        await until(pilot, lambda: any("leaves; ctrl+c does not" in line for line in in_full(bench)), "the word")
        assert not [line for line in in_full(bench) if "[b]" in line]
