"""The message pane: one record as a tree, as text, as bytes, and what the protocol told about it.

Only the visible rows are made: `payloads` documents hand out windows, so 16 MiB open as fast as 16 bytes. What must
be parsed first and is large is parsed in a thread; the pane says so meanwhile.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any, ClassVar, Final, Literal, TypeAlias

import msgspec
from textual import events
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message

from rtui.core.clean import cell_width, clean, clip, decode
from rtui.core.record import Direction, Kind, Record
from rtui.payloads.base import Document, Line
from rtui.payloads.registry import Opening, open_as, open_best
from rtui.workbench.widgets import figure
from rtui.workbench.widgets.canvas import Canvas, moves
from rtui.workbench.widgets.row import Piece
from rtui.workbench.widgets.source import Named

Mode: TypeAlias = Literal["pretty", "raw", "hex", "meta"]
MODES: Final[tuple[Mode, ...]] = ("pretty", "raw", "hex", "meta")
LARGE: Final = 128 * 1024
"""Payloads from this many bytes are parsed in a thread: the loop would miss a frame."""
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
    """One message, in one of four modes. The mode stays when another message is shown."""

    BINDINGS: ClassVar[list[BindingType]] = [
        *moves("message"),
        Binding("p", "mode('pretty')", "Pretty", id="message.pretty", tooltip="As a tree, where the format is known"),
        Binding("r", "mode('raw')", "Raw", id="message.raw", tooltip="As text"),
        Binding("x", "mode('hex')", "Hex", id="message.hex", tooltip="As bytes"),
        Binding("m", "mode('meta')", "Meta", id="message.meta", tooltip="Times, sizes, and what the protocol told"),
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

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, classes=classes)
        self.mode: Mode = "pretty"
        self.problem = ""
        """Why the payload is not shown as asked."""
        self._record: Record | None = None
        self._link: Named | None = None
        self._document: Document | None = None
        self._job = 0

    @property
    def record(self) -> Record | None:
        """What is shown."""
        return self._record

    def show(self, record: Record | None, link: Named | None) -> None:
        """Show a record from its beginning."""
        self._record = record
        self._link = link
        self._open()

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
        if self._document is not None and self.body_width > 0:
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
        """Unfold, if that shows more rows."""
        self._toggle_if(grows=True)

    def action_close_branch(self) -> None:
        """Fold, or go to what encloses the row."""
        if self._document is None or self._toggle_if(grows=False):
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
            self._copy(decode(self._document.value(self.cursor)), "value")

    def on_click(self, event: events.Click) -> None:
        """A click puts the cursor; on the title it turns to the next mode; two fold."""
        index = self.row_at(event)
        if index is None:
            if event.y == 0 and self.styles.border_top[0]:
                self.action_mode(MODES[(MODES.index(self.mode) + 1) % len(MODES)])
            return
        self.go_to_row(index)
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

    def _copy(self, text: str, what: str) -> None:
        self.post_message(self.CopyRequested(text, what))

    def _open(self) -> None:
        """Begin to show the record in the mode; a job that was overtaken is ignored when it ends."""
        self._job += 1
        self.cursor = 0
        record = self._record
        if record is None:
            self._put(None, "")
        elif self.mode == "meta":
            self._put(MetaDocument(list(meta_fields(record, self._link))), "")
        elif len(record.payload) < LARGE or self.mode == "hex":
            opening = _opening(record, self.mode)
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
        opening = await asyncio.to_thread(_opening, record, self.mode)
        if job == self._job:
            self._put(opening.document, opening.problem)

    def _put(self, document: Document | None, problem: str) -> None:
        self._document = document
        self.problem = problem
        self.border_title = Content(self._title())
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


def _opening(record: Record, mode: Mode) -> Opening:
    """The record's payload, ready to be shown."""
    if mode in {"raw", "hex"} or record.kind != Kind.MESSAGE:
        return open_as("hex" if mode == "hex" else "raw", record.payload)
    return open_best(record.payload, _meta(record))


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
