"""What stands on the terminal, so that nothing is written twice.

Textual paints whole widgets, and the whole screen whenever a dialog or a pane comes or goes; each piece of text comes
with all of its colours and a reset. At 140×40 that is up to 35 kB for one key: a third of a second on a line of
1 Mbit/s. Most of it is on the screen already. So what is to be written is read here, compared cell by cell with what
was written before, and only the difference goes out, with the shortest moves and colours that bring it there.

Whatever else passes is left as it is; what may change the screen in another way makes all of it unknown.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final, NamedTuple

from rich.cells import cell_len, get_character_cell_size

_TOKEN: Final = re.compile(
    r"(?:\x1b\[(?P<style>[0-9;]*)m)?(?P<text>[^\x00-\x1f\x7f]+)(?P<reset>\x1b\[0m)?"
    r"|\x1b\[(?P<colours>[0-9;]*)m"
    r"|\x1b\[(?P<row>\d+);(?P<column>\d+)H"
    r"|(?P<idle>\n(?=\x1b\[\d+;\d+H))"
    r"|(?P<harmless>\x1b\[\?(?:2026|25)[hl]|\x1b\](?:52|22|0|2);[^\x07\x1b]*(?:\x07|\x1b\\)|\x07)"
    r"|(?P<other>\x1b\[[0-9;?<>=]*[ -/]*[@-~]|[\x00-\x1f\x7f])"
)
"""`idle` is a line feed in front of a move; `harmless` (OSC: clipboard,
pointer, titles) leaves cells, cursor and colours alone."""
_COLOUR: Final = re.compile(r"(?:^|;)((?:38|48);(?:5;\d+|2;\d+;\d+;\d+)|(?:[349]|10)\d)(?=;|$)")
_BACKGROUNDS: Final = ("4", "10")


class Pen(NamedTuple):
    """How text is written: attributes and colours, each as parameters of SGR (ECMA-48, 8.3.117)."""

    attributes: str = ""
    text: str = ""
    ground: str = ""


PLAIN: Final = Pen()
MOST_PENS: Final = 50_000
"""Below the code points that are no characters."""
UNKNOWN: Final = Pen("?")


@lru_cache(1024)
def _pen(parameters: str) -> Pen:
    """The pen after a reset and `parameters`."""
    colours = _COLOUR.findall(parameters)
    text = next((one for one in reversed(colours) if not one.startswith(_BACKGROUNDS)), "")
    ground = next((one for one in reversed(colours) if one.startswith(_BACKGROUNDS)), "")
    return Pen(_COLOUR.sub("", parameters).strip(";"), text, ground)


NOTHING: Final = "\0"
"""Stands for a cell of which nothing is known, and for its pen."""


@lru_cache(4096)
def _change(held: Pen, wanted: Pen) -> str:
    """The shortest sequence that changes how the terminal writes."""
    if wanted == PLAIN:
        return "\x1b[m"
    changed = list(filter(None, ("0", *wanted)))
    if wanted.attributes == held.attributes:
        colours = (wanted.text or "39", wanted.ground or "49")
        changed = [new for new, was, now in zip(colours, held[1:], wanted[1:], strict=True) if was != now]
    return f"\x1b[{';'.join(changed)}m"


class _Row:
    """The cells of one line, each a character in two strings: what stands there, and the number of its pen."""

    def __init__(self) -> None:
        self.text = self.pens = ""

    def put(self, start: int, text: str, pen: str) -> tuple[int, int]:
        """Write `text`; returns which part of it was not there yet, (0, 0) if all of it was."""
        end, pens = start + len(text), pen * len(text)
        old = self.text[start:end]
        same_pens = self.pens[start:end] == pens
        if same_pens and old == text:
            return 0, 0
        before = NOTHING * (start - len(self.text))
        self.text = f"{self.text[:start]}{before}{text}{self.text[end:]}"
        self.pens = f"{self.pens[:start]}{before}{pens}{self.pens[end:]}"
        if not same_pens:
            return 0, len(text)
        first = _alike(old, text)
        return first, len(text) - _alike(old[:first:-1], text[:first:-1])

    def lose(self, start: int) -> None:
        """What stands there and behind it is not known."""
        self.text, self.pens = self.text[:start], self.pens[:start]


def _alike(one: str, other: str) -> int:
    """How many cells at the beginning are the same."""
    same = 0
    for a, b in zip(one, other, strict=False):
        if a != b:
            break
        same += 1
    return same


def _is_single(text: str) -> bool:
    """Whether every character takes one cell, on any terminal that agrees with Textual about one."""
    return text.isascii() or all(get_character_cell_size(char) == 1 for char in text)


class Slate:
    """Reads what is written and says what of it has to be."""

    def __init__(self) -> None:
        self._rows: dict[int, _Row] = {}
        self._place: tuple[int, int] | None = None
        """Where the next text belongs: row and column, from 1. None: wherever the cursor is."""
        self._pen = PLAIN
        self._numbers: dict[Pen, str] = {}
        """Each pen that was used, and the character that stands for it in a row."""
        self._cursor: tuple[int, int] | None = None
        """Where the terminal's cursor is, and below, how it writes."""
        self._held = PLAIN
        self._out: list[str] = []

    def forget(self) -> None:
        """Nothing is known of the screen any more, as after a change of its size."""
        self._rows.clear()
        self._cursor = None

    def write(self, data: str) -> str:
        """`data` without what is on the screen already. Ends with plain colours and the cursor where `data` has it."""
        self._out = []
        at = 0
        for token in _TOKEN.finditer(data):
            if token.start() != at:
                break
            self._take(token)
            at = token.end()
        self._settle()
        if at != len(data):  # half a sequence, or one that is not known
            self._pass(data[at:])
            self._pen, self._held = PLAIN, UNKNOWN
        return "".join(self._out)

    def _take(self, token: re.Match[str]) -> None:
        kind, value = token.lastgroup, token[0]
        if kind in {"text", "reset"}:
            if (style := token["style"]) is not None:
                self._colour(style)
            self._put(token["text"])
            if kind == "reset":
                self._pen = PLAIN
        elif kind == "colours":
            self._colour(token["colours"])
        elif kind == "column":
            self._place = (int(token["row"]), int(token["column"]))
        elif kind == "harmless":
            self._out.append(value)
        elif kind == "other":
            self._settle()
            self._pass(value)

    def _pass(self, data: str) -> None:
        """Something that may do anything to the screen."""
        self._out.append(data)
        self.forget()
        self._place = None

    def _colour(self, parameters: str) -> None:
        if parameters.strip("0") == "":
            self._pen = PLAIN
        elif self._pen == PLAIN:
            self._pen = _pen(parameters)
        else:
            self._pen = _pen(";".join(filter(None, (*self._pen, parameters))))

    def _put(self, text: str) -> None:
        if self._place is None:
            self._hold(self._pen)
            self._pass(text)
            return
        number, column = self._place
        row = self._rows.setdefault(number, _Row())
        if not _is_single(text):
            self._put_wide(row, text)
            return
        first, last = row.put(column, text, self._number_of(self._pen))
        self._place = (number, column + len(text))
        if last > first:
            self._move(number, column + first)
            self._hold(self._pen)
            self._out.append(text[first:last])
            self._cursor = (number, column + last)

    def _number_of(self, pen: Pen) -> str:
        if pen not in self._numbers:
            if len(self._numbers) == MOST_PENS:
                self._rows.clear()
                self._numbers.clear()
            self._numbers[pen] = chr(len(self._numbers) + 1)
        return self._numbers[pen]

    def _put_wide(self, row: _Row, text: str) -> None:
        """Terminals differ in how wide some characters are: what comes behind such text is written in any case."""
        assert self._place is not None  # noqa: S101 - asked by who calls
        number, column = self._place
        row.lose(column)
        self._move(number, column)
        self._hold(self._pen)
        self._out.append(text)
        self._cursor = None
        self._place = (number, column + cell_len(text))

    def _move(self, row: int, column: int) -> None:
        if self._cursor == (row, column):
            return
        at_row, at_column = self._cursor or (0, 0)
        ahead = at_row == row and at_column < column
        self._out.append(f"\x1b[{column - at_column}C" if ahead else f"\x1b[{row};{column}H")
        self._cursor = (row, column)

    def _hold(self, pen: Pen) -> None:
        if pen != self._held:
            self._out.append(_change(self._held, pen))
            self._held = pen

    def _settle(self) -> None:
        """Bring the terminal to where its program believes it to be."""
        self._hold(self._pen)
        if self._place is not None:
            self._move(*self._place)
