"""The time that a picture shows: it stands still, and moves only when it is told to."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any, Final

import pytest

from rtui.capture import channels
from rtui.capture.meter import Meter
from rtui.runtime import link
from rtui.workbench.outline import Outline
from rtui.workbench.widgets import status
from rtui.workbench.widgets.tree import ChannelTree

SHOWING: Final = (channels, link, status)
"""Modules that ask `time` for what the screen shows. What they ask for their own pace may be any time."""
GIVEN: Final = (ChannelTree.__init__, Meter.__init__, Outline.__init__, link.Link.__init__)
"""What is given its clock, by default a real one."""
AFTERWARDS: Final = 1_000.0
"""Where the running clock of the loop begins, in seconds: later than anything that is played."""


class Clock:
    """Seconds since a recording began, for all that asks."""

    def __init__(self, start: int) -> None:
        """`start` is the wall time of second 0, in nanoseconds since the epoch."""
        self.now = 0.0
        self._start = start
        self._pinned = False

    def wall(self) -> int:
        """Nanoseconds since the epoch."""
        return self._start + self.nanoseconds()

    def seconds(self) -> float:
        """As `time.monotonic`."""
        return self.now

    def nanoseconds(self) -> int:
        """As `time.monotonic_ns`."""
        return round(self.now * 1e9)

    @contextmanager
    def pinned(self) -> Iterator[None]:
        """The loop's clock shows the same time; none of its timers goes off meanwhile."""
        before, self._pinned = self._pinned, True
        try:
            yield
        finally:
            self._pinned = before

    def of_loop(self) -> float:
        """What the loop takes for the time: a real one, so that its timers go off, unless it is pinned."""
        return self.now if self._pinned else AFTERWARDS + time.monotonic()

    @contextmanager
    def shown(self) -> Iterator[None]:
        """Whatever the screen shows is as late as this clock."""
        own = {"time_ns": self.wall, "monotonic": self.seconds, "monotonic_ns": self.nanoseconds}
        with pytest.MonkeyPatch.context() as patch:
            for module in SHOWING:
                patch.setattr(module, "time", SimpleNamespace(**{**vars(time), **own}))
            for function in GIVEN:
                _give(patch, function, {time.time_ns: self.wall, time.monotonic: self.seconds})
            yield


def _give(patch: pytest.MonkeyPatch, function: Any, clocks: dict[Any, Callable[[], float]]) -> None:
    """Put `clocks` in place of the real ones among the defaults of a function."""
    by_place, by_name = function.__defaults__ or (), function.__kwdefaults__ or {}
    assert clocks.keys() & {*filter(callable, (*by_place, *by_name.values()))}, f"{function} has no clock"
    patch.setattr(function, "__defaults__", tuple(_swapped(value, clocks) for value in by_place))
    patch.setattr(function, "__kwdefaults__", {name: _swapped(value, clocks) for name, value in by_name.items()})


def _swapped(value: Any, clocks: dict[Any, Callable[[], float]]) -> Any:
    return clocks.get(value, value) if callable(value) else value


class Loop(asyncio.SelectorEventLoop):
    """An event loop on such a clock."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._shown = clock

    def time(self) -> float:
        """See `AbstractEventLoop.time`."""
        return self._shown.of_loop()
