"""Small grammar."""

from __future__ import annotations

from collections.abc import Collection
from itertools import count


def counted(number: int, noun: str) -> str:
    """`number` of what `noun` names in the singular: "1 row", "2,000 rows"."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def numbered(name: str, taken: Collection[str]) -> str:
    """`name`, or the first of "name (2)", "name (3)" … that is not `taken`."""
    return next(one for n in count(1) if (one := f"{name} ({n})" if n > 1 else name) not in taken)
