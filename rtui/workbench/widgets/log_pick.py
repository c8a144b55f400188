"""Which rows of the log are marked and which are selected. No widget here."""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable


class Picks:
    """Sequences that the user picked: marks stay with the log, a selection lasts until the next one."""

    def __init__(self) -> None:
        self.marks: set[int] = set()
        self.selected: set[int] = set()
        self.anchor: int | None = None
        """Where a selection that grows began."""

    def clear(self) -> None:
        """Select nothing."""
        self.selected.clear()
        self.anchor = None

    def toggle(self, seq: int) -> None:
        """Select or deselect one row; what follows grows from it."""
        self.selected ^= {seq}
        self.anchor = seq

    def begin(self, seq: int) -> None:
        """A selection grows from `seq`, in place of what was selected."""
        self.selected = {seq}
        self.anchor = seq

    def stand(self, seq: int | None) -> None:
        """A selection may begin to grow at `seq`, if none is growing yet."""
        if self.anchor is None or not self.selected:
            self.anchor = seq

    def extend(self, seqs: array[int], seq: int) -> None:
        """Select everything between the anchor and `seq`."""
        low, high = sorted((self.anchor or 0, seq))
        self.selected = set(seqs[bisect_left(seqs, low) : bisect_right(seqs, high)])


def neighbour(seqs: Iterable[int], here: int, step: int) -> int | None:
    """The next (1) or previous (-1) of `seqs` from `here`, around the ends."""
    order = sorted(seqs)
    if not order:
        return None
    place = bisect_right(order, here) if step > 0 else bisect_left(order, here) - 1
    return order[place % len(order)]
