"""WCAG 2.2 AA on what is really painted: 4.5 to 1 for text (1.4.3), 3 to 1 for what is only a sign (1.4.11)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.segment import Segment
from textual.containers import VerticalScroll
from textual.filter import DimFilter
from textual.geometry import Region
from textual.screen import ModalScreen
from textual.strip import Strip
from textual.widgets._toast import ToastRack

from rtui.capture.reader import Reader
from rtui.settings.config import Config
from rtui.settings.theme import contrast, list_themes
from rtui.workbench.app import Workbench
from tests.workbench.conftest import running, until
from tests.workbench.test_snapshot import write_capture

THEMES = sorted(entry.name for entry in list_themes() if entry.source == "packaged")
TEXT, SIGN = 4.5, 3.0
RULES = "─━│┃▔▁▂▕▏╶╴├└╰╭╮╯"
"""Lines between panes and beside branches: nothing is lost without them, which is what 1.4.11 asks."""


def faint(bench: Workbench) -> set[str]:
    """What is painted with too little contrast, and how much it has."""
    return {
        f"{segment.text.strip()!r}: {ratio:.2f}"
        for strip in _front(bench)
        for segment in strip
        if segment.text.strip(f" {RULES}") and (ratio := _ratio(segment)) < _needed(segment.text)
    }


def _front(bench: Workbench) -> Iterator[Strip]:
    """What is painted, or only the dialog: what lies behind one is faint on purpose."""
    region, screen = place(bench), bench.screen
    shown = screen._compositor.render_strips()[region.y : region.bottom]
    return (
        strip.crop(region.x, region.right).apply_filter(DimFilter(), screen.background_colors[1]) for strip in shown
    )


def place(bench: Workbench) -> Region:
    """Where the screen is, or the dialog with its lists; empty while a dialog is being made."""
    screen = bench.screen
    if not isinstance(screen, ModalScreen):
        return screen.region
    ours = [dialog for dialog in screen.children if not isinstance(dialog, ToastRack)]
    ours += [child for dialog in ours if not isinstance(dialog, VerticalScroll) for child in dialog.children]
    places = [widget.region for widget in ours if widget.region]
    return Region.from_union(places) if places else Region()


def _needed(text: str) -> float:
    return TEXT if any(char.isalnum() for char in text) else SIGN


def _ratio(segment: Segment) -> float:
    style = segment.style
    assert style is not None
    assert style.color is not None
    assert style.bgcolor is not None, segment
    return contrast(style.color.get_truecolor().hex, style.bgcolor.get_truecolor().hex)


@pytest.mark.parametrize("theme", THEMES)
async def test_everything_painted_can_be_read(theme: str, tmp_path: Path) -> None:
    write_capture(tmp_path / "old.rtui")
    reader = Reader(tmp_path / "old.rtui")
    config = Config(theme=theme, animations=False)
    found: dict[str, set[str]] = {}
    async with running(None, reader=reader, config=config) as (bench, pilot):
        await until(pilot, lambda: bench.desk.log_view.total == 45, "all rows")
        for key in ("up", "f2", "f3", "f5", "question_mark", "ctrl+p", "ctrl+n", "f9", "slash", "P"):
            await pilot.press("escape", key)
            await until(pilot, lambda: place(bench), "a dialog")
            if wrong := faint(bench):
                found[key] = wrong
            await pilot.press("escape")
        bench.notify("something", title="a title", severity="warning")
        await pilot.pause()
        found |= {"a notification": wrong} if (wrong := faint(bench)) else {}
    assert not found, "\n".join(f"{key}: {sorted(wrong)}" for key, wrong in found.items())
