from __future__ import annotations

import asyncio

import pytest

from rtui.core.command import Hangup, Send
from rtui.core.event import Closed, Opened, Sent
from rtui.core.fault import Fault
from rtui.core.record import Kind
from rtui.protocols.base import Link
from rtui.runtime import backlog
from rtui.runtime.backlog import EACH, MOST_BYTES
from rtui.runtime.tasks import spawn
from tests.runtime.conftest import Stage
from tests.runtime.scripted import LOST, deaf, echo
from tests.waiting import eventually

HALF = bytes(MOST_BYTES // 2 - EACH)


class Slow:
    """A peer that takes a message each time it is told to."""

    def __init__(self) -> None:
        self.reads = asyncio.Semaphore(0)

    async def __call__(self, link: Link) -> Closed | None:
        link.emit([Opened(details={})])
        async for command in link.commands:
            if isinstance(command, Hangup):
                return Closed(by="us", clean=True)
            if isinstance(command, Send):
                await self.reads.acquire()
                link.emit([Sent(command.id, command.channel, command.payload)])
        return None


@pytest.mark.parametrize("over", [-1, 0, 1])
async def test_what_may_wait_is_bounded_to_the_byte(stage: Stage, over: int) -> None:
    connection = stage.play(deaf)
    await connection.wait_open()
    connection.send(HALF, "")
    command = connection.send(HALF + bytes(over) if over >= 0 else HALF[:over], "")
    outcome = connection.outcome(command)
    if over <= 0:
        assert outcome == "pending"
        return
    assert isinstance(outcome, Fault)
    assert (outcome.kind, outcome.cause) == ("limit", "the server has not read 1 message before it")
    assert stage.words == ["open", "error"]


async def test_one_message_of_any_size_may_wait(stage: Stage) -> None:
    connection = stage.play(deaf)
    await connection.wait_open()
    assert connection.outcome(connection.send(bytes(MOST_BYTES + 1))) == "pending"


async def test_who_can_wait_gets_room_when_the_peer_reads(stage: Stage) -> None:
    peer = Slow()
    connection = stage.play(peer)
    await connection.wait_open()
    commands = [connection.send(HALF), connection.send(HALF)]
    assert not connection.has_room
    waiting = spawn(connection.room(HALF), "room")
    await asyncio.sleep(0)
    assert not waiting.done()
    peer.reads.release()
    await waiting
    commands.append(connection.send(HALF))
    for _ in range(2):
        peer.reads.release()
    for command in commands:
        assert await connection.wait_outcome(command) == "sent"
    assert connection.has_room
    assert connection.link.ledger.backlog.bytes == 0


async def test_what_waits_at_the_end_is_told_with_its_number(stage: Stage) -> None:
    async def lose(link: Link) -> Closed | None:
        link.emit([Opened(details={})])
        await eventually(lambda: len(connection.link.ledger.backlog) == 3)
        return Closed(by="network", clean=False, fault=LOST)

    connection = stage.play(lose, echo)
    await connection.wait_open()
    commands = [connection.send(b"x") for _ in range(3)]
    waiting = spawn(connection.room(bytes(MOST_BYTES)), "room")
    assert await connection.wait_outcome(commands[0]) == LOST
    await waiting
    (told,) = [record for record in stage.records if record.kind == Kind.ERROR]
    assert told.payload == b"3 messages not sent: Connection lost"
    await eventually(lambda: connection.opened == 2)
    assert await connection.wait_outcome(connection.send(b"again")) == "sent"


async def test_a_wait_is_shown_once_it_is_long(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    peer = Slow()
    connection = stage.play(peer)
    await connection.wait_open()
    monkeypatch.setattr(backlog, "PATIENCE", 3600.0)
    connection.send(b"one")
    assert connection.waiting == 0
    monkeypatch.setattr(backlog, "PATIENCE", 0.0)
    connection.send(b"two")
    await eventually(lambda: connection.waiting == 2)
    peer.reads.release()
    await eventually(lambda: connection.waiting == 1)
