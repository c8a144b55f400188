"""Rows with a cursor, drawn by the line API: what the tree and the message pane have in common."""

from __future__ import annotations

from typing import ClassVar, Final

from rich.segment import Segment
from textual import events
from textual.binding import Binding
from textual.strip import Strip

from rtui.workbench.widgets.empty import line_of
from rtui.workbench.widgets.palette import Palette, sheet
from rtui.workbench.widgets.row import Piece
from rtui.workbench.widgets.tall import Tall

COLOURS: Final = {
    "dim": "$rt-dim",
    "punct": "$rt-dim",
    "key": "$rt-key",
    "string": "$rt-string",
    "number": "$rt-number",
    "hex": "$rt-number",
    "null": "$rt-null",
    "error": "$rt-error",
    "notice": "$rt-notice",
    "in": "$rt-in",
    "out": "$rt-out",
    "added": "$rt-in",
    "removed": "$rt-error",
    "heading": "$rt-key",
    "strong": "$foreground",
    "emphasis": "$foreground",
    "struck": "$rt-dim",
    "code": "$rt-string",
    "link": "$rt-number",
}
FONTS: Final = """
    & > .canvas--heading { text-style: bold; }
    & > .canvas--strong { text-style: bold; }
    & > .canvas--emphasis { text-style: italic; }
    & > .canvas--struck { text-style: strike; }
    & > .canvas--link { text-style: underline; }
"""
STYLES: Final = ("text", *COLOURS, "cursor")
"""Component classes are `canvas--` + one of these."""


def moves(scope: str) -> list[Binding]:
    """The keys that move the cursor, with ids in `scope`."""
    table = (
        ("up,k", "move(-1)", "up", "Previous row"),
        ("down,j", "move(1)", "down", "Next row"),
        ("pageup", "leap(-1.0)", "page-up", "One page back"),
        ("pagedown", "leap(1.0)", "page-down", "One page on"),
        ("ctrl+u", "leap(-0.5)", "half-up", "Half a page back"),
        ("ctrl+d", "leap(0.5)", "half-down", "Half a page on"),
        ("home,g", "first", "top", "The first row"),
        ("end,G", "last", "bottom", "The last row"),
    )
    return [
        Binding(keys, action, name.capitalize().replace("-", " "), show=False, id=f"{scope}.{name}", tooltip=tip)
        for keys, action, name, tip in table
    ]


class Canvas(Tall):
    """Subclasses say how many rows there are and what stands in each."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {f"canvas--{name}" for name in STYLES}
    DEFAULT_CSS = sheet("Canvas", "canvas", COLOURS, FONTS)

    hint = ""
    """What stands in the middle while there are no rows."""

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, classes=classes)
        self.cursor = 0
        self.shows_cursor = True
        """Whether the row under the cursor looks different."""
        self.sticky = 0
        """Rows at the top that stay when the others scroll."""
        self._palette = Palette(lambda name: self.get_component_rich_style(f"canvas--{name}"), tinted_as="string")

    # For subclasses

    def row_pieces(self, index: int, width: int) -> list[Piece]:
        """Clean text of one existing row, in styles of `STYLES`."""
        raise NotImplementedError

    def cursor_moved(self) -> None:
        """The cursor stands on another row."""

    def resettle(self) -> None:
        """The rows changed: fit height, cursor and scroll position, and paint."""
        if not self.is_attached:
            return
        count = self.row_count()
        self.cursor = min(max(self.cursor, 0), max(0, count - 1))
        self._set_height(count)
        if self.scroll_y > self._last_top():
            self._place(self._last_top())
        self._show_bar()
        self.repaint()

    def go_to_row(self, index: int) -> None:
        """Put the cursor on a row and show it."""
        count = self.row_count()
        if not count:
            return
        self._halt()
        self.cursor = min(max(index, 0), count - 1)
        top = round(self.scroll_y)
        self._place(min(max(top, self.cursor - self.body_height + 1), self.cursor - self.sticky))
        self.repaint()
        self.cursor_moved()

    # Line API

    def _drawn(self, y: int) -> Strip:
        """What row `y` of the screen looks like now; blank where there is none."""
        width = self.body_width
        count = self.row_count()
        index = self._index(y)
        if not count and (hint := line_of(self.hint, y, width=width, height=self.body_height)):
            words = Segment(hint.center(width), self._palette.style("dim"))
            return Strip([words]).crop_extend(0, width, self._palette.style("text"))
        if index >= count:
            return Strip.blank(width, self._palette.style("text"))
        over = "cursor" if index == self.cursor and self.shows_cursor else ""
        segments = [
            Segment(text, self._palette.style(style, over)) for style, text in self.row_pieces(index, width) if text
        ]
        return Strip(segments).crop_extend(0, width, self._palette.style("text", over))

    def _index(self, y: int) -> int:
        """The row that stands on row `y` of the screen."""
        return y if y < self.sticky else self.scroll_offset.y + y

    def notify_style_update(self) -> None:
        """The theme or the focus changed."""
        super().notify_style_update()
        self._palette.forget()

    def on_resize(self) -> None:
        """Rows may have to be cut anew."""
        self.resettle()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Move the thumb and paint."""
        if round(old_value) != round(new_value):
            self._show_bar()
            self.repaint()

    # Mouse

    def row_at(self, event: events.Click) -> int | None:
        """The row that was clicked."""
        offset = event.get_content_offset(self)
        if offset is None:
            return None
        index = self._index(offset.y)
        return index if index < self.row_count() else None

    # Actions

    def action_move(self, step: int) -> None:
        """Move by rows."""
        self.go_to_row(self.cursor + step)

    def action_leap(self, pages: float) -> None:
        """Move by screens."""
        self.go_to_row(self.cursor + round(pages * max(1, self.body_height - 1)))

    def action_first(self) -> None:
        """To the first row."""
        self.go_to_row(0)

    def action_last(self) -> None:
        """To the last row."""
        self.go_to_row(self.row_count() - 1)
