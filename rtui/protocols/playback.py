"""How a recording is played, as those see it who watch and steer: times are nanoseconds since the epoch, of then."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol


class Playback(Protocol):
    """One clock over all the connections of a capture that are played together."""

    path: Path
    begin: int
    end: int
    speed: float
    """Seconds of then in a second of now; `inf` = as fast as it goes."""
    paused: bool
    over: bool
    """Whether the end was reached."""
    loop: bool
    """Whether it begins again then."""
    max_silence: float
    """Seconds of then that a silence lasts at most; 0 = as long as it did."""

    @property
    def position(self) -> int:
        """How far it is."""

    @property
    def silence(self) -> float:
        """Seconds of now until the next row; 0 where it stands or goes as fast as it can."""

    def pause(self, *, on: bool) -> None:
        """Stand still, or go on."""

    def step(self) -> None:
        """Stand still behind the next message."""

    def seek(self, position: int) -> None:
        """Go on from `position`; what lies between is not told."""

    def hasten(self, speed: float) -> None:
        """Go on at `speed`."""

    def repeat(self, *, on: bool) -> None:
        """Begin again at the end, or no more."""

    def shorten(self, most: float) -> None:
        """Let no silence last longer than so many seconds of then, the present one neither; 0 = as long as it did."""
