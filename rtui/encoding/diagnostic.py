"""Text for what JSON cannot say: the diagnostic notation of RFC 8949 (8) and RFC 8610 (G.1), which contains JSON.

    h'01 ff'  b64'Af8='     bytes                     37(h'…')            a tag of CBOR
    {1: "one", h'02': 2}    keys of any type          undefined simple(9) NaN Infinity -Infinity
    1.5_2  7_1  [_ 1, 2]    numbers in 1, 2, 4 or 8 bytes (_0 to _3), containers that end with a break

and of MessagePack, which has no notation of its own: ext(5, h'01') and timestamp("2026-11-21T18:00:00Z").
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Final, Protocol

from rtui.core.notation import Miswritten, unwrite
from rtui.protobuf.unfit import Unfit, shown

DEEPEST: Final = 200
"""Levels of arrays, maps and tags within each other."""

_TOKEN: Final = re.compile(
    r"""(?P<open>[\[{](?:_(?![0-9A-Za-z_]))?)
    |(?P<mark>[\]}():,])
    |(?P<string>"(?:[^"\\\x00-\x1f]|\\.)*")
    |(?P<bytes>(?:h|b64)'[^']*')
    |(?P<number>-?(?:0|[1-9][0-9]*)(?P<part>\.[0-9]+)?(?P<power>[eE][+-]?[0-9]+)?(?P<width>_[0-3])?)
    |(?P<word>(?!(?:h|b64)')-?[A-Za-z]+)
    |(?P<end>\Z)""",
    re.VERBOSE,
)
_BLANK: Final = re.compile(r"[ \t\r\n]*")
_UNFINISHED: Final = {'"': "a string without its end", "h": "bytes are written h'01 ff'", "b": "b64'Af8=' writes bytes"}
_NUMBERS: Final = {"NaN": float("nan"), "Infinity": float("inf"), "-Infinity": float("-inf")}


class Misspelt(Unfit):
    """It goes wrong at one character."""

    def __init__(self, trouble: str, text: str, place: int) -> None:
        line, column = text.count("\n", 0, place) + 1, place - text.rfind("\n", 0, place)
        super().__init__(f"{trouble} at line {line}, column {column}")
        self.place = place
        """Characters before it."""


class Form(Protocol):
    """How a format writes each value. What it cannot hold raises `Unfit`; items, keys and values come written."""

    def null(self) -> bytes:
        """Nothing."""
        ...

    def boolean(self, value: bool) -> bytes:
        """False or true."""
        ...

    def integer(self, value: int, width: int | None) -> bytes:
        """In 1 << width bytes, if that is told."""
        ...

    def floating(self, value: float, width: int | None) -> bytes:
        """As `integer`."""
        ...

    def string(self, value: str) -> bytes:
        """Text."""
        ...

    def binary(self, value: bytes) -> bytes:
        """Bytes."""
        ...

    def array(self, items: list[bytes], *, endless: bool) -> bytes:
        """`endless`: with a break at its end instead of its length."""
        ...

    def pairs(self, parts: list[bytes], *, endless: bool) -> bytes:
        """Keys and values in turn; as `array`."""
        ...

    def tagged(self, tag: int, value: bytes) -> bytes:
        """A value, and what to take it for."""
        ...

    def simple(self, number: int) -> bytes:
        """A value that has only a number."""
        ...

    def extension(self, code: int, data: bytes) -> bytes:
        """Bytes of a type of the user's own."""
        ...

    def timestamp(self, text: str) -> bytes:
        """A time, as in RFC 3339."""
        ...


def write(text: str, form: Form) -> bytes:
    """The bytes that `text` stands for.

    Raises:
        Misspelt: it is no notation, or the format cannot hold what it says.
    """
    reader = _Reader(text, form)
    data = reader.value(DEEPEST)
    if reader.kind != "end":
        raise reader.wrong("nothing may follow the value")
    return data


class _Reader:
    """Goes through the text, one token ahead."""

    def __init__(self, text: str, form: Form) -> None:
        self._text = text
        self._form = form
        self._at = 0
        self.kind = ""
        self._lexeme = ""
        self._found: re.Match[str] | None = None
        self._next(0)

    def wrong(self, trouble: str, place: int | None = None) -> Misspelt:
        """The error, here or at a place before."""
        return Misspelt(trouble, self._text, self._at if place is None else place)

    def value(self, deep: int) -> bytes:
        """The value that begins here, as bytes."""
        if deep == 0:
            raise self.wrong("nested too deeply")
        place, token = self._at, self._lexeme
        try:
            match self.kind:
                case "open":
                    return (self._pairs if token[0] == "{" else self._array)(deep)
                case "number":
                    return self._number(deep)
                case "string":
                    return self._form.string(self._string())
                case "bytes":
                    return self._form.binary(self._bytes())
                case "word":
                    return self._word(place)
                case _:
                    raise self.wrong("a value is missing")
        except Misspelt:
            raise
        except Unfit as error:
            raise self.wrong(error.trouble, place) from None

    def _next(self, start: int) -> None:
        blank = _BLANK.match(self._text, start)
        self._at = blank.end() if blank else start
        self._found = _TOKEN.match(self._text, self._at)
        if self._found is None:
            said = _UNFINISHED.get(self._text[self._at], f"{shown(self._text[self._at])} means nothing here")
            raise self.wrong(said)
        self.kind, self._lexeme = self._found.lastgroup or "", self._found[0]

    def _take(self) -> str:
        token = self._lexeme
        self._next(self._at + len(token))
        return token

    def _expect(self, mark: str) -> None:
        if self._lexeme != mark or self.kind != "mark":
            raise self.wrong(f"{mark} is missing")
        self._take()

    # Containers

    def _array(self, deep: int) -> bytes:
        items: list[bytes] = []
        endless = len(self._take()) > 1
        self._until("]", lambda: items.append(self.value(deep - 1)))
        return self._form.array(items, endless=endless)

    def _pairs(self, deep: int) -> bytes:
        parts: list[bytes] = []
        keys: set[bytes] = set()
        endless = len(self._take()) > 1

        def pair() -> None:
            place, spelt = self._at, self._lexeme
            key = self.value(deep - 1)
            if key in keys:
                raise self.wrong(f"the key {spelt} stands twice", place)
            keys.add(key)
            self._expect(":")
            parts.extend((key, self.value(deep - 1)))

        self._until("}", pair)
        return self._form.pairs(parts, endless=endless)

    def _until(self, end: str, one: Callable[[], None]) -> None:
        """Members with commas between them, up to the bracket."""
        if self._lexeme == end:
            self._take()
            return
        one()
        while self._lexeme == ",":
            self._take()
            one()
        if self._lexeme != end:
            raise self.wrong(f", or {end} is missing")
        self._take()

    # Scalars

    def _number(self, deep: int) -> bytes:
        found, place = self._found, self._at
        token = self._take()
        width = int(found["width"][1]) if found and found["width"] else None
        digits = token if width is None else token[:-2]
        if found and (found["part"] or found["power"]):
            value = float(digits)
            if value in (float("inf"), float("-inf")):
                raise self.wrong("a number is beyond the largest double", place)
            return self._form.floating(value, width)
        try:
            number = int(digits)
        except ValueError:  # Python's own limit
            raise self.wrong("a number has too many digits", place) from None
        if self._lexeme != "(" or number < 0 or width is not None:
            return self._form.integer(number, width)
        self._take()
        inner = self.value(deep - 1)
        self._expect(")")
        return self._form.tagged(number, inner)

    def _string(self) -> str:
        place = self._at
        try:
            value = str(json.loads(self._take()))
            value.encode()
        except UnicodeEncodeError:
            raise self.wrong("half a character (a lone surrogate) cannot be sent", place) from None
        except ValueError:
            raise self.wrong("a string has an unknown escape", place) from None
        return value

    def _bytes(self) -> bytes:
        place, notation = self._at, "hex" if self._lexeme[0] == "h" else "base64"
        skipped = self._lexeme.index("'") + 1
        try:
            return unwrite(self._take()[skipped:-1], "hex" if notation == "hex" else "base64")
        except Miswritten as error:
            raise self.wrong(f"no {notation} between the quotes", place + skipped + error.place) from None

    def _word(self, place: int) -> bytes:
        word = self._take()
        if word in _NUMBERS:
            return self._form.floating(_NUMBERS[word], None)
        match word:
            case "null":
                return self._form.null()
            case "true" | "false":
                return self._form.boolean(word == "true")
            case "undefined":
                return self._form.simple(23)
            case "simple" | "ext" | "timestamp":
                return self._called(word)
            case _:
                raise self.wrong(f'{shown(word)[1:-1]} means nothing; text stands in quotes: "{word}"', place)

    def _called(self, word: str) -> bytes:
        """`simple(9)`, `ext(5, h'01')`, `timestamp("…")`."""
        self._expect("(")
        if word == "timestamp":
            if self.kind != "string":
                raise self.wrong('a time belongs here: timestamp("2026-11-21T18:00:00Z")')
            data = self._form.timestamp(self._string())
        else:
            if self.kind != "number" or not self._lexeme.lstrip("-").isdigit():
                raise self.wrong("a whole number belongs here")
            number = int(self._take()[:20])  # more digits fit nowhere either
            data = self._form.simple(number) if word == "simple" else self._extension(number)
        self._expect(")")
        return data

    def _extension(self, code: int) -> bytes:
        self._expect(",")
        if self.kind != "bytes":
            raise self.wrong("bytes belong here: h'01 ff'")
        return self._form.extension(code, self._bytes())
