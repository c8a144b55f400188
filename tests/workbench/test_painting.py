"""What is on the terminal is what the widgets would draw, whatever was done: only changed rows are ever written."""

from __future__ import annotations

import pytest

from rtui.capture.journal import Journal
from rtui.core.lifecycle import State
from rtui.demo import websocket as demo
from tests.workbench.conftest import running, until
from tests.workbench.glass import Glass, all_shown

SIZES = pytest.mark.parametrize("size", [(80, 24), (140, 40)])


@SIZES
async def test_every_row_reaches_the_terminal(journal: Journal, server: demo.Server, size: tuple[int, int]) -> None:
    async with running(journal, f"{server.url}/echo", f"{server.url}/silent", size=size) as (bench, pilot):
        glass = Glass(bench)
        bench.refresh()
        bench.desk._compositor_refresh()
        connections = [sheet.connection for sheet in bench.desk.sheets if sheet.connection is not None]
        await until(pilot, lambda: all(one.state is State.OPEN for one in connections), "open")

        await all_shown(pilot, glass, "start")
        keys = ["right_square_bracket", "T", "left_square_bracket"]
        keys += ["f7", "f7", "f4", "f6", "f6", "f3", "f3", "f5", "f4"]
        for number, key in enumerate(keys):
            connections[0].send(f"message {number}".encode())
            await until(pilot, lambda: connections[0].meter.count >= 2 * (number + 1), "sent and echoed")  # noqa: B023
            await pilot.press(key)
            await all_shown(pilot, glass, key)
        bench.desk.put_filter('"message 3"')
        await all_shown(pilot, glass, "a filter")
        connections[0].send(b"message 3 again")
        await all_shown(pilot, glass, "a row that matches")
        bench.desk.put_filter("")
        await all_shown(pilot, glass, "no filter")
        bench.theme = "textual-light"
        await all_shown(pilot, glass, "another theme")
        await pilot.resize_terminal(100, 30)
        connections[0].send(b"after the resize")
        await all_shown(pilot, glass, "a resize")


async def test_a_paint_between_two_looks_does_not_hide_what_came(journal: Journal, server: demo.Server) -> None:
    async with running(journal, f"{server.url}/echo") as (bench, pilot):
        sheet = bench.desk.sheets.current
        assert sheet is not None
        connection = sheet.connection
        assert connection is not None
        await until(pilot, lambda: connection.state is State.OPEN, "open")
        bench.pump.stop()
        await pilot.pause()
        log = bench.desk.log_view
        log.tick()
        before = log.painted.repainted
        connection.send(b"one")
        await until(pilot, lambda: bool(sheet.lens.refresh()) or len(sheet.lens.seqs) > 1, "taken in")
        log.render_lines(log.size.region)  # the title or the bar is painted: the log is asked for every line
        log.tick()
        assert log.painted.repainted > before


@SIZES
async def test_a_log_that_grows_and_shrinks_goes_on_following(
    journal: Journal, server: demo.Server, size: tuple[int, int]
) -> None:
    async with running(journal, f"{server.url}/ticker?rate=100", size=size) as (bench, pilot):
        log = bench.desk.log_view
        await until(pilot, lambda: log.total > 50, "more than a screen")
        bench.desk.start_tour()
        await until(pilot, lambda: bench.desk.query("#tour"), "the tour")
        await pilot.press("escape")
        await until(pilot, lambda: not bench.desk.query("#tour"), "the tour is over")
        for key in ("f4", "f7", "f7", "f6", "f6", "f5", "f4"):
            await pilot.press(key)
            await pilot.pause()
            assert log.follow, key
        await pilot.press("up")
        await until(pilot, lambda: not log.follow, "up stops following")
        total = log.total
        await until(pilot, lambda: log.total > total + 30, "more came")
        assert not log.follow
