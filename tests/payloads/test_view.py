from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtui.payloads.base import Document
from rtui.payloads.hex import HexDocument
from rtui.payloads.registry import VIEWS, open_as, open_best, view, views_for
from rtui.payloads.text import ROW_LIMIT, TextDocument


def shown(document: Document) -> list[str]:
    return ["".join(text for _, text in line) for line in document.lines(0, document.height)]


@given(st.binary() | st.text().map(str.encode), st.integers(1, 100))
def test_every_view_opens_everything_it_claims_and_shows_only_harmless_text(data: bytes, width: int) -> None:
    for known in VIEWS:
        document = open_as(known.name, data).document
        document.reflow(width)
        rows = shown(document)
        assert len(rows) == document.height
        assert all(char.isprintable() or char == "\u200d" for row in rows for char in row)


@given(st.binary(), st.integers(1, 100), st.integers(0, 20), st.integers(0, 20))
def test_a_window_is_a_slice(data: bytes, width: int, first: int, count: int) -> None:
    for known in VIEWS:
        document = open_as(known.name, data).document
        document.reflow(width)
        assert document.lines(first, count) == document.lines(0, document.height)[first : first + count]


@given(st.binary(max_size=300), st.integers(1, 100))
def test_hex_rows_are_the_bytes(data: bytes, width: int) -> None:
    document = HexDocument(data)
    document.reflow(width)
    assert b"".join(document.value(row) for row in range(document.height)) == data
    digits = "".join(text for line in document.lines(0, document.height) for style, text in line if style == "hex")
    assert bytes.fromhex(digits) == data


def test_a_hex_row() -> None:
    assert shown(HexDocument(b"rtui\x00\x1b[0m\xff")) == [
        "00000000  72 74 75 69 00 1b 5b 30  6d ff" + " " * 19 + "│rtui..[0m."
    ]
    assert HexDocument(bytes(40)).path(2) == "0x20"


def test_sixteen_mebibytes_of_hex_cost_one_window() -> None:
    document = HexDocument(bytes(16 << 20))
    assert document.height == 1 << 20
    assert shown_at(document, (1 << 20) - 1).startswith("00fffff0  00 00")


def shown_at(document: Document, row: int) -> str:
    return "".join(text for _, text in document.lines(row, 1)[0])


@given(st.text(st.characters(exclude_characters="\r", codec="utf-8"), max_size=200), st.integers(8, 40))
def test_raw_rows_are_the_text_and_never_cut_a_character(text: str, width: int) -> None:
    document = TextDocument(text.encode())
    document.reflow(width)
    values = [document.value(row) for row in range(document.height)]
    assert b"".join(values) == text.encode().replace(b"\n", b"")
    assert all(len(value) <= width for value in values)
    for value in values:
        value.decode()


def test_raw_lines() -> None:
    assert shown(TextDocument(b"a\r\n\n\tb\xff\x1b[0m\n")) == ["a", "", "    b\\xff␛[0m"]
    assert shown(TextDocument(b"")) == ["(empty)"]


def test_a_line_that_fits_exactly_has_no_empty_row_behind_it() -> None:
    document = TextDocument(b"12345678\n12345678")
    assert document.reflow(8)
    assert shown(document) == ["12345678", "12345678"]
    assert not document.reflow(8)


def test_rows_are_limited_and_the_rest_announced() -> None:
    document = TextDocument(b"\n" * (ROW_LIMIT + 10))
    assert document.height == ROW_LIMIT + 1
    assert shown_at(document, ROW_LIMIT) == "… 10 bytes more: hex shows them"


@pytest.mark.parametrize(
    ("data", "meta", "best"),
    [
        (b'{"a":1}', {}, "json"),
        (b" [1]\n", {}, "json"),
        (b"[not json]", {}, "raw"),
        (b"hello", {}, "raw"),
        (b"", {}, "raw"),
        (b"1", {}, "json"),
        (b"hello", {"content_type": "application/json"}, "raw"),
        (b'{"a":1}', {"content_type": "application/problem+json; charset=utf-8"}, "json"),
        (b"\x00\x01\x02", {}, "hex"),
        ("日本".encode() * 700, {}, "raw"),
        (b"\xff\xfe", {}, "hex"),
    ],
)
def test_the_best_view(data: bytes, meta: dict[str, str], best: str) -> None:
    assert open_best(data, meta).view.name == best
    assert {"raw", "hex"} <= {known.name for known in views_for(data, meta)}


def test_a_view_that_cannot_read_falls_back_to_raw_and_says_why() -> None:
    opening = open_as("json", b"[1,\x1b]")
    assert opening.view.name == "raw"
    assert opening.problem == "not JSON at byte 3: ␛]"
    assert shown(opening.document) == ["[1,␛]"]


def test_views_are_known_by_name() -> None:
    assert [view(known.name) for known in VIEWS] == list(VIEWS)
    with pytest.raises(KeyError):
        view("nope")
