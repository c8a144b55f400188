"""How the player of a recording ends while its threads are still at work."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from rtui.capture.reader import Reader
from rtui.core.command import Hangup
from rtui.protocols.wire.replay_reel import Reel
from tests.protocols.recording import numbered, record
from tests.protocols.test_replay import playback, playing


@pytest.fixture
def capture(tmp_path: Path) -> Path:
    return tmp_path / "made before.rtui"


async def test_it_hangs_up_while_the_file_is_still_being_checked(
    capture: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record(capture, numbered(2))
    checked = threading.Event()
    monkeypatch.setattr(Reel, "verify", lambda _: checked.wait() and None)
    try:
        async with playing(capture, speed="max") as run:
            await run.opened()
            await run.until(lambda: playback(run).over)
            run.ask(Hangup(id=1))
            closed = await run.closed()
    finally:
        checked.set()
    assert (closed.by, closed.clean, closed.reason) == ("us", True, "")


def test_a_check_whose_thread_comes_after_the_end_does_not_begin(
    capture: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record(capture, numbered(2))
    begun: list[Path] = []
    monkeypatch.setattr(Reader, "verify", lambda reader: begun.append(reader.path))
    reel = Reel(capture, None)
    reel.close()
    assert reel.verify() is None
    assert not begun
