from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from rtui.core.backoff import Backoff, Policy

CHANCE = st.floats(0, 1, exclude_max=True)


@given(first=st.floats(0.001, 60), longest=st.floats(0.001, 600), chances=st.lists(CHANCE, min_size=1, max_size=60))
def test_every_delay_is_positive_and_below_the_ceiling(first: float, longest: float, chances: list[float]) -> None:
    backoff = Backoff(Policy(first_delay=first, max_delay=longest), iter(chances).__next__)
    for failure in range(len(chances)):
        ceiling = min(longest, first * 2.0**failure)
        delay = backoff.next()
        assert delay is not None
        assert 0.1 * ceiling <= delay <= ceiling


@given(attempts=st.integers(1, 20), chance=CHANCE)
def test_it_gives_up_after_the_attempts_allowed_and_not_before(attempts: int, chance: float) -> None:
    backoff = Backoff(Policy(attempts=attempts), lambda: chance)
    assert all(backoff.next() is not None for _ in range(attempts))
    assert backoff.next() is None


@given(asked=st.floats(0, 3600), chance=CHANCE)
def test_what_the_peer_asks_for_is_obeyed_at_first_and_a_floor_afterwards(asked: float, chance: float) -> None:
    policy = Policy(first_delay=0.5)
    backoff = Backoff(policy, lambda: chance)
    assert backoff.next(asked) == max(asked, 0.1 * policy.first_delay)
    for failure in range(1, 12):
        delay = backoff.next(asked)
        assert delay is not None
        assert delay == max(asked, 0.1 * min(30, 0.5 * 2**failure), chance * min(30, 0.5 * 2**failure))


def test_a_thousand_failures_stay_at_the_longest_delay() -> None:
    backoff = Backoff(Policy(first_delay=0.5, max_delay=30), lambda: 0.999)
    delays = [backoff.next() or 0 for _ in range(1000)]
    assert delays[:3] == [0.999 * 0.5, 0.999 * 1.0, 0.999 * 2.0]
    assert delays[-1] == 0.999 * 30


def test_reset_starts_over() -> None:
    backoff = Backoff(Policy(attempts=1), lambda: 0.5)
    assert backoff.next() is not None
    assert backoff.next() is None
    backoff.reset()
    assert backoff.next() == 0.25


def test_a_disabled_policy_never_retries() -> None:
    assert Backoff(Policy(enabled=False), lambda: 0.5).next() is None
