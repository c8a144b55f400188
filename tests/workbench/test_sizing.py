from __future__ import annotations

from rtui.capture.journal import Journal
from rtui.demo import websocket as demo
from rtui.workbench.state_file import load_state, state_file
from tests.workbench.conftest import running, until


async def test_keys_change_the_focused_pane_and_it_is_kept(journal: Journal, server: demo.Server) -> None:
    async with running(journal, f"{server.url}/ticker?rate=20") as (bench, pilot):
        tree, log = bench.desk.pane("tree"), bench.desk.pane("log")
        await until(pilot, lambda: bench.desk.log_view.total > 2, "rows")
        await pilot.press("f3")
        before = tree.outer_size.width
        await pilot.press("greater_than_sign", "greater_than_sign")
        await until(pilot, lambda: tree.outer_size.width == before + 4, "wider")
        await pilot.press("f7")
        await until(pilot, lambda: tree.outer_size.width > 100, "alone it takes everything")
        await pilot.press("f7", *["less_than_sign"] * 20)
        await until(pilot, lambda: tree.outer_size.width == 16, "no narrower than can be read")
        await pilot.press("f4")
        high = log.outer_size.height
        await pilot.press("greater_than_sign")
        await until(pilot, lambda: log.outer_size.height == high + 1, "the message pane gives a row")
        bench._remember()
    assert load_state(state_file())[0].sizes["tree"] == 16
    async with running(journal, f"{server.url}/echo") as (bench, pilot):
        await until(pilot, lambda: bench.desk.pane("tree").outer_size.width == 16, "as it was left")
