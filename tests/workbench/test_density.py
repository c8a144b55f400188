"""The room for a row: who chooses it, and what is kept."""

from __future__ import annotations

from typing import Any

import pytest
from textual.pilot import Pilot

from rtui.capture.journal import Journal
from rtui.demo import websocket as demo
from rtui.settings.config import Config
from rtui.settings.option import declared
from rtui.settings.session import Session, View
from rtui.settings.session_model import DENSITIES
from rtui.workbench.app import Workbench
from rtui.workbench.state import State
from rtui.workbench.state_file import save_state, state_file
from rtui.workbench.widgets.density import Density
from tests.workbench.conftest import running, until
from tests.workbench.glass import Glass, in_full


def shown(bench: Workbench) -> Density:
    return bench.desk.log_view.brush.density


async def test_a_key_chooses_the_next_one_and_the_next_run_begins_with_it(
    journal: Journal, server: demo.Server
) -> None:
    async with running(journal, f"{server.url}/ticker?rate=50") as (bench, pilot):
        log = bench.desk.log_view
        await until(pilot, lambda: log.total > 30, "rows")
        assert shown(bench) is Density.NORMAL
        await pilot.press("v")
        assert shown(bench) is Density.LARGE
        assert log.virtual_size.height == log.count * Density.LARGE.lines()
        await pilot.press("ctrl+q")
        await until(pilot, lambda: bench._exit, "left")
    async with running(journal, f"{server.url}/echo") as (bench, pilot):
        assert shown(bench) is Density.LARGE
        await pilot.press("v")
        assert shown(bench) is Density.COMPACT


async def test_the_configuration_says_what_holds_until_one_is_chosen(journal: Journal, server: demo.Server) -> None:
    config = Config(animations=False, density="large")
    async with running(journal, f"{server.url}/echo", config=config) as (bench, _):
        assert shown(bench) is Density.LARGE


async def test_a_session_that_asks_for_one_has_it_in_its_tab_alone(journal: Journal, server: demo.Server) -> None:
    async with running(journal, f"{server.url}/echo") as (bench, pilot):
        bench.connect(Session(name="own", url=f"{server.url}/echo", view=View(density="large")))
        assert shown(bench) is Density.LARGE
        await pilot.press("v")
        assert shown(bench) is Density.COMPACT
        assert bench.state.density == ""
        await pilot.press("left_square_bracket")
        assert shown(bench) is Density.NORMAL
        await pilot.press("right_square_bracket")
        assert shown(bench) is Density.COMPACT


async def test_the_lines_of_a_large_row_are_of_the_configuration_or_the_session(
    journal: Journal, server: demo.Server
) -> None:
    config = Config(animations=False, density="large", large_lines=6)
    async with running(journal, f"{server.url}/echo", config=config) as (bench, _):
        assert bench.desk.log_view.lines == 6
        bench.connect(Session(name="own", url=f"{server.url}/echo", view=View(large_lines=2)))
        assert bench.desk.log_view.lines == 2


def test_settings_and_log_know_the_same_words() -> None:
    words = tuple(density.value for density in Density)
    assert DENSITIES[1:] == words
    assert next(one for one in declared(Config) if one.key == "density").choices == words


async def test_a_word_of_another_version_in_the_state_file_is_no_trouble(journal: Journal, server: demo.Server) -> None:
    save_state(State(density="gigantic"), state_file())
    async with running(journal, f"{server.url}/echo") as (bench, _):
        assert shown(bench) is Density.NORMAL


async def settled(bench: Workbench, pilot: Pilot[Any], glass: Glass, what: str) -> None:
    await until(pilot, lambda: glass.lines() == in_full(bench), f"what is drawn is on the screen after {what}")


@pytest.mark.parametrize("size", [(80, 24), (140, 40)])
async def test_every_line_reaches_the_terminal_in_each_density(
    journal: Journal, server: demo.Server, size: tuple[int, int]
) -> None:
    async with running(journal, f"{server.url}/echo", size=size) as (bench, pilot):
        connection, log = bench.desk.connection, bench.desk.log_view
        assert connection is not None
        await until(pilot, lambda: log.total == 1, "open")
        glass = Glass(bench)
        bench.refresh()
        bench.desk._compositor_refresh()
        for number, density in enumerate((Density.LARGE, Density.COMPACT, Density.NORMAL)):
            for count in range(20):
                connection.send(b'{"number": %d, "text": "%s"}' % (count, b"long " * 40))
            await until(pilot, lambda: log.total == 1 + 40 * (number + 1), "sent and echoed")  # noqa: B023
            await pilot.press("v")
            assert shown(bench) is density
            await settled(bench, pilot, glass, density.value)
            await pilot.press("up", "up", "pageup")
            await settled(bench, pilot, glass, "the cursor moved")
            log.scroll_relative(y=-3, animate=False)
            await settled(bench, pilot, glass, "the wheel turned")
            await pilot.press("end")
            await settled(bench, pilot, glass, "following again")
