"""Earlier messages of one channel, or a run of one link: from memory at once, from the file in bounded time.

Captures have no index of channels (it would cost every message that is recorded), so the file is read backwards from
where one stands, in growing steps, until enough was found or the time is up.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Final, NamedTuple

from rtui.capture.meaning import meant
from rtui.core.record import Kind, Record

if TYPE_CHECKING:
    from rtui.capture.journal import Journal
    from rtui.capture.reader import Reader

PATIENCE: Final = 2.0
"""Seconds that a search in the file may take."""
FIRST_STEP: Final = 20_000
LAST_STEP: Final = 500_000
"""Sequences per query: time between two looks at the clock."""
BATCH: Final = 200
"""Records per answer: payloads may be large."""
STRIDE: Final = 2_000
"""Sequences per answer where all records of a link are wanted."""


class Key(NamedTuple):
    """Whose messages: those of one channel, one way."""

    link: int
    channel: str
    direction: int

    def fits(self, record: Record) -> bool:
        """Whether it is a message of these."""
        return (
            record.channel == self.channel
            and record.link == self.link
            and record.direction == self.direction
            and not record.kind
        )


def key_of(record: Record) -> Key | None:
    """What `record` is one of; None for what is no message."""
    return Key(record.link, record.channel, record.direction) if record.kind == Kind.MESSAGE else None


class Past:
    """Looks back. `stored`, `stored_before` and `run` are for another thread, everything else for the loop's."""

    def __init__(self, reader: Reader, journal: Journal | None = None) -> None:
        """`journal` is None for a capture that is only read."""
        self._reader = reader
        self._journal = journal

    def meant(self, record: Record) -> bytes:
        """The JSON that its payload is or means; the payload itself where that is neither."""
        return meant(record, self._reader.meaning)

    @property
    def last(self) -> int:
        """The newest sequence."""
        return self._journal.last if self._journal is not None else self._reader.bounds()[1]

    @property
    def floor(self) -> int:
        """From this sequence on everything is in memory; below it, in the file."""
        if self._journal is None:
            return self.last + 1
        return self._journal.tail.first or self._journal.last + 1

    @property
    def behind(self) -> bool:
        """Whether the file does not reach up to `floor` yet: what lies between cannot be found now."""
        return self._journal is not None and self._journal.committed < self.floor - 1

    def held(self, key: Key, below: int) -> Iterator[Record]:
        """The messages in memory with sequences below `below`, newest first."""
        if self._journal is not None:
            for record in reversed(self._journal.tail.since(self._journal.tail.first)):
                if record.seq < below and key.fits(record):
                    yield record

    def since(self, key: Key, seq: int) -> list[Record]:
        """The messages in memory from `seq` on, oldest first."""
        if self._journal is None:
            return []
        return [record for record in self._journal.tail.since(seq) if key.fits(record)]

    def held_opening(self, link: int, seq: int) -> int | None:
        """Where `link` was opened last at or before `seq`, if memory holds that."""
        if self._journal is None:
            return None
        held = self._journal.tail.since(self._journal.tail.first)
        opened = (one.seq for one in reversed(held) if one.kind == Kind.OPEN and one.link == link and one.seq <= seq)
        return next(opened, None)

    def next_of(self, link: int, first: int, count: int) -> tuple[list[Record], int]:
        """The records of `link` among the `count` sequences from `first` on, and the last that was looked at.

        That is `first - 1` if nothing has come, or if what comes next is neither in memory any more nor stored yet.
        """
        if (floor := self.floor) > first or self._journal is None:  # a file that is written is not asked twice
            last = min(first + count, floor) - 1
            if self._journal is not None:
                last = min(last, self._journal.committed)
            return (self._reader.of_link(link, first, last) if last >= first else []), max(last, first - 1)
        last = min(first + count - 1, self.last)
        held = self._journal.tail.since(first)[:count]
        return [record for record in held if record.link == link and record.seq <= last], max(last, first - 1)

    def run(
        self,
        link: int,
        seq: int,
        *,
        patience: float = PATIENCE,
        clock: Callable[[], float] = time.monotonic,
        cancelled: threading.Event | None = None,
    ) -> Iterator[tuple[list[Record], int]]:
        """The stored records of `link` from its last opening at or before `seq` on, and how far each batch reaches.

        For another thread. If the opening is not found in time, they begin as far back as was looked.
        """
        reader = self._reader.fork()
        try:
            lowest, last = reader.bounds()
            at = _opening(reader, link, (max(lowest, 1), seq), clock() + patience, clock)
            while at <= last and not (cancelled is not None and cancelled.is_set()):
                upto = min(at + STRIDE - 1, last)
                yield reader.of_link(link, at, upto), upto
                at = upto + 1
        finally:
            reader.close()

    def between(self, key: Key, first: int, last: int, count: int) -> list[Record]:
        """The newest `count` messages in the file with sequences `first` … `last`, oldest first. For few sequences."""
        return self._reader.newest(key, first, last, count)[::-1]

    def stored(
        self,
        key: Key,
        below: int,
        *,
        patience: float = PATIENCE,
        clock: Callable[[], float] = time.monotonic,
        cancelled: threading.Event | None = None,
    ) -> Iterator[list[Record]]:
        """The messages in the file with sequences below `below`, newest first, in batches.

        Ends when there are no more, or when the time is up: then with an empty batch.
        """
        deadline = clock() + patience
        reader = self._reader.fork()
        try:
            lowest = max(reader.bounds()[0], 1)
            step = FIRST_STEP
            while below > lowest:
                if clock() > deadline or (cancelled is not None and cancelled.is_set()):
                    yield []
                    return
                first = max(lowest, below - step)
                found = reader.newest(key, first, below - 1, BATCH)
                if found:
                    yield found
                below = found[-1].seq if len(found) == BATCH else first
                step = min(step * 2, LAST_STEP)
        finally:
            reader.close()

    def before(self, record: Record) -> Record | None:
        """The message before `record` on its channel, if it is in memory."""
        key = key_of(record)
        return next(self.held(key, record.seq), None) if key is not None else None

    def stored_before(self, record: Record, cancelled: threading.Event | None = None) -> Record | None:
        """The message before `record` on its channel, if it is found in the file in time."""
        key = key_of(record)
        if key is None:
            return None
        return next((found[0] for found in self.stored(key, record.seq, cancelled=cancelled) if found), None)


def _opening(reader: Reader, link: int, bounds: tuple[int, int], deadline: float, clock: Callable[[], float]) -> int:
    """Where `link` was opened last within `bounds`; if that is not found in time, how far back one has looked."""
    lowest, below = bounds[0], bounds[1] + 1
    step = FIRST_STEP
    while below > lowest:
        first = max(lowest, below - step)
        found = reader.opening(link, first, below - 1)
        if found is not None or clock() > deadline:
            return first if found is None else found
        below, step = first, min(step * 2, LAST_STEP)
    return lowest
