"""MessagePack and CBOR in the diagnostic notation, from which `packed.pack` makes the same bytes again."""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final, TypeAlias

import msgspec

from rtui.encoding import cbor
from rtui.encoding.diagnostic import DEEPEST
from rtui.encoding.form import CborForm, MsgpackForm

Speller: TypeAlias = Callable[[bytes, int, int], tuple[str, int]]
"""The text of the value at a position, and where it ends; the third number is how deep it stands."""

_INDENT: Final = "  "
_NUMERALS: Final = 1000
"""Bytes of a whole number that is spelt in digits."""
_TIMESTAMP: Final = -1
_CBOR: Final = CborForm()
_MSGPACK: Final = MsgpackForm()
_WORDS: Final = {20: "false", 21: "true", 22: "null", 23: "undefined"}
_MSGPACK_WORDS: Final = {0xC0: "null", 0xC2: "false", 0xC3: "true"}
_FLOATS: Final = {1: struct.Struct(">e"), 2: struct.Struct(">f"), 3: struct.Struct(">d")}


class Unspeakable(ValueError):
    """The bytes are no value of the format, or one that the notation has no words for."""


def spell(data: bytes, speller: Speller) -> str:
    """The one value that `data` is, laid out in lines. Whether it gives the same bytes again is not looked at.

    Raises:
        Unspeakable: it is none, or the notation has no words for it.
    """
    try:
        text, end = speller(data, 0, 0)
    except (IndexError, struct.error, UnicodeDecodeError, cbor.NotCbor):
        raise Unspeakable("ends in the middle of a value") from None
    if end < len(data):
        raise Unspeakable(f"goes on behind the value, at byte {end}")
    return text


# CBOR


def in_cbor(data: bytes, at: int, deep: int) -> tuple[str, int]:
    """See `Speller`."""
    _too_deep(deep)
    major, info = data[at] >> 5, data[at] & 0x1F
    if major == cbor.SIMPLE:
        return _simple(data, at, info)
    if info == cbor.ENDLESS:
        return _endless(data, at, deep)
    argument, start = cbor.read_argument(data, at, info)
    if major in {cbor.UNSIGNED, cbor.NEGATIVE}:
        return _integer(argument if major == cbor.UNSIGNED else -1 - argument, info), start
    if major in {cbor.BYTES, cbor.TEXT}:
        part = cbor.piece(data, start, argument)
        return _hex(part) if major == cbor.BYTES else _quoted(part), start + argument
    if major == cbor.TAG:
        return _tagged(data, at, start, argument, deep)
    return _container(in_cbor, data, start, deep, argument, is_map=major == cbor.MAP)


def _integer(value: int, info: int) -> str:
    """With its width, where fewer bytes would do."""
    shortest = cbor.encode(value)[0] & 0x1F
    return str(value) if info == shortest else f"{value}_{info - 24}"


def _simple(data: bytes, at: int, info: int) -> tuple[str, int]:
    width = info - 24
    if form := _FLOATS.get(width):
        value = form.unpack_from(data, at + 1)[0]
        end = at + 1 + form.size
        return _floating(value, None if _CBOR.floating(value, None) == data[at:end] else width), end
    if data[at] == cbor.BREAK:
        raise Unspeakable(f"a break at byte {at}, where nothing is open")
    number, end = cbor.read_argument(data, at, info)
    return _WORDS.get(number, f"simple({number})"), end


def _tagged(data: bytes, at: int, start: int, tag: int, deep: int) -> tuple[str, int]:
    text, end = in_cbor(data, start, deep + 1)
    if tag in {2, 3} and end - start <= _NUMERALS and text.startswith("h'"):
        number = int.from_bytes(bytes.fromhex(text[2:-1]))
        number = number if tag == 2 else -1 - number  # noqa: PLR2004 - bignum and negative bignum (3.4.3)
        if cbor.encode(number) == data[at:end]:
            return str(number), end
    return f"{tag}({text})", end


def _endless(data: bytes, at: int, deep: int) -> tuple[str, int]:
    major = data[at] >> 5
    if major not in {cbor.ARRAY, cbor.MAP}:
        raise Unspeakable(f"a string in pieces at byte {at}")
    text, end = _container(in_cbor, data, at + 1, deep, None, is_map=major == cbor.MAP)
    return text, end


# MessagePack


def in_msgpack(data: bytes, at: int, deep: int) -> tuple[str, int]:
    """See `Speller`."""
    _too_deep(deep)
    code = data[at]
    if code <= 0x7F or code >= 0xE0:  # noqa: PLR2004 - numbers in the code itself
        return str(code if code <= 0x7F else code - 0x100), at + 1  # noqa: PLR2004
    if code in _MSGPACK_WORDS:
        return _MSGPACK_WORDS[code], at + 1
    if 0xCA <= code <= 0xD3:  # noqa: PLR2004 - floats, unsigned, signed
        return _number(data, at, code)
    size, start = _size(data, at, code)
    if 0xC7 <= code <= 0xC9 or 0xD4 <= code <= 0xD8:  # noqa: PLR2004 - an extension's type stands before its data
        return _extension(data, at, start, size), start + 1 + size
    if code >> 4 in {8, 9} or 0xDC <= code <= 0xDF:  # noqa: PLR2004
        is_map = code >> 4 == 8 or code >= 0xDE  # noqa: PLR2004
        return _container(in_msgpack, data, start, deep, size, is_map=is_map)
    part = cbor.piece(data, start, size)
    return _hex(part) if 0xC4 <= code <= 0xC6 else _quoted(part), start + size  # noqa: PLR2004


def _size(data: bytes, at: int, code: int) -> tuple[int, int]:
    """The length that a code tells, in itself or in the bytes behind it, and where those end."""
    if code < 0xC0:  # noqa: PLR2004 - fixstr has five bits, fixmap and fixarray four
        return code & (0x1F if code >= 0xA0 else 0x0F), at + 1  # noqa: PLR2004
    if 0xD4 <= code <= 0xD8:  # noqa: PLR2004 - fixext
        return 1 << (code - 0xD4), at + 1
    firsts = {0xC4: 1, 0xC5: 2, 0xC6: 4, 0xC7: 1, 0xC8: 2, 0xC9: 4, 0xD9: 1, 0xDA: 2, 0xDB: 4}
    width = firsts.get(code) or {0xDC: 2, 0xDD: 4, 0xDE: 2, 0xDF: 4}.get(code)
    if width is None:
        raise Unspeakable(f"byte {at} is 0x{code:02x}, which is never used")
    return int.from_bytes(cbor.piece(data, at + 1, width)), at + 1 + width


def _number(data: bytes, at: int, code: int) -> tuple[str, int]:
    if code <= 0xCB:  # noqa: PLR2004
        width = code - 0xC8
        form = _FLOATS[width]
        return _floating(form.unpack_from(data, at + 1)[0], width if width == 2 else None), at + 1 + form.size  # noqa: PLR2004
    width = (code - 0xCC) & 3
    end = at + 1 + (1 << width)
    value = int.from_bytes(cbor.piece(data, at + 1, 1 << width), signed=code >= 0xD0)  # noqa: PLR2004
    return str(value) if _MSGPACK.integer(value, None) == data[at:end] else f"{value}_{width}", end


def _extension(data: bytes, at: int, start: int, size: int) -> str:
    code = int.from_bytes(cbor.piece(data, start, 1), signed=True)
    part = cbor.piece(data, start + 1, size)
    if code == _TIMESTAMP:
        try:
            time = msgspec.msgpack.decode(data[at : start + 1 + size], type=datetime)
        except (msgspec.MsgspecError, ValueError):
            pass
        else:
            text = time.astimezone(UTC).isoformat().replace("+00:00", "Z")
            if _MSGPACK.timestamp(text) == data[at : start + 1 + size]:
                return f'timestamp("{text}")'
    return f"ext({code}, {_hex(part)})"


# Both


def _container(
    speller: Speller, data: bytes, at: int, deep: int, count: int | None, *, is_map: bool
) -> tuple[str, int]:
    """Members up to `count`, or to a break; each in a line of its own."""
    members: list[str] = []
    while len(members) != count if count is not None else data[at] != cbor.BREAK:
        text, at = speller(data, at, deep + 1)
        if is_map:
            value, at = speller(data, at, deep + 1)
            text = f"{text}: {value}"
        members.append(text)
    brackets, mark = "{}" if is_map else "[]", "" if count is not None else "_"
    if not members:
        return brackets[0] + (mark and f"{mark} ") + brackets[1], at + (count is None)
    lines = f",\n{_INDENT * (deep + 1)}".join(members)
    return f"{brackets[0]}{mark}\n{_INDENT * (deep + 1)}{lines}\n{_INDENT * deep}{brackets[1]}", at + (count is None)


def _too_deep(deep: int) -> None:
    if deep >= DEEPEST:
        raise Unspeakable("nested too deeply")


def _quoted(part: bytes) -> str:
    return json.dumps(part.decode(), ensure_ascii=False).replace("\x7f", "\\u007f")


def _hex(part: bytes) -> str:
    return f"h'{part.hex()}'"


def _floating(value: float, width: int | None) -> str:
    if math.isnan(value):
        text = "NaN"
    elif math.isinf(value):
        text = "Infinity" if value > 0 else "-Infinity"
    else:
        text = repr(value)
        text = text if {".", "e"} & set(text) else f"{text}.0"
        return text if width is None else f"{text}_{width}"
    if width is not None:
        raise Unspeakable(f"{text} of that width")
    return text
