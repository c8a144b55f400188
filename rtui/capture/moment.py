"""Times in filters: a moment, or a clock time on the day that the capture has come to. Local unless a zone is given."""

from __future__ import annotations

import sqlite3
from datetime import datetime
from typing import Final

OF_NEWEST: Final = "(SELECT rtui_on_day(time, ?) FROM records ORDER BY seq DESC LIMIT 1)"
"""SQL for `on_day` of the newest row there is, asked once in a query."""


def moment(text: str) -> int | None:
    """Nanoseconds since the epoch of a date, or of a date and time (ISO 8601); None if it is neither."""
    try:
        return int(datetime.fromisoformat(text).timestamp() * 1_000_000) * 1000
    except (ValueError, OverflowError, OSError):
        return None


def on_day(newest: int, clock: str) -> int | None:
    """The moment of a clock time on the day of `newest`, in nanoseconds; None if it is no clock time."""
    return moment(f"{datetime.fromtimestamp(newest // 1_000_000_000).astimezone():%Y-%m-%d}T{clock}")


def register(connection: sqlite3.Connection) -> None:
    """Give the connection the function that compiled filters call."""
    connection.create_function("rtui_on_day", 2, on_day)
