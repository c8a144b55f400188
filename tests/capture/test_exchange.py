"""Requests with and without their answers: what the operators say, and that a lens keeps up with it."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from rtui.capture.journal import Journal
from rtui.capture.lens import Lens
from rtui.capture.query import compile_filter
from rtui.capture.reader import Reader
from rtui.core.record import Direction, Kind, Record
from tests.capture.helper import NOW, batch, empty, matching, store, until

MQTT, WEBSOCKET = 1, 2
CALL = b'{"jsonrpc":"2.0","id":1,"method":"sum"}'


def row(seq: int, *, link: int = MQTT, kind: Kind = Kind.MESSAGE, reply_to: int | None = None, **more: Any) -> Record:
    direction = more.pop("direction", Direction.IN if reply_to else Direction.OUT)
    payload, meta = more.pop("payload", b"x"), json.dumps(more, separators=(",", ":")) if more else None
    return Record(seq, NOW + seq * 1000, link, int(kind), int(direction), "t", payload, meta, reply_to)


connection = pytest.fixture(empty)


def hits(connection: sqlite3.Connection, text: str, rows: list[Record]) -> list[int]:
    return matching(connection, compile_filter(text), rows)


ASKING = [
    row(1, kind=Kind.PING, type="ping"),
    row(1, kind=Kind.PING, type="poll"),
    row(1, ack=0),
    row(1, qos=1),
    row(1, qos=2),
    row(1, response_topic="a"),
    row(1, call=1),
    row(1, link=WEBSOCKET, payload=CALL),
    row(1, link=WEBSOCKET, payload=b'{"id":"a","type":"subscribe","payload":{}}'),
]
SILENT = [
    row(1),
    row(1, kind=Kind.PING, type="ping", automatic=True),
    row(1, kind=Kind.PING, type="pong", automatic=True),
    row(1, kind=Kind.ACK, ack=3),
    row(1, kind=Kind.NOTICE, type="half-close", call=1),
    row(1, direction=Direction.IN, ack=3),
    row(1, direction=Direction.IN, qos=1),
    row(1, user_properties={"qos": 1}),
    row(1, payload=CALL),
    row(1, link=WEBSOCKET, payload=b'{"jsonrpc":"2.0","method":"note"}'),
    row(1, link=WEBSOCKET, payload=b'{"jsonrpc":"2.0","id":1,"result":5}'),
    row(1, link=WEBSOCKET, payload=b'{"id":null,"method":"x"}'),
    row(1, link=WEBSOCKET, payload=b'{"id":'),
]


@pytest.mark.parametrize("asking", ASKING)
def test_what_asks_is_unanswered_until_its_answer_comes(connection: sqlite3.Connection, asking: Record) -> None:
    other = row(2, reply_to=9, link=asking.link)
    assert hits(connection, "unanswered", [asking, other]) == [1]
    assert hits(connection, "answered", [asking, other]) == []
    assert hits(connection, "not unanswered", [asking, other]) == [2]
    answered = [asking, row(2, reply_to=1, link=asking.link)]
    assert hits(connection, "unanswered", answered) == []
    assert hits(connection, "answered", answered) == [1]


@pytest.mark.parametrize("silent", SILENT)
def test_what_asks_for_nothing_is_neither(connection: sqlite3.Connection, silent: Record) -> None:
    assert hits(connection, "unanswered or answered", [silent]) == []


@pytest.mark.parametrize(
    ("asking", "reply", "answers"),
    [
        (row(1, qos=1), row(2, kind=Kind.ACK, reply_to=1), True),
        (row(1, qos=1, response_topic="a"), row(2, kind=Kind.ACK, reply_to=1), False),
        (row(1, qos=1, response_topic="a"), row(2, reply_to=1), True),
        (row(1, qos=1), row(2, kind=Kind.ERROR, reply_to=1, direction=Direction.NONE, fault="auth"), True),
        (row(1, ack=0), row(2, kind=Kind.ERROR, reply_to=1, direction=Direction.NONE, fault="timeout"), False),
        (row(1, ack=0), row(2, kind=Kind.ERROR, reply_to=1, direction=Direction.NONE, fault="lost"), False),
        (row(1, call=1), row(2, call=1, reply_to=1, direction=Direction.OUT), False),
        (row(1, call=1), row(2, kind=Kind.NOTICE, reply_to=1, direction=Direction.NONE), False),
    ],
)
def test_what_is_an_answer(connection: sqlite3.Connection, asking: Record, reply: Record, answers: bool) -> None:
    assert hits(connection, "answered", [asking, reply]) == ([1] if answers else [])
    assert hits(connection, "unanswered", [asking, reply]) == ([] if answers else [1])


def test_a_later_message_of_a_call_asks_for_nothing_of_its_own(connection: sqlite3.Connection) -> None:
    rows = [row(1, call=1), row(2, call=1, reply_to=1, direction=Direction.OUT)]
    assert hits(connection, "unanswered", rows) == [1]


def test_a_broken_meta_ends_nothing(connection: sqlite3.Connection) -> None:
    broken = Record(1, NOW, MQTT, int(Kind.MESSAGE), int(Direction.OUT), "t", b"x", "{bad", None)
    assert hits(connection, "unanswered", [broken]) == []


def test_the_answer_is_found_by_the_index(connection: sqlite3.Connection) -> None:
    found = compile_filter("unanswered")
    plan = connection.execute(f"EXPLAIN QUERY PLAN SELECT seq FROM records WHERE {found.sql}").fetchall()  # noqa: S608
    assert any("INDEX replies" in str(step) for step in plan)


def test_a_capture_from_before_the_index_takes_a_linear_time(journal: Journal) -> None:
    count = 4000
    requests = [row(seq, qos=1) for seq in range(1, count + 1)]
    store(journal, requests + [row(count + at, kind=Kind.ACK, reply_to=at) for at in range(2, count + 1)])
    journal.close()
    with closing(sqlite3.connect(journal.path)) as connection:
        connection.executescript("DROP VIEW answers; DROP INDEX replies")
    with closing(Reader(journal.path)) as reader:
        steps = iter(range(1000))
        reader._connection.set_progress_handler(
            lambda: next(steps, None) is None, 1000
        )  # ends the query after a million
        assert list(reader.seqs(compile_filter("unanswered"))) == [1]
        assert reader.count(compile_filter("answered")) == count - 1


@pytest.fixture
def reader(journal: Journal) -> Iterator[Reader]:
    journal.add_link("plant", "mqtt", "mqtt://x", {})
    made = Reader(journal.path)
    yield made
    made.close()


def _kept_up(lens: Lens, expected: list[int]) -> None:
    def reached() -> bool:
        lens.refresh()
        return lens.done and list(lens.seqs) == expected

    until(reached)


def test_a_lens_lets_go_of_what_is_answered_and_takes_it_up(journal: Journal, reader: Reader) -> None:
    store(journal, [row(1, qos=1), row(2, qos=1), row(3)])
    waiting, served = (Lens(journal, reader, None, compile_filter(text)) for text in ("unanswered", "answered"))
    for lens in (waiting, served):
        lens.start()
    _kept_up(waiting, [1, 2])
    _kept_up(served, [])
    revision = waiting.revision
    store(journal, [row(4, kind=Kind.ACK, reply_to=1), row(5, qos=2), *batch(6, 3_000)])
    _kept_up(waiting, [2, 5])
    _kept_up(served, [1])
    assert waiting.revision > revision
    # As many come as go: the list is another one all the same.
    revision = waiting.revision
    store(journal, [row(3_006, kind=Kind.ACK, reply_to=5), row(3_007, qos=1)])
    _kept_up(waiting, [2, 3_007])
    assert waiting.revision > revision
    _kept_up(served, [1, 5])


def test_an_answer_that_comes_while_the_scan_runs_is_not_missed(journal: Journal, reader: Reader) -> None:
    store(journal, [row(seq, qos=1) for seq in range(1, 5_001)])
    lens = Lens(journal, reader, None, compile_filter("unanswered"))
    lens._older.append((0, reader.seqs(lens.found, None, 1, 5_000)))  # what the scan has read just before
    store(journal, [row(5_000 + seq, kind=Kind.ACK, reply_to=seq) for seq in range(1, 5_000)])
    _kept_up(lens, [5_000])
