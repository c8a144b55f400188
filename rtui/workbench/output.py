"""What the terminal is sent: counted where it is written, and kept within an allowance.

A screenful of log rows costs some 9 kB at 140×40. At 30 a second that is more than many a line carries, and Textual's
writer blocks the loop when the terminal falls behind. So the log, which is what repaints most, waits until what was
written last has been paid for by time. What the user does is painted at once, always.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from textual.driver import Driver

LOCAL: Final = 100_000.0
"""Characters per second on a terminal of this machine."""
REMOTE: Final = 22_000.0
"""The same over SSH."""
PATIENCE: Final = 0.6
"""Seconds that the largest picture may delay the next one."""


def allowance(environment: Mapping[str, str] = os.environ) -> float:
    """Characters per second that may be written."""
    return REMOTE if "SSH_CONNECTION" in environment else LOCAL


class Pace:
    """A debt in characters that time pays off. No clock of its own."""

    def __init__(self, rate: float = LOCAL) -> None:
        self.rate = rate
        self.written = 0
        """Characters written so far; whoever writes adds to it."""
        self._noted = 0
        self._debt = 0.0
        self._at = 0.0

    def allows(self, now: float) -> bool:
        """Whether more may be written at `now` (seconds)."""
        paid = max(0.0, now - self._at) * self.rate
        self._debt = max(0.0, self._debt - paid) + self.written - self._noted
        self._debt = min(self._debt, PATIENCE * self.rate)
        self._noted, self._at = self.written, now
        return self._debt <= 0


def metered(driver: type[Driver], pace: Pace) -> type[Driver]:
    """`driver` with everything that it writes added to `pace`."""

    class Metered(driver):  # type: ignore[valid-type,misc]
        def write(self, data: str) -> None:
            pace.written += len(data)
            super().write(data)

    return Metered
