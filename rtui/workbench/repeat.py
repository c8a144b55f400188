"""Sending the same message again and again, one rhythm per connection."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from rtui.core.lifecycle import State
from rtui.settings.quantity import format_duration, parse_duration

if TYPE_CHECKING:
    from rtui.runtime.hub import Connection

ALL: Final = 100
"""Percent."""


@dataclass(slots=True)
class Repeat:
    """A rhythm: what is sent, and how often it was."""

    name: str
    every: float
    """Seconds between two sends."""
    send: Callable[[], object]
    jitter: float = 0.0
    """The share of `every`, 0 to 1, by which a wait may be longer or shorter."""
    sent: int = 0

    def __str__(self) -> str:
        return f"repeating {self.name} every {spell_rhythm(self.every, self.jitter)}, {self.sent:,} sent"

    def wait(self, chance: Callable[[], float] = random.random) -> float:
        """Seconds until the next send. `chance` gives a number from 0 to 1."""
        return self.every * (1 + self.jitter * (2 * chance() - 1))


def parse_rhythm(text: str) -> tuple[float, float]:
    """`every` and `jitter` of "1s" or "1s 20%" (between 0.8 and 1.2 seconds).

    Raises:
        ValueError: with a sentence for the user.
    """
    every, _, share = text.replace("±", " ").strip().partition(" ")
    return parse_duration(every), _parse_share(share.strip()) if share.strip() else 0.0


def _parse_share(text: str) -> float:
    digits = text.removesuffix("%").rstrip()
    if not text.endswith("%") or not digits.isascii() or not digits.isdigit() or int(digits) > ALL:
        raise ValueError("after the time, how much it may vary: 1s 20%, at most 100%")
    return int(digits) / ALL


def spell_rhythm(every: float, jitter: float) -> str:
    """What `parse_rhythm` reads."""
    return f"{format_duration(every)} ±{jitter:.0%}" if jitter else format_duration(every)


class Repeats:
    """The rhythms that run, by connection."""

    def __init__(self, changed: Callable[[], object]) -> None:
        """`changed` is called after each send and at the end."""
        self._running: dict[int, Repeat] = {}
        self._changed = changed

    def of(self, connection: Connection | None) -> Repeat | None:
        """The rhythm of a connection, if one runs."""
        return self._running.get(connection.id) if connection is not None else None

    def stop(self, connection: Connection) -> None:
        """End the rhythm of a connection."""
        self._running.pop(connection.id, None)
        self._changed()

    async def run(self, connection: Connection, repeat: Repeat) -> None:
        """Send until stopped, until another rhythm takes over, or until the connection is closed for good.

        While the connection is being regained, or the peer reads more slowly than this sends, beats are left out.
        """
        self._running[connection.id] = repeat
        try:
            while self._running.get(connection.id) is repeat and connection.state is not State.CLOSED:
                if connection.state is State.OPEN and connection.has_room:
                    repeat.send()
                    repeat.sent += 1
                    self._changed()
                await asyncio.sleep(repeat.wait())
        finally:
            if self._running.get(connection.id) is repeat:
                self.stop(connection)
