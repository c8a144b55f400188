"""Every task has a name and an owner; the one place that calls `asyncio.create_task`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Protocol, TypeAlias, TypeVar

T = TypeVar("T")


class Cancellable(Protocol):
    """What a spawner returns: an asyncio task, a Textual worker."""

    def cancel(self) -> object:
        """Ask it to end."""


Spawner: TypeAlias = Callable[[Coroutine[Any, Any, None], str], Cancellable]
"""Starts a coroutine under a name. In the workbench the app's workers, elsewhere `spawn`."""


def spawn(work: Coroutine[Any, Any, T], name: str) -> asyncio.Task[T]:
    """Start `work` as a named task of the running loop."""
    return asyncio.create_task(work, name=name)  # noqa: TID251
