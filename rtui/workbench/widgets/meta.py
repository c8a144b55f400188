"""What is known of a record besides its payload, as rows: times, sizes, and what the protocol told."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import msgspec

from rtui.core.clean import clean, clip
from rtui.core.record import Direction, Kind, Record
from rtui.payloads.base import Document, Line
from rtui.workbench.widgets import figure
from rtui.workbench.widgets.source import Named

LABELS: Final = (14, 28)
"""The fewest and the most cells of the names."""


class MetaDocument(Document):
    """What is known of a record besides its payload, one line each."""

    def __init__(self, fields: list[tuple[str, str]]) -> None:
        self._fields = fields
        low, high = LABELS
        self._label = min(max([low, *(len(name) for name, _ in fields)]), high)

    @property
    def height(self) -> int:
        """See `Document`."""
        return len(self._fields)

    def lines(self, first: int, count: int) -> list[Line]:
        """Name and value."""
        return [
            [("key", clip(clean(name), self._label).ljust(self._label) + " "), ("text", clean(value))]
            for name, value in self._fields[max(first, 0) : max(first, 0) + count]
        ]

    def value(self, row: int) -> bytes:
        """The value."""
        return self._fields[row][1].encode("utf-8", "surrogatepass") if 0 <= row < self.height else b""


def meta_of(record: Record) -> dict[str, Any]:
    """What the protocol told about a record."""
    try:
        meta = msgspec.json.decode(record.meta) if record.meta else {}
    except (msgspec.DecodeError, RecursionError):
        return {}
    return meta if isinstance(meta, dict) else {}


def meta_fields(record: Record, link: Named | None) -> Iterator[tuple[str, str]]:
    """Names and values of everything but the payload."""
    yield "sequence", f"{record.seq:,}"
    yield "time", f"{figure.date(record.time)}"
    if link is not None:
        yield "connection", f"{link.name} ({link.protocol})"
    yield "kind", Kind(record.kind).word
    if record.direction:
        yield "direction", Direction(record.direction).word
    if record.channel:
        yield "channel", record.channel
    yield "size", f"{len(record.payload):,} bytes"
    if record.reply_to is not None:
        yield "answers", f"#{record.reply_to:,}"
    if record.latency is not None:
        yield "latency", figure.latency(record.latency)
    yield from _nested("", meta_of(record))


def _nested(prefix: str, values: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Objects one level down get a line for each key; anything deeper stays JSON."""
    for key, value in values.items():
        if isinstance(value, dict) and not prefix:
            yield from _nested(f"{key}.", value)
        elif isinstance(value, str):
            yield prefix + key, value
        else:
            yield prefix + key, msgspec.json.encode(value).decode()
