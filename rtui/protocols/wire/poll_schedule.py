"""When the next request is due; no clock of its own, no I/O. All times are seconds of one monotonic clock.

Ticks stand at `start + n · every`. What an answer takes, and how late a timer fires, moves none of them: that is why a
schedule does not drift. A tick that passes while a request is under way is left out: there are never two at once.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final, NamedTuple

from rtui.core.backoff import Backoff, Policy

SLOWEST_RETRY: Final = 60.0
"""Seconds: the longest wait between two requests that the server answers with errors, unless it asks for more."""
FIRST_RETRY: Final = 1.0
"""Seconds of the first such wait, if the interval is shorter."""
QUICK: Final = 0.5
"""Seconds: a long poll that is answered sooner was not held."""
FIRST_PAUSE: Final = 0.1
LONGEST_PAUSE: Final = 5.0
"""Seconds between requests to a server that neither holds them nor has anything new."""


class Tick(NamedTuple):
    """The next request."""

    at: float
    skipped: int
    """How many ticks had passed before it could be made."""


class Schedule:
    """The ticks of one attempt; with `every` 0, the next request is due at once."""

    def __init__(self, every: float, jitter: float, start: float, chance: Callable[[], float]) -> None:
        """`jitter` is the share of `every` by which a tick may be late; `chance` gives floats in [0, 1)."""
        self.every = every
        self._jitter = jitter * every
        self._start = start
        self._number = 0
        self._chance = chance

    def next(self, now: float) -> Tick:
        """The tick after the one that was last given out: the first that need not have passed at `now`."""
        if not self.every:
            return Tick(now, 0)
        number = max(self._number + 1, self._reached(now - self._jitter))
        skipped, self._number = number - self._number - 1, number
        return Tick(max(now, self._time(number)), skipped)

    def resume(self, now: float) -> float:
        """The first tick at or after `now`, whichever was given out before.

        For after a request that was made between two ticks, or put off: nothing was skipped.
        """
        if not self.every:
            return now
        self._number = self._reached(now)
        return self._time(self._number)

    def _reached(self, now: float) -> int:
        # A billionth of a tick is rounding, not lateness.
        return math.ceil((now - self._start) / self.every - 1e-9)

    def _time(self, number: int) -> float:
        late = self._jitter * self._chance() if self._jitter else 0.0
        return self._start + number * self.every + late


def retries(every: float, chance: Callable[[], float]) -> Backoff:
    """How long to leave a server alone that answers with errors."""
    first = max(every, FIRST_RETRY)
    return Backoff(Policy(first_delay=first, max_delay=max(first, SLOWEST_RETRY)), chance)


class Pause:
    """Slows down the requests to a server that answers long polls at once and with nothing new."""

    def __init__(self) -> None:
        self.length = 0.0
        """Seconds to wait before the next request."""

    def note(self, *, held: float, fresh: bool) -> bool:
        """An answer came after `held` seconds; returns whether this begins a pause."""
        if fresh or held >= QUICK:
            self.length = 0.0
            return False
        begins = not self.length
        self.length = min(LONGEST_PAUSE, max(FIRST_PAUSE, self.length * 2))
        return begins
