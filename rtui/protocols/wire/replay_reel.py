"""The rows of a capture in windows, read by other threads: neither its length nor the disk's pace touches the loop."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Final, TypeVar

import msgspec

from rtui.capture.prune import Capture
from rtui.capture.query import Filter
from rtui.capture.reader import LinkRow, Reader
from rtui.capture.salvage import Salvage
from rtui.core.fault import Failure, Fault
from rtui.core.record import Record

T = TypeVar("T")

MOST_ROWS: Final = 2_000
MOST_BYTES: Final = 4 << 20
"""What one window aims to hold at most."""
FILTERED: Final = 5_000
"""Sequences that a filter looks at for one window."""


class Span(msgspec.Struct, frozen=True):
    """A part of a capture, by sequence and by time."""

    first: int
    last: int
    begin: int
    end: int


class Window(msgspec.Struct, frozen=True):
    """Rows that follow each other, and where the next ones begin."""

    rows: Sequence[Record]
    next: int


class Looks:
    """Binary payloads as filters see them, by their looks: a capture names no message types."""

    def typed(self) -> Iterable[int]:
        """See `capture.meaning.Meaning`."""
        return ()

    def json(self, link: int, channel: str, payload: bytes, meta: str | None) -> bytes | None:  # noqa: ARG002 - they have no say
        """See `capture.meaning.Meaning`."""
        from rtui.payloads.meaning import meaning

        return meaning(payload, meta, None)


class Reel:
    """A capture as it was when it was opened. Its methods block: `work` runs them in a thread, one at a time."""

    def __init__(self, path: Path, found: Filter | None) -> None:
        """Open `path`.

        Raises:
            Failure: there is none, it is no capture, or of a newer version.
        """
        self.recording = Capture(path, 0, 0).in_use
        """Whether it is being recorded: then there are more rows by now."""
        self._reader = Salvage(path, Looks() if found is not None else None)
        self._filter = found
        self._lock = threading.Lock()
        self._checker: Reader | None = None
        self._closed = False
        self._count = 64
        self.links: Sequence[LinkRow] = self._reader.links()
        first, last = self._reader.bounds()
        self.span = self._between(first, last)

    def between(self, links: Sequence[int]) -> Span:
        """The part in which these connections have rows: all of it, if they are all there are."""
        if {link.id for link in self.links} <= set(links):
            return self.span
        ends = [end for link in links for end in self._ends(link)]
        return self._between(min(ends), max(ends)) if ends else Span(1, 0, self.span.begin, self.span.begin)

    def cut(self, span: Span, begin: int | None, end: int | None) -> Span:
        """The part of `span` between two times; None leaves that end."""
        first = span.first if begin is None else self.locate(begin)
        last = span.last if end is None else self.locate(end + 1) - 1
        opened = span.begin if begin is None else max(begin, span.begin)
        return Span(
            max(first, span.first), min(last, span.last), opened, span.end if end is None else min(end, span.end)
        )

    def locate(self, time: int) -> int:
        """The first row at `time` or later; behind the last, if there is none. Times ascend, or nearly so."""
        low, high = self.span.first, self.span.last + 1
        while low < high:
            middle = (low + high) // 2
            row = self._next(middle, high)
            if row is None or row.time >= time:
                high = middle
            else:
                low = row.seq + 1
        return low

    def window(self, seq: int, last: int) -> Window:
        """The rows from `seq` on, as many as are good to have at once."""
        if self._filter is not None:
            end = min(seq + FILTERED - 1, last)
            return Window(self._reader.window(self._reader.seqs(self._filter, None, seq, end)), end + 1)
        end = min(seq + self._count - 1, last)
        rows = self._reader.range(seq, end)
        size = sum(len(row.payload) for row in rows) // max(1, len(rows))
        self._count = max(16, min(MOST_ROWS, 2 * self._count, MOST_BYTES // max(1, size)))
        return Window(rows, end + 1)

    def verify(self) -> Fault | None:
        """What is wrong with the file; its damaged parts are stepped over."""
        try:
            with closing(Reader(self._reader.path)) as reader:
                self._checker = reader
                if not self._closed:  # a thread may come late
                    reader.verify()
        except Failure as failure:
            return failure.fault
        return None

    def close(self) -> None:
        """Free the file, whatever a thread is reading."""
        self._closed = True
        self._reader.interrupt()
        if self._checker is not None:
            with suppress(sqlite3.ProgrammingError):  # it has come to its end
                self._checker.interrupt()
        with self._lock:
            self._reader.close()

    def read(self, call: Callable[[], T]) -> asyncio.Future[T]:
        """Begin `call`, a method of this reel, in a thread."""
        return asyncio.get_running_loop().run_in_executor(None, self._alone, call)

    def _alone(self, call: Callable[[], T]) -> T:
        with self._lock:
            return call()

    def _between(self, first: int, last: int) -> Span:
        low, high = self._next(first, last + 1), self._before(last)
        return Span(first, last, low.time if low is not None else 0, high.time if high is not None else 0)

    def _ends(self, link: int) -> Iterator[int]:
        """The first and the last row of a connection."""
        for newest_first in (False, True):
            found = (seqs for seqs in self._reader.scan(None, link, newest_first=newest_first) if seqs)
            if (seqs := next(found, None)) is not None:
                yield seqs[-1] if newest_first else seqs[0]

    def _next(self, seq: int, below: int) -> Record | None:
        """The first row at `seq` or later that can be read, below another."""
        step = 1
        while seq < below:
            rows = self._reader.range(seq, min(seq + step - 1, below - 1))
            if rows:
                return rows[0]
            seq, step = seq + step, min(step * 2, 1 << 10)
        return None

    def _before(self, seq: int) -> Record | None:
        """The last row at `seq` or earlier that can be read."""
        step = 1
        while seq > 0:
            rows = self._reader.range(max(1, seq - step + 1), seq)
            if rows:
                return rows[-1]
            seq, step = seq - step, min(step * 2, 1 << 10)
        return None


async def opened(path: Path, found: Filter | None) -> Reel:
    """The reel of `path`.

    Raises:
        Failure: as `Reel`.
    """
    future = asyncio.get_running_loop().run_in_executor(None, Reel, path, found)
    try:
        return await asyncio.shield(future)
    except asyncio.CancelledError:
        future.add_done_callback(_shut)
        raise


def _shut(future: asyncio.Future[Reel]) -> None:
    """Nobody waits for it any more."""
    if not future.cancelled() and future.exception() is None:
        future.result().close()
