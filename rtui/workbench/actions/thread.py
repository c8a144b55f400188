"""Actions on exchanges: a message, what answers it, and what goes on with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rtui.capture.query import Filter, compile_filter
from rtui.core.record import Direction, Kind, Record
from rtui.workbench.action import Book
from rtui.workbench.actions.view import has_sheet

if TYPE_CHECKING:
    from rtui.workbench.screens.desk import Desk

BOOK = Book("Exchange")
_action = BOOK.action


def row_of(desk: Desk) -> Record | None:
    """The row under the log's cursor, if it can be part of an exchange."""
    row = desk.bench.catalog.record(desk.log_view.cursor_seq) if desk.has_row else None
    if row is None or row.reply_to is not None:
        return row
    return row if row.direction == Direction.OUT and row.kind in {Kind.MESSAGE, Kind.PING} else None


def in_thread(desk: Desk) -> bool:
    """Whether the row under the cursor can be part of an exchange."""
    return row_of(desk) is not None


def expression(row: Record) -> str:
    """The display filter that matches the exchange of a row."""
    return f"thread:{row.reply_to or row.seq}"


@_action("thread", "equals_sign", "Only this exchange", when=in_thread, menu=("log",))
def only(desk: Desk) -> None:
    """Show only the request of the row, its answers and its end; again shows everything."""
    if (row := row_of(desk)) is not None:
        sheet = desk.sheets.current
        shown = sheet is not None and sheet.filter_text == expression(row)
        desk.put_filter("" if shown else expression(row))


@_action("thread-next", "right_parenthesis", "Next of the exchange", when=in_thread, menu=("log",))
def go_on(desk: Desk) -> None:
    """The next row of the same exchange: an answer, a later message, the end."""
    _go(desk, 1)


@_action("thread-previous", "left_parenthesis", "Previous of the exchange", when=in_thread, menu=("log",))
def go_back(desk: Desk) -> None:
    """The row before of the same exchange."""
    _go(desk, -1)


@_action("thread-request", "percent_sign", "Request or answer", when=in_thread, menu=("log",))
def turn(desk: Desk) -> None:
    """From an answer to what it answers, from a request to its first answer."""
    row = row_of(desk)
    if row is None or row.reply_to is None:
        _go(desk, 1)
    elif desk.log_view.has(row.reply_to):
        desk.log_view.go_to(row.reply_to)
    else:
        desk.say("the request is not shown: the filter hides it, or it is gone")


@_action("unanswered", "U", "Unanswered…", when=has_sheet, menu=("log",))
async def unanswered(desk: Desk) -> None:
    """What was sent and has no answer yet, the newest first; enter goes to the row."""
    from rtui.workbench.screens.unanswered import Unanswered

    sheet = desk.sheets.current
    if sheet is None:
        return
    picked = await desk.ask(Unanswered(sheet, desk.bench.catalog, glyphs=desk.bench.glyphs))
    row = desk.bench.catalog.record(picked)
    if row is None or desk.sheets.current is not sheet:
        return
    if desk.log_view.has(row.seq):
        desk.log_view.go_to(row.seq)
    else:
        desk.put_filter(expression(row))  # the filter of the log hides it: nothing but its exchange is shown instead
    desk.log_view.focus()


def _go(desk: Desk, step: int) -> None:
    if (row := row_of(desk)) is not None:
        desk.hunt.go(_wanted(row), step, "row of this exchange")


def _wanted(row: Record) -> Filter:
    return compile_filter(expression(row))
