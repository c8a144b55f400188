"""Scripts of HTTP servers for `peer.listening`."""

from __future__ import annotations

import socket
from collections.abc import Callable

from tests.hardening.peer import Script, linger, request

EVENTS = "Content-Type: text/event-stream"
JSON = "Content-Type: application/json"
CHUNKED = "Transfer-Encoding: chunked"
LAST = b"0\r\n\r\n"


def head(*headers: str, status: str = "200 OK") -> bytes:
    """The beginning of an answer."""
    return "\r\n".join([f"HTTP/1.1 {status}", *headers, "", ""]).encode("latin-1")


def chunk(data: bytes) -> bytes:
    """RFC 9112, section 7.1."""
    return b"%x\r\n%b\r\n" % (len(data), data)


def whole(body: bytes, *headers: str, status: str = "200 OK") -> bytes:
    """An answer with its length."""
    return head(*headers, f"Content-Length: {len(body)}", status=status) + body


def header(asked: bytes, name: str) -> str:
    """A header of a request, or empty."""
    lines = asked.decode("latin-1").split("\r\n")[1:]
    found = (line.partition(":")[2].strip() for line in lines if line.lower().startswith(f"{name.lower()}:"))
    return next(found, "")


def streams(*pieces: bytes, last: bytes = LAST, headers: tuple[str, ...] = (EVENTS,)) -> Script:
    """A stream with a chunk for each of `pieces`; without `last` it stays open."""

    def script(sock: socket.socket) -> None:
        request(sock)
        sock.sendall(head(*headers, CHUNKED) + b"".join(map(chunk, pieces)) + last)
        linger(sock)

    return script


def in_turn(*scripts: Script) -> Script:
    """Each connection plays the next of `scripts`; the last is played again and again."""
    left = list(scripts)

    def script(sock: socket.socket) -> None:
        (left.pop(0) if len(left) > 1 else left[0])(sock)

    return script


def serves(answer: Callable[[bytes], bytes]) -> Script:
    """Answers every request of a connection, which is kept, with what `answer` makes of its head."""

    def script(sock: socket.socket) -> None:
        while True:
            sock.sendall(answer(request(sock)))

    return script
