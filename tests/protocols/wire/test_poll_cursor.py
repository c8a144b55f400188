from __future__ import annotations

from typing import Any

import pytest

from rtui.core.fault import Failure
from rtui.protocols.polling import Options
from rtui.protocols.wire.poll_cursor import LONGEST, Carried, Cursor


def cursor(
    memory: dict[str, Any] | None = None, path: str = ".next", to: str = "query:after", start: str = ""
) -> Cursor:
    return Cursor(Options(cursor=path, cursor_to=to, start_cursor=start), {} if memory is None else memory)


@pytest.mark.parametrize(
    ("found", "query", "body"),
    [
        (b'"abc=\\u00e9"', "abc=é", b'{"a":1.50,"after":"abc=\\u00e9"}'),
        (b"12345678901234567890", "12345678901234567890", b'{"a":1.50,"after":12345678901234567890}'),
        (b"[1, 2]", "[1, 2]", b'{"a":1.50,"after":[1, 2]}'),
    ],
)
def test_the_next_request_carries_it(found: bytes, query: str, body: bytes) -> None:
    answer = b'{"next": ' + found + b"}"
    in_query, in_body = cursor(), cursor(to="body:.after")
    assert not in_query.learn(answer)
    assert not in_body.learn(answer)
    assert in_query.carried(b"") == Carried(query={"after": query})
    assert in_body.carried(b'{"a": 1.50}') == Carried(data=body)


def test_a_body_is_made_where_there_is_none() -> None:
    one = cursor(to="body:.page.after")
    one.learn(b'{"next":7}')
    assert one.carried(b"") == Carried(data=b'{"page":{"after":7}}')


@pytest.mark.parametrize("body", [b"plain text", b"[1]", b'{"page":5}'])
def test_a_body_without_a_place_for_it_is_told(body: bytes) -> None:
    one = cursor(to="body:.page.after")
    one.learn(b'{"next":7}')
    with pytest.raises(Failure, match="no place"):
        one.carried(body)


def test_the_first_request_carries_none_or_the_given_one() -> None:
    assert cursor().carried(b"") == Carried()
    assert cursor(start="41").carried(b"") == Carried(query={"after": "41"})
    assert cursor(start="x y", to="header:X-After").carried(b"") == Carried(headers={"X-After": "x y"})
    assert cursor(start="x y", to="body:.a").carried(b"") == Carried(data=b'{"a":"x y"}')


def test_one_that_vanishes_is_kept_and_told_once() -> None:
    one = cursor()
    assert one.learn(b'{"next":1}') == ""
    assert one.learn(b'{"items":[]}') == "no cursor at .next; the last one is kept"
    assert one.learn(b'{"next":null}') == ""
    assert one.carried(b"").query == {"after": "1"}
    assert one.learn(b'{"next":2}') == ""
    assert one.learn(b"<html>") == "no cursor: the answer is not JSON; the last one is kept"
    assert one.carried(b"").query == {"after": "2"}


def test_without_one_before_nothing_is_said_to_be_kept() -> None:
    assert cursor().learn(b"{}") == "no cursor at .next"


@pytest.mark.parametrize("found", [rb'"a\r\nX-Admin: 1"', '"é"'.encode(), b'" a"', rb'"\u0000"'])
def test_no_answer_writes_headers_of_its_choice(found: bytes) -> None:
    one = cursor(to="header:X-After")
    assert "cannot stand in a header" in one.learn(b'{"next":' + found + b"}")
    assert one.carried(b"") == Carried()


@pytest.mark.parametrize("found", [b'"\xff"', rb'"\ud800"', b'"' + b"x" * LONGEST + b'"'])
def test_what_cannot_be_carried_is_refused(found: bytes) -> None:
    one = cursor()
    assert one.learn(b'{"next":' + found + b"}")
    assert one.carried(b"") == Carried()


def test_it_survives_a_reconnect() -> None:
    memory: dict[str, Any] = {}
    cursor(memory, start="1").learn(b'{"next":"two"}')
    assert cursor(memory, start="1").carried(b"").query == {"after": "two"}


def test_the_parameter_is_known_by_its_name() -> None:
    assert cursor().parameter == "after"
    assert cursor(to="header:after").parameter == ""
    assert cursor(path="").parameter == ""


@pytest.mark.parametrize("to", ["", "after", "query:", "header:", "header:a b", "cookie:x", "body:", "body:x"])
def test_a_place_that_is_none_is_refused(to: str) -> None:
    with pytest.raises(Failure) as caught:
        cursor(to=to)
    assert caught.value.fault.kind == "usage"
    assert "cursor_to" in caught.value.fault.title


def test_a_path_that_is_none_is_refused() -> None:
    with pytest.raises(Failure, match="cursor is not a JSON path") as caught:
        cursor(path="next")
    assert caught.value.fault.kind == "usage"
