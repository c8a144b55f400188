"""One policy for every protocol: attempts, back-off, what is written when a connection ends and comes back.

The supervisor is the coroutine that a connection's worker runs. It awaits the adapter directly: one task per
connection, and the cancellation of that task is the user's close.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Iterator
from typing import Final

from rtui.core.backoff import Backoff, Policy
from rtui.core.event import Closed
from rtui.core.fault import Failure, Fault
from rtui.core.lifecycle import Lifecycle, State
from rtui.core.record import Kind
from rtui.protocols.base import Adapter
from rtui.runtime.link import Link

STEADY: Final = 5.0
"""Seconds a connection must hold before earlier failures are forgotten: a server that accepts and drops at once is
retried ever more slowly."""
RETRIED: Final = frozenset({"refused", "unreachable", "timeout", "busy", "protocol", "closed", "lost", "unknown-host"})
"""Kinds of fault in a returned `Closed` that another attempt may cure."""
ABORTED: Final = "aborted"
AGAIN: Final = "reconnect asked by the user"
"""Why an attempt was ended at once."""
HANGUP_FAULT: Final = Fault(kind="closed", side="us", title="Closed before it was sent")


def leaves(error: BaseException) -> Iterator[BaseException]:
    """The exceptions inside nested groups, in order."""
    if isinstance(error, BaseExceptionGroup):
        for inner in error.exceptions:
            yield from leaves(inner)
    else:
        yield error


class Supervisor:
    """Runs attempts until the user, the peer or the policy ends it."""

    def __init__(
        self,
        adapter: Adapter,
        link: Link,
        *,
        policy: Policy,
        retry_first: bool,
        on_open: Callable[[], None],
        chance: Callable[[], float] = random.random,
    ) -> None:
        self.lifecycle = Lifecycle()
        self.fault: Fault | None = None
        self.closed: Closed | None = None
        self.retry_at: float | None = None
        """Loop time of the next attempt while waiting."""
        self.since = 0.0
        """Loop time of the last change of state."""
        self.changed = asyncio.Event()
        """Set whenever the state changes; waiters clear it."""
        self._adapter = adapter
        self._link = link
        self._backoff = Backoff(policy, chance)
        self._retry_first = retry_first
        self._on_open = on_open
        self._lost_at: float | None = None
        self._count_before = 0
        """Messages before the running attempt."""
        self._nudge = asyncio.Event()
        self._scope: asyncio.Timeout | None = None
        self._leaving = False
        self._restarting = False
        link.on_opened = self._opened

    def begin(self) -> None:
        """Forget an earlier end: a run is about to start."""
        self._leaving = self._restarting = False
        self._backoff.reset()

    def follow(self, policy: Policy) -> None:
        """Reconnect as `policy` says from now on."""
        self._backoff.policy = policy

    async def run(self) -> None:
        """Attempt, wait, attempt … Ends in `State.CLOSED`; a cancellation closes and is passed on."""
        try:
            delay: float | None = 0.0
            while delay is not None:
                await self._pause(delay)
                if self._leaving:
                    break
                delay = self._verdict(await self._attempt())
        except asyncio.CancelledError:
            if self.lifecycle.state is not State.CLOSED:
                self._ended(Closed(by="us", clean=False, reason="ended"))
            raise
        finally:
            self._move(State.CLOSED)

    @property
    def leaving(self) -> bool:
        """Whether the user wants no more of this run."""
        return self._leaving

    def leave(self) -> None:
        """The user wants no more: no further attempt."""
        self._leaving = True
        self._nudge.set()

    def retry_now(self) -> None:
        """Skip the wait, or drop what stands and connect again; who is `leaving` is gone the sooner."""
        self._backoff.reset()
        self._nudge.set()
        if self.lifecycle.state in {State.CONNECTING, State.OPEN, State.CLOSING}:
            self._restarting = True
            self.abort()

    def abort(self) -> None:
        """End the running attempt at once, without a goodbye. Asking twice is asking once."""
        if self._scope is not None and self._scope.when() is None:
            self._scope.reschedule(0.0)

    def closing(self) -> None:
        """A goodbye was sent; wait for the peer's."""
        if self.lifecycle.state is State.OPEN:
            self._move(State.CLOSING)

    async def _pause(self, delay: float) -> None:
        if delay <= 0:
            return
        loop = asyncio.get_running_loop()
        self._nudge.clear()
        self.retry_at = loop.time() + delay
        self._move(State.WAITING)
        why = self.fault.sentence() if self.fault else "the connection ended"
        self._link.write(Kind.RECONNECT, f"next attempt in {delay:.1f} s · {why}", {"delay": round(delay, 3)})
        try:
            async with asyncio.timeout_at(self.retry_at):
                await self._nudge.wait()
        except TimeoutError:
            pass
        finally:
            self.retry_at = None

    async def _attempt(self) -> tuple[Closed, BaseException | None]:
        self._move(State.CONNECTING)
        self._link.begin_attempt()
        self._count_before = self._link.meter.count
        error: BaseException | None = None
        closed: Closed | None = None
        scope = asyncio.timeout(None)
        try:
            async with scope:
                self._scope = scope
                closed = await self._adapter.run(self._link)
        except Exception as raised:  # noqa: BLE001 - foreign exceptions are translated here, once
            error = raised
        finally:
            self._scope = None
        if scope.expired() and closed is None:
            closed, error = Closed(by="us", clean=False, reason=AGAIN if self._restarting else ABORTED), None
        if closed is None and error is not None:
            error = self._cause(error)
            closed = self._failed(error)
        self._ended(closed or Closed(by="them", clean=True))
        assert self.closed is not None  # noqa: S101 - set by _ended
        return self.closed, error

    def _cause(self, error: BaseException) -> BaseException:
        found = [leaf for leaf in leaves(error) if not isinstance(leaf, asyncio.CancelledError)]
        return found[0] if found else error

    def _failed(self, error: BaseException) -> Closed:
        if isinstance(error, Failure):
            fault = error.fault
        else:
            try:
                fault = self._adapter.explain(error)
            except Exception as bug:  # noqa: BLE001 - a translator that fails must not end the supervisor
                fault = Fault(kind="bug", side="us", title="Unexpected error", cause=f"{type(error).__name__}: {bug}")
        party = "us" if fault.side == "us" else "network" if fault.kind == "lost" else fault.side
        return Closed(by=party, clean=False, fault=fault)

    def _ended(self, closed: Closed) -> None:
        if self._leaving and closed.by != "us" and closed.fault is not None:
            # The user said goodbye first: whatever came of it is not a failure.
            closed = Closed(by="us", clean=closed.clean, code=closed.code, reason=closed.reason, meta=closed.meta)
        closed = self._link.masked(closed)
        self.closed, self.fault = closed, closed.fault
        if self.lifecycle.state in {State.OPEN, State.CLOSING}:
            self._lost_at = asyncio.get_running_loop().time()
        self._link.end_attempt(closed.fault or HANGUP_FAULT)
        self._link.write_closed(closed)

    def _verdict(self, ended: tuple[Closed, BaseException | None]) -> float | None:
        """Seconds until the next attempt, or None for the end."""
        closed, error = ended
        if self._leaving:
            return None
        if self._restarting:
            self._restarting = False
            return 0.01
        if not self._may_retry(closed, error):
            return None
        asked = closed.fault.retry_after if closed.fault else None
        held = asyncio.get_running_loop().time() - self.since if self.lifecycle.state is State.OPEN else 0.0
        # A peer that brings something, ends in peace and says when to come back did not fail, however short it was.
        brought = self._link.meter.count > self._count_before
        if held >= STEADY or (closed.clean and asked is not None and brought):
            self._backoff.reset()
        return self._backoff.next(asked, polite=closed.clean)

    def _may_retry(self, closed: Closed, error: BaseException | None) -> bool:
        if closed.fault is None or closed.fault.final:
            return False
        if not self.lifecycle.opened and not self._retry_first:
            return False
        if closed.fault.kind == "unknown-host" and not self.lifecycle.opened:
            return False
        if error is None or isinstance(error, Failure):
            return closed.fault.kind in RETRIED or (error is not None and error.transient)
        return self._adapter.retryable(error)

    def _opened(self) -> None:
        self._move(State.OPEN)
        self.fault = None
        if self._lost_at is not None:
            away = self.since - self._lost_at
            long = f"{away:.1f} s" if away >= 0.1 else f"{away * 1000:.0f} ms"  # noqa: PLR2004 - "0.0 s" is no length
            self._link.write(Kind.GAP, f"connection was away for {long}", {"seconds": round(away, 3)})
            self._lost_at = None
        self._on_open()

    def _move(self, state: State) -> None:
        if self.lifecycle.state is not state:
            self.lifecycle.move(state)
            self.since = asyncio.get_running_loop().time()
            self._link.touch()
            self.changed.set()
