from __future__ import annotations

import asyncio

import pytest

from rtui.workbench.pump import CALM, RATES, Governor, Pump, top_rate
from tests.waiting import PATIENCE


def test_the_rate_falls_with_lateness_and_says_how_late() -> None:
    governor = Governor()
    for _ in range(20):
        governor.note(0.1, 0.0)
    assert governor.rate == RATES[1]
    for _ in range(20):
        governor.note(1.0, 0.0)
    assert governor.rate == RATES[2]
    assert governor.lag == pytest.approx(1.0, abs=0.01)


def test_one_late_tick_is_forgiven() -> None:
    governor = Governor()
    governor.note(0.15, 0.0)
    assert governor.rate == RATES[0]


def test_the_rate_rises_one_step_per_calm_while() -> None:
    governor = Governor()
    for _ in range(20):
        governor.note(1.0, 0.0)
    for _ in range(30):
        governor.note(0.0, 1.0)
    assert governor.rate == RATES[2]
    governor.note(0.0, 1.0 + CALM)
    assert governor.rate == RATES[1]
    governor.note(0.0, 1.5 + CALM)
    assert governor.rate == RATES[1]
    governor.note(0.0, 2.0 + 2 * CALM)
    governor.note(0.0, 2.5 + 3 * CALM)
    assert governor.rate == RATES[0]


def test_over_ssh_at_most_ten_a_second() -> None:
    assert top_rate(30, {"SSH_CONNECTION": "1 2 3 4"}) == 10
    assert top_rate(30, {}) == 30
    assert top_rate(5, {"SSH_TTY": "/dev/pts/1"}) == 5


async def test_ticks_come_until_stopped() -> None:
    enough = asyncio.Event()
    times: list[float] = []

    def frame(now: float) -> None:
        times.append(now)
        if len(times) == 5:
            enough.set()

    pump = Pump(frame, top=60)
    pump.start()
    pump.start()
    async with asyncio.timeout(PATIENCE):
        await enough.wait()
    pump.stop()
    assert not pump.running
    assert pump.ticks == len(times) == 5
    assert times == sorted(times)


async def test_an_error_in_a_frame_stops_the_clock_and_is_handed_on() -> None:
    failed: asyncio.Future[Exception] = asyncio.get_running_loop().create_future()

    def frame(_now: float) -> None:
        raise ValueError("no")

    pump = Pump(frame, top=60, on_error=failed.set_result)
    pump.start()
    async with asyncio.timeout(PATIENCE):
        assert isinstance(await failed, ValueError)
    assert not pump.running
