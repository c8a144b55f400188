from __future__ import annotations

import asyncio
import errno
import io
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from textual.app import ScreenStackError

from rtui.capture.journal import Journal
from rtui.capture.reader import Reader
from rtui.cli.main import run
from rtui.cli.status import Status
from rtui.core.lifecycle import State
from rtui.demo import websocket as demo
from rtui.settings.config import Config
from rtui.settings.paths import user_themes
from rtui.settings.secrets import Secrets
from rtui.workbench import state
from rtui.workbench.app import Workbench
from rtui.workbench.crash import leave_report
from rtui.workbench.state_file import load_state, save_state, state_file
from rtui.workbench.terminal import Outlet
from rtui.workbench.widgets.composer import Composer
from tests.waiting import PATIENCE, eventually
from tests.workbench.conftest import running, until


def connect_to(url: str) -> None:
    raise KeyError(url)


def fail_with(secret: str) -> Exception:
    with pytest.raises(KeyError) as caught:
        connect_to(f"wss://me:{secret}@host/?token=t0ken-t0ken and {secret}")
    return caught.value


def test_the_report_names_the_lines_and_hides_the_secrets(tmp_path: Path) -> None:
    secrets = Secrets()
    secrets.add("hunter2hunter2")
    path = tmp_path / "crashes" / "one.txt"
    sentence = leave_report(fail_with("hunter2hunter2"), [secrets], path)
    report = path.read_text()
    assert "fail_with" in report
    assert str(path) in sentence
    for text in (sentence, report):
        assert "hunter2" not in text
        assert "t0ken" not in text
        assert "KeyError" in text
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_report_that_cannot_be_written_leaves_the_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    sentence = leave_report(fail_with("x"), [], tmp_path / "file" / "one.txt")
    assert "KeyError" in sentence
    assert "Cannot write" in sentence


async def test_an_error_in_a_widget_ends_with_a_sentence_and_a_polite_close(
    journal: Journal, server: demo.Server, tmp_path: Path
) -> None:
    with pytest.raises(ZeroDivisionError):  # noqa: PT012 - it is raised by the end of the block
        async with running(journal, f"{server.url}/echo") as (bench, pilot):
            connection = bench.desk.sure
            await until(pilot, lambda: connection.state is State.OPEN, "open")
            bench.desk.query_one(Composer).set_text("half a mess")
            bench.desk.log_view.tick = lambda: 1 / 0  # type: ignore[assignment]
            await until(pilot, lambda: bench.crash, "a crash")
    assert bench.return_code == 1
    assert "ZeroDivisionError" in bench.crash
    assert bench._exit_renderables == []
    await bench.hub.close_all(PATIENCE)
    assert connection.closed is not None
    assert connection.closed.by == "us"
    reports = await asyncio.to_thread(lambda: list((tmp_path / "state" / "crashes").iterdir()))
    assert len(reports) == 1
    assert [one.payload for one in load_state(state_file())[0].drafts.values()] == ["half a mess"]


class HungUp(io.StringIO):
    def write(self, text: str) -> int:
        raise OSError(errno.EIO, "Input/output error")


def test_what_a_terminal_that_is_gone_does_not_take_is_dropped_and_told_once() -> None:
    told: list[int] = []
    outlet = Outlet(HungUp(), lambda: told.append(1))
    for _ in range(3):
        assert outlet.write("x") == 0
        outlet.flush()
    assert outlet.gone
    assert told == [1]


@pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals")
def test_a_terminal_that_is_closed_ends_the_workbench(tmp_path: Path) -> None:
    import pty

    master, slave = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "rtui", "ws://127.0.0.1:9/none", "--no-capture"],
        stdin=slave,
        stdout=slave,
        stderr=slave,
        env={**os.environ, "TERM": "xterm-256color"},
        start_new_session=True,
    )
    os.close(slave)
    seen = b""
    while b"9/none" not in seen:
        seen += os.read(master, 65_536)
    os.close(master)  # as a terminal window that is closed; without a controlling terminal nobody sends SIGHUP
    try:
        assert process.wait(PATIENCE) == 0
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize("content", [b"", b"hello", b"SQLite format 3\0"])
def test_a_file_that_is_called_a_capture_and_is_none_is_refused_with_a_sentence(
    tmp_path: Path, content: bytes, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rtui.cli.open.require_terminal", lambda: None)
    path = tmp_path / "one.rtui"
    path.write_bytes(content)
    assert run([str(path)]) == Status.USAGE
    told = capsys.readouterr().err
    assert str(path) in told
    assert "TOML" not in told


async def test_what_waited_for_its_turn_when_the_workbench_was_left_ends_in_silence(journal: Journal) -> None:
    async with running(journal) as (bench, pilot):
        await pilot.press("ctrl+q")
        await until(pilot, lambda: bench._exit, "left")
    bench._busy = True  # the key that left has not been seen to arrive
    bench._settle(bench._turn)


async def test_work_on_a_desk_that_is_taken_away_ends_with_it(journal: Journal) -> None:
    async def work() -> None:
        while True:
            begun.set()
            await asyncio.sleep(0)
            composer.screen.refresh()

    begun = asyncio.Event()
    async with running(journal) as (bench, _):
        composer = bench.desk.query_one(Composer)
        bench.desk.start(work(), "work")
        await begun.wait()
    assert bench.crash == ""


async def test_what_comes_after_the_last_screen_is_gone_finds_nothing_and_breaks_nothing(journal: Journal) -> None:
    async with running(journal) as (bench, pilot):
        take = bench._close_all

        async def take_all() -> None:
            await take()
            assert not bench.pump.running
            with pytest.raises(ScreenStackError) as caught:
                _ = bench.screen
            bench.end_with(caught.value)

        bench._close_all = take_all  # type: ignore[method-assign]
        await until(pilot, lambda: bench.pump.running, "frames")
    assert bench.crash == ""
    assert not bench.pump.running


async def test_who_leaves_during_the_start_connects_nothing_and_keeps_the_tabs_of_the_last_run(
    journal: Journal, server: demo.Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    url, gone = f"{server.url}/echo", threading.Event()
    save_state(state.State(opened=[url]), state_file())
    user_themes().mkdir(parents=True)
    bench = Workbench(reader=Reader(journal.path), journal=journal, config=Config(animations=False))

    def leaving_meanwhile() -> object:
        loop.call_soon_threadsafe(bench.leave_at_once)
        gone.wait()
        return [], []

    def left(code: int) -> None:
        leave(code)
        gone.set()

    leave, loop = bench.exit, asyncio.get_running_loop()
    monkeypatch.setattr("rtui.workbench.app.all_themes", leaving_meanwhile)
    monkeypatch.setattr(bench, "exit", left)
    async with bench.run_test():
        await eventually(gone.is_set)
    bench.catalog.reader.close()
    assert load_state(state_file())[0].opened == [url]
    assert list(bench.hub.connections) == []
