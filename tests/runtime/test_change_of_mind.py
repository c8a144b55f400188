"""Whoever closes a connection and wants it again at once gets it, however far the goodbye is."""

from __future__ import annotations

import asyncio

import pytest

from rtui.core.backoff import Policy
from rtui.core.lifecycle import State
from rtui.runtime import connection as module
from tests.runtime.conftest import Stage
from tests.runtime.scripted import Attempt, deaf, echo, hang, refuse
from tests.waiting import eventually


@pytest.mark.parametrize("first", [echo, deaf, hang, refuse])
async def test_a_connection_that_is_wanted_again_during_its_goodbye_is_made(stage: Stage, first: Attempt) -> None:
    connection = stage.play(first, echo, policy=Policy(first_delay=3600, max_delay=3600))
    await eventually(lambda: connection.state is STAND[first])
    opened = connection.opened
    connection.close()
    connection.reconnect()
    await eventually(lambda: connection.opened == opened + 1)
    assert connection.state is State.OPEN
    assert stage.adapters[0].runs == 2


STAND: dict[Attempt, State] = {echo: State.OPEN, deaf: State.OPEN, hang: State.CONNECTING, refuse: State.WAITING}
"""How far each peer lets it come."""


async def test_the_deadline_of_a_goodbye_does_not_end_the_connection_after_it(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "GOODBYE", 0.05)
    connection = stage.play(deaf, echo)
    await connection.wait_open()
    connection.close()
    connection.reconnect()
    await eventually(lambda: connection.opened == 2)
    await asyncio.sleep(0.1)
    assert connection.state is State.OPEN


async def test_the_last_wish_counts(stage: Stage) -> None:
    connection = stage.play(deaf, echo)
    await connection.wait_open()
    connection.close()
    connection.reconnect()
    connection.close()
    await connection.wait_closed()
    assert (connection.state, stage.adapters[0].runs) == (State.CLOSED, 1)
