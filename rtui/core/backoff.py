"""How long to wait before the next attempt: exponential with full jitter; no clock, no I/O.

Source: Marc Brooker, "Exponential Backoff And Jitter" (AWS Architecture Blog, 2015), the "full jitter" variant.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """When and how often to reconnect. Times in seconds."""

    enabled: bool = True
    first_delay: float = 0.5
    max_delay: float = 30.0
    attempts: int = 0
    """Give up after this many attempts in a row that failed or brought nothing; 0 = never."""


class Backoff:
    """Counts failed attempts and says how long to wait."""

    def __init__(self, policy: Policy, random: Callable[[], float]) -> None:
        """`random` gives floats in [0, 1)."""
        self.policy = policy
        self.failures = 0
        self._random = random

    def reset(self) -> None:
        """Forget the failures: a connection held."""
        self.failures = 0

    def next(self, asked: float | None = None, *, polite: bool = False) -> float | None:
        """Seconds until the next attempt, or None to give up.

        `asked` is the peer's own wish (Retry-After, SSE `retry:`): obeyed to the letter at first, and a floor that no
        jitter shortens from the second failure in a row. `polite`: the peer ended it in peace, so that its wish is
        obeyed every time; that it brought nothing still counts.
        """
        self.failures += 1
        policy = self.policy
        if not policy.enabled or (policy.attempts and self.failures > policy.attempts):
            return None
        once = polite and asked is not None
        ceiling = min(policy.max_delay, policy.first_delay * (1.0 if once else 2.0 ** min(self.failures - 1, 40)))
        # Never 0: a server that accepts and drops at once would be hammered.
        least = 0.1 * ceiling
        if asked is not None and (polite or self.failures == 1):
            return max(asked, least)
        return max(asked or 0.0, least, self._random() * ceiling)
