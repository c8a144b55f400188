"""One stored row: an event with its sequence and time. The only thing that capture, views and printers handle."""

from __future__ import annotations

from enum import IntEnum

import msgspec


class Kind(IntEnum):
    """What a row is. The numbers are stored in capture files: never renumber."""

    MESSAGE = 0
    OPEN = 1
    CLOSE = 2
    RECONNECT = 3
    GAP = 4
    SUBSCRIBE = 5
    ACK = 6
    PING = 7
    ERROR = 8
    NOTICE = 9

    @property
    def word(self) -> str:
        """The name used in NDJSON, filters and help, such as "message" or "open"."""
        return self.name.lower()


class Direction(IntEnum):
    """Which way a row went. The numbers are stored in capture files: never renumber."""

    NONE = 0
    IN = 1
    OUT = 2

    @property
    def word(self) -> str:
        """Empty for NONE, else "in" or "out"."""
        return "" if self is Direction.NONE else self.name.lower()


class Record(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """A stored row. Field order is the column order of the capture file and of the writer's wire format.

    `kind` and `direction` are plain integers here (values of `Kind` and `Direction`): one enum lookup per message is
    a tenth of the whole budget of a message.
    """

    seq: int
    """Position in the capture: 1, 2, 3 … over all links; the merged time order."""
    time: int
    """Nanoseconds since the Unix epoch. All messages of one socket read share one time: they arrived together."""
    link: int
    """Row of the capture's table of links."""
    kind: int
    direction: int
    channel: str
    payload: bytes
    meta: str | None = None
    """JSON object text, or None."""
    reply_to: int | None = None
    """The sequence of the row that this one answers, or goes on with (a later message of the same call)."""
    latency: int | None = None
    """Nanoseconds between that row and this one."""
