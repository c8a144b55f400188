from __future__ import annotations

import pytest

from rtui.workbench.widgets import filterbar
from rtui.workbench.widgets.filterbar import FilterBar
from tests.waiting import eventually
from tests.workbench.widgets.fake import HOSTILE, Host


class Listening(Host):
    def __init__(self, bar: FilterBar) -> None:
        super().__init__(bar)
        self.changes: list[tuple[bool, str]] = []
        self.closed = 0

    def on_filter_bar_changed(self, event: FilterBar.Changed) -> None:
        self.changes.append((event.filter is not None, event.text))

    def on_filter_bar_closed(self) -> None:
        self.closed += 1


async def test_hidden_until_opened_and_again_when_left_empty() -> None:
    bar = FilterBar()
    app = Listening(bar)
    async with app.run_test(size=(80, 24)) as pilot:
        assert not bar.display
        bar.open()
        await pilot.pause()
        assert bar.display
        await pilot.press("escape")
        assert not bar.display
        assert app.closed == 1


async def test_enter_applies_once_and_clearing_lets_everything_through(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(filterbar, "PAUSE", 60.0)  # however slowly a busy machine types
    bar = FilterBar()
    app = Listening(bar)
    async with app.run_test(size=(80, 24)) as pilot:
        bar.open()
        await pilot.press(*"in", "enter")
        await pilot.pause()
        assert app.changes == [(True, "in")]
        bar.open()
        await pilot.press("ctrl+u")
        await pilot.pause()
        assert app.changes == [(True, "in"), (False, "")]


async def test_a_pause_in_typing_applies_what_stands_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(filterbar, "PAUSE", 0.01)
    bar = FilterBar()
    app = Listening(bar)
    async with app.run_test(size=(80, 24)) as pilot:
        bar.open()
        await pilot.press(*"in")
        await eventually(lambda: app.changes[-1:] == [(True, "in")])
        assert bar.input.has_focus


async def test_what_is_wrong_is_pointed_at_and_the_old_filter_holds() -> None:
    bar = FilterBar()
    app = Listening(bar)
    async with app.run_test(size=(80, 24)) as pilot:
        bar.put("in")
        bar.put("in (out")
        await pilot.pause()
        assert app.changes == [(True, "in")]
        assert bar.has_class("-wrong")
        assert "^" in bar.explanation


async def test_pasted_control_characters_are_not_drawn() -> None:
    bar = FilterBar()
    async with Listening(bar).run_test(size=(80, 24)) as pilot:
        bar.open()
        bar.put(HOSTILE.replace("\n", " "))
        await pilot.pause()
        assert bar.input.render_line(0).text.isprintable()
        assert bar.explanation.isprintable()
