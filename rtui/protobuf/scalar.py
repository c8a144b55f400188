"""Scalars: from a JSON value to the bytes that stand on the wire behind the tag.

The wire's rules are those of "Encoding" (protobuf.dev/programming-guides/encoding). JSON is read as protobuf's own
json_format reads it: whole numbers may stand in quotes or be written 1e3, floats in quotes, bytes in either base64
alphabet with or without padding.
"""

from __future__ import annotations

import math
import struct
import sys
from collections.abc import Callable
from typing import Any, Final, TypeAlias

from google.protobuf.descriptor import EnumDescriptor, FieldDescriptor

from rtui.protobuf import well_known
from rtui.protobuf.descriptor import NULL
from rtui.protobuf.unfit import Unfit, nearest, shown, wrong

Pack: TypeAlias = Callable[[Any], bytes]
"""From a JSON value to its bytes. Raises `Unfit`."""

VARINT: Final = 0
FIXED64: Final = 1
SIZED: Final = 2
OPENED: Final = 3
CLOSED: Final = 4
FIXED32: Final = 5

LARGEST_FLOAT: Final = math.nextafter(float.fromhex("0x1.ffffffp+127"), 0)
"""Rounds to the largest of 32 bits: its shortest text, 3.4028235e+38, is above it, and must be read back."""
_DIGITS: Final = 400
"""No number in quotes is longer: even a double written out in full has fewer."""
_SHORT: Final = [bytes([number]) for number in range(128)]
_NUMBER: Final = 'a number, or "NaN", "Infinity" or "-Infinity"'


def varint(number: int) -> bytes:
    """`number` (not negative) in groups of seven bits, the lowest first."""
    if number < 1 << 7:
        return _SHORT[number]
    if number < 1 << 14:
        return bytes((number & 127 | 128, number >> 7))
    if number < 1 << 21:
        return bytes((number & 127 | 128, number >> 7 & 127 | 128, number >> 14))
    if number < 1 << 28:
        return bytes((number & 127 | 128, number >> 7 & 127 | 128, number >> 14 & 127 | 128, number >> 21))
    low = (number & 127 | 128, number >> 7 & 127 | 128, number >> 14 & 127 | 128, number >> 21 & 127 | 128)
    return bytes(low) + varint(number >> 28)


def signed(number: int) -> bytes:
    """`number` as a varint; if negative, as if it had 64 bits, those of 32 too."""
    return varint(number & _ALL)


def sized(data: bytes) -> bytes:
    """`data` with its length before it."""
    size = len(data)
    return (_SHORT[size] if size < 128 else varint(size)) + data  # noqa: PLR2004 - one byte, without a call


def tag(number: int, wire_type: int) -> bytes:
    """What stands before a field."""
    return varint(number << 3 | wire_type)


def whole(value: Any, low: int, high: int, name: str) -> int:
    """The integer that a JSON value means.

    Raises:
        Unfit: it is none, or out of range.
    """
    number = value if value.__class__ is int else _integer(value)
    if number is None:
        raise wrong(value, f"a whole number ({name})")
    if not low <= number <= high:
        raise Unfit(f"{shown(value)} is out of range: {name} goes from {low} to {high}")
    return number


def _integer(value: Any) -> int | None:
    if isinstance(value, str) and " " not in value and len(value) <= _DIGITS:
        try:
            return int(value)
        except ValueError:
            value = _float(value)
    return int(value) if isinstance(value, float) and value.is_integer() else None


def _float(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def real(value: Any, largest: float) -> float:
    """The float that a JSON value means.

    Raises:
        Unfit: it is none, or too large.
    """
    number = value
    if isinstance(value, str):
        number = _float(value) if len(value) <= _DIGITS else None
        if number is not None and not any(map(str.isdigit, value)):
            return number  # in words
    if number.__class__ is not float and number.__class__ is not int:
        raise wrong(value, _NUMBER)
    if not -largest <= number <= largest:
        raise Unfit(f"{shown(value)} is too large: the largest is {largest:.8g}")
    return float(number)


def _boolean(value: Any) -> bytes:
    if value is True:
        return b"\1"
    if value is False:
        return b"\0"
    raise wrong(value, "true or false")


def _text(value: Any) -> bytes:
    if value.__class__ is not str:
        raise wrong(value, "a text")
    try:
        return sized(value.encode())
    except UnicodeEncodeError:
        raise wrong(value, "a text without half surrogate pairs") from None


def _bytes(value: Any) -> bytes:
    if value.__class__ is not str:
        raise wrong(value, "a text in base64")
    try:
        return sized(well_known.base64_bytes(value))
    except ValueError:
        raise wrong(value, "bytes in base64") from None


def _signed(low: int, high: int, name: str) -> Pack:
    def pack(value: Any) -> bytes:
        number = value if value.__class__ is int and low <= value <= high else whole(value, low, high, name)
        return signed(number)

    return pack


def _zigzag(low: int, high: int, name: str) -> Pack:
    def pack(value: Any) -> bytes:
        number = whole(value, low, high, name)
        return varint(number * 2 if number >= 0 else -number * 2 - 1)

    return pack


def _fixed(code: str, low: int, high: int, name: str) -> Pack:
    write = struct.Struct(code).pack
    return lambda value: write(whole(value, low, high, name))


def _real(code: str, largest: float) -> Pack:
    write = struct.Struct(code).pack

    def pack(value: Any) -> bytes:
        return write(value if value.__class__ is float and -largest <= value <= largest else real(value, largest))

    return pack


def enumeration(enum: EnumDescriptor) -> Pack:
    """By name or number; a number that has no name may stand in an open enum only."""
    names = {name: value.number for name, value in enum.values_by_name.items()}
    null = enum.full_name == NULL

    def pack(value: Any) -> bytes:
        if value.__class__ is str and value in names:
            return signed(names[value])
        if value is None and null:
            return b"\0"
        number = value if value.__class__ is int else _integer(value)
        if number is None and isinstance(value, str):
            raise Unfit(f"{enum.name} has no {shown(value)}", nearest(value, names))
        if number is None or (enum.is_closed and number not in enum.values_by_number):
            raise Unfit(f"{shown(value)} is no {enum.name}", nearest("", names))
        return signed(whole(number, *_INT32))

    return pack


def scalar(field: FieldDescriptor) -> Pack:
    """How the values of a field that is no message are written."""
    return enumeration(field.enum_type) if field.enum_type is not None else _SCALARS[field.type]


def wire_type(field: FieldDescriptor) -> int:
    """How a reader finds the end of one value."""
    return _WIRE_TYPES.get(field.type, VARINT)


def key(field: FieldDescriptor) -> Pack:
    """How the keys of a map are written; in JSON they are all texts."""
    pack = _SCALARS[field.type]
    if field.type != FieldDescriptor.TYPE_BOOL:
        return pack
    truth = {"true": b"\1", "false": b"\0"}

    def boolean(value: str) -> bytes:
        if value not in truth:
            raise wrong(value, '"true" or "false"')
        return truth[value]

    return boolean


_ALL: Final = 2**64 - 1
_INT32: Final = (-(2**31), 2**31 - 1, "int32")
_INT64: Final = (-(2**63), 2**63 - 1, "int64")
_UINT32: Final = (0, 2**32 - 1, "uint32")
_UINT64: Final = (0, 2**64 - 1, "uint64")
_SCALARS: Final[dict[int, Pack]] = {
    FieldDescriptor.TYPE_BOOL: _boolean,
    FieldDescriptor.TYPE_BYTES: _bytes,
    FieldDescriptor.TYPE_DOUBLE: _real("<d", sys.float_info.max),
    FieldDescriptor.TYPE_FIXED32: _fixed("<I", *_UINT32),
    FieldDescriptor.TYPE_FIXED64: _fixed("<Q", *_UINT64),
    FieldDescriptor.TYPE_FLOAT: _real("<f", LARGEST_FLOAT),
    FieldDescriptor.TYPE_INT32: _signed(*_INT32),
    FieldDescriptor.TYPE_INT64: _signed(*_INT64),
    FieldDescriptor.TYPE_SFIXED32: _fixed("<i", *_INT32),
    FieldDescriptor.TYPE_SFIXED64: _fixed("<q", *_INT64),
    FieldDescriptor.TYPE_SINT32: _zigzag(*_INT32),
    FieldDescriptor.TYPE_SINT64: _zigzag(*_INT64),
    FieldDescriptor.TYPE_STRING: _text,
    FieldDescriptor.TYPE_UINT32: _signed(*_UINT32),
    FieldDescriptor.TYPE_UINT64: _signed(*_UINT64),
}
_WIRE_TYPES: Final = {
    FieldDescriptor.TYPE_BYTES: SIZED,
    FieldDescriptor.TYPE_DOUBLE: FIXED64,
    FieldDescriptor.TYPE_FIXED32: FIXED32,
    FieldDescriptor.TYPE_FIXED64: FIXED64,
    FieldDescriptor.TYPE_FLOAT: FIXED32,
    FieldDescriptor.TYPE_GROUP: OPENED,
    FieldDescriptor.TYPE_MESSAGE: SIZED,
    FieldDescriptor.TYPE_SFIXED32: FIXED32,
    FieldDescriptor.TYPE_SFIXED64: FIXED64,
    FieldDescriptor.TYPE_STRING: SIZED,
}
