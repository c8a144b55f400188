from __future__ import annotations

import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rtui.capture.journal import Journal
from rtui.capture.past import Key, Past
from rtui.capture.reader import Reader
from rtui.capture.series import Point, fields
from rtui.core.record import Record
from rtui.payloads.base import Line
from rtui.workbench.widgets import chart
from rtui.workbench.widgets.chart import Chart
from rtui.workbench.widgets.glyph import ASCII, UNICODE
from rtui.workbench.widgets.plot import ASCII_SIGNS, SIGNS, STYLES, Curve, draw, scaled, thin
from tests.waiting import eventually

KEY = Key(1, "plant/temp", 1)
NOON = 1_767_268_800_000_000_000
SECOND = 1_000_000_000


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    made = Journal.create(tmp_path / "run.rtui")
    yield made
    made.close()


@pytest.fixture
def past(journal: Journal) -> Iterator[Past]:
    reader = Reader(journal.path)
    yield Past(reader, journal)
    reader.close()


def reading(seq: int, payload: bytes) -> Record:
    return Record(seq, NOON + seq * SECOND, KEY.link, 0, KEY.direction, KEY.channel, payload)


def text(lines: list[Line]) -> list[str]:
    return ["".join(piece for _, piece in line) for line in lines]


def shown(one: Chart) -> list[str]:
    return text(one.lines(0, one.height))


def points(*values: float) -> list[Point]:
    return [Point(NOON + at * SECOND, value) for at, value in enumerate(values)]


FLOATS = st.floats(allow_nan=False, allow_infinity=False)


@settings(deadline=None)
@given(st.lists(FLOATS, min_size=1, max_size=50), st.integers(1, 120), st.integers(0, 30), st.booleans())
def test_whatever_the_numbers_the_drawing_fits(values: list[float], width: int, height: int, ascii_only: bool) -> None:
    rows = text(draw([Curve(0, points(*values))], width, height, ASCII if ascii_only else UNICODE))
    assert len(rows) <= height
    assert all(len(row) <= width and row.isprintable() for row in rows)
    assert not ascii_only or all(row.isascii() for row in rows)


@given(st.lists(FLOATS, min_size=1, max_size=500), st.integers(1, 40))
def test_thinning_keeps_order_and_peaks(values: list[float], columns: int) -> None:
    thinned = thin(points(*values), columns)
    assert len(thinned) <= 2 * columns or thinned == points(*values)
    assert thinned == sorted(thinned, key=lambda point: point.time)
    assert {min(values), max(values)} <= {point.value for point in thinned}


@given(st.lists(FLOATS, min_size=1))
def test_scaling_keeps_order(values: list[float]) -> None:
    for (low, small), (high, large) in zip(*[sorted(zip(values, scaled(values), strict=True))] * 2, strict=True):
        assert 0 <= small <= 1
        assert low > high or small <= large


def test_a_rising_line_rises() -> None:
    rows = text(draw([Curve(0, points(*range(100)))], 60, 12, ASCII))
    marks = [row.index("*") for row in rows[:-2]]
    assert marks == sorted(marks, reverse=True)
    assert rows[0].lstrip().startswith("99+")
    assert rows[-3].lstrip().startswith("0+")
    assert len(rows) == 12


def test_a_low_pane_gets_a_sparkline() -> None:
    assert text(draw([Curve(0, points(0, 1))], 40, 2)) == ["▁█"]
    assert draw([Curve(0, points(0, 1))], 40, 0) == []


async def test_it_follows_the_channel(journal: Journal, past: Past) -> None:
    journal.append([reading(1, b'{"v":20,"h":40}'), reading(2, b'{"v":23.5,"h":41}')])
    one = Chart(past, KEY, fields(b'{"v":23.5,"h":41}'))
    one.fit(80, 12)
    assert one.stale()
    await one.update()
    assert not one.stale()
    assert shown(one)[0] == ".v 1/2 · last 23.5 · min 20 · max 23.5 · 2 points"
    assert one.height == 12
    journal.append([reading(3, b'{"v":18}')])
    assert one.stale() or one._cost
    assert shown(one)[0] == ".v 1/2 · last 18 · min 18 · max 23.5 · 3 points"


async def test_another_field_can_be_chosen(journal: Journal, past: Past) -> None:
    journal.append([reading(1, b'{"v":20,"h":40}')])
    offered = fields(b'{"v":20,"h":40}')
    one = Chart(past, KEY, offered, [".h"])
    assert one.path(0) == ".h"
    assert one.choose(1)
    assert one.path(0) == ".v"
    assert one.choose(-1)
    assert shown(one)[0] == ".h 2/2 · last 40 · min 40 · max 40 · 1 point"
    assert not Chart(past, KEY, offered[:1]).choose(1)


async def test_without_a_number_it_says_so(past: Past) -> None:
    one = Chart(past, KEY, fields(b'{"text":"hello"}'))
    one.fit(80, 12)
    assert not one.stale()
    await one.update()
    assert shown(one) == ["no number in this message: nothing to draw"]
    assert one.path(0) is None
    assert one.value(0) == b""


async def test_the_points_can_be_copied(journal: Journal, past: Past) -> None:
    journal.append([reading(1, b"21.50"), reading(2, b"off"), reading(3, b"1e3")])
    one = Chart(past, KEY, fields(b"1e3"))
    assert one.value(5).splitlines() == [
        b"time,value",
        b"2026-01-01T12:00:01.000000Z,21.5",
        b"2026-01-01T12:00:03.000000Z,1000.0",
    ]


async def test_drawing_takes_a_part_of_the_time_only(
    journal: Journal, past: Past, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chart, "SHARE", 1e9)
    journal.append([reading(1, b"1"), reading(2, b"2")])
    one = Chart(past, KEY, fields(b"2"))
    one.fit(80, 12)
    await one.update()
    journal.append([reading(3, b"3")])
    assert not one.stale()
    one.fit(60, 12)
    assert one.stale()


async def test_a_machine_that_did_something_else_meanwhile_costs_no_drawings(
    journal: Journal, past: Past, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chart, "SHARE", 1)
    monkeypatch.setattr(time, "perf_counter", count(step=1_000).__next__)
    journal.append([reading(1, b"1"), reading(2, b"2")])
    one = Chart(past, KEY, fields(b"2"))
    one.fit(80, 12)
    await one.update()
    journal.append([reading(3, b"3")])
    await eventually(one.stale)


async def test_what_is_only_in_the_file_is_looked_up(journal: Journal, past: Past) -> None:
    journal.append([reading(seq, b"%d" % seq) for seq in range(1, 51)])
    await eventually(lambda: journal.committed == 50)
    reader = Reader(journal.path)
    one = Chart(Past(reader), KEY, fields(b"1"))
    one.fit(80, 12)
    assert "looking for numbers" in shown(one)[0]
    assert one.stale()
    await one.update()
    assert "50 points" in shown(one)[0]
    reader.close()


# Several numbers

PAYLOAD = b'{"temp":20,"humid":40,"rpm":1500}'


def several(journal: Journal, past: Past, *chosen: str, count: int = 120) -> Chart:
    journal.append(
        [reading(seq, b'{"temp":%d,"humid":%d,"rpm":%d}' % (seq % 7, 90 - seq, 1500)) for seq in range(1, count)]
    )
    return Chart(past, KEY, fields(PAYLOAD), chosen)


async def drawn(one: Chart, width: int = 100, height: int = 16) -> list[str]:
    one.fit(width, height)
    await one.update()
    return shown(one)


async def test_several_numbers_have_a_row_of_figures_and_a_sign_each(journal: Journal, past: Past) -> None:
    rows = await drawn(several(journal, past, ".temp", ".rpm"))
    assert rows[0] == "2 of 3 numbers · one axis"
    assert rows[1] == "● .temp last 0 min 0 max 6  ◆ .rpm last 1,500 min 1,500 max 1,500"
    assert len(rows) == 16
    plot = "".join(rows[2:])
    assert "●" in plot
    assert "◆" in plot


async def test_figures_flow_into_as_few_rows_as_hold_them(journal: Journal, past: Past) -> None:
    rows = await drawn(several(journal, past, ".temp", ".rpm"), width=40)
    assert [row[:7] for row in rows[1:3]] == ["● .temp", "◆ .rpm "]
    assert len(rows) == 16


async def test_each_curve_has_a_colour_of_its_own(journal: Journal, past: Past) -> None:
    one = several(journal, past, ".temp", ".rpm")
    await drawn(one)
    styles = {style for line in one.lines(2, one.height) for style, text in line if text.strip()}
    assert styles >= {"number", "key", "dim"}


async def test_with_ascii_the_lines_are_made_of_the_signs(journal: Journal, past: Past) -> None:
    journal.append([reading(seq, b'{"temp":%d,"humid":9}' % (seq % 7)) for seq in range(1, 50)])
    one = Chart(past, KEY, fields(PAYLOAD), [".temp", ".humid"], glyphs=ASCII)
    rows = await drawn(one)
    assert all(row.isascii() for row in rows[1:])
    assert rows[1].startswith("* .temp")
    assert any("oooo" in row for row in rows[2:])


async def test_one_axis_goes_from_the_lowest_to_the_highest_of_all(journal: Journal, past: Past) -> None:
    one = several(journal, past, ".temp", ".rpm")
    rows = await drawn(one)
    assert rows[2].lstrip().startswith("1500┤")
    assert "max┤" not in "".join(rows)
    one.own_ranges = True
    rows = await drawn(one)
    assert rows[0] == "2 of 3 numbers · each its own range"
    assert rows[2].lstrip().startswith("max┤")


async def test_numbers_are_added_and_taken_away_and_keep_their_signs(journal: Journal, past: Past) -> None:
    one = several(journal, past)
    assert one.chosen == [".temp"]
    assert not one.switch(0)
    assert one.switch(2)
    assert one.switch(1)
    assert one.chosen == [".temp", ".rpm", ".humid"]
    assert one.switch(0)
    assert (await drawn(one))[1].startswith("◆ .rpm")
    assert one.switch(0)
    assert one.chosen == [".rpm", ".humid", ".temp"]
    assert "● .temp" in "".join((await drawn(one))[1:3])


async def test_no_more_are_drawn_than_have_a_sign(journal: Journal, past: Past) -> None:
    payload = b'{"a":1,"b":2,"c":3,"d":4,"e":5,"f":6,"g":7}'
    journal.append([reading(1, payload)])
    one = Chart(past, KEY, fields(payload))
    assert [one.switch(place) for place in range(1, 7)] == [True] * (chart.MOST - 1) + [False]
    assert len(set(STYLES)) == len(SIGNS) == len(ASCII_SIGNS) == chart.MOST


async def test_the_list_names_every_number_and_what_is_drawn(journal: Journal, past: Past) -> None:
    one = several(journal, past, ".humid")
    await drawn(one)
    assert one.toggle(3)
    assert one.choosing
    assert shown(one)[1:] == ["[ ]   .temp", "[x] ● .humid last -29 min -29 max 89", "[ ]   .rpm"]
    assert one.path(3) == ".rpm"
    assert one.toggle(3)
    assert shown(one)[3].startswith("[x] ◆ .rpm last 1,500")
    assert one.toggle(0)
    assert not one.choosing


async def test_the_time_is_zoomed_and_ends_with_the_newest(journal: Journal, past: Past) -> None:
    one = several(journal, past, ".temp", ".humid")
    assert not one.zoom(-1)
    while one.span != 60:
        assert one.zoom(1)
    rows = await drawn(one)
    assert rows[0] == "2 of 3 numbers · one axis · last 1 minute"
    assert "min -29 max 31" in rows[1]
    while one.zoom(1):
        pass
    assert "last 5 seconds" in (await drawn(one))[0]
    journal.append([reading(500, b'{"temp":1,"humid":2}')])
    assert one.stale() or one._cost
    assert "● .temp last 1 min 1 max 1" in (await drawn(one))[1]


async def test_points_of_several_numbers_are_copied_with_their_names(journal: Journal, past: Past) -> None:
    journal.append([reading(1, b'{"temp":1,"humid":2}'), reading(2, b'{"humid":3}')])
    one = Chart(past, KEY, fields(PAYLOAD), [".temp", ".humid"])
    assert one.value(0).decode().splitlines() == [
        "time,field,value",
        '2026-01-01T12:00:01.000000Z,".temp",1.0',
        '2026-01-01T12:00:01.000000Z,".humid",2.0',
        '2026-01-01T12:00:02.000000Z,".humid",3.0',
    ]


async def test_a_low_pane_gets_a_sparkline_for_each(journal: Journal, past: Past) -> None:
    rows = await drawn(several(journal, past, ".temp", ".humid"), height=4)
    assert len(rows) == 4
    assert set(rows[2]) <= set(UNICODE.bars)


@settings(deadline=None)
@given(st.lists(st.lists(FLOATS, min_size=1, max_size=20), min_size=2, max_size=6), st.integers(1, 90), st.booleans())
def test_whatever_several_curves_are_their_drawing_fits(curves: list[list[float]], width: int, own: bool) -> None:
    rows = text(draw([Curve(slot, points(*values)) for slot, values in enumerate(curves)], width, 10, own_ranges=own))
    assert len(rows) <= 10
    assert all(len(row) <= width and row.isprintable() for row in rows)
