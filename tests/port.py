"""Ports of the loopback that belong to one test."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def reserved() -> Iterator[int]:
    """A port that nobody listens on, until a server of the test does, and again when that is gone.

    A free port that was only found may be another process's a moment later. This one is bound all the time: nothing
    else is given it, and whoever connects is refused. Linux lets a server of SO_REUSEADDR listen on it nevertheless.
    """
    with socket.socket() as held:
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]
