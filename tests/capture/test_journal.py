from __future__ import annotations

import os
import signal
import sqlite3
import stat
import subprocess
import sys
from array import array
from pathlib import Path

import pytest

from rtui.capture.courier import Courier, Frame
from rtui.capture.journal import TAIL_RECORDS, Journal, Tail
from rtui.capture.query import compile_filter
from rtui.capture.reader import Reader
from rtui.core.fault import Failure
from rtui.core.record import Record
from tests.capture.helper import batch, record, store, until
from tests.waiting import PATIENCE


def stored(path: Path) -> list[int]:
    reader = Reader(path)
    try:
        return list(reader.seqs())
    finally:
        reader.close()


def child_of(journal: Journal) -> int:
    child = journal._courier.child
    assert child is not None
    return child.pid


def test_a_connection_is_renamed_with_its_rows(journal: Journal) -> None:
    plant, other = journal.add_link("plant", "mqtt", "mqtt://h/"), journal.add_link("other", "mqtt", "mqtt://h/")
    store(journal, [record(1, link=plant), record(2, link=other)])
    journal.rename_link(plant, "works")
    store(journal, [record(3, link=plant)])
    reader = Reader(journal.path)
    assert [(row.id, row.name, row.url) for row in reader.links()] == [
        (1, "works", "mqtt://h/"),
        (2, "other", "mqtt://h/"),
    ]
    assert list(reader.seqs(compile_filter("link:works"))) == [1, 3]
    assert list(reader.seqs(compile_filter("link:plant"))) == []
    reader.close()


def test_what_is_appended_is_stored_field_by_field(journal: Journal) -> None:
    link = journal.add_link("plant", "websocket", "ws://h/", {"tls": "1.3"})
    rows = [
        Record(1, 5, link, 0, 1, "a/ü", b"\x00\xff{}", '{"q":1}', None, None),
        Record(2, 6, link, 6, 2, "", b"", None, 1, 12345),
    ]
    store(journal, rows)
    reader = Reader(journal.path)
    assert reader.window([1, 2]) == rows
    assert [(row.id, row.name, row.url, row.details) for row in reader.links()] == [
        (link, "plant", "ws://h/", '{"tls":"1.3"}')
    ]
    reader.close()


def test_a_row_is_stored_within_moments_without_a_close(journal: Journal) -> None:
    store(journal, [record(1)])
    assert stored(journal.path) == [1]


def test_close_stores_everything(tmp_path: Path) -> None:
    journal = Journal.create(tmp_path / "a.rtui")
    for first in range(1, 100_001, 500):
        journal.append(batch(first, 500))
    journal.close(PATIENCE)
    assert stored(tmp_path / "a.rtui") == list(range(1, 100_001))
    assert (journal.backlog, journal.lost, journal.trouble) == (0, 0, "")
    assert [path.name for path in tmp_path.iterdir()] == ["a.rtui"]


def test_file_and_folder_are_the_owners_alone(tmp_path: Path) -> None:
    journal = Journal.create(tmp_path / "new" / "a.rtui")
    store(journal, [record(1)])
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "new").iterdir()}
    journal.close()
    assert set(modes.values()) == {0o600}
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o700


def test_a_reader_that_opens_a_temporary_capture_at_its_end_keeps_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    unlink = Path.unlink

    def late(path: Path, missing_ok: bool = False) -> None:
        unlink(path, missing_ok=missing_ok)
        if path.name.endswith("-journal"):  # SQLite makes one for a reader that had opened the file before it went
            path.with_name(f"{journal.path.name}-shm").touch()

    journal = Journal.create()
    monkeypatch.setattr(Path, "unlink", late)
    journal.close()
    assert not journal.path.parent.exists()


def test_a_temporary_capture_leaves_nothing() -> None:
    journal = Journal.create()
    store(journal, [record(1)])
    folder = journal.path.parent
    journal.close()
    assert not folder.exists()


def test_only_a_folder_of_its_own_is_deleted(tmp_path: Path) -> None:
    folder = tmp_path / "rtui-files"
    folder.mkdir()
    (folder / "notes").touch()
    journal = Journal.create(folder / "a.rtui")
    assert not journal.temporary
    journal.close()
    assert {"notes", "a.rtui"} <= {path.name for path in folder.iterdir()}


def test_a_capture_is_continued_after_its_last_row(tmp_path: Path) -> None:
    first = Journal.create(tmp_path / "a.rtui")
    first.add_link("a", "websocket", "ws://a", {})
    first.append(batch(1, 3))
    first.close(PATIENCE)
    second = Journal.create(tmp_path / "a.rtui")
    assert (second.last, second.committed, second.reserve(2), second.reserve(1)) == (3, 3, 4, 6)
    assert second.add_link("b", "websocket", "ws://b", {}) == 2
    second.append(batch(4, 1))
    second.close(PATIENCE)
    assert stored(tmp_path / "a.rtui") == [1, 2, 3, 4]


def test_taps_see_every_batch(journal: Journal) -> None:
    seen: list[int] = []
    journal.taps.append(lambda records: seen.extend(r.seq for r in records))
    journal.append(batch(1, 2))
    journal.append([])
    journal.append(batch(3, 1))
    assert seen == [1, 2, 3]


def test_a_writer_that_is_killed_is_replaced_and_nothing_is_lost(journal: Journal) -> None:
    store(journal, batch(1, 10))
    os.kill(child_of(journal), signal.SIGKILL)
    until(lambda: "writer stopped" in journal.trouble or journal._courier.starts == 2)
    journal.append(batch(11, 10))
    until(lambda: journal.committed == 20)
    assert stored(journal.path) == list(range(1, 21))
    assert (journal.trouble, journal.lost) == ("", 0)


def test_the_user_is_told_that_the_writer_died(journal: Journal) -> None:
    store(journal, [record(1)])
    os.kill(child_of(journal), signal.SIGKILL)
    until(lambda: "the capture writer stopped" in journal.trouble)


def test_a_writer_killed_under_load_loses_nothing(tmp_path: Path) -> None:
    journal = Journal.create(tmp_path / "a.rtui")
    killed: set[int] = set()
    for number in range(200):
        journal.append(batch(number * 100 + 1, 100))
        if number in {50, 120}:
            until(lambda: journal.committed > 0 and child_of(journal) not in killed)
            killed.add(child_of(journal))
            os.kill(child_of(journal), signal.SIGKILL)
    journal.close(PATIENCE)
    assert (journal.lost, stored(tmp_path / "a.rtui")) == (0, list(range(1, 20_001)))


PARENT = """
import os, sys
from pathlib import Path
from rtui.capture.journal import Journal
from tests.capture.helper import batch, until
journal = Journal.create(Path(sys.argv[1]))
for first in range(1, 5001, 100):
    journal.append(batch(first, 100))
until(lambda: journal.committed >= 4000)
print(journal._courier.child.pid, flush=True)
sys.stdin.readline()
"""


def start_parent(path: Path) -> tuple[subprocess.Popen[str], int]:
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout is not None
    return parent, int(parent.stdout.readline())


def is_gone(pid: int) -> bool:
    try:
        return "\nState:\tZ" in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return True


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="looks at /proc")
def test_killing_rtui_stores_what_the_writer_got_and_ends_it(tmp_path: Path) -> None:
    parent, child = start_parent(tmp_path / "a.rtui")
    with parent:
        parent.kill()
    until(lambda: is_gone(child))
    assert stored(tmp_path / "a.rtui")[:4000] == list(range(1, 4001))
    again = Journal.create(tmp_path / "a.rtui")
    again.close()


@pytest.mark.skipif(os.name != "posix", reason="sessions and signals")
def test_the_writer_is_out_of_reach_of_ctrl_c(journal: Journal) -> None:
    store(journal, [record(1)])
    child = child_of(journal)
    assert os.getsid(child) != os.getsid(0)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        os.kill(child, number)
    store(journal, [record(2)])
    assert child_of(journal) == child


def test_a_full_disk_is_said_counted_and_survived(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rtui.capture.courier.MAX_BYTES", 2 << 20)
    journal = Journal.create(tmp_path / "a.rtui", max_pages=20)
    seq = 1
    while seq < 20_000:
        journal.append(batch(seq, 100, b"x" * 200))
        seq += 100
        if seq == 8_001:
            until(lambda: "disk is full" in journal.trouble)
            assert not journal.lagging
    assert journal.lost > 0
    assert journal._courier.waiting_bytes <= 2 << 20
    assert "messages not stored" in journal.trouble
    journal.close(0.5)
    kept = len(stored(tmp_path / "a.rtui"))
    assert kept + journal.lost == seq - 1
    assert journal.stored == kept
    assert f"{journal.lost:,} messages not stored" in journal.trouble


@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="mounts a small file system")
def test_writing_resumes_when_space_returns(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", disk], check=False).returncode:
        pytest.skip("cannot mount")
    journal = None
    try:
        ballast = disk / "ballast"
        ballast.write_bytes(bytes(7 << 20))
        journal = Journal.create(disk / "a.rtui")
        journal.append(batch(1, 6_000, b"x" * 200))
        until(lambda: "disk is full" in journal.trouble)
        ballast.unlink()
        until(lambda: journal.committed == 6_000)
        assert (journal.trouble, journal.lost) == ("", 0)
        journal.close()
        assert stored(disk / "a.rtui") == list(range(1, 6_001))
    finally:
        if journal is not None:
            journal.close(1)
        subprocess.run(["umount", disk], check=True)


def test_a_second_rtui_is_refused(journal: Journal) -> None:
    with pytest.raises(Failure, match="in use"):
        Journal.create(journal.path)


def test_other_files_are_refused(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("not a database, but long enough to be looked at" * 10)
    sqlite3.connect(tmp_path / "other").execute("CREATE TABLE t(x)").connection.close()
    for name in ("text", "other"):
        with pytest.raises(Failure):
            Journal.create(tmp_path / name)


def test_a_newer_format_is_refused_with_a_sentence(tmp_path: Path) -> None:
    Journal.create(tmp_path / "a.rtui").close()
    connection = sqlite3.connect(tmp_path / "a.rtui")
    connection.execute("PRAGMA user_version=99")
    connection.close()
    for opening in (Journal.create, Reader):
        with pytest.raises(Failure, match="format 99"):
            opening(tmp_path / "a.rtui")


def test_a_place_that_cannot_be_written_is_a_failure(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(Failure) as caught:
        Journal.create(tmp_path / "file" / "a.rtui")
    assert caught.value.fault.kind == "storage"


def test_lone_surrogates_in_names_are_stored_as_escapes(journal: Journal) -> None:
    store(journal, [record(1, channel="a\ud800")])
    reader = Reader(journal.path)
    assert reader.window([1])[0].channel == "a\\ud800"
    reader.close()


def test_what_is_not_stored_yet_can_be_looked_up(journal: Journal) -> None:
    os.kill(child_of(journal), signal.SIGSTOP)
    try:
        for first in range(1, 30_001, 1000):
            journal.append(batch(first, 1000, link=1 + first // 1000 % 2))
        assert journal.committed == 0
        assert journal.tail.first > 10_000
        found = [journal.get(seq) for seq in (1, 1500, 30_000)]
        assert [r and r.seq for r in found] == [1, 1500, 30_000]
        assert journal.get(30_001) is None
        one, two = journal.fresh(0, 1), journal.fresh(0, 2)
        assert one is not None
        assert two is not None
        assert sorted([*one, *two]) == list(range(1, 30_001))
    finally:
        os.kill(child_of(journal), signal.SIGCONT)


def test_what_is_stored_in_the_moment_of_looking_is_not_missed(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.kill(child_of(journal), signal.SIGSTOP)
    unstored: property = vars(Courier)["unstored"]

    def meanwhile(courier: Courier) -> tuple[Frame, ...]:
        courier._take_report(5, "")  # from the listener's thread
        found: tuple[Frame, ...] = unstored.__get__(courier)
        return found

    try:
        for first in range(1, 30_001, 1000):
            journal.append(batch(first, 1000))
        monkeypatch.setattr(Courier, "unstored", property(meanwhile))
        assert journal.fresh(0) is None, "part of it is in the file"
        assert journal.fresh(5_000) == array("q", range(5_001, 30_001))
    finally:
        monkeypatch.undo()
        os.kill(child_of(journal), signal.SIGCONT)


def test_the_tail_is_bounded_by_number_and_size() -> None:
    tail = Tail()
    for first in range(1, 100_001, 100):
        tail.add(batch(first, 100), 100)
    assert len(tail.since(0)) <= TAIL_RECORDS + 2_100
    assert tail.get(100_000) is not None
    for seq in range(100_001, 100_101):
        tail.add([record(seq)], 1 << 20)
    assert len(tail.since(0)) <= 16
