"""The figures of one connection: messages, bytes, rate."""

from __future__ import annotations

import time
from array import array
from collections.abc import Callable, Sequence
from typing import Final

from rtui.core.record import Record

BUCKETS: Final = 30
"""Seconds of history, for the sparkline."""


class Meter:
    """Counts messages as they pass. Connection events are no messages."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock` gives seconds that never run backwards."""
        self.count = 0
        self.bytes = 0
        self._clock = clock
        self._buckets = array("Q", bytes(BUCKETS * 8))
        self._second = int(clock())

    def tap(self, records: Sequence[Record]) -> None:
        """Count a batch."""
        payloads = [record.payload for record in records if not record.kind]
        count = len(payloads)
        self.count += count
        self.bytes += sum(map(len, payloads))
        self._advance()
        self._buckets[self._second % BUCKETS] += count

    @property
    def rate(self) -> float:
        """Messages per second: the mean of the last second, which slides over the two that it touches."""
        part = self._advance()
        now, before = self._bucket(0), self._bucket(1)
        return now + before * (1.0 - part)

    def history(self) -> list[int]:
        """Messages in each of the last 30 seconds, oldest first; the last one is not over yet."""
        self._advance()
        return [self._bucket(age) for age in reversed(range(BUCKETS))]

    def _bucket(self, age: int) -> int:
        return self._buckets[(self._second - age) % BUCKETS]

    def _advance(self) -> float:
        """Empty the buckets of the seconds that passed; return how much of the present one is over (0 … 1)."""
        now = self._clock()
        second = int(now)
        for passed in range(max(self._second + 1, second - BUCKETS + 1), second + 1):
            self._buckets[passed % BUCKETS] = 0
        self._second = max(self._second, second)
        return now - second
