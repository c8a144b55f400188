from __future__ import annotations

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from rtui.core.lifecycle import ALLOWED, Lifecycle, State


class Walk(RuleBasedStateMachine):
    """Any walk over the states, counted by hand beside the machine."""

    def __init__(self) -> None:
        super().__init__()
        self.link = Lifecycle()
        self.tries = 0
        self.successes = 0

    def go(self, to: State) -> None:
        before = self.link.state
        self.link.move(to)
        if to is State.CONNECTING:
            self.tries = self.tries + 1 if before is State.WAITING else 1
        if to is State.OPEN:
            self.tries = 0
            self.successes += 1

    @rule(choice=st.integers(0, 10))
    def allowed_move(self, choice: int) -> None:
        ways = sorted(ALLOWED[self.link.state], key=lambda state: state.value)
        self.go(ways[choice % len(ways)])

    @rule(to=st.sampled_from(State))
    def any_move(self, to: State) -> None:
        before = (self.link.state, self.link.attempt, self.link.opened)
        if to in ALLOWED[self.link.state]:
            self.go(to)
            return
        with pytest.raises(ValueError, match=f"from {before[0].value} to {to.value}"):
            self.link.move(to)
        assert (self.link.state, self.link.attempt, self.link.opened) == before

    @precondition(lambda self: self.link.state is State.WAITING)
    @rule()
    def retry(self) -> None:
        tried = self.link.attempt
        self.go(State.CONNECTING)
        assert self.link.attempt == tried + 1

    @invariant()
    def counts_agree(self) -> None:
        assert self.link.attempt == self.tries
        assert self.link.opened == self.successes

    @invariant()
    def ended_links_are_not_live(self) -> None:
        assert self.link.live == (self.link.state not in {State.IDLE, State.CLOSED})


TestWalk = Walk.TestCase


def test_every_state_has_its_ways_and_every_state_can_end() -> None:
    assert set(ALLOWED) == set(State)
    for state in State:
        seen: set[State] = set()
        ahead = [state]
        while ahead:
            here = ahead.pop()
            ahead += [to for to in ALLOWED[here] if to not in seen]
            seen |= ALLOWED[here]
        assert State.CLOSED in seen


def test_a_close_in_progress_cannot_be_turned_into_a_retry() -> None:
    assert ALLOWED[State.CLOSING] == {State.CLOSED}
