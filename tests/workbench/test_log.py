"""What the desk's log shows by choice of the user."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

from textual.pilot import Pilot

from rtui.capture.journal import Journal
from rtui.capture.reader import Reader
from rtui.core.record import Direction, Kind, Record
from rtui.demo import socketio
from rtui.demo import websocket as demo
from rtui.settings.session import Session, View, session_from_url
from rtui.workbench.app import Workbench
from rtui.workbench.panes.tabstrip import TabStrip
from rtui.workbench.sheet import TIMELINE
from tests.workbench.conftest import running, until
from tests.workbench.test_answer import emit, found, go_to, opened, rows
from tests.workbench.test_desk import toasts, write
from tests.workbench.widgets.fake import screen_text


def has_columns(bench: Workbench, text: str) -> bool:
    return " ".join(column.name for column in bench.desk.log_view.brush.chosen) == text


async def test_the_columns_of_a_session_file_hold_and_wrong_ones_are_told(
    journal: Journal, server: demo.Server
) -> None:
    url = session_from_url(f"{server.url}/ticker?rate=50").url
    async with running(journal) as (bench, pilot):
        for name, columns in (("good", ("size", ".price")), ("bad", ("colour",))):
            bench.connect(Session(name=name, url=url, view=View(columns=columns)))
        assert [column.name for column in bench.desk.sheets.get(1).columns] == ["size", ".price"]  # type: ignore[union-attr]
        assert bench.desk.sheets.get(2).columns == ()  # type: ignore[union-attr]
        await until(pilot, lambda: "the columns of bad are not used" in toasts(bench), "told")
        for typed in ("size", ""):  # nothing brings the session's own back, wrong as they are
            await pilot.press("L")
            await until(pilot, lambda: bench.screen is not bench.desk, "asked")
            await pilot.press("ctrl+u")
            await write(pilot, typed)
            await pilot.press("enter")
            await until(pilot, lambda: bench.screen is bench.desk, "answered")
            await until(pilot, partial(has_columns, bench, typed), "shown")


async def test_columns_are_chosen_by_key_and_kept(journal: Journal, server: demo.Server) -> None:
    url = f"{server.url}/echo"
    async with running(journal, url) as (bench, pilot):
        await opened(bench, pilot)
        bench.desk.send(b'{"token":"Hello","n":1}')
        await until(pilot, lambda: found(bench, "", direction=Direction.OUT), "sent")
        await pilot.press("L")
        await until(pilot, lambda: bench.screen is not bench.desk, "asked")
        await write(pilot, "time colour")
        await pilot.press("enter")
        assert bench.screen is not bench.desk, "a wrong name is refused where it is typed"
        await pilot.press(*["backspace"] * len("colour"))
        await write(pilot, ".token")
        await pilot.press("enter")
        await until(pilot, lambda: bench.screen is bench.desk and bench.desk.sheets.current.columns, "chosen")  # type: ignore[union-attr]
        log = bench.desk.log_view
        await until(pilot, lambda: any("Hello" in one for one in screen_text(log)), "shown")
        assert not any("token" in one for one in screen_text(log))
        await pilot.press("ctrl+q")
        await until(pilot, lambda: bench._exit, "left")
    async with running(journal, url) as (bench, _):
        assert [column.name for column in bench.desk.sheets.current.columns] == ["time", ".token"]  # type: ignore[union-attr]


async def test_an_event_that_was_received_is_sent_as_that_event(journal: Journal) -> None:
    server = await socketio.serve("127.0.0.1", 0)
    try:
        async with running(journal, f"{server.url}/?rate=0") as (bench, pilot):
            await opened(bench, pilot)
            await emit(bench, pilot, "question", b"[]")
            await until(pilot, lambda: found(bench, "question"), "asked")
            received = found(bench, "question")
            assert received is not None
            await go_to(bench, pilot, received)
            await pilot.press("R")
            await until(
                pilot,
                lambda: sum(one.direction == Direction.OUT and one.channel == "question" for one in rows(bench)) == 2,
                "sent to the event of the row",
            )
            assert [one.payload for one in rows(bench) if one.direction == Direction.OUT][-1] == received.payload
    finally:
        await server.close()


def names_shown(bench: Workbench) -> set[str]:
    lens = bench.desk.sheets.current.lens  # type: ignore[union-attr]
    return {bench.catalog.links[one.link].name for one in lens.rows(0, len(lens.seqs))}


@asynccontextmanager
async def timeline(path: Path, rounds: int = 1) -> AsyncIterator[tuple[Workbench, Pilot[Any]]]:
    """Three connections as recorded, a row each by turns, the second one's row last."""
    journal = Journal.create(path)
    links = [journal.add_link(name, "websocket", f"ws://{name}.example/") for name in ("one", "two", "three")]
    order = (links[0], links[2], links[1]) * rounds
    journal.append([Record(n, n, link, Kind.MESSAGE, Direction.IN, "", b"x") for n, link in enumerate(order, 1)])
    journal.close()
    reader = Reader(path)
    async with running(None, reader=reader) as (bench, pilot):
        bench.desk.go_to(bench.desk.sheets.get(TIMELINE))
        await until(pilot, lambda: bench.desk.log_view.total == len(order), "all rows")
        yield bench, pilot


async def test_connections_are_muted_and_alone_in_the_timeline(tmp_path: Path) -> None:
    async with timeline(tmp_path / "old.rtui") as (bench, pilot):
        await pilot.press("semicolon")
        await until(pilot, lambda: names_shown(bench) == {"two"}, "alone")
        await pilot.press("comma")
        await until(pilot, lambda: "no other connection is shown" in toasts(bench), "refused")
        await pilot.press("semicolon")
        await until(pilot, lambda: names_shown(bench) == {"one", "two", "three"}, "all again")
        await pilot.press("comma")
        await until(pilot, lambda: names_shown(bench) == {"one", "three"}, "muted")
        await pilot.press("J")
        await until(pilot, lambda: bench.screen is not bench.desk, "asked")
        await write(pilot, "two")
        await pilot.press("enter")
        await until(pilot, lambda: names_shown(bench) == {"one", "two", "three"}, "back")


async def test_who_has_scrolled_back_keeps_the_place_when_the_filter_changes(tmp_path: Path) -> None:
    async with timeline(tmp_path / "old.rtui", rounds=1000) as (bench, pilot):
        log = bench.desk.log_view

        async def stands_at(seq: int, total: int) -> None:
            await until(pilot, lambda: log.total == total and log.cursor_seq == seq, f"row {seq} of {total}")
            assert not log.follow
            assert seq in log._visible_seqs()

        log.go_to(100)
        bench.desk.put_filter("link:one")
        await stands_at(100, 1000)
        bench.desk.put_filter("link:two")
        await stands_at(102, 1000)  # the next that is shown
        bench.desk.put_filter("")
        await stands_at(102, 3000)
        await pilot.press("comma")
        await stands_at(103, 2000)
        await pilot.press("end")
        bench.desk.put_filter("link:one")
        await until(pilot, lambda: log.total == 1000 and log.cursor_seq == 2998, "who follows goes on following")
        assert log.follow


async def test_a_click_on_a_tab_mutes_it_in_the_timeline(tmp_path: Path) -> None:
    async with timeline(tmp_path / "old.rtui") as (bench, pilot):
        strip = bench.desk.query_one(TabStrip)
        tabs = {tab.key: tab.name for tab in strip.tabs}
        assert set(tabs) > {TIMELINE}, "each connection has a tab"
        await pilot.click(strip, offset=(2, 0), control=True)
        key = strip.tabs[0].key
        await until(pilot, lambda: strip.tabs[0].name.endswith("(muted)"), "said")
        assert bench.desk.is_merged, "it is not gone to"
        assert bench.catalog.links[key].name not in names_shown(bench)
