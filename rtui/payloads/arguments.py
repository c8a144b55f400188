"""The arguments of an event one by one, as trees or bytes, under the packet that carried them.

For protocols whose messages are lists of values with binary parts beside them. What the payload alone does not tell
comes with it as meta: `wire` (the packet's text, which is also the claim) and `attachments` (base64, by number).
"""

from __future__ import annotations

import base64
import re
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import Any, ClassVar, Final

import msgspec

from rtui.core.clean import clean
from rtui.payloads.base import NOTHING, Document, Line, Unreadable, View
from rtui.payloads.hex import HexDocument
from rtui.payloads.json import VALUE_LIMIT, JsonTree

ARGUMENT_LIMIT: Final = 256
"""Arguments of an event; longer lists are data, and shown as one tree."""

_PLACEHOLDER: Final = re.compile(rb'\{\s*"_placeholder"\s*:\s*true\s*,\s*"num"\s*:\s*([0-9]{1,9})\s*\}')


class Part(msgspec.Struct):
    """Some rows of the document, under a label at their left."""

    label: str
    document: Document
    path: str | None
    """Where it stands in the payload, as the filter language writes it; None for what stands elsewhere."""


class RowDocument(Document):
    """One row that stands for some bytes."""

    height = 1

    def __init__(self, text: str, data: bytes) -> None:
        self._text = text
        self._data = data

    def lines(self, first: int, count: int) -> list[Line]:
        """See `Document`."""
        line: Line = [("dim", clean(self._text[:VALUE_LIMIT]))]
        return [line] if first <= 0 < first + count else []

    def value(self, row: int) -> bytes:  # noqa: ARG002 - there is one
        """All of them."""
        return self._data


class ArgumentsDocument(Document):
    """Several documents, one below the other."""

    def __init__(self, parts: Sequence[Part]) -> None:
        self._parts = list(parts)
        self._margin = max(len(part.label) for part in parts) + 1
        self._count()

    def _count(self) -> None:
        self._ends = list(accumulate(part.document.height for part in self._parts))

    @property
    def height(self) -> int:
        """See `Document`."""
        return self._ends[-1]

    def _at(self, row: int) -> tuple[Part, int, int]:
        """The part that a row belongs to, the row in it, and the part's first row."""
        place = min(bisect_right(self._ends, max(row, 0)), len(self._parts) - 1)
        first = self._ends[place - 1] if place else 0
        return self._parts[place], row - first, first

    def lines(self, first: int, count: int) -> list[Line]:
        """See `Document`."""
        return [self._line(row) for row in range(max(first, 0), min(first + count, self.height))]

    def _line(self, row: int) -> Line:
        part, inner, _ = self._at(row)
        label = part.label if inner == 0 else ""
        return [("key", label.ljust(self._margin)), *part.document.lines(inner, 1)[0]]

    def reflow(self, width: int) -> bool:
        """Fit the bytes beside the labels."""
        changed = [part.document.reflow(max(width - self._margin, 1)) for part in self._parts]
        self._count()
        return any(changed)

    def foldable(self, row: int) -> bool:
        """See `Document`."""
        part, inner, _ = self._at(row)
        return part.document.foldable(inner)

    def toggle(self, row: int) -> bool:
        """See `Document`."""
        part, inner, _ = self._at(row)
        changed = part.document.toggle(inner)
        self._count()
        return changed

    def fold_below(self, depth: int) -> bool:
        """See `Document`; each argument is at depth 0."""
        folded = [part.document.fold_below(depth) for part in self._parts]
        self._count()
        return any(folded)

    def parent(self, row: int) -> int | None:
        """See `Document`."""
        part, inner, first = self._at(row)
        found = part.document.parent(inner)
        return None if found is None else first + found

    def find(self, needle: str, row: int, step: int) -> int | None:
        """See `Document`: argument by argument."""
        place = min(bisect_right(self._ends, max(row, 0)), len(self._parts) - 1)
        inner = row - (self._ends[place - 1] if place else 0)
        for at in range(place, len(self._parts) if step > 0 else -1, step):
            document = self._parts[at].document
            found = document.find(needle, inner if at == place else -1 if step > 0 else document.height, step)
            if found is not None:
                self._count()
                return found + (self._ends[at - 1] if at else 0)
        return None

    def path(self, row: int) -> str | None:
        """See `Document`: of the payload as a whole."""
        part, inner, _ = self._at(row)
        if part.path is None:
            return None
        inside = part.document.path(inner) or "."
        return part.path + (inside.removeprefix(".") if inside[1:2] in {"", "["} else inside) or "."

    def literal(self, row: int) -> str | None:
        """See `Document`."""
        part, inner, _ = self._at(row)
        return part.document.literal(inner)

    def value(self, row: int) -> bytes:
        """See `Document`."""
        part, inner, _ = self._at(row)
        return part.document.value(inner)


class ArgumentsView(View):
    """Arguments one by one."""

    name: ClassVar[str] = "arguments"
    title = "arguments"

    def claim(self, data: bytes, meta: Mapping[str, Any]) -> float:
        """For what came in a packet of arguments."""
        return 0.97 if meta.get("wire") and data[:1] == b"[" else 0.0

    def open(self, data: bytes, meta: Mapping[str, Any] = NOTHING) -> ArgumentsDocument:
        """The packet, its arguments, and the attachments that are deeper inside them."""
        tree = JsonTree(data)
        items = [data[start:end] for start, end in tree.items()]
        if tree.kind(0) != "array" or len(items) > ARGUMENT_LIMIT:
            raise Unreadable(f"not a list of up to {ARGUMENT_LIMIT} arguments")
        attachments = dict(enumerate(_attachments(meta)))
        parts = _wire(str(meta.get("wire") or ""))
        for place, item in enumerate(items):
            parts += _argument(place, item, attachments)
        for number, each in attachments.items():
            parts += _binary(f"#{number}", each, None)
        return ArgumentsDocument(parts or [Part("", RowDocument("no arguments", data), ".")])


def _wire(text: str) -> list[Part]:
    return [Part("wire", RowDocument(text, text.encode()), None)] if text else []


def _argument(place: int, item: bytes, attachments: dict[int, bytes]) -> list[Part]:
    """An argument; the attachment that it stands for is taken out of `attachments`."""
    label, path = str(place + 1), f".[{place}]"
    found = _PLACEHOLDER.fullmatch(item)
    if found is not None and int(found[1]) in attachments:
        return _binary(label, attachments.pop(int(found[1])), path)
    return [Part(label, JsonTree(item), path)]


def _binary(label: str, data: bytes, path: str | None) -> list[Part]:
    """Its size, and its bytes below."""
    title = Part(label, RowDocument(f"binary, {len(data):,} bytes", data), path)
    return [title, Part("", HexDocument(data), None)] if data else [title]


def _attachments(meta: Mapping[str, Any]) -> list[bytes]:
    told = meta.get("attachments")
    try:
        return [base64.b64decode(each, validate=True) for each in told] if isinstance(told, list) else []
    except (TypeError, ValueError):  # a capture may hold anything
        return []
