"""Event ids that count: what is missing between two of them, and what came before. No I/O.

Ids are the server's own business (WHATWG HTML §9.2.6): most count one by one, some are times, hashes or offsets. So
nothing is said until the ids rose by one at least twice, and numbers that look like a time never count.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from rtui.core.event import Event, Notice, Received

PROVEN: Final = 2
"""Steps of one after which the ids are taken for a count."""
MOST_TRUST: Final = 16
"""Steps remembered; a jump takes half of them, so that ids that keep jumping are soon left alone."""
LONGEST: Final = 18
"""Digits of a count."""
TIMES: Final = tuple(range(10**9 * unit, 4 * 10**9 * unit) for unit in (1, 10**3, 10**6, 10**9))
"""The years 2001 to 2096 as Unix times in seconds, milliseconds, microseconds and nanoseconds."""


class Numbering:
    """The ids of one stream, over all its connections."""

    def __init__(self) -> None:
        self._last = -1
        self._next: str | None = None
        """How the id after the last would be written; None before the first."""
        self._trust = 0

    def marked(self, events: Sequence[Event]) -> list[Event]:
        """The events, with a warning in front of each that does not follow the one before."""
        if self._runs_on(events):
            return list(events)
        found: list[Event] = []
        for event in events:
            if type(event) is Received and event.meta is not None and (mark := event.meta.get("id")) is not None:
                if mark == self._next:
                    self._step()
                elif notice := self._judge(mark):
                    found.append(notice)
            found.append(event)
        return found

    def _runs_on(self, events: Sequence[Event]) -> bool:
        """Whether each has an id, the expected one: then nothing happens once per event."""
        metas = [event.meta for event in events if type(event) is Received and event.meta]
        first, count = self._last + 1, len(events)
        if self._next != str(first) or len(metas) != count:
            return False
        if [meta.get("id") for meta in metas] != [str(number) for number in range(first, first + count)]:
            return False
        self._go(self._last + count)
        self._trust = min(self._trust + count, MOST_TRUST)
        return True

    def _step(self) -> None:
        self._go(self._last + 1)
        self._trust = min(self._trust + 1, MOST_TRUST)

    def _go(self, number: int) -> None:
        self._last, self._next = number, str(number + 1)

    def _judge(self, mark: str) -> Notice | None:
        """An id that is not written like the next one."""
        number, last = _number(mark), self._last
        if number is None:
            self._next, self._trust = None, 0
            return None
        if self._next is not None and number == last + 1:  # 007, 008
            self._step()
            return None
        self._go(number)
        if self._trust < PROVEN:
            self._trust = 0
            return None
        self._trust //= 2
        return _gap(last, number) if number > last else _again(last, number)


def _gap(last: int, number: int) -> Notice:
    missing = number - last - 1
    text = f"ids {last} → {number}: {missing:,} missing"
    return Notice(text=text, level="warning", meta={"last": last, "id": number, "missing": missing})


def _again(last: int, number: int) -> Notice:
    text = f"id {last} again" if number == last else f"ids {last} → {number}: repeated, or counted anew"
    return Notice(text=text, level="warning", meta={"last": last, "id": number, "repeated": last - number + 1})


def _number(mark: str) -> int | None:
    if not (mark.isascii() and mark.isdigit()) or len(mark.lstrip("0")) > LONGEST:
        return None
    number = int(mark)
    return None if any(number in times for times in TIMES) else number
