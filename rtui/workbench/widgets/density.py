"""How much room a row of the log takes. Pure, no Textual."""

from __future__ import annotations

from enum import Enum
from typing import Final

LINES: Final = 4
"""Screen lines of a large row, unless another number is asked for: some 150 characters of payload at 80 columns.

One number for all rows: where a row stands among a million is arithmetic, and needs no look at the others."""
LEAST, MOST = 2, 8


class Density(Enum):
    """The value is the word in settings and shown to users."""

    COMPACT = "compact"
    """One line, with seconds, short channels and no badges: most of it is payload."""
    NORMAL = "normal"
    """One line."""
    LARGE = "large"
    """A head, the payload below it, and an empty line."""

    def lines(self, large: int = LINES) -> int:
        """Screen lines of every row, where a large one has `large`."""
        return max(LEAST, min(large, MOST)) if self is Density.LARGE else 1

    @classmethod
    def named(cls, word: str) -> Density:
        """The one that `word` names; the usual one for a word that is not known here."""
        return next((one for one in cls if one.value == word), cls.NORMAL)

    def next(self) -> Density:
        """The one after this, round and round."""
        all_of_them = list(Density)
        return all_of_them[(all_of_them.index(self) + 1) % len(all_of_them)]


def text_lines(lines: int) -> int:
    """Of the lines of a large row, those for its payload: none is left empty in the smallest."""
    return lines - 2 if lines > LEAST else 1
