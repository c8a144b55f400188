r"""Make text from outside safe to show: the one choke point before any terminal.

Payloads, topics, headers, close reasons, error texts, URLs, file names: every string that this program did not write
passes through here on its way to a row, cell, label, toast, title or terminal output. What comes out holds no
character that a terminal interprets or that hides others: each becomes a visible stand-in.

    C0, DEL                                   control pictures: ␛ ␀ ␡
    C1, bidi, zero-width, tags, unassigned    escapes: \x9b \u202e \U000e0041
    lone surrogates                           \ud800
    bytes that are not UTF-8                  \xff
    unusual spaces                            plain spaces of the same width
    more than eight marks on one base         escapes from the ninth on

Cleaning is for eyes. Copying, piping and exporting use the bytes.
"""

from __future__ import annotations

import codecs
import re
import unicodedata
from collections.abc import Iterator
from typing import Final

MARKS: Final = 8
"""Combining marks shown on one base character; Vietnamese needs two, Tibetan and Hebrew up to five."""

_ZWJ: Final = "\u200d"
_PICTOGRAPH: Final = (
    "\u00a9\u00ae\u203c\u2049\u2122\u2139\u2194-\u21aa\u231a-\u23ff\u24c2\u25aa-\u27bf\u2934\u2935\u2b05-\u2b55"
    "\u3030\u303d\u3297\u3299\U0001f000-\U0001faff"
)
_PLAIN: Final = re.compile(
    "[\t\n -\u02ff\u0370-\u0482\u048a-\u0590"
    "\u1e00-\u1fff\u2010-\u20cf\u2100-\u2cee\u3030-\u3098\u309b-\u3163\u3165-\ua66e"
    "\uac00-\ud7a3\uf900-\ufb1d\uff01-\uff9f\uffa1-\uffef\U0001f000-\U0001faff\U00020000-\U0003ffff]*"
)
"""Blocks in which whatever is printable also takes up room: Latin, Greek, Cyrillic, CJK, kana, Hangul, emoji."""
_STRAY: Final = re.compile(
    # A joiner or an emoji selector that does not stand where one belongs could hide in a word.
    f"(?<![{_PICTOGRAPH}\ufe0f]){_ZWJ}|{_ZWJ}(?![{_PICTOGRAPH}])|(?<![{_PICTOGRAPH}])[\ufe0e\ufe0f](?!\u20e3)"
)
_FILLERS: Final = frozenset("\u115f\u1160\u3164\uffa0\u034f\u17b4\u17b5\u180b\u180c\u180d\u180f")
"""Printable by the letter of Unicode, and blank or without width all the same."""


def clean(text: str) -> str:
    """`text` on one line: newline and tab become ␊ and ␉ like other controls."""
    if text.isascii() and text.isprintable():
        return text
    if text.isprintable() and _PLAIN.fullmatch(text):
        return text
    return _marked(text.translate(_ROW))


def clean_block(text: str) -> str:
    """`text` with its newlines and tabs."""
    return _marked(text.translate(_BLOCK))


def clean_bytes(data: bytes, limit: int = 4096) -> str:
    r"""The first `limit` bytes on one line: UTF-8 where valid, `\xff` where not."""
    return clean(decode(data, limit))


def decode(data: bytes, limit: int | None = None) -> str:
    """The first `limit` bytes as text that is *not yet* clean; a character that the limit cuts in two is left out."""
    if limit is None or len(data) <= limit:
        return data.decode("utf-8", "backslashreplace")
    return codecs.utf_8_decode(data[:limit], "backslashreplace", False)[0]


def clip(text: str, cells: int) -> str:
    """Clean `text` cut to at most `cells` terminal cells, the last of them "…" if something is missing."""
    if text.isascii():
        return text if len(text) <= cells else text[: max(cells - 1, 0)] + "…"[:cells]
    if 2 * len(text) <= cells:
        return text
    used = fits = 0
    for end, width in _clusters(text):
        used += width
        if used > cells:
            return text[:fits] + "…"[:cells]
        if used < cells:  # the ellipsis would still have room behind this one
            fits = end
    return text


def clip_middle(text: str, cells: int) -> str:
    """Clean `text` cut to at most `cells` cells with "…" in its middle: names of one family differ at the end."""
    if cells < 3 or cell_width(text) <= cells:  # noqa: PLR2004 - one cell each for head, ellipsis, tail
        return clip(text, cells)
    head, tail = cells // 3, cells - 1 - cells // 3
    if text.isascii():
        return f"{text[:head]}…{text[-tail:]}"
    begin = 0
    for end, width in _clusters(text):
        head -= width
        if head < 0:
            break
        begin = end
    left = cell_width(text)
    for end, width in _clusters(text):
        left -= width
        if left <= tail:
            return f"{text[:begin]}…{text[end:]}"
    return text


def cell_width(text: str) -> int:
    """How many terminal cells clean `text` takes."""
    if text.isascii():
        return len(text)
    return sum(width for _, width in _clusters(text))


def reach(text: str, start: int, cells: int) -> int:
    """Where to end a row of clean `text` that begins at `start` and has `cells` cells; always past one character."""
    if text.isascii():
        return min(start + max(cells, 1), len(text))
    used, fits = 0, start
    # Eight marks on each base would be more than this; such a row only ends early.
    for end, width in _clusters(text[start : start + 4 * cells + 16]):
        used += width
        if used > cells:
            break
        fits = start + end
    return fits if fits > start else start + 1


def _clusters(text: str) -> Iterator[tuple[int, int]]:
    """What a terminal draws as one: a base with its marks, or emoji joined to one picture; (where it ends, cells)."""
    cells = -1  # of the cluster being gathered; -1 before the first
    joined = False
    for place, char in enumerate(text):
        width = _WIDTHS[char]
        if cells >= 0 and (width == 0 or joined or "\U0001f3fb" <= char <= "\U0001f3ff"):
            cells = 2 if char == "\ufe0f" else cells
        else:
            if cells >= 0:
                yield place, cells
            cells = width
        joined = char == _ZWJ
    if cells >= 0:
        yield len(text), cells


def _marked(text: str) -> str:
    """`text` with stray joiners escaped and the marks on one base limited."""
    if _PLAIN.fullmatch(text):
        return text
    text = _STRAY.sub(_escaped, text)
    out = []
    marks = MARKS  # a mark at the start of a line would sit on what stands before the text
    for char in text:
        if _WIDTHS[char]:
            marks = 0
        elif char in "\n\t":
            marks = MARKS
        else:
            marks += 1
        out.append(char if marks <= MARKS else _escape(char))
    return "".join(out)


def _escaped(found: re.Match[str]) -> str:
    return _escape(found[0])


def _escape(char: str) -> str:
    return char.encode("ascii", "backslashreplace").decode()


def _shown(char: str) -> str:
    """What stands for one character that is not a C0 control."""
    if char in _FILLERS or "\ufe00" <= char <= "\ufe0d" or "\U000e0100" <= char <= "\U000e01ef":
        return _escape(char)
    if char.isprintable() or char == _ZWJ:
        return char
    if unicodedata.category(char) == "Zs":
        return "  " if unicodedata.east_asian_width(char) == "F" else " "
    return _escape(char)


class _Table(dict[int, str]):
    """A table for `str.translate` that fills itself: all of Unicode would take 0.3 s to build."""

    def __missing__(self, code: int) -> str:
        self[code] = shown = _shown(chr(code))
        return shown


class _Widths(dict[str, int]):
    """Cells per character: 0, 1 or 2."""

    def __missing__(self, char: str) -> int:
        self[char] = width = _width(char)
        return width


def _width(char: str) -> int:
    if not char.isprintable() or unicodedata.category(char) in {"Mn", "Me"}:
        return 0
    if "\u1160" <= char <= "\u11ff" or "\ud7b0" <= char <= "\ud7ff":
        return 0  # Hangul vowels and finals, drawn into the syllable before them
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


_PICTURES: Final = {code: chr(0x2400 + code) for code in range(0x20)} | {0x7F: "␡"}
_ROW: Final = _Table(_PICTURES)
_BLOCK: Final = _Table({**_PICTURES, 0x09: "\t", 0x0A: "\n"})
_WIDTHS: Final = _Widths()
