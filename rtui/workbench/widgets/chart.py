"""Numbers of a channel over time, as rows for the message pane: what is drawn and its ranges, and the curves.

The same document is the list in which the numbers are chosen (see `Chart.choosing`).
"""

from __future__ import annotations

import asyncio
import time
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from functools import partial
from itertools import islice
from typing import Final

from rtui.capture.past import Key, Past
from rtui.capture.series import Field, Point, Series
from rtui.core.clean import cell_width, clean, clip
from rtui.core.words import counted
from rtui.payloads.base import Document, Line
from rtui.workbench.widgets.glyph import UNICODE, Glyphs
from rtui.workbench.widgets.plot import STYLES, Curve, draw, number, sign_of

SHARE: Final = 10
"""Drawing may take one part in this many of the time: plotext needs 10 to 90 ms."""
MAX_PATH: Final = 40
MOST: Final = len(STYLES)
"""Numbers drawn at once."""
SPANS: Final = (0, 86_400, 21_600, 3_600, 900, 300, 60, 15, 5)
"""Seconds up to the newest point that are drawn, from the widest to the narrowest; 0 stands for all."""
_UNITS: Final = ((86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second"))


class Chart(Document):
    """Some fields of one channel."""

    def __init__(
        self, past: Past, key: Key, offered: Sequence[Field], chosen: Sequence[str] = (), *, glyphs: Glyphs = UNICODE
    ) -> None:
        """`offered` are the fields to choose from, `chosen` the paths of those that are liked best."""
        self.key = key
        self.offered = list(offered)
        self.choosing = False
        """Whether the rows are a list of the fields."""
        self.own_ranges = False
        """Whether each curve goes from its lowest to its highest number; else they share an axis."""
        self._past = past
        self._glyphs = glyphs
        self._drawn_fields: dict[int, tuple[int, Series]] = {}
        """Place in `offered` → slot of its colour, and its points; in the order in which they were chosen."""
        self._span = 0
        """Place in `SPANS`."""
        self._size = (0, 0)
        self._plot: list[Line] = []
        self._drawn: tuple[object, ...] = ()
        """What `_plot` shows."""
        self._drawn_at = self._cost = 0.0
        places = {field.path: place for place, field in enumerate(self.offered)}
        for place in [places[path] for path in chosen if path in places][:MOST] or range(min(1, len(self.offered))):
            self._add(place)

    @property
    def chosen(self) -> list[str]:
        """The paths of what is drawn."""
        return [self.offered[place].path for place in self._drawn_fields]

    @property
    def span(self) -> int:
        """Seconds that are drawn; 0 for all."""
        return SPANS[self._span]

    # Choosing

    def choose(self, step: int) -> bool:
        """Draw another field, and only that; whether there is one."""
        if len(self.offered) < 2:  # noqa: PLR2004 - this and another
            return False
        place = (next(iter(self._drawn_fields), 0) + step) % len(self.offered)
        self._drawn_fields.clear()
        self._add(place)
        return True

    def switch(self, place: int) -> bool:
        """Draw a field too, or no longer; False if it is the only one, or there are too many."""
        if place in self._drawn_fields:
            return len(self._drawn_fields) > 1 and self._drawn_fields.pop(place) is not None
        return self._add(place)

    def _add(self, place: int) -> bool:
        taken = {slot for slot, _ in self._drawn_fields.values()}
        slot = next((slot for slot in range(MOST) if slot not in taken), None)
        if slot is not None:
            self._drawn_fields[place] = (slot, Series(self._past, self.key, self.offered[place]))
        return slot is not None

    def zoom(self, step: int) -> bool:
        """Draw a shorter time (1) or a longer one (-1); whether there is one."""
        wanted = min(max(self._span + step, 0), len(SPANS) - 1)
        changed, self._span = wanted != self._span, wanted
        return changed

    # Keeping up

    def fit(self, width: int, height: int) -> None:
        """Draw for a pane of this size from now on."""
        self._size = (max(width, 0), max(height, 0))

    def stale(self) -> bool:
        """Whether `update` would change something, and may: drawing must not take all of the time."""
        if not self._drawn_fields or 0 in self._size:
            return False
        Series.refresh_all([series for _, series in self._drawn_fields.values()])
        if not all(series.complete for _, series in self._drawn_fields.values()):
            return True
        rested = time.monotonic() - self._drawn_at >= SHARE * self._cost
        return self._drawn != self._wanted() and (rested or self._drawn[1:] != self._wanted()[1:])

    async def update(self) -> None:
        """Look up and draw what is missing, in threads."""
        for _, series in list(self._drawn_fields.values()):
            if not series.complete:
                series.take(await asyncio.to_thread(series.look_up))
        wanted = self._wanted()
        curves = [Curve(slot, points) for slot, series in self._drawn_fields.values() if (points := self._seen(series))]
        width, height = self._size
        room = max(height - len(self._head()), 0)
        drawing = partial(draw, curves, width, room, self._glyphs, own_ranges=self.own_ranges)
        plot, cost = await asyncio.to_thread(_timed, drawing)
        if wanted[1:] == self._wanted()[1:]:
            self._plot, self._drawn = plot, wanted
            self._drawn_at, self._cost = time.monotonic(), cost

    def _wanted(self) -> tuple[object, ...]:
        revisions = [series.revision for _, series in self._drawn_fields.values()]
        return revisions, list(self._drawn_fields), self._size, self._span, self.own_ranges

    def _seen(self, series: Series) -> list[Point]:
        """The points in the time that is drawn, which ends with the newest of all curves."""
        if not self.span or not series.points:
            return list(series.points)
        newest = max(one.points[-1].time for _, one in self._drawn_fields.values() if one.points)
        begin = bisect_left(series.points, newest - self.span * 1_000_000_000, key=lambda point: point.time)
        return list(islice(series.points, begin, None))

    # Rows

    @property
    def height(self) -> int:
        """See `Document`."""
        return 1 + len(self.offered) if self.choosing else len(self._head()) + len(self._plot)

    def lines(self, first: int, count: int) -> list[Line]:
        """See `Document`."""
        rows = self._list() if self.choosing else [*self._head(), *self._plot]
        return rows[max(first, 0) : max(first, 0) + count]

    def _head(self) -> list[Line]:
        """What is drawn: of one field a row with its figures; of several a row of their own, as many as fit in each."""
        if not self.offered:
            return [[("dim", "no number in this message: nothing to draw")]]
        if len(self._drawn_fields) == 1:
            ((place, (_, series)),) = self._drawn_fields.items()
            return [self._single(place, series)]
        return [self._title(), *_flowing([self._entry(place) for place in self._drawn_fields], self._size[0])]

    def _single(self, place: int, series: Series) -> Line:
        line: Line = [("key", self._name(place))]
        if len(self.offered) > 1:
            line.append(("dim", f" {place + 1}/{len(self.offered)}"))
        points = self._seen(series)
        if not points:
            return [*line, ("dim", " · looking for numbers" if not series.complete else " · no numbers yet")]
        for name, value in _figures(points):
            line += [("dim", f" · {name} "), ("number", value)]
        told = [counted(len(points), "point"), *self._told()]
        return [*line, ("dim", "".join(f" · {each}" for each in told))]

    def _title(self) -> Line:
        ranges = "each its own range" if self.own_ranges else "one axis"
        count = f"{len(self._drawn_fields)} of {counted(len(self.offered), 'number')}"
        return [("dim", " · ".join([count, ranges, *self._told()]))]

    def _told(self) -> Iterator[str]:
        if self.span:
            yield f"last {_duration(self.span)}"
        if any(series.partial for _, series in self._drawn_fields.values()):
            yield "older ones not looked up"

    def _entry(self, place: int) -> Line:
        """A field of several: sign, name, figures."""
        slot, series = self._drawn_fields[place]
        line: Line = [(STYLES[slot], f"{sign_of(slot, self._glyphs)} "), ("key", self._name(place))]
        points = self._seen(series)
        for name, value in _figures(points) if points else ():
            line += [("dim", f" {name} "), (STYLES[slot], value)]
        return line if points else [*line, ("dim", " no numbers")]

    def _list(self) -> list[Line]:
        """Every field, to be drawn or not."""
        said = f"space draws a number or not, at most {MOST} · v shows the chart"
        return [[("dim", said)], *([*self._box(place), *self._listed(place)] for place in range(len(self.offered)))]

    def _box(self, place: int) -> Line:
        if place not in self._drawn_fields:
            return [("dim", "[ ]   ")]
        slot = self._drawn_fields[place][0]
        return [("text", "[x] "), (STYLES[slot], f"{sign_of(slot, self._glyphs)} ")]

    def _listed(self, place: int) -> Line:
        return self._entry(place)[1:] if place in self._drawn_fields else [("key", self._name(place))]

    def _name(self, place: int) -> str:
        field = self.offered[place]
        return clip(clean(field.path), MAX_PATH) if field.steps else "payload"

    # What a reader can do

    def foldable(self, row: int) -> bool:  # noqa: ARG002 - every row
        """See `Document`: the list can be opened anywhere."""
        return len(self.offered) > 1

    def toggle(self, row: int) -> bool:
        """Open the list; in it, draw the field of the row or not; on its first row, go back to the chart."""
        if self.choosing and row > 0:
            return self.switch(row - 1)
        return self.open_list(not self.choosing)

    def open_list(self, wanted: bool) -> bool:
        """Show the list of fields or the chart; whether that changed."""
        changed = wanted != self.choosing and len(self.offered) > 1
        self.choosing = wanted if changed else self.choosing
        return changed

    def path(self, row: int) -> str | None:
        """The field of a row of the list; else the first that is drawn."""
        if self.choosing and 0 < row <= len(self.offered):
            return self.offered[row - 1].path
        return next(iter(self.chosen), None)

    def value(self, row: int) -> bytes:  # noqa: ARG002
        """All points that are drawn, as CSV; of several fields with their names, in the order of time."""
        several = len(self._drawn_fields) > 1
        points = [
            (point.time, f"{_quoted(self.offered[place].path)}," if several else "", point.value)
            for place, (_, series) in self._drawn_fields.items()
            for point in self._seen(series)
        ]
        points.sort(key=lambda row: row[0])
        head = "time,field,value" if several else "time,value"
        rows = [f"{_moment(at)},{name}{value!r}" for at, name, value in points]
        return "\n".join([head, *rows]).encode() if self._drawn_fields else b""


def _timed(drawing: Callable[[], list[Line]]) -> tuple[list[Line], float]:
    """What is drawn, and the seconds it takes; a moment in which the machine did something else is no cost of ours."""
    began = time.thread_time()
    return drawing(), time.thread_time() - began


def _flowing(entries: Sequence[Line], width: int) -> list[Line]:
    """Entries side by side in as few rows as hold them."""
    rows: list[Line] = []
    left = 0
    for entry in entries:
        cells = sum(cell_width(text) for _, text in entry) + 2
        if not rows or cells > left:
            rows.append([])
            left = width + 2
        if rows[-1]:
            rows[-1].append(("text", "  "))
        rows[-1] += entry
        left -= cells
    return rows


def _figures(points: Sequence[Point]) -> list[tuple[str, str]]:
    values = [point.value for point in points]
    return [("last", number(values[-1])), ("min", number(min(values))), ("max", number(max(values)))]


def _duration(seconds: int) -> str:
    size, unit = next((size, unit) for size, unit in _UNITS if seconds >= size)
    return counted(seconds // size, unit)


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def _moment(nanoseconds: int) -> str:
    second, rest = divmod(nanoseconds, 1_000_000_000)
    return f"{datetime.fromtimestamp(second, UTC):%Y-%m-%dT%H:%M:%S}.{rest // 1000:06}Z"
