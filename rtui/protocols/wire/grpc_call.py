"""One call on a channel: a stream of HTTP/2 with the headers of gRPC, pieces of bytes both ways, and how it ended.

It knows no messages: `grpc_message` cuts them, where they are read.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

from grpclib.protocol import Stream
from h2.errors import ErrorCodes
from h2.exceptions import ProtocolError

from rtui.protocols.wire.grpc_status import (
    Ending,
    Fields,
    Status,
    field,
    is_grpc,
    not_grpc,
    reset_name,
    told,
    was_reset,
)
from rtui.protocols.wire.http_fault import BODY_SHOWN

if TYPE_CHECKING:
    from rtui.protocols.wire.grpc_channel import Channel, Going

Sink: TypeAlias = "Callable[[Call, bytes | Ending], None]"
"""Gets the pieces of an answer as they come, and in the end, once, how it ended. It must not raise."""


class Call(Stream):
    """From its request to its ending."""

    def __init__(self, channel: Channel, sink: Sink) -> None:
        super().__init__(channel.connection, channel.h2, channel.transport)
        self.initial: Fields = ()
        """The headers of the answer."""
        self.trailers: Fields = ()  # type: ignore[assignment]
        self.ending: Ending | None = None
        self.plain = False
        """Whether DATA may come the short way: the answer has begun, and h2 has nothing to count in it."""
        self.owed = 0
        """Bytes that were read and not given back to the stream's window."""
        self._channel = channel
        self._sink = sink
        self._release: Callable[[], None] | None = None
        self._slow = self._counted = 0
        """Bytes that came through h2 and were not read, and those that it counts for them, padding included."""
        self._strange: list[bytes] | None = None
        """What came in an answer that is none of gRPC."""

    # What we do

    async def open(self, headers: Fields) -> None:
        """Ask, as soon as the peer takes one more call.

        Raises:
            ConnectionError: the connection is gone.
        """
        if self._channel.gone.done():
            raise ConnectionResetError("the connection is gone")
        self._release = await self.send_request(list(headers), _processor=self._channel.processor)

    def send_now(self, data: bytes, *, last: bool) -> bool:
        """Send if the windows and the socket take it at once; whether they did."""
        h2, stream = self._h2_connection, self.id or 0
        try:
            if self._channel.gone.done() or not self.connection.write_ready.is_set():
                return False
            if len(data) > min(h2.max_outbound_frame_size, h2.local_flow_control_window(stream)):
                return False
            h2.send_data(stream, data, end_stream=last)
        except ProtocolError:
            return False  # the stream is over; the other way finds out in its own words
        self.connection.flush()
        return True

    def cancel(self, ending: Ending | None = None) -> None:
        """Give it up (RST_STREAM CANCEL), for the reason that `ending` tells."""
        self._end(ending or Ending(code=Status.CANCELLED, message="cancelled", by="us"))

    # What the channel tells

    def answered(self, headers: Fields) -> None:
        """The headers of the answer are here."""
        self.initial = headers
        if is_grpc(headers):
            self.plain = not field(headers, "content-length")
        else:
            self._strange = []

    def take(self, data: bytes, counted: int | None = None) -> None:
        """A piece of the answer; `counted` are the bytes that h2 counts in its windows, None = it does not."""
        if not (data or counted):
            return  # an empty frame costs its sender nothing: it must not cost us memory
        if self._strange is None and self.ending is None:
            self._sink(self, data)
            if counted is not None:
                self._counted += counted
                self._slow += len(data)
            return
        self._channel.release(self, *((len(data), 0) if counted is None else (0, counted)))
        if self._strange is not None:
            self._strange.append(data)
            if sum(map(len, self._strange)) >= BODY_SHOWN:
                self.finished()

    def read(self, size: int) -> None:
        """Bytes of the sink were dealt with: the peer may send as many again."""
        slow = min(size, self._slow)
        self._slow -= slow
        counted = 0
        if not self._slow:
            counted, self._counted = self._counted, 0
        self._channel.release(self, size - slow, counted)

    def finished(self) -> None:
        """The peer said everything."""
        if self._strange is not None:
            self._end(not_grpc(self.initial, b"".join(self._strange)[:BODY_SHOWN]))
        else:
            self._end(told(self.trailers or self.initial))

    def reset_by_peer(self, code: int) -> None:
        """RST_STREAM came."""
        self._end(was_reset(code))

    def unserved(self, going: Going) -> None:
        """GOAWAY came, and this call is not among those that are served."""
        why = f"the server is going away and did not begin with this call ({reset_name(going.code)})"
        hint = "Nothing was done: it can be sent again"
        self._end(Ending(code=Status.UNAVAILABLE, message=why, reset=reset_name(going.code), hint=hint))

    def lost(self) -> None:
        """The connection is gone."""
        self._end(Ending(code=Status.UNAVAILABLE, message="the connection ended before the call", by="network"))

    def __terminated__(self, reason: str) -> None:
        """Called by grpclib."""

    def __ended__(self) -> None:
        """Called by grpclib."""

    def _end(self, ending: Ending) -> None:
        if self.ending is not None:
            return
        self.ending = ending
        self.plain = False
        if self.id is not None and not self._channel.gone.done():
            if self.closable:
                # Ours to close: the user gave up, or the server needs no more of us.
                self._reset(ErrorCodes.CANCEL if ending.by == "us" else ErrorCodes.NO_ERROR)
            if self._release is not None:
                self._release()
        self._sink(self, ending)

    def _reset(self, code: ErrorCodes) -> None:
        try:
            self.reset_nowait(code)
        except ProtocolError:
            return  # the peer was quicker
