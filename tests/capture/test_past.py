from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import pytest

from rtui.capture.journal import TAIL_RECORDS, Journal
from rtui.capture.past import BATCH, Key, Past, key_of
from rtui.capture.reader import Reader
from rtui.capture.series import Field, Series
from rtui.core.record import Kind, Record
from tests.capture.helper import NOW, batch, record, store

RARE = Key(1, "rare", 1)


@pytest.fixture
def reader(journal: Journal) -> Iterator[Reader]:
    made = Reader(journal.path)
    yield made
    made.close()


@contextmanager
def stopped_writer(journal: Journal) -> Iterator[None]:
    child = journal._courier.child
    assert child is not None
    os.kill(child.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(child.pid, signal.SIGCONT)


def filled(journal: Journal, *, rare: int, others: int) -> Record:
    """A rare message, many others, and the rare one again."""
    store(journal, [*batch(1, rare - 1), record(rare, b"old", channel="rare")])
    store(journal, batch(rare + 1, others))
    last = record(rare + others + 1, b"new", channel="rare")
    store(journal, [last])
    return last


def test_what_is_in_memory_is_found_before_it_is_stored(journal: Journal, reader: Reader) -> None:
    past = Past(reader, journal)
    with stopped_writer(journal):
        journal.append([record(1, b"old", channel="rare"), *batch(2, 50), record(52, channel="rare")])
        before = past.before(record(52, channel="rare"))
        assert before is not None
        assert before.seq == 1
        assert past.before(before) is None
        assert [one.seq for one in past.since(RARE, 2)] == [52]


def test_what_memory_gave_up_is_found_in_the_file(journal: Journal, reader: Reader) -> None:
    last = filled(journal, rare=10, others=TAIL_RECORDS + 5_000)
    past = Past(reader, journal)
    assert past.floor > 10
    assert not past.behind
    assert past.before(last) is None
    found = past.stored_before(last)
    assert found is not None
    assert (found.seq, found.payload) == (10, b"old")
    assert past.stored_before(found) is None


def test_link_direction_and_kind_must_be_the_same(journal: Journal, reader: Reader) -> None:
    rows = [
        record(1, b"yes"),
        record(2, link=2),
        record(3, kind=Kind.NOTICE),
        Record(4, NOW, 1, Kind.MESSAGE, 2, "tick", b"sent"),
        record(5, channel="tick/tock"),
        record(6),
    ]
    journal.append(rows[:1] + rows[2:3])
    store(journal, rows[3:])
    past = Past(reader, journal)
    for found in (past.before(rows[5]), past.stored_before(rows[5])):
        assert found is not None
        assert found.payload == b"yes"
    assert key_of(rows[2]) is None
    assert past.before(rows[2]) is None
    assert past.stored_before(rows[2]) is None


def test_all_of_a_channel_come_newest_first_and_once(journal: Journal, reader: Reader) -> None:
    rows = [record(seq, channel=f"c{seq % 3}") for seq in range(1, 30_001)]
    store(journal, rows)
    found = [one.seq for part in Past(reader).stored(Key(1, "c1", 1), 25_000) for one in part]
    assert found == [row.seq for row in reversed(rows) if row.channel == "c1" and row.seq < 25_000]


def test_a_search_ends_when_its_time_is_up_and_says_so(journal: Journal, reader: Reader) -> None:
    filled(journal, rare=1, others=30_000)
    clock = iter(range(100))
    found = list(Past(reader).stored(RARE, 30_001, patience=0.5, clock=lambda: next(clock)))
    assert found == [[]]
    cancelled = threading.Event()
    cancelled.set()
    assert list(Past(reader).stored(RARE, 30_001, cancelled=cancelled)) == [[]]


def test_a_name_with_half_a_character_is_found(journal: Journal, reader: Reader) -> None:
    store(journal, [record(1, channel="\ud800"), record(2, channel="\ud800")])
    found = Past(reader).stored_before(Record(2, NOW, 1, 0, 1, "\ud800", b""))
    assert found is not None
    assert found.seq == 1


def test_while_the_file_is_behind_memory_it_is_known(journal: Journal, reader: Reader) -> None:
    past = Past(reader, journal)
    assert not past.behind
    with stopped_writer(journal):
        journal.append(batch(1, 5_000))
        assert not past.behind
        for first in range(5_001, 30_001, 1_000):
            journal.append(batch(first, 1_000))
        assert past.behind


def test_batches_are_bounded(journal: Journal, reader: Reader) -> None:
    store(journal, batch(1, BATCH * 3 + 1))
    sizes = [len(part) for part in Past(reader).stored(Key(1, "tick", 1), BATCH * 3 + 2)]
    assert sizes == [BATCH, BATCH, BATCH, 1]


class Growing(Reader):
    """Of a capture that another program writes: whenever one asks how far it reaches, more comes behind that."""

    arrivals: Sequence[Callable[[], None]] = ()

    def bounds(self) -> tuple[int, int]:
        found = super().bounds()
        if self.arrivals:
            self.arrivals[0]()
            self.arrivals = self.arrivals[1:]
        return found


def test_what_comes_while_one_looks_is_not_passed_over(journal: Journal) -> None:
    store(journal, batch(1, 5))
    reader = Growing(journal.path)
    past = Past(reader)
    reader.arrivals = [lambda: store(journal, batch(6, 1))]
    records, last = past.next_of(1, 6, 100)
    assert (records, last) == ([], 5)
    records, last = past.next_of(1, last + 1, 100)
    assert ([one.seq for one in records], last) == ([6], 6)
    reader.close()


def test_points_that_come_while_one_looks_are_there_once(journal: Journal) -> None:
    def arrive(seq: int) -> Callable[[], None]:
        return lambda: store(journal, [record(seq, b'{"v":%d}' % seq, channel="temp")])

    arrive(1)()
    reader = Growing(journal.path)
    past = Past(reader)
    reader.arrivals = [arrive(2), arrive(3)]
    one = Series(past, Key(1, "temp", 1), Field(".v", ("v",)))
    one.take(one.look_up())
    reader.arrivals = [arrive(4), arrive(5), arrive(6)]
    one.refresh()
    for arrival in reader.arrivals:
        arrival()
    reader.arrivals = ()
    one.refresh()
    assert [point.value for point in one.points] == [1, 2, 3, 4, 5, 6]
    reader.close()
