"""Actions on how the log shows its rows: which columns, which connections."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from rtui.core.clean import clean
from rtui.workbench.action import Book
from rtui.workbench.widgets.column import ColumnError, read

if TYPE_CHECKING:
    from rtui.workbench.screens.desk import Desk

DETAIL: Final = (
    "time channel kind latency size payload meta.x .a.json[0].path\n"
    "The last has the most room. In the timeline, the connection stands before them. Empty: the usual ones."
)

ALL: Final = "all"

BOOK = Book("Log")
_action = BOOK.action


@_action("columns", "L", "Columns…", when=lambda desk: desk.sheets.current is not None, menu=("log",))
async def columns(desk: Desk) -> None:
    """Choose the columns of the log: what rows have, and places in their JSON."""
    from rtui.workbench.recall import columns_of
    from rtui.workbench.screens.search import Completing
    from rtui.workbench.vocabulary import for_columns
    from rtui.workbench.widgets.column_completion import complete_columns
    from rtui.workbench.widgets.expression import Expression

    sheet = desk.sheets.current
    if sheet is None:
        return
    line = Expression(" ".join(column.name for column in sheet.columns), completer=complete_columns)
    line.seen = partial(for_columns, desk)
    answer = await desk.ask(Completing("columns of the log", line, detail=DETAIL, check=_trouble))
    if answer is None:
        return
    sheet.columns = read(answer)
    if sheet.session is not None:
        desk.bench.state.remember_columns(sheet.session.name, [column.name for column in sheet.columns])
        sheet.columns = sheet.columns or columns_of(None, sheet.session)[0]
    if desk.sheets.current is sheet:
        desk.log_view.set_columns(sheet.columns)


@_action("density", "v", "Density", when=lambda desk: desk.sheets.current is not None, menu=("log",))
def density(desk: Desk) -> None:
    """Rows of one line with short columns, of one line, or of several with the payload wrapped; the choice is kept."""
    sheet = desk.sheets.current
    if sheet is None:
        return
    chosen = desk.log_view.brush.density.next()
    if desk.presenter.on:
        desk.presenter.density = chosen
    elif sheet.density is not None:
        sheet.density = chosen  # its file asks for one: this choice is for this run
    else:
        desk.bench.state.density = chosen.value
    desk.redraw(lambda picture: picture.fit_rows())


def in_timeline(desk: Desk) -> bool:
    """Whether rows of several connections stand together."""
    return desk.sheets.current is not None and desk.sheets.current.is_timeline


def has_source(desk: Desk) -> bool:
    """Whether a row of the timeline tells which connection is meant."""
    return in_timeline(desk) and desk.has_row


@_action("mute-source", "comma", "Mute connection", when=has_source, menu=("log",))
def mute_source(desk: Desk) -> None:
    """Leave the connection of the row out of the timeline; it is recorded all the same."""
    toggle_mute(desk, desk.selected_records()[-1].link)


@_action("solo-source", "semicolon", "Solo connection", when=has_source, menu=("log",))
def solo_source(desk: Desk) -> None:
    """Show only the connection of the row in the timeline; again shows all."""
    links = set(desk.bench.catalog.links)
    others = links - {desk.selected_records()[-1].link}
    sheet = desk.sheets.current
    _leave_out(desk, set() if sheet is not None and sheet.muted >= others else others)


@_action("sources", "J", "Connections shown…", when=in_timeline, menu=("log", "tabs"))
async def sources(desk: Desk) -> None:
    """Choose which connections the timeline shows; in the line of tabs, ctrl and a click do the same."""
    from rtui.workbench.screens.dialog import Choice, Choose

    sheet = desk.sheets.current
    if sheet is None:
        return
    listed = [
        Choice(str(link), clean(row.name), "muted" if link in sheet.muted else "shown")
        for link, row in desk.bench.catalog.links.items()
    ]
    picked = await desk.ask(Choose("connections in the timeline", [Choice(ALL, "(show all)"), *listed]))
    if picked == ALL:
        _leave_out(desk, set())
    elif picked is not None:
        toggle_mute(desk, int(picked))


def toggle_mute(desk: Desk, link: int) -> None:
    """Leave a connection out of the timeline, or bring it back."""
    sheet = desk.sheets.current
    if sheet is None or not sheet.is_timeline or link == sheet.key:
        return
    muted = sheet.muted ^ {link}
    if muted >= set(desk.bench.catalog.links):
        desk.say("no other connection is shown: this one stays", severity="warning")
    else:
        _leave_out(desk, muted)


def _leave_out(desk: Desk, muted: set[int]) -> None:
    sheet = desk.sheets.current
    if sheet is None or not sheet.is_timeline:
        return
    sheet.muted = muted
    desk.redraw(lambda picture: picture.dress_log())
    desk.redraw(lambda picture: picture.tabs())


def _trouble(text: str) -> str:
    try:
        read(text)
    except ColumnError as error:
        return str(error)
    return ""
