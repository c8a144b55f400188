"""How much room rows need, as far as they were seen: what the columns of the log are laid out by. No Textual."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from rtui.core.clean import cell_width, clean
from rtui.core.record import Kind, Record
from rtui.workbench.widgets.row import MAX_CHANNEL

SHORT: Final = 12
"""Cells up to which a name has a column that fits exactly."""
STEP: Final = 4
"""Cells by which a column of longer names grows, so that it does not move with each new name."""
BODY_STEP: Final = 16
MOST: Final = 256
"""Cells of payload beyond which it makes no difference."""
BADGES: Final = 12
"""Cells for the badges of a message that may have some."""


class Need:
    """Grows with what is seen and never shrinks: a column that has changed a few times stays where it is."""

    def __init__(self) -> None:
        self.channel = 0
        """Cells of the longest name."""
        self.body = 0
        """Cells of the longest payload with its badges."""

    def see(self, window: Sequence[Record]) -> None:
        """Take in what is about to be shown."""
        if self.channel < MAX_CHANNEL:
            longest = max((record.channel for record in window), key=len, default="")
            self.channel = max(self.channel, min(MAX_CHANNEL, _stepped(cell_width(clean(longest[:MAX_CHANNEL])))))
        if self.body < MOST:
            longest_body = max(map(_body, window), default=0)
            self.body = max(self.body, -(-longest_body // BODY_STEP) * BODY_STEP)


def _stepped(cells: int) -> int:
    return cells if cells <= SHORT else -(-cells // STEP) * STEP


def _body(record: Record) -> int:
    """What a message needs. Sentences about the connection have the room of the channel besides."""
    if record.kind != Kind.MESSAGE or not record.channel:
        return 0
    return len(record.payload) + (BADGES if record.meta or record.latency is not None else 0)
