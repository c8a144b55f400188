from __future__ import annotations

from typing import Any

import pytest

from rtui.core.event import Acknowledged, Event, Notice, Received
from rtui.protocols.polling import LongOptions, Options
from rtui.protocols.wire.poll_answer import BATCH, Answer, Reader, channel


def answer(body: bytes, status: int = 200) -> Answer:
    return Answer(channel=f"/a {status}", status=status, body=body, meta={"status": status, "headers": {"A": "b"}})


def rows(reader: Reader, one: Answer, command: int = 0) -> list[Event]:
    return [event for batch in reader.events(one, command) for event in batch]


def payloads(reader: Reader, one: Answer) -> list[bytes]:
    return [event.payload for event in rows(reader, one) if isinstance(event, Received)]


@pytest.mark.parametrize(
    ("url", "without", "name"),
    [
        ("http://host", "", "/"),
        ("http://host:1/a/b", "", "/a/b"),
        ("http://host/a?x=1&y", "", "/a?x=1&y"),
        ("http://host/a?x=1&api_key=s3cret&y=2", "", "/a?x=1&y=2"),
        ("http://host/a?af%74er=3&x=1", "after", "/a?x=1"),
        ("http://host/a?token=t", "", "/a"),
        ("http://host/a%20b?q=1%202", "", "/a%20b?q=1%202"),
        ("http://host/a#part", "", "/a"),
    ],
)
def test_a_url_is_named_by_what_stays_the_same(url: str, without: str, name: str) -> None:
    assert channel(url, without) == name


def test_every_answer_is_a_row_unless_only_changes_are_wanted() -> None:
    reader = Reader(Options(), {})
    assert payloads(reader, answer(b"one")) == [b"one"]
    assert payloads(reader, answer(b"one")) == [b"one"]
    changes = Reader(Options(only_changes=True), {})
    assert [payloads(changes, answer(body)) for body in (b"one", b"one", b"", b"", b"one")] == [
        [b"one"], [], [b""], [], [b"one"],
    ]  # fmt: skip


def test_304_says_that_nothing_changed() -> None:
    changes = Reader(Options(only_changes=True), {})
    assert payloads(changes, answer(b"one")) == [b"one"]
    assert payloads(changes, answer(b"", 304)) == []
    assert payloads(changes, answer(b"one")) == []


def test_an_empty_answer_to_a_long_poll_is_no_change() -> None:
    reader = Reader(LongOptions(only_changes=True), {})
    assert payloads(reader, answer(b"one")) == [b"one"]
    assert payloads(reader, answer(b"", 204)) == []
    assert payloads(reader, answer(b"one")) == []
    assert not reader.fresh


def test_fresh_says_whether_there_was_anything_new() -> None:
    memory: dict[str, Any] = {}
    reader = Reader(LongOptions(items=".", item_key=".id"), memory)
    fresh = []
    for body in (b'[{"id":1}]', b'[{"id":1}, {"id":2}]', b'[{"id":2}]', b"[]", b""):
        rows(reader, answer(body))
        fresh.append(reader.fresh)
    assert fresh == [True, True, False, False, False]


def test_items_come_in_batches_without_the_headers_of_the_answer() -> None:
    body = b"[" + b",".join(b"%d" % n for n in range(2 * BATCH + 1)) + b"]"
    reader = Reader(Options(items="."), {})
    batches = list(reader.events(answer(body)))
    assert [len(batch) for batch in batches] == [BATCH, BATCH, 1]
    last = batches[-1][0]
    assert isinstance(last, Received)
    assert (last.payload, last.meta) == (b"%d" % (2 * BATCH), {"status": 200, "item": 2 * BATCH})


def test_only_the_first_row_answers_the_command() -> None:
    reader = Reader(Options(items="."), {})
    replies = [event.replies_to for event in rows(reader, answer(b"[1,2]"), 7) if isinstance(event, Received)]
    assert replies == [7, None]


def test_a_command_is_told_when_there_is_no_row() -> None:
    reader = Reader(Options(items="."), {})
    assert rows(reader, answer(b"[]"), 7) == [Acknowledged(7, "/a 200", b"", {"status": 200, "unchanged": True})]
    assert rows(reader, answer(b"[]")) == []


def test_a_complaint_comes_once_until_it_was_right_again() -> None:
    reader = Reader(Options(items=".d"), {})
    told = [
        [event.text for event in rows(reader, answer(body)) if isinstance(event, Notice)]
        for body in (b"{}", b"{}", b'{"d":[]}', b"{}")
    ]
    assert [len(texts) for texts in told] == [1, 0, 0, 1]
