"""A connection whose task is taken away before it came to its first line."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

from rtui.runtime.tasks import spawn
from tests.runtime.conftest import Stage
from tests.runtime.scripted import echo
from tests.waiting import PATIENCE


def stillborn(work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
    """A worker that is cancelled before its first turn, as those of an app that ends in this moment."""
    task = spawn(work, name)
    task.cancel()
    return task


async def test_it_is_not_waited_for(stage: Stage) -> None:
    stage.hub._spawner = stillborn
    stage.play(echo)
    async with asyncio.timeout(PATIENCE):
        await stage.hub.close_all(0.01)
    assert stage.adapters[0].runs == 0


async def test_it_may_be_wanted_again(stage: Stage) -> None:
    stage.hub._spawner = stillborn
    connection = stage.play(echo)
    await stage.hub.close_all(0.01)
    connection.start(spawn)
    await connection.wait_open()
    assert stage.adapters[0].runs == 1
