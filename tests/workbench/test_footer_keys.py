"""The line of keys says what makes sense now, and nothing else."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from rtui.capture.journal import Journal
from rtui.capture.lens import Lens
from rtui.capture.reader import Reader
from rtui.core.lifecycle import State
from rtui.demo import websocket as demo
from rtui.workbench.app import Workbench
from rtui.workbench.widgets.footer import KeyLine
from tests.workbench.conftest import running, until
from tests.workbench.test_snapshot import write_capture

OF_ROWS = {"Open", "Freeze", "Time", "Mark"}


def footer(bench: Workbench) -> set[str]:
    return {hint.title for hint in bench.desk.query_one(KeyLine).hints}


async def test_without_a_connection_no_keys_of_rows_are_offered(journal: Journal) -> None:
    async with running(journal) as (bench, pilot):
        await until(pilot, lambda: "Connect…" in footer(bench), "drawn")
        assert not footer(bench) & {*OF_ROWS, "Follow"}


async def test_rows_bring_their_keys_and_looking_back_brings_follow(journal: Journal, server: demo.Server) -> None:
    async with running(journal, f"{server.url}/echo") as (bench, pilot):
        await until(pilot, lambda: footer(bench) >= OF_ROWS, "the first row came")
        assert "Follow" not in footer(bench)
        await pilot.press("up")
        await until(pilot, lambda: "Follow" in footer(bench), "looking back")
        await pilot.press("end")
        await until(pilot, lambda: "Follow" not in footer(bench), "following again")
        await pilot.press("z")
        await until(pilot, lambda: "Follow" in footer(bench), "the picture is held")


async def test_who_is_away_can_be_called_again(journal: Journal, server: demo.Server) -> None:
    async with running(journal, f"{server.url}/echo") as (bench, pilot):
        await until(pilot, lambda: bench.desk.connection is not None and bench.desk.sure.state is State.OPEN)
        await until(pilot, lambda: footer(bench) >= OF_ROWS, "the first row came")
        assert "Reconnect" not in footer(bench)
        bench.desk.sure.close()
        await until(pilot, lambda: "Reconnect" in footer(bench), "it is closed")
        await pilot.press("r")
        await until(pilot, lambda: bench.desk.sure.state is State.OPEN and "Reconnect" not in footer(bench))


async def test_rows_that_are_found_late_bring_their_keys_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found, scan = threading.Event(), Lens._scan

    def late(lens: Lens, reader: Reader) -> None:
        found.wait()
        scan(lens, reader)

    monkeypatch.setattr(Lens, "_scan", late)
    write_capture(tmp_path / "old.rtui")
    async with running(None, reader=Reader(tmp_path / "old.rtui")) as (bench, pilot):
        assert "Open" not in footer(bench)
        found.set()
        await until(pilot, lambda: bench.desk.log_view.total == 45, "all rows")
        assert footer(bench) >= OF_ROWS
