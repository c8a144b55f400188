from __future__ import annotations

import pytest
from textual.css.stylesheet import Stylesheet
from textual.dom import DOMNode

from rtui.capture.journal import Journal
from rtui.demo import websocket as demo
from rtui.workbench.layout import PANES
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


async def test_keys_move_the_split_and_it_is_kept(journal: Journal, server: demo.Server) -> None:
    async with running(journal, f"{server.url}/echo", f"{server.url}/echo?x=2") as (bench, pilot):
        await pilot.press("vertical_line")
        await until(pilot, lambda: bench.desk.sheets.is_split, "two halves")
        left, right = bench.desk.halves
        await until(pilot, lambda: left.outer_size.width == right.outer_size.width > 0, "halves of one size")
        even, height = right.outer_size.width, bench.desk.log_view.outer_size.height
        await pilot.press("greater_than_sign", "greater_than_sign")
        await until(pilot, lambda: right.outer_size.width > even > left.outer_size.width, "the current half is wider")
        assert bench.desk.log_view.outer_size.height == height
        await pilot.press("backslash", *["greater_than_sign"] * 20)
        await until(pilot, lambda: left.outer_size.width > 3 * right.outer_size.width > 0, "now the other one")
        await pilot.press("f7")
        await until(pilot, lambda: left.outer_size.width == 140, "alone it takes everything")
        await pilot.press("f7", "vertical_line")
        await until(pilot, lambda: left.outer_size.width > 0 and not right.display, "one log")
        bench._remember()
    assert load_state(state_file())[0].sizes["split"] == 80


async def test_a_small_terminal_splits_its_rows_by_the_same_share(journal: Journal, server: demo.Server) -> None:
    async with running(journal, f"{server.url}/echo", f"{server.url}/echo?x=2", size=(80, 40)) as (bench, pilot):
        await pilot.press("vertical_line", *["greater_than_sign"] * 3)
        upper, lower = bench.desk.halves
        await until(pilot, lambda: lower.outer_size.height > upper.outer_size.height >= 4, "the lower one is higher")
        assert upper.outer_size.width == lower.outer_size.width == 80


async def test_folding_and_zooming_style_nothing_anew(
    journal: Journal, server: demo.Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    styled: list[DOMNode] = []
    apply = Stylesheet.apply

    def count(self: Stylesheet, node: DOMNode, **more: bool) -> None:
        styled.append(node)
        apply(self, node, **more)  # type: ignore[arg-type]

    async with running(journal, f"{server.url}/echo") as (bench, pilot):
        await pilot.press("f3")
        await until(pilot, lambda: bench.desk.pane("tree").has_focus, "the tree")
        panes = {bench.desk, *map(bench.desk.pane, PANES)}
        monkeypatch.setattr(Stylesheet, "apply", count)
        for key in ("f7", "f7"):
            await pilot.press(key)
            await pilot.pause()
        bench.desk.panes.folded = {"sessions", "message"}
        bench.desk.set_stage()
        await until(pilot, lambda: not bench.desk.pane("message").display, "folded")
        assert panes.isdisjoint(styled)
