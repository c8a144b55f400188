"""One HTTP/2 connection that carries calls: grpclib's protocol on h2, with two kinds of frames taken out before h2.

    plain DATA frames of an answer   handed to their call at once: h2 needs 20 µs for each
    GOAWAY                           h2 would end every call; RFC 9113 §6.8 lets those that are named run on

Everything else is h2's, padded DATA and the last of a stream included. What a call takes is given back to the peer's
windows only when it was read (`release`): a slow reader holds its peer back and nothing piles up here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from struct import Struct
from typing import TYPE_CHECKING, Any, Final

import msgspec
from grpclib.config import Configuration
from grpclib.protocol import AbstractHandler, Connection, EventsProcessor, H2Protocol
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import (
    DataReceived,
    Event,
    PingAckReceived,
    RemoteSettingsChanged,
    ResponseReceived,
    StreamEnded,
    StreamReset,
    TrailersReceived,
)
from h2.exceptions import FlowControlError, FrameTooLargeError, ProtocolError
from h2.settings import SettingCodes, Settings

from rtui.protocols.wire.http_fault import BODY_SHOWN
from rtui.protocols.wire.trip import Trip

if TYPE_CHECKING:
    from rtui.protocols.wire.grpc_call import Call

CONNECTION_WINDOW: Final = 4 * 1024**2
STREAM_WINDOW: Final = 2 * 1024**2
"""Bytes that the peer may send before we have read them."""
HEAD: Final = Struct(">HBBBI")
"""Of a frame (RFC 9113 §4.1): length in two parts, type, flags, stream."""
HEAD_SIZE: Final = 9
MAX_FRAME: Final = 16 * 1024
READ_SIZE: Final = 32 * 1024
"""Bytes taken from the socket at once."""
DATA: Final = 0
GOAWAY: Final = 7
_WINDOW_UPDATE: Final = Struct(">HBBBII")


class Going(msgspec.Struct, frozen=True):
    """The peer takes no more calls."""

    last: int
    """Calls with higher streams are not served."""
    code: int
    debug: str


class Channel(H2Protocol):
    """The connection, for as many calls as the peer allows. `grpc_dial.dial` makes one."""

    connection: Connection
    processor: _Processor
    transport: asyncio.Transport
    h2: H2Connection

    def __init__(self, trip: Trip) -> None:
        super().__init__(_Handler(), _CONFIG, _H2_CONFIG)
        loop = asyncio.get_running_loop()
        self.trip = trip
        self.settled: asyncio.Future[None] = loop.create_future()
        """Done when the peer's settings came: it speaks HTTP/2."""
        self.gone: asyncio.Future[None] = loop.create_future()
        """Done when the socket is closed."""
        self.error: BaseException | None = None
        """Why it ended, if not in peace."""
        self.going: Going | None = None
        self.on_change: Callable[[], None] = lambda: None
        """Called when it is going, or gone."""
        self._rest = b""
        self._run: list[bytes] = []
        self._runner: Call | None = None
        """Whose plain DATA `_run` are."""
        self._unread = 0
        """Bytes of plain DATA that calls have not dealt with."""
        self._owed = 0
        """Bytes that were dealt with, and not given back to the connection's window."""
        self._pings: dict[bytes, asyncio.Future[None]] = {}

    @property
    def calls(self) -> dict[int, Call]:
        """Those that run, by stream."""
        return self.processor.streams  # type: ignore[return-value]

    @property
    def usable(self) -> bool:
        """Whether a new call may begin."""
        return self.going is None and not self.gone.done() and self.error is None

    # Called by the loop

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Say hello. As grpclib does it, but we want no pushes, and keep what it hides."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - TCP or TLS
        if hasattr(transport, "max_size"):  # reads of 256 KiB would hold the loop for a third of a second
            transport.max_size = READ_SIZE
        self.transport = transport
        self.h2 = H2Connection(_H2_CONFIG)
        self.h2.local_settings = Settings(client=True, initial_values=_SETTINGS)
        self.h2.initiate_connection()
        self.h2.increment_flow_control_window(CONNECTION_WINDOW - 65_535)
        self.connection = Connection(self.h2, transport, config=_CONFIG)
        self.connection.flush()
        self.processor = _Processor(self)

    def data_received(self, data: bytes) -> None:
        """Cut frames."""
        if len(self.trip.head) < BODY_SHOWN and not self.settled.done():
            self.trip.head += data[: BODY_SHOWN - len(self.trip.head)]
        if self.error is not None:
            return
        try:
            self._rest = self._cut(self._rest + data if self._rest else data)
        except ProtocolError as error:
            self.error = error
        self.connection.flush()
        if self.error is not None:
            self.transport.abort()

    def eof_received(self) -> None:
        """The peer has said everything; what it did not take of us it will not take."""
        self.transport.abort()

    def connection_lost(self, exc: BaseException | None) -> None:
        """End what still runs."""
        self.error = self.error or exc
        self.trip.lost = self.trip.lost or exc
        for call in list(self.calls.values()):
            call.lost()
        for future in (self.settled, *self._pings.values()):
            if not future.done():
                future.cancel()
        self.connection.close()
        self.gone.set_result(None)
        self.on_change()

    # Frames

    def _cut(self, data: bytes) -> bytes:
        """Hand over what is whole; the rest."""
        at = begin = 0
        size, calls, run = len(data), self.calls, self._run
        unpack = HEAD.unpack_from
        while size - at >= HEAD_SIZE:
            high, low, kind, flags, stream = unpack(data, at)
            length = high << 8 | low
            if length > MAX_FRAME:
                raise FrameTooLargeError(f"a frame of {length:,} bytes")  # or not HTTP/2 at all
            end = at + HEAD_SIZE + length
            if end > size:
                break
            if (kind == DATA and not flags) or kind == GOAWAY:
                if begin < at:
                    self._feed(data[begin:at])
                    begin = at
                if kind == GOAWAY:
                    self._go(data[at + HEAD_SIZE : end])
                    begin = end
                elif (call := calls.get(stream)) is not None and call.plain:
                    if call is not self._runner:
                        self._hand_over()
                        self._runner = call
                    run.append(data[at + HEAD_SIZE : end])
                    begin = end
            at = end
        if begin < at:
            self._feed(data[begin:at])
        self._hand_over()
        return data[at:]

    def _hand_over(self) -> None:
        """Neighbours of one call as one piece: a peer that sends its bytes one by one shall not cost a hundredfold."""
        if not self._run or self._runner is None:
            return
        data = b"".join(self._run)
        self._run.clear()
        self._unread += len(data)
        if self._unread + self._owed > CONNECTION_WINDOW:
            raise FlowControlError(f"more than the {CONNECTION_WINDOW:,} bytes that we allow at a time")
        if data:
            self._runner.take(data)

    def _feed(self, data: bytes) -> None:
        self._hand_over()
        for event in self.h2.receive_data(data):
            self.processor.process(event)

    def _go(self, payload: bytes) -> None:
        self._hand_over()
        last, code = int.from_bytes(payload[:4]) & 0x7FFF_FFFF, int.from_bytes(payload[4:8])
        self.going = Going(last, code, payload[8:].decode(errors="backslashreplace"))
        for call in [call for stream, call in self.calls.items() if stream > last]:
            call.unserved(self.going)
        self.on_change()

    # What calls use

    def release(self, call: Call, plain: int, counted: int) -> None:
        """Bytes were read: the peer may send as many again. `counted` are those that h2 counts itself."""
        if self.gone.done() or self.transport.is_closing():
            return
        if counted and call.id is not None:
            self.connection.ack(call.id, counted)
        self._unread -= plain
        self._owed += plain
        call.owed += plain
        frames = b""
        if self._owed >= CONNECTION_WINDOW // 2:
            frames, self._owed = _window_update(0, self._owed), 0
        if call.owed >= STREAM_WINDOW // 2 and call.ending is None:
            frames += _window_update(call.id or 0, call.owed)
            call.owed = 0
        if frames:
            self.transport.write(frames)

    async def ping(self, data: bytes, patience: float | None = None) -> None:
        """Send eight bytes and wait until they are back.

        Raises:
            ConnectionError: the connection ended first.
            TimeoutError: they are not back after `patience` seconds, though we have looked.
        """
        if self.gone.done() or self.transport.is_closing():
            raise ConnectionResetError("the connection is closed")
        pong = self._pings[data] = asyncio.get_running_loop().create_future()
        try:
            self.h2.ping(data)
            self.connection.flush()
            # Not `asyncio.timeout`: when the loop stood still, the answer and the end of patience are there together.
            await asyncio.wait([pong], timeout=patience)
        finally:
            self._pings.pop(data, None)
        if pong.cancelled():
            raise ConnectionResetError("the connection ended before the answer")
        if not pong.done():
            raise TimeoutError

    def ponged(self, data: bytes) -> None:
        """The answer to a ping is here."""
        if (pong := self._pings.get(data)) is not None and not pong.done():
            pong.set_result(None)

    def hold(self, on: bool) -> None:
        """Stop reading, or go on."""
        if not self.transport.is_closing():
            (self.transport.pause_reading if on else self.transport.resume_reading)()

    # The end

    def cut(self) -> None:
        """End the connection without a goodbye."""
        self.transport.abort()

    async def close(self) -> None:
        """Cancel what runs, say goodbye, and wait for the socket but not for the peer."""
        if not self.gone.done():
            for call in list(self.calls.values()):
                call.cancel()
            if self.error is None:
                self.h2.close_connection()
                self.connection.flush()
            self.transport.close()
            await asyncio.sleep(0)  # TLS writes its goodbye
            self.transport.abort()
        await asyncio.shield(self.gone)


class _Handler(AbstractHandler):
    """Servers cannot call us."""

    def accept(self, stream: Any, headers: Any, release_stream: Any) -> None:
        """Never: h2 refuses requests to a client."""

    def cancel(self, stream: Any) -> None:
        """Calls know by themselves."""

    def close(self) -> None:
        """Likewise."""


class _Processor(EventsProcessor):
    """What h2 tells, handed to the call that it is about. What gRPC has no use for is left alone (RFC 9113 §5.5)."""

    def __init__(self, channel: Channel) -> None:
        super().__init__(channel.handler, channel.connection)
        self._channel = channel
        self.processors[PingAckReceived] = self.process_ping_ack_received

    def process(self, event: Event) -> None:
        if type(event) in self.processors:
            super().process(event)

    def _call(self, stream: int | None) -> Call | None:
        return self._channel.calls.get(stream or 0)

    def process_remote_settings_changed(self, event: RemoteSettingsChanged) -> None:
        super().process_remote_settings_changed(event)
        if not self._channel.settled.done():
            self._channel.settled.set_result(None)

    def process_response_received(self, event: ResponseReceived) -> None:
        if call := self._call(event.stream_id):
            call.answered(_fields(event.headers))

    def process_trailers_received(self, event: TrailersReceived) -> None:
        if call := self._call(event.stream_id):
            call.trailers = _fields(event.headers)

    def process_data_received(self, event: DataReceived) -> None:
        size = event.flow_controlled_length or 0
        if call := self._call(event.stream_id):
            call.take(event.data or b"", counted=size)
        else:
            self.connection.ack(event.stream_id or 0, size)

    def process_stream_ended(self, event: StreamEnded) -> None:
        if call := self._call(event.stream_id):
            call.finished()

    def process_stream_reset(self, event: StreamReset) -> None:
        if call := self._call(event.stream_id):
            call.reset_by_peer(int(event.error_code or 0))

    def process_ping_ack_received(self, event: PingAckReceived) -> None:
        self._channel.ponged(event.ping_data or b"")


def _fields(headers: Any) -> list[tuple[str, str]]:
    """Latin-1 leaves no byte out; h2 has made the names lower case."""
    return [(str(name), str(value)) for name, value in headers]


def _window_update(stream: int, size: int) -> bytes:
    return _WINDOW_UPDATE.pack(0, 4, 8, 0, stream, size)


_SETTINGS: Final = {
    SettingCodes.ENABLE_PUSH: 0,
    SettingCodes.INITIAL_WINDOW_SIZE: STREAM_WINDOW,
    SettingCodes.MAX_FRAME_SIZE: MAX_FRAME,
    SettingCodes.MAX_HEADER_LIST_SIZE: 64 * 1024,
}
_CONFIG: Final = Configuration().__for_client__()
# Not validated: grpc-message may end with a blank (PROTOCOL-HTTP2.md), and grpcio's does; h2 would end the connection.
_H2_CONFIG: Final = H2Configuration(client_side=True, header_encoding="latin-1", validate_inbound_headers=False)
