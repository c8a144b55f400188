"""Event streams under the real runtime: cut, ended and resumed, with nothing lost and the server's wishes obeyed."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from rtui.capture.journal import Journal
from rtui.core.backoff import Policy
from rtui.core.lifecycle import State
from rtui.core.record import Kind, Record
from rtui.runtime.hub import Connection, Hub
from rtui.settings.secrets import Secrets
from rtui.settings.session import Session
from tests.protocols.http_peer import Client, Peer, Script, answering, chunked, serving, whole
from tests.waiting import eventually

LENGTH = 40
PER_CONNECTION = 7
STREAM = "Content-Type: text/event-stream"


class Life:
    """One connection and what was recorded of it."""

    def __init__(self, connection: Connection, peer: Peer, records: list[Record]) -> None:
        self.connection = connection
        self.peer = peer
        self.records = records

    def of(self, kind: Kind) -> list[Record]:
        return [record for record in self.records if record.kind == kind]


@asynccontextmanager
async def life(script: Script, folder: Path, **options: Any) -> AsyncIterator[Life]:
    journal = Journal.create(folder / "capture.rtui")
    records: list[Record] = []
    journal.taps.append(records.extend)
    hub = Hub(journal)
    async with serving(script) as peer:
        session = Session(
            name="news",
            url=peer.url("sse+http", "/news"),
            options={"proxy": "", "reconnection_time": 0.01, **options},
            reconnect=Policy(first_delay=0.01, max_delay=0.02),
        )
        try:
            yield Life(hub.open(session, Secrets()), peer, records)
        finally:
            await hub.close_all(1.0)
            journal.close()


@pytest.mark.parametrize("end", ["reset", "cut", "peace"])
async def test_a_stream_that_is_cut_resumes_and_loses_nothing(tmp_path: Path, end: str) -> None:
    async def news(client: Client) -> None:
        asked = await client.asked()
        first = int(asked.headers.get("last-event-id", "0")) + 1
        client.head(chunked=True)
        for number in range(first, min(first + PER_CONNECTION, LENGTH + 1)):
            client.chunk(b"id: %d\ndata: story %d\n\n" % (number, number))
        await client.writer.drain()
        if first + PER_CONNECTION > LENGTH:
            await client.gone()
        elif end == "peace":
            client.last_chunk()
        else:
            client.write(b"20\r\nid: 99\ndata: half")
            await eventually(lambda: len(one.of(Kind.MESSAGE)) == first + PER_CONNECTION - 1)
            if end == "reset":
                client.reset()

    async with life(news, tmp_path) as one:
        await eventually(lambda: len(one.of(Kind.MESSAGE)) == LENGTH)
        assert [record.payload for record in one.of(Kind.MESSAGE)] == [b"story %d" % n for n in range(1, LENGTH + 1)]
        assert all(b"inside an event" in record.payload for record in one.of(Kind.NOTICE))
        sent = [asked.headers.get("last-event-id") for asked in one.peer.requests]
        assert sent == [None, *(str(number) for number in range(PER_CONNECTION, LENGTH, PER_CONNECTION))]
        assert len(one.of(Kind.GAP)) == len(sent) - 1


async def test_retry_is_obeyed_to_the_letter(tmp_path: Path) -> None:
    asked_at: list[float] = []

    async def script(client: Client) -> None:
        await client.asked()
        asked_at.append(time.monotonic())
        client.write(chunked(b"retry: 150\ndata: x\n\n", headers=[STREAM]))

    async with life(script, tmp_path) as one:
        await eventually(lambda: len(asked_at) >= 4)
        waits = [record.meta for record in one.of(Kind.RECONNECT)]
        assert set(waits) == {'{"delay":0.15}'}
    assert all(later - earlier >= 0.145 for earlier, later in pairwise(asked_at))


@pytest.mark.parametrize(
    ("script", "options"),
    [
        (answering(b"HTTP/1.1 204 No Content\r\n\r\n"), {}),
        (answering(chunked(b"data: x\n\ndata: [DONE]\n\n", headers=[STREAM])), {}),
        (answering(chunked(b"data: x\n\n", headers=[STREAM])), {"data": "{}"}),
        (answering(chunked(b"data: x\n\n", end=b"", headers=[STREAM])), {"data": "{}"}),
        (answering(whole(b"no", status=401, reason="Unauthorized")), {}),
    ],
    ids=["204", "done", "post", "post that is cut", "401"],
)
async def test_what_is_not_repeated(tmp_path: Path, script: Script, options: dict[str, Any]) -> None:
    async with life(script, tmp_path, **options) as one:
        await one.connection.wait_closed()
        assert one.connection.state is State.CLOSED
        assert len(one.peer.requests) == 1
        assert not one.of(Kind.RECONNECT)


async def test_a_server_that_fails_for_a_while_is_asked_again(tmp_path: Path) -> None:
    answers = [
        chunked(b"id: 1\ndata: x\n\n", end=b"", headers=[STREAM]),
        whole(b"upstream is down", status=502, reason="Bad Gateway"),
        whole(b"", "Retry-After: 0", status=503, reason="Service Unavailable"),
    ]

    async def script(client: Client) -> None:
        await client.asked()
        if answers:
            client.write(answers.pop(0))
        else:
            client.head(chunked=True)
            client.chunk(b"id: 2\ndata: y\n\n")
            await client.gone()

    async with life(script, tmp_path) as one:
        await eventually(lambda: len(one.of(Kind.MESSAGE)) == 2)
        assert [asked.headers.get("last-event-id") for asked in one.peer.requests] == [None, "1", "1", "1"]


async def test_ids_and_ages_reach_capture_and_header(tmp_path: Path) -> None:
    async def script(client: Client) -> None:
        await client.asked()
        client.head(chunked=True)
        client.chunk(b"event: add\nid: 1\ndata: x\n\ndata: y\n\n")
        await client.gone()

    async with life(script, tmp_path) as one:
        await eventually(lambda: len(one.of(Kind.MESSAGE)) == 2)
        first, second = one.of(Kind.MESSAGE)
        assert (first.channel, first.meta) == ("add", '{"id":"1"}')
        assert (second.channel, second.meta) == ("message", None)
        assert one.connection.details["stream"].keys() == {"first_byte_ms", "first_event_ms", "last_byte"}
