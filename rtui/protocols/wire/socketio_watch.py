"""Tells that a Socket.IO server is late, while the library still waits for it.

Source: engine.io-protocol 4, "Heartbeat". The side that pings does so every `pingInterval`, the other answers at once;
after `pingTimeout` more without either the connection is given up.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Final

from rtui.core.event import Stalled
from rtui.protocols.wire.socketio_engine import Line

STEP: Final = 1.0
"""Seconds between two looks at most, and the delay that is not worth a word."""


class Watch:
    """Looks whether anything came."""

    def __init__(self, line: Line, tell: Callable[[Stalled], None]) -> None:
        self._line = line
        self._tell = tell

    async def run(self) -> None:
        """Look until cancelled."""
        line = self._line
        interval, patience = float(line.client.ping_interval), line.patience
        step = min(STEP, (patience - interval) / 4)
        heard, late = time.monotonic(), False
        while step > 0:
            await asyncio.sleep(step)
            if line.heard():
                heard = time.monotonic()
            quiet = time.monotonic() - heard
            if quiet > interval + step:
                self._tell(Stalled(f"no ping for {quiet:.0f} s; given up after {patience:g} s"))
            elif late:
                self._tell(Stalled(""))
            late = quiet > interval + step
