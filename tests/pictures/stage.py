"""The workbench on recordings, without a terminal: what it shows depends on nothing but them."""

from __future__ import annotations

import asyncio
import os
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any, Final, NamedTuple

import pytest
from textual.pilot import Pilot

from rtui.capture.journal import Journal
from rtui.capture.query import compile_filter
from rtui.capture.reader import Reader
from rtui.cli.demo import SHOWN, demo_sessions
from rtui.settings.config import Config
from rtui.workbench.app import Workbench
from rtui.workbench.screens.desk import Desk
from tests.pictures.cast import Cast
from tests.pictures.clock import AFTERWARDS, Clock, Loop
from tests.pictures.recording import USUAL, Recording, load
from tests.waiting import PATIENCE

DRAWING: Final = "message-"
"""How the groups of the workers begin that draw what is shown."""
FRAMES: Final = 3
"""Frames in which a desk takes in what it was told."""
TURNS: Final = 3
"""Rounds in which its widgets take in a frame."""
AFTER: Final = 0.4
"""Seconds from the last event to the picture."""
OTHERWISE: Final = ("NO_COLOR", "SSH_CLIENT", "SSH_CONNECTION", "SSH_TTY", "TMUX")
"""Variables with which the workbench looks different."""


class Stage:
    """The desk while a picture is arranged."""

    def __init__(self, bench: Workbench, pilot: Pilot[Any]) -> None:
        self.bench = bench
        self.pilot = pilot
        self._frame = AFTERWARDS + asyncio.get_running_loop().time()
        """The time by the frame clock: a second from one to the next, so that nothing is put off to a later one."""

    @property
    def desk(self) -> Desk:
        """What is seen."""
        return self.bench.desk

    async def press(self, *keys: str) -> None:
        """Press keys, each when what the one before has led to is there: a list may come from a thread."""
        for key in keys:
            await self.pilot.press(key)
            await self.settle()

    async def go_to(self, name: str) -> None:
        """Show a tab."""
        self.desk.go_to(next(sheet for sheet in self.desk.sheets if sheet.name == name))
        await self.settle()

    async def stand_on(self, channel: str) -> None:
        """Put the tree's cursor on a channel."""
        tree = self.desk.sure_tree
        for index in range(tree.row_count()):
            tree.go_to_row(index)
            if tree.selected is not None and tree.selected.full == channel:
                return await self.settle()
        raise LookupError(channel)

    async def pick(self, expression: str) -> None:
        """Put the log's cursor on the last row that matches."""
        sheet = self.desk.sheets.current
        assert sheet is not None
        seqs = self.bench.catalog.reader.seqs(compile_filter(expression), sheet.key or None, 1, self.bench.catalog.last)
        self.desk.log_view.go_to(seqs[-1])
        await self.settle()

    async def settle(self) -> None:
        """Until all that came is stored and shown."""
        for _ in range(FRAMES):
            await self.until(lambda: self._is_stored, "everything is stored")
            await self.until(lambda: self._is_scanned, "filters have looked at all of it")
            await self.frame()
            await self.until(lambda: not self._busy, "nothing is under way")

    async def frame(self) -> None:
        """One tick of the frame clock, and what comes of it."""
        self._frame += 1.0
        self.desk.frame(self._frame)
        for _ in range(TURNS):
            await self.pilot._wait_for_screen()
            self.bench.screen._on_timer_update()  # `Pilot.pause`, but for the sleep: the loop's timers may stand still

    @property
    def _is_stored(self) -> bool:
        journal = self.bench.catalog.journal
        return journal is not None and journal.committed == journal.last

    @property
    def _is_scanned(self) -> bool:
        """Whether the threads that look for what a filter lets through have ended, and their rows are taken in."""
        lenses = [sheet.lens for sheet in self.desk.sheets.shown]
        for lens in lenses:
            lens.refresh()
        return all(lens.done for lens in lenses)

    @property
    def _busy(self) -> bool:
        return any(worker.is_running and worker.group.startswith(DRAWING) for worker in self.bench.workers)

    async def until(self, reached: Callable[[], object], what: str) -> None:
        """Wait for something.

        Raises:
            TimeoutError: if it never comes.
        """
        deadline = time.monotonic() + PATIENCE
        while not reached():
            if time.monotonic() > deadline or self.bench._exception is not None:
                raise TimeoutError(what)
            await asyncio.to_thread(time.sleep, 0.002)  # the loop's own timers may stand still


class View(NamedTuple):
    """One picture."""

    title: str
    size: tuple[int, int]
    moment: float
    """The second of the recording up to which it is played."""
    arrange: Callable[[Stage], Awaitable[None]]


def picture(view: View) -> str:
    """A view as SVG: the same text whenever and wherever it is made."""
    recordings = [load(name) for name in SHOWN]
    clock = Clock(recordings[0].start)
    with _surroundings(), clock.shown(), asyncio.Runner(loop_factory=lambda: Loop(clock)) as runner:
        return runner.run(_taken(view, recordings, clock))


async def _taken(view: View, recordings: list[Recording], clock: Clock) -> str:
    cast = Cast(recordings, clock)
    async with _opened(view.size, cast) as stage:
        await stage.until(lambda: cast.complete, "all connections")
        await cast.play(view.moment)
        await stage.settle()
        await view.arrange(stage)
        await stage.settle()
        with clock.pinned():
            clock.now += AFTER
            stage.bench.repaint()
            await stage.settle()
            svg = stage.bench.export_screenshot(title=view.title)
        await stage.bench.hub.close_all(1.0)
    # Some programs take the no-break spaces at the beginning of a text for nothing, unless they are told.
    return svg.replace("<svg ", '<svg xml:space="preserve" ', 1)


@asynccontextmanager
async def _opened(size: tuple[int, int], cast: Cast) -> AsyncIterator[Stage]:
    """The workbench on the sessions of `rtui demo`, every pane mounted."""
    journal = Journal.create()
    reader = Reader(journal.path)
    try:
        bench = Workbench(reader=reader, journal=journal, targets=demo_sessions(USUAL), config=Config(animations=False))
        bench.hub._find = cast.find
        async with bench.run_test(size=size) as pilot:
            stage = Stage(bench, pilot)
            await stage.until(lambda: bench.desk.picture is not None and bench.pump.running, "the desk is ready")
            bench.pump.stop()  # from here on there is a frame when one is wanted
            yield stage
    finally:
        reader.close()
        journal.close()


@contextmanager
def _surroundings() -> Iterator[None]:
    """The folders of somebody who begins, a terminal that can do everything, and the time of Greenwich."""
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        for name in OTHERWISE:
            patch.delenv(name, raising=False)
        for name in [name for name in os.environ if name.startswith("RTUI_")]:
            patch.delenv(name)
        own = {"RTUI_CONFIG_HOME": folder, "RTUI_STATE_HOME": folder, "TZ": "UTC"}
        for name, value in {**own, "COLORTERM": "truecolor", "TERM": "xterm-256color"}.items():
            patch.setenv(name, value)
        patch.chdir(folder)  # elsewhere the samples may be a folder's own sessions, and not those that are open
        time.tzset()
        try:
            yield
        finally:
            patch.undo()
            time.tzset()
