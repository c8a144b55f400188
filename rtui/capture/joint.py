"""A regular expression asked about many rows at once: the rows stand one after another in one text.

To start the engine takes longer than to search a short row, and each row that SQLite asks Python about costs as much
again. So rows are joined by a character that none of them holds, and the expression is rewritten so that nothing in
it can take that character, and so that it begins and ends a row where it would begin and end the text.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from re import _compiler, _constants, _parser  # type: ignore[attr-defined]
from typing import Any, Final

BETWEEN: Final = "\x7f"
"""Stands between two rows: neither space nor letter, and seldom in text. Rows that hold it are searched alone."""
STEPS: Final = 1e7
"""What the engine may be asked to do for one row, at worst: about a tenth of a second."""
LONGEST: Final = 8 << 10
"""Characters of a row that is joined, whatever the expression."""
_SPAN: Final = 3
"""Rows of the greatest length in one call of the engine, which holds the interpreter's lock."""
_SHORTEST_SPAN: Final = 1 << 10

_CODE: Final = ord(BETWEEN)
_NEGATE: Final = (_constants.NEGATE, None)
_OPPOSITE: Final = {
    _constants.CATEGORY_NOT_DIGIT: _constants.CATEGORY_DIGIT,
    _constants.CATEGORY_NOT_SPACE: _constants.CATEGORY_SPACE,
    _constants.CATEGORY_NOT_WORD: _constants.CATEGORY_WORD,
}
_EDGES: Final = {
    (_constants.AT_BEGINNING, False): rf"(?<![^{BETWEEN}])",
    (_constants.AT_BEGINNING, True): rf"(?<![^\n{BETWEEN}])",
    (_constants.AT_BEGINNING_STRING, False): rf"(?<![^{BETWEEN}])",
    (_constants.AT_END, False): rf"(?=\n?(?:{BETWEEN}|\Z))",
    (_constants.AT_END, True): rf"(?=[\n{BETWEEN}]|\Z)",
    (_constants.AT_END_STRING, False): rf"(?={BETWEEN}|\Z)",
}
"""What stands for an anchor, by whether it is one of lines (the flag "m")."""


def longest(repeats: int) -> int:
    """Characters that a row may have to be joined: more could take an expression with endless repeats too long.

    They can share a row in as many ways as there are places to cut it.
    """
    length = LONGEST
    while math.comb(length + repeats + 1, repeats + 1) > STEPS and repeats:
        length = length * 7 // 8
    return length


class Joint:
    """An expression for joined rows."""

    def __init__(self, source: str, repeats: int) -> None:
        """`source` compiles and has so many endless repeats after one another."""
        tree = _parser.parse(source)
        _Rewriter(tree.state).visit(tree, tree.state.flags)
        tree.data.append(_REST)
        self._matches = _compiler.compile(tree).finditer
        self.longest = longest(repeats)
        self._span = max(_SPAN * self.longest, _SHORTEST_SPAN) if repeats else 8 * LONGEST
        # With an empty row between two others "\B" would hold; in an empty text it does not.
        self._takes_empty = re.search(source, "") is not None

    def finds(self, rows: str) -> list[int]:
        """Which of the joined rows it finds something in, counted from 0."""
        hits: list[int] = []
        row = at = 0
        while at <= len(rows):
            stop = rows.find(BETWEEN, at + self._span)
            stop = len(rows) if stop < 0 else stop
            row = self._find_between(rows, at, stop, row, hits)
            at = stop + 1
        return hits

    def _find_between(self, rows: str, at: int, stop: int, row: int, hits: list[int]) -> int:
        """Search the rows from `at` to `stop`, the first of them numbered `row`; the number of the next row."""
        count, ended = rows.count, -1
        for found in self._matches(rows, at, stop):
            start, end = found.span()
            if start == ended or (start == end and not self._takes_empty and _is_empty(rows, start, at, stop)):
                continue  # an empty match behind the one before, in the same row
            row += count(BETWEEN, at, start)
            hits.append(row)
            at = ended = end
        return row + count(BETWEEN, at, stop) + 1


def _is_empty(rows: str, place: int, first: int, stop: int) -> bool:
    """Whether the row at `place` has no characters."""
    return (place == first or rows[place - 1] == BETWEEN) and (place == stop or rows[place] == BETWEEN)


class _Rewriter:
    """Changes a parsed expression, part by part."""

    def __init__(self, state: Any) -> None:
        self._state = state

    def visit(self, tree: Any, flags: int) -> None:
        """Rewrite the items of `tree`, which hold for `flags`."""
        tree.data = [new for op, value in tree.data for new in self._rewritten(op, value, flags)]
        tree.width = None

    def _rewritten(self, op: Any, value: Any, flags: int) -> Iterable[Any]:
        if op is _constants.LITERAL:
            return [(_constants.FAILURE, ()) if value == _CODE else (op, value)]
        if op is _constants.NOT_LITERAL:
            return [_any_but(_constants.LITERAL, value)]
        if op is _constants.ANY:
            return [_any_but() if flags & re.DOTALL else _any_but(_constants.LITERAL, ord("\n"))]
        if op is _constants.IN:
            return self._set(value)
        if op is _constants.AT:
            return self._edge(value, flags)
        for part, inner in _parts(op, value, flags):
            self.visit(part, inner)
        return [(op, value)]

    def _set(self, items: list[Any]) -> Iterable[Any]:
        if items[0] == _NEGATE:
            return [(_constants.IN, [*items, (_constants.LITERAL, _CODE)])]
        if not any(_may_take(*item) for item in items):
            return [(_constants.IN, items)]
        if len(items) == 1 and items[0][0] is _constants.CATEGORY:
            return [_any_but(_constants.CATEGORY, _OPPOSITE[items[0][1]])]
        kinds = {value for op, value in items if op is _constants.CATEGORY}
        if any(kind in kinds and opposite in kinds for kind, opposite in _OPPOSITE.items()):
            return [_any_but()]
        return [(_constants.ASSERT_NOT, (1, self._parsed(BETWEEN))), (_constants.IN, items)]

    def _edge(self, value: Any, flags: int) -> Iterable[Any]:
        lines = bool(flags & re.MULTILINE) and value in {_constants.AT_BEGINNING, _constants.AT_END}
        text = _EDGES.get((value, lines))
        return [(_constants.AT, value)] if text is None else list(self._parsed(text))

    def _parsed(self, text: str) -> Any:
        tree = _parser.parse(text)
        return _parser.SubPattern(self._state, tree.data)


def _any_but(*item: Any) -> Any:
    """Any character but `item` and the one between rows."""
    return (_constants.IN, [_NEGATE, *([item] if item else ()), (_constants.LITERAL, _CODE)])


_REST: Final = (
    _constants.MAX_REPEAT,
    (0, _constants.MAXREPEAT, _parser.SubPattern(_parser.State(), [_any_but()])),
)
"""The rest of a row is taken with what is found: one hit in a row is enough."""


def _may_take(op: Any, value: Any) -> bool:
    if op is _constants.RANGE:
        return bool(value[0] <= _CODE <= value[1])
    return value in _OPPOSITE if op is _constants.CATEGORY else bool(value == _CODE)


def _parts(op: Any, value: Any, flags: int) -> Iterable[tuple[Any, int]]:
    """The expressions inside an operation, each with the flags that hold there."""
    if op is _constants.SUBPATTERN:
        _, added, taken, part = value
        return [(part, (flags | added) & ~taken)]
    if op is _constants.BRANCH:
        return [(part, flags) for part in value[1]]
    values = value if isinstance(value, tuple) else (value,)
    return [(part, flags) for part in values if isinstance(part, _parser.SubPattern)]
