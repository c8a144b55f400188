from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtui.protocols.wire.poll_schedule import LONGEST_PAUSE, QUICK, SLOWEST_RETRY, Pause, Schedule, retries


class Clock:
    """A clock that only a test moves."""

    def __init__(self, now: float = 1000.0) -> None:
        self.now = now


def run(schedule: Schedule, clock: Clock, answers: list[float], late: float = 0.0) -> list[float]:
    """When requests went out, if each is answered after so many seconds and each timer fires `late`."""
    began = []
    for took in answers:
        began.append(clock.now)
        clock.now += took
        clock.now = max(clock.now, schedule.next(clock.now).at) + late
    return began


def test_sixty_polls_do_not_drift() -> None:
    clock = Clock()
    began = run(Schedule(1.0, 0.0, clock.now, lambda: 0.0), clock, [0.3] * 60, late=0.004)
    assert began[-1] - began[0] == pytest.approx(59.004)


def test_a_slow_answer_skips_ticks_and_says_how_many() -> None:
    schedule = Schedule(1.0, 0.0, 0.0, lambda: 0.0)
    assert schedule.next(0.2) == (1.0, 0)
    assert schedule.next(4.1) == (5.0, 3)
    assert schedule.next(5.5) == (6.0, 0)


def test_an_answer_that_comes_on_the_tick_is_in_time() -> None:
    schedule = Schedule(0.1, 0.0, 0.7, lambda: 0.0)
    for number in range(1, 100):
        assert schedule.next(0.7 + number * 0.1).skipped == 0


@given(
    st.floats(0.01, 100),
    st.floats(0, 1),
    st.lists(st.floats(0, 300), min_size=1, max_size=50),
    st.randoms(use_true_random=False),
)
def test_never_twice_for_a_tick_and_never_off_the_grid(
    every: float, jitter: float, answers: list[float], dice: Random
) -> None:
    start = 50.0
    schedule = Schedule(every, jitter, start, dice.random)
    now, number = start, 0
    for took in answers:
        now += took
        tick = schedule.next(now)
        number += 1 + tick.skipped
        earliest = start + number * every
        assert tick.skipped >= 0
        assert tick.at >= now
        assert earliest - 1e-6 <= tick.at <= earliest + jitter * every + 1e-6
        now = tick.at


def test_what_jitter_delays_is_not_skipped() -> None:
    schedule = Schedule(1.0, 0.5, 0.0, lambda: 0.9)
    ticks = [schedule.next(now) for now in (0.0, 2.3, 3.6)]
    assert [tick.at for tick in ticks] == pytest.approx([1.45, 2.45, 4.45])
    assert [tick.skipped for tick in ticks] == [0, 0, 1]


def test_jitter_does_not_add_up() -> None:
    clock = Clock()
    began = run(Schedule(1.0, 0.5, clock.now, lambda: 0.999), clock, [0.0] * 60)
    assert began[-1] - began[0] == pytest.approx(59.4995)


def test_without_an_interval_the_next_is_due_at_once() -> None:
    schedule = Schedule(0.0, 0.5, 0.0, lambda: 0.9)
    assert schedule.next(12.5) == (12.5, 0)
    assert schedule.resume(14.0) == 14.0


def test_after_a_pause_the_old_grid_goes_on() -> None:
    schedule = Schedule(2.0, 0.0, 100.0, lambda: 0.0)
    assert schedule.resume(107.3) == 108.0
    assert schedule.next(108.5) == (110.0, 0)


def test_a_request_between_two_ticks_moves_none() -> None:
    schedule = Schedule(2.0, 0.0, 100.0, lambda: 0.0)
    assert schedule.next(100.1) == (102.0, 0)
    assert schedule.resume(100.6) == 102.0
    assert schedule.resume(160.0) == 160.0, "put off for long"
    assert schedule.resume(102.1) == 104.0, "and asked for sooner"
    assert schedule.next(104.1) == (106.0, 0)


def test_errors_are_answered_by_longer_waits() -> None:
    waits = retries(2.0, lambda: 0.999)
    found = [waits.next() or 0.0 for _ in range(8)]
    assert found[:3] == pytest.approx([2, 4, 8], rel=0.01)
    assert found[-1] == pytest.approx(SLOWEST_RETRY, rel=0.01)
    assert waits.next(90.0) == 90.0
    assert (retries(120.0, lambda: 0.999).next() or 0) >= 119


def test_a_server_that_does_not_hold_is_asked_less_often() -> None:
    pause = Pause()
    assert pause.note(held=0.01, fresh=False)
    lengths = [pause.length]
    for _ in range(9):
        assert not pause.note(held=0.01, fresh=False)
        lengths.append(pause.length)
    assert lengths[:4] == [0.1, 0.2, 0.4, 0.8]
    assert lengths[-1] == LONGEST_PAUSE
    assert not pause.note(held=0.01, fresh=True)
    assert pause.length == 0
    assert pause.note(held=0.01, fresh=False)
    assert not pause.note(held=QUICK, fresh=False)
    assert pause.length == 0
