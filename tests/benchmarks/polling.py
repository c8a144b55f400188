"""Polling: how true the schedule is, and how many round trips a second a long poll makes."""

from __future__ import annotations

import json
import socketserver
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from typing import Any

from tests.benchmarks.measure import Figure, Scale, by_turns
from tests.benchmarks.process import RTUI, SUBJECT, folder, run


class Server(socketserver.ThreadingTCPServer):
    """Answers every request with its number, and notes when it came."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.times: list[float] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Server

    def do_GET(self) -> None:
        self.server.times.append(time.monotonic())
        body = json.dumps({"n": len(self.server.times), "status": "ok", "pad": "x" * 80}).encode()
        head = f"HTTP/1.1 {HTTPStatus.OK} OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        self.wfile.write(head.encode() + body)

    def log_message(self, *_: Any) -> None:
        """Nobody reads it."""


@contextmanager
def serving() -> Iterator[Server]:
    with Server() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def polling(scale: Scale) -> list[Figure]:
    """`rtui tail` on a server of this process; httpx in a loop beside it."""
    return [drift(scale), round_trips(scale)]


def drift(scale: Scale) -> Figure:
    """How far each of 60 polls is from where the first says that it should be."""
    polls, every = (5, 0.2) if scale.rounds == 1 else (60, 1.0)
    with folder() as place, serving() as server:
        schedule = ("--every", f"{every}s", "--count", str(polls + 1), "--format", "ndjson")
        run((*RTUI, "tail", f"poll+{server.url}", *schedule), place)
        first, *later = server.times
    off = [abs(1000 * (at - first - number * every)) for number, at in enumerate(later[:polls], 1)]
    assert len(off) == polls
    name = f"largest drift over {polls} polls, one every {every:g} s"
    return Figure(name=name, unit="ms", values=(max(off),), budget=50, sense="at most", n=polls)


def round_trips(scale: Scale) -> Figure:
    """A server that never holds a long poll: the next request at once, each answer printed."""
    count = 20 if scale.rounds == 1 else 2_000
    with folder() as place, serving() as server:

        def ours() -> float:
            server.times.clear()
            run((*RTUI, "tail", f"longpoll+{server.url}", "--count", str(count), "--format", "ndjson"), place, "out")
            assert (place / "out").read_bytes().count(b"\n") == count
            return (count - 1) / (server.times[count - 1] - server.times[0])

        def library() -> float:
            return float(run((*SUBJECT, "bare_poll", server.url, str(count)), place))

        values, references = by_turns(scale.rounds, ours, library)
    return Figure(
        name="long poll, answers printed", unit="1/s", values=values, references=references,
        against="bare httpx loop", budget=0.8, n=count,
    )  # fmt: skip
