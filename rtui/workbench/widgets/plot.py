"""Curves over time as rows of text, with axes. Drawn by plotext, which is imported on first use.

Each curve has a colour and a sign of its own, so that none is known by colour alone: lines are drawn in braille, with
the sign on them here and there where there are several, or with the sign itself on a terminal that has only ASCII.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from rtui.capture.series import Point
from rtui.payloads.base import Line, Style
from rtui.workbench.widgets import figure
from rtui.workbench.widgets.glyph import UNICODE, Glyphs

LOWEST: Final = 4
"""Rows below which sparklines stand for the curves: axes would take all of the room."""
WIDE: Final = 60
"""Cells from which there is a tick in the middle of the time."""
NARROW: Final = 30
"""Cells below which there is one tick only."""
TALL: Final = 8
"""Rows from which there is one in the middle of the values."""
STYLES: Final[tuple[Style, ...]] = ("number", "key", "null", "string", "out", "notice")
"""Of the curves, by their slot."""
SIGNS: Final = "●◆○◇▴▪"
ASCII_SIGNS: Final = "*o+x#%"
SIGN_PERIOD: Final = 16
"""Cells from one sign on a curve to the next, about."""

_AXES: Final = "│┤┼"
_ASCII: Final = str.maketrans("┌┐└┘─│┤├┬┴┼", "++++-|+++++")
_PART: Final = re.compile("\x1b\\[(?:0|38;5;(\\d+))m|([^\x1b]+)")
_plotext = threading.Lock()
"""plotext has one figure for the whole process."""


class Curve(NamedTuple):
    """What is drawn in one colour."""

    slot: int
    """Which of `STYLES` and of the signs."""
    points: Sequence[Point]
    """Oldest first; at least one."""


class Cell(NamedTuple):
    """One cell of the drawing."""

    sign: str
    slot: int
    """Of the curve that goes through it; -1 for none."""


def sign_of(slot: int, glyphs: Glyphs) -> str:
    """What marks a curve."""
    return (SIGNS if glyphs is UNICODE else ASCII_SIGNS)[slot]


def draw(
    curves: Sequence[Curve], width: int, height: int, glyphs: Glyphs = UNICODE, *, own_ranges: bool = False
) -> list[Line]:
    """The curves with axes, or sparklines where there is no room for axes.

    They share an axis, unless each is to be drawn from its lowest to its highest number.
    """
    if not curves or not height:
        return []
    thinned = [Curve(one.slot, thin(one.points, max(width, 1))) for one in curves]
    if height < LOWEST:
        return [_spark(one, width, glyphs) for one in thinned[:height]]
    rows = _drawn(thinned, (width, height), glyphs, own_ranges=own_ranges)
    if len(curves) > 1 and glyphs is UNICODE:
        for place, one in enumerate(thinned):
            _put_signs(rows, one.slot, place * SIGN_PERIOD // len(thinned))
    return [_styled(row, glyphs) for row in rows]


def _spark(curve: Curve, width: int, glyphs: Glyphs) -> Line:
    ys = scaled([point.value for point in curve.points])
    return [(STYLES[curve.slot], glyphs.sparkline(ys, width))]


def _drawn(curves: Sequence[Curve], size: tuple[int, int], glyphs: Glyphs, *, own_ranges: bool) -> list[list[Cell]]:
    """The rows of plotext, given numbers from 0 to 1 and our labels: it cannot scale all that a float may be."""
    import plotext  # type: ignore[import-untyped]

    width, height = size
    values = [point.value for one in curves for point in one.points]
    times = [point.time for one in curves for point in one.points]
    low, high, first, last = min(values), max(values), min(times), max(times)
    own_ranges = own_ranges and len(curves) > 1
    with _plotext:
        plotext.clear_figure()
        plotext.theme("clear")
        plotext.limit_size(False, False)
        plotext.plot_size(width, height)
        plotext.xaxes(True, False)
        plotext.yaxes(True, False)
        plotext.xlim(0, 1)
        plotext.ylim(0, 1)
        plotext.yticks(*([0.0, 1.0], ["min", "max"]) if own_ranges else _value_ticks(low, high, height))
        plotext.xticks(*_time_ticks(first, last, width))
        for slot, points in curves:
            ys = [point.value for point in points]
            xs = scaled([float(point.time - first) for point in points], 0.0, float(last - first))
            marker = "braille" if glyphs is UNICODE else ASCII_SIGNS[slot]
            ranged = scaled(ys) if own_ranges else scaled(ys, low, high)
            plotext.plot(xs, ranged, marker=marker, color=slot + 1)
        text: str = plotext.build()
    return [list(_cells(row))[:width] for row in text.rstrip("\n").split("\n")[:height]]


def _cells(row: str) -> Iterator[Cell]:
    slot = -1
    for colour, text in _PART.findall(row):
        if text:
            yield from (Cell(char, slot) for char in text)
        else:
            slot = int(colour) - 1 if colour else -1


def _put_signs(rows: list[list[Cell]], slot: int, start: int) -> None:
    """Put its sign on a curve every few cells, where it can be seen."""
    columns: dict[int, int] = {}
    for number, row in enumerate(rows):
        for at, cell in enumerate(row):
            if cell.slot == slot:
                columns.setdefault(at, number)
    wanted = start + min(columns, default=0)
    for at in sorted(columns):
        if at >= wanted:
            rows[columns[at]][at] = Cell(SIGNS[slot], slot)
            wanted = at + SIGN_PERIOD


def _styled(row: list[Cell], glyphs: Glyphs) -> Line:
    """Axes and labels step back behind the curves."""
    line: Line = []
    in_plot = False
    for cell in row:
        style: Style = STYLES[cell.slot] if cell.slot >= 0 else "text" if in_plot else "dim"
        in_plot = in_plot or cell.sign in _AXES
        sign = cell.sign if glyphs is UNICODE else cell.sign.translate(_ASCII)
        if line and line[-1][0] == style:
            line[-1] = (style, line[-1][1] + sign)
        else:
            line.append((style, sign))
    return line


def _value_ticks(low: float, high: float, height: int) -> tuple[list[float], list[str]]:
    if low == high:
        return [0.5], [number(low)]
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


def scaled(values: Sequence[float], low: float | None = None, high: float | None = None) -> list[float]:
    """`values` between 0 and 1, from the lowest to the highest of them or as told.

    Halves are subtracted, since a difference of two floats may be infinite.
    """
    low = min(values) if low is None else low
    high = max(values) if high is None else high
    if low == high:
        return [0.5] * len(values)
    factor = 0.5 if abs(low) > 1 or abs(high) > 1 else 1.0
    span = high * factor - low * factor
    return [min(max((value * factor - low * factor) / span, 0.0), 1.0) for value in values]


def number(value: float) -> str:
    """For eyes: all digits of a whole number, six of any other."""
    return f"{value:,.0f}" if value == int(value) and abs(value) < 1e15 else f"{value:.6g}"  # noqa: PLR2004 - exact so far
