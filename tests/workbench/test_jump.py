"""Jump mode: letters over what can be gone to, at the right places, gone after one key."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from rtui.capture.journal import Journal
from rtui.demo import websocket as demo
from rtui.workbench.app import Workbench
from rtui.workbench.panes.tabstrip import TabStrip
from rtui.workbench.screens.jump import Chip, Jump
from rtui.workbench.widgets.filterbar import FilterBar
from rtui.workbench.widgets.payload_area import PayloadArea
from tests.workbench.conftest import running, until
from tests.workbench.test_desk import write
from tests.workbench.test_snapshot import desk, settle

__all__ = ["desk"]


def laid_out(bench: Workbench) -> bool:
    places = bench.desk._compositor.full_map
    return all(one in places for one in bench.desk.focus_chain)


async def letters(bench: Workbench, pilot: Pilot[Any]) -> dict[str, Chip]:
    """Put the letters up, when all has its place."""
    await until(pilot, lambda: laid_out(bench), "every pane has its place")
    await pilot.press("ctrl+g")
    await until(pilot, lambda: isinstance(bench.screen, Jump) and bench.screen.query(Chip), "letters")
    await until(pilot, lambda: all(chip.region for chip in bench.screen.query(Chip)), "all of them placed")
    return {chip.spot.key: chip for chip in bench.screen.query(Chip)}


async def test_each_letter_stands_on_its_pane_and_leads_there(journal: Journal, server: demo.Server) -> None:
    async with running(journal, f"{server.url}/echo", f"{server.url}/silent") as (bench, pilot):
        places = {key: bench.desk.pane(name) for key, name in (("s", "sessions"), ("t", "tree"), ("m", "message"))}
        places |= {"l": bench.desk.log_view, "c": bench.desk.query_one(PayloadArea)}
        for key, pane in places.items():
            chips = await letters(bench, pilot)
            assert chips[key].region.offset == pane.region.offset, key
            await pilot.press(key)
            await until(pilot, lambda: bench.focused is pane, key)  # noqa: B023
            assert bench.screen is bench.desk


async def test_it_works_from_an_input_and_leads_to_one(journal: Journal, server: demo.Server) -> None:
    async with running(journal, f"{server.url}/echo") as (bench, pilot):
        await pilot.press("slash")
        await write(pilot, "abc")
        await letters(bench, pilot)
        await pilot.press("c")
        area = bench.desk.query_one(PayloadArea)
        await until(pilot, lambda: bench.focused is area, "in the composer")
        await write(pilot, "hello")
        await letters(bench, pilot)
        await pilot.press("f")
        filters = bench.desk.query_one(FilterBar).input
        await until(pilot, lambda: bench.focused is filters, "in the filter")
        assert (filters.value, area.text) == ("abc", "hello")


async def test_every_field_of_the_composer_has_a_letter(journal: Journal, server: demo.Server) -> None:
    async with running(journal, f"{server.url}/echo") as (bench, pilot):
        composer = bench.desk.composer
        assert composer is not None
        fields = [one for one in bench.desk.focus_chain if composer in one.ancestors]
        assert len(fields) > 2
        chips = await letters(bench, pilot)
        spots = {chip.spot.at: key for key, chip in chips.items()}
        for field in fields:
            assert field.region.offset in spots, field
            await pilot.press("escape")
            await until(pilot, lambda: bench.screen is bench.desk, "left")
            await letters(bench, pilot)
            await pilot.press(spots[field.region.offset])
            await until(pilot, lambda: bench.focused is field, str(field))  # noqa: B023
            await letters(bench, pilot)


async def test_tabs_have_digits_and_both_logs_a_letter(journal: Journal, server: demo.Server) -> None:
    async with running(journal, f"{server.url}/echo", f"{server.url}/silent") as (bench, pilot):
        await pilot.press("vertical_line")
        await until(pilot, lambda: all(half.rows.region for half in bench.desk.halves), "two logs")
        strip = bench.desk.query_one(TabStrip)
        for number, (tab, start) in enumerate(strip.places(), start=1):
            chips = await letters(bench, pilot)
            assert chips[str(number)].region.x == start
            await pilot.press(str(number))
            await until(pilot, lambda: strip.selected == tab.key, tab.name)  # noqa: B023
        for key, half in zip("lr", bench.desk.halves, strict=True):
            await letters(bench, pilot)
            await pilot.press(key)
            await until(pilot, lambda: bench.desk.half is half and half.rows.has_focus, key)  # noqa: B023


@pytest.mark.parametrize("key", ["escape", "exclamation_mark", "tab", "ctrl+g", "enter", "f3"])
async def test_any_other_key_only_leaves(journal: Journal, server: demo.Server, key: str) -> None:
    async with running(journal, f"{server.url}/echo") as (bench, pilot):
        await pilot.press("slash")
        await letters(bench, pilot)
        await pilot.press(key)
        await until(pilot, lambda: bench.screen is bench.desk, "left")
        assert isinstance(bench.focused, Input)
        assert bench.focused.value == ""


async def test_a_click_on_a_letter_leads_there_and_one_beside_leaves(journal: Journal, server: demo.Server) -> None:
    async with running(journal, f"{server.url}/echo") as (bench, pilot):
        chips = await letters(bench, pilot)
        await pilot.click(chips["t"])
        await until(pilot, lambda: bench.focused is bench.desk.sure_tree, "the tree")
        await letters(bench, pilot)
        await pilot.click(offset=(70, 20))
        await until(pilot, lambda: bench.screen is bench.desk, "left")
        assert bench.focused is bench.desk.sure_tree


async def test_a_resize_leaves(journal: Journal, server: demo.Server) -> None:
    async with running(journal, f"{server.url}/echo") as (bench, pilot):
        await letters(bench, pilot)
        await pilot.resize_terminal(80, 24)
        await until(pilot, lambda: bench.screen is bench.desk, "left")


async def test_only_what_can_be_seen_has_a_letter(journal: Journal, server: demo.Server) -> None:
    async with running(journal, f"{server.url}/echo", size=(60, 15)) as (bench, pilot):
        assert sorted(await letters(bench, pilot)) == ["1", "l"]


@pytest.mark.parametrize("size", [(80, 24), (140, 40)])
def test_picture(snap_compare: Callable[..., bool], desk: Callable[[str], Workbench], size: tuple[int, int]) -> None:
    async def jumping(pilot: Pilot[Any]) -> None:
        bench = pilot.app
        assert isinstance(bench, Workbench)
        await settle(pilot)
        await letters(bench, pilot)

    assert snap_compare(desk("dark"), terminal_size=size, run_before=jumping)
