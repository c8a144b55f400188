from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from rtui.capture.journal import Journal
from rtui.capture.query import compile_filter
from rtui.capture.reader import Reader
from rtui.capture.schema import is_capture
from rtui.core.fault import Failure
from tests.capture.helper import batch, record, store
from tests.waiting import PATIENCE


@pytest.fixture
def crashed(journal: Journal, tmp_path: Path) -> Path:
    """A capture as a crash leaves it: its newest rows are in the write-ahead log alone."""
    store(journal, batch(1, 50))
    target = tmp_path / "crashed" / "c.rtui"
    target.parent.mkdir()
    for suffix in ("", "-wal"):
        shutil.copy(f"{journal.path}{suffix}", f"{target}{suffix}")
    assert Path(f"{target}-wal").stat().st_size
    return target


@pytest.fixture
def frozen(tmp_path: Path) -> Iterator[Path]:
    """A folder that will be read-only once `remount` is called with it."""
    folder = tmp_path / "frozen"
    folder.mkdir()
    if os.name != "posix" or os.geteuid() != 0:
        pytest.skip("mounts a read-only file system")
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", folder], check=False).returncode:
        pytest.skip("cannot mount")
    yield folder
    subprocess.run(["umount", folder], check=True)


def freeze(folder: Path) -> None:
    subprocess.run(["mount", "-o", "remount,ro", folder], check=True)


def read(path: Path) -> list[int]:
    reader = Reader(path)
    try:
        return list(reader.seqs())
    finally:
        reader.close()


def test_a_payload_that_an_sqlite_tool_wrote_as_text_is_bytes(journal: Journal) -> None:
    store(journal, batch(1, 3))
    journal.close()
    with closing(sqlite3.connect(journal.path)) as connection, connection:
        connection.execute("UPDATE records SET payload = 'é' WHERE seq > 1")
    with closing(Reader(journal.path)) as reader:
        for rows in (reader.range(1, 3), reader.window([1, 3]), reader.of_link(1, 1, 3)):
            assert (rows[0].payload, rows[-1].payload) == (b"x", "é".encode())


def test_a_log_left_by_a_crash_is_read(crashed: Path) -> None:
    assert read(crashed) == list(range(1, 51))


def test_a_log_left_by_a_crash_is_read_where_nothing_can_be_written(crashed: Path, frozen: Path) -> None:
    for path in crashed.parent.iterdir():
        shutil.copy(path, frozen)
    freeze(frozen)
    assert read(frozen / "c.rtui") == list(range(1, 51))


def test_a_finished_capture_is_read_where_nothing_can_be_written(frozen: Path) -> None:
    journal = Journal.create(frozen / "a.rtui")
    journal.append(batch(1, 10))
    journal.close(PATIENCE)
    freeze(frozen)
    assert read(frozen / "a.rtui") == list(range(1, 11))


def test_questions(journal: Journal) -> None:
    link = journal.add_link("a", "websocket", "ws://a", {})
    store(journal, [record(seq, b"%d" % seq, link=link if seq % 2 else 9) for seq in range(1, 101)])
    reader = Reader(journal.path)
    assert reader.bounds() == (1, 100)
    assert reader.count() == 100
    assert reader.count(compile_filter("size>2"), link) == 0
    assert reader.count(compile_filter("size>1")) == 91
    assert [r.seq for r in reader.range(5, 8)] == [5, 6, 7, 8]
    assert [r.seq for r in reader.window([3, 50, 99, 200])] == [3, 50, 99]
    assert list(reader.seqs(None, link, 5, 9)) == [5, 7, 9]
    chunks = [list(chunk) for chunk in reader.scan(compile_filter("size>1"), chunk=40)]
    assert [chunk[0] for chunk in chunks] == [81, 41, 10]
    assert [seq for chunk in reversed(chunks) for seq in chunk] == list(range(10, 101))
    assert list(reader.links()[0].name) == ["a"]
    reader.close()


def test_an_empty_capture(journal: Journal) -> None:
    reader = Reader(journal.path)
    assert (reader.bounds(), reader.count(), list(reader.seqs()), list(reader.scan(None))) == ((0, 0), 0, [], [])
    reader.close()


def test_what_is_no_capture_is_a_failure(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("hello " * 100)
    (tmp_path / "empty").touch()
    for name in ("text", "empty", "missing", "."):
        with pytest.raises(Failure) as caught:
            Reader(tmp_path / name)
        assert caught.value.fault.kind == "storage"
        assert not is_capture(tmp_path / name)


def test_a_capture_is_known_by_its_first_bytes(journal: Journal) -> None:
    assert is_capture(journal.path)


def test_a_cut_off_capture_is_a_failure_or_reads_what_is_there(journal: Journal, tmp_path: Path) -> None:
    store(journal, batch(1, 5_000))
    journal.close()
    data = journal.path.read_bytes()
    for size in (100, 5_000, len(data) // 2):
        (tmp_path / "cut").write_bytes(data[:size])
        with pytest.raises(Failure):
            Reader(tmp_path / "cut").seqs()
