"""What SQL decides of topic filters and regular expressions is what Python would have decided, row by row."""

from __future__ import annotations

import contextlib
import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from rtui.capture.pattern import BadPattern, checked, needle, topic, topic_globs
from rtui.capture.query import compile_filter
from rtui.capture.sweep import is_swept
from tests.capture.helper import empty, matching, record

levels = st.sampled_from(["", "a", "b", "A", "a*", "[a]", "?", "ä"])
channels = st.lists(levels, min_size=1, max_size=5).map("/".join)
wanteds = st.tuples(st.lists(levels | st.just("+"), max_size=5), st.booleans()).map(
    lambda parts: "/".join([*parts[0], "#"] if parts[1] else parts[0])
)


def selects(text: str, payload: bytes, channel: str) -> bool:
    with contextlib.contextmanager(empty)() as connection:
        return bool(matching(connection, compile_filter(text), [record(1, payload, channel=channel)]))


@given(wanted=wanteds.filter(lambda text: "+" in text.split("/") or text.endswith("#")), channel=channels)
@example("a/+/b", "a/x/y/b")
@example("+/b/#", "x/y/b")
@example("+/b/#", "x/y/b/z")
@example("a/+/#", "a")
@example("#", "")
@settings(max_examples=400, deadline=None)
def test_a_topic_filter_in_sql_is_that_of_the_standard(wanted: str, channel: str) -> None:
    assert selects(f'ch:"{wanted}"', b"", channel) is topic(wanted, channel)


@pytest.mark.parametrize(
    ("wanted", "exact"), [("a/+/b", True), ("a/#", True), ("+/+/#", True), ("a/+/#", True), ("+/b/#", False)]
)
def test_python_is_asked_only_where_sql_cannot_tell(wanted: str, exact: bool) -> None:
    assert topic_globs(wanted).exact is exact
    assert is_swept(compile_filter(f"ch:{wanted}").params) is not exact


@pytest.mark.parametrize(
    ("source", "text", "folded"),
    [
        ("abc", "abc", False),
        (r"\d+ error: \w", " error: ", False),
        ("a(bcd)e+", "bcd", False),
        ("(?:ab|cd)x", "x", False),
        ("(abc)?", "", False),
        ("(abc){0,2}xy", "xy", False),
        ("(?!abc)x", "x", False),
        ("(?<=abc)x", "x", False),
        ("(?i:abc)x", "x", False),
        ("ärger12", "rger12", False),
        ("(?i)Hall-7", "hall-7", True),
        ("(?i)kelvin", "elv", True),
        ("(?x) a b # c", "ab", False),
        ("a|b", "", False),
    ],
)
def test_the_needle_of_an_expression(source: str, text: str, folded: bool) -> None:
    assert needle(source) == (text, folded)


pieces = st.sampled_from(
    ["a", "b", "k", "K", "s", "ä", ".", r"\d", r"\w+", "(ab)", "(a|b)", "(?:ba)?", "b{2}", "a*", "(?!b)", "^", "$", "İ"]
)


@given(
    expression=st.lists(pieces, min_size=1, max_size=5).map("".join),
    flags=st.sampled_from(["", "i"]),
    payload=st.text("abkKsſ\u212aäiİı1 ", max_size=12),
    channel=st.sampled_from(["", "a", "ab", "K", "1ba"]),
)
@example("s", "i", "ſ", "")
@example("k", "i", "\u212a", "")
@settings(max_examples=400, deadline=None)
def test_an_expression_finds_with_its_needle_what_it_finds_without(
    expression: str, flags: str, payload: str, channel: str
) -> None:
    try:
        source = checked(expression, flags)
    except BadPattern:
        return
    expected = any(re.search(source, text) for text in (payload, channel))
    assert selects(f"/{expression}/{flags}", payload.encode(), channel) is expected


def test_bytes_that_are_no_text_are_searched_too() -> None:
    assert selects("/error/", b"\xff\x00error", "")
    assert selects("/error/i", b"\xff\x00ERROR", "")
    assert not selects("/error/", b"\xff\x00errer", "")
