"""The frame clock: asks "what changed?" at a steady rate, and asks less often when the loop or the terminal is slow.

Nothing is posted per message. One tick per frame calls one function; while nothing changed that costs microseconds.
A stalled terminal blocks the loop inside Textual's writer, a flood keeps it busy: both make ticks late, and lateness
is what the rate follows.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping
from typing import Final

from rtui.workbench.output import is_remote

RATES: Final = (30.0, 10.0, 4.0)
"""Frames per second, from healthy to drowning."""
LATE: Final = (0.06, 0.2)
"""Seconds of mean lateness beyond which the second and the third rate are used."""
CALM: Final = 2.0
"""Seconds that ticks must come in time before the rate rises a step."""
SMOOTHING: Final = 0.3


def top_rate(asked: float, environment: Mapping[str, str] = os.environ) -> float:
    """The rate to start from: what the user asked for, at most 10 over SSH."""
    return min(asked, RATES[1]) if is_remote(environment) else asked


class Governor:
    """Chooses the rate from how late ticks were. No clock of its own."""

    def __init__(self, top: float = RATES[0]) -> None:
        self.rates = tuple(min(top, rate) for rate in RATES)
        self.step = 0
        self.lag = 0.0
        """Mean lateness in seconds."""
        self._calm_since: float | None = None

    @property
    def rate(self) -> float:
        """Frames per second to aim at."""
        return self.rates[self.step]

    def note(self, late: float, now: float) -> None:
        """A tick came `late` seconds after its time. Falls at once, rises one step after a calm while."""
        self.lag += SMOOTHING * (late - self.lag)
        wanted = sum(self.lag > limit for limit in LATE)
        if wanted >= self.step:
            self.step = wanted
            self._calm_since = None
        elif self._calm_since is None:
            self._calm_since = now
        elif now - self._calm_since >= CALM:
            self.step -= 1
            self._calm_since = None


class Pump:
    """Calls `frame(now)` on the running loop until stopped."""

    def __init__(
        self, frame: Callable[[float], None], *, top: float, on_error: Callable[[Exception], object] | None = None
    ) -> None:
        self.governor = Governor(top)
        self.ticks = 0
        self._frame = frame
        self._on_error = on_error
        self._timer: asyncio.TimerHandle | None = None
        self._due = 0.0

    @property
    def running(self) -> bool:
        """Whether ticks come."""
        return self._timer is not None

    def start(self) -> None:
        """Begin; the first tick comes one frame from now. No effect if it runs."""
        if self._timer is None:
            self._schedule(asyncio.get_running_loop())

    def stop(self) -> None:
        """No more ticks."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _schedule(self, loop: asyncio.AbstractEventLoop) -> None:
        self._due = loop.time() + 1 / self.governor.rate
        self._timer = loop.call_at(self._due, self._tick, loop)

    def _tick(self, loop: asyncio.AbstractEventLoop) -> None:
        now = loop.time()
        self.governor.note(now - self._due, now)
        self.ticks += 1
        try:
            self._frame(now)
        except Exception as error:
            self._timer = None
            if self._on_error is None:
                raise
            self._on_error(error)
        else:
            self._schedule(loop)
