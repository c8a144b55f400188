"""How much room a row of the log takes. Pure, no Textual."""

from __future__ import annotations

from enum import Enum
from typing import Final

TEXT_LINES: Final = 2
"""Lines of payload below the head of a large row: some 150 characters at 80 columns."""


class Density(Enum):
    """The value is the word in settings and shown to users."""

    COMPACT = "compact"
    """One line, with seconds, short channels and no badges: most of it is payload."""
    NORMAL = "normal"
    """One line."""
    LARGE = "large"
    """A head, the payload below it in `TEXT_LINES`, and an empty line."""

    @property
    def lines(self) -> int:
        """Screen lines of every row, so that places of rows are exact arithmetic."""
        return TEXT_LINES + 2 if self is Density.LARGE else 1

    @classmethod
    def named(cls, word: str) -> Density:
        """The one that `word` names; the usual one for a word that is not known here."""
        return next((one for one in cls if one.value == word), cls.NORMAL)

    def next(self) -> Density:
        """The one after this, round and round."""
        all_of_them = list(Density)
        return all_of_them[(all_of_them.index(self) + 1) % len(all_of_them)]
