"""Columns that users choose for the log: names of what a row has, and places in its JSON. Pure, no Textual."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

import msgspec

from rtui.core import json_path
from rtui.core.clean import clean, clean_bytes, clip
from rtui.core.json_path import BadPath, Steps
from rtui.core.record import Kind, Record
from rtui.workbench.widgets import figure
from rtui.workbench.widgets.meant_row import size_of

MAX_COLUMNS: Final = 12
MAX_BYTES: Final = 256 * 1024
"""Larger payloads are not read for a column: every row of a paint would be."""
META: Final = "meta."
CELLS: Final = {"time": 12, "channel": 28, "kind": 9, "latency": 8, "size": 6}
"""Width of those whose values are of one kind."""
OTHER_CELLS: Final = 16
"""Width of a value that may be anything; the last column has all the room there is."""
TIME: Final = "time"
PAYLOAD: Final = "payload"
WORD: Final = re.compile(r'(?:[^\s,"]|"(?:[^"\\]|\\.)*")+')
"""One of a line of columns."""
FIGURES: Final = frozenset({"latency", "size"})
"""Those that stand at the right end of their column."""

_text: Final = msgspec.json.Decoder(str).decode
_NAMES: Final = (*CELLS, PAYLOAD)


class ColumnError(ValueError):
    """Why a column cannot be shown, and what could be."""


class Column(msgspec.Struct, frozen=True):
    """One of them. Hashable: what a row looks like is cached under it."""

    name: str
    """As it was written."""
    steps: Steps | None = None
    """The place in the JSON of the payload, or of the meta; None if it is something else."""

    @property
    def cells(self) -> int:
        """How wide it is, unless it is the last."""
        return CELLS.get(self.name, OTHER_CELLS)


def read(text: str) -> tuple[Column, ...]:
    """The columns that a line names, between blanks or commas.

    Raises:
        ColumnError: one of them is not known.
    """
    return choose(WORD.findall(text))


def choose(names: list[str] | tuple[str, ...]) -> tuple[Column, ...]:
    """The columns of these names.

    Raises:
        ColumnError: one of them is not known, or there are too many.
    """
    if len(names) > MAX_COLUMNS:
        raise ColumnError(f"more than {MAX_COLUMNS} columns")
    return tuple(map(_column, names))


def _column(name: str) -> Column:
    place = name.removeprefix("meta") if name.startswith(META) else name
    if place.startswith("."):
        try:
            return Column(name, json_path.read(place))
        except BadPath as error:
            raise ColumnError(f"{clip(clean(name), 40)}: {error}") from None
    if name in _NAMES:
        return Column(name)
    known = f"{', '.join(_NAMES)}, meta.x and JSON paths: .a.b"
    raise ColumnError(f"no column {clip(clean(name), 40)!r}; there are {known}")


def value(column: Column, record: Record, room: int) -> str:
    """What `record` has there, clean; no more of it than `room` cells can show, with a little to be cut.

    Time and payload are not told here: they depend on the log.
    """
    if column.steps is None:
        return _PLAIN[column.name](record)
    if column.name.startswith(META):
        return _found((record.meta or "").encode(), column.steps, room)
    return _found(record.payload, column.steps, room) if len(record.payload) <= MAX_BYTES else ""


def _found(document: bytes, steps: Steps, room: int) -> str:
    """Texts without their quotes, so that a token is read as it is; numbers digit by digit as they came."""
    part = json_path.cut(document, steps)
    if part is None:
        return ""
    try:
        text = _text(part)
    except (msgspec.DecodeError, UnicodeDecodeError):  # no text, or half a character in it
        return clean_bytes(part, _bytes_for(room))
    return clean(text[: 2 * room + 8])


def _bytes_for(room: int) -> int:
    """Four bytes a cell is the most that UTF-8 needs; a little more lets the ellipsis show that it goes on."""
    return 4 * room + 8


_PLAIN: Final[dict[str, Callable[[Record], str]]] = {
    "channel": lambda record: clean(record.channel),
    "kind": lambda record: Kind(record.kind).word,
    "latency": lambda record: "" if record.latency is None else figure.latency(record.latency),
    "size": lambda record: figure.size(size_of(record)),
}
