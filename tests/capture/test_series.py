from __future__ import annotations

import json
import math
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtui.capture import series
from rtui.capture.journal import TAIL_RECORDS, Journal
from rtui.capture.past import Key, Past
from rtui.capture.reader import Reader
from rtui.capture.series import Field, Series, fields, number
from rtui.core.record import Record
from rtui.payloads.json import JsonTree
from tests.capture.helper import record, store

TEMP = Key(1, "temp", 1)
V = Field(".v", ("v",))


@pytest.fixture
def reader(journal: Journal) -> Iterator[Reader]:
    made = Reader(journal.path)
    yield made
    made.close()


def temperature(seq: int) -> Record:
    return record(seq, b'{"v":%d}' % seq, channel="temp")


def values(one: Series) -> list[float]:
    return [point.value for point in one.points]


def settled(one: Series) -> Series:
    if not one.complete:
        one.take(one.look_up())
    return one


def test_fields_are_named_as_the_filter_language_names_them() -> None:
    payload = b'{"v":1,"a":{"b c":[1,2.5,"x",{"d":-1e3}]},"t":true,"n":null,"s":"5"}'
    assert [field.path for field in fields(payload)] == [".v", '.a["b c"][0]', '.a["b c"][1]', '.a["b c"][3].d']
    assert [number(payload, field) for field in fields(payload)] == [1, 1, 2.5, -1000]


@given(
    st.recursive(
        st.integers(-9, 9) | st.text(max_size=2),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
        max_leaves=12,
    )
)
def test_paths_are_those_of_the_json_tree(value: object) -> None:
    payload = json.dumps(value, ensure_ascii=False).encode()
    tree = JsonTree(payload)
    rows = [row for row in range(tree.height) if tree.kind(row) == "number"]
    assert [field.path for field in fields(payload)] == [tree.path(row) for row in rows]
    assert [number(payload, field) for field in fields(payload)] == [float(tree.value(row)) for row in rows]


@given(st.binary(max_size=80) | st.text('0123456789.eE+-[]{}"Na,:', max_size=30).map(str.encode))
def test_anything_may_be_a_payload(payload: bytes) -> None:
    for field in fields(payload):
        found = number(payload, field)
        assert found is not None
        assert math.isfinite(found)


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        (b"21.5", 21.5), (b" 21.50\r\n", 21.5), (b"+3", 3.0), (b".5", 0.5), (b"007", 7.0), (b"-1e3", -1000.0),
        (b"1e999", None), (b"NaN", None), (b"9" * 5000, None), (b"true", None), (b'"5"', None), (b"", None),
        (b"1_000", None), (b"21,5", None), ("٣".encode(), None), (b"[" * 100_000, None),
    ],
)  # fmt: skip
def test_a_payload_that_is_a_number_is_the_field_dot(payload: bytes, expected: float | None) -> None:
    assert fields(payload) == ([Field(".", ())] if expected is not None else [])
    assert number(payload, Field(".", ())) == expected


def test_a_field_that_is_no_number_does_not_hide_the_others() -> None:
    assert [field.path for field in fields(b'{"a":NaN,"b":2}')] == [".b"]


def test_points_of_memory_and_file_are_one_list(journal: Journal, reader: Reader) -> None:
    rows = [temperature(seq) if seq % 10 == 0 else record(seq) for seq in range(1, 2 * TAIL_RECORDS)]
    for first in range(0, len(rows), 1_000):
        store(journal, rows[first : first + 1_000])
    one = Series(Past(reader, journal), TEMP, V, limit=5_000)
    assert not one.complete
    assert 0 < len(one.points) < 1_300
    settled(one)
    assert values(one) == [float(row.seq) for row in rows if row.channel == "temp"]
    assert not one.partial


def test_the_newest_points_are_kept(journal: Journal, reader: Reader) -> None:
    store(journal, [temperature(seq) for seq in range(1, 101)])
    one = Series(Past(reader, journal), TEMP, V, limit=10)
    assert one.complete
    assert values(one) == list(range(91, 101))
    before = one.revision
    store(journal, [temperature(101), record(102), record(103, b'{"w":1}', channel="temp")])
    assert one.refresh()
    assert one.revision > before
    assert values(one) == list(range(92, 102))
    assert not one.refresh()


def test_what_came_while_nobody_looked_is_read_from_the_file(journal: Journal, reader: Reader) -> None:
    one = Series(Past(reader, journal), TEMP, V)
    store(journal, [temperature(seq) for seq in range(1, 11)])
    for first in range(11, 3 * TAIL_RECORDS, 1_000):
        store(journal, [record(seq) for seq in range(first, first + 1_000)])
    assert one.refresh()
    assert values(one) == list(range(1, 11))


def test_after_a_long_pause_the_points_are_begun_anew(
    journal: Journal, reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(series, "GAP", 100)
    one = settled(Series(Past(reader, journal), TEMP, V))
    late = one.look_up()
    store(journal, [temperature(seq) for seq in range(1, 11)])
    for first in range(11, 2 * TAIL_RECORDS, 1_000):
        store(journal, [record(seq) for seq in range(first, first + 1_000)])
    assert one.refresh()
    assert not one.complete
    one.take(late)
    assert not one.complete
    settled(one)
    assert values(one) == list(range(1, 11))


def test_a_capture_that_was_opened_has_its_points_in_the_file(journal: Journal, reader: Reader) -> None:
    store(journal, [temperature(seq) for seq in range(1, 501)])
    one = Series(Past(reader), TEMP, V)
    assert not one.points
    assert values(settled(one)) == list(range(1, 501))
    assert not one.refresh()


def counted(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The payloads that are parsed from now on."""
    parsed: list[bytes] = []
    read = series._parsed

    def parse(payload: bytes) -> object:
        parsed.append(payload)
        return read(payload)

    monkeypatch.setattr(series, "_parsed", parse)
    return parsed


def test_the_fields_of_a_channel_are_refreshed_together_and_each_payload_is_parsed_once(
    journal: Journal, reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    past = Past(reader, journal)
    often, seldom = Series(past, TEMP, V, limit=5), Series(past, TEMP, Field(".w", ("w",)), limit=5)
    payloads = [b'{"v":%d%s}' % (seq, b',"w":%d' % seq if seq % 10 == 0 else b"") for seq in range(1, 41)]
    journal.append([record(seq, payload, channel="temp") for seq, payload in enumerate(payloads, 1)])
    parsed = counted(monkeypatch)
    assert Series.refresh_all([often, seldom])
    assert values(often) == [36, 37, 38, 39, 40]
    assert values(seldom) == [10, 20, 30, 40]
    assert len(parsed) == len(payloads)
    assert not Series.refresh_all([often, seldom])


def test_no_more_is_parsed_than_is_kept(journal: Journal, reader: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    one = Series(Past(reader, journal), TEMP, V, limit=5)
    journal.append([temperature(seq) for seq in range(1, 41)])
    parsed = counted(monkeypatch)
    assert one.refresh()
    assert values(one) == [36, 37, 38, 39, 40]
    assert len(parsed) == 5
