"""Colours for a payload that is being written: which part of a line is what. Pure, and one line at a time.

JSON allows no line break within a token, so that no line needs to know of another. Bytes as the notation of binary
formats writes them are coloured as strings are.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final, NamedTuple

LONGEST: Final = 4_096
"""Characters of a line that is coloured: every row that it fills on the screen is drawn from all of it."""

_JSON: Final = re.compile(
    r"""(?P<key>"(?:[^"\\]|\\.)*"(?=\s*:))
    |(?P<string>"(?:[^"\\]|\\.)*"?|\b(?:h|b64)'[^']*'?)
    |(?P<number>-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)
    |(?P<null>\b(?:true|false|null)\b)""",
    re.VERBOSE,
)
TEMPLATE: Final = re.compile(r"\{\{.*?(?:\}\}|$)|\{%.*?(?:%\}|$)")
_WRONG: Final = {
    "hex": re.compile(r"[^0-9a-fA-F\s]"),
    "base64": re.compile(r"[^A-Za-z0-9+/=\s]"),
}
_PREFIX: Final = re.compile(r"\s*0x")
STYLES: Final = ("key", "string", "number", "null", "template", "wrong")


class Span(NamedTuple):
    """A part of a line, from one character to another."""

    start: int
    end: int
    style: str
    """One of `STYLES`."""


@lru_cache(maxsize=256)
def ink(line: str, kind: str, *, first: bool = False) -> tuple[Span, ...]:
    """The parts of a line of a `kind` of payload ("json", "hex", …); `first` of all lines, where `0x` may stand."""
    if len(line) > LONGEST:
        return ()
    if kind in _WRONG:
        found = _PREFIX.match(line) if first and kind == "hex" else None
        return tuple(_wrong(line, kind, found.end() if found else 0))
    tokens = _tokens(line) if kind == "json" else []
    return (*tokens, *(Span(*found.span(), "template") for found in TEMPLATE.finditer(line)))


def _tokens(line: str) -> list[Span]:
    return [Span(*found.span(), found.lastgroup or "") for found in _JSON.finditer(line)]


def _wrong(line: str, kind: str, start: int) -> list[Span]:
    return [Span(*found.span(), "wrong") for found in _WRONG[kind].finditer(line, start)]
