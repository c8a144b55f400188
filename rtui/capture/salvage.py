"""What can still be read of a capture that is damaged."""

from __future__ import annotations

import sqlite3
from array import array
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, TypeVar

from rtui.capture.meaning import Meaning
from rtui.capture.past import Key
from rtui.capture.query import Filter
from rtui.capture.reader import LAST, Reader
from rtui.core.record import Record

T = TypeVar("T")
D = TypeVar("D")

STEP: Final = 32
"""Sequences that are given up together where one of them cannot be read."""


class Salvage(Reader):
    """A reader that steps over what is damaged. What is whole costs nothing more; `verify` tells which it is."""

    def __init__(self, path: Path, meaning: Meaning | None = None) -> None:
        """As `Reader`."""
        super().__init__(path, meaning)
        self._ends: tuple[int, int] | None = None
        self._ends = self.bounds()

    def bounds(self) -> tuple[int, int]:
        """See `Reader.bounds`."""
        if (found := _unless_damaged(super().bounds, None)) is not None:
            return found
        try:
            return 1, self._connection.execute("SELECT max(seq) FROM records").fetchone()[0]
        except sqlite3.DatabaseError:
            if self._ends is None:
                raise
            return self._ends  # it was whole when it was opened

    def count(self, found: Filter | None = None, link: int | None = None) -> int:
        """See `Reader.count`."""
        return _unless_damaged(lambda: super(Salvage, self).count(found, link), None) or len(self.seqs(found, link))

    def range(self, first: int, last: int) -> list[Record]:
        """See `Reader.range`."""
        low, high = self._within(first, last)
        return self._by_halves(super().range, low, high, [])

    def window(self, seqs: Sequence[int]) -> list[Record]:
        """See `Reader.window`."""
        found = _unless_damaged(lambda: super(Salvage, self).window(seqs), None)
        return [record for seq in seqs for record in self.range(seq, seq)] if found is None else found

    def newest(self, key: Key, first: int, last: int, count: int) -> list[Record]:
        """See `Reader.newest`."""
        return _unless_damaged(lambda: super(Salvage, self).newest(key, first, last, count), [])

    def of_link(self, link: int, first: int, last: int) -> list[Record]:
        """See `Reader.of_link`."""
        return [record for record in self.range(first, last) if record.link == link]

    def opening(self, link: int, first: int, last: int) -> int | None:
        """See `Reader.opening`."""
        return _unless_damaged(lambda: super(Salvage, self).opening(link, first, last), None)

    def seqs(
        self, found: Filter | None = None, link: int | None = None, first: int = 1, last: int = LAST
    ) -> array[int]:
        """See `Reader.seqs`."""
        low, high = self._within(first, last)
        return self._by_halves(
            lambda low, high: super(Salvage, self).seqs(found, link, low, high), low, high, array("q")
        )

    match = seqs

    def answered(self, found: Filter, link: int | None, first: int, last: int) -> tuple[array[int], set[int]]:
        """See `Reader.answered`."""
        nothing: tuple[array[int], set[int]] = array("q"), set()
        return _unless_damaged(lambda: super(Salvage, self).answered(found, link, first, last), nothing)

    def _within(self, first: int, last: int) -> tuple[int, int]:
        low, high = self._ends or self.bounds()
        return max(first, low), min(last, high)

    def _by_halves(self, read: Callable[[int, int], T], low: int, high: int, nothing: T) -> T:
        """What `read` gives for `low` … `high`, without the parts that cannot be read."""
        found = _unless_damaged(lambda: read(low, high), None)
        if found is not None:
            return found
        if high - low < STEP:
            return nothing
        middle = (low + high) // 2
        halves = self._by_halves(read, low, middle, nothing), self._by_halves(read, middle + 1, high, nothing)
        return halves[0] + halves[1]  # type: ignore[operator, no-any-return] # lists, or arrays


def _unless_damaged(read: Callable[[], T], otherwise: D) -> T | D:
    """What `read` gives; what is wrong besides damage is raised on, as the end of an interrupted query."""
    try:
        return read()
    except sqlite3.OperationalError:
        raise
    except sqlite3.DatabaseError:
        return otherwise
