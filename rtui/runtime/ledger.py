"""What became of each command: who asked for it may look, or wait."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from typing import Final, TypeAlias

import msgspec

from rtui.core.event import Meta
from rtui.core.fault import Fault
from rtui.runtime.backlog import Backlog

MAX_OUTSTANDING: Final = 10_000
"""Commands whose answers are known or may come; the oldest that nobody waits for are forgotten beyond this."""

Outcome: TypeAlias = str | Fault
""""pending", "sent", "acked", or why it failed."""


class Ticket(msgspec.Struct, gc=False):
    """What is known of one command."""

    seq: int = 0
    """The row of what was sent; 0 before it is."""
    sent_at: int = 0
    """Monotonic nanoseconds."""
    outcome: Outcome = "pending"
    granted: Meta | None = None
    """What the peer granted with its acknowledgement."""
    took: int = 0
    """Nanoseconds from the send to the last answer; 0 before one."""
    replied: bool = False
    """Whether a message came in answer: only the first one tells how long the peer took."""
    ended: bool = False
    """Whether what was subscribed to is over, by the peer's will or its nature."""


class Ledger:
    """The commands of a link, and what became of each."""

    def __init__(self) -> None:
        self._tickets: OrderedDict[int, Ticket] = OrderedDict()
        self._waiters: dict[int, dict[asyncio.Event, frozenset[str]]] = {}
        """Who waits for a command, and for which outcomes."""
        self._last = 0
        self.backlog = Backlog()
        """The sends among them that are not out yet."""

    def issue(self) -> int:
        """A new command id."""
        self._last += 1
        self._tickets[self._last] = Ticket()
        if len(self._tickets) > MAX_OUTSTANDING:
            kept = (self._waiters, self.backlog)
            del self._tickets[next(one for one in self._tickets if not any(one in each for each in kept))]
        return self._last

    @property
    def issued(self) -> int:
        """How many commands there were."""
        return self._last

    def get(self, command: int) -> Ticket | None:
        """The ticket, or None if it was never issued or is forgotten."""
        return self._tickets.get(command)

    def settle(self, command: int, outcome: Outcome) -> None:
        """Note what became of a command and wake who waits for it. A failure is final; what is granted stays so."""
        self.backlog.done(command)
        ticket = self._tickets.get(command)
        if ticket is None or isinstance(ticket.outcome, Fault) or (ticket.outcome, outcome) == ("acked", "sent"):
            return
        ticket.outcome = outcome
        for waiter in self._waiters.get(command, ()):
            waiter.set()

    def fail_pending(self, fault: Fault) -> None:
        """The attempt is over: what was not sent never will be, and no awaited acknowledgement will come."""
        for command, ticket in self._tickets.items():
            # Who has what he waits for keeps it, though he may not have come to look yet.
            waiting = self._waiters.get(command, {}).values()
            if ticket.outcome == "pending" or any(ticket.outcome not in wanted for wanted in waiting):
                self.settle(command, fault)

    async def wait(self, command: int, wanted: frozenset[str]) -> Outcome:
        """The outcome once it is a failure or in `wanted`."""
        ticket = self._tickets[command]
        waiter = asyncio.Event()
        waiters = self._waiters.setdefault(command, {})
        waiters[waiter] = wanted
        try:
            while not isinstance(ticket.outcome, Fault) and ticket.outcome not in wanted:
                waiter.clear()
                await waiter.wait()
        finally:
            del waiters[waiter]
            if not waiters:
                self._waiters.pop(command, None)
        return ticket.outcome
