"""How tests wait: for a condition, with a deadline, never for a time."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable
from pathlib import Path

PATIENCE = 120.0
"""Seconds; generous, because only a failing test ever waits this long. The one deadline of all tests."""


async def eventually(condition: Callable[[], object], patience: float = PATIENCE) -> None:
    """Return as soon as `condition` holds; TimeoutError if it never does."""
    async with asyncio.timeout(patience):
        while not condition():  # noqa: ASYNC110 - the condition is the test's, it sets no event
            await asyncio.sleep(0.001)


async def at_rest(figure: Callable[[], int], still: float = 0.05) -> int:
    """The value of a figure that has not moved for `still` seconds; TimeoutError if it goes on moving.

    In a stall of the process nothing moves either: what is at rest may yet move, but not for ever.
    """
    async with asyncio.timeout(PATIENCE):
        before = figure()
        while True:
            await asyncio.sleep(still)
            if before == (before := figure()):
                return before


def settled(pid: int) -> None:
    """Return when a process has started and does nothing but wait, or has been busy for a while.

    One that is not given the CPU stands still, too: but it does not sleep.
    """
    deadline = time.monotonic() + PATIENCE
    before, now, state = -1.0, 0.0, ""
    while (before != now or now < 0.1 or state != "S") and now < 1.0:
        assert time.monotonic() < deadline
        before = now
        time.sleep(0.25)
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        state, now = fields[0], (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def lag() -> float:
    """Seconds of work by which the loop comes back later than asked for.

    Of this thread's own: what other processes take of the machine is no fault of the loop.
    """
    began = time.thread_time()
    await asyncio.sleep(0.01)
    return time.thread_time() - began - 0.01
