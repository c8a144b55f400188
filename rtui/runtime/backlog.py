"""Messages that were handed over and are not on their way yet: a peer that stops to read must not fill the memory."""

from __future__ import annotations

import asyncio
import time
from typing import Final

MOST_BYTES: Final = 16 << 20
"""What may wait, in bytes of payload and channel and `EACH` for every message."""
EACH: Final = 2_000
"""What keeping one costs besides its bytes."""
PATIENCE: Final = 1.0
"""Seconds that a message may wait before anybody is told."""


class Backlog:
    """Who waits, and since when; the first to come are the first to go."""

    def __init__(self) -> None:
        self.bytes = 0
        self._waiting: dict[int, tuple[int, float]] = {}
        """Size and begin (monotonic seconds), by command."""
        self._moved = asyncio.Event()

    def __len__(self) -> int:
        return len(self._waiting)

    def __contains__(self, command: object) -> bool:
        return command in self._waiting

    def add(self, command: int, size: int) -> None:
        """A message was handed over."""
        self._waiting[command] = size + EACH, time.monotonic()
        self.bytes += size + EACH

    def done(self, command: int) -> None:
        """It went out, or never will; nothing if it does not wait."""
        if found := self._waiting.pop(command, None):
            self.bytes -= found[0]
            self._moved.set()

    def clear(self) -> int:
        """The attempt is over: none of them will go out. Returns how many waited."""
        count, self.bytes = len(self), 0
        self._waiting.clear()
        self._moved.set()
        return count

    def takes(self, size: int = 0) -> bool:
        """Whether one more message may be handed over. Where none waits, every size may."""
        return not self._waiting or self.bytes + size + EACH <= MOST_BYTES

    async def room(self, size: int = 0) -> None:
        """Until it takes a message of `size` bytes."""
        while not self.takes(size):
            self._moved.clear()
            await self._moved.wait()

    @property
    def late(self) -> int:
        """How many wait, if the first of them has done so for longer than anybody would expect; else 0."""
        if not self._waiting:
            return 0
        _, since = next(iter(self._waiting.values()))
        return len(self) if time.monotonic() - since > PATIENCE else 0
