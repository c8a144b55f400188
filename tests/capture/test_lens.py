from __future__ import annotations

import os
import random
import signal
import sqlite3
from array import array
from collections.abc import Iterator, Sequence
from contextlib import closing
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from rtui.capture.journal import Journal
from rtui.capture.lens import BUDGET, Lens
from rtui.capture.query import compile_filter
from rtui.capture.reader import Reader
from rtui.core.record import Record
from tests.capture.helper import batch, record, store, until
from tests.waiting import PATIENCE


@pytest.fixture
def reader(journal: Journal) -> Iterator[Reader]:
    made = Reader(journal.path)
    yield made
    made.close()


def settle(lens: Lens, count: int) -> None:
    until(lambda: not lens.refresh() and lens.done and len(lens.seqs) >= count)


def test_what_arrived_is_shown_before_it_is_stored(journal: Journal, reader: Reader) -> None:
    child = journal._courier.child
    assert child is not None
    os.kill(child.pid, signal.SIGSTOP)
    try:
        everything, second = Lens(journal, reader), Lens(journal, reader, 2)
        journal.append(batch(1, 20_000, link=1))
        journal.append(batch(20_001, 5, link=2))
        everything.refresh()
        second.refresh()
        assert list(everything.seqs) == list(range(1, 20_006))
        assert list(second.seqs) == list(range(20_001, 20_006))
        assert [r.seq for r in everything.rows(10, 3)] == [11, 12, 13]
        assert journal.committed == 0
    finally:
        os.kill(child.pid, signal.SIGCONT)


def test_rows_never_come_twice_or_out_of_order(journal: Journal, reader: Reader) -> None:
    store(journal, batch(1, 30_000, b"x 1", link=1))
    odd = compile_filter('.v>=0 or "x 1"')
    lenses = [
        Lens(journal, reader),
        Lens(journal, reader, 1),
        Lens(journal, reader, 2),
        Lens(journal, reader, None, odd),
    ]
    for lens in lenses:
        lens.start()
    dice = random.Random(1)
    seq = 30_001
    while seq < 60_000:
        count = dice.randrange(1, 700)
        journal.append(batch(seq, count, b"x 1" if dice.random() < 0.5 else b"y", link=dice.choice((1, 2))))
        seq += count
        for lens in dice.sample(lenses, 2):
            lens.refresh()
    until(lambda: journal.committed == seq - 1)
    for lens in lenses:
        settle(lens, 1)
        assert list(lens.seqs) == list(reader.seqs(lens.found, lens.link))
    assert len(lenses[0].seqs) == seq - 1


def test_a_scan_without_a_thread_is_done_in_steps(journal: Journal, reader: Reader) -> None:
    store(journal, batch(1, 50_000, b"abc"))
    lens = Lens(journal, reader, None, compile_filter("/b/"))
    until(lens.refresh)  # one that is held up at its beginning has no time left for a step
    assert 0 < len(lens.seqs) < 50_000
    assert lens.seqs[-1] == 50_000
    assert 0 < lens.progress < 1
    settle(lens, 50_000)
    assert list(lens.seqs) == list(range(1, 50_001))


def test_an_expression_is_scanned_by_the_thread(journal: Journal, reader: Reader) -> None:
    store(journal, batch(1, 50_000, b"abc"))
    lens = Lens(journal, reader, None, compile_filter("/[b]/"))
    lens.start()
    assert lens._thread is not None
    settle(lens, 50_000)
    assert list(lens.seqs) == list(range(1, 50_001))


def test_a_refresh_stops_when_its_time_is_over(journal: Journal, reader: Reader) -> None:
    ticks = iter(range(10_000))
    lens = Lens(journal, reader, None, compile_filter("x"), clock=lambda: next(ticks) * 2 * BUDGET)
    store(journal, batch(1, 20_000))
    lens.refresh()
    assert len(lens.seqs) == 2_000
    assert lens.revision == 1


def test_the_revision_stays_when_nothing_changes(journal: Journal, reader: Reader) -> None:
    lens = Lens(journal, reader, None, compile_filter("never"))
    store(journal, batch(1, 10))
    assert not lens.refresh()
    assert lens.revision == 0


def test_rows_come_from_the_file_too(journal: Journal, reader: Reader) -> None:
    for first in range(1, 30_001, 1_000):
        journal.append(batch(first, 1_000))
    until(lambda: journal.committed == 30_000)
    lens = Lens(journal, reader)
    lens.start()
    settle(lens, 30_000)
    for first in (0, 15_000, 29_990):
        assert [r.seq for r in lens.rows(first, 40)] == list(range(first + 1, min(first + 41, 30_001)))
    assert lens.rows(30_000, 5) == []
    assert (lens.newest, lens.index_of(500), lens.index_of(30_001)) == (30_000, 499, None)


def test_search_steps_through_hits_of_the_lens_alone(journal: Journal, reader: Reader) -> None:
    rows = [record(seq, b"hit" if seq % 4_000 == 0 else b"miss", link=seq // 4_000 % 2) for seq in range(1, 20_001)]
    store(journal, rows)
    lens = Lens(journal, reader, 1)
    lens.start()
    until(lambda: not lens.refresh() and lens.done)
    needle = compile_filter("hit")
    assert lens.search(needle, 1, 1) == 4_000
    assert lens.search(needle, 4_000, 1) == 12_000
    assert lens.search(needle, 20_000, -1) == 12_000
    assert lens.search(needle, 12_000, 1) == 20_000
    assert lens.search(needle, 4_000, -1) is None
    assert lens.search(compile_filter("nothing"), 1, 1) is None


def test_a_capture_that_is_only_read(journal: Journal) -> None:
    store(journal, batch(1, 100))
    journal.close()
    reader = Reader(journal.path)
    lens = Lens(None, reader, None, compile_filter("in"))
    lens.start()
    settle(lens, 100)
    assert [r.seq for r in lens.rows(0, 2)] == [1, 2]
    reader.close()


def test_a_cancelled_scan_ends(journal: Journal, reader: Reader) -> None:
    store(journal, batch(1, 100_000))
    lens = Lens(journal, reader, None, compile_filter("x"))
    lens.start()
    lens.cancel()
    thread = lens._thread
    assert thread is not None
    thread.join(PATIENCE)
    assert not thread.is_alive()


class Failing(Reader):
    """Reads until `broken`."""

    broken = False

    def _refuse(self) -> None:
        if Failing.broken:
            raise sqlite3.DatabaseError("database disk image is malformed")

    def seqs(self, *args: Any, **kwargs: Any) -> array[int]:
        self._refuse()
        return super().seqs(*args, **kwargs)

    def window(self, seqs: Sequence[int]) -> list[Record]:
        self._refuse()
        return super().window(seqs)


@pytest.mark.parametrize("threaded", [False, True])
def test_a_capture_that_breaks_while_it_is_read_is_told(
    journal: Journal, threaded: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    store(journal, batch(1, 20_000))
    with closing(Failing(journal.path)) as reader:
        whole, late = Lens(None, reader), Lens(None, reader, None, compile_filter("x"))
        until(lambda: whole.refresh() is None or whole.done)
        monkeypatch.setattr(Failing, "broken", True)
        if threaded:
            late.start()
        until(lambda: late.refresh() is None or late.trouble)
        assert late.trouble == "database disk image is malformed"
        assert not late.seqs
        assert b"cannot be read" in whole.rows(0, 1)[0].payload


def test_a_capture_that_cannot_be_opened_again_is_told(journal: Journal, reader: Reader) -> None:
    store(journal, batch(1, 10))
    lens = Lens(None, reader, None, compile_filter("x"))
    reader.path = Path("nowhere.rtui")
    lens.start()
    assert lens.done
    assert "nowhere.rtui" in lens.trouble


def test_a_lost_row_has_a_stand_in(journal: Journal, reader: Reader) -> None:
    lens = Lens(journal, reader)
    lens.seqs.append(7)
    assert b"not stored" in lens.rows(0, 1)[0].payload


def test_a_scan_is_waited_for_until_its_first_rows(
    journal: Journal, reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rtui.capture.lens.FIRST_LOOK", 10.0)
    store(journal, batch(1, 6_000, b"x 1"))
    lens = Lens(journal, reader, None, compile_filter('"x 1"'))
    lens.start()
    lens.refresh()
    assert lens.seqs[-1] == 6_000
    assert len(lens.seqs) >= 4_000


def test_a_slow_filter_takes_smaller_steps(journal: Journal, reader: Reader) -> None:
    store(journal, batch(1, 6_000, "Ա".encode()))
    ticks = iter(range(1_000_000))
    lens = Lens(journal, reader, None, compile_filter('"ա"'), clock=lambda: next(ticks) * BUDGET * 0.9)
    sizes = [0]
    for _ in range(5):
        lens.refresh()
        sizes.append(len(lens.seqs))
    steps = [b - a for a, b in pairwise(sizes)]
    assert steps == [2_000, 1_000, 500, 250, 250]
    settle(lens, 6_000)
