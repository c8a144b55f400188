"""Memory: what stays, what is looked through for garbage, and what goes."""

from __future__ import annotations

import gc
from typing import Final

from textual._styles_cache import StylesCache

GENERATIONS: Final = (10_000, 4, 100)
"""Objects made before the youngest are looked through, and how often before the older ones are (Python: 700, 10, 10).
Records are no concern of the collector (`gc=False`); what it counts are the strips and segments of each frame, and the
nodes of a tree while it grows: after 20 times 10,000 of those the second generation took 60 ms, after 4 it takes 10."""


def let_go() -> None:
    """Let the painted lines of a widget go with it.

    Textual remembers the two backgrounds of a line by who asks: `get_inner_outer` takes a class, but is no class
    method. So the last 1,024 caches stay, with all their lines: 23 MB and 270,000 objects after 240 looks at the help.
    """
    ask = vars(StylesCache)["get_inner_outer"]
    if not isinstance(ask, classmethod):
        StylesCache.get_inner_outer = classmethod(ask)  # type: ignore[assignment]


def settle() -> None:
    """What exists now stays until the end: take it out of the garbage collector's sight.

    A full collection over Textual, its styles and our modules stopped the loop for 25 ms, about every ten seconds
    of a flood. Frozen, and with generations that fill more slowly, the same time saw none; those of the youngest
    took 2 ms, the longest 6 (before: 0.1 ms, but 14 times as many, and 7 ms for the older ones).
    """
    gc.freeze()
    gc.set_threshold(*GENERATIONS)
    gc.enable()
