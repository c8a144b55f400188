from __future__ import annotations

from pathlib import Path
from typing import cast

from rtui.capture.journal import Journal
from rtui.cli.live import Remarks, first_of, until_open
from rtui.cli.resending import Sender
from rtui.core.backoff import Policy
from rtui.core.event import Closed, Opened
from rtui.protocols.base import Link
from rtui.protocols.wire.replay_deck import Deck
from tests.runtime.conftest import Stage
from tests.runtime.scripted import LOST


async def at_once(link: Link) -> Closed:
    """Open and end in one turn: the peer's goodbye came with its answer to the handshake."""
    link.emit([Opened(details={})])
    return Closed(by="them", clean=True, code=1001)


async def test_a_connection_that_is_over_at_once_was_open(tmp_path: Path) -> None:
    journal = Journal.create(tmp_path / "run.rtui")
    try:
        connection = Stage(journal).play(at_once, policy=Policy(enabled=False), retry_first=False)
        assert await until_open(connection)
        await connection.wait_closed()
    finally:
        journal.close()


async def lost_on_send(link: Link) -> Closed:
    """Open, and break when the first message is handed over."""
    link.emit([Opened(details={})])
    await anext(aiter(link.commands))
    return Closed(by="network", clean=False, fault=LOST)


async def test_what_went_with_the_connection_was_not_refused(tmp_path: Path) -> None:
    journal = Journal.create(tmp_path / "run.rtui")
    try:
        connection = Stage(journal).play(lost_on_send, policy=Policy(enabled=False))
        await connection.wait_open()
        sender = Sender(connection, cast("Deck", None), Remarks())
        sender._pending.append((connection.send(b"x"), False))
        assert await first_of(sender._settle(0), connection.wait_closed()) == 1, "the end of the connection tells it"
        assert (sender.count, sender.refusals) == (0, "")
    finally:
        journal.close()
