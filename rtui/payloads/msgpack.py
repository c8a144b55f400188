"""MessagePack as a tree. Format: the MessagePack specification, with extension types and the timestamp (-1)."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar, Final

from rtui.payloads.base import NOTHING, Unreadable, View, content_type, is_text
from rtui.payloads.packed import Head, binary, chunk, number, read, string
from rtui.payloads.tree import NODE_LIMIT, Tree

TYPES: Final = frozenset({"application/msgpack", "application/x-msgpack", "application/vnd.msgpack"})
TIMESTAMP: Final = -1
"""The extension type whose meaning the specification gives."""
_NUMBERS: Final = {
    code: struct.Struct(form)
    for code, form in zip(range(0xCA, 0xD4), (">f", ">d", ">B", ">H", ">I", ">Q", ">b", ">h", ">i", ">q"), strict=True)
}
_SIZES: Final = (struct.Struct(">B"), struct.Struct(">H"), struct.Struct(">I"))
_WORDS: Final = {0xC0: "null", 0xC2: "false", 0xC3: "true"}
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_CONTAINERS: Final = frozenset({*range(0x81, 0x90), *range(0x91, 0xA0), *range(0xDC, 0xE0)})
_MASK_34: Final = (1 << 34) - 1


def head(data: bytes, at: int) -> Head:
    """See `packed.Reader`."""
    code = data[at]
    if code <= 0xBF or code >= 0xE0:  # noqa: PLR2004 - the codes that hold a number or a length
        return _fixed(data, at, code)
    if word := _WORDS.get(code):
        return Head("scalar", at + 1, "null", word)
    if form := _NUMBERS.get(code):
        return number(form.unpack_from(data, at + 1)[0], at + 1 + form.size)
    return _sized(data, at, code)


def _fixed(data: bytes, at: int, code: int) -> Head:
    """What tells its value or its length in the code itself: fixint, fixmap, fixarray, fixstr."""
    match code >> 4:
        case 0x8:
            return Head("map", at + 1, "dim", size=code & 0x0F)
        case 0x9:
            return Head("array", at + 1, "dim", size=code & 0x0F)
        case 0xA | 0xB:
            return string(data, at + 1, code & 0x1F)
        case 0xE | 0xF:
            return number(code - 0x100, at + 1)
        case _:
            return number(code, at + 1)


def _sized(data: bytes, at: int, code: int) -> Head:
    """What tells its length in the bytes that follow the code."""
    match code:
        case 0xC4 | 0xC5 | 0xC6:
            size, start = _size(data, at, code - 0xC4)
            return binary(data, start, size)
        case 0xC7 | 0xC8 | 0xC9:
            size, start = _size(data, at, code - 0xC7)
            return _extension(data, start, size)
        case 0xD4 | 0xD5 | 0xD6 | 0xD7 | 0xD8:
            return _extension(data, at + 1, 1 << (code - 0xD4))
        case 0xD9 | 0xDA | 0xDB:
            size, start = _size(data, at, code - 0xD9)
            return string(data, start, size)
        case 0xDC | 0xDD:
            size, start = _size(data, at, code - 0xDB)
            return Head("array", start, "dim", size=size)
        case 0xDE | 0xDF:
            size, start = _size(data, at, code - 0xDD)
            return Head("map", start, "dim", size=size)
        case _:  # 0xC1, the only one left
            raise Unreadable(f"not MessagePack: byte {at} is 0x{code:02x}, which is never used")


def _size(data: bytes, at: int, width: int) -> tuple[int, int]:
    """The length behind the code, and where it ends; `width` is 0, 1, 2 for one, two, four bytes."""
    form = _SIZES[width]
    size: int = form.unpack_from(data, at + 1)[0]
    return size, at + 1 + form.size


def _extension(data: bytes, at: int, size: int) -> Head:
    """A type from -128 to 127, and its bytes."""
    kind = struct.unpack_from(">b", data, at)[0]
    if kind == TIMESTAMP and (time := _timestamp(chunk(data, at + 1, size))):
        return Head("scalar", at + 1 + size, "number", time)
    return binary(data, at + 1, size, kind)


def _timestamp(part: bytes) -> str:
    """A timestamp of 4, 8 or 12 bytes in words; "" if it is none, or beyond the years 1 to 9999."""
    match len(part):
        case 4:
            nanos, seconds = 0, int.from_bytes(part)
        case 8:
            both = int.from_bytes(part)
            nanos, seconds = both >> 34, both & _MASK_34
        case 12:
            nanos, seconds = struct.unpack(">Iq", part)
        case _:
            return ""
    try:
        time = _EPOCH + timedelta(seconds=seconds)
    except OverflowError:
        return ""
    return f"{time:%Y-%m-%d %H:%M:%S}.{nanos:09d} UTC" if nanos else f"{time:%Y-%m-%d %H:%M:%S} UTC"


class MsgpackView(View):
    """MessagePack."""

    name: ClassVar[str] = "msgpack"
    title = "MessagePack"

    def claim(self, data: bytes, meta: Mapping[str, Any]) -> float:
        """By the told type; or what is no text and begins as a map or an array that is not empty."""
        if content_type(meta) in TYPES:
            return 0.95
        return 0.45 if data[:1] and data[0] in _CONTAINERS and not is_text(data) else 0.0

    def open(self, data: bytes, meta: Mapping[str, Any] = NOTHING) -> Tree:  # noqa: ARG002 - the bytes tell all
        """The tree, all unfolded."""
        return read(data, head, self.title, Tree(data, NODE_LIMIT))
