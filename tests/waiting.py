"""How tests wait: for a condition, with a deadline, never for a time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

PATIENCE = 10.0
"""Seconds; generous, because only a failing test ever waits this long."""


async def eventually(condition: Callable[[], object], patience: float = PATIENCE) -> None:
    """Return as soon as `condition` holds; TimeoutError if it never does."""
    async with asyncio.timeout(patience):
        while not condition():  # noqa: ASYNC110 - the condition is the test's, it sets no event
            await asyncio.sleep(0.001)
