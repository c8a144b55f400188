"""The part of a lens that is in the picture of the log: all of it, or what there was when it was frozen. No widget."""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Sequence

from rtui.core.record import Record
from rtui.workbench.widgets.source import Rows

NOTHING: array[int] = array("q")


class Window:
    """Which rows there are, and the records of those on the screen, fetched once per paint."""

    def __init__(self) -> None:
        self.lens: Rows | None = None
        self.frozen_seq: int | None = None
        """The last row of a frozen picture; None lets it run on."""
        self.records: Sequence[Record] = ()
        """What `fetch` brought."""
        self.first = 0
        """The place of the first of them."""
        self._key: tuple[int, int, int] | None = None

    def show(self, lens: Rows | None) -> None:
        """Look at another lens."""
        self.lens = lens
        self.frozen_seq = None
        self.records = ()
        self.forget()

    def forget(self) -> None:
        """What was fetched may have changed."""
        self._key = None

    @property
    def seqs(self) -> array[int]:
        """The sequences of the lens, the frozen and the new ones alike."""
        return self.lens.seqs if self.lens is not None else NOTHING

    @property
    def count(self) -> int:
        """Rows in the picture."""
        return len(self.seqs) if self.frozen_seq is None else bisect_right(self.seqs, self.frozen_seq)

    def seq_at(self, index: int) -> int | None:
        """The row at a place, if there is one."""
        return self.seqs[index] if 0 <= index < self.count else None

    def index_of(self, seq: int) -> int:
        """The place of a row, or of the next one that there is."""
        return bisect_left(self.seqs, seq)

    def has(self, seq: int) -> bool:
        """Whether a row is in the picture."""
        return self.seq_at(self.index_of(seq)) == seq

    def later_than(self, seq: int) -> int:
        """How many rows there are after `seq`, in the picture or not."""
        return len(self.seqs) - bisect_right(self.seqs, seq)

    def fetch(self, first: int, count: int) -> bool:
        """Bring `records` to the rows at `first` … `first + count - 1`, as far as there are any; False if they are."""
        key = (first, count, self.count)
        if key == self._key:
            return False
        self._key = key
        self.first = first
        count = min(count, self.count - first)
        self.records = self.lens.rows(first, count) if self.lens is not None and count > 0 else ()
        return True

    def began(self) -> int:
        """When the first row was recorded, in nanoseconds; 0 if there is none."""
        rows = self.lens.rows(0, 1) if self.lens is not None else ()
        return rows[0].time if rows else 0
