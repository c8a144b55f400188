from __future__ import annotations

import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtui.payloads.base import Unreadable
from rtui.payloads.json import VALUE_LIMIT, JsonTree

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(), inner, max_size=5),
    max_leaves=25,
)


def shown(tree: JsonTree, first: int = 0, count: int = 10_000) -> list[str]:
    return ["".join(text for _, text in line) for line in tree.lines(first, count)]


def rows_by_path(tree: JsonTree) -> dict[str, bytes]:
    return {tree.path(row) or "": tree.value(row) for row in range(tree.height)}


@given(VALUES, st.sampled_from([None, 2]), st.booleans())
def test_every_document_python_writes_is_read_and_its_root_is_the_source(
    value: Any, indent: int | None, ascii_only: bool
) -> None:
    source = json.dumps(value, indent=indent, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")
    tree = JsonTree(source)
    assert tree.value(0) == source
    assert all(char.isprintable() or char == "\u200d" for line in shown(tree) for char in line)


@given(VALUES)
def test_children_are_slices_that_are_json_themselves(value: Any) -> None:
    tree = JsonTree(json.dumps(value).encode())
    for row in range(tree.height):
        json.loads(tree.value(row))
        above = tree.parent(row)
        assert above is None or tree.value(row) in tree.value(above)


@given(st.binary(max_size=60) | st.text('{}[]",:01-.eE tnul\\', max_size=60).map(str.encode))
def test_it_reads_what_python_reads_and_refuses_the_rest_with_a_place(data: bytes) -> None:
    try:
        json.loads(data.decode("ascii"), strict=False)
    except (ValueError, UnicodeDecodeError):
        return
    assert JsonTree(data).height >= 1


@pytest.mark.parametrize(
    ("source", "place"),
    [
        (b"", 0), (b"[1,]", 3), (b'{"a"}', 1), (b"[1 2]", 3), (b"01", 1), (b'{"a":1]', 6), (b"[", 1), (b"nul", 0),
        (b"1,", 2), (b'{"a":1,}', 7), (b"[]x", 2), (b"{,}", 1), (b'"a', 0), (b"[{}", 3), (b"[,1]", 1), (b"[[],]", 4),
    ],
)  # fmt: skip
def test_what_is_not_json_is_named_by_its_byte(source: bytes, place: int) -> None:
    with pytest.raises(Unreadable, match=f"byte {place}\\b"):
        JsonTree(source)


def test_the_layout() -> None:
    assert shown(JsonTree(b'{"a":[1,{}],"b":{"c":null}}')) == [
        "▾ {",
        '  ▾ "a": [',
        "      1,",
        "      {}",
        "    ],",
        '  ▾ "b": {',
        '      "c": null',
        "    }",
        "  }",
    ]


def test_nothing_is_converted() -> None:
    source = rb'{"a":NaN,"a":1e999,"n":-0.10,"s":"\ud800 \u65e5 \ud83d\ude00 \\u65e5 \u0007 \q"}'
    assert shown(JsonTree(source))[1:-1] == [
        '    "a": NaN,',
        '    "a": 1e999,',
        '    "n": -0.10,',
        '    "s": "\\ud800 日 😀 \\\\u65e5 \\u0007 \\q"',
    ]


def test_a_five_thousand_digit_integer_is_shown_whole() -> None:
    digits = "7" * 5000
    assert shown(JsonTree(f"[{digits}]".encode()))[1] == f"    {digits}"


def test_a_hundred_thousand_nested_brackets() -> None:
    depth = 100_000
    tree = JsonTree(b"[" * depth + b"]" * depth)
    assert tree.height == 2 * depth - 1
    assert tree.path(2) == ".[0][0]"
    assert tree.value(depth - 1) == b"[]"
    assert tree.toggle(depth - 2)
    assert tree.height == 2 * depth - 3
    assert all(len(line) < 200 for line in shown(tree, depth - 10, 20))


def test_a_long_string_is_cut_for_show_and_copied_whole() -> None:
    source = b'"' + b"x" * 3 * VALUE_LIMIT + b'"'
    tree = JsonTree(source)
    assert len(shown(tree)[0]) < VALUE_LIMIT + 50
    assert shown(tree)[0].endswith("… 24,578 bytes")
    assert tree.value(0) == source


def test_values_behind_the_limit_are_announced_and_the_rest_still_folds() -> None:
    tree = JsonTree(b'[{"a":1},2,3,4,5]', limit=4)
    assert shown(tree) == [
        "▾ [", "  ▾ {", '      "a": 1', "    },", "    2", "  ]", "… 6 bytes more: raw and hex show them"
    ]  # fmt: skip
    assert tree.toggle(1)
    assert tree.height == 5


def test_paths() -> None:
    tree = JsonTree(rb'{"a":{"b":[10,{"c d":1,"\u00e9":2}]}}')
    assert list(rows_by_path(tree)) == [
        ".", ".a", ".a.b", ".a.b[0]", ".a.b[1]", '.a.b[1]["c d"]', '.a.b[1]["\\u00e9"]'
    ]  # fmt: skip
    assert rows_by_path(tree)[".a.b[1]"] == rb'{"c d":1,"\u00e9":2}'


def test_rows_outside_the_document() -> None:
    tree = JsonTree(b"[1]")
    assert tree.lines(99, 5) == []
    assert len(tree.lines(-3, 5)) == 3
    assert (tree.path(99), tree.parent(99), tree.value(99), tree.toggle(99)) == (None, None, b"", False)


@given(VALUES, st.lists(st.integers(0, 60), max_size=12))
def test_folding_in_any_order_shows_what_a_fresh_walk_shows(value: Any, rows: list[int]) -> None:
    tree = JsonTree(json.dumps(value).encode())
    unfolded = shown(tree)
    for row in rows:
        height, foldable = tree.height, tree.foldable(row)
        assert tree.toggle(row) is foldable
        assert (tree.height != height) is foldable
        assert tree._rows == tree._visible(0)
    tree.fold_below(10**9)
    assert shown(tree) == unfolded


def test_folding_from_the_closing_bracket() -> None:
    tree = JsonTree(b'{"a":[1,2]}')
    assert tree.toggle(4)
    assert shown(tree) == ["▾ {", '  ▸ "a": [ 2 items ]', "  }"]
    assert tree.toggle(1)
    assert tree.height == 6


def test_fold_below_a_depth() -> None:
    tree = JsonTree(b'{"a":{"b":{}},"c":[1]}')
    tree.fold_below(1)
    assert shown(tree) == ["▾ {", '  ▸ "a": { 1 item },', '  ▸ "c": [ 1 item ]', "  }"]


def test_a_megabyte_opens_at_once() -> None:
    source = json.dumps([{"type": "tick", "seq": n, "v": [1.5, None, True]} for n in range(20_000)]).encode()
    assert len(source) > 1_000_000
    start = time.thread_time()
    tree = JsonTree(source)
    assert time.thread_time() - start < 1.0  # the budget is 0.3 s on a quiet machine
    assert len(tree.lines(50_000, 40)) == 40
