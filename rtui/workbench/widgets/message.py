"""The message pane: one record as a tree, as text, as bytes, what the protocol told about it, and its channel's past.

Only the visible rows are made: `payloads` documents hand out windows, so 16 MiB open as fast as 16 bytes. What must
be parsed first and is large is parsed in a thread; the pane says so meanwhile.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from typing import Any, ClassVar, Final, Literal, TypeAlias

import msgspec
from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message

from rtui.capture.past import Past, key_of
from rtui.capture.series import fields
from rtui.core.clean import cell_width, clean, clip, decode
from rtui.core.fault import Failure
from rtui.core.record import Direction, Kind, Record
from rtui.payloads.base import Document, Line
from rtui.payloads.diff import DiffDocument
from rtui.payloads.registry import Opening, open_as, open_best
from rtui.protocols import registry
from rtui.workbench.widgets import figure
from rtui.workbench.widgets.canvas import Canvas, moves
from rtui.workbench.widgets.chart import Chart
from rtui.workbench.widgets.glyph import UNICODE, Glyphs
from rtui.workbench.widgets.painted import retitle
from rtui.workbench.widgets.row import Piece
from rtui.workbench.widgets.source import Named

Mode: TypeAlias = Literal["pretty", "raw", "hex", "meta", "diff", "chart"]
MODES: Final[tuple[Mode, ...]] = ("pretty", "raw", "hex", "meta", "diff", "chart")
LARGE: Final = 128 * 1024
"""Payloads from this many bytes are parsed in a thread: the loop would miss a frame."""
COMPARED_AT_ONCE: Final = 4 * 1024
"""Payloads up to this many bytes are compared without a thread: it takes milliseconds."""
TITLE_OFFSET: Final = 1
"""Cells of border before the title."""
LABEL: Final = 14
"""Cells of the names in the meta view."""


class MetaDocument(Document):
    """What is known of a record besides its payload, one line each."""

    def __init__(self, fields: list[tuple[str, str]]) -> None:
        self._fields = fields

    @property
    def height(self) -> int:
        """See `Document`."""
        return len(self._fields)

    def lines(self, first: int, count: int) -> list[Line]:
        """Name and value."""
        return [
            [("key", clip(clean(name), LABEL).ljust(LABEL) + " "), ("text", clean(value))]
            for name, value in self._fields[max(first, 0) : max(first, 0) + count]
        ]

    def value(self, row: int) -> bytes:
        """The value."""
        return self._fields[row][1].encode("utf-8", "surrogatepass") if 0 <= row < self.height else b""


class MessageView(Canvas):
    """One message, in one of six modes. The mode stays when another message is shown."""

    BINDINGS: ClassVar[list[BindingType]] = [
        *moves("message"),
        Binding("p", "mode('pretty')", "Pretty", id="message.pretty", tooltip="As a tree, where the format is known"),
        Binding("r", "mode('raw')", "Raw", id="message.raw", tooltip="As text"),
        Binding("x", "mode('hex')", "Hex", id="message.hex", tooltip="As bytes"),
        Binding("m", "mode('meta')", "Meta", id="message.meta", tooltip="Times, sizes, and what the protocol told"),
        Binding(
            "d", "mode('diff')", "Diff", id="message.diff", tooltip="What changed since the message before it there"
        ),
        Binding("v", "mode('chart')", "Chart", id="message.chart", tooltip="Its numbers over time; ←/→ choose which"),
        Binding("space,enter", "toggle_row", "Fold", id="message.fold", tooltip="Fold or unfold the row"),
        Binding(
            "left,h", "close_branch", "Fold", show=False, id="message.close", tooltip="Fold, or go to what encloses"
        ),
        Binding("right,l", "open_branch", "Unfold", show=False, id="message.open", tooltip="Unfold"),
        Binding("minus", "fold_all(True)", "Fold all", show=False, id="message.fold-all", tooltip="Top level only"),
        Binding("plus", "fold_all(False)", "Unfold all", show=False, id="message.unfold-all", tooltip="Everything"),
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
        self._job = 0
        self._overtaken = threading.Event()
        """Ends the look-up of the job that runs."""
        self._field = ""
        """Path of the number that was drawn last."""
        self._drawing = False

    @property
    def record(self) -> Record | None:
        """What is shown."""
        return self._record

    def show(self, record: Record | None, link: Named | None) -> None:
        """Show a record from its beginning."""
        self._record = record
        self._link = link
        self._open()

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
        """Show the message in another way."""
        self.mode = mode
        self._open()

    def action_toggle_row(self) -> None:
        """Fold or unfold."""
        if self._document is not None and self._document.toggle(self.cursor):
            self.resettle()

    def action_open_branch(self) -> None:
        """Unfold, if that shows more rows; in the chart, the next number."""
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

    def action_copy(self, what: str) -> None:
        """Ask for the clipboard. Values are exact, not cleaned."""
        if self._document is None or self._record is None:
            return
        if what == "message":
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
        if index == 0 and self._choose(1):
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
        """Draw another number, if a chart is shown."""
        chart = self._document
        if not isinstance(chart, Chart):
            return False
        if chart.choose(step):
            self._field = chart.path(0) or ""
            self.tick()
            self.repaint()
        return True

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
        if self.mode == "chart" and record is not None and self._charts(record):
            return
        self.cursor = 0
        if record is None:
            self._put(None, "")
        elif self.mode == "meta":
            self._put(MetaDocument(list(meta_fields(record, self._link))), "")
        elif self.mode in {"diff", "chart"}:
            self._open_past(record)
        elif len(record.payload) < LARGE or self.mode == "hex":
            opening = _opening(record, self.mode, self._link)
            self._put(opening.document, opening.problem)
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
        opening = await asyncio.to_thread(_opening, record, self.mode, self._link)
        if job == self._job:
            self._put(opening.document, opening.problem)

    # The past of its channel

    def _open_past(self, record: Record) -> None:
        """Begin to show the diff or the chart; where there is nothing to show, the payload and why."""
        past, key = self.past, key_of(record)
        if past is None or key is None:
            self._put(open_as("raw", record.payload).document, "no message: it has no past on a channel")
        elif self.mode == "chart":
            self._put(Chart(past, key, fields(record.payload), self._field, glyphs=self.glyphs), "")
        elif (before := past.before(record)) is not None and _is_small(before, record):
            self._put(_compared(before, record), "")
        else:
            self._put(None, "looking for the message before…")
            work = self._compare_later(past, record, before, self._job)
            self.run_worker(work, group="message-view", description="compare messages", exit_on_error=False)

    async def _compare_later(self, past: Past, record: Record, before: Record | None, job: int) -> None:
        """Look the message before up, where memory has lost it, and compare: both in threads."""
        if before is None:
            before = await asyncio.to_thread(past.stored_before, record, self._overtaken)
        if job != self._job:
            return
        if before is None:
            opening = _opening(record, "pretty", self._link)
            self._put(opening.document, "nothing before it on its channel, as far as was looked")
            return
        document = await asyncio.to_thread(_compared, before, record)
        if job == self._job:
            self._put(document, "")

    def _charts(self, record: Record) -> bool:
        """Whether the chart shown is about the record's channel already: it goes on, whatever message is chosen."""
        chart = self._document
        return isinstance(chart, Chart) and chart.key == key_of(record) and bool(chart.offered)

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


def _opening(record: Record, mode: Mode, link: Named | None) -> Opening:
    """The record's payload, ready to be shown."""
    if mode in {"raw", "hex"} or record.kind not in {Kind.MESSAGE, Kind.ACK}:
        return open_as("hex" if mode == "hex" else "raw", record.payload)
    return open_best(record.payload, {**_meta(record), "wire": _on_wire(record, link)})


def _on_wire(record: Record, link: Named | None) -> str:
    """The packet behind the record, as its protocol tells."""
    try:
        return registry.adapter(link.protocol).on_wire(record) if link is not None else ""
    except Failure:  # recorded with a plugin that is not installed here
        return ""


def _is_small(*records: Record) -> bool:
    return sum(len(record.payload) for record in records) <= COMPARED_AT_ONCE


def _compared(before: Record, record: Record) -> DiffDocument:
    """What changed between two messages of a channel."""
    told = f"since #{before.seq:,}, {figure.span(record.time - before.time)} s"
    return DiffDocument(before.payload, record.payload, told)


def _meta(record: Record) -> dict[str, Any]:
    try:
        meta = msgspec.json.decode(record.meta) if record.meta else {}
    except (msgspec.DecodeError, RecursionError):
        return {}
    return meta if isinstance(meta, dict) else {}


def meta_fields(record: Record, link: Named | None) -> Iterator[tuple[str, str]]:
    """Names and values of everything but the payload."""
    yield "sequence", f"{record.seq:,}"
    yield "time", f"{figure.date(record.time)}"
    if link is not None:
        yield "connection", f"{link.name} ({link.protocol})"
    yield "kind", Kind(record.kind).word
    if record.direction:
        yield "direction", Direction(record.direction).word
    if record.channel:
        yield "channel", record.channel
    yield "size", f"{len(record.payload):,} bytes"
    if record.reply_to is not None:
        yield "answers", f"#{record.reply_to:,}"
    if record.latency is not None:
        yield "latency", figure.latency(record.latency)
    yield from _nested("", _meta(record))


def _nested(prefix: str, values: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Objects one level down get a line for each key; anything deeper stays JSON."""
    for key, value in values.items():
        if isinstance(value, dict) and not prefix:
            yield from _nested(f"{key}.", value)
        elif isinstance(value, str):
            yield prefix + key, value
        else:
            yield prefix + key, msgspec.json.encode(value).decode()


def _cut(line: Line, width: int) -> Iterator[Piece]:
    """The pieces that fit into `width` cells."""
    left = width
    for style, text in line:
        if left <= 0:
            return
        shown = clip(text[: 2 * left + 16], left)
        left -= cell_width(shown)
        yield style, shown
