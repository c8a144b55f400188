"""gRPC under the real runtime: capture, calls linked with their latency, streams asked for again after a restart."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from rtui.capture.journal import Journal
from rtui.core.backoff import Policy
from rtui.core.fault import Fault
from rtui.core.lifecycle import State
from rtui.core.record import Kind, Record
from rtui.protocols.grpc import Outgoing
from rtui.runtime.hub import Connection, Hub
from rtui.settings.secrets import Secrets
from rtui.settings.session import Session
from tests.protocols.grpc_peer import Served, framed, grpc_serving, note
from tests.waiting import eventually

FLOOD = 20_000


async def serve(call: Served) -> None:
    """Echoes; numbers a stream for ever, from the first; a text in the request is the status."""
    first = await call.asked()
    if b"fail" in first:
        call.refuse(9, "not now")
        return
    call.head()
    if call.path.endswith("Down"):
        await call.pour(b"".join(framed(note(number=number)) for number in range(FLOOD)))
        await call.cancelled()
    call.say(first)
    async for message in call.requests():
        call.say(message)
    call.end()


class Stage:
    def __init__(self, folder: Path) -> None:
        self.records: list[Record] = []
        journal = Journal.create(folder / "capture.rtui")
        journal.taps.append(self.records.extend)
        self.hub = Hub(journal)

    def of(self, kind: Kind, channel: str = "") -> list[Record]:
        return [one for one in self.records if one.kind == kind and (not channel or one.channel == channel)]

    def open(self, port: int, secrets: Secrets | None = None, **options: object) -> Connection:
        session = Session(
            name="calls",
            url=f"grpc://127.0.0.1:{port}/",
            options={"proxy": "", **options},
            reconnect=Policy(first_delay=0.01, max_delay=0.05),
        )
        return self.hub.open(session, secrets or Secrets())


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    stage = Stage(tmp_path)
    yield stage
    await stage.hub.close_all(1.0)


async def test_a_call_is_a_thread_of_rows(stage: Stage) -> None:
    async with grpc_serving(serve) as peer:
        link = stage.open(peer.web.port)
        await link.wait_open()
        assert [offer.channel for offer in link.offered][:1] == ["t.Calls/Unary"]
        command = link.send(b'{"text":"a"}', "t.Calls/Unary")
        assert await link.wait_outcome(command, acked=True) == "acked"
        question, answer = stage.of(Kind.MESSAGE)
        assert (answer.reply_to, answer.payload) == (question.seq, b'{"text":"a"}')
        assert answer.latency
        assert json.loads(answer.meta or "")["status"] == "OK"

        first = link.send(b"{}", "t.Calls/Bidi")
        await link.wait_outcome(first)
        link.send(b'{"number":"2"}', "t.Calls/Bidi")
        await eventually(lambda: len(stage.of(Kind.MESSAGE, "t.Calls/Bidi")) == 4)
        link.half_close("t.Calls/Bidi")
        assert await link.wait_outcome(first, acked=True) == "acked"
        rows = [one for one in stage.records if one.channel == "t.Calls/Bidi"]
        assert {one.reply_to for one in rows[1:]} == {rows[0].seq}


async def test_a_call_that_fails_is_the_outcome_of_its_command(stage: Stage) -> None:
    async with grpc_serving(serve) as peer:
        link = stage.open(peer.web.port)
        await link.wait_open()
        outcome = await link.wait_outcome(link.send(b'{"text":"fail"}', "t.Calls/Unary"), acked=True)
        assert isinstance(outcome, Fault)
        assert outcome.sentence() == "FAILED_PRECONDITION: not now"
        assert outcome.hint.startswith("Not possible in this state. ")
        (row,) = stage.of(Kind.ERROR)
        assert row.reply_to == stage.of(Kind.MESSAGE)[0].seq
        assert json.loads(row.meta or "")["code"] == 9


async def test_a_cancelled_call_settles_its_command(stage: Stage) -> None:
    async with grpc_serving(serve) as peer:
        link = stage.open(peer.web.port)
        await link.wait_open()
        command = link.send(b"{}", "t.Calls/Down")
        await eventually(lambda: len(stage.of(Kind.MESSAGE)) == FLOOD + 1)
        numbers = [int(json.loads(one.payload).get("number", 0)) for one in stage.of(Kind.MESSAGE)[1:]]
        assert numbers == list(range(FLOOD))
        link.cancel()
        assert isinstance(await link.wait_outcome(command, acked=True), Fault)


async def test_a_server_that_restarts_is_asked_for_its_streams_again(stage: Stage, port: int) -> None:
    async with grpc_serving(serve, port=port):
        link = stage.open(port)
        link.subscribe("t.Calls/Down")
        await eventually(lambda: len(stage.of(Kind.MESSAGE)) == FLOOD + 1)
    await eventually(lambda: link.state is State.WAITING)
    async with grpc_serving(serve, port=port):
        await eventually(lambda: len(stage.of(Kind.MESSAGE)) == 2 * (FLOOD + 1))
        assert [one.payload for one in stage.of(Kind.SUBSCRIBE)].count(b"subscribed") == 2
        assert len(stage.of(Kind.GAP)) == 1
        await stage.hub.close_all(1.0)


async def test_a_server_that_goes_away_is_found_again(stage: Stage) -> None:
    async def leave(call: Served) -> None:
        await serve(call)
        call.go_away(debug=b"max_age")

    async with grpc_serving(leave) as peer:
        link = stage.open(peer.web.port)
        await link.wait_open()
        link.send(b"{}", "t.Calls/Unary")
        await eventually(lambda: link.opened == 2 and link.state is State.OPEN)
        closed = stage.of(Kind.CLOSE)[0]
        assert b"max_age" in closed.payload
        await stage.hub.close_all(1.0)


async def test_secrets_in_metadata_never_reach_the_capture(stage: Stage) -> None:
    secrets = Secrets()
    async with grpc_serving(serve) as peer:
        link = stage.open(peer.web.port, secrets, token="canary-1", metadata={"x-api-key": "canary-2"})
        await link.wait_open()
        outgoing = Outgoing(metadata={"authorization": "Bearer canary-3"})
        await link.wait_outcome(link.send(b"{}", "t.Calls/Unary", outgoing), acked=True)
        assert peer.calls[0].headers["authorization"] == "Bearer canary-3"
        assert peer.calls[0].headers["x-api-key"] == "canary-2"
        assert "canary" not in repr(stage.records)
