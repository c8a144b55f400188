"""How MessagePack and CBOR write each value of the diagnostic notation, in as few bytes as hold it unless told."""

from __future__ import annotations

import math
import struct
from datetime import datetime
from typing import Final

import msgspec

from rtui.encoding import cbor
from rtui.protobuf.unfit import Unfit, shown

_SINGLE, _DOUBLE = 2, 3
"""Widths of numbers: 1 << width bytes."""
_FLOATS: Final = {1: ">e", _SINGLE: ">f", _DOUBLE: ">d"}
_NO_SIMPLE: Final = range(24, 32)
"""Simple values that section 3.3 reserves."""
_NIL, _FALSE, _SINGLE_FLOAT, _DOUBLE_FLOAT, _UNSIGNED, _SIGNED = 0xC0, 0xC2, 0xCA, 0xCB, 0xCC, 0xD0
_write: Final = msgspec.msgpack.Encoder().encode


class CborForm:
    """CBOR (RFC 8949)."""

    def null(self) -> bytes:
        """Simple value 22."""
        return b"\xf6"

    def boolean(self, value: bool) -> bytes:
        """Simple values 20 and 21."""
        return b"\xf5" if value else b"\xf4"

    def integer(self, value: int, width: int | None) -> bytes:
        """Of any size; the argument in 1 << width bytes."""
        if width is None:
            return cbor.encode(value)
        head = bytes([(0 if value >= 0 else 1) << 5 | 24 + width])
        return head + _in(value if value >= 0 else -1 - value, 1 << width, value)

    def floating(self, value: float, width: int | None) -> bytes:
        """The shortest that says the same, or the width told."""
        if width is None:
            width = 1 if math.isnan(value) else next(at for at, form in _FLOATS.items() if _exact(value, form))
        return bytes([0xF8 + width]) + _float(value, width)

    def string(self, value: str) -> bytes:
        """UTF-8."""
        return cbor.encode(value)

    def binary(self, value: bytes) -> bytes:
        """A byte string."""
        return cbor.head(cbor.BYTES, len(value)) + value

    def array(self, items: list[bytes], *, endless: bool) -> bytes:
        """Its length first, or a break behind it."""
        return _contained(cbor.ARRAY, len(items), items, endless=endless)

    def pairs(self, parts: list[bytes], *, endless: bool) -> bytes:
        """As `array`, keys and values in turn."""
        return _contained(cbor.MAP, len(parts) // 2, parts, endless=endless)

    def tagged(self, tag: int, value: bytes) -> bytes:
        """A tag of at most 64 bits."""
        if tag.bit_length() > 64:  # noqa: PLR2004 - what a head holds
            raise Unfit(f"{shown(tag)} does not fit: a tag has 64 bits at most")
        return cbor.head(cbor.TAG, tag) + value

    def simple(self, number: int) -> bytes:
        """One of 256, but for those that are reserved."""
        if number not in range(256) or number in _NO_SIMPLE:
            raise Unfit(f"simple({number}) does not fit: there are 0 to 23 and 32 to 255")
        return cbor.head(cbor.SIMPLE, number)

    def extension(self, code: int, data: bytes) -> bytes:  # noqa: ARG002 - as in `Form`
        """CBOR has none."""
        raise Unfit("CBOR has tags instead of extensions: 37(h'01 ff')")

    def timestamp(self, text: str) -> bytes:
        """CBOR has tags for times."""
        raise Unfit(f'CBOR writes a time as 0("{text}") or as 1(seconds)')


class MsgpackForm:
    """MessagePack, with timestamps as extension -1."""

    def null(self) -> bytes:
        """Nil."""
        return bytes([_NIL])

    def boolean(self, value: bool) -> bytes:
        """False and true."""
        return bytes([_FALSE + value])

    def integer(self, value: int, width: int | None) -> bytes:
        """Of 64 bits at most; negative ones signed, others unsigned."""
        if not -(1 << 63) <= value < 1 << 64:
            raise Unfit(f"{shown(value)} does not fit: MessagePack has whole numbers of 64 bits")
        if width is None:
            return _write(value)
        code = (_UNSIGNED if value >= 0 else _SIGNED) + width
        return bytes([code]) + _in(value, 1 << width, value, signed=value < 0)

    def floating(self, value: float, width: int | None) -> bytes:
        """A double, or a single where that is told."""
        if width not in {None, _SINGLE, _DOUBLE}:
            raise Unfit("MessagePack has floats of 4 bytes (_2) and of 8 (_3)")
        width = width or _DOUBLE
        return bytes([_SINGLE_FLOAT if width == _SINGLE else _DOUBLE_FLOAT]) + _float(value, width)

    def string(self, value: str) -> bytes:
        """UTF-8."""
        return _write(value)

    def binary(self, value: bytes) -> bytes:
        """The bin family."""
        return _write(value)

    def array(self, items: list[bytes], *, endless: bool) -> bytes:
        """Its length first."""
        _refuse(endless=endless)
        return _headed(len(items), 0x90, 0xDC) + b"".join(items)

    def pairs(self, parts: list[bytes], *, endless: bool) -> bytes:
        """As `array`, keys and values in turn."""
        _refuse(endless=endless)
        return _headed(len(parts) // 2, 0x80, 0xDE) + b"".join(parts)

    def tagged(self, tag: int, value: bytes) -> bytes:  # noqa: ARG002 - as in `Form`
        """MessagePack has none."""
        raise Unfit("MessagePack has extensions instead of tags: ext(5, h'01 ff')")

    def simple(self, number: int) -> bytes:  # noqa: ARG002 - as in `Form`
        """MessagePack has none."""
        raise Unfit("MessagePack has null, true and false, nothing besides")

    def extension(self, code: int, data: bytes) -> bytes:
        """A type of one byte, and its data."""
        if not -128 <= code <= 127:  # noqa: PLR2004 - what a signed byte holds
            raise Unfit(f"{code} does not fit: the type of an extension is -128 to 127")
        return _write(msgspec.msgpack.Ext(code, data))

    def timestamp(self, text: str) -> bytes:
        """As short as the time allows."""
        try:
            time = datetime.fromisoformat(text)
        except ValueError:
            raise Unfit(f"{shown(text)} is no time such as 2026-11-21T18:00:00Z") from None
        if time.tzinfo is None:
            raise Unfit(f"{shown(text)} names no zone: Z or +02:00 belongs behind it")
        return _write(time)


def _contained(major: int, count: int, parts: list[bytes], *, endless: bool) -> bytes:
    body = b"".join(parts)
    return bytes([major << 5 | 31]) + body + b"\xff" if endless else cbor.head(major, count) + body


def _headed(count: int, short: int, long: int) -> bytes:
    """The length of an array or a map: in the code, or in 2 or 4 bytes behind it."""
    if count < 16:  # noqa: PLR2004 - what four bits hold
        return bytes([short | count])
    return bytes([long]) + count.to_bytes(2) if count < 1 << 16 else bytes([long + 1]) + count.to_bytes(4)


def _refuse(*, endless: bool) -> None:
    if endless:
        raise Unfit("MessagePack tells the length of everything: [_ and {_ are for CBOR")


def _in(number: int, size: int, value: int, *, signed: bool = False) -> bytes:
    try:
        return number.to_bytes(size, signed=signed)
    except OverflowError:
        raise Unfit(f"{shown(value)} does not fit into {size * 8} bits") from None


def _exact(value: float, form: str) -> bool:
    try:
        return bool(struct.unpack(form, struct.pack(form, value))[0] == value)
    except OverflowError:
        return False


def _float(value: float, width: int) -> bytes:
    form = _FLOATS.get(width)
    if form is None or not (math.isnan(value) or _exact(value, form)):
        raise Unfit(f"{shown(value)} does not fit into {8 << width} bits")
    return struct.pack(form, value)
