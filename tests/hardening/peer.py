"""Raw peers on loopback: each connection plays a script on a bare socket, in a thread of its own."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeAlias

from tests.waiting import PATIENCE

Script: TypeAlias = Callable[[socket.socket], None]

TEXT, BINARY, CLOSE, PING, PONG = 0x1, 0x2, 0x8, 0x9, 0xA


@contextlib.contextmanager
def listening(script: Script, context: ssl.SSLContext | None = None, backlog: int = 64, port: int = 0) -> Iterator[int]:
    """The port of a server that plays `script` on every connection."""
    with socket.create_server(("127.0.0.1", port), backlog=backlog) as server:
        accepted: list[socket.socket] = []
        threading.Thread(target=_serve, args=(server, script, context, accepted), daemon=True).start()
        try:
            yield server.getsockname()[1]
        finally:
            # A blocked accept() does not notice that its socket is closed.
            with contextlib.suppress(OSError):
                server.shutdown(socket.SHUT_RDWR)
            for sock in accepted:
                sock.close()


@contextlib.contextmanager
def refusing() -> Iterator[int]:
    """A port where nobody listens, and that nobody else gets meanwhile."""
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        yield holder.getsockname()[1]


def _serve(
    server: socket.socket, script: Script, context: ssl.SSLContext | None, accepted: list[socket.socket]
) -> None:
    while True:
        try:
            sock, _ = server.accept()
        except OSError:
            return
        accepted.append(sock)
        threading.Thread(target=_play, args=(sock, script, context), daemon=True).start()


def _play(sock: socket.socket, script: Script, context: ssl.SSLContext | None) -> None:
    try:
        with context.wrap_socket(sock, server_side=True) if context else sock as served:
            served.settimeout(10 * PATIENCE)
            script(served)
    except OSError:
        return  # the client left, or the test is over


def request(sock: socket.socket) -> bytes:
    """The head of the client's request."""
    head = b""
    while b"\r\n\r\n" not in head:
        if not (part := sock.recv(65_536)):
            raise ConnectionError
        head += part
    return head


def upgrade(sock: socket.socket, *headers: str) -> bytes:
    """Accept the handshake, with `headers` added; returns the request."""
    head = request(sock)
    sock.sendall(switching(head, *headers))
    return head


def switching(head: bytes, *headers: str) -> bytes:
    """The answer that accepts the handshake of `head`."""
    keys = [line for line in head.split(b"\r\n") if line.lower().startswith(b"sec-websocket-key:")]
    if not keys:
        return b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"
    (key,) = keys
    digest = hashlib.sha1(key.partition(b":")[2].strip() + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest()  # noqa: S324 - RFC 6455 §4.2.2
    accept = base64.b64encode(digest).decode()
    lines = ["HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade"]
    return "\r\n".join([*lines, f"Sec-WebSocket-Accept: {accept}", *headers, "", ""]).encode("latin-1")


def frame(opcode: int, payload: bytes = b"", *, fin: bool = True, rsv: int = 0) -> bytes:
    """One frame of a server (RFC 6455 §5.2: not masked)."""
    first, size = (0x80 if fin else 0) | rsv | opcode, len(payload)
    if size <= 125:
        return bytes((first, size)) + payload
    if size <= 0xFFFF:
        return struct.pack("!BBH", first, 126, size) + payload
    return struct.pack("!BBQ", first, 127, size) + payload


def closing(code: int, reason: bytes = b"") -> bytes:
    return frame(CLOSE, struct.pack("!H", code) + reason)


def reset(sock: socket.socket) -> None:
    """Close with RST instead of FIN, when the client has read all: the kernel would throw the rest away."""
    while _unread(sock):
        time.sleep(0.001)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


def _unread(sock: socket.socket) -> bool:
    """Whether bytes wait at the other end of a connection on loopback; unknown where there is no /proc/net/tcp."""
    ours, theirs = (f"0100007F:{address[1]:04X}" for address in (sock.getsockname(), sock.getpeername()))
    try:
        rows = [line.split() for line in Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()]
    except OSError:
        time.sleep(0.05)
        return False
    return any(row[1:3] == [theirs, ours] and not row[4].endswith(":00000000") for row in rows)


def linger(sock: socket.socket) -> None:
    """Read until the client leaves: a socket closed with unread bytes would be reset."""
    with contextlib.suppress(OSError):
        while sock.recv(65_536):
            pass


def hang(_: socket.socket) -> None:
    """Never answer."""
    time.sleep(10 * PATIENCE)


def sends(*frames: bytes, headers: tuple[str, ...] = ()) -> Script:
    """Accept, send `frames`, then wait for the client to leave."""

    def script(sock: socket.socket) -> None:
        upgrade(sock, *headers)
        sock.sendall(b"".join(frames))
        linger(sock)

    return script


def answers(response: bytes) -> Script:
    """Answer the handshake with `response`."""

    def script(sock: socket.socket) -> None:
        request(sock)
        sock.sendall(response)
        sock.shutdown(socket.SHUT_WR)
        linger(sock)

    return script
