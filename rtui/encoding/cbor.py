"""JSON values as CBOR, and CBOR as JSON values. Format: RFC 8949; both ways as its section 6 advises.

Numbers take the fewest bytes that hold them (4.2.2), whole numbers beyond 64 bits are bignums (3.4.3). Back, byte
strings become base64, the tags of bignums are followed and all others passed over, what JSON has no number for is text.
"""

from __future__ import annotations

import math
import struct
from base64 import b64encode
from collections.abc import Callable
from typing import Any, Final

import msgspec

DEEPEST: Final = 200
"""Levels of arrays and maps within each other that are read."""
UNSIGNED, NEGATIVE, BYTES, TEXT, ARRAY, MAP, TAG, SIMPLE = range(8)
"""The major types (3.1)."""
_DIRECT: Final = 24
"""Arguments below this stand in the first byte."""
ENDLESS: Final = 31
BREAK: Final = 0xFF
_BIGNUM, _NEGATIVE_BIGNUM = 2, 3
_WORDS: Final[dict[int, Any]] = {20: False, 21: True, 22: None, 23: None}
_FLOATS: Final = ((0xF9, struct.Struct(">e")), (0xFA, struct.Struct(">f")), (0xFB, struct.Struct(">d")))


class NotCbor(ValueError):
    """The bytes are no CBOR, or not one value of it."""


def encode(value: Any) -> bytes:
    """A JSON value as CBOR.

    Raises:
        RecursionError: it is nested too deeply.
    """
    out = bytearray()
    _write(value, out)
    return bytes(out)


def _write(value: Any, out: bytearray) -> None:
    match value:
        case None | True | False:
            out.append(0xF6 if value is None else 0xF5 if value else 0xF4)
        case int():
            _write_integer(value, out)
        case float():
            _write_float(value, out)
        case str():
            text = value.encode()
            out += head(TEXT, len(text))
            out += text
        case list():
            out += head(ARRAY, len(value))
            for item in value:
                _write(item, out)
        case _:
            out += head(MAP, len(value))
            for key, item in value.items():
                _write(key, out)
                _write(item, out)


def head(major: int, argument: int) -> bytes:
    """The type, and a number of at most 64 bits in as few bytes as hold it (3)."""
    if argument < _DIRECT:
        return bytes([major << 5 | argument])
    place = max(0, ((argument.bit_length() + 7) // 8 - 1).bit_length())
    return bytes([major << 5 | _DIRECT + place]) + argument.to_bytes(1 << place)


def _write_integer(value: int, out: bytearray) -> None:
    argument = value if value >= 0 else -1 - value
    if argument.bit_length() <= 64:  # noqa: PLR2004 - what a head holds
        out += head(UNSIGNED if value >= 0 else NEGATIVE, argument)
        return
    data = argument.to_bytes((argument.bit_length() + 7) // 8)
    out += head(TAG, _BIGNUM if value >= 0 else _NEGATIVE_BIGNUM)
    out += head(BYTES, len(data))
    out += data


def _write_float(value: float, out: bytearray) -> None:
    for code, form in _FLOATS:
        try:
            data = form.pack(value)
        except OverflowError:
            continue
        if form.unpack(data)[0] == value:
            out.append(code)
            out += data
            return


def decode(data: bytes) -> Any:
    """The one value that `data` is.

    Raises:
        NotCbor: it is none, or nested too deeply.
    """
    try:
        value, end = _read(data, 0, DEEPEST)
    except (IndexError, struct.error, UnicodeDecodeError):
        raise NotCbor("ends in the middle of a value") from None
    if end < len(data):
        raise NotCbor(f"goes on behind the value, at byte {end}")
    return value


def _read(data: bytes, at: int, deep: int) -> tuple[Any, int]:
    """The value at `at`, and where it ends."""
    if deep == 0:
        raise NotCbor("nested too deeply")
    major, info = data[at] >> 5, data[at] & 0x1F
    if major == SIMPLE:
        return _read_simple(data, at, info)
    if info == ENDLESS:
        return _read_endless(data, at, deep)
    argument, at = read_argument(data, at, info)
    if major in {UNSIGNED, NEGATIVE}:
        return argument if major == UNSIGNED else -1 - argument, at
    if major in {BYTES, TEXT}:
        return _chunk(data, at, argument, major), at + argument
    if major == TAG:
        return _read_tagged(data, at, argument, deep)
    return (_read_items if major == ARRAY else _read_pairs)(data, at, deep, lambda _at, count: count == argument)


def read_argument(data: bytes, at: int, info: int) -> tuple[int, int]:
    """The number in the head at `at`, and where the head ends."""
    if info < _DIRECT:
        return info, at + 1
    size = 1 << (info - _DIRECT)
    if size > 8:  # noqa: PLR2004 - 28 to 30 are reserved
        raise NotCbor(f"nothing is meant by 0x{data[at]:02x} at byte {at}")
    return int.from_bytes(piece(data, at + 1, size)), at + 1 + size


def _read_simple(data: bytes, at: int, info: int) -> tuple[Any, int]:
    for code, form in _FLOATS:
        if data[at] == code:
            value = form.unpack_from(data, at + 1)[0]
            return value if math.isfinite(value) else _named(value), at + 1 + form.size
    if data[at] == BREAK:
        raise NotCbor(f"a break at byte {at}, where nothing is open")
    number, end = read_argument(data, at, info)
    return _WORDS.get(number, f"simple({number})"), end


def _named(value: float) -> str:
    """As ProtoJSON writes what is no finite number."""
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def _read_endless(data: bytes, at: int, deep: int) -> tuple[Any, int]:
    """A container that ends with a break, or a string in pieces (3.2)."""
    major = data[at] >> 5

    def is_over(place: int, _count: int) -> bool:
        return data[place] == BREAK

    if major in {ARRAY, MAP}:
        value, end = (_read_items if major == ARRAY else _read_pairs)(data, at + 1, deep, is_over)
        return value, end + 1
    if major not in {BYTES, TEXT}:
        raise NotCbor(f"nothing is meant by 0x{data[at]:02x} at byte {at}")
    pieces, at = b"", at + 1
    while not is_over(at, 0):
        if data[at] >> 5 != major or data[at] & 0x1F == ENDLESS:
            raise NotCbor(f"not a piece of the string at byte {at}")
        size, at = read_argument(data, at, data[at] & 0x1F)
        pieces += piece(data, at, size)
        at += size
    return _chunk(pieces, 0, len(pieces), major), at + 1


def _read_items(data: bytes, at: int, deep: int, is_over: Callable[[int, int], bool]) -> tuple[list[Any], int]:
    items: list[Any] = []
    while not is_over(at, len(items)):
        item, at = _read(data, at, deep - 1)
        items.append(item)
    return items, at


def _read_pairs(data: bytes, at: int, deep: int, is_over: Callable[[int, int], bool]) -> tuple[dict[str, Any], int]:
    pairs: dict[str, Any] = {}
    count = 0
    while not is_over(at, count):
        key, at = _read(data, at, deep - 1)
        pairs[_key(key)], at = _read(data, at, deep - 1)
        count += 1
    return pairs, at


def _key(key: Any) -> str:
    """Keys of any type, as text (6.1)."""
    return key if isinstance(key, str) else msgspec.json.encode(key).decode()


def _read_tagged(data: bytes, at: int, tag: int, deep: int) -> tuple[Any, int]:
    if tag in {_BIGNUM, _NEGATIVE_BIGNUM} and data[at] >> 5 == BYTES and data[at] & 0x1F != ENDLESS:
        size, start = read_argument(data, at, data[at] & 0x1F)
        number = int.from_bytes(piece(data, start, size))
        return (number if tag == _BIGNUM else -1 - number), start + size
    return _read(data, at, deep - 1)


def _chunk(data: bytes, at: int, size: int, major: int) -> str:
    part = piece(data, at, size)
    return part.decode() if major == TEXT else b64encode(part).decode("ascii")


def piece(data: bytes, at: int, size: int) -> bytes:
    """`size` bytes; raises IndexError if there are fewer."""
    if at + size > len(data):
        raise IndexError(at)
    return data[at : at + size]
