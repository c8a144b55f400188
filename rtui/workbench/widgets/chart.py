"""A number of a channel over time, as rows for the message pane. Drawn by plotext, which is imported on first use."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from rtui.capture.past import Key, Past
from rtui.capture.series import Field, Point, Series
from rtui.core.clean import clean, clip
from rtui.payloads.base import Document, Line
from rtui.workbench.widgets import figure
from rtui.workbench.widgets.glyph import UNICODE, Glyphs

SHARE: Final = 10
"""Drawing may take one part in this many of the time: plotext needs 10 to 90 ms."""
LOWEST: Final = 4
"""Rows below which a sparkline stands for the chart: axes would take all of the room."""
WIDE: Final = 60
"""Cells from which there is a tick in the middle of the time."""
NARROW: Final = 30
"""Cells below which there is one tick only."""
TALL: Final = 8
"""Rows from which there is one in the middle of the values."""
MAX_PATH: Final = 40

_AXES: Final = "│┤┼"
_ASCII: Final = str.maketrans("┌┐└┘─│┤├┬┴┼", "++++-|+++++")
_plotext = threading.Lock()
"""plotext has one figure for the whole process."""


class Chart(Document):
    """One field of one channel. The first row says what is drawn, and the last, lowest and highest number."""

    def __init__(
        self, past: Past, key: Key, offered: Sequence[Field], chosen: str = "", *, glyphs: Glyphs = UNICODE
    ) -> None:
        """`offered` are the fields to choose from, `chosen` the path of one that is liked best."""
        self.key = key
        self.offered = list(offered)
        self._past = past
        self._glyphs = glyphs
        self._at = next((at for at, field in enumerate(self.offered) if field.path == chosen), 0)
        self._size = (0, 0)
        self._plot: list[Line] = []
        self._drawn: tuple[object, ...] = ()
        """What `_plot` shows."""
        self._drawn_at = self._cost = 0.0
        self._series = self._look_at()

    def _look_at(self) -> Series | None:
        return Series(self._past, self.key, self.offered[self._at]) if self.offered else None

    @property
    def field(self) -> Field | None:
        """What is drawn."""
        return self.offered[self._at] if self.offered else None

    def choose(self, step: int) -> bool:
        """Draw another field; whether there is one."""
        if len(self.offered) < 2:  # noqa: PLR2004 - this and another
            return False
        self._at = (self._at + step) % len(self.offered)
        self._series = self._look_at()
        return True

    # Keeping up

    def fit(self, width: int, height: int) -> None:
        """Draw for a pane of this size from now on."""
        self._size = (max(width, 0), max(height - 1, 0))

    def stale(self) -> bool:
        """Whether `update` would change something, and may: drawing must not take all of the time."""
        series = self._series
        if series is None or 0 in self._size:
            return False
        series.refresh()
        if not series.complete:
            return True
        rested = time.monotonic() - self._drawn_at >= SHARE * self._cost
        return self._drawn != self._wanted(series) and (rested or self._drawn[1:] != self._wanted(series)[1:])

    async def update(self) -> None:
        """Look up and draw what is missing, in threads."""
        series = self._series
        if series is None:
            return
        if not series.complete:
            series.take(await asyncio.to_thread(series.look_up))
        wanted, began = self._wanted(series), time.perf_counter()
        plot = await asyncio.to_thread(draw, tuple(series.points), *self._size, self._glyphs)
        if series is self._series:
            self._plot, self._drawn = plot, wanted
            self._drawn_at, self._cost = time.monotonic(), time.perf_counter() - began

    def _wanted(self, series: Series) -> tuple[object, ...]:
        return series.revision, series.field.path, self._size

    # Rows

    @property
    def height(self) -> int:
        """See `Document`."""
        return 1 + len(self._plot)

    def lines(self, first: int, count: int) -> list[Line]:
        """See `Document`."""
        return [self._heading(), *self._plot][max(first, 0) : max(first, 0) + count]

    def _heading(self) -> Line:
        series, field = self._series, self.field
        if series is None or field is None:
            return [("dim", "no number in this message: nothing to draw")]
        line: Line = [("key", clip(clean(field.path), MAX_PATH) if field.steps else "payload")]
        if len(self.offered) > 1:
            line.append(("dim", f" {self._at + 1}/{len(self.offered)}"))
        if not series.points:
            return [*line, ("dim", " · looking for numbers" if not series.complete else " · no numbers yet")]
        values = [point.value for point in series.points]
        for name, value in (("last", values[-1]), ("min", min(values)), ("max", max(values))):
            line += [("dim", f" · {name} "), ("number", _number(value))]
        count = f" · {len(values):,} point" if len(values) == 1 else f" · {len(values):,} points"
        return [*line, ("dim", count + (", older ones not looked up" if series.partial else ""))]

    def path(self, row: int) -> str | None:  # noqa: ARG002 - all rows show one field
        """The field."""
        return self.field.path if self.field is not None else None

    def value(self, row: int) -> bytes:  # noqa: ARG002
        """All points, as CSV."""
        if self._series is None or self.field is None:
            return b""
        rows = [f"{_moment(point.time)},{point.value!r}" for point in self._series.points]
        return "\n".join(["time,value", *rows]).encode()


def draw(points: Sequence[Point], width: int, height: int, glyphs: Glyphs = UNICODE) -> list[Line]:
    """The curve through `points` (oldest first) with axes, or a sparkline where there is no room for axes."""
    if not points or not height:
        return []
    shown = thin(points, max(width, 1))
    ys = scaled([point.value for point in shown])
    if height < LOWEST:
        return [[("number", glyphs.sparkline(ys, width))]]
    rows = _drawn(shown, ys, (width, height), "*" if glyphs is not UNICODE else "braille")
    plain = [row if glyphs is UNICODE else row.translate(_ASCII) for row in rows]
    return [_styled(row, rows[at]) for at, row in enumerate(plain)]


def _drawn(points: Sequence[Point], ys: list[float], size: tuple[int, int], marker: str) -> list[str]:
    """The rows of plotext, given numbers from 0 to 1 and our labels: it cannot scale all that a float may be."""
    import plotext  # type: ignore[import-untyped]

    width, height = size
    xs = scaled([float(point.time - points[0].time) for point in points])
    values = [point.value for point in points]
    with _plotext:
        plotext.clear_figure()
        plotext.theme("clear")
        plotext.limit_size(False, False)
        plotext.plot_size(width, height)
        plotext.xaxes(True, False)
        plotext.yaxes(True, False)
        plotext.xlim(0, 1)
        plotext.ylim(0, 1)
        plotext.yticks(*_value_ticks(min(values), max(values), height))
        plotext.xticks(*_time_ticks(points[0].time, points[-1].time, width))
        plotext.plot(xs, ys, marker=marker)
        text: str = plotext.uncolorize(plotext.build())
    return [row[:width] for row in text.rstrip("\n").split("\n")[:height]]


def _value_ticks(low: float, high: float, height: int) -> tuple[list[float], list[str]]:
    if low == high:
        return [0.5], [_number(low)]
    middle = low / 2 + high / 2
    places, values = ([0.0, 0.5, 1.0], [low, middle, high]) if height >= TALL else ([0.0, 1.0], [low, high])
    for digits in range(4, 18):
        labels = [f"{value:.{digits}g}" for value in values]
        if len(set(labels)) == len(labels):
            break
    return places, labels


def _time_ticks(first: int, last: int, width: int) -> tuple[list[float], list[str]]:
    if first == last or width < NARROW:
        return [0.0], [figure.clock(first)]
    if width < WIDE:
        return [0.0, 1.0], [figure.clock(first), figure.clock(last)]
    return [0.0, 0.5, 1.0], [figure.clock(at) for at in (first, (first + last) // 2, last)]


def _styled(row: str, drawn: str) -> Line:
    """Axes and labels step back behind the curve."""
    axis = next((at + 1 for at, char in enumerate(drawn) if char in _AXES), len(row))
    return [("dim", row[:axis]), ("number", row[axis:])]


def thin(points: Sequence[Point], columns: int) -> list[Point]:
    """At most two points for each column: the lowest and the highest, so that no peak is lost."""
    if len(points) <= 2 * columns:
        return list(points)
    first, span = points[0].time, max(points[-1].time - points[0].time, 1)
    buckets: dict[int, list[Point]] = {}
    for point in points:
        buckets.setdefault((point.time - first) * columns // (span + 1), []).append(point)
    found: list[Point] = []
    for bucket in buckets.values():
        ends = {bucket.index(min(bucket, key=_value)), bucket.index(max(bucket, key=_value))}
        found += [bucket[place] for place in sorted(ends)]
    return found


def _value(point: Point) -> float:
    return point.value


def scaled(values: Sequence[float]) -> list[float]:
    """`values` between 0 and 1; halves are subtracted, since a difference of two floats may be infinite."""
    low, high = min(values), max(values)
    if low == high:
        return [0.5] * len(values)
    factor = 0.5 if abs(low) > 1 or abs(high) > 1 else 1.0
    span = high * factor - low * factor
    return [min(max((value * factor - low * factor) / span, 0.0), 1.0) for value in values]


def _number(value: float) -> str:
    return f"{value:,.0f}" if value == int(value) and abs(value) < 1e15 else f"{value:.6g}"  # noqa: PLR2004 - exact so far


def _moment(nanoseconds: int) -> str:
    second, rest = divmod(nanoseconds, 1_000_000_000)
    return f"{datetime.fromtimestamp(second, UTC):%Y-%m-%dT%H:%M:%S}.{rest // 1000:06}Z"
