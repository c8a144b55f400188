"""A view on a capture: the sequences that a filter lets through, in order, kept up to date in small steps.

What was stored when the lens was made is scanned newest first, by a thread of its own; what comes later is taken in
by `refresh`, without a filter as soon as it has arrived, with one as soon as it is stored. The list belongs to the
thread that calls `refresh`: the scan only hands over chunks.
"""

from __future__ import annotations

import contextlib
import sqlite3
import threading
import time
from array import array
from bisect import bisect_left, insort
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Final

from rtui.core.fault import Failure
from rtui.core.record import Kind, Record

if TYPE_CHECKING:
    from rtui.capture.journal import Journal
    from rtui.capture.query import Filter
    from rtui.capture.reader import Reader

BUDGET: Final = 0.005
"""Seconds that one `refresh` may take, roughly."""
FIRST_LOOK: Final = 0.015
"""Seconds that `start` waits for the first chunk: a view that is empty until the next frame flickers."""
FIRST_CHUNK: Final = 4_000
LAST_CHUNK: Final = 64_000
_STEP: Final = 2_000
"""Sequences per query inside `refresh`, at most."""
_SLICE: Final = 250
"""The fewest, and those of the first slice of a search: a filter may take 5 µs a row and more."""


class Lens:
    """The rows of one link or of all, filtered or not."""

    def __init__(
        self,
        journal: Journal | None,
        reader: Reader,
        link: int | None = None,
        found: Filter | None = None,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        """`journal` is None for a capture that is only read; `reader` is used in the caller's thread alone."""
        self.seqs: array[int] = array("q")
        self.revision = 0
        """Rises whenever `seqs` changes."""
        self.trouble = ""
        """Why not all could be read: the disk, or what happened to the file meanwhile."""
        self.link = link
        self.found = found
        self._journal = journal
        self._reader = reader
        self._clock = clock
        self._horizon = self._stored()
        self._upto = self._horizon
        self._below = self._horizon
        """Sequences up to here are still to be scanned."""
        self._step = _STEP
        self._older: deque[tuple[int, array[int]]] = deque()
        self._cancelled = threading.Event()
        self._looked = threading.Event()
        """The scan has handed over its first chunk, or has ended."""
        self._thread: threading.Thread | None = None
        self._scanning: Reader | None = None
        self._settled = self._horizon
        """Answers up to here have been told to a filter that they move (`Filter.moves`)."""
        self._shown: dict[int, Record] = {}

    # Looking at what was there

    def start(self) -> None:
        """Scan in a thread; without one, `refresh` does."""
        if self.done or self._thread is not None:
            return
        try:
            self._scanning = self._reader.fork()
        except Failure as failure:
            self.trouble, self._below = failure.fault.cause, 0
            return
        self._thread = threading.Thread(target=self._scan, args=(self._scanning,), name="lens-scan", daemon=True)
        self._thread.start()
        self._looked.wait(FIRST_LOOK)

    def cancel(self) -> None:
        """Stop the scan; what was found stays."""
        self._cancelled.set()
        if self._thread is not None and self._thread.is_alive() and self._scanning is not None:
            with contextlib.suppress(sqlite3.ProgrammingError):  # it has just ended
                self._scanning.interrupt()

    @property
    def done(self) -> bool:
        """Whether everything that was stored before has been looked at."""
        return self._below <= 0

    @property
    def progress(self) -> float:
        """How much of that has been looked at, 0 … 1."""
        return 1.0 if not self._horizon else 1.0 - max(0, self._below) / self._horizon

    def _scan(self, reader: Reader) -> None:
        below, size = self._horizon, FIRST_CHUNK
        try:
            while below > 0 and not self._cancelled.is_set():
                first = max(1, below - size + 1)
                self._older.append((first - 1, reader.seqs(self.found, self.link, first, below)))
                self._looked.set()
                below, size = first - 1, min(size * 2, LAST_CHUNK)
        except sqlite3.Error as error:
            if not self._cancelled.is_set():
                self.trouble = str(error)
                self._older.append((0, array("q")))
        finally:
            self._looked.set()
            reader.close()

    # Keeping up

    def refresh(self) -> bool:
        """Take in what is new and what the scan has found; returns whether `seqs` changed."""
        before, moved = len(self.seqs), False
        deadline = self._clock() + BUDGET
        try:
            self._take_newer(deadline)
            self._take_older(deadline)
            moved = self._settle(deadline)
        except sqlite3.DatabaseError as error:
            self.trouble = str(error)
        if len(self.seqs) == before and not moved:
            return False
        self.revision += 1
        return True

    def _take_newer(self, deadline: float) -> None:
        stored = self._stored()
        while True:
            if self._journal is not None and self.found is None:
                fresh = self._journal.fresh(self._upto, self.link)
                if fresh is not None:
                    self.seqs.extend(fresh)
                    self._upto = self._journal.last
                    return
            if self._upto >= stored:
                return
            last = min(stored, self._upto + self._step)
            self.seqs.extend(self._ask(self._upto + 1, last))
            self._upto = last
            if self._clock() > deadline:
                return

    def _take_older(self, deadline: float) -> None:
        """Put before the list what the scan has found; or scan, if no thread does."""
        found: list[array[int]] = []
        while self._older:
            self._below, seqs = self._older.popleft()
            found.append(seqs)
        if self._thread is None and not self._cancelled.is_set():
            while self._below > 0 and self._clock() < deadline:
                first = max(1, self._below - self._step + 1)
                found.append(self._ask(first, self._below))
                self._below = first - 1
        if any(found):
            older = array("q")
            for seqs in reversed(found):
                older.extend(seqs)
            self.seqs[0:0] = older

    def _ask(self, first: int, last: int) -> array[int]:
        """What matches in `first` … `last`. The next step is longer or shorter, by how long this one took."""
        began = self._clock()
        seqs = self._reader.seqs(self.found, self.link, first, last)
        took = self._clock() - began
        if took > BUDGET / 2:
            self._step = max(self._step // 2, _SLICE)
        elif took < BUDGET / 4:
            self._step = min(self._step * 2, _STEP)
        return seqs

    def _settle(self, deadline: float) -> bool:
        """Look again at the rows that were answered meanwhile; returns whether any came or went.

        Not before the scan has ended: what it finds may have been answered since.
        """
        moved = False
        if self.found is None or not self.found.moves:
            return moved
        while self.done and self._settled < self._upto:
            last = min(self._upto, self._settled + _STEP)
            answered, matching = self._reader.answered(self.found, self.link, self._settled + 1, last)
            for seq in answered:
                moved |= self._put(seq, there=seq in matching)
            self._settled = last
            if self._clock() > deadline:
                break
        return moved

    def _put(self, seq: int, *, there: bool) -> bool:
        """Have `seq` in the list or not; returns whether that is new."""
        at = self.index_of(seq)
        if there == (at is not None):
            return False
        if at is not None:
            del self.seqs[at]
        else:
            insort(self.seqs, seq)
        return True

    def _stored(self) -> int:
        return self._journal.committed if self._journal is not None else self._reader.bounds()[1]

    # Reading

    @property
    def newest(self) -> int | None:
        """The last sequence of the list."""
        return self.seqs[-1] if self.seqs else None

    def index_of(self, seq: int) -> int | None:
        """Where `seq` stands in the list, if it does."""
        at = bisect_left(self.seqs, seq)
        return at if at < len(self.seqs) and self.seqs[at] == seq else None

    def rows(self, first: int, count: int) -> list[Record]:
        """The records at `first` … `first + count - 1` of the list, as far as there are any."""
        wanted = self.seqs[max(0, first) : max(0, first + count)]
        known = {seq: record for seq in wanted if (record := self._remembered(seq)) is not None}
        missing = [seq for seq in wanted if seq not in known]
        if missing:
            known.update((record.seq, record) for record in self._read(missing))
        self._shown = known
        return [known.get(seq) or _lost(seq, self.link, self.trouble) for seq in wanted]

    def _read(self, seqs: Sequence[int]) -> list[Record]:
        try:
            return self._reader.window(seqs)
        except sqlite3.DatabaseError as error:
            self.trouble = str(error)
            return []

    def search(self, found: Filter, here: int, step: int) -> int | None:
        """The next sequence of the list after `here` (`step` > 0) or before it that matches; None if there is none."""
        return next((hit for hit in self.hunt(found, here, step) if hit is not None), None)

    def hunt(self, found: Filter, here: int, step: int) -> Iterator[int | None]:
        """`search` in slices of about `BUDGET`: None after each, then the hit if there is one.

        Whoever drives it decides what happens between two slices, and cancels it by not going on.
        """
        if not self.seqs:
            return
        oldest, newest = self.seqs[0], min(self._stored(), self.seqs[-1])
        at = max(here + 1, oldest) if step > 0 else min(here - 1, newest)
        size = _SLICE
        while oldest <= at <= newest:
            began = self._clock()
            first, last = (at, min(at + size, newest)) if step > 0 else (max(at - size, oldest), at)
            hits = self._reader.seqs(found, self.link, first, last)
            for seq in hits if step > 0 else reversed(hits):
                if self.index_of(seq) is not None:
                    yield seq
                    return
            at = last + 1 if step > 0 else first - 1
            size = min(size * 2, LAST_CHUNK) if self._clock() - began < BUDGET / 2 else max(size // 2, _SLICE)
            yield None

    def _remembered(self, seq: int) -> Record | None:
        if (record := self._shown.get(seq)) is not None:
            return record
        return self._journal.get(seq) if self._journal is not None else None


def _lost(seq: int, link: int | None, trouble: str) -> Record:
    """What stands for a record that memory had to give up before it could be stored, or that cannot be read."""
    text = f"cannot be read: {trouble}" if trouble else "not stored: the capture could not be written"
    return Record(seq, 0, link or 0, int(Kind.NOTICE), 0, "", text.encode())
