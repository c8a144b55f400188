"""The log: one row per message, of one line or more; what keys and mouse do with rows.

Nothing is kept per message: `lens_view` keeps the place among the rows, and finished strips are cached under what they
show (sequence, layout, marks), never under where they stand, so that a row that moves up costs nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from textual import events
from textual.binding import BindingType
from textual.message import Message
from textual.reactive import reactive
from textual.strip import Strip

from rtui.core.record import Record
from rtui.workbench.widgets.column import Column
from rtui.workbench.widgets.density import LINES, Density
from rtui.workbench.widgets.empty import line_of
from rtui.workbench.widgets.glyph import UNICODE, Glyphs
from rtui.workbench.widgets.lens_view import LensView
from rtui.workbench.widgets.log_brush import CSS, STYLES, Brush, LookOf, Scene
from rtui.workbench.widgets.log_keys import KEYS, OF_ROWS
from rtui.workbench.widgets.log_pick import Picks, neighbour
from rtui.workbench.widgets.log_pointer import Pointer
from rtui.workbench.widgets.row import PLAIN, Context, TimeMode
from rtui.workbench.widgets.source import Named, Rows


class MessageLog(LensView):
    """Rows of a lens, following its end until the user looks back."""

    BINDINGS: ClassVar[list[BindingType]] = [*KEYS]
    COMPONENT_CLASSES: ClassVar[set[str]] = {f"log--{name}" for name in STYLES}
    DEFAULT_CSS = CSS

    time_mode = reactive(TimeMode.ABSOLUTE)
    """What the time column tells."""
    show_source = reactive(False)
    """Whether each row names its connection (timeline)."""
    hint = reactive("no messages yet — press s to send, or wait for the server")
    """What an empty log says."""

    class Opened(Message):
        """The user wants to see a message."""

        def __init__(self, seq: int) -> None:
            super().__init__()
            self.seq = seq

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
        self._pointer = Pointer(self)
        self.title_parts: Sequence[tuple[str, str]] = ()
        """What the title says, part by part, each with the action that a click on it carries out; "" for none."""
        self._links: Mapping[int, Named] = {}
        self._look: LookOf = lambda _link, _channel: PLAIN

    # What it shows

    def set_lens(self, lens: Rows | None, links: Mapping[int, Named], look: LookOf | None = None) -> None:
        """Show `lens` from its end. `links` and `look` are asked at every paint; they may change."""
        self.look_at(lens)
        self._links = links
        self._look = look or (lambda _link, _channel: PLAIN)
        self.picks.clear()
        self.brush.begin()
        self.tick()
        self.repaint()

    def set_columns(self, columns: tuple[Column, ...]) -> None:
        """Show the same rows in the user's columns; without any, in the usual ones."""
        if columns != self.brush.chosen:
            self.brush.chosen = columns
            self.repaint()

    def set_density(self, density: Density, large: int = LINES) -> None:
        """Show the same rows in more lines or fewer; the first row, or the one under the cursor, stays in view.

        `large`: lines of a large row.
        """
        if (density, density.lines(large)) == (self.brush.density, self.lines):
            return
        seen = self._visible_seqs()
        self.brush.density, self.brush.large = density, large
        self.lines, self._top_line = density.lines(large), 0
        self._resettle(seen)
        self.repaint()

    def selected_seqs(self) -> list[int]:
        """The selection in order; without one, the row under the cursor."""
        if self.picks.selected:
            return sorted(self.picks.selected)
        seq = self.cursor_seq
        return [] if seq is None else [seq]

    def jump_mark(self, step: int) -> None:
        """To the next (1) or previous (-1) marked row, around the ends."""
        seq = neighbour(filter(self._window.has, self.picks.marks), self.cursor_seq or 0, step)
        if seq is None:
            self.post_message(self.NothingFound("no marks here — press m on a row to mark it"))
        else:
            self.go_to(seq)

    def fetched(self) -> None:
        """See `LensView`."""
        self.brush.fit(self._window.records)

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

    def watch_follow(self, follow: bool) -> None:
        """A selection that grows began where the user looked back."""
        super().watch_follow(follow)
        if follow:
            self.picks.anchor = None

    # Mouse

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """See `Pointer`."""
        self._pointer.press(event)

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """See `Pointer`."""
        self._pointer.move(event)

    def on_mouse_up(self) -> None:
        """See `Pointer`."""
        self._pointer.release()

    async def on_click(self, event: events.Click) -> None:
        """See `Pointer`."""
        await self._pointer.click(event)

    def drawn_at(self, y: int) -> tuple[Record, Context] | None:
        """What stands on line `y` of the screen, if that is the first line of a row."""
        row, line = divmod(self.scroll_offset.y + y, self.lines)
        place, records = row - self._window.first, self._window.records
        if line or not 0 <= place < len(records):
            return None
        record, before = records[place], records[place - 1] if place else None
        return self.brush.read(record), self._scene().context(record, before)

    def select_between(self, seq: int, index: int) -> None:
        """Select every row from `seq` to the one at `index`, where the cursor goes."""
        self.picks.begin(seq)
        self.extend_to(index)

    def toggle(self, index: int) -> None:
        """Select or deselect the row at `index`, where the cursor goes."""
        self.picks.toggle(self._window.seqs[index])
        self.move_to(index)

    # Actions

    def action_cursor(self, step: int) -> None:
        """Move by rows. The first step back stops on the newest row: the cursor was not to be seen before."""
        index = self._cursor_index()
        if index is None:
            return
        if not self.follow:
            self.move_to(index + step)
        elif step < 0:
            self.move_to(index)

    def action_page(self, pages: float) -> None:
        """Move by screens."""
        index = self._cursor_index()
        if index is None or (self.follow and pages > 0):
            return
        rows = round(pages * max(1, self.size.height // self.lines - 1))
        self.move_to(index + (rows or (1 if pages > 0 else -1)))

    def action_top(self) -> None:
        """To the oldest row."""
        self.move_to(0)

    def action_follow(self) -> None:
        """To the newest row, and stay there."""
        self._halt()
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
        self.toggle(index)
        if step:
            self.move_to(index + step)

    def action_extend(self, step: int) -> None:
        """Grow or shrink the selection by rows."""
        if (index := self._cursor_index()) is not None:
            self.extend_to(index + step)

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

    def extend_to(self, index: int) -> None:
        """Select everything between the anchor and `index`."""
        self.picks.stand(self.cursor_seq)
        self.move_to(index)
        if self._cursor_seq is not None:
            self.picks.extend(self._window.seqs, self._cursor_seq)
            self.repaint()

    # What is drawn

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
