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
IN_COLUMNS: Final = MappingProxyType({**ROOM, "sessions": (184, 0), "tree": (160, 0)})
"""The same where two logs stand side by side."""
IN_ROWS: Final = MappingProxyType({**ROOM, "message": (0, 38), "composer": (0, 24)})
"""The same where one log stands above the other."""
SPLIT: Final = (110, 20)
"""Columns from which there is room for two logs side by side; in fewer, rows from which for one above the other."""


class Layout:
    """Folds what does not fit, brings back what is asked for; at most one pane is zoomed."""

    def __init__(self) -> None:
        self.size = (80, 24)
        self.folded: set[str] = set()
        """What the user put away."""
        self.aside: set[str] = set()
        """What is put away besides, for a while, until it is asked for."""
        self.zoomed: str | None = None
        self.split = False
        """Whether there are two logs."""

    @property
    def pairing(self) -> str:
        """How two logs would stand: in "columns", in "rows", or, empty, not at all."""
        if self.size[0] >= SPLIT[0]:
            return "columns"
        return "rows" if self.size[1] >= SPLIT[1] else ""

    @property
    def paired(self) -> str:
        """How two logs stand now; empty if there is one, or one is alone."""
        return self.pairing if self.split and self.zoomed is None else ""

    def fits(self, pane: str) -> bool:
        """Whether the terminal has room for `pane` beside the others."""
        room = {"columns": IN_COLUMNS, "rows": IN_ROWS}.get(self.pairing if self.split else "", ROOM)
        columns, rows = room[pane]
        return self.size[0] >= columns and self.size[1] >= rows

    def visible(self, pane: str) -> bool:
        """Whether `pane` is on the screen."""
        if self.zoomed is not None:
            return pane == self.zoomed
        return self.fits(pane) and pane not in self.folded | self.aside

    def resize(self, columns: int, rows: int) -> None:
        """The terminal changed."""
        self._settle((columns, rows), split=self.split)

    def pair(self, split: bool) -> None:
        """There are two logs now, or one."""
        self._settle(self.size, split=split)

    def _settle(self, size: tuple[int, int], *, split: bool) -> None:
        """A pane that was zoomed for want of room goes back to its place when there is some."""
        tight = self.zoomed is not None and not self.fits(self.zoomed)
        self.size, self.split = size, split
        if tight and self.zoomed is not None and self.fits(self.zoomed):
            self.zoomed = None

    def press(self, pane: str, *, focused: bool) -> str:
        """The key of `pane` was pressed; returns the pane that gets the focus.

        Folded → it comes back (alone if there is no room beside the others). Visible → it gets the focus. Focused →
        it is put away, and the log is back.
        """
        if not self.visible(pane):
            self.folded.discard(pane)
            self.aside.discard(pane)
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
