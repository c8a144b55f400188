"""A peer that owes something is no longer said to, once anything came from it."""

from __future__ import annotations

import asyncio

from rtui.core.event import Closed, Measured, Notice, Opened, Stalled
from rtui.protocols.base import Link
from tests.runtime.conftest import Stage
from tests.waiting import eventually


async def test_whatever_came_before_the_answer_in_one_piece(stage: Stage) -> None:
    come = asyncio.Event()

    async def stalls(link: Link) -> Closed | None:
        link.emit([Opened(details={}), Stalled("no pong for 12 s")])
        await come.wait()
        link.emit([Notice(text="I was busy", level="warning"), Measured(12_000_000)])
        await asyncio.Event().wait()
        return None

    connection = stage.play(stalls)
    await connection.wait_open()
    assert connection.stalled
    come.set()
    await eventually(lambda: connection.rtt)
    assert not connection.stalled
