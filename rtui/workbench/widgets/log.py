"""The log: one row per message, of one line or more, drawn from a lens by the line API.

Nothing is kept per message. A tick asks the lens what is new; a paint fetches the visible rows once; finished strips
are cached under what they show (sequence, layout, marks), never under where they stand, so that a row that moves up
costs nothing.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Mapping
from typing import ClassVar

from textual import events
from textual.binding import BindingType
from textual.geometry import Region
from textual.message import Message
from textual.reactive import reactive, var
from textual.strip import Strip

from rtui.workbench.widgets.column import Column
from rtui.workbench.widgets.density import Density
from rtui.workbench.widgets.empty import line_of
from rtui.workbench.widgets.glyph import UNICODE, Glyphs
from rtui.workbench.widgets.log_brush import CSS, STYLES, Brush, LookOf, Scene
from rtui.workbench.widgets.log_keys import KEYS, OF_ROWS
from rtui.workbench.widgets.log_pick import Picks, neighbour
from rtui.workbench.widgets.log_window import Window
from rtui.workbench.widgets.row import PLAIN, TimeMode
from rtui.workbench.widgets.source import Named, Rows
from rtui.workbench.widgets.tall import Tall


class MessageLog(Tall):
    """Rows of a lens, following its end until the user looks back."""

    BINDINGS: ClassVar[list[BindingType]] = [*KEYS]
    COMPONENT_CLASSES: ClassVar[set[str]] = {f"log--{name}" for name in STYLES}
    DEFAULT_CSS = CSS

    follow = reactive(True, repaint=False)
    """Whether the newest row is kept in view."""
    new_count = var(0)
    """Rows that came since following stopped."""
    frozen = var(False, bindings=True)
    """Whether the picture is held."""
    time_mode = reactive(TimeMode.ABSOLUTE)
    """What the time column tells."""
    show_source = reactive(False)
    """Whether each row names its connection (timeline)."""
    hint = reactive("no messages yet — press s to send, or wait for the server")
    """What an empty log says."""

    class Highlighted(Message):
        """The cursor is on another row."""

        def __init__(self, seq: int) -> None:
            super().__init__()
            self.seq = seq

    class Opened(Message):
        """The user wants to see a message."""

        def __init__(self, seq: int) -> None:
            super().__init__()
            self.seq = seq

    class FollowChanged(Message):
        """Following began or stopped."""

        def __init__(self, follow: bool) -> None:
            super().__init__()
            self.follow = follow

    class ErrorWanted(Message):
        """The user wants to go to the next error (1) or the one before (-1)."""

        def __init__(self, step: int) -> None:
            super().__init__()
            self.step = step

    class NothingFound(Message):
        """A jump found no such row. `text` says what was looked for."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    def __init__(self, *, glyphs: Glyphs = UNICODE, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, classes=classes)
        self.brush = Brush(lambda name: self.get_component_rich_style(f"log--{name}"), glyphs)
        self.picks = Picks()
        self._window = Window()
        self._links: Mapping[int, Named] = {}
        self._look: LookOf = lambda _link, _channel: PLAIN
        self._revision: int | None = None
        self._cursor_seq: int | None = None
        self._top_seq: int | None = None
        self._top_line = 0
        """Lines of that row above the screen."""
        self._left_seq = 0
        self._lean = False
        self._painted: array[int] = array("q")
        self._moving = False

    # What it shows

    def set_lens(self, lens: Rows | None, links: Mapping[int, Named], look: LookOf | None = None) -> None:
        """Show `lens` from its end. `links` and `look` are asked at every paint; they may change."""
        self._window.show(lens)
        self._links = links
        self._look = look or (lambda _link, _channel: PLAIN)
        self._revision = self._cursor_seq = self._top_seq = None
        self.picks.clear()
        self.frozen = False
        self.follow = True
        self.brush.begin()
        self.tick()
        self.repaint()

    def set_columns(self, columns: tuple[Column, ...]) -> None:
        """Show the same rows in the user's columns; without any, in the usual ones."""
        if columns != self.brush.chosen:
            self.brush.chosen = columns
            self.repaint()

    def set_density(self, density: Density) -> None:
        """Show the same rows in more lines or fewer; the first row, or the one under the cursor, stays in view."""
        if density is self.brush.density:
            return
        seen = self._visible_seqs()
        self.brush.density, self.lines, self._top_line = density, density.lines, 0
        self._resettle(seen)
        self.repaint()

    def tick(self) -> None:
        """Take in what is new. Cheap when nothing is; paints nothing itself."""
        lens = self._window.lens
        if lens is None or not self.is_attached:
            return
        lens.refresh()
        if lens.revision == self._revision:
            return
        self._revision = lens.revision
        before = self.cursor_seq
        self._take_in()
        if (before is None) != (self.cursor_seq is None):
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
        """The row that actions are about: the newest one while following."""
        return self._window.seq_at(self.count - 1) if self.follow else self._cursor_seq

    def selected_seqs(self) -> list[int]:
        """The selection in order; without one, the row under the cursor."""
        if self.picks.selected:
            return sorted(self.picks.selected)
        seq = self.cursor_seq
        return [] if seq is None else [seq]

    def has(self, seq: int) -> bool:
        """Whether a row is in the picture."""
        return self._window.has(seq)

    def go_to(self, seq: int) -> None:
        """Put the cursor on `seq`, or on the next row that the lens has."""
        self._move_to(self._window.index_of(seq))

    def freeze(self, on: bool) -> None:
        """Hold the picture, or let it run on."""
        self._window.frozen_seq = self._window.seqs[-1] if on and self.total else None
        self.frozen = self._window.frozen_seq is not None
        self._left_seq = self._window.frozen_seq or self._left_seq
        self._take_in()

    def jump_mark(self, step: int) -> None:
        """To the next (1) or previous (-1) marked row, around the ends."""
        seq = neighbour(filter(self._window.has, self.picks.marks), self.cursor_seq or 0, step)
        if seq is None:
            self.post_message(self.NothingFound("no marks here — press m on a row to mark it"))
        else:
            self.go_to(seq)

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

    def _drawn(self, y: int) -> Strip:
        """What line `y` looks like now; blank where there is none: the lens may have shrunk since the layout."""
        records = self._window.records
        if not records:
            words = line_of(self.hint, y, width=self.body_width, height=self.body_height)
            return self.brush.hint(words, self.body_width)
        row, line = divmod(self.scroll_offset.y + y, self.lines)
        place = row - self._window.first
        if not 0 <= place < len(records):
            return self.brush.blank(self.body_width)
        record, before = records[place], records[place - 1] if place else None
        return self.brush.row(record, self._scene().context(record, before))[line]

    def notify_style_update(self) -> None:
        """The theme or the focus changed: every colour is suspect."""
        super().notify_style_update()
        self.brush.forget()

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
            self._cursor_seq = self._top_seq = self.picks.anchor = None
        self.post_message(self.FollowChanged(follow))

    def on_resize(self) -> None:
        """Keep the end, or the first visible row, where it was, and the row under the cursor in view."""
        self._resettle(self._painted)

    # Mouse

    def on_click(self, event: events.Click) -> None:
        """One click puts the cursor, two open the message; with shift the selection grows."""
        offset = event.get_content_offset(self)
        index = (self.scroll_offset.y + offset.y) // self.lines if offset is not None else self.count
        if index >= self.count:
            return
        if event.shift:
            self._extend_to(index)
        else:
            self._move_to(index)
            if event.chain == 2:  # noqa: PLR2004 - a double click
                self.action_open()

    # Actions

    def action_cursor(self, step: int) -> None:
        """Move by rows. The first step back stops on the newest row: the cursor was not to be seen before."""
        index = self._cursor_index()
        if index is None:
            return
        if not self.follow:
            self._move_to(index + step)
        elif step < 0:
            self._move_to(index)

    def action_page(self, pages: float) -> None:
        """Move by screens."""
        index = self._cursor_index()
        if index is None or (self.follow and pages > 0):
            return
        rows = round(pages * max(1, self.size.height // self.lines - 1))
        self._move_to(index + (rows or (1 if pages > 0 else -1)))

    def action_top(self) -> None:
        """To the oldest row."""
        self._move_to(0)

    def action_follow(self) -> None:
        """To the newest row, and stay there."""
        if self.frozen:
            self.freeze(False)
        self.follow = True
        self._take_in()
        self.repaint()

    def action_open(self) -> None:
        """Ask for the message under the cursor."""
        if (seq := self.cursor_seq) is not None:
            self.post_message(self.Opened(seq))

    def action_freeze(self) -> None:
        """Hold or let go."""
        self.freeze(not self.frozen)

    def action_time(self) -> None:
        """The next time mode."""
        self.time_mode = self.time_mode.next()

    def action_mark(self) -> None:
        """Mark or unmark the row under the cursor."""
        if (seq := self.cursor_seq) is not None:
            self.picks.marks ^= {seq}
            self.repaint()

    def action_jump_mark(self, step: int) -> None:
        """See `jump_mark`."""
        self.jump_mark(step)

    def action_jump_error(self, step: int) -> None:
        """To the next (1) or previous (-1) error or end: who has the lens looks for it."""
        self.post_message(self.ErrorWanted(step))

    def action_select(self, step: int = 0) -> None:
        """Select or deselect the row under the cursor, then move by `step`."""
        index = self._cursor_index()
        if index is None:
            return
        self.picks.toggle(self._window.seqs[index])
        self._move_to(index + step)

    def action_extend(self, step: int) -> None:
        """Grow or shrink the selection by rows."""
        if (index := self._cursor_index()) is not None:
            self._extend_to(index + step)

    def action_deselect(self) -> None:
        """Select nothing."""
        self.picks.clear()
        self.repaint()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """What makes no sense now is neither done nor offered."""
        if action == "deselect":
            return bool(self.picks.selected)
        if action == "follow":
            return not self.follow or self.frozen
        if action in OF_ROWS:
            return self.cursor_seq is not None
        return super().check_action(action, parameters)

    # Where things stand

    def _take_in(self) -> None:
        """Bring height, scroll position and counts in line with the lens."""
        if not self.is_attached:
            return
        self._window.forget()
        if not self.follow or self.frozen:
            self.new_count = self._window.later_than(self._left_seq)
        self._set_height(self.count)
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

    def _set_height(self, rows: int) -> None:
        """And the scroll bar with it."""
        super()._set_height(rows)
        height, shown = self.virtual_size.height, self.vertical_scrollbar.window_virtual_size
        # While following, the thumb is moved for changes that the eye can see: it costs a column of output.
        if not self.follow or abs(height - shown) * 50 > shown:
            self._show_bar()

    def _scroll_to_line(self, top: int) -> None:
        self._moving = True
        try:
            self._place(top)
        finally:
            self._moving = False
        if not self.follow:
            self._show_bar()
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
        return count - 1 if self.follow else min(self._first_row, count - 1)

    def _stop_following(self) -> None:
        self._left_seq = self._window.seq_at(self.count - 1) or 0
        self.follow = False

    def _move_to(self, index: int) -> None:
        """Put the cursor on a row, scrolling as little as shows it."""
        count = self.count
        if not count:
            return
        if self.follow:
            self._stop_following()
        index = min(max(index, 0), count - 1)
        self._cursor_seq = seq = self._window.seqs[index]
        self._scroll_to_line(self._top_showing(index))
        self.repaint()
        self.post_message(self.Highlighted(seq))

    def _extend_to(self, index: int) -> None:
        """Select everything between the anchor and `index`."""
        self.picks.stand(self.cursor_seq)
        self._move_to(index)
        if self._cursor_seq is not None:
            self.picks.extend(self._window.seqs, self._cursor_seq)
            self.repaint()

    # What is drawn

    @property
    def _lead(self) -> int:
        """Rows fetched above the first visible one, to count the time from."""
        return 1 if self._first_row > 0 else 0

    def _fetch(self) -> None:
        """The visible rows and the one above, once per paint."""
        lead = self._lead
        if self._window.fetch(self._first_row - lead, self._rows_on_screen + lead):
            self.brush.fit(self._window.records)

    def _scene(self) -> Scene:
        names = self._links if self.show_source else None
        return Scene(
            columns=self.brush.lay_out(self.body_width, names),
            mode=self.time_mode,
            began=self._window.began() if self.time_mode is TimeMode.RELATIVE else 0,
            names=names,
            look=self._look,
            picks=self.picks,
            cursor=None if self.follow else self._cursor_seq,
            lean=self._lean,
        )
