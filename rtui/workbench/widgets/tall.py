"""Rows of equal height, as many as there are, drawn by the line API: what the log and the canvas have in common."""

from __future__ import annotations

from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.widget import Widget

from rtui.workbench.widgets.painted import Painted


class Tall(ScrollView, can_focus=True):
    """Subclasses say how many rows there are and what each looks like; rows that look the same are not painted."""

    ALLOW_SELECT = False
    """A selection of text, as Textual has it, would be invisible here and scroll the rows."""

    DEFAULT_CSS = """
    Tall {
        background: $surface;
        color: $foreground;
        overflow-y: scroll;
        overflow-x: hidden;
        scrollbar-size-vertical: 1;
    }
    """

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002 - Textual's word
        super().__init__(id=id, classes=classes)
        self.painted = Painted()
        self.lines = 1
        """Screen lines of a row. All that scrolls is counted in lines, all that is looked up in rows."""

    # For subclasses

    def row_count(self) -> int:
        """Rows there are now."""
        raise NotImplementedError

    def _drawn(self, y: int) -> Strip:
        """What line `y` of the screen looks like now; blank where there is none."""
        raise NotImplementedError

    # Line API

    def render_line(self, y: int) -> Strip:
        """Line `y` of the screen."""
        return self.painted.note(y, self._drawn(y))

    def repaint(self) -> None:
        """Paint the lines that look different from what is on the screen."""
        if self.is_attached:
            self.painted.refresh(self, self._drawn, self.body_height)

    @property
    def body_width(self) -> int:
        """Cells of a row."""
        return self.scrollable_content_region.width

    @property
    def body_height(self) -> int:
        """Lines on the screen."""
        return self.scrollable_content_region.height

    # Scrolling

    def _set_height(self, rows: int) -> None:
        """Set the scrollable height without a layout: that would move every widget on the screen."""
        size = Size(self.body_width, rows * self.lines)
        if size != self.virtual_size:
            self.set_reactive(Widget.virtual_size, size)

    def _show_bar(self) -> None:
        bar = self.vertical_scrollbar
        bar.window_virtual_size = self.virtual_size.height
        bar.window_size = self.body_height
        bar.position = self.scroll_y

    def _last_top(self) -> int:
        """The first line on the screen when the last row is in view."""
        return max(0, self.row_count() * self.lines - self.body_height)

    def _halt(self) -> None:
        """End the scrolling that a click on the bar began: step by step it would undo where one goes now."""
        if self.is_attached:
            self.app.animator.force_stop_animation(self, "scroll_y")

    def _place(self, top: int) -> None:
        """Have line `top` of all be the first on the screen."""
        self.scroll_target_y = self.scroll_y = float(max(0, top))
