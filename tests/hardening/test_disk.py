from __future__ import annotations

import fcntl
import json
import os
import signal
import sqlite3
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import Cli
from tests.waiting import PATIENCE


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 2 MiB."""
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("cannot mount: not root")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def rows(capture: Path) -> int:
    with sqlite3.connect(capture) as database:
        (found,) = database.execute("PRAGMA integrity_check").fetchone()
        assert found == "ok"
        (count,) = database.execute("SELECT count(*) FROM records WHERE kind = 0").fetchone()
    database.close()
    return int(count)


def test_a_full_disk_is_told_and_nothing_printed_is_lost(cli: Cli, server: str, small_disk: Path) -> None:
    capture = small_disk / "a.rtui"
    ended = cli.run("tail", f"{server}/burst?rate=5000&size=500&n=8000", "--capture", str(capture), "--format", "raw")
    assert ended.returncode == 0
    assert len(ended.stdout.splitlines()) == 8000
    assert "disk is full" in ended.stderr
    assert "not stored" in ended.stderr
    assert ended.stderr.count("\n") <= 2
    assert 0 < rows(capture) < 8000


def test_a_disk_that_is_full_from_the_start(cli: Cli, server: str, small_disk: Path) -> None:
    with (small_disk / "ballast").open("wb", buffering=0) as file, pytest.raises(OSError, match="No space"):  # noqa: PT012 - the loop is the point
        while file.write(bytes(4096)):
            pass
    ended = cli.run("tail", f"{server}/ticker?rate=50", "--count", "2", "--capture", str(small_disk / "a.rtui"))
    assert (ended.returncode, ended.stdout) == (2, "")
    assert "Cannot record" in ended.stderr


def test_a_folder_that_cannot_be_written(cli: Cli, server: str) -> None:
    for path in ("/proc/a.rtui", "/dev/null/a.rtui"):
        ended = cli.run("tail", f"{server}/ticker", "--count", "1", "--capture", path)
        assert (ended.returncode, ended.stdout) == (2, "")
        assert "Cannot record" in ended.stderr
        assert "--capture" in ended.stderr


def test_a_home_that_cannot_be_written_is_told_once_and_work_goes_on(cli: Cli, server: str) -> None:
    (cli.folder / "state").write_text("")  # a file where the folder should be
    ended = cli.run("tail", f"{server}/ticker?rate=50", "--count", "2")
    assert ended.returncode == 0
    assert len(ended.stdout.splitlines()) == 2
    assert ended.stderr.count("what is recorded ends with this run") == 1
    assert "state/captures" in ended.stderr


def test_a_killed_recorder_leaves_a_whole_capture(cli: Cli, server: str) -> None:
    capture = cli.folder / "a.rtui"
    process = cli.start("tail", f"{server}/burst?rate=3000", "--capture", str(capture))
    assert process.stdout is not None
    printed = [json.loads(process.stdout.readline())["data"]["n"] for _ in range(6_000)]
    process.kill()
    process.communicate(timeout=PATIENCE)
    # The writer has its own process and stores what it was given; it holds the lock until then.
    with Path(f"{capture}-lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
    exported = cli.run("export", str(capture), "--messages")
    assert exported.returncode == 0
    numbers = [json.loads(line)["data"]["n"] for line in exported.stdout.splitlines()]
    assert numbers == list(range(1, len(numbers) + 1))
    # The last batch: what was gathered for 10 ms. A machine that stands still for a moment gathers more.
    assert len(numbers) >= len(printed) - 3_000
    again = cli.run("tail", f"{server}/burst?rate=1000&n=5", "--capture", str(capture))
    assert again.returncode == 0, again.stderr
    assert rows(capture) == len(numbers) + 5


def test_a_killed_writer_is_started_again(cli: Cli, server: str) -> None:
    capture = cli.folder / "a.rtui"
    process = cli.start("tail", f"{server}/burst?rate=3000&n=6000", "--capture", str(capture))
    assert process.stdout is not None
    for _ in range(1000):
        process.stdout.readline()
    (writer,) = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text(encoding="ascii").split()
    os.kill(int(writer), signal.SIGKILL)
    _, complaint = process.communicate(timeout=PATIENCE)
    assert (process.returncode, complaint) == (0, "")
    assert rows(capture) == 6000


def test_two_rtui_on_one_capture(cli: Cli, server: str) -> None:
    capture = cli.folder / "a.rtui"
    first = cli.start("tail", f"{server}/ticker?rate=50", "--capture", str(capture))
    assert first.stdout is not None
    first.stdout.readline()
    second = cli.run("tail", f"{server}/ticker?rate=50", "--count", "1", "--capture", str(capture))
    assert (second.returncode, second.stdout) == (2, "")
    assert "another rtui records into" in second.stderr
    assert cli.run("export", str(capture)).returncode == 0
    first.terminate()
    first.communicate(timeout=PATIENCE)
    assert cli.run("tail", f"{server}/ticker?rate=50", "--count", "1", "--capture", str(capture)).returncode == 0


def capture_of(cli: Cli, server: str) -> Path:
    path = cli.folder / "a.rtui"
    assert cli.run("tail", f"{server}/burst?rate=5000&n=3000", "--capture", str(path)).returncode == 0
    return path


def test_a_capture_of_a_newer_version(cli: Cli, server: str) -> None:
    path = capture_of(cli, server)
    with sqlite3.connect(path) as database:
        database.execute("PRAGMA user_version=99")
    database.close()
    for words in (("export",), ("captures", "show"), ("tail", f"{server}/ticker", "--count", "1", "--capture")):
        ended = cli.run(*words, str(path))
        assert (ended.returncode, ended.stdout) == (2, "")
        assert "Capture too new" in ended.stderr
        assert "Update rtui" in ended.stderr


@pytest.mark.parametrize("damage", ["half", "head", "noise", "empty", "foreign"])
def test_a_damaged_capture_is_a_sentence(cli: Cli, server: str, damage: str) -> None:
    path = capture_of(cli, server)
    data = path.read_bytes()
    if damage == "foreign":
        path.unlink()
        with sqlite3.connect(path) as database:
            database.execute("CREATE TABLE records(seq)")
        database.close()
    else:
        middle = len(data) // 2
        noise = data[:middle] + b"\xa5" * 40_000 + data[middle + 40_000 :]
        path.write_bytes({"half": data[:middle], "head": data[:100], "noise": noise, "empty": b""}[damage])
    for words in (("export",), ("captures", "show"), ("export", "--filter", "burst")):
        ended = cli.run(*words, str(path))
        assert ended.returncode == 2, (damage, words, ended)
        assert "unexpected" not in ended.stderr
        assert str(path) in ended.stderr
