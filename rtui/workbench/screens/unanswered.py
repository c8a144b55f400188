"""The requests of a tab that have no answer: how long they wait, newest first, live."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar, Final

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import Label

from rtui.core.clean import cell_width, clean, clip, clip_middle
from rtui.core.record import Kind, Record
from rtui.core.words import counted
from rtui.workbench.screens.dialog import Dialog
from rtui.workbench.widgets import figure
from rtui.workbench.widgets.canvas import Canvas, moves
from rtui.workbench.widgets.glyph import UNICODE, Glyphs
from rtui.workbench.widgets.row import Piece, badges, body

if TYPE_CHECKING:
    from rtui.workbench.catalog import Catalog
    from rtui.workbench.sheet import Sheet

PERIOD: Final = 0.25
"""Seconds between two looks."""
LATE: Final = 5_000_000_000
"""Nanoseconds from which a wait is worth a look."""
WAIT_CELLS: Final = 4
MAX_SOURCE: Final = 20
MAX_CHANNEL: Final = 30
ANY: Final = "whatever its protocol owes an answer to: acks, calls, QoS 1 and 2, response topics, pings"


class UnansweredList(Canvas):
    """One row per request: how long ago it was sent, where to, what it says."""

    BINDINGS: ClassVar[list[BindingType]] = [
        *moves("unanswered"),
        Binding("enter", "go", "Go to the row", id="unanswered.go", tooltip="Show the row in the log"),
    ]

    class Picked(Message):
        """The user wants to see a row."""

        def __init__(self, seq: int) -> None:
            super().__init__()
            self.seq = seq

    hint = "everything that was asked was answered"

    def __init__(
        self, sheet: Sheet, catalog: Catalog, *, glyphs: Glyphs, clock: Callable[[], int] = time.time_ns
    ) -> None:
        super().__init__()
        self._sheet = sheet
        self._catalog = catalog
        self._glyphs = glyphs
        self._clock = clock if catalog.journal is not None else self._end
        self._on: int | None = None
        """The row under the cursor, as long as it waits."""

    def row_count(self) -> int:
        """See `Canvas`."""
        lens = self._sheet.unanswered
        return len(lens.seqs) if lens is not None else 0

    def row_pieces(self, index: int, width: int) -> list[Piece]:
        """See `Canvas`."""
        seq = self._seq_at(index)
        record = self._catalog.record(seq)
        if record is None:
            return [("dim", f"row {seq} is gone")]
        waited = max(0, self._clock() - record.time)
        words = [("error" if waited >= LATE else "notice", figure.ago(waited / 1e9).rjust(WAIT_CELLS))]
        if self._sheet.is_timeline:
            words.append(("string", self._source(record)))
        words += [("key", clip_middle(clean(record.channel), MAX_CHANNEL)), ("number", self._badges(record))]
        pieces = [piece for style, text in words if text for piece in ((style, text), ("dim", " "))]
        room = max(0, width - sum(cell_width(text) for _, text in pieces))
        return [*pieces, ("text", self._told(record, room))]

    def tick(self) -> None:
        """Take in what is new; the cursor stays on its row."""
        lens = self._sheet.unanswered
        if lens is None:
            return
        lens.refresh()
        if self._on is not None:
            self.cursor = self._standing()
        self.resettle()
        self._on = self._seq_at(self.cursor) if self._on is not None else None

    def cursor_moved(self) -> None:
        """See `Canvas`."""
        self._on = self._seq_at(self.cursor)

    def action_go(self) -> None:
        """Ask for the row under the cursor."""
        if (seq := self._seq_at(self._standing())) is not None:
            self.post_message(self.Picked(seq))

    def on_click(self, event: events.Click) -> None:
        """One click puts the cursor, two go to the row."""
        if (index := self.row_at(event)) is not None:
            self.go_to_row(index)
            if event.chain == 2:  # noqa: PLR2004 - a double click
                self.action_go()

    def _standing(self) -> int:
        """Where the cursor's row stands by now."""
        lens = self._sheet.unanswered
        index = lens.index_of(self._on) if lens is not None and self._on is not None else None
        return self.cursor if lens is None or index is None else len(lens.seqs) - 1 - index

    def _seq_at(self, index: int) -> int | None:
        lens = self._sheet.unanswered
        return lens.seqs[-1 - index] if lens is not None and 0 <= index < len(lens.seqs) else None

    def _source(self, record: Record) -> str:
        link = self._catalog.links.get(record.link)
        return clip_middle(clean(link.name), MAX_SOURCE) if link is not None else ""

    def _badges(self, record: Record) -> str:
        return " ".join(badges(record, self._glyphs))

    def _told(self, record: Record, room: int) -> str:
        return clip("ping" if record.kind == Kind.PING else body(record, room, with_channel=False), room)

    def _end(self) -> int:
        """When an opened capture ends: nothing waits for longer."""
        last = self._catalog.record(self._catalog.last)
        return last.time if last is not None else 0


class Unanswered(Dialog[int]):
    """The list; answers with the sequence of the row that was chosen."""

    ways = "enter goes to the row · esc closes"

    def __init__(self, sheet: Sheet, catalog: Catalog, *, glyphs: Glyphs = UNICODE) -> None:
        super().__init__(f"unanswered {glyphs.dot} {sheet.title}")
        self.ways = self.ways.replace("·", glyphs.dot)
        self._list = UnansweredList(sheet, catalog, glyphs=glyphs)
        self._sheet = sheet
        words = catalog.words(sheet.key)
        self._meaning = ANY if words is None else words.answered

    def ask(self) -> ComposeResult:
        """The rows, and what stands among them."""
        yield self._list
        yield Label("", markup=False, classes="about")

    def on_mount(self) -> None:
        """Look at what is answered from now on."""
        self.add_class("unanswered")
        self.set_interval(PERIOD, self.tick, name="unanswered")
        self.tick()

    def tick(self) -> None:
        """Take in what is new."""
        self._list.tick()
        lens = self._sheet.unanswered
        scanned = "" if lens is None or lens.done else f"{lens.progress:.0%} looked at; "
        waiting = counted(self._list.row_count(), "request")
        what = f"listed: {self._meaning}" if self._meaning else "nothing that this protocol sends asks for an answer"
        self.query_one(".about", Label).update(clean(f"{scanned}{waiting}. {what[0].upper()}{what[1:]}."))

    @on(UnansweredList.Picked)
    def _picked(self, event: UnansweredList.Picked) -> None:
        self.dismiss(event.seq)
