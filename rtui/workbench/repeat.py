"""Sending the same message again and again, one rhythm per connection."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rtui.core.lifecycle import State
from rtui.settings.quantity import format_duration

if TYPE_CHECKING:
    from rtui.runtime.hub import Connection


@dataclass(slots=True)
class Repeat:
    """A rhythm: what is sent, and how often it was."""

    name: str
    every: float
    """Seconds between two sends."""
    send: Callable[[], object]
    sent: int = 0

    def __str__(self) -> str:
        return f"repeating {self.name} every {format_duration(self.every)}, {self.sent:,} sent"


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

        While the connection is being regained, beats are left out.
        """
        self._running[connection.id] = repeat
        try:
            while self._running.get(connection.id) is repeat and connection.state is not State.CLOSED:
                if connection.state is State.OPEN:
                    repeat.send()
                    repeat.sent += 1
                    self._changed()
                await asyncio.sleep(repeat.every)
        finally:
            if self._running.get(connection.id) is repeat:
                self.stop(connection)
