"""Rows of a lens by the line API: what is new is taken in, the end is followed until the user looks back. No colours.

A tick asks the lens what is new; a paint fetches the visible rows once. Where the screen stands is kept by sequence, so
that rows that are put in front, and rows of another height, move nothing under the reader's eyes.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Callable

from textual.geometry import Region
from textual.message import Message
from textual.reactive import reactive, var
from textual.strip import Strip

from rtui.workbench.widgets.log_window import Window
from rtui.workbench.widgets.source import Rows
from rtui.workbench.widgets.tall import Tall


class LensView(Tall):
    """Subclasses say what a row looks like. The cursor is a sequence; while following, it is the newest one's."""

    follow = reactive(True, repaint=False)
    """Whether the newest row is kept in view."""
    new_count = var(0)
    """Rows that came since following stopped."""
    frozen = var(False, bindings=True)
    """Whether the picture is held."""

    class Highlighted(Message):
        """The cursor is on another row."""

        def __init__(self, seq: int) -> None:
            super().__init__()
            self.seq = seq

    class FollowChanged(Message):
        """Following began or stopped."""

        def __init__(self, follow: bool) -> None:
            super().__init__()
            self.follow = follow

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002 - Textual's word
        super().__init__(id=id, classes=classes)
        self._window = Window()
        self._revision: int | None = None
        self._cursor_seq: int | None = None
        self._top_seq: int | None = None
        self._top_line = 0
        """Lines of that row above the screen."""
        self._left_seq = 0
        self._lean = False
        """Whether so much is new in each frame that nobody reads it."""
        self._painted: array[int] = array("q")
        self._moving = False
        self._had_row = False
        """Whether there was a row for keys when that was last told."""

    # For subclasses

    def fetched(self) -> None:
        """Other records are in the window now; they are about to be drawn."""

    # What it shows

    def look_at(self, lens: Rows | None) -> None:
        """Look at `lens` from its end."""
        self._halt()
        self._window.show(lens)
        self._revision = self._cursor_seq = self._top_seq = None
        self.frozen = False
        self.follow = True
        self._had_row = self.cursor_seq is not None

    def tick(self) -> None:
        """Take in what is new. Cheap when nothing is; paints nothing itself."""
        lens = self._window.lens
        if lens is None or not self.is_attached:
            return
        lens.refresh()
        if lens.revision == self._revision:
            return
        self._revision = lens.revision
        self._take_in()
        if self._had_row != (self.cursor_seq is not None):  # the list grows where it is, and not in `_take_in`
            self._had_row = not self._had_row
            self.screen.refresh_bindings()

    @property
    def total(self) -> int:
        """Rows in the lens, the frozen and the new ones alike."""
        return len(self._window.seqs)

    @property
    def count(self) -> int:
        """Rows in the picture."""
        return self._window.count

    def row_count(self) -> int:
        """See `count`."""
        return self._window.count

    @property
    def cursor_seq(self) -> int | None:
        """The row that actions are about: the newest one that can be seen while following."""
        return self._window.seq_at(self._seen_last) if self.follow else self._cursor_seq

    def has(self, seq: int) -> bool:
        """Whether a row is in the picture."""
        return self._window.has(seq)

    def seq_at(self, index: int) -> int | None:
        """The row at a place, if there is one in the picture."""
        return self._window.seq_at(index)

    def row_at_line(self, y: int) -> int:
        """The place of the row that line `y` of the screen is part of; beyond the ends, of the first or last."""
        return max(0, min((self.scroll_offset.y + y) // self.lines, self.count - 1))

    def go_to(self, seq: int) -> None:
        """Put the cursor on `seq`, or on the next row that the lens has; from afar, with what led to it above."""
        self._come_to(self._window.index_of(seq), self._top_around)

    def freeze(self, on: bool) -> None:
        """Hold the picture, or let it run on."""
        newest = self.cursor_seq if self.follow else self._window.seq_at(self.count - 1)
        self._window.frozen_seq = newest if on else None
        self.frozen = self._window.frozen_seq is not None
        self._left_seq = self._window.frozen_seq or self._left_seq
        self._take_in()

    # Line API

    def render_lines(self, crop: Region) -> list[Strip]:
        """Fetch what is visible once, then draw."""
        self._fetch()
        return super().render_lines(crop)

    def repaint(self) -> None:
        """Paint the rows that look different from what is on the screen."""
        if self.is_attached:
            self._fetch()
            self._painted = self._visible_seqs()
        super().repaint()

    # Watchers

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Scrolling by wheel or bar stops following, and reaching the end begins it again."""
        if round(old_value) == round(new_value):
            return
        if not self._moving:
            self._show_bar()
            # When the log grows, Textual scrolls to the new end before the new height is known here.
            at_end = round(new_value) >= min(self._last_top(), self.max_scroll_y)
            if self.follow and not at_end:
                self._stop_following()
            elif not self.follow and at_end and not self.frozen and old_value < new_value:
                self.follow = True
            self._note_top()
        self.repaint()

    def watch_follow(self, follow: bool) -> None:
        """Tell the header; clear what counts only while looking back."""
        if follow:
            self.new_count = 0
            self._cursor_seq = self._top_seq = None
        self.post_message(self.FollowChanged(follow))

    def on_resize(self) -> None:
        """Keep the end, or the first visible row, where it was, and the row under the cursor in view."""
        self._resettle(self._painted)

    # Where things stand

    def _take_in(self) -> None:
        """Bring height, scroll position and counts in line with the lens."""
        if not self.is_attached:
            return
        self._window.forget()
        if not self.follow or self.frozen:
            self.new_count = self._window.later_than(self._left_seq)
        self._scroll_to_line(self._last_top() if self.follow else self._anchored_top())
        self._repaint_if_seen()

    def _resettle(self, seen: array[int]) -> None:
        """Rows or screen have another height. A cursor that was among what was `seen` stays in view."""
        cursor = self._cursor_seq
        self._take_in()
        if cursor is not None and not self.follow and cursor in seen:
            self._scroll_to_line(self._top_showing(self._window.index_of(cursor)))

    def _anchored_top(self) -> int:
        """Where the first visible row is now: older rows may have been put in front of it."""
        if self._top_seq is None:
            return self.scroll_offset.y
        return min(self._window.index_of(self._top_seq) * self.lines + self._top_line, self._last_top())

    def _repaint_if_seen(self) -> None:
        """Refresh only if other rows stand in the window than were painted."""
        visible = self._visible_seqs()
        if visible == self._painted and len(visible):
            return
        fresh = len(visible) - bisect_right(visible, self._painted[-1]) if len(self._painted) and len(visible) else 0
        rows = self._rows_on_screen
        if self._lean != (fresh >= (rows // 2 if self._lean else rows) > 0):
            self._lean = not self._lean
        self.repaint()

    def _visible_seqs(self) -> array[int]:
        first = self._first_row
        return self._window.seqs[first : min(first + self._rows_on_screen, self.count)]

    @property
    def _first_row(self) -> int:
        """The row of the first line on the screen."""
        return self.scroll_offset.y // self.lines

    @property
    def _rows_on_screen(self) -> int:
        """Rows of which a line is on the screen."""
        return (self.scroll_offset.y + self.body_height - 1) // self.lines - self._first_row + 1

    @property
    def _bar_is_off(self) -> bool:
        """Whether the eye can see that the thumb is not where it belongs: to move it costs a column of output."""
        height, shown = self.virtual_size.height, self.vertical_scrollbar.window_virtual_size
        return abs(height - shown) * 50 > shown

    def _scroll_to_line(self, top: int) -> None:
        self._moving = True
        self._set_height(self.count)  # the lens may have grown since the last tick, and there is no scrolling past it
        try:
            self._place(top)
        finally:
            self._moving = False
        if not self.follow or self._bar_is_off:
            self._show_bar()
        if not self.follow:
            self._note_top()

    def _note_top(self) -> None:
        self._top_seq = self._window.seq_at(self._first_row)
        self._top_line = self.scroll_offset.y % self.lines

    def _top_showing(self, index: int) -> int:
        """The first line on the screen that scrolling as little as possible to a whole row leads to."""
        begin = index * self.lines
        return min(max(self.scroll_offset.y, begin + self.lines - self.body_height), begin)

    def _cursor_index(self) -> int | None:
        count = self.count
        if not count:
            return None
        if self._cursor_seq is not None and not self.follow:
            return min(self._window.index_of(self._cursor_seq), count - 1)
        return self._seen_last if self.follow else min(self._first_row, count - 1)

    @property
    def _seen_last(self) -> int:
        """The place of the last row on the screen while following.

        A lens grows between two paints, and a key is about what its user saw.
        """
        last = self.count - 1
        return min(self._window.index_of(self._painted[-1]), last) if self._painted else last

    def _stop_following(self) -> None:
        self._left_seq = self.cursor_seq or 0
        self.follow = False

    def _top_around(self, index: int) -> int:
        """The same for a row that was not looked at: if it is not in view, it comes to the middle."""
        top, near = self.scroll_offset.y, self._top_showing(index)
        middle = index * self.lines - (self.body_height - self.lines) // 2
        return top if near == top else max(0, min(middle, self._last_top()))

    def move_to(self, index: int) -> None:
        """Put the cursor on a row, scrolling as little as shows it."""
        self._come_to(index, self._top_showing)

    def _come_to(self, index: int, top_for: Callable[[int], int]) -> None:
        count = self.count
        if not count:
            return
        self._halt()
        if self.follow:
            self._stop_following()
        index = min(max(index, 0), count - 1)
        self._cursor_seq = seq = self._window.seqs[index]
        self._scroll_to_line(top_for(index))
        self.repaint()
        self.post_message(self.Highlighted(seq))

    @property
    def _lead(self) -> int:
        """Rows fetched above the first visible one, to count the time from."""
        return 1 if self._first_row > 0 else 0

    def _fetch(self) -> None:
        """The visible rows and the one above, once per paint."""
        lead = self._lead
        if self._window.fetch(self._first_row - lead, self._rows_on_screen + lead):
            self.fetched()
