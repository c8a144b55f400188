"""What stands on the screen, row by row, so that only rows that look different are painted again.

A row costs some 300 bytes of terminal output and a pass through Textual's compositor; most ticks change one of forty.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from textual.content import Content
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget


class Painted:
    """The strips that a widget drew last."""

    def __init__(self) -> None:
        self._strips: dict[int, Strip] = {}
        self.repainted = 0
        """Rows asked to be painted so far, for tests: a deterministic measure of cost."""

    def note(self, y: int, strip: Strip) -> Strip:
        """Row `y` is painted as `strip`."""
        self._strips[y] = strip
        return strip

    def refresh(self, widget: Widget, draw: Callable[[int], Strip], height: int) -> int:
        """Have `widget` paint the rows that `draw` would draw differently; returns how many."""
        strips = self._strips
        changed = []
        for y in range(height):
            shown, strip = strips.get(y), draw(y)
            if shown is not strip and shown != strip:
                changed.append(y)
        if changed:
            width = widget.scrollable_content_region.width
            widget.refresh(*(Region(0, first, width, count) for first, count in runs(changed)))
        self.repainted += len(changed)
        return len(changed)


def runs(numbers: list[int]) -> Iterator[tuple[int, int]]:
    """Ascending numbers as (first, count) of each unbroken run."""
    first = count = 0
    for number in numbers:
        if count and number == first + count:
            count += 1
            continue
        if count:
            yield first, count
        first, count = number, 1
    if count:
        yield first, count


def retitle(widget: Widget, title: str) -> None:
    """Set the title in the upper border for the price of one line: `border_title` alone repaints the whole widget."""
    content = Content(title)
    if content != widget._border_title:  # noqa: SLF001 - its public setter is what costs
        widget._border_title = content  # noqa: SLF001
        left, top = widget.content_offset
        widget.refresh(Region(-left, -top, widget.outer_size.width, 1))
