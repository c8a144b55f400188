from __future__ import annotations

import pytest

from rtui.core.fault import Fault
from rtui.runtime.ledger import MAX_OUTSTANDING, Ledger
from rtui.runtime.tasks import spawn
from tests.waiting import eventually

FAULT = Fault(kind="closed", side="them", title="Gone")


async def test_the_oldest_are_forgotten_but_not_what_somebody_waits_for() -> None:
    ledger = Ledger()
    first, second = ledger.issue(), ledger.issue()
    waiting = spawn(ledger.wait(first, frozenset({"acked"})), "waiting")
    await eventually(lambda: first in ledger._waiters)
    for _ in range(MAX_OUTSTANDING):
        ledger.issue()
    assert ledger.get(second) is None
    ledger.settle(first, "acked")
    assert await waiting == "acked"


def test_what_is_granted_is_not_taken_back_by_the_send() -> None:
    ledger = Ledger()
    one = ledger.issue()
    for outcome, now in (("sent", "sent"), ("acked", "acked"), ("sent", "acked"), (FAULT, FAULT), ("acked", FAULT)):
        ledger.settle(one, outcome)
        ticket = ledger.get(one)
        assert ticket is not None
        assert ticket.outcome == now


async def test_two_may_wait_for_one_command() -> None:
    ledger = Ledger()
    one = ledger.issue()
    sent = spawn(ledger.wait(one, frozenset({"sent", "acked"})), "sent")
    acked = spawn(ledger.wait(one, frozenset({"acked"})), "acked")
    await eventually(lambda: len(ledger._waiters.get(one, ())) == 2)
    ledger.settle(one, "sent")
    assert await sent == "sent"
    ledger.settle(one, "acked")
    assert await acked == "acked"
    assert not ledger._waiters


def test_what_is_not_sent_yet_is_not_forgotten() -> None:
    ledger = Ledger()
    first, second = ledger.issue(), ledger.issue()
    ledger.backlog.add(first, 1)
    for _ in range(MAX_OUTSTANDING):
        ledger.issue()
    assert ledger.get(first) is not None
    assert ledger.get(second) is None


@pytest.mark.parametrize(("outcome", "wanted"), [("acked", {"acked"}), ("sent", {"sent", "acked"})])
async def test_the_end_takes_nothing_back_from_who_waited(outcome: str, wanted: set[str]) -> None:
    ledger = Ledger()
    one = ledger.issue()
    waiting = spawn(ledger.wait(one, frozenset(wanted)), "waiting")
    await eventually(lambda: one in ledger._waiters)
    ledger.settle(one, outcome)
    ledger.fail_pending(FAULT)  # in the same turn: who waits has not looked yet
    assert await waiting == outcome


async def test_the_end_is_told_who_waits_for_more_than_came() -> None:
    ledger = Ledger()
    one = ledger.issue()
    waiting = spawn(ledger.wait(one, frozenset({"acked"})), "waiting")
    await eventually(lambda: one in ledger._waiters)
    ledger.settle(one, "sent")
    ledger.fail_pending(FAULT)
    assert await waiting == FAULT
