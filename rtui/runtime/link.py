"""Where events become records: sequence, time, direction, masking, and what answers what.

A link lives as long as its connection, over all attempts. The adapter sees it through `protocols.base.Link`; the
supervisor drives it; widgets and printers read its figures.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any, Final, TypeAlias

import msgspec

from rtui.capture.channels import Channels
from rtui.capture.journal import Journal
from rtui.capture.meter import Meter
from rtui.core.command import Command, Send
from rtui.core.event import (
    Acknowledged,
    Closed,
    Event,
    Measured,
    Meta,
    News,
    Notice,
    Offer,
    Offered,
    Opened,
    Progressed,
    Received,
    Retold,
    Sent,
    Stalled,
    Subscribed,
    Unsubscribed,
)
from rtui.core.fault import Fault
from rtui.core.record import Direction, Kind, Record
from rtui.core.words import counted
from rtui.runtime.ledger import Ledger, Ticket
from rtui.runtime.retelling import Retelling
from rtui.settings.secrets import Secrets

TIME_SLICE: Final = 0.008
"""Seconds a receive loop may hold the loop before `pour` yields."""
LAG_POLL: Final = 0.005
"""Seconds between looks at a capture that is behind."""

NEVER_OPEN: Final = frozenset({"unknown-host", "refused", "unreachable", "tls", "handshake", "auth", "busy"})
"""Kinds of fault that a connection has before it is one: nothing was lost or closed."""

Wall: TypeAlias = Callable[[], int]

_encode_meta = msgspec.json.Encoder(enc_hook=str, decimal_format="string").encode


class Link:
    """One connection's way into the capture, and its figures."""

    def __init__(
        self,
        *,
        link_id: int,
        url: str,
        options: Any,
        journal: Journal,
        channels: Channels,
        meter: Meter,
        secrets: Secrets,
        wall: Wall = time.time_ns,
    ) -> None:
        self.id = link_id
        self.url = url
        self.options = options
        self.memory: dict[str, Any] = {}
        self.channels = channels
        self.meter = meter
        self.ledger = Ledger()
        self.details: Meta = {}
        self.offered: tuple[Offer, ...] = ()
        self.rtt: int | None = None
        self.stalled = ""
        self.revision = 0
        self.on_opened: Callable[[], None] = lambda: None
        self._journal = journal
        self._secrets = secrets
        self._wall = wall
        self._queue: asyncio.Queue[Command | None] = asyncio.Queue()
        self._slice_began = 0.0
        self._just_opened = False
        self._last_meta: Meta | None = None
        self._last_text = ""
        self._retelling = Retelling(link_id)

    # The adapter's side

    @property
    def commands(self) -> AsyncIterator[Command]:
        """The commands for this attempt, in order; ends with the attempt."""
        return self._commands()

    def emit(self, events: Sequence[Event]) -> None:
        """Stamp and store. See `protocols.base.Link.emit`."""
        if not events:
            return
        if self.stalled and any(isinstance(event, Received | Acknowledged | Measured) for event in events):
            self.stalled = ""
            self.touch()
        now = self._wall()
        seq = self._journal.last
        link = self.id
        guarded = bool(self._secrets)
        records: list[Record] = []
        store = records.append
        shown: Meta | None = None
        text: str | None = None
        asked: int | None = None
        reply_to: int | None = None
        latency: int | None = None
        for event in events:
            # The one line that runs a hundred thousand times a second: no call, no lookup that can be avoided.
            if type(event) is Received and not guarded and not event.settles:
                seq += 1
                if event.meta is not shown:
                    shown = event.meta
                    text = _encode_meta(shown).decode() if shown else None
                if event.replies_to != asked:
                    asked = event.replies_to
                    reply_to, latency = self._replied(asked)
                store(Record(seq, now, link, event.kind, 1, event.channel, event.payload, text, reply_to, latency))
                latency = None
                continue
            asked = reply_to = latency = None  # what a command is answered may have changed
            if isinstance(event, Retold):
                records += self._retelling.placed(event.rows, seq + 1, now)
                seq += len(event.rows)
                continue
            if (record := self._stamp(event, seq + 1, now)) is not None:
                seq += 1
                store(record)
        self._store(records)
        if self._just_opened:
            self._just_opened = False
            self.on_opened()

    async def pour(self, events: Sequence[Event]) -> None:
        """Store, then yield if the time slice is spent. See `protocols.base.Link.pour`."""
        self.emit(events)
        await self.caught_up()
        now = time.monotonic()
        if now - self._slice_began > TIME_SLICE:
            await asyncio.sleep(0)
            self._slice_began = time.monotonic()

    async def caught_up(self) -> None:
        """Until the capture, and whoever prints, is no longer behind."""
        while self._journal.lagging:  # noqa: ASYNC110 - the writer is another process: it sets no event here
            await asyncio.sleep(LAG_POLL)

    # The supervisor's side

    def begin_attempt(self) -> None:
        """A fresh queue: commands never leak from one attempt into the next."""
        self._queue = asyncio.Queue()
        self.stalled = ""

    def end_attempt(self, fault: Fault) -> None:
        """No more commands; those not sent fail with `fault`, and messages among them are not lost in silence."""
        self._queue.put_nowait(None)
        unsent = self.ledger.backlog.clear()
        self.ledger.fail_pending(fault)
        self.stalled = ""
        if unsent:
            self.write(Kind.ERROR, f"{counted(unsent, 'message')} not sent: {fault.sentence()}")
        self.touch()

    def ask(self, command: Command) -> None:
        """Hand a command to the running attempt."""
        if isinstance(command, Send):
            self.ledger.backlog.add(command.id, weight(command.payload, command.channel))
        self._queue.put_nowait(command)

    def write(self, kind: Kind, text: str, meta: Meta | None = None) -> None:
        """Store a row of our own: close, gap, reconnect, error."""
        self._store([self._row(self._journal.last + 1, self._wall(), kind, text.encode(), meta)])
        self.touch()

    def masked(self, closed: Closed) -> Closed:
        """How an attempt ended, as it may be shown: a server may repeat what it was told."""
        if not self._secrets:
            return closed
        hide = self._secrets.mask_meta
        fault = closed.fault and self._masked(closed.fault)
        return msgspec.structs.replace(closed, reason=hide(closed.reason), fault=fault, meta=hide(closed.meta))

    def write_closed(self, closed: Closed) -> None:
        """Store how an attempt ended."""
        text, meta = closed_row(closed)
        self.write(Kind.CLOSE, text, meta)

    def touch(self) -> None:
        """Something that a header shows has changed."""
        self.revision += 1

    # Stamping

    async def _commands(self) -> AsyncIterator[Command]:
        queue = self._queue
        while (command := await queue.get()) is not None:
            yield command

    def _store(self, records: list[Record]) -> None:
        if not records:
            return
        self._journal.append(records)
        self.channels.tap(records)
        self.meter.tap(records)

    def _stamp(self, event: News, seq: int, now: int) -> Record | None:
        """The slow way: everything that is not a plain received message."""
        match event:
            case Received():
                answers = self._replied(event.replies_to)
                if event.settles and event.replies_to is not None:
                    self.ledger.settle(event.replies_to, "acked")
                return self._row(seq, now, event.kind, event.payload, event.meta, Direction.IN, event.channel, *answers)
            case Sent():
                return self._stamp_sent(event, seq, now)
            case Acknowledged():
                answers = self._answered(event.command)
                self.ledger.settle(event.command, "acked")
                return self._row(seq, now, Kind.ACK, event.payload, event.meta, Direction.IN, event.channel, *answers)
            case Subscribed() | Unsubscribed():
                if ticket := self.ledger.get(event.command):
                    ticket.granted = event.meta
                    ticket.ended = isinstance(event, Unsubscribed)
                self.ledger.settle(event.command, "acked")
                if isinstance(event, Subscribed) and event.stood:
                    return None
                word = b"subscribed" if isinstance(event, Subscribed) else b"unsubscribed"
                return self._row(seq, now, Kind.SUBSCRIBE, word, event.meta, Direction.NONE, event.channel)
            case _:
                self.touch()
                return self._stamp_status(event, seq, now)

    def _stamp_sent(self, event: Sent, seq: int, now: int) -> Record:
        if ticket := self.ledger.get(event.command):
            ticket.seq, ticket.sent_at = seq, time.monotonic_ns()
        self.ledger.settle(event.command, "sent")
        began = self.ledger.get(event.continues)
        reply_to = began.seq if began and began.seq else None
        return self._row(seq, now, event.kind, event.payload, event.meta, Direction.OUT, event.channel, reply_to)

    def _stamp_status(
        self, event: Opened | Offered | Measured | Progressed | Stalled | Notice, seq: int, now: int
    ) -> Record | None:
        match event:
            case Progressed():
                self.details = {**self.details, "stream": {**self.details.get("stream", {}), **event.details}}
                return None
            case Offered():
                self.offered = event.channels
                self.channels.offer([one.channel for one in event.channels])
                return None
            case Measured():
                self.rtt = event.rtt
                return None
            case Stalled():
                self.stalled = event.text
                return None
            case Opened():
                self.details = self._secrets.mask_meta(event.details)
                self._just_opened = True
                return self._row(seq, now, Kind.OPEN, opened_sentence(event.details).encode(), event.details)
            case Notice():
                return self._stamp_notice(event, seq, now)

    def _stamp_notice(self, event: Notice, seq: int, now: int) -> Record:
        if event.fault is not None and event.command:
            self.ledger.settle(event.command, self._masked(event.fault))
        kind = Kind.ERROR if event.level == "error" or event.fault is not None else Kind.NOTICE
        meta = {**(event.meta or {}), **(fault_meta(event.fault) if event.fault else {})}
        ticket = self.ledger.get(event.command)
        reply_to = ticket.seq if ticket and ticket.seq else None
        text = event.text.encode(errors="surrogateescape")
        return self._row(seq, now, kind, text, meta, channel=event.channel, reply_to=reply_to)

    def _row(  # noqa: PLR0917 - the columns of a row, in their order
        self,
        seq: int,
        now: int,
        kind: int,
        payload: bytes,
        meta: Meta | None,
        direction: int = Direction.NONE,
        channel: str = "",
        reply_to: int | None = None,
        latency: int | None = None,
    ) -> Record:
        payload, channel = self._clean(payload), self._secrets.mask(channel)
        return Record(seq, now, self.id, kind, direction, channel, payload, self._meta(meta), reply_to, latency)

    def _replied(self, command: int | None) -> tuple[int | None, int | None]:
        """What a message answers, and the latency if it is the first that does."""
        ticket = self._timed(command)
        if ticket is None:
            return None, None
        first, ticket.replied = not ticket.replied, True
        return ticket.seq, ticket.took if first else None

    def _answered(self, command: int) -> tuple[int | None, int | None]:
        ticket = self._timed(command)
        return (None, None) if ticket is None else (ticket.seq, ticket.took)

    def _timed(self, command: int | None) -> Ticket | None:
        """The ticket of what an answer came to just now; None if that was never sent, or is forgotten."""
        ticket = self.ledger.get(command) if command else None
        if ticket is None or not ticket.seq:
            return None
        ticket.took = time.monotonic_ns() - ticket.sent_at
        return ticket

    def _clean(self, payload: bytes) -> bytes:
        return self._secrets.mask_bytes(payload) if self._secrets else payload

    def _masked(self, fault: Fault) -> Fault:
        hide = self._secrets.mask_meta
        title, cause, hint = hide(fault.title), hide(fault.cause), hide(fault.hint)
        return msgspec.structs.replace(fault, title=title, cause=cause, hint=hint, meta=hide(fault.meta))

    def _meta(self, meta: Meta | None) -> str | None:
        if not meta:
            return None
        if meta is not self._last_meta:
            # Adapters hand out the same object for messages that are alike: each is encoded once.
            text = _encode_meta(meta).decode()
            self._last_meta, self._last_text = meta, self._secrets.mask(text) if self._secrets else text
        return self._last_text


def weight(payload: bytes, channel: str) -> int:
    """What a message costs while it waits, in bytes or nearly so."""
    return len(payload) + len(channel)


def opened_sentence(details: Meta) -> str:
    """One line for the log: what was negotiated."""
    parts = [str(details[key]) for key in ("protocol", "tls", "subprotocol", "compression") if details.get(key)]
    return "open · " + " · ".join(parts) if parts else "open"


def fault_meta(fault: Fault) -> Meta:
    """What a row stores of a fault."""
    fields = {"fault": fault.kind, "title": fault.title, "cause": fault.cause, "hint": fault.hint}
    return {**{key: value for key, value in fields.items() if value}, **(fault.meta or {})}


def closed_row(closed: Closed) -> tuple[str, Meta]:
    """The sentence and the details of a close row."""
    who = {"us": "closed by us", "them": "closed by the peer", "network": "connection lost"}[closed.by]
    if closed.fault is not None and closed.fault.kind in NEVER_OPEN:
        who = "not connected"
    parts = [who, "" if closed.code is None else str(closed.code), closed.reason, _why(closed.fault, who)]
    meta: dict[str, Any] = {"by": closed.by, "clean": closed.clean}
    if closed.code is not None:
        meta["code"] = closed.code
    if closed.reason:
        meta["reason"] = closed.reason
    if closed.fault:
        meta |= fault_meta(closed.fault)
    return " · ".join(part for part in parts if part), {**meta, **(closed.meta or {})}


def _why(fault: Fault | None, who: str) -> str:
    """The fault in a sentence, without a title that says `who` again."""
    if fault is None:
        return ""
    return fault.cause if fault.title.lower() == who else fault.sentence()
