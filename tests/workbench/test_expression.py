"""Filters that are completed, recalled and kept, through the whole desk."""

from __future__ import annotations

from typing import Any

from textual.pilot import Pilot
from textual.widgets import Input, Label, OptionList

from rtui.capture.journal import Journal
from rtui.demo import websocket as demo
from rtui.workbench.app import Workbench
from rtui.workbench.screens.dialog import Choose, Prompt
from rtui.workbench.screens.search import Search
from rtui.workbench.vocabulary import vocabulary
from tests.workbench.conftest import running, until


async def opened(bench: Workbench, pilot: Pilot[Any], action: str, screen: type) -> None:
    bench.desk.perform(action)
    await until(pilot, lambda: isinstance(bench.screen, screen) and bench.screen.query(Input), f"{action} asks")


async def test_channels_and_paths_of_the_tab_complete_its_filter(journal: Journal, server: demo.Server) -> None:
    async with running(journal, f"{server.url}/ticker?rate=100") as (bench, pilot):
        await until(pilot, lambda: bench.desk.log_view.total > 30, "rows")
        seen = vocabulary(bench.desk)
        assert "trade" in seen.channels
        assert seen.protocols == ["websocket"]
        await pilot.press("slash", *"ch:tra", "tab")
        bar = bench.desk.sure_picture.filter_bar
        assert bar.input.value == "ch:trade"
        await pilot.press("enter")
        await until(pilot, lambda: bench.desk.has_filter, "the filter")
        assert bench.state.expressions == ["ch:trade"]
        assert vocabulary(bench.desk).paths
        await pilot.press("backspace", "slash", "up")
        assert bar.input.value == "ch:trade"


async def test_a_filter_is_kept_by_name_chosen_and_forgotten(journal: Journal, server: demo.Server) -> None:
    async with running(journal, f"{server.url}/ticker?rate=100") as (bench, pilot):
        await until(pilot, lambda: bench.desk.log_view.total > 5, "rows")
        bench.desk.put_filter("kind:open")
        await until(pilot, lambda: bench.desk.has_filter, "the filter")
        await opened(bench, pilot, "app.keep-filter", Prompt)
        await pilot.press(*"opens", "enter")
        await until(pilot, lambda: bench.state.saved_filters == {"opens": "kind:open"}, "it is kept")
        bench.desk.put_filter("")
        await until(pilot, lambda: not bench.desk.has_filter, "everything again")

        await opened(bench, pilot, "app.filters", Choose)
        await pilot.press(*"opens", "enter")
        await until(pilot, lambda: bench.desk.has_filter, "the kept filter")
        sheet = bench.desk.sheets.current
        assert sheet is not None
        assert sheet.filter_text == "kind:open"

        await opened(bench, pilot, "app.forget-filter", Choose)
        await pilot.press("enter")
        await until(pilot, lambda: not bench.state.saved_filters, "it is forgotten")


async def test_the_search_completes_recalls_and_points_at_what_is_wrong(journal: Journal, server: demo.Server) -> None:
    async with running(journal, f"{server.url}/ticker?rate=100") as (bench, pilot):
        await until(pilot, lambda: bench.desk.log_view.total > 30, "rows")
        await opened(bench, pilot, "app.search", Search)
        await pilot.press(*"in (out", "enter")
        wrong = str(bench.screen.query_one(".trouble", Label).content)
        assert wrong.index("^") == 1 + "in (out".index("(")
        await pilot.press("ctrl+u", *"kind:op", "tab", "enter")
        await until(pilot, lambda: bench.screen is bench.desk, "the search goes")
        assert bench.state.expressions == ["kind:open"]
        await opened(bench, pilot, "app.search", Search)
        await pilot.press("up")
        assert bench.screen.query_one(Input).value == "kind:open"
        await pilot.press("ctrl+u", "down")
        assert bench.screen.query_one(OptionList).display
