"""Names that are too long for their column, cut where they say least. No Textual.

Names of one family have their first level in common and differ at their end: both are kept.
"""

from __future__ import annotations

from typing import Final

from rtui.core.clean import cell_width, clip_middle

LEVEL: Final = "/"
"""Ends a level of a topic, a path or a method."""
MORE: Final = "…"
SPENT: Final = 5
"""One part in so many of the end is given up for its beginning with a whole level."""


def elided(name: str, cells: int) -> str:
    """Clean `name` in at most `cells` cells: "plant/…/machine-12/pressure".

    The first level in a third of the room, or the beginning of it, and as much of the end as there is room for.
    """
    if cell_width(name) <= cells or LEVEL not in name[1:-1]:
        return clip_middle(name, cells)
    head = _head(name, cells // 3)
    return f"{head}{MORE}{_tail(name, cells - cell_width(head) - 1)}" if cells > 2 else clip_middle(name, cells)  # noqa: PLR2004 - one cell each for head, ellipsis, tail


def _head(name: str, cells: int) -> str:
    first = name[: name.find(LEVEL, 1) + 1]
    end = min(len(first), cells)
    while cell_width(first[:end]) > cells:
        end -= 1
    return first[:end]


def _tail(name: str, cells: int) -> str:
    begin = max(0, len(name) - cells)
    while cell_width(name[begin:]) > cells:
        begin += 1
    level = name.find(LEVEL, begin)
    return name[level if 0 <= level - begin <= max(1, cells // SPENT) else begin :]
