"""Bytes as they are written where text is typed: hex and base64."""

from __future__ import annotations

import base64
import binascii
import re
from typing import Final, Literal, TypeAlias

from rtui.core.clean import clean

Notation: TypeAlias = Literal["hex", "base64"]

_NOT_HEX: Final = re.compile(r"[^0-9a-fA-F\s]")
_NOT_BASE64: Final = re.compile(r"[^A-Za-z0-9+/=\s]")


class Miswritten(ValueError):
    """A text is not what it should be; the words say where, and can be shown."""

    def __init__(self, text: str, place: int) -> None:
        super().__init__(text)
        self.place = place
        """Characters before what is wrong; all of them if something is missing at the end."""


def unwrite(text: str, notation: Notation) -> bytes:
    """The bytes that `text` writes. White space between the digits is allowed, and 0x before those of hex.

    Raises:
        Miswritten: if it is not in this notation.
    """
    return _from_hex(text) if notation == "hex" else _from_base64(text)


def _from_hex(text: str) -> bytes:
    start = text.index("0x") + 2 if text.lstrip().startswith("0x") else 0
    if found := _NOT_HEX.search(text, start):
        where = _digits(text[start : found.start()]) + 1
        raise Miswritten(f"not hex: {clean(found[0])!r} at digit {where}", found.start())
    digits = "".join(text[start:].split())
    if len(digits) % 2:
        raise Miswritten("not hex: an odd number of digits", len(text))
    return bytes.fromhex(digits)


def _from_base64(text: str) -> bytes:
    if found := _NOT_BASE64.search(text):
        where = _digits(text[: found.start()]) + 1
        raise Miswritten(f"not base64: {clean(found[0])!r} at character {where}", found.start())
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except binascii.Error as error:
        raise Miswritten(f"not base64: {error}", len(text)) from None


def _digits(text: str) -> int:
    return len("".join(text.split()))
