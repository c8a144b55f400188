"""An SSE server that costs nothing: N events that were encoded beforehand, each in a chunk of its own, then the end.

    http://127.0.0.1:PORT/?n=100000      n events with an id and about 120 bytes of JSON
    http://127.0.0.1:PORT/?end=CR        one event with the time of its writing; LF, CR or CRLF ends its lines

Whoever comes back with a Last-Event-ID gets a 204: "that was all". Runs as a process of its own. For each stream of N
it prints one JSON line: seconds from the first event until the client went away, which all do when the stream ends.
"""

from __future__ import annotations

import contextlib
import json
import socket
import socketserver
import time
from typing import Final
from urllib.parse import parse_qs, urlsplit

from tests.benchmarks.blaster import BLOCK, Server, message

HEAD: Final = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-cache\r\nConnection: close\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n"
)
GONE: Final = b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n"
LAST: Final = b"0\r\n\r\n"
QUIET: Final = 0.05
"""Seconds between the head and the first event of a prompt stream: the client has nothing else to do by then."""
ENDS: Final = {"LF": b"\n", "CR": b"\r", "CRLF": b"\r\n"}


def chunk(data: bytes) -> bytes:
    """RFC 9112, section 7.1."""
    return b"%x\r\n%b\r\n" % (len(data), data)


EVENTS: Final = [chunk(b"id: %d\ndata: %b\n\n" % (number, message(number))) for number in range(BLOCK)]
WHOLE: Final = b"".join(EVENTS)


class Handler(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        client: socket.socket = self.request
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        client.settimeout(120)
        head = self._head()
        wanted = parse_qs(urlsplit(head.split(" ", 2)[1]).query)
        if "\r\nlast-event-id:" in head.lower():
            client.sendall(GONE)
        elif "end" in wanted:
            self._prompt(ENDS[wanted["end"][0]])
        else:
            self._blast(int(wanted["n"][0]))

    def _head(self) -> str:
        head = b""
        while b"\r\n\r\n" not in head:
            if not (piece := self.request.recv(65_536)):
                raise ConnectionError
            head += piece
        return head.decode("latin-1")

    def _prompt(self, end: bytes) -> None:
        """One event that says when it was written, in nanoseconds of the machine's monotonic clock; no id, so it is
        asked for again when the stream ends."""
        self.request.sendall(HEAD + chunk(b"retry: 1\n\n"))
        time.sleep(QUIET)
        self.request.sendall(chunk(b"data: %d%b%b" % (time.monotonic_ns(), end, end)))
        time.sleep(QUIET)  # a reader that waits for what follows the CR is found out: the end would let it go on
        self.request.sendall(LAST)

    def _blast(self, count: int) -> None:
        self.request.sendall(HEAD + chunk(b"retry: 1\n\n"))
        began = time.monotonic()
        with contextlib.suppress(ConnectionError):
            for _ in range(count // BLOCK):
                self.request.sendall(WHOLE)
            self.request.sendall(b"".join(EVENTS[: count % BLOCK]) + LAST)
            self.request.shutdown(socket.SHUT_WR)
            self.request.recv(65_536)
        print(json.dumps({"n": count, "seconds": time.monotonic() - began}), flush=True)


if __name__ == "__main__":
    with Server(("127.0.0.1", 0), Handler) as server:
        print(json.dumps({"port": server.server_address[1]}), flush=True)
        server.serve_forever()
