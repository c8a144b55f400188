"""CBOR as a tree, with tags, strings in pieces and containers without a length. Format: RFC 8949."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import Any, ClassVar, Final

from rtui.payloads.base import NOTHING, Unreadable, View, content_type, is_text
from rtui.payloads.packed import ENDLESS, Head, binary, chunk, number, read, string
from rtui.payloads.tree import NODE_LIMIT, Tree

SELF_DESCRIBED: Final = b"\xd9\xd9\xf7"
"""Tag 55799, which means nothing but "this is CBOR" (3.4.6)."""
TAGS: Final = {
    0: "date", 1: "time", 2: "bignum", 3: "negative bignum", 4: "decimal", 24: "CBOR", 32: "URI",
    33: "base64url", 34: "base64", 37: "UUID", 55799: "CBOR",
}  # fmt: skip
MAX_TAGS: Final = 16
"""Tags before one value."""

_UNSIGNED, _NEGATIVE, _BYTES, _TEXT, _ARRAY, _MAP, _TAG = range(7)
_WORDS: Final = {20: "false", 21: "true", 22: "null", 23: "undefined"}
_FLOATS: Final = {25: struct.Struct(">e"), 26: struct.Struct(">f"), 27: struct.Struct(">d")}
_DIRECT, _INDEFINITE, _BREAK = 24, 31, 0xFF


def head(data: bytes, at: int) -> Head:
    """See `packed.Reader`. Tags are words before the value that they are about (3.4)."""
    said, start = "", at
    for _ in range(MAX_TAGS):
        if data[at] >> 5 != _TAG:
            found = _untagged(data, at)
            if said and found.kind == "break":
                break
            return found._replace(text=said + found.text) if said else found
        tag, at = _argument(data, at)
        said += f"{TAGS.get(tag, 'tag')}({tag}) "
    raise Unreadable(f"not CBOR: the tags at byte {start} have no value")


def _untagged(data: bytes, at: int) -> Head:
    major, info = data[at] >> 5, data[at] & 0x1F
    if major > _TAG:
        return _simple(data, at, info)
    if info == _INDEFINITE:
        return _endless(data, at, major)
    value, start = _argument(data, at)
    match major:
        case 0 | 1:
            return number(value if major == _UNSIGNED else -1 - value, start)
        case 2:
            return binary(data, start, value)
        case 3:
            return string(data, start, value)
        case _:
            return Head("array" if major == _ARRAY else "map", start, "dim", size=value)


def _argument(data: bytes, at: int) -> tuple[int, int]:
    """The number in a head and where the head ends (3)."""
    info = data[at] & 0x1F
    if info < _DIRECT:
        return info, at + 1
    size = 1 << (info - _DIRECT)
    if size > 8:  # noqa: PLR2004 - 28 to 30 are reserved, 31 has no number
        raise Unreadable(f"not CBOR at byte {at}: 0x{data[at]:02x}")
    return int.from_bytes(chunk(data, at + 1, size)), at + 1 + size


def _simple(data: bytes, at: int, info: int) -> Head:
    """Words, floats, the break, and values that have only a number (3.3)."""
    if data[at] == _BREAK:
        return Head("break", at + 1)
    if form := _FLOATS.get(info):
        return number(form.unpack_from(data, at + 1)[0], at + 1 + form.size)
    value, end = _argument(data, at)
    return Head("scalar", end, "null", _WORDS.get(value, f"simple({value})"))


def _endless(data: bytes, at: int, major: int) -> Head:
    """A container that ends with a break, or a string in pieces (3.2)."""
    if major in {_ARRAY, _MAP}:
        return Head("array" if major == _ARRAY else "map", at + 1, "dim", size=ENDLESS)
    if major not in {_BYTES, _TEXT}:
        raise Unreadable(f"not CBOR at byte {at}: 0x{data[at]:02x}")
    pieces: list[bytes] = []
    at += 1
    while data[at] != _BREAK:
        if data[at] >> 5 != major or data[at] & 0x1F == _INDEFINITE:
            raise Unreadable(f"not CBOR at byte {at}: not a piece of the string")
        size, start = _argument(data, at)
        pieces.append(chunk(data, start, size))
        at = start + size
    whole = b"".join(pieces)
    found = string(whole, 0, len(whole)) if major == _TEXT else binary(whole, 0, len(whole))
    return found._replace(end=at + 1)


class CborView(View):
    """CBOR."""

    name: ClassVar[str] = "cbor"
    title = "CBOR"

    def claim(self, data: bytes, meta: Mapping[str, Any]) -> float:
        """By the told type or the tag for it; or what is no text and begins as an array or a map."""
        told = content_type(meta)
        if told == "application/cbor" or told.endswith("+cbor") or data.startswith(SELF_DESCRIBED):
            return 0.95
        # Below MessagePack: what is both is much more often that.
        return 0.44 if len(data) > 1 and data[0] >> 5 in {_ARRAY, _MAP} and not is_text(data) else 0.0

    def open(self, data: bytes, meta: Mapping[str, Any] = NOTHING) -> Tree:  # noqa: ARG002 - the bytes tell all
        """The tree, all unfolded."""
        return read(data, head, self.title, Tree(data, NODE_LIMIT))
