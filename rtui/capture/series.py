"""The numbers of one field over time: the newest of a channel, kept up to date without looking at all of it.

A field is a place in the JSON that a payload is or means (see `capture.meaning`).
"""

from __future__ import annotations

import json
import math
import re
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final, NamedTuple

import msgspec

from rtui.capture.past import Key, Past
from rtui.core.json_path import Steps, pick, write
from rtui.core.record import Record

POINTS: Final = 2_000
"""Newest numbers that are kept."""
MAX_FIELDS: Final = 200
"""Fields of one payload that are offered."""
MAX_ITEMS: Final = 16
"""Items of one array that are looked at for fields."""
MAX_BYTES: Final = 256 * 1024
"""Larger payloads are left out: parsing them would take the time of thousands."""
GAP: Final = 50_000
"""Sequences that a refresh may have to look at in the file; beyond, the points are looked up anew."""

_PLAIN: Final = re.compile(rb"\s*[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?\s*", re.ASCII)
_PLAIN_MAX: Final = 64
_decode = msgspec.json.Decoder().decode


class Field(NamedTuple):
    """Where a number stands in a JSON payload."""

    path: str
    """As the filter language writes it: `.a.b[0]`; "." for a payload that is a number."""
    steps: Steps


class Point(NamedTuple):
    """A number at a time (nanoseconds since the epoch)."""

    time: int
    value: float


class LookedUp(NamedTuple):
    """What was found in the file."""

    below: int
    """All of it stands below this sequence."""
    points: list[Point]
    """Newest first."""
    exhausted: bool
    """Whether there was time for all that was wanted."""


def fields(payload: bytes) -> list[Field]:
    """Every number in a payload, in its order."""
    found: list[Field] = []
    waiting: list[tuple[Steps, Any]] = [((), _parsed(payload))]
    while waiting and len(found) < MAX_FIELDS:
        steps, value = waiting.pop()
        if isinstance(value, dict):
            waiting += [((*steps, key), inner) for key, inner in reversed(list(value.items())[:MAX_FIELDS])]
        elif isinstance(value, list):
            waiting += [((*steps, place), inner) for place, inner in reversed(list(enumerate(value[:MAX_ITEMS])))]
        elif _number(value) is not None:
            found.append(Field(write(steps), steps))
    return found


def number(payload: bytes, field: Field) -> float | None:
    """The number that stands at `field`, if one does."""
    return _number(pick(_parsed(payload), field.steps))


class Series:
    """The newest points of one field of one channel. `refresh` and `take` belong to the loop's thread."""

    def __init__(self, past: Past, key: Key, field: Field, limit: int = POINTS) -> None:
        self.key = key
        self.field = field
        self.limit = limit
        self.points: deque[Point] = deque(maxlen=limit)
        """Oldest first."""
        self.complete = False
        """Whether everything was looked up, as far as limit and time allow; if not, `look_up` and `take` are due."""
        self.partial = False
        """Whether older points may be missing, for want of time."""
        self.revision = 0
        """Rises whenever the points change."""
        self._past = past
        self.upto = 0
        """Sequences up to here are in `points`."""
        self._below = 0
        """Sequences below this are still to be looked up in the file."""
        self.begin()

    def begin(self) -> bool:
        """Forget everything, and take in what memory holds."""
        past = self._past
        self.upto = past.last
        self._below = min(past.floor, self.upto + 1)  # a file that others write may have grown in between
        self.points.clear()
        self.points.extend(reversed(list(self._points(past.held(self.key, past.last + 1), self.limit))))
        self.complete = len(self.points) == self.limit or self._below <= 1
        self.partial = not self.complete and past.behind
        self.revision += 1
        return True

    def refresh(self) -> bool:
        """Take in what came since; whether anything did. After a very long pause, begin anew (see `complete`)."""
        return self.refresh_all([self])

    @classmethod
    def refresh_all(cls, many: Sequence[Series]) -> bool:
        """`refresh` for several fields of one channel: each payload is parsed once."""
        changed = False
        last = many[0].newest if many else 0
        for upto in {series.upto for series in many}:
            together = [series for series in many if series.upto == upto]
            fresh = together[0].fresh(last)
            for series, points in zip(together, _newest(fresh, together), strict=True):
                changed |= series.extend(points, last) if fresh is not None else series.begin()
        return changed

    @property
    def newest(self) -> int:
        """The newest sequence that there is now."""
        return self._past.last

    def fresh(self, last: int) -> list[Record] | None:
        """What came since, up to `last`; None if that is too much to look at, or cannot be found now."""
        past, after = self._past, self.upto + 1
        if last <= self.upto:
            return []
        floor = min(past.floor, last + 1)
        if floor - self.upto > GAP or (floor > after and past.behind):
            return None
        stored = past.between(self.key, after, floor - 1, self.limit) if floor > after else []
        return [*stored, *past.since(self.key, after)]

    def extend(self, points: Sequence[Point], last: int) -> bool:
        """Take in all that came up to `last`; whether there is a point in it."""
        self.upto = last
        self.points.extend(points)
        self.revision += bool(points)
        return bool(points)

    def look_up(self) -> LookedUp:
        """The points before those that memory holds. For another thread."""
        below, wanted = self._below, self.limit - len(self.points)
        found: list[Point] = []
        exhausted = True
        for batch in self._past.stored(self.key, below):
            exhausted = bool(batch)
            found += self._points(batch, wanted - len(found))
            if len(found) >= wanted:
                break
        return LookedUp(below, found, exhausted)

    def meant(self, record: Record) -> bytes:
        """The JSON in which the field stands."""
        return self._past.meant(record)

    def _points(self, records: Iterable[Record], limit: int) -> Iterator[Point]:
        """The numbers of `records`, at most `limit`, in their order."""
        left = limit
        for record in records:
            if left == 0:
                return
            value = number(self.meant(record), self.field)
            if value is not None:
                left -= 1
                yield Point(record.time, value)

    def take(self, found: LookedUp) -> None:
        """Put what `look_up` found before the points; nothing, if the points were begun anew meanwhile."""
        if found.below != self._below or self.complete:
            return
        self.complete = True
        self.partial = self.partial or not found.exhausted
        room = self.limit - len(self.points)
        self.points.extendleft(found.points[:room])
        self.revision += 1


def _newest(records: Sequence[Record] | None, many: Sequence[Series]) -> list[list[Point]]:
    """For each of `many` its newest points in `records`, oldest first; no more than it keeps."""
    found: list[list[Point]] = [[] for _ in many]
    wanted = list(zip(many, found, strict=True))
    for record in reversed(records or ()):
        value = _parsed(many[0].meant(record))
        for series, points in wanted:
            found_here = _number(pick(value, series.field.steps))
            if found_here is not None:
                points.append(Point(record.time, found_here))
        wanted = [(series, points) for series, points in wanted if len(points) < series.limit]
        if not wanted:
            break
    return [points[::-1] for points in found]


def _parsed(payload: bytes) -> Any:
    """The payload as JSON; as a number, if it is one in a looser notation (`+21.50`, `.5`); else None."""
    if len(payload) > MAX_BYTES:
        return None
    try:
        return _decode(payload)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return _loosely_parsed(payload)


def _loosely_parsed(payload: bytes) -> Any:
    if len(payload) <= _PLAIN_MAX and _PLAIN.fullmatch(payload):
        return float(payload)
    if b"NaN" not in payload and b"Infinity" not in payload:
        return None
    try:
        return json.loads(payload)  # one field without a number must not hide the others
    except (ValueError, RecursionError):
        return None


def _number(value: Any) -> float | None:
    """`value` as a finite number, if it is one."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        found = float(value)
    except OverflowError:
        return None
    return found if math.isfinite(found) else None
