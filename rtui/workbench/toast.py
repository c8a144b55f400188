"""Where notifications stand: at the right, in rows where nothing is typed or asked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final, TypeAlias

if TYPE_CHECKING:
    from textual.app import App
    from textual.screen import Screen
    from textual.widget import Widget

Span: TypeAlias = tuple[int, int]
"""Rows of the screen: the first, and the one after the last."""
ENOUGH: Final = 4
"""Rows for a notification of two lines with its gap, or of one with a title."""
MARGIN: Final = 1
"""Rows between two of them."""
LINES: Final = "TabStrip, ConnectionHeader, StatusLine, KeyLine"
"""Lines that say how things are."""
PARTS: Final = "#composer, Caption, .dialog"
"""What asks for something, or is written in."""


def make_room(app: App[Any]) -> None:
    """Put the notifications of the screen on top into the lowest gap that is high enough.

    What has the focus stays free before all else, then what asks for something, then the lines around the panes. Where
    there is no room for all, it is the newest that are seen. Those of screens below, seen a second time, are hidden.
    """
    if not app._notifications:  # noqa: SLF001 - there is no other way to ask
        return
    screen = app.screen
    for rack in _racks(app.screen_stack[:-1]):
        rack.display = False  # the screen shows them when it is on top again
    for rack in _racks([screen]):
        first, end = _place(screen, app.cursor_position.y)
        rack.styles.margin = (0, 0, screen.size.height - end, 0)  # what is as before is not laid out anew
        rack.styles.max_height = end - first
        _fit(rack, end - first)


def _racks(screens: Iterable[Screen[Any]]) -> Iterator[Widget]:
    for screen in screens:
        yield from screen.query_children("ToastRack")


def _fit(rack: Widget, room: int) -> None:
    """Hide the oldest, until the others have expired: the rack itself has no size by which Textual could scroll it."""
    for holder in reversed(rack.children):
        room -= sum(toast.outer_size.height + MARGIN for toast in holder.children)
        fits = room >= 0 or holder is rack.children[-1]
        if holder.display != fits:
            holder.display = fits


def _place(screen: Screen[Any], cursor: int) -> Span:
    focused = list(_spans([screen.focused])) if screen.focused is not None and _is_typed_into(screen.focused) else []
    parts, lines = list(_spans(screen.query(PARTS))), list(_spans(screen.query(LINES)))
    rows = screen.size.height
    for kept in ([*focused, *parts, *lines], [*focused, *parts], [*focused, *lines], focused):
        high_enough = [gap for gap in gaps(kept, rows) if gap[1] - gap[0] >= ENOUGH]
        if high_enough:
            return high_enough[-1]
    return max(gaps([(cursor, cursor + 1)], rows), key=lambda gap: gap[1] - gap[0])  # a field as high as the screen


def _is_typed_into(widget: Widget) -> bool:
    from textual.widgets import Input, TextArea

    return isinstance(widget, Input | TextArea)


def _spans(widgets: Iterable[Widget]) -> Iterator[Span]:
    for widget in widgets:
        if widget.region.height and widget.display:
            yield widget.region.y, widget.region.bottom


def gaps(kept: Sequence[Span], rows: int) -> list[Span]:
    """The rows between the `kept` ones, from the top."""
    found: list[Span] = []
    free = 0
    for first, end in sorted(kept):
        if first > free:
            found.append((free, first))
        free = max(free, end)
    return [*found, (free, rows)] if free < rows else found
