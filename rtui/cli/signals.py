"""SIGINT, SIGTERM and SIGHUP as an event, so that connections are closed properly; a second one ends at once."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final

HEEDED: Final = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))


class Interruption:
    """Whether the command was interrupted."""

    def __init__(self) -> None:
        self.came = asyncio.Event()
        self._heard = False
        self._loop = asyncio.get_running_loop()

    def on_signal(self, _number: int, _frame: FrameType | None) -> None:
        """The first asks to end, the second does."""
        if self._heard:
            raise KeyboardInterrupt
        self._heard = True
        self._loop.call_soon_threadsafe(self.came.set)


@contextmanager
def interruption() -> Iterator[Interruption]:
    """Heed signals for as long as the block runs, those that were ignored before excepted (nohup). Main thread only."""
    one = Interruption()
    before: dict[signal.Signals, Callable[[int, FrameType | None], object] | int | None] = {
        number: signal.signal(number, one.on_signal)
        for number in HEEDED
        if signal.getsignal(number) is not signal.SIG_IGN
    }
    try:
        yield one
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
