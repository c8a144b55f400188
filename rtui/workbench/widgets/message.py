"""The message pane: one record as a tree, as text, as bytes, what the protocol told, its channel's past, its stream.

Only the visible rows are made: `payloads` documents hand out windows, so 16 MiB open as fast as 16 bytes. What must
be parsed first and is large is parsed in a thread; the pane says so meanwhile.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from typing import ClassVar, Final, Literal, TypeAlias

import msgspec
from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message

from rtui.capture.joined import AUTO, texts
from rtui.capture.past import Past, key_of
from rtui.capture.series import fields
from rtui.core.clean import cell_width, clean, clip, decode
from rtui.core.record import Kind, Record
from rtui.payloads.base import Document, Line
from rtui.payloads.diff import DiffDocument
from rtui.payloads.registry import next_format, open_as
from rtui.workbench.widgets import figure
from rtui.workbench.widgets.canvas import Canvas, moves
from rtui.workbench.widgets.chart import Chart
from rtui.workbench.widgets.glyph import UNICODE, Glyphs
from rtui.workbench.widgets.joined import JoinedText
from rtui.workbench.widgets.meta import MetaDocument, ending_fields, meta_fields, meta_of
from rtui.workbench.widgets.painted import retitle
from rtui.workbench.widgets.row import Piece, not_modified
from rtui.workbench.widgets.shown import opening_of, said
from rtui.workbench.widgets.source import Named

Mode: TypeAlias = Literal["pretty", "raw", "hex", "meta", "diff", "chart", "joined"]
MODES: Final[tuple[Mode, ...]] = ("pretty", "raw", "hex", "meta", "diff", "chart", "joined")
LARGE: Final = 128 * 1024
"""Payloads from this many bytes are parsed in a thread: the loop would miss a frame."""
COMPARED_AT_ONCE: Final = 4 * 1024
"""Payloads up to this many bytes are compared without a thread: it takes milliseconds."""
TITLE_OFFSET: Final = 1
"""Cells of border before the title."""


class MessageView(Canvas):
    """One message, in one of seven modes. The mode stays when another message is shown."""

    BINDINGS: ClassVar[list[BindingType]] = [
        *moves("message"),
        Binding(
            "p",
            "mode('pretty')",
            "Pretty",
            id="message.pretty",
            tooltip="As a tree, where the format is known; again for the next format that it could be",
        ),
        Binding("r", "mode('raw')", "Raw", id="message.raw", tooltip="As text"),
        Binding("x", "mode('hex')", "Hex", id="message.hex", tooltip="As bytes"),
        Binding("m", "mode('meta')", "Meta", id="message.meta", tooltip="Times, sizes, and what the protocol told"),
        Binding(
            "d", "mode('diff')", "Diff", id="message.diff", tooltip="What changed since the message before it there"
        ),
        Binding("v", "mode('chart')", "Chart", id="message.chart", tooltip="Its numbers over time; ←/→ choose which"),
        Binding(
            "t",
            "mode('joined')",
            "Joined",
            id="message.joined",
            tooltip="The text that the stream brings piece by piece; ←/→ choose where the pieces stand",
        ),
        Binding("space,enter", "toggle_row", "Fold", id="message.fold", tooltip="Fold or unfold the row"),
        Binding(
            "left,h", "close_branch", "Fold", show=False, id="message.close", tooltip="Fold, or go to what encloses"
        ),
        Binding("right,l", "open_branch", "Unfold", show=False, id="message.open", tooltip="Unfold"),
        Binding("minus", "fold_all(True)", "Fold all", show=False, id="message.fold-all", tooltip="Top level only"),
        Binding("plus", "fold_all(False)", "Unfold all", show=False, id="message.unfold-all", tooltip="Everything"),
        Binding("f", "filter_value", "Filter by it", id="message.filter", tooltip="Only messages with this value here"),
        Binding("y", "copy('value')", "Copy value", id="message.copy-value", tooltip="Copy what the row holds"),
        Binding("Y", "copy('path')", "Copy path", id="message.copy-path", tooltip="Copy where the row is"),
        Binding(
            "c", "copy('message')", "Copy all", show=False, id="message.copy-all", tooltip="Copy the whole payload"
        ),
    ]

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
        super().__init__(id=id, classes=classes)
        self.past = past
        self.glyphs = glyphs
        self.mode: Mode = "pretty"
        self.problem = ""
        """Why the payload is not shown as asked."""
        self._record: Record | None = None
        self._link: Named | None = None
        self._document: Document | None = None
        self._format = ""
        """The view that the user or the session asked for; "" leaves it to the payload."""
        self._chosen: dict[int, tuple[Mode, str]] = {}
        """Mode and format that the user chose, by tab, where the session names one."""
        self._tab = 0
        self._job = 0
        self._overtaken = threading.Event()
        """Ends the look-up of the job that runs."""
        self._field = ""
        """Path of the number that was drawn last."""
        self._drawing = False
        self.path_of: Callable[[int], str] = lambda _link: AUTO
        """Where the messages of a link hold the pieces of a text."""

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

    def show(self, record: Record | None, link: Named | None) -> None:
        """Show a record from its beginning."""
        self._record = record
        self._link = link
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

    def tick(self) -> None:
        """Bring the chart up to date, if one is shown; a few times a second."""
        chart = self._document
        if isinstance(chart, Chart) and self.is_attached and not self._drawing and chart.stale():
            self._drawing = True
            self.run_worker(self._draw(chart), group="message-chart", description="draw a chart", exit_on_error=False)

    # Rows

    def row_count(self) -> int:
        """See `Canvas`."""
        return self._document.height if self._document is not None else 0

    def row_pieces(self, index: int, width: int) -> list[Piece]:
        """One row of the document, cut at the edge."""
        if self._document is None:
            return []
        rows = self._document.lines(index, 1)
        return list(_cut(rows[0], width)) if rows else []

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
        """Show the message in another way; as a tree already, in the next format that it could be."""
        if mode == self.mode == "pretty" and self._record is not None:
            self._format = next_format(self._record.payload, meta_of(self._record), self._format)
        self.mode = mode
        self._chosen[self._tab] = (mode, self._format)
        self._open()

    def action_toggle_row(self) -> None:
        """Fold or unfold."""
        if self._document is not None and self._document.toggle(self.cursor):
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
        """Fold below the top level, or nothing."""
        if self._document is not None and self._document.fold_below(1 if fold else 1 << 30):
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
        """A click puts the cursor; on the title it chooses the mode; on a chart's first row, the number; two fold."""
        index = self.row_at(event)
        if index is None:
            if event.y == 0 and self.styles.border_top[0]:
                self.action_mode(self._mode_at(event.x))
            return
        self.go_to_row(index)
        if index == 0 and isinstance(self._document, Chart) and self._choose(1):
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
        if isinstance(shown, Chart) and shown.choose(step):
            self._field = shown.path(0) or ""
            self.tick()
            self.repaint()
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
        self._job += 1
        self._overtaken.set()
        self._overtaken = threading.Event()
        record = self._record
        if record is not None and (self._charts(record) or self._joins(record)):
            return
        self.cursor = 0
        if record is None:
            self._put(None, "")
        elif self.mode == "meta":
            self._put(MetaDocument(list(meta_fields(record, self._link))), "")
        elif self.mode == "pretty" and _is_told(record):
            self._put(MetaDocument(list(ending_fields(record))), "")
        elif self.mode == "joined":
            self._open_joined(record)
        elif self.mode in {"diff", "chart"}:
            self._open_past(record)
        elif len(record.payload) < LARGE or self.mode == "hex":
            opening = opening_of(record, self.mode, self._link, self._format)
            self._put(opening.document, said(opening))
        else:
            self._put(open_as("hex", record.payload).document, "reading…")
            self.run_worker(
                self._open_later(record, self._job),
                group="message-view",
                description="open a large message",
                exit_on_error=False,
            )

    async def _open_later(self, record: Record, job: int) -> None:
        """Parse in a thread; meanwhile the bytes are shown."""
        opening = await asyncio.to_thread(opening_of, record, self.mode, self._link, self._format)
        if job == self._job:
            self._put(opening.document, said(opening))

    # The past of its channel

    def _open_past(self, record: Record) -> None:
        """Begin to show the diff or the chart; where there is nothing to show, the payload and why."""
        past, key = self.past, key_of(record)
        if past is None or key is None:
            self._put(open_as("raw", record.payload).document, "no message: it has no past on a channel")
        elif self.mode == "chart":
            self._put(Chart(past, key, fields(record.payload), self._field, glyphs=self.glyphs), "")
        elif (before := past.before(_full(record))) is not None and _is_small(before, record):
            self._put(_compared(before, record), "")
        else:
            self._put(None, "looking for the message before…")
            work = self._compare_later(past, record, before, self._job)
            self.run_worker(work, group="message-view", description="compare messages", exit_on_error=False)

    async def _compare_later(self, past: Past, record: Record, before: Record | None, job: int) -> None:
        """Look the message before up, where memory has lost it, and compare: both in threads."""
        if before is None:
            before = await asyncio.to_thread(past.stored_before, _full(record), self._overtaken)
        if job != self._job:
            return
        if before is None:
            opening = opening_of(record, "pretty", self._link)
            self._put(opening.document, "nothing before it on its channel, as far as was looked")
            return
        document = await asyncio.to_thread(_compared, before, record)
        if job == self._job:
            self._put(document, "")

    def _charts(self, record: Record) -> bool:
        """Whether the chart shown is about the record's channel already: it goes on, whatever message is chosen."""
        chart = self._document
        if self.mode != "chart" or not isinstance(chart, Chart):
            return False
        return chart.key == key_of(record) and bool(chart.offered)

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
            text = JoinedText(self.past, record.link, record.seq, [asked, *texts(record.payload)])
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

    async def _draw(self, chart: Chart) -> None:
        try:
            await chart.update()
        finally:
            self._drawing = False
        if chart is self._document:
            self.resettle()

    def _put(self, document: Document | None, problem: str) -> None:
        self._document = document
        self.shows_cursor = not isinstance(document, Chart)
        self.sticky = 1 if isinstance(document, JoinedText) else 0
        self.problem = problem
        retitle(self, self._title())
        if self.is_attached:
            self._place(0)
            self.resettle()

    def _title(self) -> str:
        tabs = " ".join(f"[{mode}]" if mode == self.mode else mode for mode in MODES)
        parts = ["message", tabs]
        if self._record is not None:
            parts.append(f"{figure.size(len(self._record.payload))}B")
        if self.problem:
            parts.append(clip(clean(self.problem), 60))
        return " · ".join(parts)


def _is_told(record: Record) -> bool:
    """Whether what the protocol told says more than the payload: what went wrong, how a call ended."""
    return record.kind == Kind.ERROR or (record.kind == Kind.ACK and not record.payload)


def _is_small(*records: Record) -> bool:
    return sum(len(record.payload) for record in records) <= COMPARED_AT_ONCE


def _compared(before: Record, record: Record) -> DiffDocument:
    """What changed between two messages of a channel."""
    told = f"since #{before.seq:,}, {figure.span(record.time - before.time)} s"
    if not_modified(record):
        return DiffDocument(before.payload, before.payload, f"not modified {told}")
    return DiffDocument(before.payload, record.payload, told)


def _full(record: Record) -> Record:
    """`record` with the channel of answers that have a body: it says that the last of those still holds."""
    if not not_modified(record):
        return record
    return msgspec.structs.replace(record, channel=f"{record.channel.removesuffix('304')}200")


def _cut(line: Line, width: int) -> Iterator[Piece]:
    """The pieces that fit into `width` cells."""
    left = width
    for style, text in line:
        if left <= 0:
            return
        shown = clip(text[: 2 * left + 16], left)
        left -= cell_width(shown)
        yield style, shown
