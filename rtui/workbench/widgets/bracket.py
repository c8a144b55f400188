"""Brackets of JSON that is being written: which belongs to which, and how deep a new line begins. No widgets here."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

REACH: Final = 50_000
"""Characters that are looked through for a partner."""
STEP: Final = "  "
_PARTNERS: Final = {"{": "}", "[": "]"}
_CLOSING: Final = {closing: opening for opening, closing in _PARTNERS.items()}
_STRING: Final = re.compile(r'"(?:[^"\\]|\\.)*"?')
_BRACKET: Final = re.compile(r"[{}\[\]]")

Place = tuple[int, int]
"""Row and column."""


def partner(lines: Sequence[str], row: int, column: int) -> Place | None:
    """The bracket that opens or closes with the one at a place; None if there is no bracket, or it is in a text."""
    here = _bare(lines[row])[column : column + 1] if row < len(lines) else ""
    if here in _PARTNERS:
        return _seek(_onwards(lines, row, column), here, _PARTNERS[here])
    if here in _CLOSING:
        return _seek(_backwards(lines, row, column), here, _CLOSING[here])
    return None


def new_line(before: str, after: str) -> tuple[str, int]:
    """What enter inserts between `before` and `after` on a line, and how many of its characters the cursor skips."""
    margin = _margin(before)
    if before.rstrip()[-1:] not in _PARTNERS:
        return f"\n{margin}", 1 + len(margin)
    deeper = f"\n{margin}{STEP}"
    closes = after.lstrip()[:1] == _PARTNERS[before.rstrip()[-1]]
    return (f"{deeper}\n{margin}" if closes else deeper), len(deeper)


def outdent(before: str, typed: str) -> int:
    """How many blanks go when `typed` closes a bracket on a line where only `before` stands."""
    if typed not in _CLOSING or before.strip(" "):
        return 0
    return min(len(before), len(STEP))


def _seek(brackets: Iterator[tuple[str, Place]], here: str, wanted: str) -> Place | None:
    """Where as many `wanted` as `here` were met. Other kinds are left out: nesting may be wrong meanwhile."""
    depth = 0
    for char, place in brackets:
        depth += (char == here) - (char == wanted)
        if not depth:
            return place
    return None


def _onwards(lines: Sequence[str], row: int, column: int) -> Iterator[tuple[str, Place]]:
    seen = 0
    for place in range(row, len(lines)):
        for found in _BRACKET.finditer(_bare(lines[place]), column if place == row else 0):
            yield found[0], (place, found.start())
        seen += len(lines[place])
        if seen > REACH:
            return


def _backwards(lines: Sequence[str], row: int, column: int) -> Iterator[tuple[str, Place]]:
    seen = 0
    for place in range(row, -1, -1):
        bare = _bare(lines[place])
        for found in reversed(list(_BRACKET.finditer(bare, 0, column + 1 if place == row else len(bare)))):
            yield found[0], (place, found.start())
        seen += len(bare)
        if seen > REACH:
            return


def _bare(line: str) -> str:
    """A line with blanks in place of its texts."""
    return _STRING.sub(lambda found: " " * len(found[0]), line) if len(line) <= REACH else ""


def _margin(line: str) -> str:
    return line[: len(line) - len(line.lstrip(" \t"))]
