"""A gRPC server that costs nothing: messages and DATA frames are encoded beforehand. The methods are in bench.proto.

No reflection: give clients that or what is made from it. Runs as a process of its own. For each connection that
asked for messages it prints one JSON line: seconds from the first message until the client went away.
"""

from __future__ import annotations

import contextlib
import json
import socket
import socketserver
import time
from collections import defaultdict
from typing import Final

from google.protobuf import json_format, message_factory
from google.protobuf.message import Message
from hpack import Decoder, Encoder

from tests.benchmarks.blaster import BLOCK, GrpcBlaster, Server, message
from tests.protoset import loaded

MAX_FRAME: Final = 16_384
WINDOW: Final = 65_535
DATA, HEADERS, RESET, SETTINGS, PING, UPDATE = 0, 1, 3, 4, 6, 8
END_STREAM, ACK, END_HEADERS, PADDED, PRIORITY = 1, 1, 4, 8, 32
PREFACE: Final = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
INITIAL_WINDOW: Final = 4
"""SETTINGS_INITIAL_WINDOW_SIZE (RFC 9113 §6.5.2)."""


def frame(kind: int, flags: int, stream: int, data: bytes = b"") -> bytes:
    """RFC 9113 §4.1."""
    return len(data).to_bytes(3) + bytes((kind, flags)) + stream.to_bytes(4) + data


def prefixed(data: bytes) -> bytes:
    """A message as gRPC frames it: not compressed, its length, itself."""
    return b"\0" + len(data).to_bytes(4) + data


def encoded() -> tuple[type[Message], list[bytes]]:
    """How a request is read, and the messages."""
    pool = loaded(GrpcBlaster.proto)
    asked, reading = (
        message_factory.GetMessageClass(pool.FindMessageTypeByName(f"bench.{n}")) for n in ("Asked", "Reading")
    )
    return asked, [
        prefixed(json_format.Parse(message(number), reading()).SerializeToString()) for number in range(BLOCK)
    ]


ASKED, MESSAGES = encoded()


class Handler(socketserver.BaseRequestHandler):
    """One connection; the calls on it one after the other, but for those of Echo."""

    def handle(self) -> None:
        client: socket.socket = self.request
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        client.settimeout(120)
        self.input = client.makefile("rb")
        self.decoder, self.encoder = Decoder(), Encoder()
        self.initial = WINDOW
        self.windows = defaultdict[int, int](lambda: self.initial, {0: WINDOW})
        self.paths: dict[int, str] = {}
        self.taken = 0
        assert self.input.read(len(PREFACE)) == PREFACE
        client.sendall(frame(SETTINGS, 0, 0))
        with contextlib.suppress(OSError, EOFError):
            while True:
                self._take()

    def _take(self) -> None:
        """One frame of the client.

        Raises:
            EOFError: the client left.
        """
        head = self.input.read(9)
        if len(head) < 9:
            raise EOFError
        kind, flags, stream = head[3], head[4], int.from_bytes(head[5:])
        data = self.input.read(int.from_bytes(head[:3]))
        if kind == SETTINGS and not flags & ACK:
            self._adopt(data)
        elif kind == UPDATE:
            self.windows[stream] += int.from_bytes(data)
        elif kind == PING and not flags & ACK:
            self.request.sendall(frame(PING, ACK, 0, data))
        elif kind == HEADERS:
            assert not flags & (PADDED | PRIORITY)
            self.paths[stream] = next(str(value) for name, value in self.decoder.decode(data) if str(name) == ":path")
            self._begin(stream)
        elif kind == DATA:
            self._answer(stream, data, bool(flags & END_STREAM))

    def _adopt(self, settings: bytes) -> None:
        for place in range(0, len(settings), 6):
            if int.from_bytes(settings[place : place + 2]) == INITIAL_WINDOW:
                self.initial = int.from_bytes(settings[place + 2 : place + 6])
        self.request.sendall(frame(SETTINGS, ACK, 0))

    def _begin(self, stream: int) -> None:
        if not self.paths[stream].startswith("/bench.Blaster/"):
            self._head(stream, (("grpc-status", "12"),), END_STREAM)
            return
        self._head(stream)

    def _head(self, stream: int, more: tuple[tuple[str, str], ...] = (), flags: int = 0) -> None:
        fields = [(":status", "200"), ("content-type", "application/grpc"), *more]
        self.request.sendall(frame(HEADERS, flags | END_HEADERS, stream, self.encoder.encode(fields)))

    def _answer(self, stream: int, data: bytes, last: bool) -> None:
        """Every client here writes a message in one frame."""
        name = self.paths[stream].rpartition("/")[2]
        if name == "Echo":
            self._echo(stream, data)
        elif data:
            count = ASKED.FromString(data[5:]).count  # type: ignore[attr-defined]
            self._blast(stream, count, BLOCK if name == "Packed" else 1)
            return
        if last:
            self._end(stream)

    def _echo(self, stream: int, data: bytes) -> None:
        self.taken += len(data)
        if self.taken > WINDOW // 2:  # there is one conversation at a time
            grant, self.taken = self.taken.to_bytes(4), 0
            self.request.sendall(frame(UPDATE, 0, 0, grant) + frame(UPDATE, 0, stream, grant))
        self.request.sendall(frame(DATA, 0, stream, data) if data else b"")

    def _end(self, stream: int) -> None:
        fields = self.encoder.encode([("grpc-status", "0")])
        self.request.sendall(frame(HEADERS, END_STREAM | END_HEADERS, stream, fields))

    def _blast(self, stream: int, count: int, together: int) -> None:
        block = frames(stream, MESSAGES, together)
        began = time.monotonic()
        for _ in range(count // BLOCK):
            self._write(stream, block)
        self._write(stream, frames(stream, MESSAGES[: count % BLOCK], together))
        self._end(stream)
        with contextlib.suppress(EOFError, OSError):
            while True:
                self._take()
        print(json.dumps({"n": count, "seconds": time.monotonic() - began}), flush=True)

    def _write(self, stream: int, block: list[tuple[int, bytes]]) -> None:
        """As much at once as the client's windows allow (RFC 9113 §5.2)."""
        start = 0
        while start < len(block):
            room = min(self.windows[0], self.windows[stream])
            end, size = start, 0
            while end < len(block) and size + block[end][0] <= room and end - start < BLOCK:
                size += block[end][0]
                end += 1
            if end == start:
                self._take()
                continue
            self.windows[0] -= size
            self.windows[stream] -= size
            self.request.sendall(b"".join(one[1] for one in block[start:end]))
            start = end


def frames(stream: int, messages: list[bytes], together: int) -> list[tuple[int, bytes]]:
    """DATA frames, each with what it takes from the windows."""
    found = []
    for place in range(0, len(messages), together):
        data = b"".join(messages[place : place + together])
        parts = (data[start : start + MAX_FRAME] for start in range(0, len(data), MAX_FRAME))
        found += [(len(part), frame(DATA, 0, stream, part)) for part in parts]
    return found


if __name__ == "__main__":
    with Server(("127.0.0.1", 0), Handler) as server:
        print(json.dumps({"port": server.server_address[1]}), flush=True)
        server.serve_forever()
