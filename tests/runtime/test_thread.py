"""Messages of one exchange hang together in the capture."""

from __future__ import annotations

from rtui.core.command import Send
from rtui.core.event import Acknowledged, Closed, Opened, Received, Sent
from rtui.protocols.base import Link
from tests.runtime.conftest import Stage
from tests.waiting import eventually


async def talk(link: Link) -> Closed | None:
    """The second message goes on with what the first began; the answer is to the first."""
    link.emit([Opened(details={})])
    first = 0
    async for command in link.commands:
        if not isinstance(command, Send):
            break
        first = first or command.id
        goes_on = first if command.id != first else 0
        link.emit([Sent(command.id, command.channel, command.payload, continues=goes_on)])
        if goes_on:
            link.emit([Received(command.channel, b"answer", replies_to=first), Acknowledged(first, command.channel)])
    return None


async def test_what_goes_on_with_an_exchange_names_the_row_that_began_it(stage: Stage) -> None:
    connection = stage.play(talk)
    await connection.wait_open()
    connection.send(b"one", "a.B/C")
    connection.send(b"two", "a.B/C")
    await eventually(lambda: len(stage.records) == 5)
    one, two, answer, end = stage.records[1:]
    assert (one.payload, one.reply_to) == (b"one", None)
    assert (two.payload, two.reply_to, two.latency) == (b"two", one.seq, None)
    assert (answer.reply_to, end.reply_to) == (one.seq, one.seq)


async def test_what_goes_on_with_an_exchange_that_is_not_known_stands_alone(stage: Stage) -> None:
    async def lonely(link: Link) -> Closed | None:
        link.emit([Opened(details={}), Sent(0, "a.B/C", b"two", continues=77)])
        async for _ in link.commands:
            break
        return None

    connection = stage.play(lonely)
    await connection.wait_open()
    assert stage.records[-1].reply_to is None
