"""Protocol Buffers without a schema: field numbers and wire types; what the bytes cannot tell is shown both ways.

Format: protobuf.dev, "Encoding", without the groups of old. A length-delimited field is taken as a message if its bytes
are one, else as text if they are that, else as bytes: a guess, which only a descriptor could settle.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Final

from rtui.core.clean import decode
from rtui.core.words import counted
from rtui.payloads.base import NOTHING, Unreadable, View, content_type, is_text
from rtui.payloads.packed import SHOWN_BYTES
from rtui.payloads.tree import NODE_LIMIT, Full, Item, Tree

TYPES: Final = frozenset({"application/protobuf", "application/x-protobuf", "application/vnd.google.protobuf"})
MAX_DEPTH: Final = 32
"""Levels at which fields are tried as messages: each level looks at its bytes again."""
MAX_VARINT: Final = 10
"""Bytes of the longest number."""
_CHUNK: Final = 2
_SIGN: Final = 1 << 63


class _Field:
    """One field: where it begins, where its value lies."""

    __slots__ = ("begin", "end", "kind", "number", "value")

    def __init__(self, data: bytes, at: int, stop: int) -> None:
        """Read the field at `at`, which may reach to `stop`.

        Raises:
            Unreadable: if there is none.
        """
        self.begin = at
        tag, at = _varint(data, at, stop)
        self.number, self.kind = tag >> 3, tag & 7
        if not 0 < self.number < 1 << 29:
            raise Unreadable(f"not protobuf: field number {self.number} at byte {self.begin}")
        self.value = at
        """Where the value begins; for a chunk behind its length."""
        match self.kind:
            case 0:
                self.end = _varint(data, at, stop)[1]
            case 1:
                self.end = at + 8
            case 2:
                size, self.value = _varint(data, at, stop)
                self.end = self.value + size
            case 5:
                self.end = at + 4
            case _:
                raise Unreadable(f"not protobuf: wire type {self.kind} at byte {self.begin}")
        if self.end > stop:
            raise Unreadable(f"not protobuf: the field at byte {self.begin} ends behind the message")


def _varint(data: bytes, at: int, stop: int) -> tuple[int, int]:
    """A number of seven bits a byte, lowest first, and where it ends."""
    value = 0
    for place in range(MAX_VARINT):
        if at + place >= stop:
            break
        byte = data[at + place]
        value |= (byte & 0x7F) << (7 * place)
        if byte < 0x80:  # noqa: PLR2004 - the bit that says "more follow"
            return value & ((1 << 64) - 1), at + place + 1
    raise Unreadable(f"not protobuf: no number at byte {at}")


def _fields(data: bytes, at: int, stop: int) -> Iterator[_Field]:
    """The fields between two positions."""
    while at < stop:
        field = _Field(data, at, stop)
        yield field
        at = field.end


def _is_message(data: bytes, field: _Field) -> bool:
    """Whether a chunk is fields from end to end, and not empty: that is text, as much as anything."""
    try:
        return len(list(_fields(data, field.value, field.end))) > 0
    except Unreadable:
        return False


def _item(data: bytes, field: _Field) -> Item:
    """What the row of a field that is no message says."""
    label = f"{field.number}"
    part = data[field.value : field.end]
    match field.kind:
        case 0:
            value = _varint(data, field.value, field.end)[0]
            return Item(label, "number", f"{value}" + (f" ({value - 2 * _SIGN})" if value >= _SIGN else ""))
        case 1:
            return Item(label, "number", f"{int.from_bytes(part, 'little')} (double {struct.unpack('<d', part)[0]!r})")
        case 5:
            return Item(label, "number", f"{int.from_bytes(part, 'little')} (float {struct.unpack('<f', part)[0]!r})")
        case _ if is_text(part) and _is_utf8(part):
            return Item(label, "string", f'"{decode(part)}"')
        case _:
            more = "…" if len(part) > SHOWN_BYTES else ""
            return Item(label, "hex", f"{counted(len(part), 'byte')} {part[:SHOWN_BYTES].hex(' ')}{more}")


def _is_utf8(part: bytes) -> bool:
    try:
        part.decode()
    except UnicodeDecodeError:
        return False
    return True


class ProtobufTree(Tree):
    """Paths are field numbers: `.1.3`; a field that comes again has the same path."""

    def path(self, row: int) -> str | None:
        """See `Document`."""
        node = self._node(row)
        return None if node is None else "." + ".".join(map(str, self._way(node)))


def _fill(tree: Tree) -> None:
    """Read the whole, and each chunk that is a message, without recursion."""
    data = tree.data
    stack: list[tuple[int, int, Iterator[_Field]]] = [(-1, len(data), _fields(data, 0, len(data)))]
    while stack:
        node, end, fields = stack[-1]
        field = next(fields, None)
        if field is None:
            stack.pop()
            if node >= 0:
                tree.shut(node, end)
            continue
        is_message = field.kind == _CHUNK and len(stack) < MAX_DEPTH and _is_message(data, field)
        item = Item(f"{field.number}", "dim", "{…}") if is_message else _item(data, field)
        try:
            inner = tree.add(node, field.number, item, field.begin)
        except Full:
            tree.cut(node, field.begin)
            return
        if is_message:
            stack.append((inner, field.end, _fields(data, field.value, field.end)))
        else:
            tree.shut(inner, field.end)


class ProtobufView(View):
    """Protocol Buffers without a schema."""

    name: ClassVar[str] = "protobuf"
    title = "protobuf, no schema"

    def claim(self, data: bytes, meta: Mapping[str, Any]) -> float:
        """By the told type; else below hex: much that is no protobuf can be read as it."""
        if content_type(meta) in TYPES:
            return 0.95
        return 0.3 if data and not is_text(data) else 0.0

    def open(self, data: bytes, meta: Mapping[str, Any] = NOTHING) -> ProtobufTree:  # noqa: ARG002
        """The tree, all unfolded."""
        if not data:
            raise Unreadable("not protobuf: empty, which is a message with nothing set")
        tree = ProtobufTree(data, NODE_LIMIT)
        _fill(tree)
        return tree
