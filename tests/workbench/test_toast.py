"""Notifications never stand over what is typed."""

from __future__ import annotations

import pytest
from textual.widgets import Input
from textual.widgets._toast import Toast

from rtui.capture.journal import Journal
from rtui.demo import websocket as demo
from rtui.workbench.app import Workbench
from rtui.workbench.screens.dialog import Prompt
from rtui.workbench.toast import gaps
from rtui.workbench.widgets.filterbar import FilterBar
from tests.workbench.conftest import running, until

SIZES = [(140, 40), (80, 24), (60, 20)]


def toasts(bench: Workbench) -> list[Toast]:
    return [toast for toast in bench.screen.query(Toast) if toast.region.height]


def test_gaps_are_what_is_left() -> None:
    assert gaps([(0, 2), (8, 10), (5, 6), (5, 9)], 12) == [(2, 5), (10, 12)]
    assert gaps([], 5) == [(0, 5)]
    assert gaps([(0, 5)], 5) == []


@pytest.mark.parametrize("size", SIZES)
async def test_the_composer_stays_free(size: tuple[int, int], journal: Journal, server: demo.Server) -> None:
    async with running(journal, f"{server.url}/echo", size=size) as (bench, pilot):
        await until(pilot, lambda: bench.desk.has_row, "a row")
        await pilot.press("s")
        for number in range(3):
            bench.notify(f"something to know {number}")
        await until(pilot, lambda: len(bench.screen.query(Toast)) == 3 and toasts(bench), "notifications")
        composer = bench.desk.composer
        assert composer is not None
        await until(pilot, lambda: composer.has_focus_within, "the composer has the focus")
        await until(pilot, lambda: not any(one.region.overlaps(composer.region) for one in toasts(bench)), "free")
        composer.set_text("\n".join(map(str, range(6))))
        await until(pilot, lambda: composer.area.region.height > 2, "it grew")
        await until(pilot, lambda: not any(one.region.overlaps(composer.region) for one in toasts(bench)), "room")


async def test_a_dialog_that_opens_beside_one_does_not_double_it(journal: Journal) -> None:
    def seen(bench: Workbench) -> int:
        found = [toast for screen in bench.screen_stack for toast in screen.query(Toast)]
        return sum(toast in toast.screen._compositor.visible_widgets for toast in found)

    async with running(journal) as (bench, pilot):
        bench.notify("something to know")
        await until(pilot, lambda: seen(bench) == 1, "told")
        await pilot.press("c")
        await until(pilot, lambda: isinstance(bench.screen, Prompt) and toasts(bench), "told beside the dialog")
        await until(pilot, lambda: seen(bench) == 1, "once")
        await pilot.press("escape")
        await until(pilot, lambda: bench.screen is bench.desk and seen(bench) == 1, "told again without it")


@pytest.mark.parametrize("size", SIZES)
async def test_where_there_is_no_room_for_all_the_newest_is_seen(size: tuple[int, int], journal: Journal) -> None:
    async with running(journal, size=size) as (bench, pilot):
        for number in range(9):
            bench.notify("\n".join(f"{number} {line}" for line in range(8)))
        await until(pilot, lambda: len(bench.screen.query(Toast)) == 9, "notifications")
        shown = [*bench.screen.query(Toast)]
        await until(pilot, lambda: all(one.outer_size.height >= 8 for one in shown), "laid out")
        await until(pilot, lambda: 0 < shown[-1].region.bottom < size[1], "the newest is seen")
        assert not shown[0].region
        for note in list(bench._notifications)[1:]:
            bench._unnotify(note)
        await until(pilot, lambda: 0 < shown[0].region.bottom < size[1], "the oldest, when there is room")


@pytest.mark.parametrize("size", SIZES)
async def test_the_filter_stays_free(size: tuple[int, int], journal: Journal, server: demo.Server) -> None:
    async with running(journal, f"{server.url}/echo", size=size) as (bench, pilot):
        await until(pilot, lambda: bench.desk.has_row, "a row")
        await pilot.press("slash")
        await until(pilot, lambda: bench.desk.query_one(FilterBar).input.has_focus, "the filter")
        for number in range(5):
            bench.notify(f"something to know\nand more of it {number}")
        await until(pilot, lambda: toasts(bench), "notifications")
        field = bench.desk.query_one(FilterBar).input
        await until(pilot, lambda: not any(one.region.overlaps(field.region) for one in toasts(bench)), "free")


@pytest.mark.parametrize("size", SIZES)
async def test_a_question_stays_free(size: tuple[int, int], journal: Journal) -> None:
    async with running(journal, size=size) as (bench, pilot):
        bench.notify("something to know\nand more of it")
        await pilot.press("c")
        await until(pilot, lambda: isinstance(bench.screen, Prompt) and bench.screen.is_mounted, "asked")
        bench.notify("something else to know\nand more of it")
        await until(pilot, lambda: toasts(bench), "notifications")
        field = bench.screen.query_one(Input)
        await until(pilot, lambda: not any(one.region.overlaps(field.region) for one in toasts(bench)), "room")
