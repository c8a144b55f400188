"""`rtui replay CAPTURE --to TARGET`: the messages that were sent are sent again, at their distances."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from rtui.capture.query import compile_filter
from rtui.capture.reader import LinkRow
from rtui.capture.salvage import Salvage
from rtui.cli.flags import Given
from rtui.cli.live import (
    Remarks,
    beyond_end,
    connected,
    first_of,
    handed_over,
    how_it_ended,
    link_row,
    recording,
    until_open,
    why_not_open,
)
from rtui.cli.printer import Printer, form_for, render_for, selection
from rtui.cli.report import note
from rtui.cli.sending import Replies
from rtui.cli.signals import interruption
from rtui.cli.spool import Spool
from rtui.cli.status import Status
from rtui.cli.target import Resolved, load, resolved, unsubscribed
from rtui.core.event import Event, Retold
from rtui.core.fault import Failure, Fault
from rtui.core.record import Record
from rtui.core.words import counted
from rtui.protocols.base import Verb
from rtui.protocols.wire.replay_address import titles
from rtui.protocols.wire.replay_deck import Deck
from rtui.protocols.wire.replay_session import deck_for
from rtui.runtime import again
from rtui.runtime.hub import Connection

AT_ONCE: Final = 256
"""Messages handed over before their sending is awaited."""
SENT: Final = compile_filter("out kind:message")
ENDED: Final = 3
IDLE: Final = 4
"""Which of the waits of `_resend` came first: the connection's end, `--idle`."""


def resend(
    given: Given, path: Path, names: Sequence[str], settings: Mapping[str, str], flags: Mapping[str, Any]
) -> int:
    """Send what the connections `names` of the capture at `path` sent to the TARGET of `flags`."""
    one = resolved(load(flags["target"], given), given)
    if Verb.SEND not in one.adapter.verbs:
        raise Failure(Fault(kind="usage", side="us", title=f"{one.adapter.title} cannot send"))
    link = _source(path, names, one, chosen=bool(flags["connection"]))
    # One attempt: a message that may or may not have arrived is not sent again.
    session = msgspec.structs.replace(
        one.session, reconnect=msgspec.structs.replace(one.session.reconnect, enabled=False)
    )
    calls = Verb.HALF_CLOSE in one.adapter.verbs
    once = msgspec.structs.replace(one, session=unsubscribed(session, one.adapter) if calls else session)
    return asyncio.run(_resend(once, deck_for(path, settings), link, flags))


def _source(path: Path, names: Sequence[str], one: Resolved, *, chosen: bool) -> LinkRow:
    """The connection whose messages are sent: the one that was named, or the one that sent such messages.

    Raises:
        Failure: there is none, or there are several.
    """
    reader = Salvage(path)
    try:
        known = {name: link for name, link in titles(reader.links()).items() if name in names}
        if not chosen:
            known = {name: link for name, link in known.items() if link.protocol == one.adapter.name}
        found = {name: link for name, link in known.items() if reader.count(SENT, link.id)}
    finally:
        reader.close()
    if len(found) == 1:
        return next(iter(found.values()))
    if found:
        hint = f"Choose with --connection: {', '.join(found)}"
        raise Failure(Fault(kind="usage", side="us", title="Which connection?", cause="several sent", hint=hint))
    what = "of these connections" if chosen else f"of {one.adapter.title}"
    cause = f"no connection {what} in {path.name} sent a message"
    hint = "" if chosen else "Name one of another protocol with --connection"
    raise Failure(Fault(kind="usage", side="us", title="Nothing to send again", cause=cause, hint=hint))


async def _resend(one: Resolved, deck: Deck, link: LinkRow, flags: Mapping[str, Any]) -> int:
    keep = not flags["no_capture"]
    with interruption() as interrupted, recording(flags["capture"], keep=keep) as journal:
        async with Spool() as output:
            remarks = Remarks()
            async with connected(journal, one, remarks, retry_first=False) as connection:
                render = render_for(form_for(flags["format_"], output), {connection.id: link_row(connection)})
                printer = Printer(output, render, selection(sent=flags["include_sent"], acks=True))
                replies = Replies(printer, flags["count"])
                journal.taps.append(replies.tap)
                journal.brakes.append(lambda: output.full)
                sender = Sender(connection, deck, remarks)
                which = await first_of(
                    _sent(sender, link, replies, flags["count"], flags["duration"]),
                    interrupted.came.wait(),
                    output.gone(),
                    connection.wait_closed(),
                    printer.idle(flags["idle"]),
                )
                status = sender.status
                if which == ENDED:
                    status = how_it_ended(connection, complete=sender.complete)
                elif which == IDLE and flags["count"]:
                    status = _missing(replies, flags["count"])
                note(f"{counted(sender.count, 'message')} sent again{sender.refusals}")
            return await handed_over(output, status, interrupted.came)


async def _sent(sender: Sender, link: LinkRow, replies: Replies, wanted: int | None, duration: float | None) -> None:
    """Send all, then wait for what is to come back."""
    await sender.run(link)
    if sender.status != Status.DONE or (wanted is None and duration is None):
        return
    try:
        async with asyncio.timeout(duration):
            await (asyncio.Event() if wanted is None else replies.enough).wait()
    except TimeoutError:
        if wanted is not None:
            sender.status = _missing(replies, wanted)


def _missing(replies: Replies, wanted: int) -> int:
    note(f"time ran out after {replies.count:,} of {wanted:,} replies")
    return Status.EXPIRED


def _is_ours(fault: Fault) -> bool:
    """Whether a call ended since it was given up again, as it had been then."""
    return fault.kind == "closed" and fault.side == "us"


class Sender:
    """Listens at a deck, and sends what it hears told as sent."""

    def __init__(self, connection: Connection, deck: Deck, remarks: Remarks) -> None:
        self.count = 0
        """Messages that went out, as far as is known."""
        self.status: int = Status.DONE
        self.complete = False
        """Whether everything was sent."""
        self._connection = connection
        self._deck = deck
        self._remarks = remarks
        self._refused = 0
        self._pending: deque[tuple[int, bool]] = deque()
        """What was handed over, and whether the peer says by itself that it took it."""

    @property
    def refusals(self) -> str:
        """How many were not taken, for the end of a sentence."""
        return f", {self._refused:,} refused" if self._refused else ""

    async def run(self, link: LinkRow) -> None:
        """Send all that `link` sent."""
        if not await until_open(self._connection):
            self.status = why_not_open(self._connection)
            return
        deck = self._deck
        try:
            await deck.ready()
            deck.members[self] = link.id
            await deck.thread()
            await deck.play()
            await self._settle(0)
        finally:
            deck.close()
        self.complete = True

    async def pour(self, events: Sequence[Event]) -> None:
        """Send the rows among `events` that were sent."""
        for event in events:
            for row in event.rows if isinstance(event, Retold) else ():
                if again.is_sent_message(row):
                    await self._send(row)
                elif again.is_half_close(row):
                    self._connection.half_close(row.channel)
                elif again.is_cancel(row):
                    self._connection.cancel(row.channel)

    async def _send(self, row: Record) -> None:
        connection = self._connection
        await connection.room(row.payload, row.channel)
        outgoing = again.outgoing(connection.adapter, row)
        command = connection.send(row.payload, row.channel, outgoing)
        self._pending.append((command, outgoing is not None and outgoing.confirmed))
        await self._settle(AT_ONCE)

    async def _settle(self, most: int) -> None:
        """Wait until at most so many are under way."""
        while len(self._pending) > most:
            command, confirmed = self._pending.popleft()
            outcome = await self._connection.wait_outcome(command, acked=confirmed)
            if isinstance(outcome, Fault):
                await beyond_end(self._connection, outcome)
            if isinstance(outcome, Fault) and not _is_ours(outcome):
                self._refused += 1
                self.status = Status.FAILED
                self._remarks.report(outcome)
            else:
                self.count += 1
