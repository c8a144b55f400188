"""The states of a link and the only ways between them; no clock, no I/O.

IDLE → CONNECTING → OPEN → CLOSING → CLOSED
          │  ↑        │       │
          │  └ WAITING ←──────┘   (lost or failed, and to be retried)
          └──────→ CLOSED         (refused for good, or the user gave up)
"""

from __future__ import annotations

from enum import Enum
from typing import Final


class State(Enum):
    """Where a link is; the value is the word shown to users."""

    IDLE = "idle"
    CONNECTING = "connecting"
    OPEN = "open"
    CLOSING = "closing"
    WAITING = "waiting"
    CLOSED = "closed"


ALLOWED: Final[dict[State, frozenset[State]]] = {
    State.IDLE: frozenset({State.CONNECTING, State.CLOSED}),
    State.CONNECTING: frozenset({State.OPEN, State.WAITING, State.CLOSING, State.CLOSED}),
    State.OPEN: frozenset({State.CLOSING, State.WAITING, State.CLOSED}),
    State.CLOSING: frozenset({State.CLOSED}),
    State.WAITING: frozenset({State.CONNECTING, State.CLOSED}),
    State.CLOSED: frozenset({State.CONNECTING}),
}


class Lifecycle:
    """The state of one link. `move` refuses what `ALLOWED` does not list, so no caller can invent a path."""

    def __init__(self) -> None:
        self.state = State.IDLE
        self.attempt = 0
        """Connects tried since the last success or user request."""
        self.opened = 0
        """Successful connects over the whole life."""

    def move(self, to: State) -> None:
        """Go to `to`.

        Raises:
            ValueError: if there is no such way.
        """
        if to not in ALLOWED[self.state]:
            message = f"a link cannot go from {self.state.value} to {to.value}"
            raise ValueError(message)
        if to is State.CONNECTING:
            self.attempt = 1 if self.state in {State.IDLE, State.CLOSED} else self.attempt + 1
        elif to is State.OPEN:
            self.attempt = 0
            self.opened += 1
        self.state = to

    @property
    def live(self) -> bool:
        """Whether a connection exists or is being made."""
        return self.state in {State.CONNECTING, State.OPEN, State.CLOSING, State.WAITING}
