"""What the panes ask of the models behind them, structurally: a small class does as well as the real one."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from typing import Protocol

from rtui.core.record import Record


class Rows(Protocol):
    """A list of sequences in ascending order, and the records behind them (`capture.lens.Lens`)."""

    seqs: array[int]
    revision: int

    def refresh(self) -> object:
        """Take in what came since the last call. Bounded work."""

    def rows(self, first: int, count: int) -> Sequence[Record]:
        """The records at `first` … `first + count - 1` of `seqs`, as far as there are any."""


class Named(Protocol):
    """A connection as the capture knows it (`capture.reader.LinkRow`)."""

    @property
    def name(self) -> str:
        """The session's name."""

    @property
    def protocol(self) -> str:
        """The adapter's name."""
