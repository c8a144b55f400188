"""Records for tests, and waiting for conditions."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing

from rtui.capture.journal import Journal
from rtui.capture.query import Filter, register
from rtui.capture.schema import TABLES
from rtui.capture.sweep import Scope, bind
from rtui.core.record import Record
from tests.waiting import PATIENCE

NOW = 1_700_000_000_000_000_000


def record(seq: int, payload: bytes = b"x", *, link: int = 1, channel: str = "tick", kind: int = 0) -> Record:
    return Record(seq, NOW + seq * 1000, link, kind, 1, channel, payload)


def batch(first: int, count: int, payload: bytes = b"x", *, link: int = 1) -> list[Record]:
    return [record(seq, payload, link=link) for seq in range(first, first + count)]


def until(condition: Callable[[], object], seconds: float = PATIENCE) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "the condition never came true"
        time.sleep(0.002)


def store(journal: Journal, records: Sequence[Record]) -> None:
    journal.append(records)
    until(lambda: journal.committed >= records[-1].seq)


def empty() -> Iterator[sqlite3.Connection]:
    """For a fixture: a capture in memory without rows, with two links."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as made:
        made.executescript(TABLES)
        made.execute("INSERT INTO links VALUES(1,'plant','mqtt','u','{}',0),(2,'chat','websocket','u','{}',0)")
        register(made)
        yield made


def matching(connection: sqlite3.Connection, found: Filter, records: Sequence[Record]) -> list[int]:
    """The sequences of those that match, when they are all that the capture has."""
    connection.execute("DELETE FROM records")
    rows = [tuple(getattr(record, name) for name in Record.__struct_fields__) for record in records]
    connection.executemany("INSERT INTO records VALUES(?,?,?,?,?,?,?,?,?,?)", rows)
    query = f"SELECT seq FROM records WHERE {found.sql} ORDER BY seq"  # noqa: S608 - the SQL is what is tested
    params = bind(connection, found.params, Scope(0, max((record.seq for record in records), default=0)))
    return [seq for (seq,) in connection.execute(query, params)]
