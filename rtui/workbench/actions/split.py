"""Actions on the two halves of the desk: two tabs side by side, or one above the other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rtui.settings.secrets import mask_url
from rtui.settings.session_list import SessionEntry, list_sessions
from rtui.workbench.action import Book
from rtui.workbench.actions.session import loaded
from rtui.workbench.layout import SPLIT

if TYPE_CHECKING:
    from rtui.workbench.screens.desk import Desk
    from rtui.workbench.screens.dialog import Choice
    from rtui.workbench.sheet import Sheet

BOOK = Book("View")
_action = BOOK.action
TAB: Final = "tab:"
"""Begins the ids of choices that are tabs; those of sessions are paths."""


def has_sheet(desk: Desk) -> bool:
    """Whether a tab is shown."""
    return desk.sheets.current is not None


def is_split(desk: Desk) -> bool:
    """Whether two tabs are shown."""
    return desk.sheets.is_split


def _title(desk: Desk) -> str:
    return "End the split" if desk.sheets.is_split else "Split"


@_action("split", "vertical_line", "Split", when=has_sheet, called=_title, menu=("tabs",))
async def split(desk: Desk) -> None:
    """Two tabs side by side, or the current one alone again; the middle button, or alt and a click, on a tab too."""
    if desk.sheets.is_split:
        desk.turn(lambda sheets: sheets.unsplit())
    elif (beside := desk.sheets.companion()) is not None:
        put_beside(desk, beside)
    else:
        await choose_beside(desk)


@_action("split-with", "", "Split with…", when=has_sheet, menu=("tabs",))
async def choose_beside(desk: Desk) -> None:
    """Choose the tab, or the session to connect, that is shown beside the current tab."""
    from rtui.workbench.screens.dialog import Choose

    if not _has_room(desk):
        return
    entries = await desk.look(list_sessions) if desk.live_capture else []
    choices = [*_tabs(desk), *map(_session, entries)]
    if not choices:
        desk.say("there is only one tab, and no session to connect")
        return
    picked = await desk.ask(Choose("show beside it", choices))
    if picked is None:
        return
    chosen = _sheet(desk, picked, entries)
    if chosen is not None:
        put_beside(desk, chosen)


@_action("other-half", "backslash", "Other half", when=is_split, menu=("tabs",))
def other_half(desk: Desk) -> None:
    """Go to the other one of the two tabs that are shown."""
    desk.go_to(desk.sheets.other)
    desk.show_pane("log")


@_action("swap-halves", "underscore", "Swap halves", when=is_split, menu=("tabs",))
def swap_halves(desk: Desk) -> None:
    """The two tabs that are shown change places; the line between them can be dragged, two clicks make them equal."""
    desk.turn(lambda sheets: sheets.swap())


def put_beside(desk: Desk, sheet: Sheet) -> None:
    """Show `sheet` beside the current tab, and go to it."""
    if _has_room(desk):
        desk.turn(lambda sheets: sheets.split(sheet))


def _has_room(desk: Desk) -> bool:
    if desk.panes.pairing:
        return True
    columns, rows = SPLIT
    desk.say(f"no room for two tabs here: it takes {columns} columns, or {rows} rows", severity="warning")
    return False


def _tabs(desk: Desk) -> list[Choice]:
    from rtui.workbench.screens.dialog import Choice

    others = (sheet for sheet in desk.sheets if sheet is not desk.sheets.current)
    return [Choice(f"{TAB}{sheet.key}", sheet.title, "tab") for sheet in others]


def _session(entry: SessionEntry) -> Choice:
    from rtui.workbench.screens.dialog import Choice

    return Choice(str(entry.path), entry.name, mask_url(entry.url))


def _sheet(desk: Desk, picked: str, entries: list[SessionEntry]) -> Sheet | None:
    """The tab that was picked, or that of the session, which is connected if it has none."""
    if picked.startswith(TAB):
        return desk.sheets.get(int(picked.removeprefix(TAB)))
    entry = next(one for one in entries if str(one.path) == picked)
    found = desk.sheets.of_file(entry.path)
    return found if found not in {None, desk.sheets.current} else desk.bench.connect(loaded(entry), show=False)
