"""Rows with a cursor, drawn by the line API: what the tree and the message pane have in common."""

from __future__ import annotations

from typing import ClassVar, Final

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.widget import Widget

from rtui.core.clean import clean
from rtui.workbench.widgets.painted import Painted
from rtui.workbench.widgets.row import Piece

STYLES: Final = (
    *("text", "dim", "key", "string", "number", "null", "punct", "hex", "error", "notice", "in", "out", "cursor"),
    *("added", "removed"),
)
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


class Canvas(ScrollView, can_focus=True):
    """Subclasses say how many rows there are and what stands in each."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {f"canvas--{name}" for name in STYLES}

    DEFAULT_CSS = """
    Canvas {
        background: $surface;
        color: $foreground;
        overflow-y: scroll;
        overflow-x: hidden;
        scrollbar-size-vertical: 1;
        & > .canvas--dim { color: $rt-dim; }
        & > .canvas--punct { color: $rt-dim; }
        & > .canvas--key { color: $rt-key; }
        & > .canvas--string { color: $rt-string; }
        & > .canvas--number { color: $rt-number; }
        & > .canvas--hex { color: $rt-number; }
        & > .canvas--null { color: $rt-null; }
        & > .canvas--error { color: $rt-error; }
        & > .canvas--notice { color: $rt-notice; }
        & > .canvas--in { color: $rt-in; }
        & > .canvas--out { color: $rt-out; }
        & > .canvas--added { color: $rt-in; }
        & > .canvas--removed { color: $rt-error; }
        & > .canvas--cursor {
            background: $block-cursor-blurred-background;
            color: $block-cursor-blurred-foreground;
            text-style: $block-cursor-blurred-text-style;
        }
        &:focus > .canvas--cursor {
            background: $block-cursor-background;
            color: $block-cursor-foreground;
            text-style: $block-cursor-text-style;
        }
    }
    """

    hint = ""
    """What stands in the middle while there are no rows."""

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, classes=classes)
        self.cursor = 0
        self.shows_cursor = True
        """Whether the row under the cursor looks different."""
        self.painted = Painted()
        self._palette: dict[str, Style] = {}

    # For subclasses

    def row_count(self) -> int:
        """Rows there are now."""
        raise NotImplementedError

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
        # Not `self.virtual_size = …`: that would lay out the whole screen.
        self.set_reactive(Widget.virtual_size, Size(self.body_width, count))
        if self.scroll_y > self._last_top():
            self._place(self._last_top())
        self._show_bar()
        self.repaint()

    def repaint(self) -> None:
        """Paint the rows that look different from what is on the screen."""
        self.painted.refresh(self, self._drawn, self.body_height)

    @property
    def body_width(self) -> int:
        """Cells of a row."""
        return self.scrollable_content_region.width

    @property
    def body_height(self) -> int:
        """Rows on the screen."""
        return self.scrollable_content_region.height

    def go_to_row(self, index: int) -> None:
        """Put the cursor on a row and show it."""
        count = self.row_count()
        if not count:
            return
        self.cursor = min(max(index, 0), count - 1)
        top = round(self.scroll_y)
        self._place(min(max(top, self.cursor - self.body_height + 1), self.cursor))
        self.repaint()
        self.cursor_moved()

    # Line API

    def render_line(self, y: int) -> Strip:
        """Row `y` of the screen."""
        return self.painted.note(y, self._drawn(y))

    def _drawn(self, y: int) -> Strip:
        """What row `y` of the screen looks like now; blank where there is none."""
        width = self.body_width
        count = self.row_count()
        index = self.scroll_offset.y + y
        if not count and y == self.body_height // 2 and self.hint:
            hint = Segment(clean(self.hint).center(width), self._colour("dim"))
            return Strip([hint]).crop_extend(0, width, self._colour("text"))
        if index >= count:
            return Strip.blank(width, self._colour("text"))
        under = index == self.cursor and self.shows_cursor
        segments = [
            Segment(text, self._colour("cursor" if under else style))
            for style, text in self.row_pieces(index, width)
            if text
        ]
        return Strip(segments).crop_extend(0, width, self._colour("cursor" if under else "text"))

    def notify_style_update(self) -> None:
        """The theme or the focus changed."""
        super().notify_style_update()
        self._palette.clear()

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
        index = self.scroll_offset.y + offset.y
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

    # Inside

    def _last_top(self) -> int:
        return max(0, self.row_count() - self.body_height)

    def _place(self, top: int) -> None:
        self.scroll_target_y = self.scroll_y = float(max(0, top))

    def _show_bar(self) -> None:
        bar = self.vertical_scrollbar
        bar.window_virtual_size = self.virtual_size.height
        bar.window_size = self.body_height
        bar.position = self.scroll_y

    def _colour(self, name: str) -> Style:
        if name not in self._palette:
            self._palette[name] = self.get_component_rich_style(f"canvas--{name}")
        return self._palette[name]
