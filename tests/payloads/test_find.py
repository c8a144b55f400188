"""A text is found in whatever way a payload is shown."""

from __future__ import annotations

import json
from itertools import islice

import msgspec
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from rtui.encoding import cbor
from rtui.payloads.base import Document
from rtui.payloads.json import JsonTree
from rtui.payloads.needle import WINDOW, hits, pattern
from rtui.payloads.registry import open_as, view

ORDERS = {"orders": [{"id": number, "who": {"name": f"Name {number}"}} for number in range(40)], "done": True}

PAYLOADS = {
    "json": json.dumps(ORDERS).encode(),
    "msgpack": msgspec.msgpack.encode(ORDERS),
    "cbor": cbor.encode(ORDERS),
    "yaml": yaml.safe_dump(ORDERS).encode(),
}


def said(document: Document, row: int | None) -> str:
    assert row is not None
    return "".join(text for _, text in document.lines(row, 1)[0])


def rows(document: Document, needle: str, step: int = 1) -> list[int]:
    """All hits, from one end to the other."""
    found, here = [], -1 if step > 0 else document.height
    while (hit := document.find(needle, here, step)) is not None:
        found.append(here := hit)
    return found


@pytest.mark.parametrize("name", PAYLOADS)
def test_a_tree_shows_what_it_had_folded(name: str) -> None:
    document = open_as(name, PAYLOADS[name]).document
    document.fold_below(1)
    hit = document.find("name 17", -1, 1)
    assert "Name 17" in said(document, hit)
    assert document.path(hit or 0) == ".orders[17].who.name"
    assert document.find("NAME 17", hit or 0, 1) is None
    assert document.find("name 16", hit or 0, -1) is not None
    assert document.find("name 18", hit or 0, -1) is None


def test_json_is_found_as_it_is_shown_and_as_it_came() -> None:
    tree = JsonTree(b'{"id":7,"name":"\\u65e5\\u672c","text":"say \\"hi\\"","list":[1,47]}')
    assert said(tree, tree.find('"id": 7', -1, 1)).strip() == '"id": 7,'
    assert "日本" in said(tree, tree.find("日", -1, 1))
    assert "hi" in said(tree, tree.find('say "hi', -1, 1))
    assert rows(tree, "47") == [6]
    assert rows(tree, '"', -1) == rows(tree, '"')[::-1]


def test_what_a_tree_does_not_list_is_its_last_row() -> None:
    tree = JsonTree(b"[" + b",".join(b"%d" % number for number in range(100)) + b"]", limit=10)
    assert tree.find("77", -1, 1) == tree.height - 1
    assert tree.find("77", tree.height - 1, 1) is None
    assert said(tree, tree.find("8", tree.height - 1, -1)).strip() == "8"


@pytest.mark.parametrize("name", ["raw", "hex"])
def test_a_text_may_begin_in_one_row_and_end_in_the_next(name: str) -> None:
    document = open_as(name, b"." * 13 + b"needle" + b"." * 40 + b"NEEDLE").document
    document.reflow(16 if name == "raw" else 80)
    assert rows(document, "needle") == [0, 3]
    assert rows(document, "needle", -1) == [3, 0]


def test_bytes_are_found_by_their_digits() -> None:
    document = open_as("hex", b"\x00" * 40 + b"\xde\xad").document
    document.reflow(80)
    assert rows(document, "de AD") == rows(document, "dead") == rows(document, "dead", -1) == [2]
    assert rows(document, "dea") == []
    letters = open_as("hex", b"A" + b"." * 31 + b"a" + b"." * 31 + b"41").document
    letters.reflow(80)
    assert rows(letters, "41") == [0, 4], "the byte, and the text"


def test_a_needle_that_is_everywhere_is_found_backwards_at_once() -> None:
    data = b'{"k":"' + b"abc " * (4 * WINDOW) + b'"}'
    assert [hit.start() for hit in islice(hits(pattern("c A"), data, len(data), -1), 3)] == [
        len(data) - 8 - 4 * back for back in range(3)
    ]
    assert [hit.start() for hit in hits(pattern('"K"'), data, len(data), -1)] == [1]


def test_socket_io_arguments_are_looked_through_one_by_one() -> None:
    document = view("arguments").open(b'["hello",{"who":["bob","eve"]},"bob"]', {"wire": "42"})
    assert [said(document, row).strip(' 123",') for row in rows(document, "bob")] == ["bob", "bob"]
    assert rows(document, "bob", -1) == rows(document, "bob")[::-1]


@given(st.recursive(st.text() | st.integers(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))
def test_every_search_ends_at_rows_that_go_on_in_its_direction(document: object) -> None:
    for name in ("json", "raw", "hex"):
        opened = open_as(name, json.dumps(document).encode()).document
        for needle in ("a", '"', ",", "0", "}{", ": "):
            found = rows(opened, needle)
            assert found == sorted(set(found))
            back = rows(opened, needle, -1)
            assert back == sorted(set(back), reverse=True)
