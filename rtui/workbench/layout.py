"""Which panes there is room for, and which the user wants. No widgets here."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

PANES: Final = ("sessions", "tree", "log", "message", "composer")
"""Ids of the panes, in the order of their keys."""
ROOM: Final[Mapping[str, tuple[int, int]]] = MappingProxyType(
    {"sessions": (118, 0), "tree": (96, 0), "log": (0, 0), "message": (0, 30), "composer": (0, 19)}
)
"""Columns and rows of terminal from which a pane fits beside the others."""


class Layout:
    """Folds what does not fit, brings back what is asked for; at most one pane is zoomed."""

    def __init__(self) -> None:
        self.size = (80, 24)
        self.folded: set[str] = set()
        """What the user put away."""
        self.zoomed: str | None = None

    def fits(self, pane: str) -> bool:
        """Whether the terminal has room for `pane` beside the others."""
        columns, rows = ROOM[pane]
        return self.size[0] >= columns and self.size[1] >= rows

    def visible(self, pane: str) -> bool:
        """Whether `pane` is on the screen."""
        if self.zoomed is not None:
            return pane == self.zoomed
        return self.fits(pane) and pane not in self.folded

    def resize(self, columns: int, rows: int) -> None:
        """The terminal changed. A pane that was zoomed for want of room goes back to its place when there is some."""
        tight = self.zoomed is not None and not self.fits(self.zoomed)
        self.size = (columns, rows)
        if tight and self.zoomed is not None and self.fits(self.zoomed):
            self.zoomed = None

    def press(self, pane: str, *, focused: bool) -> str:
        """The key of `pane` was pressed; returns the pane that gets the focus.

        Folded → it comes back (alone if there is no room beside the others). Visible → it gets the focus. Focused →
        it is put away, and the log is back.
        """
        if not self.visible(pane):
            self.folded.discard(pane)
            self.zoomed = None if self.fits(pane) else pane
            return pane
        if not focused or pane == "log":
            return pane
        if self.zoomed == pane:
            self.zoomed = None
        else:
            self.folded.add(pane)
        return "log"

    def zoom(self, pane: str) -> str:
        """Show `pane` alone, or all again; returns the pane that gets the focus."""
        if self.zoomed is not None:
            shown, self.zoomed = self.zoomed, None
            return shown if self.visible(shown) else "log"
        self.zoomed = pane
        return pane
