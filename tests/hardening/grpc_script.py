"""Scripts of gRPC servers for `peer.listening`: h2 says what is lawful, and raw frames what is not."""

from __future__ import annotations

import contextlib
import socket
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeAlias

from google.protobuf import json_format, message_factory
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import DataReceived, RequestReceived, StreamEnded
from h2.exceptions import StreamClosedError, StreamIDTooLowError

from tests.hardening.peer import Script
from tests.protoset import loaded

PROTO: Final = Path(__file__).parent.parent / "protocols" / "foreign" / "calls.proto"
SERVICE: Final = "foreign.v1.Calls"
MAX_FRAME: Final = 16_384
DATA, HEADERS, SETTINGS, PING, CONTINUATION = 0, 1, 4, 6, 9
OK: Final = (("grpc-status", "0"),)
Field: TypeAlias = tuple[str | bytes, str | bytes]


class Asked(NamedTuple):
    """A request, as far as it was heard: whole for what is half-closed at once."""

    stream: int
    method: str
    """Without its service."""
    metadata: dict[str, str]
    data: bytes


class Server:
    """One connection, seen from the server."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.h2 = H2Connection(
            H2Configuration(
                client_side=False,
                header_encoding="utf-8",
                validate_outbound_headers=False,
                normalize_outbound_headers=False,
            )
        )
        self.h2.initiate_connection()
        self.flush()

    def flush(self) -> None:
        self.sock.sendall(self.h2.data_to_send())

    def requests(self) -> Iterator[Asked]:
        """Each as soon as the client half-closed it; ends when the client leaves."""
        open_ = dict[int, Asked]()
        while data := self.sock.recv(65_536):
            for event in self.h2.receive_data(data):
                if isinstance(event, RequestReceived):
                    fields = {str(name): str(value) for name, value in event.headers or ()}
                    method = fields[":path"].rpartition("/")[2]
                    open_[event.stream_id or 0] = Asked(event.stream_id or 0, method, fields, b"")
                elif isinstance(event, DataReceived):
                    stream = event.stream_id or 0
                    self.h2.acknowledge_received_data(event.flow_controlled_length or 0, stream)
                    open_[stream] = open_[stream]._replace(data=open_[stream].data + (event.data or b""))
                elif isinstance(event, StreamEnded):
                    self.flush()
                    yield open_.pop(event.stream_id or 0)
            self.flush()

    def head(self, stream: int, *more: Field, media_type: str = "application/grpc", end: bool = False) -> None:
        self.h2.send_headers(stream, [(":status", "200"), ("content-type", media_type), *more], end_stream=end)
        self.flush()

    def trailers(self, stream: int, *fields: Field) -> None:
        self.h2.send_headers(stream, list(fields), end_stream=True)
        self.flush()

    def data(self, stream: int, data: bytes) -> None:
        """Heedless of windows."""
        frames = (frame(DATA, 0, stream, data[at : at + MAX_FRAME]) for at in range(0, len(data), MAX_FRAME))
        self.sock.sendall(b"".join(frames))

    def raw(self, data: bytes) -> None:
        self.sock.sendall(data)


def frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    """RFC 9113 §4.1."""
    return len(payload).to_bytes(3, "big") + bytes((kind, flags)) + stream.to_bytes(4, "big") + payload


def prefixed(data: bytes, *, flag: int = 0, length: int | None = None) -> bytes:
    """ "Length-Prefixed-Message" of PROTOCOL-HTTP2.md."""
    return bytes((flag,)) + (len(data) if length is None else length).to_bytes(4, "big") + data


def made(name: str, **fields: Any) -> bytes:
    """A message of the services in `PROTO`, framed."""
    pool = loaded(PROTO)
    kind = message_factory.GetMessageClass(pool.FindMessageTypeByName(f"foreign.v1.{name}"))
    return prefixed(json_format.ParseDict(fields, kind()).SerializeToString())


def bomb(size: int) -> bytes:
    """A message of `size` zeros in gzip, framed."""
    press = zlib.compressobj(9, zlib.DEFLATED, 31)
    block = bytes(1 << 20)
    packed = b"".join(press.compress(block) for _ in range(size >> 20)) + press.flush()
    return prefixed(packed, flag=1)


def serves(answer: Callable[[Server, Asked], None]) -> Script:
    """Plays `answer` for each request that the client has not given up by then."""

    def script(sock: socket.socket) -> None:
        server = Server(sock)
        for asked in server.requests():
            with contextlib.suppress(StreamClosedError, StreamIDTooLowError):
                answer(server, asked)

    return script
