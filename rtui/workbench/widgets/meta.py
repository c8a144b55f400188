"""What is known of a record besides its payload, as rows: times, sizes, and what the protocol told."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import msgspec

from rtui.core.clean import clean, clip, clip_middle, decode, reach
from rtui.core.record import Direction, Kind, Record
from rtui.payloads.base import Document, Line
from rtui.workbench.widgets import figure
from rtui.workbench.widgets.source import Named

LABELS: Final = (14, 28)
"""The fewest cells of the names, and the most where that is more than two fifths of the pane."""
UNKNOWN_WIDTH: Final = 200
"""Cells until the pane tells."""
MAX_ROWS: Final = 20
"""Rows that one value may take; all of it can be copied."""
HINT: Final = "hint"
SAID: Final = ("fault", "title", "cause")
"""Keys of a fault whose values the sentence of its row has."""
TYPE: Final = "@type"
LIST_LEVELS: Final = 2
"""Levels of each object in a list that get lines of their own: an error's details are such."""


class MetaDocument(Document):
    """Names and values. A value goes on in the next row, to be read whole."""

    def __init__(self, fields: list[tuple[str, str]]) -> None:
        self._fields = fields
        self._label, self._width = LABELS[0], 0
        self._rows: list[tuple[int, str]] = []
        """For each row its field and what is shown of it."""
        self.reflow(UNKNOWN_WIDTH)

    def reflow(self, width: int) -> bool:
        """See `Document`."""
        if width == self._width:
            return False
        self._width = width
        longest = max((len(name) for name, _ in self._fields), default=0)
        self._label = min(max(longest, LABELS[0]), max(LABELS[1], 2 * width // 5))
        room = max(width - self._label - 1, LABELS[0])
        self._rows = [(place, part) for place, (_, value) in enumerate(self._fields) for part in _parts(value, room)]
        return True

    @property
    def height(self) -> int:
        """See `Document`."""
        return len(self._rows)

    def lines(self, first: int, count: int) -> list[Line]:
        """Name and value."""
        first = max(first, 0)
        return [self._line(row) for row in range(first, min(first + count, self.height))]

    def value(self, row: int) -> bytes:
        """The value."""
        return self._fields[self._rows[row][0]][1].encode("utf-8", "surrogatepass") if 0 <= row < self.height else b""

    def _line(self, row: int) -> Line:
        place, part = self._rows[row]
        goes_on = row > 0 and self._rows[row - 1][0] == place
        name = "" if goes_on else clip_middle(clean(self._fields[place][0]), self._label)
        return [("key", name.ljust(self._label) + " "), ("text", part)]


def _parts(value: str, room: int) -> Iterator[str]:
    """A value in rows of at most `room` cells, as many as are allowed."""
    text, start = clean(value[: MAX_ROWS * room]), 0
    for _ in range(MAX_ROWS - 1):
        end = reach(text, start, room)
        yield text[start:end]
        if end >= len(text):
            return
        start = end
    yield clip(text[start:], room)


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
    yield from told_fields(record)


def ending_fields(record: Record) -> Iterator[tuple[str, str]]:
    """How something ended or failed: the sentence, what to do, then what else was told."""
    if record.payload:
        yield Kind(record.kind).word, decode(record.payload)
    told = list(told_fields(record))
    yield from (pair for pair in told if pair[0] == HINT)
    yield from (pair for pair in told if pair[0] not in {HINT, *SAID})


def told_fields(record: Record) -> Iterator[tuple[str, str]]:
    """Names and values of what the protocol told about a record."""
    for key, value in meta_of(record).items():
        yield from _nested(key, value, 1)


def _listed(name: str, value: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """An object of a list; one that tells its type (protobuf's Any) goes by the last part of that."""
    kind = value.get(TYPE)
    if isinstance(kind, str) and kind:
        name = kind.rpartition("/")[2].rpartition(".")[2]
        value = {key: inner for key, inner in value.items() if key != TYPE} or {TYPE: kind}
    yield from _nested(name, value, LIST_LEVELS)


def _nested(name: str, value: Any, levels: int) -> Iterator[tuple[str, str]]:
    """A line for each key of objects and for each of a list of objects; what is deeper than `levels` stays JSON."""
    if isinstance(value, str):
        yield name, value
    elif isinstance(value, dict) and levels:
        for key, inner in value.items():
            yield from _nested(f"{name}.{key}", inner, levels - 1)
    elif isinstance(value, list) and value and levels and all(isinstance(one, dict) for one in value):
        for place, one in enumerate(value):
            yield from _listed(f"{name}[{place}]", one)
    else:
        yield name, msgspec.json.encode(value).decode()
