"""The log: one row per message, drawn from a lens by the line API.

Nothing is kept per message. A tick asks the lens what is new; a paint fetches the visible rows once; finished strips
are cached under what they show (sequence, layout, marks), never under where they stand, so that a row that moves up
costs nothing.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar, Final

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.cache import LRUCache
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import reactive, var
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.widget import Widget

from rtui.core.clean import cell_width, clean
from rtui.core.record import Kind, Record
from rtui.workbench.widgets.glyph import UNICODE, Glyphs
from rtui.workbench.widgets.row import MAX_CHANNEL, MAX_SOURCE, Columns, Context, TimeMode, layout, pieces
from rtui.workbench.widgets.source import Named, Rows

CACHED_STRIPS: Final = 512
"""Several screens, so that paging back and forth redraws nothing."""
SEARCH_CHUNK: Final = 512
SEARCH_LIMIT: Final = 20_000
"""Rows that a jump looks at before it gives up: about 30 ms."""

Muted = Callable[[int, str], bool]
"""(link, channel) → whether its rows are dimmed."""


class MessageLog(ScrollView, can_focus=True):
    """Rows of a lens, following its end until the user looks back."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "cursor(-1)", "Up", show=False, id="log.up", tooltip="Previous row; stops following"),
        Binding("down,j", "cursor(1)", "Down", show=False, id="log.down", tooltip="Next row"),
        Binding("pageup", "page(-1.0)", "Page up", show=False, id="log.page-up", tooltip="One page back"),
        Binding("pagedown", "page(1.0)", "Page down", show=False, id="log.page-down", tooltip="One page on"),
        Binding("ctrl+u", "page(-0.5)", "Half up", show=False, id="log.half-up", tooltip="Half a page back"),
        Binding("ctrl+d", "page(0.5)", "Half down", show=False, id="log.half-down", tooltip="Half a page on"),
        Binding("home,g", "top", "First", show=False, id="log.top", tooltip="The oldest row"),
        Binding("end,G", "follow", "Follow", id="log.follow", tooltip="Go to the newest row and follow"),
        Binding("enter", "open", "Open", id="log.open", tooltip="Show the message in the message pane"),
        Binding("z", "freeze", "Freeze", id="log.freeze", tooltip="Hold the picture; messages are still recorded"),
        Binding("t", "time", "Time", id="log.time", tooltip="Absolute, relative to the first row, since the row above"),
        Binding("m", "mark", "Mark", id="log.mark", tooltip="Mark the row, or take the mark away"),
        Binding("apostrophe", "jump_mark(1)", "Next mark", show=False, id="log.next-mark", tooltip="Next marked row"),
        Binding(
            "quotation_mark",
            "jump_mark(-1)",
            "Previous mark",
            show=False,
            id="log.previous-mark",
            tooltip="Marked row before",
        ),
        Binding("e", "jump_error(1)", "Next error", show=False, id="log.next-error", tooltip="Next error or close"),
        Binding(
            "E",
            "jump_error(-1)",
            "Previous error",
            show=False,
            id="log.previous-error",
            tooltip="Error or close before",
        ),
        Binding("x", "select", "Select", show=False, id="log.select", tooltip="Select the row, or deselect it"),
        Binding("space", "select(1)", "Select, next", show=False, id="log.select-next", tooltip="Select and go on"),
        Binding("shift+up", "extend(-1)", "Extend up", show=False, id="log.extend-up", tooltip="Select upwards"),
        Binding("shift+down", "extend(1)", "Extend down", show=False, id="log.extend-down", tooltip="Select downwards"),
        Binding("escape", "deselect", "Deselect", show=False, id="log.deselect", tooltip="Select nothing"),
    ]

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "log--text",
        "log--dim",
        "log--in",
        "log--out",
        "log--error",
        "log--notice",
        "log--key",
        "log--channel",
        "log--source",
        "log--cursor",
        "log--selected",
    }

    DEFAULT_CSS = """
    MessageLog {
        height: 1fr;
        width: 1fr;
        background: $surface;
        color: $foreground;
        overflow-y: scroll;
        overflow-x: hidden;
        scrollbar-size-vertical: 1;
        & > .log--dim { color: $rt-dim; }
        & > .log--in { color: $rt-in; }
        & > .log--out { color: $rt-out; }
        & > .log--error { color: $rt-error; }
        & > .log--notice { color: $rt-notice; }
        & > .log--key { color: $rt-key; }
        & > .log--channel { color: $rt-string; }
        & > .log--source { color: $rt-number; }
        & > .log--selected { background: $panel; }
        & > .log--cursor {
            background: $block-cursor-blurred-background;
            color: $block-cursor-blurred-foreground;
            text-style: $block-cursor-blurred-text-style;
        }
        &:focus > .log--cursor {
            background: $block-cursor-background;
            color: $block-cursor-foreground;
            text-style: $block-cursor-text-style;
        }
        &.-ascii { scrollbar-size-vertical: 0; }
    }
    """

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

    class NothingFound(Message):
        """A jump found no such row. `text` says what was looked for."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    def __init__(self, *, glyphs: Glyphs = UNICODE, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, classes=classes)
        self.glyphs = glyphs
        self.strips: LRUCache[tuple[int, Context], Strip] = LRUCache(CACHED_STRIPS)
        self.marks: set[int] = set()
        self._lens: Rows | None = None
        self._links: Mapping[int, Named] = {}
        self._muted: Muted = lambda _link, _channel: False
        self._revision: int | None = None
        self._selected: set[int] = set()
        self._anchor_seq: int | None = None
        self._cursor_seq: int | None = None
        self._top_seq: int | None = None
        self._left_seq = 0
        self._frozen_seq = 0
        self._lean = False
        self._channel_cells = 0
        self._window: Sequence[Record] = ()
        self._window_key: tuple[int, int, int] | None = None
        self._painted: array[int] = array("q")
        self._columns = layout(0, channel=0, source=0)
        self._moving = False
        self._styles: dict[tuple[str, str], Style] = {}

    # What it shows

    def set_lens(self, lens: Rows | None, links: Mapping[int, Named], muted: Muted | None = None) -> None:
        """Show `lens` from its end. `links` and `muted` are asked at every paint; they may change."""
        self._lens = lens
        self._links = links
        self._muted = muted or (lambda _link, _channel: False)
        self._revision = self._window_key = None
        self._cursor_seq = self._top_seq = self._anchor_seq = None
        self._selected.clear()
        self._channel_cells = 0
        self.frozen = False
        self.follow = True
        self.strips.clear()
        self.tick()
        self.refresh()

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
        if self._selected:
            return sorted(self._selected)
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
        seqs = sorted(seq for seq in self.marks if self._index_of(seq) is not None)
        if not seqs:
            self.post_message(self.NothingFound("no marks here — press m on a row to mark it"))
            return
        here = self.cursor_seq or 0
        place = bisect_right(seqs, here) if step > 0 else bisect_left(seqs, here) - 1
        self.go_to(seqs[place % len(seqs)])

    def jump_error(self, step: int) -> None:
        """To the next (1) or previous (-1) error or unclean end."""
        seq = self._find(lambda record: record.kind in {Kind.ERROR, Kind.CLOSE, Kind.GAP}, step)
        if seq is None:
            where = "below" if step > 0 else "above"
            self.post_message(self.NothingFound(f"no error within {SEARCH_LIMIT:,} rows {where}"))
        else:
            self.go_to(seq)

    # Line API

    def render_lines(self, crop: Region) -> list[Strip]:
        """Fetch what is visible once, then draw."""
        self._fetch()
        return super().render_lines(crop)

    def render_line(self, y: int) -> Strip:
        """Row `y` of the screen; blank where there is none: the lens may have shrunk since the layout."""
        width = self.scrollable_content_region.width
        if not self._window:
            return self._empty_line(y, width)
        if not 0 <= y < len(self._window) - self._lead:
            return Strip.blank(width, self._style("text", ""))
        place = y + self._lead
        return self._strip(self._window[place], self._window[place - 1] if place else None)

    def notify_style_update(self) -> None:
        """The theme or the focus changed: every colour is suspect."""
        super().notify_style_update()
        self._styles.clear()
        self.strips.clear()

    # Watchers

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Scrolling by wheel or bar stops following, and reaching the end begins it again."""
        if round(old_value) == round(new_value):
            return
        if not self._moving:
            self._show_bar()
            at_end = round(new_value) >= self._last_top()
            if self.follow and not at_end:
                self._stop_following()
            elif not self.follow and at_end and not self.frozen and old_value < new_value:
                self.follow = True
            self._top_seq = self._seq_at(round(new_value))
        self.refresh()

    def watch_follow(self, follow: bool) -> None:
        """Tell the header; clear what counts only while looking back."""
        if follow:
            self.new_count = 0
            self._cursor_seq = self._top_seq = self._anchor_seq = None
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
        self.refresh()

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
            self.marks ^= {seq}
            self.refresh()

    def action_jump_mark(self, step: int) -> None:
        """See `jump_mark`."""
        self.jump_mark(step)

    def action_jump_error(self, step: int) -> None:
        """See `jump_error`."""
        self.jump_error(step)

    def action_select(self, step: int = 0) -> None:
        """Select or deselect the row under the cursor, then move by `step`."""
        index = self._cursor_index()
        if index is None or self._lens is None:
            return
        seq = self._lens.seqs[index]
        self._selected ^= {seq}
        self._anchor_seq = seq
        self._move_to(index + step)

    def action_extend(self, step: int) -> None:
        """Grow or shrink the selection by rows."""
        if (index := self._cursor_index()) is not None:
            self._extend_to(index + step)

    def action_deselect(self) -> None:
        """Select nothing."""
        self._selected.clear()
        self._anchor_seq = None
        self.refresh()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Escape is ours only while something is selected."""
        if action == "deselect":
            return bool(self._selected)
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
        self._painted = visible
        self.refresh()

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

    def _index_of(self, seq: int) -> int | None:
        if self._lens is None:
            return None
        index = bisect_left(self._lens.seqs, seq)
        return index if index < self.count and self._lens.seqs[index] == seq else None

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
        self.refresh()
        self.post_message(self.Highlighted(seq))

    def _extend_to(self, index: int) -> None:
        """Select everything between the anchor and `index`."""
        if self._lens is None:
            return
        if self._anchor_seq is None or not self._selected:
            self._anchor_seq = self.cursor_seq
        self._move_to(index)
        ends = sorted((self._anchor_seq or 0, self._cursor_seq or 0))
        seqs = self._lens.seqs
        self._selected = set(seqs[bisect_left(seqs, ends[0]) : bisect_right(seqs, ends[1])])

    def _find(self, wanted: Callable[[Record], bool], step: int) -> int | None:
        """The nearest row in a direction for which `wanted` holds, within `SEARCH_LIMIT`."""
        here = self._cursor_index()
        if here is None or self._lens is None:
            return None
        for offset in range(0, SEARCH_LIMIT, SEARCH_CHUNK):
            first = here + 1 + offset if step > 0 else max(0, here - offset - SEARCH_CHUNK)
            last = min(self.count, first + SEARCH_CHUNK) if step > 0 else here - offset
            if first >= last:
                return None
            chunk = self._lens.rows(first, last - first)
            found = [record.seq for record in chunk if wanted(record)]
            if found:
                return found[0] if step > 0 else found[-1]
        return None

    # How they are drawn

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
        self._painted = self._visible_seqs()
        self._fit_columns()

    def _fit_columns(self) -> None:
        """Columns grow with what has been seen and never shrink under the reader's eyes."""
        if self._channel_cells < MAX_CHANNEL:
            longest = max((record.channel for record in self._window), key=len, default="")
            self._channel_cells = max(self._channel_cells, min(MAX_CHANNEL, cell_width(clean(longest[:MAX_CHANNEL]))))

    def _row_context(self, record: Record, before: Record | None) -> Context:
        seq = record.seq
        cursor = not self.follow and seq == self._cursor_seq
        return Context(
            columns=self._columns,
            mode=self.time_mode,
            since=self._since(record, before),
            source=self._source(record.link) if self.show_source else "",
            marked=seq in self.marks,
            selected=seq in self._selected,
            cursor=cursor,
            muted=self._muted(record.link, record.channel),
            lean=self._lean,
        )

    def _since(self, record: Record, before: Record | None) -> int:
        if self.time_mode is TimeMode.ABSOLUTE:
            return 0
        if self.time_mode is TimeMode.DELTA:
            return before.time if before is not None else record.time
        return self._origin()

    def _origin(self) -> int:
        """The time of the first row."""
        rows = self._lens.rows(0, 1) if self._lens is not None else ()
        return rows[0].time if rows else 0

    def _source(self, link: int) -> str:
        row = self._links.get(link)
        return clean(row.name) if row is not None else f"#{link}"

    def _strip(self, record: Record, before: Record | None) -> Strip:
        width = self.scrollable_content_region.width
        source = max((cell_width(self._source(link)) for link in self._links), default=0) if self.show_source else 0
        self._columns = self._layout(width, min(source, MAX_SOURCE))
        context = self._row_context(record, before)
        key = (record.seq, context)
        strip = self.strips.get(key)
        if strip is None:
            strip = self._draw(record, context)
            self.strips[key] = strip
        return strip

    def _layout(self, width: int, source: int) -> Columns:
        return layout(width, channel=self._channel_cells, source=source)

    def _draw(self, record: Record, context: Context) -> Strip:
        over = "cursor" if context.cursor else "selected" if context.selected else ""
        segments = [Segment(text, self._style(name, over)) for name, text in pieces(record, context, self.glyphs)]
        return Strip(segments).adjust_cell_length(context.columns.width, self._style("text", over))

    def _style(self, name: str, over: str) -> Style:
        style = self._styles.get((name, over))
        if style is None:
            style = self.get_component_rich_style(f"log--{name}")
            if over == "cursor":
                style = self.get_component_rich_style("log--cursor")
            elif over:
                style += Style(bgcolor=self.get_component_rich_style(f"log--{over}").bgcolor)
            self._styles[name, over] = style
        return style

    def _empty_line(self, y: int, width: int) -> Strip:
        style = self._style("dim", "")
        if y != self.scrollable_content_region.height // 2 or not self.hint:
            return Strip.blank(width, style)
        return Strip([Segment(clean(self.hint).center(width), style)]).crop(0, width)
