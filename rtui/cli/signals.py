"""SIGINT and SIGTERM as an event, so that connections are closed properly; a second one ends at once."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final

from rtui.cli.output import Interrupted, Output

HEEDED: Final = (signal.SIGINT, signal.SIGTERM)


class Interruption:
    """Whether and by what the command was interrupted."""

    def __init__(self, output: Output | None) -> None:
        self.came = asyncio.Event()
        self._heard = False
        self._output = output
        self._loop = asyncio.get_running_loop()

    def on_signal(self, _number: int, _frame: FrameType | None) -> None:
        """The first asks to end, the second does."""
        if self._heard:
            raise KeyboardInterrupt
        self._heard = True
        # Not loop.add_signal_handler: its callbacks would wait behind a write that waits for its reader.
        self._loop.call_soon_threadsafe(self.came.set)
        if self._output is not None and self._output.waiting:
            raise Interrupted


@contextmanager
def interruption(output: Output | None = None) -> Iterator[Interruption]:
    """Heed signals for as long as the block runs. Main thread only."""
    one = Interruption(output)
    before: dict[signal.Signals, Callable[[int, FrameType | None], object] | int | None] = {
        number: signal.signal(number, one.on_signal) for number in HEEDED
    }
    try:
        yield one
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
