from __future__ import annotations

import json
from contextlib import suppress

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rtui.core import json_path
from rtui.core.json_path import BadPath

DOCUMENTS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=10,
)
STEPS = st.lists(st.text(max_size=4) | st.integers(-999_999_999, 999_999_999), max_size=5).map(tuple)


@pytest.mark.parametrize(
    ("text", "steps"),
    [
        (".", ()),
        (".a", ("a",)),
        (".a.b[0]", ("a", "b", 0)),
        (".[-1]", (-1,)),
        (".a.[2].b", ("a", 2, "b")),
        ('."x y"', ("x y",)),
        ('.a["x y"][1]', ("a", "x y", 1)),
        (r'."\"\\\u00e9"', ('"\\é',)),
        (".größe-1/$ref", ("größe-1/$ref",)),
        ('.""', ("",)),
    ],
)
def test_read(text: str, steps: tuple[str | int, ...]) -> None:
    assert json_path.read(text) == steps


@pytest.mark.parametrize(
    ("text", "position", "message"),
    [
        ("", 0, "begins with a dot"),
        ("items", 0, "begins with a dot"),
        ("[0]", 0, "begins with a dot"),
        ("..", 1, "key is missing"),
        (".a.", 3, "key is missing"),
        (".a b", 2, "not part"),
        (".a[", 2, "not a position"),
        (".a[x]", 2, "not a position"),
        (".a[0", 4, "not closed"),
        ('.a["x"', 6, "not closed"),
        ('."x', 1, "quote is not closed"),
        (r'."\q"', 1, "not a JSON string"),
    ],
)
def test_what_is_no_path_is_told_with_its_place(text: str, position: int, message: str) -> None:
    with pytest.raises(BadPath, match=message) as caught:
        json_path.read(text)
    assert caught.value.position == position
    assert f"character {position + 1}" in str(caught.value)


@given(st.text('.[]"\\ab0-1 \0\ud800', max_size=12))
@example('."\\ud800"')
def test_reading_raises_nothing_else(text: str) -> None:
    with suppress(BadPath):
        steps = json_path.read(text)
        assert json_path.read(json_path.write(steps)) == steps


@given(STEPS)
def test_what_is_written_is_read(steps: tuple[str | int, ...]) -> None:
    assert json_path.read(json_path.write(steps)) == steps


@given(DOCUMENTS, STEPS)
def test_raw_and_decoded_agree(document: object, steps: tuple[str | int, ...]) -> None:
    payload = json.dumps(document, indent=1).encode()
    missing = object()
    value = json_path.pick(document, steps, missing)
    part = json_path.cut(payload, steps)
    assert (part is None) == (value is missing)
    if part is not None:
        assert json.loads(part) == value


@given(DOCUMENTS)
def test_every_item_is_a_slice(document: object) -> None:
    payload = json.dumps({"data": document}).encode()
    items = json_path.items(payload, ("data",))
    assert (items is not None) == isinstance(document, list)
    assert [json.loads(item) for item in items or []] == (document if isinstance(document, list) else [])


def test_digits_and_spaces_stay_as_they_came() -> None:
    payload = b'\xef\xbb\xbf {"id": 12345678901234567890.1000 , "a": [ { "b" :1e999 } ]} '
    assert json_path.cut(payload, ("id",)) == b"12345678901234567890.1000"
    assert json_path.items(payload, ("a",)) == [b'{ "b" :1e999 }']


@pytest.mark.parametrize(
    "payload", [b"", b"{", b"[1,NaN]", b"[1]x", b'{"\xff":1}', b"[" * 100_000 + b"]" * 100_000, b"\x00", b"<html>"]
)
def test_what_is_no_json_has_no_places(payload: bytes) -> None:
    assert json_path.cut(payload, ("a",)) is None
    assert json_path.items(payload, ("a",)) is None
    assert json_path.items(payload, ()) is None


def test_what_is_json_is_told_apart_from_an_empty_place() -> None:
    assert json_path.is_json(b'{"a":"\xff"}'), "the bytes of a text are not looked at"
    assert not json_path.is_json(b"502 Bad Gateway")


@given(DOCUMENTS, STEPS)
def test_what_was_put_is_found_and_nothing_else_changed(document: object, steps: tuple[str | int, ...]) -> None:
    payload = json.dumps({"kept": 1.50, "data": document}).encode()
    with suppress(ValueError):
        changed = json_path.put(payload, ("data", *steps), b'{"new": 2.500}')
        assert json_path.cut(changed, ("data", *steps)) == b'{"new": 2.500}'
        assert json_path.cut(changed, ("kept",)) == b"1.5"


def test_objects_on_the_way_are_made() -> None:
    assert json_path.put(b"{}", ("a", "b"), b"1") == b'{"a":{"b":1}}'
    assert json_path.put(b'[{"x":1.0}]', (-1, "y"), b'"z"') == b'[{"x":1.0,"y":"z"}]'
    assert json_path.put(b"[1]", (), b"2") == b"2"


@pytest.mark.parametrize(
    ("payload", "steps", "part"),
    [(b"text", ("a",), b"1"), (b"[]", (0,), b"1"), (b'{"a":5}', ("a", "b"), b"1"), (b"{}", ("a",), b"no json")],
)
def test_where_there_is_no_place_nothing_is_put(payload: bytes, steps: tuple[str | int, ...], part: bytes) -> None:
    with pytest.raises(ValueError, match="no place"):
        json_path.put(payload, steps, part)
