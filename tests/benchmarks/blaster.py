"""A WebSocket server that costs nothing: frames are encoded before anybody connects, then written in large pieces.

    ws://127.0.0.1:PORT/?n=100000      n text messages of about 120 bytes of JSON, then a close frame

Runs as a process of its own. For each connection it prints one JSON line: seconds from the first byte to the client's
answer to the close frame.
"""

from __future__ import annotations

import base64
import hashlib
import json
import socket
import socketserver
import struct
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
BLOCK = 10_000
"""Distinct messages; a longer flood repeats them."""
CLOSE = bytes([0x88, 2]) + struct.pack("!H", 1000)


def message(number: int) -> bytes:
    """About 120 bytes of JSON."""
    return (
        f'{{"seq":{1_000_000 + number},"type":"sensor-{number % 20:02d}","value":{10 + number % 4000 / 100:05.2f},'
        f'"unit":"C","status":"ok","place":"hall-{number % 10}/rack-{10 + number % 54}","pad":"xxxxxxxx"}}'
    ).encode()


def frame(payload: bytes) -> bytes:
    """One unmasked text frame (RFC 6455, section 5.2)."""
    if len(payload) < 126:
        return bytes([0x81, len(payload)]) + payload
    return bytes([0x81, 126]) + struct.pack("!H", len(payload)) + payload


FRAMES = [frame(message(number)) for number in range(BLOCK)]
WHOLE = b"".join(FRAMES)


class Handler(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        client: socket.socket = self.request
        head = b""
        while b"\r\n\r\n" not in head:
            piece = client.recv(65_536)
            if not piece:
                return
            head += piece
        lines = head.decode("latin-1").split("\r\n")
        headers = {k.strip().lower(): v.strip() for k, _, v in (line.partition(":") for line in lines[1:])}
        count = int(parse_qs(urlsplit(lines[0].split(" ")[1]).query).get("n", ["1000"])[0])
        accept = base64.b64encode(hashlib.sha1(headers["sec-websocket-key"].encode() + GUID).digest())  # noqa: S324
        client.sendall(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n"
        )
        began = time.monotonic()
        for _ in range(count // BLOCK):
            client.sendall(WHOLE)
        client.sendall(b"".join(FRAMES[: count % BLOCK]) + CLOSE)
        client.settimeout(120)
        while piece := client.recv(65_536):
            if piece[0] & 0x0F == 8:
                break
        print(json.dumps({"n": count, "seconds": time.monotonic() - began}), flush=True)


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away is no news."""


class Blaster:
    """The server in a child process."""

    module = "tests.benchmarks.blaster"

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, "-m", self.module], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        self.port = int(self._line()["port"])
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.terminate()
        self._process.communicate()

    def url(self, count: int) -> str:
        """Where `count` messages come from."""
        return f"ws://127.0.0.1:{self.port}/?n={count}"

    def rate(self) -> float:
        """Messages per second of the connection that ended last; waits for its end."""
        report = self._line()
        return float(report["n"] / report["seconds"])

    def _line(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line: dict[str, Any] = json.loads(self._process.stdout.readline())
        return line


class MqttBlaster(Blaster):
    """The same for MQTT; the topic of `url` says how many."""

    module = "tests.benchmarks.broker"

    def url(self, count: int) -> str:
        """Where `count` messages come from."""
        return f"mqtt://127.0.0.1:{self.port}/bench/{count}"


class SocketIOBlaster(Blaster):
    """The same for Socket.IO."""

    module = "tests.benchmarks.socketio_blaster"

    def url(self, count: int) -> str:
        """Where `count` events come from."""
        return f"socketio+http://127.0.0.1:{self.port}/?n={count}"

    def plain(self, count: int) -> str:
        """The same for other clients."""
        return self.url(count).removeprefix("socketio+")


class SseBlaster(Blaster):
    """The same for server-sent events."""

    module = "tests.benchmarks.sse_blaster"

    def url(self, count: int) -> str:
        """Where `count` events come from."""
        return f"sse+{self.plain(count)}"

    def plain(self, count: int) -> str:
        """The same for other clients."""
        return f"http://127.0.0.1:{self.port}/?n={count}"

    def prompt(self, end: str) -> str:
        """Where one event comes from, whose lines end with `end`: LF, CR or CRLF."""
        return f"sse+http://127.0.0.1:{self.port}/?end={end}"


class GrpcBlaster(Blaster):
    """The same for gRPC; the request says how many."""

    module = "tests.benchmarks.grpc_blaster"
    proto = Path(__file__).with_name("bench.proto")

    def url_of(self, method: str) -> str:
        """Where messages come from, framed as the method does it."""
        return f"grpc://127.0.0.1:{self.port}/bench.Blaster/{method}"


if __name__ == "__main__":
    with Server(("127.0.0.1", 0), Handler) as server:
        print(json.dumps({"port": server.server_address[1]}), flush=True)
        server.serve_forever()
