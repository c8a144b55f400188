"""What an empty pane says: a sentence in its middle, in as many lines as its width asks for."""

from __future__ import annotations

from rtui.core.clean import clean
from rtui.payloads.wrap import wrapped


def line_of(hint: str, y: int, *, width: int, height: int) -> str:
    """Row `y` of a pane that says `hint`; empty above and below it."""
    lines = ["".join(text for _, text in line) for line in wrapped([("dim", clean(hint))], max(1, width - 2))]
    place = y - max(0, (height - len(lines)) // 2)
    return lines[place] if 0 <= place < len(lines) else ""
