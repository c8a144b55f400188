"""Captures made for tests: rows at exact distances, of several connections."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from rtui.capture.journal import Journal
from rtui.core.record import Direction, Kind, Record

BEGIN = 1_700_000_000_000_000_000
"""When they begin, in nanoseconds since the epoch."""
SECOND = 1_000_000_000
IN, OUT, NONE = Direction.IN, Direction.OUT, Direction.NONE


def row(
    link: int,
    seconds: float,
    payload: bytes = b"",
    *,
    channel: str = "",
    direction: Direction = IN,
    kind: Kind = Kind.MESSAGE,
    meta: dict[str, Any] | None = None,
    reply_to: int | None = None,
    latency: int | None = None,
) -> Record:
    """A row without its place, `seconds` after the beginning."""
    text = None if meta is None else msgspec.json.encode(meta).decode()
    time = BEGIN + round(seconds * SECOND)
    return Record(0, time, link, int(kind), int(direction), channel, payload, text, reply_to, latency)


def record(path: Path, rows: Sequence[Record], links: Sequence[tuple[str, str]] = (("plant", "mqtt"),)) -> list[Record]:
    """Write a capture with these connections (name, protocol) and rows, and return them as they are in it."""
    journal = Journal.create(path)
    for name, protocol in links:
        journal.add_link(name, protocol, f"{protocol}://somewhere")
    stored = [msgspec.structs.replace(one, seq=seq) for seq, one in enumerate(rows, 1)]
    for one in stored:
        journal.append([one])
    journal.close(60)
    return stored


def numbered(count: int, apart: float = 0.0, link: int = 1) -> list[Record]:
    """Messages whose payload is their number."""
    return [row(link, number * apart, b"%d" % number, channel=f"c/{number % 3}") for number in range(count)]
