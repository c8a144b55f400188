"""Events between a socket and the reader of its link; imports no library."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from rtui.core.event import Event

MOST_EVENTS: Final = 8192
MOST_BYTES: Final = 4 * 1024**2


class Inbox:
    """Bounded by holding the socket: nothing is dropped, the peer has to wait."""

    def __init__(self, hold: Callable[[bool], None] = lambda _: None) -> None:
        """See `attach`."""
        self.closed = False
        self._events: list[Event] = []
        self._size = 0
        self._waiter: asyncio.Future[None] | None = None
        self._hold = hold

    def attach(self, hold: Callable[[bool], None]) -> None:
        """`hold(True)` must stop the socket's reads, `hold(False)` let them go on."""
        self._hold = hold

    def put(self, events: list[Event], size: int) -> None:
        """Add what was read; `size` is its bytes."""
        if self._events:
            self._events += events
        else:
            self._events = events
        self._size += size
        if self._size > MOST_BYTES or len(self._events) > MOST_EVENTS:
            self._hold(True)
        self._wake()

    def close(self) -> None:
        """Nothing more will come."""
        self.closed = True
        self._wake()

    async def take(self) -> list[Event]:
        """Everything that waits, in order; empty only at the end. One reader at a time."""
        while not self._events and not self.closed:
            self._waiter = asyncio.get_running_loop().create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None
        events, self._events, self._size = self._events, [], 0
        self._hold(False)
        return events

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
