"""How long a regular expression may take, told before it runs: the engine cannot be stopped once it does.

Two things make a backtracking engine slow. Choices inside a repeat multiply, so that time doubles with each
character: such expressions are refused. Endless repeats after one another divide the text among them in every way, so
that time grows like a power of its length: those are searched in growing pieces, and not beyond what they can afford.
"""

from __future__ import annotations

import math
import re
import time
from re import _constants, _parser  # type: ignore[attr-defined]
from typing import Any, Final

ENDLESS: Final = 1_000
"""A repeat of this many or more counts as endless."""
MOST_WAYS: Final = 20.0
"""Choices that the repeats of an expression may leave, as a power of two."""
MOST_REPEATS: Final = 5
"""Endless repeats after one another."""
AFFORDED: Final = 0.1
"""Seconds that one search is expected to stay below."""
FIRST_PIECE: Final = 32
GROWTH: Final = 4
BLIND: Final = 4e6
"""Steps allowed where a piece cannot tell how long the whole would take."""

_REPEATS: Final = frozenset({_constants.MAX_REPEAT, _constants.MIN_REPEAT})
_OPERATION: Final = type(_constants.LITERAL)
_LEADING: Final = re.compile(r"(?P<flags>\(\?i\))?\.\*\??(?!\+)")
_SAFE_REPEAT: Final = _constants.POSSESSIVE_REPEAT
_LOOKS: Final = frozenset({_constants.ASSERT, _constants.ASSERT_NOT, _constants.GROUPREF, _constants.GROUPREF_EXISTS})


class TooMuchError(ValueError):
    """The expression may take for ever."""


class Measured:
    """A compiled expression that knows what it costs."""

    def __init__(self, source: str) -> None:
        """`source` compiles.

        Raises:
            TooMuchError: it may take for ever.
        """
        # What may come before anything need not be looked for: "/.*error/" is "/error/", and linear.
        source = _LEADING.sub(lambda found: found["flags"] or "", source, count=1) if _LEADING.match(source) else source
        self.source = source
        tree = _parser.parse(source)
        if _ways(tree) > MOST_WAYS:
            raise TooMuchError("so many choices inside repeats, or an endless repeat inside another, may take for ever")
        self.repeats = _repeats(tree)
        if self.repeats > MOST_REPEATS:
            raise TooMuchError(f"more than {MOST_REPEATS} endless repeats after one another may take for ever")
        self._search = re.compile(source).search
        self._looks_around = any(op in _LOOKS for op in _operations(tree))
        # From each position of the text, each way to share the rest among the repeats.
        self._power = 1 + self.repeats

    def finds(self, text: str) -> bool:
        """Whether it finds something, as far as can be told in time."""
        size = FIRST_PIECE
        while size < len(text) and self.repeats:
            began = time.perf_counter()
            found = self._search(text[:size])
            took = time.perf_counter() - began
            if found is not None and (self._looks_around or found.end() == size):
                # The end of the piece may have been taken for the end of the text: a search of the whole could
                # take another way, and this one says nothing about its time.
                return self._search(text[: int(BLIND ** (1 / self._power))]) is not None
            if found is not None:
                return True
            if took * GROWTH**self._power > AFFORDED and self._cost(text[:size]) * GROWTH**self._power > AFFORDED:
                return False
            size *= GROWTH
        return self._search(text) is not None

    def _cost(self, text: str) -> float:
        """Seconds of the processor that a search takes: by the clock, it may only have had to wait for one."""
        began = time.thread_time()
        self._search(text)
        return time.thread_time() - began


def _operations(node: Any) -> set[Any]:
    """Every operation in the expression."""
    if isinstance(node, _parser.SubPattern | list):
        return set[Any]().union(*(_operations(part) for part in node))
    if isinstance(node, tuple):
        own = {node[0]} if isinstance(node[0], _OPERATION) else set[Any]()
        return own.union(*(_operations(part) for part in node if isinstance(part, _parser.SubPattern | list | tuple)))
    return set()


def _ways(node: Any) -> float:
    """The ways through a part of the expression, as a power of two."""
    if isinstance(node, _parser.SubPattern | list):
        return math.fsum(_ways(part) for part in node)
    if not isinstance(node, tuple) or not node:
        return 0.0
    if node[0] in _REPEATS:
        least, most, body = node[1]
        inside = _ways(body)
        if _is_endless(most):
            # One choice in each round, and no end of rounds.
            return math.inf if inside or _repeats(body) else 0.0
        return float(inside * most + math.log2(most - least + 1))
    if node[0] is _constants.BRANCH:
        branches = node[1][1]
        clash = not _are_distinct(branches)
        return max(_ways(branch) for branch in branches) + (math.log2(len(branches)) if clash else 0.0)
    return math.fsum(_ways(part) for part in node if isinstance(part, _parser.SubPattern | list | tuple))


def _repeats(node: Any) -> int:
    """Endless repeats that stand after one another."""
    if isinstance(node, _parser.SubPattern | list):
        return sum(_repeats(part) for part in node)
    if not isinstance(node, tuple) or not node:
        return 0
    if node[0] in _REPEATS:
        _, most, body = node[1]
        return 1 if _is_endless(most) else _repeats(body) * most
    if node[0] is _SAFE_REPEAT:
        return 1
    if node[0] is _constants.BRANCH:
        return max(_repeats(branch) for branch in node[1][1])
    return sum(_repeats(part) for part in node if isinstance(part, _parser.SubPattern | list | tuple))


def _is_endless(most: Any) -> bool:
    return most is _constants.MAXREPEAT or most >= ENDLESS


def _are_distinct(branches: Any) -> bool:
    """Whether the first character tells the branches apart; what is no plain character may be any."""
    firsts = [branch[0] if len(branch) else None for branch in branches]
    literals = [chr(first[1]).casefold() for first in firsts if first is not None and first[0] is _constants.LITERAL]
    return len(set(literals)) == len(branches)
