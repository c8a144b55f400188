"""The connection class in front of websockets' parser: whole batches of messages instead of one await for each.

While the connection is open, every whole simple frame of one socket read is cut out in one loop (`wire.frame`) and
becomes one list in the inbox. Everything unusual goes to the library's parser, which therefore stands at a frame
boundary whenever it is its turn, and order is kept between both ways. That this is invisible is proven by a property
test: for any bytes, cut anywhere, `batched=False` (all to the library) reports the same.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Final

import msgspec
from websockets.asyncio.client import ClientConnection
from websockets.asyncio.messages import MAX_FRAGMENTS
from websockets.client import ClientProtocol
from websockets.exceptions import ConcurrencyError, PayloadTooBig
from websockets.frames import CloseCode, Frame, Opcode
from websockets.protocol import Event as LibraryEvent
from websockets.protocol import State

from rtui.core.event import Event, Received, Sent
from rtui.core.record import Kind
from rtui.protocols.wire import frame
from rtui.protocols.wire.inbox import Inbox

READ_SIZE: Final = 32 * 1024
"""Bytes per socket read: keys stay quick under a flood (asyncio's 256 KiB cost them four times the delay)."""
HEAD_KEPT: Final = 2048
"""First bytes of the peer's answer to the handshake, kept to name what answered instead of a WebSocket server."""
HANDSHAKE_LIMIT: Final = 128 * 1024
"""Bytes of the peer's answer to the handshake with its body: one that never ends is cut here."""
TAIL_LIMIT: Final = 64 * 1024
"""An incomplete frame larger than this is the library's: joining it to every read would be quadratic."""
END_OF_HEAD: Final = b"\r\n\r\n"
PONG_BYTE: Final = b"\x8a"

MakeEvents = Callable[[list[bytes], bool], list[Event]]
"""Payloads that arrived together, and whether they are text → their events."""


class FragmentsTooManyError(PayloadTooBig):
    """More fragments than one message may have (websockets' own limit, against exhausted memory)."""

    def __init__(self) -> None:
        super().__init__(None, MAX_FRAGMENTS)

    def __str__(self) -> str:
        return "too many fragments"


class BatchConnection(ClientConnection):
    """A client connection whose messages arrive in `inbox` (not by `recv`)."""

    def __init__(
        self,
        protocol: ClientProtocol,
        *,
        inbox: Inbox,
        make_events: MakeEvents,
        log_pings: bool = False,
        auto_pong: bool = True,
        batched: bool = True,
        **options: Any,
    ) -> None:
        """`make_events` knows channels and replies."""
        super().__init__(protocol, **options)
        self.inbox = inbox
        self.auto_pong = auto_pong
        self.head = b""
        """The first bytes that the peer sent."""
        self.lost: Exception | None = None
        """What ended the transport, if not an orderly end."""
        self.heard_at = self.loop.time()
        self._make_events = make_events
        self._log_pings = log_pings
        self._batched = batched
        self._limit = protocol.max_message_size or (1 << 62)
        self._tail = b""
        self._answered = 0
        self._owed = 0
        self._parts: list[Frame] = []
        self._texts: list[bytes] = []
        self._full = False
        self._deaf = False
        self._deadline: asyncio.TimerHandle | None = None
        protocol.recv_frame = self._receive_frame  # type: ignore[method-assign]

    # What the session does with it

    def write_message(self, payload: bytes, text: bool, fragment: int = 0) -> int:
        """Hand one message to the transport, in pieces of `fragment` bytes unless 0; returns the number of frames.

        Raises:
            InvalidState: if the connection is not open.
        """
        step = fragment or len(payload) or 1
        pieces = [payload[at : at + step] for at in range(0, len(payload), step)] or [b""]
        first = self.protocol.send_text if text else self.protocol.send_binary
        for index, piece in enumerate(pieces):
            last = index == len(pieces) - 1
            (self.protocol.send_continuation if index else first)(piece, last)
        self.send_data()
        return len(pieces)

    def start_ping(self, payload: bytes) -> asyncio.Future[float]:
        """Send a ping; the result is the round trip in seconds.

        Unlike the library's `ping`, it does not wait until the peer reads: whether it does is what a ping asks.

        Raises:
            ConcurrencyError: if a ping with this payload is not answered yet.
            InvalidState: if the connection is not open.
        """
        if payload in self.pending_pings:
            raise ConcurrencyError("already waiting for a pong with the same data")
        pong: asyncio.Future[float] = self.loop.create_future()
        self.protocol.send_ping(payload)
        self.pending_pings[payload] = (pong, self.loop.time())
        self.send_data()
        return pong

    @property
    def listening(self) -> bool:
        """Whether what the peer says is read: not on purpose, and not while too much waits to be taken."""
        return not (self._full or self._deaf)

    def deafen(self, on: bool) -> None:
        """Stop or resume reading, on purpose."""
        self._deaf = on
        self._apply_reading()

    def reset(self) -> None:
        """Cut the transport without a goodbye."""
        self.transport.abort()

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Connect the inbox to the transport."""
        super().connection_made(transport)
        self.inbox.attach(self._hold)
        # An attribute of the selector transport only; TLS cuts its reads into records of 16 KiB anyway.
        if hasattr(transport, "max_size"):
            transport.max_size = READ_SIZE

    def data_received(self, data: bytes) -> None:
        """One socket read: the way is chosen here."""
        self.heard_at = self.loop.time()
        if self.protocol.state is State.CONNECTING:
            data = self._receive_head(data)
        if not data:
            return
        if self._batched and self.protocol.state is State.OPEN:
            self._receive_batch(self._tail + data if self._tail else data)
        else:
            self._pass_on(self._take_tail() + data)

    def eof_received(self) -> None:
        """The peer sends no more."""
        self._flush_tail()
        super().eof_received()
        self._expect_end()

    def connection_lost(self, exc: Exception | None) -> None:
        """The transport is gone: nothing more will come."""
        self.lost = exc
        self._flush_tail()
        if self._deadline is not None:
            self._deadline.cancel()
        super().connection_lost(exc)
        self.inbox.close()

    # Reading

    def _receive_head(self, data: bytes) -> bytes:
        """Give the library the HTTP response and return what follows it: frames may share its packet."""
        self._answered += len(data)
        if self._answered > HANDSHAKE_LIMIT:
            self.transport.abort()
            return b""
        before = len(self.head)
        if before < HEAD_KEPT:
            self.head += data[: HEAD_KEPT + len(END_OF_HEAD) - before]
        recent, self._tail = (self._tail + data), b""
        end = recent.find(END_OF_HEAD)
        cut = len(data) if end < 0 else end + len(END_OF_HEAD) - (len(recent) - len(data))
        if end < 0:
            # The blank line may be cut by the end of this read.
            self._tail = recent[-3:]
        super().data_received(data[:cut])
        self._expect_end()
        return data[cut:]

    def _receive_batch(self, buffer: bytes) -> None:
        position, end = 0, len(buffer)
        self._tail = b""
        while position < end:
            if self.protocol.state is not State.OPEN:
                self._pass_on(buffer[position:])
                return
            if self._owed:
                step = min(self._owed, end - position)
                self._owed -= step
                self._pass_on(buffer[position : position + step])
                position += step
                continue
            if self.protocol.current_size is None:
                start = position
                payloads, position = frame.cut(buffer, position, self._limit)
                if payloads:
                    self._deliver(payloads, buffer[start] == frame.TEXT, position - start)
                    continue
            size = frame.extent(buffer, position)
            if size == frame.ILLEGAL:
                self._pass_on(buffer[position:])
                return
            if size == frame.INCOMPLETE or self._worth_keeping(buffer, position, size):
                self._tail = buffer[position:]
                return
            self._owed = self._run_of_unusual(buffer, position, size)

    def _worth_keeping(self, buffer: bytes, position: int, size: int) -> bool:
        """Whether the frame is simple, incomplete and small: it will be cut when the rest is here."""
        simple = self.protocol.current_size is None and buffer[position] in {frame.TEXT, frame.BINARY}
        return simple and len(buffer) - position < size <= min(TAIL_LIMIT, self._limit)

    def _run_of_unusual(self, buffer: bytes, start: int, size: int) -> int:
        """The length of a run of unusual frames: compressed messages come by the hundred and need one call only."""
        position = start + size
        fragmented = self.protocol.current_size is not None
        while position < len(buffer) and not fragmented and buffer[position] not in {frame.TEXT, frame.BINARY}:
            size = frame.extent(buffer, position)
            if size <= 0 or position + size > len(buffer):
                break
            position += size
        return position - start

    def _deliver(self, payloads: list[bytes], text: bool, size: int) -> None:
        bad = frame.invalid_text(payloads) if text else None
        if good := payloads if bad is None else payloads[:bad]:
            self.inbox.put(self._make_events(good, text), size)
        if bad is not None:
            try:
                self._show_invalid(payloads[bad])
            except UnicodeDecodeError as error:
                # Word for word what the library's parser does.
                self.protocol.fail(CloseCode.INVALID_DATA, f"{error.reason} at position {error.start}")
                self.protocol.parser_exc = error
                self._pass_on(b"")

    def _receive_frame(self, frame: Frame) -> None:
        """Stands in for the parser's `recv_frame`: what is raised here fails the connection at this very frame.

        The library looks at text only when a message is fetched, so that the outcome depends on how reads are cut.
        """
        type(self.protocol).recv_frame(self.protocol, frame)
        if frame.opcode in {Opcode.TEXT, Opcode.BINARY, Opcode.CONT}:
            self._assemble(frame)
        elif self._log_pings and frame.opcode in {Opcode.PING, Opcode.PONG}:
            self._log_control(frame)

    def _assemble(self, part: Frame) -> None:
        if len(self._parts) >= MAX_FRAGMENTS:
            raise FragmentsTooManyError
        self._parts.append(part)
        if not part.fin:
            return
        parts, self._parts = self._parts, []
        payload = b"".join([each.data for each in parts])
        text = parts[0].opcode is Opcode.TEXT
        if text and not payload.isascii():
            self._show_invalid(payload)
        if text and len(parts) == 1:
            self._texts.append(payload)
            return
        self._flush_texts()
        (event,) = self._make_events([payload], text)
        if len(parts) > 1 and isinstance(event, Received):
            event = msgspec.structs.replace(event, meta={**(event.meta or {}), "fragments": len(parts)})
        self.inbox.put([event], len(payload))

    def _flush_texts(self) -> None:
        """Hand over the whole text messages that the parser found one after the other."""
        if self._texts:
            texts, self._texts = self._texts, []
            self.inbox.put(self._make_events(texts, True), sum(map(len, texts)))

    def _show_invalid(self, payload: bytes) -> None:
        """RFC 6455 §8.1: text that is not UTF-8 fails the connection; the tester still gets to see it.

        Raises:
            UnicodeDecodeError: if it is not.
        """
        try:
            payload.decode()
        except UnicodeDecodeError:
            self._flush_texts()
            meta = {"type": "text", "invalid": "not UTF-8"}
            self.inbox.put([Received("", payload, Kind.MESSAGE, meta)], len(payload))
            raise

    def _log_control(self, part: Frame) -> None:
        self._flush_texts()
        word = "ping" if part.opcode is Opcode.PING else "pong"
        rows: list[Event] = [Received("", bytes(part.data), Kind.PING, {"type": word, "automatic": True})]
        if word == "ping" and self.auto_pong:
            rows.append(Sent(0, "", bytes(part.data), Kind.PING, {"type": "pong", "automatic": True}))
        self.inbox.put(rows, len(part.data))

    def process_event(self, event: LibraryEvent) -> None:
        """Let the library see its pongs and its handshake; messages are in the inbox already."""
        if not isinstance(event, Frame) or event.opcode is Opcode.PONG:
            super().process_event(event)

    # The library's side

    def _pass_on(self, data: bytes) -> None:
        super().data_received(data)
        self._flush_texts()
        self._expect_end()

    def _flush_tail(self) -> None:
        """The stream ends inside a frame: let the library say what it makes of it."""
        tail = self._take_tail()
        if tail and self.protocol.state is State.OPEN and not self.protocol.reader.eof:
            self._pass_on(tail)

    def _take_tail(self) -> bytes:
        tail, self._tail = self._tail, b""
        return tail if self.response is not None else b""

    def send_data(self) -> None:
        """Write what the library wants written, except pongs while they are held back.

        A peer that pings and does not read gets no pongs either, or they would pile up here; RFC 6455 §5.5.3 lets us
        answer only some pings.
        """
        if not self.auto_pong or self.paused:
            self.protocol.writes = [data for data in self.protocol.writes if data[:1] != PONG_BYTE]
        super().send_data()

    def _expect_end(self) -> None:
        """A peer that neither closes nor stops sending must not keep us: end the transport after `close_timeout`."""
        if self._deadline is None and self.protocol.close_expected():
            self._deadline = self.loop.call_later(self.close_timeout or 0.0, self.transport.abort)

    # Back-pressure

    def _hold(self, on: bool) -> None:
        if on is not self._full:
            self._full = on
            self._apply_reading()

    def _apply_reading(self) -> None:
        if self.transport.is_closing():
            return
        # Both are idempotent on asyncio's transports.
        if self.listening:
            self.transport.resume_reading()
        else:
            self.transport.pause_reading()
