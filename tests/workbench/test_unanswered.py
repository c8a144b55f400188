"""The list of what has no answer yet, over a peer that answers when it is told to."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Label
from websockets.asyncio.server import ServerConnection, serve

from rtui.capture.journal import Journal
from rtui.capture.reader import Reader
from rtui.core.lifecycle import State
from rtui.core.record import Direction
from rtui.workbench.app import Workbench
from rtui.workbench.screens.unanswered import Unanswered, UnansweredList
from tests.workbench.conftest import running, until
from tests.workbench.widgets.fake import screen_text

ASKED = b'{"id":%d,"method":"sum"}'
ANSWER = '{"id":%d,"result":3}'


class Peer:
    """Reads, and says what the test wants said."""

    url = ""

    def __init__(self) -> None:
        self.lines: asyncio.Queue[ServerConnection] = asyncio.Queue()

    async def talk(self, line: ServerConnection) -> None:
        self.lines.put_nowait(line)
        await line.wait_closed()


@asynccontextmanager
async def listening() -> AsyncIterator[Peer]:
    peer = Peer()
    async with serve(peer.talk, "127.0.0.1", 0) as server:
        peer.url = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        yield peer


async def asked(bench: Workbench, pilot: Pilot[Any], *numbers: int) -> None:
    """Connected, and calls sent."""
    await until(pilot, lambda: bench.desk.connection and bench.desk.connection.state is State.OPEN, "open")
    before = bench.catalog.last
    for number in numbers:
        bench.desk.send(ASKED % number)
    await until(pilot, lambda: bench.catalog.last == before + len(numbers), "sent")


async def listed(bench: Workbench, pilot: Pilot[Any], count: int) -> UnansweredList:
    await pilot.press("U")
    await until(pilot, lambda: isinstance(bench.screen, Unanswered), "the list")
    rows = bench.screen.query_one(UnansweredList)
    await until(pilot, lambda: rows.row_count() == count, f"{count} rows")
    return rows


def about(bench: Workbench) -> str:
    return str(bench.screen.query_one(".about", Label).render())


@pytest.mark.parametrize("size", [(80, 24), (140, 40)])
async def test_what_waits_is_listed_newest_first_and_goes_when_it_is_answered(
    journal: Journal, size: tuple[int, int]
) -> None:
    async with listening() as peer, running(journal, peer.url, size=size) as (bench, pilot):
        await asked(bench, pilot, 1, 2, 3)
        await until(pilot, lambda: "3 unanswered" in str(bench.desk.log_view.border_title), "counted in the title")
        rows = await listed(bench, pilot, 3)
        text = screen_text(rows)
        assert [ASKED.decode() % number in text[place] for place, number in enumerate((3, 2, 1))] == [True] * 3
        assert "JSON-RPC" in about(bench), "what unanswered means here"
        await pilot.press("down")
        line = await peer.lines.get()
        await line.send(ANSWER % 3)
        await until(pilot, lambda: rows.row_count() == 2 and rows.cursor == 0, "one is answered, the cursor stays")
        await pilot.press("enter")
        await until(pilot, lambda: bench.screen is bench.desk, "closed")
        row = bench.catalog.record(bench.desk.log_view.cursor_seq)
        assert row is not None
        assert row.payload == ASKED % 2
        await until(pilot, lambda: "2 unanswered" in str(bench.desk.log_view.border_title), "counted again")


async def test_a_row_that_the_filter_hides_is_shown_with_its_exchange(journal: Journal) -> None:
    async with listening() as peer, running(journal, peer.url) as (bench, pilot):
        await asked(bench, pilot, 1)
        bench.desk.put_filter("in")
        rows = await listed(bench, pilot, 1)
        sent = rows._seq_at(0)
        await pilot.click(rows, offset=(2, 0), times=2)
        await until(pilot, lambda: bench.screen is bench.desk, "closed")
        sheet = bench.desk.sheets.current
        assert sheet is not None
        assert sheet.filter_text == f"thread:{sent}"


async def test_the_timeline_lists_what_waits_everywhere(journal: Journal) -> None:
    async with listening() as one, listening() as two, running(journal, one.url, two.url) as (bench, pilot):
        await until(pilot, lambda: len(bench.desk.sheets) == 3, "two tabs and the timeline")
        await until(pilot, lambda: all(one.state is State.OPEN for one in _connections(bench)), "open")
        for connection in _connections(bench):
            connection.send(ASKED % 1)
        await pilot.press("T")
        rows = await listed(bench, pilot, 2)
        names = {connection.name for connection in _connections(bench)}
        assert all(any(name[:10] in line for line in screen_text(rows)) for name in names)


async def test_where_all_is_answered_the_list_says_so(journal: Journal) -> None:
    async with listening() as peer, running(journal, peer.url) as (bench, pilot):
        await asked(bench, pilot)
        rows = await listed(bench, pilot, 0)
        assert "everything that was asked was answered" in "\n".join(screen_text(rows))
        await pilot.press("enter", "escape")
        await until(pilot, lambda: bench.screen is bench.desk, "closed")
        assert "unanswered" not in str(bench.desk.log_view.border_title)


async def test_a_capture_that_is_opened_tells_how_long_its_requests_waited(journal: Journal) -> None:
    async with listening() as peer, running(journal, peer.url) as (bench, pilot):
        await asked(bench, pilot, 1)
        await until(pilot, lambda: journal.committed == journal.last, "stored")
    reader = Reader(journal.path)
    async with running(None, reader=reader) as (bench, pilot):
        rows = await listed(bench, pilot, 1)
        sent = bench.catalog.record(rows._seq_at(0))
        assert sent is not None
        assert sent.direction == Direction.OUT
        assert "now" in screen_text(rows)[0], "as long as the capture went on, not until today"


def _connections(bench: Workbench) -> list[Any]:
    return [sheet.connection for sheet in bench.desk.sheets if sheet.connection is not None]


async def test_a_log_that_shows_what_waits_lets_go_of_what_is_answered(journal: Journal) -> None:
    async with listening() as peer, running(journal, peer.url) as (bench, pilot):
        await asked(bench, pilot, 1, 2)
        bench.desk.put_filter("unanswered")
        log = bench.desk.log_view
        await until(pilot, lambda: log.total == 2, "both")
        line = await peer.lines.get()
        await line.send(ANSWER % 2)
        await until(pilot, lambda: log.total == 1, "one is answered")
        await until(pilot, lambda: '"id":1' in "".join(screen_text(log)), "the other is shown")
        assert '"id":2' not in "".join(screen_text(log))
        await line.send(ANSWER % 1)
        await until(pilot, lambda: log.total == 0 and '"id":1' not in "".join(screen_text(log)), "none")
