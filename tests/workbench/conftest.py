from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from textual.notifications import Notification
from textual.pilot import Pilot

from rtui.capture.journal import Journal
from rtui.capture.reader import Reader
from rtui.demo import websocket as demo
from rtui.settings.config import Config
from rtui.settings.session import session_from_url
from rtui.workbench.app import Workbench
from tests.port import reserved
from tests.waiting import PATIENCE
from tests.workbench import quiet


@pytest.fixture(autouse=True)
def quiet_pilots(monkeypatch: pytest.MonkeyPatch) -> None:
    quiet.install(monkeypatch)
    monkeypatch.setattr("rtui.workbench.app.settle", lambda: None)  # what a test leaves shall not stay
    monkeypatch.setattr(Notification, "time_left", 10 * PATIENCE)  # who looks late shall find them all


@pytest.fixture(autouse=True)
def own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RTUI_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("RTUI_STATE_HOME", str(tmp_path / "state"))
    for name in ("SSH_CONNECTION", "SSH_TTY", "SSH_CLIENT", "TMUX", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COLORTERM", "truecolor")
    monkeypatch.setenv("TERM", "xterm-256color")


@pytest.fixture
def journal() -> Iterator[Journal]:
    one = Journal.create()
    yield one
    one.close()


@pytest.fixture
async def server() -> AsyncIterator[demo.Server]:
    one = await demo.serve("127.0.0.1", 0)
    yield one
    await one.close()


@pytest.fixture
def port() -> Iterator[int]:
    """For servers that come and go."""
    with reserved() as one:
        yield one


async def until(pilot: Pilot[Any], reached: Callable[[], object], what: str = "") -> None:
    """Wait for a condition, and until it is shown; the deadline only ends a test that has failed."""
    deadline, delay = time.monotonic() + PATIENCE, 0.001
    while not reached():
        assert time.monotonic() < deadline, f"never: {what or reached}"
        await asyncio.sleep(delay)
        await pilot.pause()
        delay = min(1.5 * delay, 0.03)
    await pilot.pause()


@asynccontextmanager
async def running(
    journal: Journal | None, *urls: str, reader: Reader | None = None, size: tuple[int, int] = (140, 40), **more: Any
) -> AsyncIterator[tuple[Workbench, Pilot[Any]]]:
    """The app over `journal` or a capture, every pane mounted."""
    own = reader or Reader(journal.path)  # type: ignore[union-attr]
    sessions = [session_from_url(url) for url in urls]
    more.setdefault("config", Config(animations=False))
    bench = Workbench(reader=own, journal=journal, targets=sessions, **more)
    try:
        async with bench.run_test(size=size, notifications=True) as pilot:
            await until(pilot, lambda: bench.desk.picture is not None and bench.pump.running, "the desk is ready")
            yield bench, pilot
            if bench.hub is not None:
                await bench.hub.close_all(1.0)
    finally:
        own.close()
