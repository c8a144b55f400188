from __future__ import annotations

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtui.payloads import diff
from rtui.payloads.base import Document
from rtui.payloads.diff import DiffDocument
from rtui.payloads.hex import HexDocument
from rtui.payloads.json import JsonTree
from rtui.payloads.text import TextDocument


def shown(document: Document) -> list[str]:
    return ["".join(text for _, text in line) for line in document.lines(0, document.height)]


def bare(document: Document) -> list[str]:
    """The rows of a tree as a comparison shows them: without what can be folded, and commas."""
    return [row.replace("▾", " ").removesuffix(",") for row in shown(document)]


def side(document: DiffDocument, sign: str) -> list[str]:
    """One of the two payloads, from the rows of the comparison."""
    document.fold_below(1 << 30)
    return [row[2:] for row in shown(document)[1:] if row[0] in {" ", sign}]


def json_side(document: DiffDocument, sign: str) -> list[str]:
    return [row.removesuffix(",") for row in side(document, sign)]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text("ab\n\x1b", max_size=2),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from("abcd"), inner, max_size=4),
    max_leaves=20,
)


@given(JSON, JSON)
def test_both_json_payloads_can_be_read_off_the_comparison(old: object, new: object) -> None:
    was, now = json.dumps(old).encode(), json.dumps(new).encode()
    compared = DiffDocument(was, now)
    assert json_side(compared, "-") == bare(JsonTree(was))
    assert json_side(compared, "+") == bare(JsonTree(now))


@given(st.binary(max_size=200), st.binary(max_size=200), st.integers(10, 80))
def test_both_payloads_of_bytes_can_be_read_off_the_comparison(old: bytes, new: bytes, width: int) -> None:
    old, new = b"\0" + old, b"\0" + new
    compared = DiffDocument(old, new)
    compared.reflow(width)
    for data, sign in ((old, "-"), (new, "+")):
        alone = HexDocument(data)
        alone.reflow(max(width - 2, 8))
        assert [row[10:] for row in side(compared, sign)] == [row[10:] for row in shown(alone)]


@given(st.text("ab\n", max_size=60), st.text("ab\n", max_size=60))
def test_both_texts_can_be_read_off_the_comparison(old: str, new: str) -> None:
    old, new = "x" + old, "x" + new
    compared = DiffDocument(old.encode(), new.encode())
    assert side(compared, "-") == shown(TextDocument(old.encode()))
    assert side(compared, "+") == shown(TextDocument(new.encode()))


@given(st.binary(max_size=100) | JSON.map(lambda value: json.dumps(value).encode()), st.binary(max_size=100))
def test_what_is_shown_is_harmless(old: bytes, new: bytes) -> None:
    compared = DiffDocument(old, new)
    assert all(char.isprintable() for row in shown(compared) for char in row)
    assert len(shown(compared)) == compared.height
    assert compared.lines(1, 3) == compared.lines(0, compared.height)[1:4]


def test_a_changed_value_stands_twice_and_the_rest_is_folded() -> None:
    old = {f"k{number}": number for number in range(20)}
    compared = DiffDocument(json.dumps(old).encode(), json.dumps({**old, "k10": 11}).encode(), "since #7")
    assert shown(compared) == [
        "since #7: 1 removed, 1 added",
        "▸ 8 rows alike",
        '      "k7": 7,',
        '      "k8": 8,',
        '      "k9": 9,',
        '-     "k10": 10,',
        '+     "k10": 11,',
        '      "k11": 11,',
        '      "k12": 12,',
        '      "k13": 13,',
        "▸ 7 rows alike",
    ]
    styles = [line[0][0] for line in compared.lines(5, 2)]
    assert styles == ["removed", "added"]


def test_folded_rows_come_back_and_go_again() -> None:
    old = json.dumps(list(range(30))).encode()
    compared = DiffDocument(old, old[:-1] + b",7]")
    folded = compared.height
    assert compared.foldable(1)
    before = shown(compared)
    assert compared.toggle(1)
    assert compared.height > folded
    assert not compared.foldable(2)
    assert compared.toggle(1)
    assert shown(compared) == before
    compared.toggle(1)
    compared.fold_below(1)
    assert shown(compared) == before
    assert not compared.toggle(0)


def test_commas_and_white_space_are_no_change() -> None:
    compared = DiffDocument(b'{"a":1}', b'{"a":1,"b":2}')
    assert compared.summary == "0 removed, 1 added"
    assert DiffDocument(b'{"a":1}', b'{ "a" : 1 }').summary == "the same values, written differently"
    assert DiffDocument(b"{}", b"{}").summary == "the same bytes"


def test_a_row_tells_its_path_and_its_bytes() -> None:
    compared = DiffDocument(b'{"a":{"b":1.50}}', b'{"a":{"b":2}}')
    rows = shown(compared)
    was, now = rows.index('-       "b": 1.50'), rows.index('+       "b": 2')
    assert (compared.path(was), compared.value(was)) == (".a.b", b"1.50")
    assert (compared.path(now), compared.value(now)) == (".a.b", b"2")
    assert compared.path(0) is None


def test_a_change_behind_the_shown_part_of_a_long_string_is_seen() -> None:
    long = b'"' + b"x" * 20_000
    assert DiffDocument(long + b'a"', long + b'b"').summary == "1 removed, 1 added"


def test_a_number_that_became_text_is_compared_as_text() -> None:
    assert shown(DiffDocument(b"21.5", b"offline"))[1:] == ["- 21.5", "+ offline"]


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (
            b"x" * (diff.MAX_BYTES + 1),
            b"x",
            "too many to compare (at most 1,048,576); the first difference is at byte 1",
        ),
        (b"\n" * 25_000, b"\n" * 25_001, "more than 20,000 rows are too many to compare"),
        (json.dumps([1] * 25_000).encode(), b"[2]", "more than 20,000 rows are too many to compare"),
    ],
    ids=["bytes", "lines", "json"],
)
def test_what_is_too_large_is_said(monkeypatch: pytest.MonkeyPatch, old: bytes, new: bytes, words: str) -> None:
    monkeypatch.setattr(diff, "MAX_ROWS", 20_000)
    compared = DiffDocument(old, new)
    assert words in compared.summary
    assert compared.height == 1


def test_other_values_far_apart_in_a_million_bytes_of_one_shape_are_paired() -> None:
    items = [{"id": number, "name": "pump", "v": 1} for number in range(26_000)]
    old = json.dumps(items).encode()
    assert 900_000 < len(old) < diff.MAX_BYTES
    items[70] = {**items[70], "v": 2}
    items[25_000] = {**items[25_000], "name": "fan"}
    compared = DiffDocument(old, json.dumps(items).encode())
    assert compared.summary == "2 removed, 2 added"
    assert compared.height < 30
    assert compared.fold_below(1 << 30)
    assert compared.height > 26_000 * 5
    assert compared.fold_below(1)
    assert compared.height < 30


def test_very_many_rows_are_not_compared_again_for_another_width() -> None:
    old = b"".join(b"%d %s\n" % (number, b"x" * 30) for number in range(20_000))
    compared = DiffDocument(old, old.replace(b"7 x", b"7 y"))
    assert compared.reflow(40)
    assert not compared.reflow(20)


def test_what_changed_too_much_is_shown_unpaired_in_time() -> None:
    old = json.dumps([{"id": number, "same": 1} for number in range(4_000)]).encode()
    new = json.dumps([{"id": -number, "same": 1} for number in range(1, 4_000)]).encode()
    began = time.thread_time()
    compared = DiffDocument(old, new)
    assert time.thread_time() - began < 5
    assert "too much changed to pair the rows" in compared.summary
    assert json_side(compared, "+") == bare(JsonTree(new))
