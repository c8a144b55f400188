"""How a command ends. The numbers are a contract: scripts rely on them."""

from __future__ import annotations

from enum import IntEnum


class Status(IntEnum):
    """Exit statuses."""

    DONE = 0
    FAILED = 1
    """An expectation was not met."""
    USAGE = 2
    """Wrong arguments, or an invalid session, settings or capture file."""
    UNREACHED = 3
    """The first connect did not succeed."""
    LOST = 4
    """The connection ended and was not regained."""
    EXPIRED = 5
    """Time ran out before what was asked for arrived."""
    INTERRUPTED = 130
