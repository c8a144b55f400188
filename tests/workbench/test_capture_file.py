"""Captures that are opened: one that is damaged says so, and shows what can be read."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from rtui.capture.journal import Journal
from rtui.capture.salvage import Salvage
from rtui.workbench.widgets.figure import stretch
from rtui.workbench.widgets.status import ConnectionHeader
from tests.capture.helper import NOW, batch, store
from tests.workbench.conftest import running, until
from tests.workbench.test_desk import toasts

ROWS = 5_000


def captured(path: Path, damage: bytes) -> Salvage:
    journal = Journal.create(path)
    journal.add_link("old", "websocket", "ws://old")
    store(journal, batch(1, ROWS, b"x" * 100))
    journal.close()
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + len(damage)] = damage
    path.write_bytes(data)
    return Salvage(path)


async def test_a_damaged_capture_says_so_and_shows_the_rest(tmp_path: Path) -> None:
    path = tmp_path / "old.rtui"
    async with running(None, reader=captured(path, b"\xa5" * 40_000)) as (bench, pilot):
        await until(pilot, lambda: "The capture is damaged" in [note.title for note in bench._notifications], "told")
        assert str(path) in toasts(bench)
        log = bench.desk.log_view
        await until(pilot, lambda: log.count > ROWS // 2, "most of it")
        assert log.count < ROWS
        for key in ("home", "pagedown", "slash"):
            await pilot.press(key)
        await pilot.press(*"tick", "enter")
        await until(pilot, lambda: bench.desk.has_filter and log.count > ROWS // 2, "searched through")
        assert bench.crash == ""


async def test_a_whole_one_says_nothing(tmp_path: Path) -> None:
    async with running(None, reader=captured(tmp_path / "old.rtui", b"")) as (bench, pilot):
        await until(pilot, lambda: not [one for one in bench.workers if one.name == "verify"], "looked through")
        await until(pilot, lambda: bench.desk.log_view.count == ROWS, "all of it")
        assert toasts(bench) == ""


async def test_its_header_says_of_which_day_it_is(tmp_path: Path) -> None:
    """Rows tell the time of day alone, and most captures are opened on another day."""
    async with running(None, reader=captured(tmp_path / "old.rtui", b"")) as (bench, pilot):
        header = bench.desk.query_one(ConnectionHeader)
        day = datetime.fromtimestamp(NOW // 10**9).astimezone()
        await until(pilot, lambda: ("dim", f"{day:%Y-%m-%d %H:%M:%S}") in header.pieces, "told")


def test_a_stretch_of_time_names_its_day_once() -> None:
    noon = int(datetime(2024, 2, 29, 12).astimezone().timestamp()) * 10**9
    assert stretch(noon, noon + 999) == "2024-02-29 12:00:00"
    assert stretch(noon, noon + 61 * 10**9) == "2024-02-29 12:00:00 to 12:01:01"
    assert stretch(noon, noon + 13 * 3600 * 10**9) == "2024-02-29 12:00:00 to 2024-03-01 01:00:00"


async def test_one_that_breaks_while_it_is_shown_is_told_in_the_title(tmp_path: Path) -> None:
    path = tmp_path / "old.rtui"
    async with running(None, reader=captured(path, b"")) as (bench, pilot):
        log = bench.desk.log_view
        await until(pilot, lambda: log.count == ROWS, "all of it")
        path.write_bytes(b"something else")
        await pilot.press("slash", *"tick", "enter")
        await until(pilot, lambda: "not all can be read" in str(log.border_title), "told")
        assert bench.crash == ""
