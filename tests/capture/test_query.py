from __future__ import annotations

import json
import math
import re
import sqlite3
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from rtui.capture.operator import OPERATORS
from rtui.capture.pattern import topic
from rtui.capture.query import FilterError, compile_filter, help_rows
from rtui.capture.series import fields
from rtui.core.record import Kind, Record
from tests.capture.helper import empty, matching, record

Oracle = Callable[[Record], bool]


connection = pytest.fixture(scope="module")(empty)


def hits(connection: sqlite3.Connection, text: str, *payloads: bytes) -> list[int]:
    return matching(connection, compile_filter(text), [record(i + 1, p) for i, p in enumerate(payloads)])


# Agreement with a plain reading of the rules

WORDS = ["bob", "BoB", "v", "30", "ä", "tick"]
keys = st.sampled_from(["v", "user", "name", "a b"])
scalars = (
    st.none()
    | st.booleans()
    | st.integers(-50, 50)
    | st.floats(-50, 50).map(lambda x: round(x, 2))
    | st.sampled_from(WORDS)
)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3), max_leaves=6
)
payloads = (
    values.map(lambda value: json.dumps(value, ensure_ascii=False).encode())
    | st.binary(max_size=8)
    | st.sampled_from([b"{bad", b"bob\x00BOB", b'{"v":1e999}', b'{"v":NaN}', b'{"v":99999999999999999999}', b"BOB\xff"])
)
records = st.lists(
    st.builds(
        lambda link, kind, direction, channel, payload, reply, latency: Record(
            1, 0, link, kind, direction, channel, payload, None, reply, latency
        ),
        st.integers(1, 2),
        st.sampled_from(list(map(int, Kind))),
        st.integers(0, 2),
        st.sampled_from(["", "a", "a/b", "a/b/c", "bob", "A[x]"]),
        payloads,
        st.none() | st.integers(1, 9),
        st.none() | st.integers(0, 50_000_000),
    ),
    max_size=6,
).map(
    lambda rows: [Record(*(i + 1, *[getattr(r, n) for n in Record.__struct_fields__][1:])) for i, r in enumerate(rows)]
)

COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    ">": lambda a, b: a > b,
    "<": lambda a, b: a < b,
    ">=": lambda a, b: a >= b,
    "<=": lambda a, b: a <= b,
    "==": lambda a, b: a == b,
    "=": lambda a, b: a == b,
}
MISSING = object()


def read_json(payload: bytes) -> object:
    def refuse(_name: str) -> object:
        raise ValueError

    try:
        # SQLite reads a text up to its first NUL.
        return json.loads(payload.partition(b"\0")[0].decode(), parse_constant=refuse)
    except ValueError:
        return MISSING


def walk(value: object, path: list[str | int]) -> object:
    for step in path:
        match value, step:
            case dict(), str() if step in value:
                value = value[step]
            case list(), int() if -len(value) <= step < len(value):
                value = value[step]
            case _:
                return MISSING
    return value


def is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def contains(needle: str) -> Oracle:
    if needle.isascii():
        low = needle.encode().lower()
        return lambda r: low in r.payload.lower() or low in r.channel.encode().lower()
    return lambda r: needle.casefold() in r.payload.decode(errors="replace").casefold() or needle in r.channel


def spelled(path: list[str | int]) -> str:
    return "".join(
        f'."{s}"' if isinstance(s, str) and " " in s else f".{s}" if isinstance(s, str) else f"[{s}]" for s in path
    )


def json_number(path: list[str | int], sign: str, number: float) -> tuple[str, Oracle]:
    def matches(r: Record) -> bool:
        found = walk(read_json(r.payload), path)
        if sign == "!=":
            return found is not MISSING and not (is_number(found) and found == number)
        return is_number(found) and COMPARE[sign](found, number)

    return f"{spelled(path)}{sign}{number}", matches


def json_text(path: list[str | int], sign: str, text: str) -> tuple[str, Oracle]:
    def matches(r: Record) -> bool:
        found = walk(read_json(r.payload), path)
        return isinstance(found, str) and COMPARE[sign](found.encode(), text.encode())

    return f'{spelled(path)}{sign}"{text}"', matches


paths = st.lists(keys | st.integers(-2, 2), min_size=1, max_size=3).filter(lambda path: isinstance(path[0], str))
LEAVES: list[tuple[str, Oracle]] = [
    ("in", lambda r: r.direction == 1),
    ("OUT", lambda r: r.direction == 2),
    ("reply", lambda r: r.reply_to is not None),
    ("thread:1", lambda r: r.seq == 1 or r.reply_to == 1),
    ("thread:7", lambda r: r.reply_to == 7),
    ("ch:a/b", lambda r: r.channel == "a/b"),
    ("ch:a/+", lambda r: r.channel == "a/b"),
    ("ch:a/#", lambda r: r.channel in {"a", "a/b", "a/b/c"}),
    ("ch:+/b/#", lambda r: r.channel in {"a/b", "a/b/c"}),
    ("ch:a*", lambda r: r.channel.startswith("a")),
    ("ch=a/b", lambda r: r.channel == "a/b"),
    ("ch=a/+", lambda r: r.channel == "a/+"),
    ('ch==""', lambda r: not r.channel),
    ("ch:A[*", lambda r: r.channel == "A[x]"),
    ("proto:mqtt", lambda r: r.link == 1),
    ("link:chat", lambda r: r.link == 2),
    ("kind:error,gap", lambda r: r.kind in {Kind.ERROR, Kind.GAP}),
    ("size>3", lambda r: len(r.payload) > 3),
    ("size<=0.01k", lambda r: len(r.payload) <= 10),
    ("latency>10ms", lambda r: r.latency is not None and r.latency > 10_000_000),
    ("latency!=0s", lambda r: r.latency is not None and r.latency != 0),
    ("age<5m", lambda r: False),
    ("/b.b/", lambda r: _regex(r, "b.b", 0)),
    ("/B[O]B/i", lambda r: _regex(r, "bob", 2)),
]


def _regex(r: Record, pattern: str, flags: int) -> bool:
    texts = (r.payload.decode(errors="replace"), r.channel)
    return any(re.search(pattern, text, flags) for text in texts)


leaves = (
    st.sampled_from(LEAVES)
    | st.sampled_from(WORDS).map(lambda word: (f'"{word}"', contains(word)))
    | st.builds(json_number, paths, st.sampled_from([*COMPARE, "!="]), st.integers(-50, 50) | st.just(1.5))
    | st.builds(json_text, paths, st.sampled_from(list(COMPARE)), st.sampled_from(WORDS))
    | paths.map(lambda path: (spelled(path), lambda r: walk(read_json(r.payload), path) is not MISSING))
)


def negate(term: tuple[str, Oracle]) -> tuple[str, Oracle]:
    return f"not {term[0]}", lambda r: not term[1](r)


def both(one: tuple[str, Oracle], two: tuple[str, Oracle]) -> tuple[str, Oracle]:
    return f"({one[0]} {two[0]})", lambda r: one[1](r) and two[1](r)


def either(one: tuple[str, Oracle], two: tuple[str, Oracle]) -> tuple[str, Oracle]:
    return f"({one[0]} or {two[0]})", lambda r: one[1](r) or two[1](r)


terms = st.recursive(leaves, lambda t: t.map(negate) | st.builds(both, t, t) | st.builds(either, t, t), max_leaves=4)


@settings(max_examples=400, deadline=None)
@given(records, terms)
def test_sql_agrees_with_a_plain_reading(
    connection: sqlite3.Connection, rows: list[Record], term: tuple[str, Oracle]
) -> None:
    text, oracle = term
    assert matching(connection, compile_filter(text), rows) == [r.seq for r in rows if oracle(r)]


# Whatever is typed

ALPHABET = "()\"/\\.[]<>=!~:*+#$ abin\n\0'%;-1\ud800ä" + "notorch"


@settings(max_examples=500, deadline=None)
@given(st.text(alphabet=ALPHABET, max_size=60) | st.text(max_size=40))
@example("(" * 10_000)
@example("not " * 900)
@example("a " * 1_900)
@example(".a" * 1_900)
@example("size>" + "9" * 3_000)
@example(".v>" + "9" * 3_000)
@example("age<1" + "0" * 400 + "d")
@example("time>0001-01-01")
@example("/(a+)+$/")
@example("/" + "(" * 900 + ")" * 900 + "/")
@example("/a{99999999999999999}/")
@example(".a.[0")
@example(".[0]")
@example("ch:" + "[" * 100)
def test_any_text_compiles_and_runs_or_is_a_filter_error(connection: sqlite3.Connection, text: str) -> None:
    try:
        found = compile_filter(text)
    except FilterError as error:
        wrong = error
    else:
        matching(connection, found, [record(1, b'{"a":[1]}'), record(2, b"\xff"), record(3, b"")])
        return
    assert 0 <= wrong.position <= len(text)
    assert wrong.message


@given(st.text(max_size=30))
@example("#")
def test_values_are_bound_never_spliced(text: str) -> None:
    for quoted in (f'"{text}"', f'.a=="{text}"', f'ch:"{text}"', f'."{text}"=="x"'):
        try:
            found = compile_filter(quoted)
        except FilterError:
            continue
        assert set(found.sql) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_(),'?=<>-/ 0189")
        assert "--" not in found.sql


def test_injection_finds_nothing_and_breaks_nothing(connection: sqlite3.Connection) -> None:
    for text in ('"\'; DROP TABLE records; --"', '.a=="\') OR 1=1 --"', "ch:\"x' OR '1'='1\""):
        assert hits(connection, text, b'{"a":1}', b"x") == []


def test_the_ends_of_nesting_are_said() -> None:
    with pytest.raises(FilterError, match="deep") as caught:
        compile_filter("(" * 3_000)
    assert caught.value.position > 0


def test_compiling_takes_no_time_to_speak_of() -> None:
    began = time.thread_time()
    for text in ("(" * 10_000, "a " * 5_000, '"' * 3_999, "/" * 3_999, "." * 3_999, "not " * 999, "\\" * 3_999):
        with suppress(FilterError):
            compile_filter(text)
    assert time.thread_time() - began < 1.0


# Single rules


@pytest.mark.parametrize(
    ("text", "position", "message"),
    [
        ("a and", 5, "missing"),
        ("(a", 0, "not closed"),
        ("a )", 2, "nothing to close"),
        ("or a", 0, "missing"),
        ('in "abc', 3, "quote"),
        ("in kind:eror", 3, "no kind 'eror'"),
        ("size>x", 0, "'x' is not a size"),
        ("age<5", 0, "needs a unit"),
        ("chn:a", 0, "no operator 'chn'"),
        ("ch>a", 0, "does not take"),
        (".a>true", 0, "no order"),
        ("/(/", 0, "bad regular expression"),
        ("/(a*)*b/", 0, "endless"),
        ("ch:", 3, "value is missing"),
        ('a "\ud800"', 3, "surrogate"),
    ],
)
def test_errors_name_the_place(text: str, position: int, message: str) -> None:
    with pytest.raises(FilterError) as caught:
        compile_filter(text)
    assert caught.value.position == position
    assert message in caught.value.message


def test_paths_with_quotes_and_positions(connection: sqlite3.Connection) -> None:
    payload = b'{"a":{"b c":[{"d":5},{"d":"x.y"}]}}'
    for text in ('.a."b c"[0].d==5', '.a."b c"[-1].d=="x.y"', '.a."b c"[1].d~X.', '.a."b c"[1].d~/^x/', '.a."b c"'):
        assert hits(connection, text, payload, b"[]", b"{}") == [1], text
    assert hits(connection, ".[1]==2", b"[1,2]") == [1]


def test_what_is_copied_as_a_path_is_a_filter(connection: sqlite3.Connection) -> None:
    payload = b'{"a":{"b c":[{"d":5}]},"\xc3\xa9":1}'
    for field in fields(payload):
        assert hits(connection, f"{field.path}>0", payload, b"[]") == [1], field.path
    with pytest.raises(FilterError, match="cannot be looked up"):
        compile_filter(r'.["\ud800"]')


def test_numbers_and_texts_do_not_mix(connection: sqlite3.Connection) -> None:
    rows = (b'{"v":5}', b'{"v":"5"}', b'{"v":true}', b'{"v":null}', b'{"v":5.0}', b'{"v":[5]}')
    assert hits(connection, ".v==5", *rows) == [1, 5]
    assert hits(connection, '.v=="5"', *rows) == [2]
    assert hits(connection, ".v==true", *rows) == [3]
    assert hits(connection, ".v==null", *rows) == [4]
    assert hits(connection, ".v>0", *rows) == [1, 5]
    assert hits(connection, ".v", *rows) == [1, 2, 3, 4, 5, 6]


def test_huge_numbers_compare(connection: sqlite3.Connection) -> None:
    assert hits(connection, ".v>1e300", b'{"v":1e999}', b'{"v":%d}' % 10**400) == [1, 2]
    assert hits(connection, ".v>" + "9" * 400, b'{"v":1}') == []
    assert math.isinf(float(str(compile_filter(".v<1e999").params[-1])))


def test_reserved_words_are_found_when_quoted(connection: sqlite3.Connection) -> None:
    assert hits(connection, '"and"', b"this and that", b"x") == [1]
    assert hits(connection, "https://example", b"see HTTPS://example.org", b"x") == [1]


def test_case_is_ignored_beyond_ascii_too(connection: sqlite3.Connection) -> None:
    assert hits(connection, "größe", "GRÖSSE".encode(), "größe".encode()) == [1, 2]


def test_time_and_age(connection: sqlite3.Connection) -> None:
    now = time.time_ns()
    rows = [Record(i + 1, now - age * 10**9, 1, 0, 1, "", b"") for i, age in enumerate((0, 100, 10_000))]
    assert matching(connection, compile_filter("age<5m"), rows) == [1, 2]
    assert matching(connection, compile_filter("age>50s age<1h"), rows) == [2]
    assert matching(connection, compile_filter("time>2020-01-01T00:00:00Z"), rows) == [1, 2, 3]
    assert matching(connection, compile_filter("time<2020-01-01"), rows) == []


def test_a_clock_time_is_of_the_day_of_the_newest_row(connection: sqlite3.Connection) -> None:
    """A capture is often looked at on another day, and its rows show no date."""
    noon = int(datetime(2024, 2, 29, 12).astimezone().timestamp())
    rows = [Record(i + 1, (noon + s) * 10**9, 1, 0, 1, "", b"") for i, s in enumerate((-86_400, -3_600, -1, 1, 60))]
    assert matching(connection, compile_filter("time>12:00"), rows) == [4, 5]
    assert matching(connection, compile_filter("time<11:59:59.5"), rows) == [1, 2, 3]
    assert matching(connection, compile_filter("time>=11:00 time<12:00:30"), rows) == [2, 3, 4]
    assert matching(connection, compile_filter("not time>00:00"), rows) == [1]


@pytest.mark.parametrize(
    ("wanted", "channel", "expected"),
    [
        ("a/#", "a", True),
        ("#", "a/b", True),
        ("+/+", "/x", True),
        ("+", "a/b", False),
        ("a/+/c", "a//c", True),
        ("a/#", "ab", False),
    ],
)
def test_topic_filters(wanted: str, channel: str, expected: bool) -> None:
    assert topic(wanted, channel) is expected


def test_help_lists_every_operator_and_its_examples_compile() -> None:
    rows = help_rows()
    assert {operator.example for operator in OPERATORS} <= {example for example, _ in rows}
    for operator in OPERATORS:
        compile_filter(operator.example)
        assert operator.help
