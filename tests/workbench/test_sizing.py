from __future__ import annotations

from typing import Any

import pytest
from textual.css.stylesheet import Stylesheet
from textual.dom import DOMNode
from textual.events import MouseDown, MouseEvent, MouseMove, MouseUp
from textual.pilot import Pilot

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
        bench.keep()
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
        bench.keep()
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


async def drag(pilot: Pilot[Any], start: tuple[int, int], end: tuple[int, int]) -> None:
    """Press, move and let go, at places of the screen: as a terminal tells it, of which Textual may make a click."""
    middle = ((start[0] + end[0]) // 2, (start[1] + end[1]) // 2)
    told: tuple[tuple[type[MouseEvent], tuple[int, int]], ...]
    told = ((MouseDown, start), (MouseMove, middle), (MouseMove, end), (MouseUp, end))
    for kind, (x, y) in told:
        pilot.app.post_message(kind(None, x, y, 0, 0, 1, False, False, False, x, y))
        await pilot.pause()


@pytest.mark.parametrize(("size", "rows"), [((140, 40), False), ((80, 40), True)])
async def test_the_line_between_halves_is_dragged_and_a_double_click_makes_them_equal(
    journal: Journal, server: demo.Server, size: tuple[int, int], rows: bool
) -> None:
    async with running(journal, f"{server.url}/echo", f"{server.url}/echo?x=2", size=size) as (bench, pilot):
        await pilot.press("vertical_line")
        await until(pilot, lambda: bench.desk.panes.paired == ("rows" if rows else "columns"), "two halves")
        first, second = bench.desk.halves
        await until(pilot, lambda: first.region.area and second.region.area, "they stand")
        line = second.region.offset
        there = (line.x + 5, line.y + 4) if rows else (line.x + 20, line.y + 3)
        await drag(pilot, (line.x, line.y), there)
        # A share in hundredths: to the cell, or beside it.
        reached = (
            (lambda: abs(second.region.y - there[1]) <= 1) if rows else lambda: abs(second.region.x - there[0]) <= 1
        )
        await until(pilot, reached, "the line is where it was let go")
        await pilot.hover(offset=(3, 3))
        await until(pilot, reached, "and stays there")
        await pilot.click(offset=second.region.offset, times=2)
        await until(pilot, lambda: second.region.offset == line, "equal again")
        assert "split" not in bench.state.sizes


async def test_edges_of_panes_are_dragged_and_kept(journal: Journal, server: demo.Server) -> None:
    async with running(journal, f"{server.url}/echo") as (bench, pilot):
        tree, message, sidebar = (bench.desk.pane(name) for name in ("tree", "message", "sessions"))
        await until(pilot, lambda: tree.region.area and message.region.area and sidebar.region.area, "panes")
        before = tree.region.width, message.region.height
        await drag(pilot, (tree.region.right - 1, 10), (tree.region.right + 5, 12))
        await until(pilot, lambda: tree.region.width == before[0] + 6, "wider")
        await drag(pilot, (message.region.x + 30, message.region.y), (message.region.x + 30, message.region.y - 3))
        await until(pilot, lambda: message.region.height == before[1] + 3, "higher")
        await drag(pilot, (message.region.x + 30, message.region.y), (message.region.x + 30, 0))
        await until(pilot, lambda: message.region.height == 20, "half of the screen at most")
        await drag(pilot, (sidebar.region.right - 1, 10), (1, 10))
        await until(pilot, lambda: sidebar.region.width == 14, "no narrower than can be read")
        assert set(bench.state.sizes) == {"tree", "message", "sessions"}
        before_mode = bench.desk.sure_picture.view.mode
        for x in range(10, 60, 3):
            start = message.region.x + x
            await drag(pilot, (start, message.region.y), (start, message.region.y + (2 if x % 2 else -2)))
        assert bench.desk.sure_picture.view.mode == before_mode, "no click on the modes in its title"
        await pilot.click(offset=(tree.region.right - 1, 10), times=2)
        await until(pilot, lambda: tree.region.width == before[0], "the usual width")
        await pilot.mouse_down(offset=(tree.region.x + 3, 10))
        await pilot.hover(offset=(tree.region.x + 9, 10))
        await pilot.mouse_up(offset=(tree.region.x + 9, 10))
        assert "tree" not in bench.state.sizes


async def test_halves_change_places_by_a_key(journal: Journal, server: demo.Server) -> None:
    async with running(journal, f"{server.url}/echo", f"{server.url}/silent") as (bench, pilot):
        await pilot.press("vertical_line", "greater_than_sign")
        await until(pilot, lambda: bench.desk.sheets.is_split, "two halves")
        left, right = bench.desk.halves
        await until(pilot, lambda: left.region.x < right.region.x, "they stand")
        shown, focused, place = list(bench.desk.sheets.shown), bench.focused, right.region
        log = bench.desk.log_view
        await pilot.press("underscore")
        await until(pilot, lambda: bench.desk.sheets.shown == shown[::-1], "the other way round")
        await until(pilot, lambda: log.region.x < place.x, "the current one stands on the left")
        assert bench.desk.log_view is log
        assert bench.focused is focused
        assert bench.desk.halves[1].region.x == place.x, "the line between them stays"
