"""What changed between two payloads: JSON by the rows of its tree, text by lines, bytes by rows of hexadecimal.

White space and the commas of JSON are no change; a changed row stands twice, as it was (-) and as it is (+). Long
stretches that are alike are folded. Comparing is bounded: beyond, a sentence says so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from difflib import SequenceMatcher
from itertools import groupby
from typing import Final, Literal, NamedTuple, TypeAlias

from rtui.payloads.base import Document, Line, Span, Unreadable, is_text
from rtui.payloads.hex import HexDocument
from rtui.payloads.json import VALUE_LIMIT, JsonTree, JsonView
from rtui.payloads.text import TextDocument

MAX_BYTES: Final = 1 << 20
"""Bytes of either payload that are compared."""
MAX_ROWS: Final = 250_000
"""Rows of either payload that are compared: those of a million bytes of JSON, and of text in short lines."""
MAX_PAIRS: Final = 400_000
"""Rows times rows between the first and the last change that are paired: a second at most, of what is alike least."""
REFITTED: Final = 10_000
"""Rows that are compared anew when the width changes: more would hold up the screen."""
BATCH: Final = 1_000
"""Rows that are made at a time."""
CONTEXT: Final = 3
"""Rows alike that are shown beside a change."""
SIGN: Final = 2
"""Cells in front of a row."""

Sign: TypeAlias = Literal[" ", "-", "+", "…"]
Token: TypeAlias = str | bytes | tuple[str, bytes]
"""What makes two rows alike."""


class Row(NamedTuple):
    """A row of the comparison: one of the newer payload, or of the older where it was removed."""

    sign: Sign
    at: int
    """Its number in its payload."""
    hidden: int = 1
    """Rows that "…" stands for."""


class Side:
    """One of the two payloads, as rows that can be told apart."""

    def __init__(self, document: Document, tokens: Sequence[Token], lines: Callable[[int], Line]) -> None:
        self.document = document
        self.tokens = tokens
        self.line = lines


class DiffDocument(Document):
    """Two payloads as one document. The first row counts what changed."""

    def __init__(self, old: bytes, new: bytes, told: str = "") -> None:
        """`told` says what `new` is compared with; it stands in the first row."""
        self.problem = ""
        """Why nothing, or less than everything, was compared."""
        self._payloads = (old, new)
        self._told = told
        self._width = 0
        self._old = self._new = Side(TextDocument(b""), (), lambda _: [])
        self._rows: list[Row] = []
        self._every: list[Row] = []
        self._short: list[Row] = []
        """All rows, and those with what is alike hidden: kept, for making them anew takes 100 ms of a megabyte."""
        self._opened: dict[int, int] = {}
        """Stretches that were shown again: their first row and how many they are."""
        self._changes = (0, 0)
        self._compare()

    # Comparing

    def _compare(self) -> None:
        self._rows, self._every, self._short, self._changes = [], [], [], (0, 0)
        old, new = self._payloads
        self.problem = _too_large(old, new)
        if self.problem:
            return
        self._old, self._new = _sides(old, new, self._width)
        self.problem = _too_long(len(self._old.tokens), len(self._new.tokens))
        if self.problem:
            return
        blocks, exact = _blocks(self._old.tokens, self._new.tokens)
        if not exact:
            self.problem = "too much changed to pair the rows"
        self._every = [row for block in blocks for row in _rows(*block)]
        signs = [row.sign for row in self._every]
        self._changes = (signs.count("-"), signs.count("+"))
        self._short = list(_folded(self._every))
        self._show(self._short)

    def _show(self, rows: list[Row]) -> None:
        """Show all rows, or what is alike hidden but for a few rows beside each change."""
        self._rows = rows[:]
        self._opened.clear()

    @property
    def summary(self) -> str:
        """How much changed, in words."""
        removed, added = self._changes
        old, new = self._payloads
        if old == new:
            return "the same bytes"
        if self.problem and not self._rows:
            return f"{self.problem}; the first difference is at byte {_first_difference(old, new):,}"
        if not removed and not added:
            return "the same values, written differently"
        words = f"{removed:,} removed, {added:,} added"
        return f"{words} · {self.problem}" if self.problem else words

    # Rows

    @property
    def height(self) -> int:
        """See `Document`."""
        return 1 + len(self._rows)

    def lines(self, first: int, count: int) -> list[Line]:
        """See `Document`."""
        first = max(first, 0)
        shown = [self._line(row) for row in self._rows[max(first - 1, 0) : max(first - 1 + count, 0)]]
        return [self._heading(), *shown][:count] if first == 0 else shown

    def _heading(self) -> Line:
        return [("dim", f"{self._told}: {self.summary}" if self._told else self.summary)]

    def _line(self, row: Row) -> Line:
        if row.sign == "…":
            return [("dim", f"▸ {row.hidden:,} rows alike")]
        if row.sign == " ":
            return [("text", "  "), *self._new.line(row.at)]
        side = self._old if row.sign == "-" else self._new
        text = "".join(text for _, text in side.line(row.at))
        return [("removed" if row.sign == "-" else "added", f"{row.sign} {text}")]

    def reflow(self, width: int) -> bool:
        """Cut text and bytes to the width, and compare anew: the rows are others. Very many stay as they are cut."""
        wanted = max(width - SIGN, 8)
        if self._width and len(self._new.tokens) > REFITTED:
            return False
        if wanted == self._width or isinstance(self._new.document, JsonTree) or not self._rows:
            return False
        self._width = wanted
        self._compare()
        return True

    # Folding

    def foldable(self, row: int) -> bool:
        """Rows that stand for others, and the first of those others when they are shown."""
        if not 0 < row <= len(self._rows):
            return False
        found = self._rows[row - 1]
        return found.sign == "…" or (found.sign == " " and found.at in self._opened)

    def toggle(self, row: int) -> bool:
        """Show what the row stands for, or hide it again."""
        if not self.foldable(row):
            return False
        found = self._rows[row - 1]
        if found.sign == "…":
            self._opened[found.at] = found.hidden
            self._rows[row - 1 : row] = _parts(found)
        else:
            hidden = self._opened.pop(found.at)
            self._rows[row - 1 : row - 1 + hidden] = [Row("…", found.at, hidden)]
        return True

    def fold_below(self, depth: int) -> bool:
        """A small depth hides what is alike, a huge one shows everything."""
        self._show(self._every if depth > 1 else self._short)
        return True

    # What stands behind a row

    def path(self, row: int) -> str | None:
        """Where it is in its payload."""
        found = self._find(row)
        return None if found is None else found[0].document.path(found[1])

    def value(self, row: int) -> bytes:
        """The bytes of the row in its payload; on the first row, what it says."""
        if row == 0:
            return self.summary.encode()
        found = self._find(row)
        return b"" if found is None else found[0].document.value(found[1])

    def _find(self, row: int) -> tuple[Side, int] | None:
        if not 0 < row <= len(self._rows) or self._rows[row - 1].sign == "…":
            return None
        found = self._rows[row - 1]
        return (self._old if found.sign == "-" else self._new), found.at


# Rows of a payload


def _sides(old: bytes, new: bytes, width: int) -> tuple[Side, Side]:
    """Both in the best way that suits both."""
    json = JsonView()
    if json.claim(old, {}) and json.claim(new, {}):
        try:
            return _json_side(JsonTree(old)), _json_side(JsonTree(new))
        except Unreadable:
            pass  # a claim is made from a glance
    if is_text(old) and is_text(new):
        return _plain_side(TextDocument(old), width), _plain_side(TextDocument(new), width)
    return _plain_side(HexDocument(old), width), _plain_side(HexDocument(new), width)


def _json_side(tree: JsonTree) -> Side:
    if tree.height > MAX_ROWS:
        return Side(tree, ("",) * tree.height, lambda _: [])  # will only be counted
    tokens = [_json_token(tree, row, line) for row, line in _numbered(tree)]
    return Side(tree, tokens, lambda row: _unmarked(tree.lines(row, 1)[0]))


def _numbered(tree: JsonTree) -> Iterator[tuple[int, Line]]:
    """Each row; a few at a time, for all of them need a hundred times the memory of their text."""
    for first in range(0, tree.height, BATCH):
        yield from enumerate(map(_unmarked, tree.lines(first, BATCH)), first)


def _unmarked(line: Line) -> Line:
    """A row of the tree without the sign that it can be folded."""
    style, text = line[0]
    first: Span = ("text", text.replace("▾", " ")) if style == "dim" else line[0]
    return [first, *line[1:]]


def _json_token(tree: JsonTree, row: int, line: Line) -> Token:
    """What the row says, but for a comma at its end; with its bytes where it shows only the beginning of them."""
    end = len(line) - 1 if line[-1] == ("punct", ",") else len(line)
    text = "".join(text for _, text in line[:end])
    if len(text) >= VALUE_LIMIT and tree.kind(row) in {"string", "number"}:
        return text, tree.value(row)
    return text


def _plain_side(document: TextDocument | HexDocument, width: int) -> Side:
    if width:
        document.reflow(width)
    count = min(document.height, MAX_ROWS + 1)
    tokens = [document.value(row) for row in range(count)]
    return Side(document, tokens, lambda row: document.lines(row, 1)[0])


# Which rows are alike

Block: TypeAlias = tuple[bool, range, range]
"""Whether alike; rows of the older, rows of the newer payload."""


def _blocks(old: Sequence[Token], new: Sequence[Token]) -> tuple[list[Block], bool]:
    """Stretches of rows, alike or not; and whether every row was paired as well as can be."""
    ends = min(len(old), len(new))
    head = next((at for at in range(ends) if old[at] != new[at]), ends)
    tail = next((at for at in range(ends - head) if old[-1 - at] != new[-1 - at]), ends - head)
    removed, added = range(head, len(old) - tail), range(head, len(new) - tail)
    exact = len(removed) * len(added) <= MAX_PAIRS
    if exact:
        between = list(_matched(old, new, removed, added))
    else:
        between = list(_aligned(old, new, removed, added))
        exact = len(between) > 1
    before: Block = (True, range(head), range(head))
    after: Block = (True, range(removed.stop, len(old)), range(added.stop, len(new)))
    return [before, *between, after], exact


def _matched(old: Sequence[Token], new: Sequence[Token], removed: range, added: range) -> Iterator[Block]:
    matcher = SequenceMatcher(None, old[removed.start : removed.stop], new[added.start : added.stop], autojunk=False)
    for tag, old_first, old_end, new_first, new_end in matcher.get_opcodes():
        yield tag == "equal", removed[old_first:old_end], added[new_first:new_end]


def _aligned(old: Sequence[Token], new: Sequence[Token], removed: range, added: range) -> Iterator[Block]:
    """Row by row, where both have as many rows and most are alike: other values in a large payload of one shape."""
    alike = [old[was] == new[now] for was, now in zip(removed, added, strict=False)]
    if len(removed) != len(added) or sum(alike) <= len(alike) // 2:
        yield False, removed, added
        return
    at = 0
    for same, stretch in groupby(alike):
        end = at + sum(1 for _ in stretch)
        yield same, removed[at:end], added[at:end]
        at = end


def _rows(alike: bool, removed: range, added: range) -> Iterator[Row]:
    """Rows that were changed one by one stand in pairs; otherwise what went stands before what came."""
    if alike:
        yield from (Row(" ", at) for at in added)
    elif len(removed) == len(added):
        for was, now in zip(removed, added, strict=True):
            yield Row("-", was)
            yield Row("+", now)
    else:
        yield from (Row("-", at) for at in removed)
        yield from (Row("+", at) for at in added)


def _folded(rows: Sequence[Row]) -> Iterator[Row]:
    """`rows` with long stretches that are alike put into one."""
    at = 0
    while at < len(rows):
        end = next((place for place in range(at, len(rows)) if rows[place].sign != " "), len(rows))
        first = at + CONTEXT if at else 0
        last = end - CONTEXT if end < len(rows) else end
        if last - first > 1:
            yield from rows[at:first]
            yield Row("…", rows[first].at, last - first)
            yield from rows[last:end]
        else:
            yield from rows[at:end]
        if end < len(rows):
            yield rows[end]
        at = end + 1


def _parts(row: Row) -> list[Row]:
    return [Row(" ", row.at + step) for step in range(row.hidden)] if row.sign == "…" else [row]


# Bounds


def _too_large(old: bytes, new: bytes) -> str:
    if max(len(old), len(new)) <= MAX_BYTES:
        return ""
    return f"{len(old):,} and {len(new):,} bytes are too many to compare (at most {MAX_BYTES:,})"


def _too_long(old: int, new: int) -> str:
    return f"more than {MAX_ROWS:,} rows are too many to compare" if max(old, new) > MAX_ROWS else ""


def _first_difference(old: bytes, new: bytes) -> int:
    """The first byte that differs: halves are compared, not bytes one by one."""
    low, high = 0, min(len(old), len(new))
    while low < high:
        middle = (low + high + 1) // 2
        if old[low:middle] == new[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low
