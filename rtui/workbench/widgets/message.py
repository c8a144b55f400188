"""The message pane: one record as a tree, as text, as bytes, what the protocol told, its channel's past, its stream.

Only the visible rows are made: `payloads` documents hand out windows, so 16 MiB open as fast as 16 bytes. What must
be parsed first and is large is parsed in a thread; the pane says so meanwhile.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import ClassVar, Final, Literal, TypeAlias

from textual import events
from textual.binding import BindingType
from textual.message import Message

from rtui.capture.joined import AUTO, texts
from rtui.capture.past import Past, key_of
from rtui.capture.series import MAX_BYTES
from rtui.core.clean import clean, clip, decode
from rtui.core.record import Record
from rtui.payloads.base import Document, View
from rtui.payloads.registry import next_format, open_as
from rtui.workbench.mouse import RIGHT
from rtui.workbench.widgets import figure
from rtui.workbench.widgets.chart import Chart
from rtui.workbench.widgets.compared import compared, full, is_small
from rtui.workbench.widgets.ellipsis import elided
from rtui.workbench.widgets.find_canvas import FindCanvas
from rtui.workbench.widgets.glyph import UNICODE, Glyphs
from rtui.workbench.widgets.joined import JoinedText
from rtui.workbench.widgets.message_keys import KEYS
from rtui.workbench.widgets.meta import MetaDocument, ending_fields, meta_fields, meta_of
from rtui.workbench.widgets.painted import retitle
from rtui.workbench.widgets.row import Piece
from rtui.workbench.widgets.shown import cut, is_quick, is_told, opening_of, said
from rtui.workbench.widgets.source import Named

Mode: TypeAlias = Literal["pretty", "raw", "hex", "meta", "diff", "chart", "joined"]
MODES: Final[tuple[Mode, ...]] = ("pretty", "raw", "hex", "meta", "diff", "chart", "joined")
TITLE_OFFSET: Final = 1
"""Cells of border before the title."""


class MessageView(FindCanvas):
    """One message, in one of seven modes. The mode stays when another message is shown."""

    BINDINGS: ClassVar[list[BindingType]] = [*KEYS]

    hint = "no message — move the cursor in the log to see one here"

    class CopyRequested(Message):
        """The user wants `text` in the clipboard; `what` names it."""

        def __init__(self, text: str, what: str) -> None:
            super().__init__()
            self.text = text
            self.what = what

    class FilterRequested(Message):
        """The user wants only messages for which `expression` holds."""

        def __init__(self, expression: str) -> None:
            super().__init__()
            self.expression = expression

    def __init__(
        self,
        *,
        past: Past | None = None,
        glyphs: Glyphs = UNICODE,
        id: str | None = None,  # noqa: A002
        classes: str | None = None,
    ) -> None:
        """`past` knows earlier messages; without it nothing can be compared or drawn."""
        super().__init__(glyphs=glyphs, id=id, classes=classes)
        self.past = past
        self.mode: Mode = "pretty"
        self.problem = ""
        """Why the payload is not shown as asked."""
        self._record: Record | None = None
        self._link: Named | None = None
        self._format = ""
        """The view that the user or the session asked for; "" leaves it to the payload."""
        self._chosen: dict[int, tuple[Mode, str]] = {}
        """Mode and format that the user chose, by tab, where the session names one."""
        self._tab = 0
        self._job = 0
        self._overtaken = threading.Event()
        """Ends the look-up of the job that runs."""
        self._newest = False
        """Whether the record is shown because it is the newest, not because somebody chose it."""
        self.path_of: Callable[[int], str] = lambda _link: AUTO
        """Where the messages of a link hold the pieces of a text."""
        self.type_of: Callable[[Record], View | None] = lambda _record: None
        """The view of a record's channel, if the type of its payloads is known."""

    @property
    def record(self) -> Record | None:
        """What is shown."""
        return self._record

    def enter(self, tab: int, asked: str) -> None:
        """Another tab: its messages open in the mode or format `asked` ("": as before), or as the user chose there."""
        self._tab = tab
        wanted = (asked, "") if asked in MODES else ("pretty", asked)
        mode, self._format = self._chosen.get(tab, wanted) if asked else (self.mode, "")
        if mode != self.mode:
            self.mode = mode
            self._open()

    def show(self, record: Record | None, link: Named | None, *, newest: bool = False) -> None:
        """Show a record from its beginning. The `newest` came by itself: a chart goes on with the channel it has."""
        self._record = record
        self._link = link
        self._newest = newest
        self._open()

    def show_as(self, asked: str) -> None:
        """Show the record anew, in a format; "": as the type of its channel says, or as it looks."""
        self.mode, self._format = "pretty", asked
        self._chosen[self._tab] = (self.mode, self._format)
        self._open()

    def keep_up(self) -> None:
        """Bring the joined text up to date, if one is shown; in every frame."""
        text, record = self._document, self._record
        if not isinstance(text, JoinedText) or not self.is_attached or self._drawing or record is None:
            return
        if not text.covers(record.seq):
            self._open()
        elif not text.ready:
            self._drawing = True
            self.run_worker(self._gather(text), group="message-joined", description="join a text", exit_on_error=False)
        else:
            at_end = self._is_at_end()
            if text.grow():
                self._regrown(at_end=at_end)

    # Rows

    def row_count(self) -> int:
        """See `Canvas`."""
        return self._document.height if self._document is not None else 0

    def row_pieces(self, index: int, width: int) -> list[Piece]:
        """One row of the document, cut at the edge."""
        if self._document is None:
            return []
        rows = self._document.lines(index, 1)
        return list(cut(rows[0], width)) if rows else []

    def resettle(self) -> None:
        """Fit the rows to the width first."""
        if isinstance(self._document, Chart):
            self._document.fit(self.body_width, self.body_height)
            self.tick()
        elif self._document is not None and self.body_width > 0:
            self._document.reflow(self.body_width)
        super().resettle()

    # Actions

    def action_mode(self, mode: Mode) -> None:
        """Show the message in another way; as a tree already, in the next format; as a chart, the list of numbers."""
        if mode == self.mode == "chart" and isinstance(self._document, Chart):
            self._show_list(not self._document.choosing)
            return
        if mode == self.mode == "pretty" and self._record is not None:
            record = self._record
            self._format = next_format(record.payload, meta_of(record), self._format, self.type_of(record))
        self.mode = mode
        self._chosen[self._tab] = (mode, self._format)
        self._open()

    async def action_leave(self) -> None:
        """Close the list of numbers, or go back to the log."""
        if isinstance(self._document, Chart) and self._document.choosing:
            self._show_list(False)
        else:
            await self.run_action("screen.back")

    def action_toggle_row(self) -> None:
        """Fold or unfold; in the chart, open the list of numbers, and choose in it."""
        shown = self._document
        if isinstance(shown, Chart):
            self._switch_in_chart(shown)
        elif shown is not None and shown.toggle(self.cursor):
            self.resettle()

    def action_open_branch(self) -> None:
        """Unfold, if that shows more rows; in the chart, the next number; in the joined text, another place."""
        if not self._choose(1):
            self._toggle_if(grows=True)

    def action_close_branch(self) -> None:
        """Fold, or go to what encloses the row; in the chart, the number before."""
        if self._document is None or self._choose(-1) or self._toggle_if(grows=False):
            return
        parent = self._document.parent(self.cursor)
        if parent is not None:
            self.go_to_row(parent)

    def action_fold_all(self, fold: bool) -> None:
        """Fold below the top level, or nothing; in the chart, draw a longer or a shorter time."""
        if isinstance(self._document, Chart):
            if self._document.zoom(-1 if fold else 1):
                self._redraw(self._document)
        elif self._document is not None and self._document.fold_below(1 if fold else 1 << 30):
            self.resettle()

    def action_filter_value(self) -> None:
        """Ask for a filter on the value of the row."""
        path = self._document.path(self.cursor) if self._document is not None else None
        literal = self._document.literal(self.cursor) if self._document is not None else None
        if path is None or literal is None or path == ".":
            self.notify("the filter compares short numbers, texts, true, false and null in JSON", markup=False)
        else:
            self.post_message(self.FilterRequested(f"{path}=={literal}"))

    def action_copy(self, what: str) -> None:
        """Ask for the clipboard. Values are exact, not cleaned."""
        if self._document is None or self._record is None:
            return
        if what == "message" and isinstance(self._document, JoinedText):
            self._copy(self._document.text, "text")
        elif what == "message":
            self._copy(decode(self._record.payload), "message")
        elif what == "path":
            path = self._document.path(self.cursor)
            if path is not None:
                self._copy(path, f"path {clean(path)}")
        else:
            named = "points" if isinstance(self._document, Chart) else "value"
            self._copy(decode(self._document.value(self.cursor)), named)

    def on_click(self, event: events.Click) -> None:
        """A click puts the cursor; on the title it chooses the mode; in a chart, the numbers; two fold."""
        index = self.row_at(event)
        if index is None:
            if event.y == 0 and self.styles.border_top[0] and event.button != RIGHT:
                self.action_mode(self._mode_at(event.x))
            return
        self.go_to_row(index)
        if isinstance(self._document, Chart):
            self._clicked(self._document, index)
            return
        if event.chain == 2:  # noqa: PLR2004 - a double click
            self.action_toggle_row()

    # Inside

    def _toggle_if(self, *, grows: bool) -> bool:
        """Toggle, and undo it if it went the other way."""
        document = self._document
        if document is None or not document.foldable(self.cursor):
            return False
        before = document.height
        document.toggle(self.cursor)
        if (document.height > before) == grows and document.height != before:
            self.resettle()
            return True
        document.toggle(self.cursor)
        return False

    def _choose(self, step: int) -> bool:
        """Draw another number, if a chart is shown; look for the text elsewhere, if a joined one is."""
        shown = self._document
        if isinstance(shown, Chart):
            self._step_in_chart(shown, step)
        elif isinstance(shown, JoinedText) and shown.choose(step):
            self._overtaken.set()
            self._overtaken = threading.Event()
            self.go_to_row(0)
        return isinstance(shown, Chart | JoinedText)

    def _mode_at(self, x: int) -> Mode:
        """The mode whose name stands at a column of the title; beside them, the next one."""
        title = self._title()
        for mode in MODES:
            at = title.find(mode) + TITLE_OFFSET
            if at <= x < at + len(mode):
                return mode
        return MODES[(MODES.index(self.mode) + 1) % len(MODES)]

    def _copy(self, text: str, what: str) -> None:
        self.post_message(self.CopyRequested(text, what))

    def _open(self) -> None:
        """Begin to show the record in the mode; a job that was overtaken is ignored when it ends."""
        record = self._record
        if record is not None and (self._charts(record) or self._joins(record)):
            return  # its job goes on too: of a text that grows, the newest record comes sooner than what is stored
        self._job += 1
        self._overtaken.set()
        self._overtaken = threading.Event()
        self.cursor = 0
        if record is None:
            self._put(None, "")
        elif self.mode == "meta":
            self._put(MetaDocument(list(meta_fields(record, self._link))), "")
        elif self.mode == "pretty" and is_told(record):
            self._put(MetaDocument(list(ending_fields(record))), "")
        elif self.mode == "joined":
            self._open_joined(record)
        elif self.mode in {"diff", "chart"}:
            self._open_past(record)
        else:
            self._open_payload(record)

    def _open_payload(self, record: Record) -> None:
        """Show the payload as its format has it, or as text or bytes."""
        own = self.type_of(record) if self.mode == "pretty" else None
        if self.mode == "hex" or is_quick(record, own):
            opening = opening_of(record, self.mode, self._link, self._format, own)
            self._put(opening.document, said(opening))
        else:
            self._put(open_as("hex", record.payload).document, "reading…")
            self.run_worker(
                self._open_later(record, own, self._job),
                group="message-view",
                description="open a large message",
                exit_on_error=False,
            )

    async def _open_later(self, record: Record, own: View | None, job: int) -> None:
        """Parse in a thread; meanwhile the bytes are shown."""
        opening = await asyncio.to_thread(opening_of, record, self.mode, self._link, self._format, own)
        if job == self._job:
            self._put(opening.document, said(opening))

    # The past of its channel

    def _open_past(self, record: Record) -> None:
        """Begin to show the diff or the chart; where there is nothing to show, the payload and why."""
        past, key = self.past, key_of(record)
        if past is None or key is None:
            self._put(open_as("raw", record.payload).document, "no message: it has no past on a channel")
        elif self.mode == "chart":
            large = len(record.payload) > MAX_BYTES
            problem = f"larger than {figure.size(MAX_BYTES)}B: not searched for numbers" if large else ""
            self._put(self._chart(past, key, record), problem)
        else:
            self._open_diff(record, past.before(full(record)), past)

    def _open_diff(self, record: Record, before: Record | None, past: Past) -> None:
        """Begin to show what changed since `before`; None if memory has lost it."""
        own = self.type_of(record)
        if before is not None and is_small(before, record) and is_quick(record, own):
            self._put(compared(before, record, own, self.body_width), "")
        else:
            self._put(None, "looking for the message before…")
            work = self._compare_later(past, record, before, own, self._job)
            self.run_worker(work, group="message-view", description="compare messages", exit_on_error=False)

    async def _compare_later(
        self, past: Past, record: Record, before: Record | None, own: View | None, job: int
    ) -> None:
        """Look the message before up, where memory has lost it, and compare: both in threads."""
        before = before or await asyncio.to_thread(past.stored_before, full(record), self._overtaken)
        if job != self._job:
            return
        document: Document
        if before is None:
            document = (await asyncio.to_thread(opening_of, record, "pretty", self._link, "", own)).document
        else:
            document = await asyncio.to_thread(compared, before, record, own, self.body_width)
        if job == self._job:
            self._put(document, "" if before is not None else "nothing before it on its channel, as far as was looked")

    def _charts(self, record: Record) -> bool:
        """Whether the chart shown goes on: it is about the record's channel, or nobody chose that record."""
        chart = self._document
        if self.mode != "chart" or not isinstance(chart, Chart) or not chart.offered:
            return False
        return self._newest or chart.key == key_of(record)

    # The text of its stream

    def _joins(self, record: Record) -> bool:
        """Whether the text shown is the one around the record already."""
        text = self._document
        if self.mode != "joined" or not isinstance(text, JoinedText):
            return False
        return text.link == record.link and text.covers(record.seq)

    def _open_joined(self, record: Record) -> None:
        """Begin to show the text around the record."""
        if self.past is None:
            self._put(open_as("raw", record.payload).document, "nothing is known of the messages around it")
            return
        asked, problem = self.path_of(record.link), ""
        try:
            text = JoinedText(self.past, record.link, record.seq, [asked, *texts(self.past.meant(record))])
        except ValueError as error:
            text, problem = JoinedText(self.past, record.link, record.seq, [AUTO]), f"{asked}: {error}"
        self._put(text, problem)
        self.keep_up()

    async def _gather(self, text: JoinedText) -> None:
        try:
            await text.gather(self._overtaken)
        finally:
            self._drawing = False
        if text is self._document and text.ready:
            text.grow()
            self._regrown(at_end=text.live)

    def _is_at_end(self) -> bool:
        """Whether the last row is shown and chosen, so that the next last one is to be."""
        return self.cursor >= self.row_count() - 1 and round(self.scroll_y) >= self._last_top()

    def _regrown(self, *, at_end: bool) -> None:
        """There are other rows."""
        self.resettle()
        if at_end:
            self.go_to_row(self.row_count() - 1)

    def _put(self, document: Document | None, problem: str) -> None:
        self._document = document
        self.shows_cursor = not isinstance(document, Chart)
        self.sticky = 1 if isinstance(document, JoinedText) else 0
        self.problem = problem
        self.say_title()
        if self.is_attached:
            self._halt()
            self._place(0)
            self.resettle()

    def say_title(self) -> None:
        """See `Finder`."""
        retitle(self, self._title())

    def cursor_moved(self) -> None:
        """The title says where it stands."""
        self.say_title()

    def _title(self) -> str:
        """What is shown, and how; where the cursor stands in it, unless that is the first row."""
        if self.finding:
            return f"message · {self.sought}"
        tabs = " ".join(f"[{mode}]" if mode == self.mode else mode for mode in MODES)
        parts = ["message", tabs]
        if isinstance(self._document, Chart) and self._document.key.channel:
            parts.append(clip(clean(self._document.key.channel), 40))
        elif self._record is not None:
            parts.append(f"{figure.size(len(self._record.payload))}B")
        if self.problem:
            parts.append(clip(clean(self.problem), 60))
        elif path := self._place_of_cursor():
            parts.append(elided(clean(path), 40))
        return " · ".join(parts)

    def _place_of_cursor(self) -> str:
        """Where the cursor stands, unless that is the first row; a joined text names its place itself."""
        if not self.cursor or self._document is None or isinstance(self._document, JoinedText):
            return ""
        return self._document.path(self.cursor) or ""
