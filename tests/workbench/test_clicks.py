"""What a click does besides choosing a row: on badges, titles and the line of tabs; and the wheel, over every pane."""

from __future__ import annotations

from typing import Any

import pytest
from textual.events import MouseScrollDown, MouseScrollUp
from textual.pilot import Pilot
from textual.widget import Widget

from rtui.capture.journal import Journal
from rtui.core.record import Direction
from rtui.demo import websocket as demo
from rtui.settings.paths import user_sessions
from rtui.settings.session import save_session, session_from_url
from rtui.workbench.app import Workbench
from rtui.workbench.panes.sidebar import Sidebar
from rtui.workbench.panes.tabstrip import TabStrip
from rtui.workbench.screens.unanswered import Unanswered
from rtui.workbench.widgets.log import MessageLog
from tests.waiting import PATIENCE
from tests.workbench.conftest import running, until
from tests.workbench.test_unanswered import ANSWER, asked, listening
from tests.workbench.widgets.fake import screen_text


async def click_title(pilot: Pilot[Any], log: MessageLog, part: str) -> None:
    """Click on a part of the title of a log."""
    await until(pilot, lambda: part in screen_text(log)[0], f"{part} is in the title")
    await pilot.click(log, offset=(screen_text(log)[0].index(part) + 1, 0))


async def test_the_badge_of_an_answer_leads_to_what_it_answers(journal: Journal) -> None:
    async with listening() as peer, running(journal, peer.url) as (bench, pilot):
        await asked(bench, pilot, 1, 2)
        log = bench.desk.log_view
        line = await peer.lines.get()
        await line.send(ANSWER % 1)
        await until(pilot, lambda: log.total == 4 and "↩" in "".join(screen_text(log)), "answered")
        rows = screen_text(log)
        y = next(y for y, text in enumerate(rows) if "↩" in text)
        await pilot.click(log, offset=(rows[y].index("↩") + 2, y))
        await until(pilot, lambda: '"id":1' in payload(bench) and "method" in payload(bench), "the request")
        await pilot.click(log, offset=(30, y))
        assert "result" in payload(bench), "elsewhere a click only chooses the row"


async def test_another_badge_leads_to_what_came_with_the_message(journal: Journal, server: demo.Server) -> None:
    async with running(journal, f"{server.url}/echo") as (bench, pilot):
        log = bench.desk.log_view
        await until(pilot, lambda: log.total == 1, "open")
        bench.desk.send(b"x" * 2048)
        await until(pilot, lambda: log.total == 3 and "2.0k" in screen_text(log)[3], "echoed")
        await pilot.click(log, offset=(screen_text(log)[3].index("2.0k") + 1, 3))
        await until(pilot, lambda: bench.desk.sure_picture.view.mode == "meta", "the meta of the message")
        assert bench.catalog.record(log.cursor_seq).direction == Direction.IN  # type: ignore[union-attr]


def payload(bench: Workbench) -> str:
    return bench.desk.selected_records()[0].payload.decode()


async def test_the_title_of_the_log_does_what_it_says(journal: Journal) -> None:
    async with listening() as peer, running(journal, peer.url) as (bench, pilot):
        await asked(bench, pilot, 1, 2)
        log = bench.desk.log_view
        await pilot.press("up", "up")
        await click_title(pilot, log, "scrolled back")
        await until(pilot, lambda: log.follow, "following")
        await pilot.press("x")
        await click_title(pilot, log, "1 selected")
        await until(pilot, lambda: "selected" not in screen_text(log)[0], "no row is")
        await pilot.press("end", "z")
        await click_title(pilot, log, "frozen")
        await until(pilot, lambda: not log.frozen, "it runs on")
        await click_title(pilot, log, "2 unanswered")
        await until(pilot, lambda: isinstance(bench.screen, Unanswered), "the list of them")
        await pilot.press("escape")
        bench.desk.put_filter("out")
        await click_title(pilot, log, "filter: out")
        await until(pilot, lambda: bench.desk.sure_picture.filter_bar.input.has_focus, "the filter")
        cursor = log.cursor_seq
        await pilot.click(log, offset=(2, 0))
        assert (log.cursor_seq, bench.screen) == (cursor, bench.desk), "the word in front does nothing"


async def test_the_title_of_the_tree_sorts(journal: Journal, server: demo.Server) -> None:
    async with running(journal, f"{server.url}/ticker?rate=50") as (bench, pilot):
        tree = bench.desk.sure_tree
        await until(pilot, lambda: tree.row_count() > 2 and "by name" in screen_text(tree)[0], "channels")
        await bench.hub.close_all()  # rows are put in order anew now and then: while messages come, figures run ahead
        log = bench.desk.log_view
        await until(pilot, lambda: log.total == bench.catalog.last, "the row of the end")  # below, where many came
        await pilot.click(tree, offset=(4, 0))
        await until(pilot, lambda: "by count" in screen_text(tree)[0], "by count")
        totals = [tree._outline.row(index)[0].total for index in range(tree.row_count())]  # type: ignore[union-attr]
        assert totals == sorted(totals, reverse=True)
        await pilot.click(tree, offset=(tree.region.width - 3, 0))
        assert tree.order == "count"


async def wheel(bench: Workbench, pilot: Pilot[Any], widget: Widget, step: int) -> None:
    kind = MouseScrollDown if step > 0 else MouseScrollUp
    x, y = widget.region.x + 2, widget.region.y + widget.size.height - 1
    for _ in range(abs(step)):
        bench.screen._forward_event(kind(widget, x, y, 0, step, 0, False, False, False, x, y))
        await pilot.pause()


async def test_a_wheel_over_the_tabs_goes_through_them_and_stops_at_the_ends(
    journal: Journal, server: demo.Server
) -> None:
    urls = [f"{server.url}/echo?{number}" for number in range(3)]
    async with running(journal, *urls) as (bench, pilot):
        strip = bench.desk.query_one(TabStrip)
        await until(pilot, lambda: len(strip.tabs) == 4, "tabs")
        bench.desk.go_to(bench.desk.sheets.get(1))
        for step, reached in ((1, 2), (1, 3), (5, 0), (-1, 3), (-7, 1)):
            await wheel(bench, pilot, strip, step)
            await until(pilot, lambda: strip.selected == reached, f"tab {reached}")  # noqa: B023


async def test_where_tabs_have_no_room_the_arrows_lead_to_them(journal: Journal, server: demo.Server) -> None:
    urls = [f"{server.url}/echo?{number}" for number in range(3)]
    async with running(journal, *urls, size=(60, 20)) as (bench, pilot):
        strip = bench.desk.query_one(TabStrip)
        await until(pilot, lambda: len(strip.tabs) == 4, "tabs")
        bench.desk.go_to(bench.desk.sheets.get(1))
        await until(pilot, lambda: screen_text(strip)[0].endswith("›"), "there are more")
        await pilot.click(strip, offset=(59, 0))
        await until(pilot, lambda: strip.selected not in {None, 1}, "the next one")
        await pilot.press("T")
        await until(pilot, lambda: screen_text(strip)[0].startswith("‹"), "there are some before")
        first = strip.tabs[strip._first - 1].key
        await pilot.click(strip, offset=(0, 0))
        await until(pilot, lambda: strip.selected == first, "the one before")


async def test_a_click_chooses_a_session_and_two_connect_it(
    journal: Journal, server: demo.Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Workbench, "CLICK_CHAIN_TIME_THRESHOLD", PATIENCE)  # a slow machine takes longer for two
    path = user_sessions() / "mine.toml"
    save_session(session_from_url(f"{server.url}/echo"), path)
    async with running(journal) as (bench, pilot):
        sidebar = bench.desk.query_one(Sidebar)
        lines = [sidebar.get_node_at_line(line) for line in range(sidebar.last_line + 1)]
        at = next(line for line, node in enumerate(lines) if node and node.data and node.data.path == path)
        spot = (6, sidebar.gutter.top + at)
        await pilot.click(sidebar, offset=spot)
        await until(pilot, lambda: sidebar.cursor_line == at, "chosen")
        assert not list(bench.desk.sheets)
        await pilot.click(sidebar, offset=spot, times=2)
        await until(pilot, lambda: bench.desk.session is not None and bench.desk.session.path == path, "connected")


@pytest.mark.parametrize("pane", ["tree", "log", "message"])
async def test_a_wheel_scrolls_the_pane_below_the_pointer(journal: Journal, server: demo.Server, pane: str) -> None:
    async with running(journal, f"{server.url}/ticker?rate=50", size=(140, 30)) as (bench, pilot):
        desk = bench.desk
        await until(pilot, lambda: desk.log_view.total > 60, "rows")
        desk.sure.channels.offer([f"channel {number}" for number in range(60)])
        await pilot.press("z", "up")
        bench.state.sizes["message"] = 4
        desk.set_stage()
        desk.show_message_as("hex")
        body: Widget = {"tree": desk.sure_tree, "log": desk.log_view, "message": desk.sure_picture.view}[pane]
        await until(pilot, lambda: body.max_scroll_y > 0, "more than fits")
        before = body.scroll_y
        await wheel(bench, pilot, body, -3 if before else 3)
        await until(pilot, lambda: body.scroll_y != before, "scrolled")
