"""The keys of the log."""

from __future__ import annotations

from typing import Final

from textual.binding import Binding

KEYS: Final[tuple[Binding, ...]] = (
    Binding("up,k", "cursor(-1)", "Up", show=False, id="log.up", tooltip="Previous row; stops following"),
    Binding("down,j", "cursor(1)", "Down", show=False, id="log.down", tooltip="Next row"),
    Binding("pageup", "page(-1.0)", "Page up", show=False, id="log.page-up", tooltip="One page back"),
    Binding("pagedown", "page(1.0)", "Page down", show=False, id="log.page-down", tooltip="One page on"),
    Binding("ctrl+u", "page(-0.5)", "Half up", show=False, id="log.half-up", tooltip="Half a page back"),
    Binding("ctrl+d", "page(0.5)", "Half down", show=False, id="log.half-down", tooltip="Half a page on"),
    Binding("home,g", "top", "First", show=False, id="log.top", tooltip="The oldest row"),
    Binding("end,G", "follow", "Follow", id="log.follow", tooltip="Go to the newest row and follow"),
    Binding("enter", "open", "Open", id="log.open", tooltip="Show the message in the message pane"),
    Binding("z", "freeze", "Freeze", id="log.freeze", tooltip="Hold the picture; messages are still recorded"),
    Binding("t", "time", "Time", id="log.time", tooltip="Absolute, relative to the first row, since the row above"),
    Binding("m", "mark", "Mark", id="log.mark", tooltip="Mark the row, or take the mark away"),
    Binding("apostrophe", "jump_mark(1)", "Next mark", show=False, id="log.next-mark", tooltip="Next marked row"),
    Binding(
        "quotation_mark",
        "jump_mark(-1)",
        "Previous mark",
        show=False,
        id="log.previous-mark",
        tooltip="Marked row before",
    ),
    Binding("e", "jump_error(1)", "Next error", show=False, id="log.next-error", tooltip="Next error or close"),
    Binding(
        "E",
        "jump_error(-1)",
        "Previous error",
        show=False,
        id="log.previous-error",
        tooltip="Error or close before",
    ),
    Binding("x", "select", "Select", show=False, id="log.select", tooltip="Select the row, or deselect it"),
    Binding("space", "select(1)", "Select, next", show=False, id="log.select-next", tooltip="Select and go on"),
    Binding("shift+up", "extend(-1)", "Extend up", show=False, id="log.extend-up", tooltip="Select upwards"),
    Binding("shift+down", "extend(1)", "Extend down", show=False, id="log.extend-down", tooltip="Select downwards"),
    Binding("escape", "deselect", "Deselect", show=False, id="log.deselect", tooltip="Select nothing"),
)
OF_ROWS: Final = frozenset({"open", "freeze", "mark"})
"""Actions that want a row."""
