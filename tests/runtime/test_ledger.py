from __future__ import annotations

from rtui.core.fault import Fault
from rtui.runtime.link import MAX_OUTSTANDING, Ledger
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
