"""The log: one row per message, drawn from a lens by the line API.

Nothing is kept per message. A tick asks the lens what is new; a paint fetches the visible rows once; finished strips
are cached under what they show (sequence, layout, marks), never under where they stand, so that a row that moves up
costs nothing.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar

from textual import events
from textual.binding import BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import reactive, var
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.widget import Widget

from rtui.core.clean import clean
from rtui.core.record import Record
from rtui.workbench.widgets.glyph import UNICODE, Glyphs
from rtui.workbench.widgets.log_brush import CSS, STYLES, Brush
from rtui.workbench.widgets.log_keys import KEYS
from rtui.workbench.widgets.log_pick import Picks, neighbour
from rtui.workbench.widgets.painted import Painted
from rtui.workbench.widgets.row import Columns, Context, TimeMode
from rtui.workbench.widgets.source import Named, Rows

Muted = Callable[[int, str], bool]
"""(link, channel) → whether its rows are dimmed."""


class MessageLog(ScrollView, can_focus=True):
    """Rows of a lens, following its end until the user looks back."""

    BINDINGS: ClassVar[list[BindingType]] = [*KEYS]
    COMPONENT_CLASSES: ClassVar[set[str]] = {f"log--{name}" for name in STYLES}
    DEFAULT_CSS = CSS

    follow = reactive(True, repaint=False)
    """Whether the newest row is kept in view."""
    new_count = var(0)
    """Rows that came since following stopped."""
    frozen = var(False)
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
        self.painted = Painted()
        self._lens: Rows | None = None
        self._links: Mapping[int, Named] = {}
        self._muted: Muted = lambda _link, _channel: False
        self._revision: int | None = None
        self._cursor_seq: int | None = None
        self._top_seq: int | None = None
        self._left_seq = 0
        self._frozen_seq = 0
        self._lean = False
        self._window: Sequence[Record] = ()
        self._window_key: tuple[int, int, int] | None = None
        self._painted: array[int] = array("q")
        self._moving = False

    # What it shows

    def set_lens(self, lens: Rows | None, links: Mapping[int, Named], muted: Muted | None = None) -> None:
        """Show `lens` from its end. `links` and `muted` are asked at every paint; they may change."""
        self._lens = lens
        self._links = links
        self._muted = muted or (lambda _link, _channel: False)
        self._revision = self._window_key = None
        self._cursor_seq = self._top_seq = None
        self.picks.clear()
        self.frozen = False
        self.follow = True
        self.brush.begin()
        self.tick()
        self.repaint()

    def tick(self) -> None:
        """Take in what is new. Cheap when nothing is; paints nothing itself."""
        lens = self._lens
        if lens is None or not self.is_attached:
            return
        lens.refresh()
        if lens.revision == self._revision:
            return
        self._revision = lens.revision
        self._take_in(len(lens.seqs))

    @property
    def total(self) -> int:
        """Rows in the lens, the frozen and the new ones alike."""
        return 0 if self._lens is None else len(self._lens.seqs)

    @property
    def count(self) -> int:
        """Rows in the picture."""
        if self._lens is None:
            return 0
        if self.frozen:
            return bisect_right(self._lens.seqs, self._frozen_seq)
        return len(self._lens.seqs)

    @property
    def cursor_seq(self) -> int | None:
        """The row that actions are about: the newest one while following."""
        if self.follow:
            count = self.count
            return self._lens.seqs[count - 1] if self._lens is not None and count else None
        return self._cursor_seq

    def selected_seqs(self) -> list[int]:
        """The selection in order; without one, the row under the cursor."""
        if self.picks.selected:
            return sorted(self.picks.selected)
        seq = self.cursor_seq
        return [] if seq is None else [seq]

    def go_to(self, seq: int) -> None:
        """Put the cursor on `seq`, or on the next row that the lens has."""
        if self._lens is None or not self.count:
            return
        self._move_to(bisect_left(self._lens.seqs, seq))

    def freeze(self, on: bool) -> None:
        """Hold the picture, or let it run on."""
        if on and self._lens is not None and len(self._lens.seqs):
            self._frozen_seq = self._lens.seqs[-1]
        self.frozen = on and self.total > 0
        self._left_seq = self._frozen_seq if self.frozen else self._left_seq
        self._take_in(self.total)

    def jump_mark(self, step: int) -> None:
        """To the next (1) or previous (-1) marked row, around the ends."""
        seq = neighbour(filter(self._has, self.picks.marks), self.cursor_seq or 0, step)
        if seq is None:
            self.post_message(self.NothingFound("no marks here — press m on a row to mark it"))
        else:
            self.go_to(seq)

    # Line API

    def render_lines(self, crop: Region) -> list[Strip]:
        """Fetch what is visible once, then draw."""
        self._fetch()
        return super().render_lines(crop)

    def render_line(self, y: int) -> Strip:
        """Row `y` of the screen."""
        return self.painted.note(y, self._drawn(y))

    def repaint(self) -> None:
        """Paint the rows that look different from what is on the screen."""
        if self.is_attached:
            self._fetch()
            self._painted = self._visible_seqs()
            self.painted.refresh(self, self._drawn, self.scrollable_content_region.height)

    def _drawn(self, y: int) -> Strip:
        """What row `y` looks like now; blank where there is none: the lens may have shrunk since the layout."""
        width = self.scrollable_content_region.width
        if not self._window:
            middle = y == self.scrollable_content_region.height // 2
            return self.brush.hint(self.hint if middle else "", width)
        if not 0 <= y < len(self._window) - self._lead:
            return self.brush.blank(width)
        place = y + self._lead
        return self._strip(self._window[place], self._window[place - 1] if place else None)

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
            self._top_seq = self._seq_at(round(new_value))
        self.repaint()

    def watch_follow(self, follow: bool) -> None:
        """Tell the header; clear what counts only while looking back."""
        if follow:
            self.new_count = 0
            self._cursor_seq = self._top_seq = self.picks.anchor = None
        self.post_message(self.FollowChanged(follow))

    def on_resize(self) -> None:
        """Keep the end, or the first visible row, where it was."""
        self._take_in(self.total)

    # Mouse

    def on_click(self, event: events.Click) -> None:
        """One click puts the cursor, two open the message; with shift the selection grows."""
        offset = event.get_content_offset(self)
        index = self.scroll_offset.y + offset.y if offset is not None else self.count
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
        self._move_to(index + round(pages * max(1, self.size.height - 1)))

    def action_top(self) -> None:
        """To the oldest row."""
        self._move_to(0)

    def action_follow(self) -> None:
        """To the newest row, and stay there."""
        if self.frozen:
            self.freeze(False)
        self.follow = True
        self._take_in(self.total)
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
        if index is None or self._lens is None:
            return
        self.picks.toggle(self._lens.seqs[index])
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
        """Escape is ours only while something is selected."""
        if action == "deselect":
            return bool(self.picks.selected)
        return super().check_action(action, parameters)

    # Where things stand

    def _take_in(self, total: int) -> None:
        """Bring height, scroll position and counts in line with the lens."""
        if not self.is_attached:
            return
        self._window_key = None
        count = self.count
        lens = self._lens
        if lens is not None and (not self.follow or self.frozen):
            self.new_count = total - bisect_right(lens.seqs, self._left_seq)
        self._set_height(count)
        top = self._last_top() if self.follow else self._anchored_top()
        self._scroll_to_row(top)
        self._repaint_if_seen()

    def _anchored_top(self) -> int:
        """Where the first visible row is now: older rows may have been put in front of it."""
        if self._top_seq is None or self._lens is None:
            return self.scroll_offset.y
        return min(bisect_left(self._lens.seqs, self._top_seq), self._last_top())

    def _repaint_if_seen(self) -> None:
        """Refresh only if other rows stand in the window than were painted."""
        visible = self._visible_seqs()
        if visible == self._painted and len(visible):
            return
        fresh = len(visible) - bisect_right(visible, self._painted[-1]) if len(self._painted) and len(visible) else 0
        height = self.scrollable_content_region.height
        if self._lean != (fresh >= (height // 2 if self._lean else height) > 0):
            self._lean = not self._lean
        self.repaint()

    def _visible_seqs(self) -> array[int]:
        if self._lens is None:
            return array("q")
        top = self.scroll_offset.y
        return self._lens.seqs[top : min(top + self.scrollable_content_region.height, self.count)]

    def _set_height(self, rows: int) -> None:
        """Set the scrollable height without a layout: that would move every widget on the screen."""
        size = Size(self.scrollable_content_region.width, rows)
        if size != self.virtual_size:
            self.set_reactive(Widget.virtual_size, size)
        shown = self.vertical_scrollbar.window_virtual_size
        # While following, the thumb is moved for changes that the eye can see: it costs a column of output.
        if not self.follow or abs(rows - shown) * 50 > shown:
            self._show_bar()

    def _show_bar(self) -> None:
        bar = self.vertical_scrollbar
        bar.window_virtual_size = self.virtual_size.height
        bar.window_size = self.scrollable_content_region.height
        bar.position = self.scroll_y

    def _scroll_to_row(self, top: int) -> None:
        self._moving = True
        try:
            self.scroll_target_y = self.scroll_y = float(max(0, top))
        finally:
            self._moving = False
        if not self.follow:
            self._show_bar()
            self._top_seq = self._seq_at(self.scroll_offset.y)

    def _last_top(self) -> int:
        return max(0, self.count - self.scrollable_content_region.height)

    def _seq_at(self, index: int) -> int | None:
        if self._lens is None or not 0 <= index < self.count:
            return None
        return self._lens.seqs[index]

    def _has(self, seq: int) -> bool:
        """Whether `seq` is in the picture."""
        if self._lens is None:
            return False
        index = bisect_left(self._lens.seqs, seq)
        return index < self.count and self._lens.seqs[index] == seq

    def _cursor_index(self) -> int | None:
        count = self.count
        if not count or self._lens is None:
            return None
        if self._cursor_seq is not None and not self.follow:
            return min(bisect_left(self._lens.seqs, self._cursor_seq), count - 1)
        return count - 1 if self.follow else min(self.scroll_offset.y, count - 1)

    def _stop_following(self) -> None:
        self._left_seq = self._frozen_seq if self.frozen else (self._seq_at(self.count - 1) or 0)
        self.follow = False

    def _move_to(self, index: int) -> None:
        """Put the cursor on a row, scrolling as little as shows it."""
        count = self.count
        if not count or self._lens is None:
            return
        if self.follow:
            self._stop_following()
        index = min(max(index, 0), count - 1)
        self._cursor_seq = seq = self._lens.seqs[index]
        top, height = self.scroll_offset.y, self.scrollable_content_region.height
        self._scroll_to_row(min(max(top, index - height + 1), index))
        self.repaint()
        self.post_message(self.Highlighted(seq))

    def _extend_to(self, index: int) -> None:
        """Select everything between the anchor and `index`."""
        if self._lens is None:
            return
        self.picks.stand(self.cursor_seq)
        self._move_to(index)
        if self._cursor_seq is not None:
            self.picks.extend(self._lens.seqs, self._cursor_seq)
            self.repaint()

    # What is drawn

    @property
    def _lead(self) -> int:
        """Rows fetched above the first visible one, to count the time from."""
        return 1 if self.scroll_offset.y > 0 else 0

    def _fetch(self) -> None:
        """The visible rows and the one above, once per paint."""
        if self._lens is None:
            self._window = ()
            return
        height = self.scrollable_content_region.height
        lead = self._lead
        first = self.scroll_offset.y - lead
        key = (first, height, self.count)
        if key == self._window_key:
            return
        self._window_key = key
        count = min(height + lead, self.count - first)
        self._window = self._lens.rows(first, count) if count > 0 else ()
        self.brush.fit(self._window)

    def _strip(self, record: Record, before: Record | None) -> Strip:
        width = self.scrollable_content_region.width
        columns = self.brush.lay_out(width, map(self._source, self._links) if self.show_source else ())
        return self.brush.row(record, self._shown(columns, record, before))

    def _shown(self, columns: Columns, record: Record, before: Record | None) -> Context:
        seq = record.seq
        return Context(
            columns=columns,
            mode=self.time_mode,
            since=self._since(record, before),
            source=self._source(record.link) if self.show_source else "",
            marked=seq in self.picks.marks,
            selected=seq in self.picks.selected,
            cursor=not self.follow and seq == self._cursor_seq,
            muted=self._muted(record.link, record.channel),
            lean=self._lean,
        )

    def _since(self, record: Record, before: Record | None) -> int:
        """What the time column counts from, in nanoseconds; 0 in absolute mode, so that the cache holds."""
        if self.time_mode is TimeMode.ABSOLUTE:
            return 0
        if self.time_mode is TimeMode.DELTA:
            return before.time if before is not None else record.time
        rows = self._lens.rows(0, 1) if self._lens is not None else ()
        return rows[0].time if rows else 0

    def _source(self, link: int) -> str:
        row = self._links.get(link)
        return clean(row.name) if row is not None else f"#{link}"
