"""What payloads mean that are no JSON: handed in from above, for captures know no formats.

JSON is read by SQLite itself. Only where a payload is none, and its connection has message types or its first byte is
one that no text begins with, Python is called: `rtui_json`. It is called for each value that a filter looks at in a
row, so the last answer is kept, until the next query: a type may be read or chosen meanwhile.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from typing import Final, Protocol

from rtui.core.json_path import is_json
from rtui.core.record import Kind, Record

PACKED: Final = (
    "(kind = 0 AND (link IN (SELECT value FROM json_each(rtui_typed()))"
    " OR payload >= x'80' AND (payload < x'C0' OR payload >= x'D9' AND payload < x'E0')))"
)
"""Whether a row is worth the call: 80 to BF and DC to DF begin arrays and maps of MessagePack and CBOR, D9 a tag."""
JSON: Final = "rtui_json(link, channel, payload, meta)"


class Meaning(Protocol):
    """Knows formats. Threads may ask at the same time."""

    def typed(self) -> Iterable[int]:
        """The links whose payloads have message types."""

    def json(self, link: int, channel: str, payload: bytes, meta: str | None) -> bytes | None:
        """The JSON that a message's payload means; None if it is nothing that is known."""


def meant(record: Record, meaning: Meaning | None) -> bytes:
    """The JSON that a record's payload is or means; the payload itself where that is neither."""
    if meaning is None or record.kind != Kind.MESSAGE or is_json(record.payload):
        return record.payload
    found = meaning.json(record.link, record.channel, record.payload, record.meta)
    return record.payload if found is None else found


def attach(connection: sqlite3.Connection, meaning: Meaning | None) -> None:
    """Give the connection the functions that `PACKED` and `JSON` call."""
    kept: list[tuple[tuple[int, str, bytes, str | None], str | None]] = []

    def typed() -> str:  # SQLite asks once in a query for each term, before its first value
        kept.clear()
        return json.dumps(list(meaning.typed())) if meaning is not None else "[]"

    def text(link: int, channel: str, payload: bytes, meta: str | None) -> str | None:
        asked = (link, channel, payload, meta)
        if kept and kept[0][0] == asked:
            return kept[0][1]
        found = meaning.json(link, channel, bytes(payload), meta) if meaning is not None else None
        kept[:] = [(asked, found.decode() if found is not None else None)]
        return kept[0][1]

    connection.create_function("rtui_typed", 0, typed)
    connection.create_function("rtui_json", 4, text)
