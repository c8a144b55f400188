"""Pictures of the desk over a capture with fixed times: what changes them is a change of looks, on purpose or not."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from rtui.capture.journal import Journal
from rtui.capture.reader import Reader
from rtui.core.record import Direction, Kind, Record
from rtui.settings.config import Config
from rtui.workbench.app import Workbench
from rtui.workbench.panes.caption import Slide
from tests.workbench.conftest import until

NOON = 1_767_268_800_000_000_000
"""2026-01-01 12:00:00 UTC."""
BODIES = (
    ("trade", b'{"type":"trade","id":1,"symbol":"ACME","price":41.5,"qty":3,"maker":null}'),
    ("sensor", b'{"type":"sensor","id":2,"rack":"r1","temp":21.5,"tags":["a","b"]}'),
    ("alert", '{"type":"alert","id":3,"text":"überhitzt 王芳 \x1b[31m"}'.encode()),
)


def write_capture(path: Path) -> None:
    journal = Journal.create(path)
    plant = journal.add_link("plant", "websocket", "wss://plant.example/feed")
    chat = journal.add_link("chat", "websocket", "ws://chat.example/room")
    rows = [Record(1, NOON, plant, Kind.OPEN, Direction.NONE, "", b"open")]
    for number in range(2, 42):
        channel, body = BODIES[number % len(BODIES)]
        rows.append(Record(number, NOON + number * 40_000_000, plant, Kind.MESSAGE, Direction.IN, channel, body))
    last = NOON + 41 * 40_000_000
    rows += [
        Record(42, last, chat, Kind.MESSAGE, Direction.OUT, "", b"hello"),
        Record(43, last + 1_200_000, chat, Kind.MESSAGE, Direction.IN, "", b"hello", None, 42, 1_200_000),
        Record(44, last + 9_000_000, plant, Kind.CLOSE, Direction.NONE, "", b"connection lost"),
        Record(45, last + 3_000_000_000, plant, Kind.GAP, Direction.NONE, "", b"3.0 s without a connection"),
    ]
    journal.append(rows)
    journal.close()


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Workbench]]:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    monkeypatch.chdir(tmp_path)
    write_capture(tmp_path / "old.rtui")
    reader = Reader(tmp_path / "old.rtui")
    yield lambda theme, **more: Workbench(reader=reader, config=Config(theme=theme, animations=False, **more))
    reader.close()
    monkeypatch.undo()
    time.tzset()


THREADS = {"verify", "types", "message-view", "message-joined", "message-chart"}
"""Groups of the workers that wait for a thread."""


async def settle(pilot: Pilot[Any]) -> None:
    """Every row read, a message shown, the clock stopped."""
    bench = pilot.app
    assert isinstance(bench, Workbench)
    await until(pilot, lambda: bench.desk.picture is not None and bench.pump.running, "ready")
    await until(pilot, lambda: bench.desk.log_view.total == 45, "all rows")
    await until(pilot, lambda: all(sheet.lens.done for sheet in bench.desk.sheets.shown), "all is scanned")
    await pilot.press("up", "up", "up", "up", "up")
    await until(
        pilot, lambda: not any(worker.group in THREADS for worker in bench.workers if worker.is_running), "read"
    )
    ticks = bench.pump.ticks + 30
    await until(pilot, lambda: bench.pump.ticks > ticks, "a second of frames")
    bench.pump.stop()
    await pilot.pause()


@pytest.mark.parametrize(
    ("theme", "size"),
    [
        ("dark", (60, 20)),
        ("dark", (80, 24)),
        ("dark", (140, 40)),
        ("light", (140, 40)),
        ("monochrome", (80, 24)),
    ],
)
def test_desk(
    snap_compare: Callable[..., bool], desk: Callable[..., Workbench], theme: str, size: tuple[int, int]
) -> None:
    assert snap_compare(desk(theme), terminal_size=size, run_before=settle)


@pytest.mark.parametrize("density", ["compact", "large"])
def test_density(snap_compare: Callable[..., bool], desk: Callable[..., Workbench], density: str) -> None:
    assert snap_compare(desk("dark", density=density), terminal_size=(80, 24), run_before=settle)


def presenting(slide: Slide) -> Callable[[Pilot[Any]], Awaitable[None]]:
    """Presenter mode, with `slide` on the band."""

    async def present(pilot: Pilot[Any]) -> None:
        await settle(pilot)
        await pilot.press("P")
        bench = pilot.app
        assert isinstance(bench, Workbench)
        presenter = bench.desk.presenter
        await until(pilot, lambda: bench.desk.focused is presenter.band, "the band has the focus")
        assert presenter.band is not None
        assert presenter.caps is not None
        presenter.band.show(slide)
        presenter.caps.note(".", "Next step", 0.0)
        await pilot.pause()

    return present


CAPTION = "The server sends back what it gets: the same text, after the time that its badge tells, in the same order."
WRONG = "No message matched: none in 2 s. Press . to try again, x to skip the step."
SLIDES = (
    Slide("3/8 · done · next in 4 s", CAPTION, "next: four bytes", "", ". next · pgup back · a clock · esc leaves"),
    Slide("3/8 · failed", CAPTION, "", WRONG, ". next · pgup back · a clock · esc leaves"),
)


@pytest.mark.parametrize(
    ("theme", "size", "slide"), [("dark", (80, 24), 0), ("light", (140, 40), 1), ("monochrome", (60, 20), 1)]
)
def test_presenter(
    snap_compare: Callable[..., bool], desk: Callable[..., Workbench], theme: str, size: tuple[int, int], slide: int
) -> None:
    assert snap_compare(desk(theme), terminal_size=size, run_before=presenting(SLIDES[slide]))
