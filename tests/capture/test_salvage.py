from __future__ import annotations

import os
import sqlite3
from pathlib import Path

import pytest

from rtui.capture.journal import Journal
from rtui.capture.past import Key
from rtui.capture.query import compile_filter
from rtui.capture.reader import Reader
from rtui.capture.salvage import Salvage
from tests.capture.helper import batch, store

ROWS = 5_000
HOLE = 40_000


@pytest.fixture
def whole(tmp_path: Path) -> Path:
    path = tmp_path / "old.rtui"
    journal = Journal.create(path)
    journal.add_link("old", "websocket", "ws://old")
    store(journal, batch(1, ROWS, b"x" * 100))
    journal.close()
    return path


@pytest.fixture
def damaged(whole: Path) -> Path:
    data = bytearray(whole.read_bytes())
    middle = len(data) // 2
    data[middle : middle + HOLE] = b"\xa5" * HOLE
    whole.write_bytes(data)
    return whole


def test_all_but_the_hole_is_read_in_every_way(damaged: Path) -> None:
    with pytest.raises(sqlite3.DatabaseError, match="malformed"):
        Reader(damaged).range(1, ROWS)
    reader = Salvage(damaged)
    assert reader.bounds() == (1, ROWS)
    kept = [record.seq for record in reader.range(-100, 2**62)]
    assert kept == sorted(set(kept))
    assert ROWS - 4 * HOLE // 100 < len(kept) < ROWS
    assert list(reader.seqs()) == [seq for chunk in reader.scan(None, newest_first=False) for seq in chunk]
    odd = [record.seq for record in reader.window(range(1, ROWS + 1, 2))]
    assert {seq for seq in kept if seq % 2} <= set(odd)
    assert odd == sorted(odd)
    assert [record.seq for record in reader.of_link(1, 1, ROWS)] == kept
    assert len(reader.seqs(compile_filter("xxx"))) == reader.count(compile_filter("xxx"))
    assert reader.newest(Key(1, "tick", 1), 1, ROWS, 3) == reader.range(ROWS - 2, ROWS)[::-1]
    other = reader.fork()
    assert isinstance(other, Salvage)
    other.close()
    reader.close()


def test_a_whole_capture_is_read_as_ever(whole: Path) -> None:
    plain, reader = Reader(whole), Salvage(whole)
    assert reader.range(1, ROWS) == plain.range(1, ROWS)
    assert reader.seqs() == plain.seqs()
    assert reader.count() == plain.count() == ROWS
    plain.close()
    reader.close()


def test_what_is_cut_off_while_it_is_read(whole: Path) -> None:
    reader = Salvage(whole)
    os.truncate(whole, whole.stat().st_size // 2 + 1)
    other = sqlite3.connect(whole)  # SQLite would go on with what it has in memory
    other.close()
    reader._connection.execute("PRAGMA shrink_memory")
    assert reader.bounds() == (1, ROWS)
    kept = reader.range(1, ROWS)
    assert [record.seq for record in kept] == sorted({record.seq for record in kept})
    assert len(kept) < ROWS
    assert len(reader.seqs(compile_filter("/[x]/"))) <= ROWS
    reader.close()


def test_what_is_no_damage_is_raised_on(whole: Path) -> None:
    reader = Salvage(whole)
    with pytest.raises(sqlite3.OperationalError):
        reader._by_halves(lambda _low, _high: reader._connection.execute("no SQL").fetchall(), 1, 9, [])
    reader.close()
