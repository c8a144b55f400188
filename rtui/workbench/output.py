"""What the terminal is sent: counted where it is written, and kept within an allowance.

A screenful of log rows that all move costs some 9 kB at 140×40, and 2 kB once `Slate` has left out what is there.
Drawn 30 times a second it would still be more than many a line carries, and Textual's writer blocks the loop when the
terminal falls behind. So the log, which is what repaints most, waits until what was written last has been paid for by
time. What the user does is painted at once, always.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from textual.driver import Driver

    from rtui.workbench.slate import Slate

LOCAL: Final = 60_000.0
"""Characters per second on a terminal of this machine."""
REMOTE: Final = 20_000.0
"""The same over SSH."""
PERIOD: Final = 1 / 240
"""Seconds between two paints at least. Textual's own is 1/60, and after a paint the next waits for up to two of them:
with the log repainting at 1,000 messages a second, one key in three took 25 to 45 ms to be seen, and takes 13 now."""
PICTURE: Final = 500
"""Characters from which a frame has moved rows, and not only counted on in the header."""
REST: Final = 1 / 20
"""Seconds that such a frame is looked at, before the next one moves them again: half of the work of a busy log."""
PATIENCE: Final = 0.6
"""Seconds that the largest picture may delay the next one."""

_COLOURLESS: Final = re.compile(r"vt\d.*|.*-m(ono)?")
"""As terminfo names the terminals of DEC, and the monochrome kinds of others."""


def is_remote(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether the terminal is at the other end of a line; mosh leaves what sshd has set. `sudo` takes it away."""
    return any(environment.get(name) for name in ("SSH_CONNECTION", "SSH_TTY", "SSH_CLIENT"))


def has_no_colours(term: str) -> bool:
    """Whether TERM names a terminal that shows text bold, underlined and in reverse, and that is all."""
    return _COLOURLESS.fullmatch(term.strip().lower()) is not None


def allowance(environment: Mapping[str, str] = os.environ) -> float:
    """Characters per second that may be written."""
    return REMOTE if is_remote(environment) else LOCAL


def hasten() -> None:
    """Let what a key changes be painted at once: how often the log is painted is our pump's business."""
    from textual import screen

    screen.UPDATE_PERIOD = PERIOD  # type: ignore[misc]  # there is no public way; a test sees that it takes effect


class Pace:
    """A debt in characters that time pays off. No clock of its own."""

    def __init__(self, rate: float = LOCAL) -> None:
        self.rate = rate
        self.written = 0
        """Characters written so far; whoever writes adds to it."""
        self._noted = 0
        self._debt = 0.0
        self._at = 0.0
        self._rested = False

    def allows(self, now: float) -> bool:
        """Whether more may be written at `now` (seconds).

        The time since the last question also pays for what was written in it: where frames are slow, each of them
        finds the clock of the header written, and nothing else would ever be painted.
        """
        passed, written = max(0.0, now - self._at), self.written - self._noted
        self._debt = max(0.0, self._debt + written - passed * self.rate)
        self._debt = min(self._debt, PATIENCE * self.rate)
        self._noted, self._at = self.written, now
        self._rested = written > PICTURE and passed < REST and not self._rested
        return self._debt < 1 and not self._rested


def frugal(driver: type[Driver], slate: Slate, pace: Pace) -> type[Driver]:
    """`driver`, which writes only what is not on the screen yet, and adds that to `pace`."""

    class Frugal(driver):  # type: ignore[valid-type,misc]
        def write(self, data: str) -> None:
            needed = slate.write(data)
            pace.written += len(needed)
            super().write(needed)

    return Frugal
