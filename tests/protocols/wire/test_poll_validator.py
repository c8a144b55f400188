from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from rtui.protocols.wire.poll_validator import Validators

DATE = "Sat, 21 Nov 2026 07:00:00 GMT"
ANSWER = {"etag": 'W/"a1"', "last-modified": DATE, "content-type": "text/plain"}


def validators(
    memory: dict[str, Any] | None = None, *, on: bool = True, method: str = "GET", given: Mapping[str, str] = {}
) -> Validators:
    return Validators({} if memory is None else memory, on=on, method=method, given=given)


def test_they_go_back_with_the_next_request() -> None:
    one = validators()
    assert one.headers("/a") == {}
    one.learn("/a", ANSWER)
    assert one.headers("/a") == {"If-None-Match": 'W/"a1"', "If-Modified-Since": DATE}


def test_they_belong_to_one_url() -> None:
    one = validators()
    one.learn("/a?cursor=1", ANSWER)
    assert one.headers("/a?cursor=2") == {}


def test_an_answer_without_them_ends_them() -> None:
    one = validators()
    one.learn("/a", ANSWER)
    one.learn("/a", {})
    assert one.headers("/a") == {}


def test_they_survive_a_reconnect() -> None:
    memory: dict[str, Any] = {}
    validators(memory).learn("/a", ANSWER)
    assert validators(memory).headers("/a")["If-None-Match"] == 'W/"a1"'


def test_a_header_of_the_user_wins() -> None:
    one = validators(given={"if-none-match": "*"})
    one.learn("/a", ANSWER)
    assert one.headers("/a") == {"If-Modified-Since": DATE}


@pytest.mark.parametrize("options", [{"on": False}, {"method": "POST"}])
def test_where_they_mean_nothing_none_are_sent(options: dict[str, Any]) -> None:
    one = validators(**options)
    one.learn("/a", ANSWER)
    assert one.headers("/a") == {}


@pytest.mark.parametrize("etag", ['"é"', '"a\r\nX: 1"', '"\x00"', '"' + "x" * 2000 + '"'])
def test_what_cannot_stand_in_a_header_is_not_sent(etag: str) -> None:
    one = validators()
    one.learn("/a", {"etag": etag})
    assert one.headers("/a") == {}
