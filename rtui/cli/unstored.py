"""A journal that stores nothing: for `tail --no-capture`, where nobody could ever read the temporary file."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from rtui.capture.journal import Tap
from rtui.core.record import Record


class Unstored:
    """The part of `capture.journal.Journal` that links and hub use; records go to the taps and are gone."""

    trouble: Final = ""

    def __init__(self) -> None:
        self.taps: list[Tap] = []
        self.brakes: list[Callable[[], bool]] = []
        self.last = 0
        self._last_link = 0

    @property
    def lagging(self) -> bool:
        """Whether receivers should wait, since a reader is behind."""
        return any(brake() for brake in self.brakes)

    def append(self, records: Sequence[Record]) -> None:
        """Hand a batch to the taps."""
        if records:
            self.last = records[-1].seq
            for tap in self.taps:
                tap(records)

    def add_link(self, _name: str, _protocol: str, _url: str, _details: Mapping[str, Any] | None = None) -> int:
        """The id of a new connection."""
        self._last_link += 1
        return self._last_link

    def close(self) -> None:
        """There is nothing to finish."""
