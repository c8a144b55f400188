"""One call as the log sees it: rows of what goes out and of what comes, and one that tells how it ended."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

import msgspec

from rtui.core.clean import clean
from rtui.core.event import Acknowledged, Event, Meta, Notice, Received, Sent, Unsubscribed
from rtui.core.fault import Failure, Fault
from rtui.core.record import Kind
from rtui.core.words import counted
from rtui.protocols.wire.grpc_call import Call
from rtui.protocols.wire.grpc_details import details, sentence
from rtui.protocols.wire.grpc_message import Messages, packed
from rtui.protocols.wire.grpc_metadata import shown
from rtui.protocols.wire.grpc_schema import Method
from rtui.protocols.wire.grpc_status import Ending, Fields, Status, field
from rtui.protocols.wire.reach_fault import fault, usage
from rtui.protocols.wire.sabotage import NextSend

HALF_CLOSED: Final = b"half-close: nothing more from us"
BATCH: Final = 256
"""Messages that are made into rows at once: the loop must breathe between."""


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """One message that is to go out, or the end of all."""

    command: int
    payload: bytes = b""
    """As the user wrote it."""
    message: bytes | None = None
    """As the wire has it; None = nothing, only the end."""
    gzip: bool = True
    """Compressed, if its call is."""
    last: bool = False
    """Half-close after it."""


class Talk:
    """A call of the session."""

    def __init__(
        self,
        number: int,
        command: int,
        method: Method,
        call: Call,
        *,
        emit: Callable[[list[Event]], None],
        next_send: NextSend,
        limit: int,
        defaults: bool,
    ) -> None:
        self.number = number
        """From 1 up, over the connection."""
        self.command = command
        """What opened it: its answers are answers to that."""
        self.method = method
        self.call = call
        self.subscribed = False
        """Whether a subscription asked for it."""
        self.writable = True
        """Whether more may be sent."""
        self.unreadable: Ending | None = None
        """Why we gave up on what comes: counts more than an end that the server has told already."""
        self.meta: Meta = {"call": number}
        """Of every row that has nothing more to tell."""
        self._decode = method.reply(emit_defaults=defaults).decode
        self._messages = Messages(limit)
        self._emit = emit
        self._next_send = next_send
        self._extra: Meta = {}
        """What the row of the first message tells besides."""
        self._compressed = False
        self._idle = False
        """Whether the call is open and nothing waits to be sent."""
        self._outbox: asyncio.Queue[Request] = asyncio.Queue()
        self._timer: asyncio.TimerHandle | None = None
        self._untold = True
        """Whether the initial metadata are yet to be shown."""
        self._sending: Request | None = None
        """Taken from the outbox, and not yet told."""
        self._replies = 0
        self._kept: list[Event] = []
        """The reply of a call that has but one, until its status is known."""

    # What goes out

    def put(self, request: Request) -> None:
        """Send: at once if nothing is in the way, else after what waits."""
        self.writable = self.writable and not request.last
        if not (self._idle and self._outbox.empty() and not self._next_send.armed and self._put_now(request)):
            self._outbox.put_nowait(request)

    def _put_now(self, request: Request) -> bool:
        """A conversation is twice as quick without another task to wake."""
        if request.message is None or not self.call.send_now(self._packed(request), last=request.last):
            return False
        self._tell_sent(request)
        return True

    def expire_after(self, seconds: float) -> None:
        """Give the call up when its time is over, whatever the server does; 0 = never."""
        if seconds:
            message = f"no end within {seconds:g} s"
            ending = Ending(code=Status.DEADLINE_EXCEEDED, message=message, by="us")
            self._timer = asyncio.get_running_loop().call_later(seconds, self.call.cancel, ending)

    async def write(self, headers: Fields) -> None:
        """Open the call and send what is put, until the end of either side."""
        await self.call.open(headers)
        self._compressed = field(headers, "grpc-encoding") == "gzip"
        self._extra = {"metadata": given} if (given := shown(headers)) else {}
        last = False
        while not last:
            self._idle = True
            request = self._sending = await self._outbox.get()
            self._idle = False
            last = request.last
            await self._send(request)

    async def _send(self, request: Request) -> None:
        if request.message is None:
            self._tell_sent(request)
            await self.call.end()
            return
        message, spoilt = await self._next_send.spoil(request.message)
        request = msgspec.structs.replace(request, message=message)
        # Before any wait: the answer may be read while the window is shut.
        self._tell_sent(request, spoilt)
        await self.call.send_data(self._packed(request), end_stream=request.last)

    def _packed(self, request: Request) -> bytes:
        return packed(request.message or b"", gzip=request.gzip and self._compressed)

    def _tell_sent(self, request: Request, spoilt: Meta | None = None) -> None:
        self._sending = None
        payload, kind, more = request.payload, Kind.MESSAGE, {**self._extra, **(spoilt or {})}
        if request.message is None:
            payload, kind, more = HALF_CLOSED, Kind.NOTICE, {"type": "half-close"}
        else:
            self._extra = {}
        meta = {**self.meta, **more} if more else self.meta
        goes_on = 0 if request.command == self.command else self.command
        self._emit([Sent(request.command, self.method.channel, payload, kind, meta, goes_on)])

    def stop(self) -> None:
        """The call is over."""
        self.writable = False
        if self._timer is not None:
            self._timer.cancel()

    def _unsent(self) -> list[Event]:
        """What waited when the call ended, but for its first message: that is answered by the end."""
        waiting = [] if self._sending is None else [self._sending]
        while not self._outbox.empty():
            waiting.append(self._outbox.get_nowait())
        why = usage("Not sent", "the call ended first", "Send it again for a new call")
        return [
            Notice(text=why.sentence(), level="error", command=each.command, channel=self.method.channel, fault=why)
            for each in waiting
            if each.command != self.command
        ]

    # What comes

    def take(self, pieces: Sequence[bytes]) -> Iterator[list[Event]]:
        """The rows of what came, in batches.

        A message that cannot be read ends the call; that is told like any other end.
        """
        if self.unreadable is not None:
            return
        if self._untold:
            self._messages.encoding = field(self.call.initial, "grpc-encoding")
        channel, command, decode, meta = self.method.channel, self.command, self._decode, self.meta
        rows: list[Event] = []
        try:
            for message in self._messages.feed(pieces):
                payload, extra = decode(message)
                row = Received(channel, payload, Kind.MESSAGE, {**meta, **extra} if extra else meta, command)
                if self._untold:
                    row = self._first(row)
                rows.append(row)
                if len(rows) >= BATCH:
                    yield self._held(rows)
                    rows = []
        except Failure as error:
            self.unreadable = _unreadable(error.fault)
            self.call.cancel(self.unreadable)
        yield self._held(rows)

    def _held(self, rows: list[Event]) -> list[Event]:
        """`rows`, without the reply that is the only one until another comes."""
        self._replies += len(rows)
        if self.method.many_replies or not rows:
            return rows
        kept, self._kept = self._kept, []
        if self._replies > 1:
            return [*kept, *rows]
        self._kept = rows
        return []

    def _first(self, row: Received) -> Received:
        self._untold = False
        initial = shown(self.call.initial)
        return msgspec.structs.replace(row, meta={**(row.meta or {}), "metadata": initial}) if initial else row

    def end(self, ending: Ending, why: Fault | None) -> list[Event]:
        """The rows of the end; `why` it failed."""
        told = self._told(ending)
        kept, self._kept = self._kept, []
        if why is None:
            why = self._broken()
        rows: list[Event]
        if why is not None:
            why = _with_details(why, told.get("details", []))
            text, channel = why.sentence(), self.method.channel
            rows = [
                *kept,
                Notice(text=text, level="error", command=self.command, channel=channel, fault=why, meta=told),
            ]
        elif kept and isinstance(reply := kept[0], Received):
            rows = [msgspec.structs.replace(reply, meta={**(reply.meta or {}), **told}, settles=True)]
        else:
            rows = [Acknowledged(self.command, self.method.channel, b"", told)]
        if self.subscribed:
            rows.append(Unsubscribed(self.method.channel, self.command, self.meta))
        return rows + self._unsent()

    def _broken(self) -> Fault | None:
        """What is wrong with a call that the server calls a success."""
        if self._messages.unfinished:
            cause = f"the answer ended inside a message: {counted(self._messages.unfinished, 'byte')} of it came"
            return fault("protocol", "them", "Broken message", cause, "The server, or a proxy between, cut it")
        # A call with one reply has exactly one when it succeeds.
        return None if self.method.many_replies or self._replies == 1 else _miscounted(self._replies)

    def _told(self, ending: Ending) -> dict[str, Any]:
        told: dict[str, Any] = {**self.meta, "status": ending.status, "code": ending.code, "message": ending.message}
        if self._untold:
            told["metadata"] = shown(self.call.initial)
        told["trailers"] = shown(ending.trailers)
        if found := field(ending.trailers, "grpc-status-details-bin"):
            told["details"] = details(found, self.method.output.file.pool)
        told["reset"] = ending.reset
        if ending.by == "us":
            told["by"] = "us"
        return {key: value for key, value in told.items() if value or key == "code"}


def _with_details(why: Fault, found: Sequence[Any]) -> Fault:
    """What the server adds in its details is why it refuses: "email: is empty"."""
    said = clean(sentence(found))
    return msgspec.structs.replace(why, cause=f"{why.cause} ({said})") if said else why


def _miscounted(count: int) -> Fault:
    cause = f"{count} replies where the method has one" if count else "the call succeeded without a reply"
    return fault("protocol", "them", "Not one reply", cause, "The server does not keep to its schema")


def _unreadable(why: Fault) -> Ending:
    code = Status.RESOURCE_EXHAUSTED if why.kind == "limit" else Status.INTERNAL
    return Ending(code=code, message=why.cause, by="us", why=why)
