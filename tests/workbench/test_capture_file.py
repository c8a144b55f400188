"""Captures that are opened: one that is damaged says so, and shows what can be read."""

from __future__ import annotations

from pathlib import Path

from rtui.capture.journal import Journal
from rtui.capture.salvage import Salvage
from tests.capture.helper import batch, store
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
        assert toasts(bench) == ""
        assert bench.desk.log_view.count == ROWS


async def test_one_that_breaks_while_it_is_shown_is_told_in_the_title(tmp_path: Path) -> None:
    path = tmp_path / "old.rtui"
    async with running(None, reader=captured(path, b"")) as (bench, pilot):
        log = bench.desk.log_view
        await until(pilot, lambda: log.count == ROWS, "all of it")
        path.write_bytes(b"something else")
        await pilot.press("slash", *"tick", "enter")
        await until(pilot, lambda: "not all can be read" in str(log.border_title), "told")
        assert bench.crash == ""
