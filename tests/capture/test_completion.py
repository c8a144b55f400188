from __future__ import annotations

from contextlib import contextmanager

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtui.capture.completion import LEADS, LIMIT, MAX_PATHS, MAX_PAYLOAD, Candidate, Seen, complete, places_of
from rtui.capture.operator import OPERATORS
from rtui.capture.query import FilterError, compile_filter
from tests.capture.helper import empty, matching, record

SEEN = Seen(
    channels=["sensors/r1/temp", "sensors/r1/humid", "a room", "temp"],
    paths=[Candidate(".v", "21.5"), Candidate(".user.name", '"bob"')],
    values={".user.name": ["bob", '"Eve B"', "alice"], ".v": ["21.5", "3"]},
    links=["plant", "my chat"],
    protocols=["mqtt", "websocket"],
)


def offered(text: str, cursor: int | None = None, seen: Seen = SEEN) -> list[str]:
    """The whole texts that the candidates would make."""
    found = complete(text, len(text) if cursor is None else cursor, seen)
    return [text[: found.start] + one.text + text[found.end :] for one in found.candidates]


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("si", "size>"),
        ("in ch", "in ch:"),
        ("(la", "(latency>"),
        ("rep", "reply"),
        ("ch:sen", "ch:sensors/r1/temp"),
        ("not ch:HUM", "not ch:sensors/r1/humid"),
        ("ch:a", 'ch:"a room"'),
        ('ch:"a r', 'ch:"a room"'),
        ('"a b" ch:temp', '"a b" ch:sensors/r1/temp'),
        ("ch=te", "ch=temp"),
        ("kind:er", "kind:error"),
        ("kind:error,ga", "kind:error,gap"),
        ("link:my", 'link:"my chat"'),
        ("proto:m", "proto:mqtt"),
        (".us", ".user.name"),
        ("in .NAME", "in .user.name"),
        (".user.name==", ".user.name==bob"),
        (".user.name==al", ".user.name==alice"),
        ('in .user.name!="e', 'in .user.name!="Eve B"'),
        ('.user["name"]~LI', '.user["name"]~alice'),
        ("humid", "ch:sensors/r1/humid"),
    ],
)
def test_the_term_at_the_end_is_completed(text: str, first: str) -> None:
    assert offered(text)[0] == first


def test_a_term_in_the_middle_is_replaced_whole() -> None:
    assert offered("ch:sensors/r9 in", 6) == ["ch:sensors/r1/temp in", "ch:sensors/r1/humid in"]


def test_what_begins_so_stands_before_what_holds_it() -> None:
    assert offered("ch:temp", seen=Seen(channels=["a/temp", "tempo"])) == ["ch:tempo", "ch:a/temp"]


def test_nothing_typed_offers_every_operator_with_its_help() -> None:
    found = {one.text: one.about for one in complete("in ", 3, Seen()).candidates}
    assert all(found[lead] == one.help for lead, one in LEADS.items())
    assert len(LEADS) == len(OPERATORS)


@pytest.mark.parametrize("text", ["size>", "/ab", '"ab', "zzz", "ch:zzz"])
def test_where_anything_may_stand_nothing_is_offered(text: str) -> None:
    assert offered(text) == []


def test_candidates_are_few_whatever_was_seen() -> None:
    many = Seen(channels=[f"c{number}" for number in range(100_000)], paths=list(SEEN.paths) * 1_000)
    assert len(complete("ch:c", 4, many).candidates) == LIMIT
    assert len(complete("c", 1, many).candidates) <= LIMIT


@given(st.text(alphabet=st.characters(codec="utf-8"), min_size=1))
def test_a_channel_of_any_name_completes_to_a_filter_for_just_that_name(name: str) -> None:
    (found,) = complete("ch:", 3, Seen(channels=[name])).candidates
    assert compile_filter(found.text).params == (name,)


@given(st.text(), st.integers(0, 60))
def test_no_text_is_too_strange(text: str, cursor: int) -> None:
    found = complete(text, min(cursor, len(text)), SEEN)
    assert 0 <= found.start <= found.end <= len(text)


def test_paths_come_with_an_example() -> None:
    payloads = [b'{"v":21.5,"user":{"a b":[{"id":1},{"x":2}]}}', b'{"v":3}', b"no json", b"{", b"[true]"]
    assert places_of(payloads).paths == [
        (".[0]", "true"),
        (".user", "{…}"),
        ('.user["a b"]', "[…]"),
        ('.user["a b"][0]', "{…}"),
        ('.user["a b"][0].id', "1"),
        (".v", "21.5"),
    ]


@given(st.recursive(st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))
def test_every_path_is_one_that_filters_take(document: object) -> None:
    try:
        payload = msgspec.json.encode(document)
    except UnicodeEncodeError:
        return
    for path, _ in places_of([payload]).paths:
        try:
            compile_filter(path)
        except FilterError as error:  # pragma: no cover - the failure says more than the error
            pytest.fail(f"{path!r}: {error}")


def test_values_come_once_each_and_as_a_filter_takes_them() -> None:
    payloads = [b'{"v":1.50,"s":"a b"}', b'{"v":2,"s":"30"}', b'{"v":1.5,"s":"null","n":null}', b'{"v":{},"s":""}']
    assert places_of(payloads).values == {".v": ["1.5", "2"], ".s": ['"a b"', '"30"', '"null"'], ".n": ["null"]}


SCALARS = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_infinity=False, allow_nan=False)


@given(SCALARS | st.text())
def test_a_value_that_is_offered_finds_the_payload_that_it_was_seen_in(value: object) -> None:
    payload = msgspec.json.encode({"k": value})
    with contextmanager(empty)() as capture:
        for written in places_of([payload]).values[".k"]:
            assert matching(capture, compile_filter(f".k=={written}"), [record(1, payload)]) == [1], written


def test_large_payloads_and_many_keys_are_bounded() -> None:
    assert places_of([b'{"v":"' + b"x" * MAX_PAYLOAD + b'"}']).paths == []
    wide = "{" + ",".join(f'"k{number}":1' for number in range(2_000)) + "}"
    assert len(places_of([wide.encode()] * 3).paths) == MAX_PATHS
    assert places_of([b"[" * 10_000]).paths == []
