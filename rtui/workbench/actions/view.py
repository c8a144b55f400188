"""Actions on what is seen: panes, tabs, filter and search, themes, help."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from rtui.capture.query import compile_filter
from rtui.workbench.action import Book
from rtui.workbench.actions.connection import explain_silence
from rtui.workbench.layout import PANES
from rtui.workbench.sizing import grow
from rtui.workbench.vocabulary import vocabulary

if TYPE_CHECKING:
    from rtui.workbench.screens.desk import Desk
    from rtui.workbench.sheet import Sheet

BOOK = Book("View")
TITLES: Final = {"sessions": "Sessions", "tree": "Tree", "log": "Log", "message": "Message", "composer": "Composer"}
_action = BOOK.action


def has_sheet(desk: Desk) -> bool:
    """Whether a tab is shown."""
    return desk.sheets.current is not None


def has_tabs(desk: Desk) -> bool:
    """Whether there is another tab to go to."""
    return len(desk.sheets) > 1


@_action("help", "question_mark,f1", "Help", footer=True, menu=(*PANES, "bottom"))
def show_help(desk: Desk) -> None:
    """The keys that work where you are."""
    from rtui.capture.query import help_rows
    from rtui.workbench.bindings import ACTIONS
    from rtui.workbench.screens.help import Help, sections

    operators = [(example, "", text) for example, text in help_rows()]
    keys = sections(desk.bench, desk.active_bindings.values(), ACTIONS, lambda action: action.name(desk))
    desk.bench.push_screen(Help([*keys, ("Filter language", operators)]))


@_action("filter", "slash", "Filter", when=has_sheet, footer=True, menu=("log",))
def open_filter(desk: Desk) -> None:
    """Show only what matches an expression."""
    desk.open_filter()


@_action("clear-filter", "backspace", "Clear filter", when=lambda desk: desk.has_filter, menu=("log",))
def clear_filter(desk: Desk) -> None:
    """Show everything again."""
    desk.put_filter("")


@_action("search", "ctrl+f", "Search…", when=has_sheet, menu=("log",))
async def search(desk: Desk) -> None:
    """Find a row, leaving the others in view; n and N go on."""
    from rtui.workbench.screens.search import Search

    text = await desk.ask(Search(desk.bench.state.expressions, partial(vocabulary, desk)))
    if text:
        desk.bench.state.remember_expression(text)
        desk.hunt.needle = compile_filter(text)
        desk.hunt.search(-1)


@_action("search-next", "n", "Next hit", when=has_sheet, menu=("log",))
def search_next(desk: Desk) -> None:
    """The next row that the search finds."""
    desk.hunt.search(1)


@_action("search-previous", "N", "Previous hit", when=has_sheet, menu=("log",))
def search_previous(desk: Desk) -> None:
    """The row before that the search finds."""
    desk.hunt.search(-1)


@_action("next-tab", "right_square_bracket", "Next tab", when=has_tabs)
def next_tab(desk: Desk) -> None:
    """The connection to the right."""
    desk.go_beside(1)


@_action("previous-tab", "left_square_bracket", "Previous tab", when=has_tabs)
def previous_tab(desk: Desk) -> None:
    """The connection to the left."""
    desk.go_beside(-1)


@_action("timeline", "T", "Timeline", when=has_tabs, menu=("tabs",))
def timeline(desk: Desk) -> None:
    """All connections in one time order."""
    desk.go_to_timeline()


@_action("close-tab", "ctrl+w", "Close tab", when=has_sheet, menu=("tabs",))
def close_tab(desk: Desk) -> None:
    """Disconnect and take the tab away; its messages stay. Asks if its session was changed and not saved."""
    sheet = desk.sheets.current
    if sheet is not None and sheet.unsaved:
        desk.start(_close_unsaved(desk, sheet), "close tab…")
    else:
        desk.close_tab()


async def _close_unsaved(desk: Desk, sheet: Sheet) -> None:
    from rtui.workbench.screens.dialog import Confirm

    told = f"Not saved: {sheet.title}\n{desk.bench.key_of('app.save')} saves it."
    sure = await desk.ask(Confirm("close tab", told, yes="Close anyway", no="Keep it"))
    if sure and desk.sheets.current is sheet:
        desk.close_tab()


@_action("zoom", "f7,Z", "Zoom", menu=PANES)
def zoom(desk: Desk) -> None:
    """Show the focused pane alone, or all panes again."""
    desk.zoom()


@_action("larger", "greater_than_sign", "Larger pane", when=has_sheet, menu=PANES)
def larger(desk: Desk) -> None:
    """Give the focused pane, or half of a split, more room; it is kept."""
    _grow(desk, 1)


@_action("smaller", "less_than_sign", "Smaller pane", when=has_sheet, menu=PANES)
def smaller(desk: Desk) -> None:
    """Give the focused pane, or half of a split, less room; it is kept."""
    _grow(desk, -1)


def _grow(desk: Desk, direction: int) -> None:
    if not grow(desk, direction):
        desk.say("this pane has no other size here")


def _press(pane: str) -> None:
    def press(desk: Desk) -> None:
        if pane == "composer" and desk.connection is not None and not desk.sends:
            explain_silence(desk)
        else:
            desk.press_pane(pane)

    verbs = "Go to" if pane == "log" else "Bring back, go to or put away"
    press.__doc__ = f"{verbs} the {TITLES[pane].lower()}."
    _action(f"pane-{pane}", f"f{PANES.index(pane) + 2}", TITLES[pane])(press)


for _pane in PANES:
    _press(_pane)


@_action("theme", "f9", "Theme…", menu=("bottom",))
async def theme(desk: Desk) -> None:
    """Choose a theme; each is shown while you choose."""
    await desk.bench.choose_theme()


@_action("menu", "f10,alt+m", "Menu…")
async def menu(desk: Desk) -> None:
    """What can be done with what the cursor of the focused pane is on; the right mouse button opens it too."""
    from rtui.workbench.screens.menu import open_menu, place_with_focus

    await open_menu(desk, place_with_focus(desk))


@_action("palette", "ctrl+p", "Commands", footer=True, menu=(*PANES, "tabs", "bottom", "caption"))
def palette(desk: Desk) -> None:
    """Every action by name."""
    desk.bench.action_command_palette()


@_action("redraw", "ctrl+l", "Draw anew", menu=("bottom",))
def redraw(desk: Desk) -> None:
    """The whole screen, after another program has written on it."""
    desk.bench.repaint()


@_action("suspend", "ctrl+z", "To the background", menu=("bottom",))
def suspend(desk: Desk) -> None:
    """Back to the shell until `fg`; connections stand still meanwhile and may be lost."""
    desk.bench.action_suspend_process()


@_action("quit", "ctrl+q", "Quit", menu=("bottom",))
async def leave(desk: Desk) -> None:
    """Close every connection properly and leave; again to leave at once."""
    await desk.bench.action_quit()


@_action("jump", "ctrl+g", "Jump", footer=True, menu=("bottom",))
def jump(desk: Desk) -> None:
    """A letter on each pane, field and tab: press it to go there; any other key leaves."""
    from rtui.workbench.screens.jump import open_jump

    open_jump(desk)
