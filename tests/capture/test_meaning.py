"""Filters, charts and joined texts see what a binary payload means; formats are known to what is handed in alone."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from rtui.capture.joined import Joined
from rtui.capture.journal import Journal
from rtui.capture.meaning import meant
from rtui.capture.past import Key, Past
from rtui.capture.query import compile_filter, register
from rtui.capture.reader import Reader
from rtui.capture.series import Field, Series, fields
from rtui.core.record import Kind, Record
from tests.capture.helper import empty, matching, record, store

READINGS = {b"\x08\x05": b'{"v":5,"state":"cold"}', b"\x08\x28": b'{"v":40,"state":"hot"}', b"\x90": b"[]"}


class Known:
    """Knows the bytes of `READINGS`, and that link 1 has types."""

    def __init__(self) -> None:
        self.asked: list[bytes] = []

    def typed(self) -> list[int]:
        return [1]

    def json(self, link: int, channel: str, payload: bytes, meta: str | None) -> bytes | None:
        self.asked.append(payload)
        return READINGS.get(payload)


ROWS = [
    record(1, b"\x08\x05"),
    record(2, b"\x08\x28"),
    record(3, b'{"v":41,"state":"hot"}'),
    record(4, b"plain"),
    record(5, b"\x08\x28", link=2),
    record(6, b"\x90", link=2),
    record(7, b"\x08\x28", kind=int(Kind.NOTICE)),
]


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    yield from empty()


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (".v>30", [2, 3]),
        (".v==5", [1]),
        (".v!=5", [2, 3]),
        (".v", [1, 2, 3]),
        ("not .v", [4, 5, 6, 7]),
        (".state==hot", [2, 3]),
        (".state~COL", [1]),
        (".state~/^h.t$/", [2, 3]),
        (".v>30 .state~hot .v<41", [2]),
    ],
)
def test_a_filter_compares_what_payloads_mean(connection: sqlite3.Connection, text: str, found: list[int]) -> None:
    register(connection, Known())
    assert matching(connection, compile_filter(text), ROWS) == found


def test_without_meaning_binary_payloads_match_nothing(connection: sqlite3.Connection) -> None:
    assert matching(connection, compile_filter(".v"), ROWS) == [3]


def test_only_what_may_be_binary_is_asked_about_and_once_for_several_terms(connection: sqlite3.Connection) -> None:
    known = Known()
    register(connection, known)
    matching(connection, compile_filter(".v>1 .v<2 .state==x"), [*ROWS, record(8, "é".encode(), link=2)])
    # Of link 1 what is no JSON, of others what begins as no text does; the notice has no format.
    # The first row is asked about by each term that comes to it: with that its query begins.
    assert known.asked == [b"\x08\x05", b"\x08\x05", b"\x08\x28", b"plain", b"\x90"]


def test_what_was_not_known_yet_is_asked_again_by_the_next_look(connection: sqlite3.Connection) -> None:
    known = Known()
    register(connection, known)
    found, rows = compile_filter(".v>30"), [record(1, b"\x08\x28")]
    json, known.json = known.json, lambda *_: None  # type: ignore[method-assign]
    assert matching(connection, found, rows) == []
    known.json = json  # type: ignore[method-assign]
    assert matching(connection, found, rows) == [1]


def test_a_fork_understands_too(tmp_path: Path) -> None:
    journal = Journal.create(tmp_path / "run.rtui")
    reader = Reader(journal.path)
    reader.understand(Known())
    store(journal, ROWS[:3])
    fork = reader.fork()
    assert list(fork.seqs(compile_filter(".v>30"))) == [2, 3]
    for one in (fork, reader, journal):
        one.close()


def test_json_needs_no_meaning(tmp_path: Path) -> None:
    known = Known()
    assert meant(ROWS[2], known) == ROWS[2].payload
    assert meant(ROWS[6], known) == ROWS[6].payload
    assert known.asked == []
    assert meant(ROWS[0], known) == READINGS[ROWS[0].payload]
    assert meant(ROWS[3], known) == b"plain"
    assert meant(ROWS[0], None) == ROWS[0].payload


def test_a_chart_and_a_joined_text_are_made_of_it(tmp_path: Path) -> None:
    journal = Journal.create(tmp_path / "run.rtui")
    reader = Reader(journal.path)
    reader.understand(Known())
    past = Past(reader, journal)
    store(journal, [Record(1, 1, 1, int(Kind.OPEN), 0, "", b"")])
    store(journal, [record(seq, payload) for seq, payload in enumerate([b"\x08\x05", b"\x08\x28"], 2)])
    assert fields(past.meant(record(2, b"\x08\x05"))) == [Field(".v", ("v",))]
    series = Series(past, Key(1, "tick", 1), Field(".v", ("v",)))
    assert [point.value for point in series.points] == [5.0, 40.0]
    store(journal, [record(4, b"\x08\x05")])
    assert series.refresh()
    assert [point.value for point in series.points] == [5.0, 40.0, 5.0]
    text = Joined(past, 1, 2, ".state")
    while text.behind:
        text.refresh()
    assert text.strand.drain() == ["cold", "hot", "cold"]
    journal.close()
    reader.close()
