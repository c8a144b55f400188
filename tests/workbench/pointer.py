"""The ways of the mouse to an action: what README's table says of it, done with real clicks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from textual.geometry import Offset
from textual.widget import Widget
from textual.widgets import OptionList

from rtui.workbench.mouse import LEFT, RIGHT
from rtui.workbench.panes.sidebar import Sidebar
from rtui.workbench.panes.tabstrip import TabStrip
from rtui.workbench.screens.menu import Menu, entries_of
from rtui.workbench.widgets.footer import KeyLine

if TYPE_CHECKING:
    from rtui.workbench.action import Action
    from tests.workbench.scene import Scene

BESIDE: Final = {"app.next-tab": 1, "app.previous-tab": -1}
"""Actions that a click on a tab stands for → how far from the current one it is."""


async def click_for(at: Scene, pane: str) -> None:
    """Carry the action of the scene out with the mouse; where several menus offer it, from the one of `pane`."""
    action = at.action
    if action.id.startswith("app.pane-"):
        await click_pane(at, action.id.removeprefix("app.pane-"))
    elif action.id in BESIDE or action.id == "app.timeline":
        await click_tab(at, BESIDE.get(action.id))
    elif action.id == "app.menu":
        await right_click(at, pane)
    elif action.menu or action.own:
        await click_in_menu(at, place_for(action, pane), action.own or action.id)
    else:
        await click_hint(at)


def place_for(action: Action, pane: str) -> str:
    """Whose menu to open."""
    if action.own:
        return action.own.partition(".")[0]
    return pane if pane in action.menu else action.menu[0]


async def click_in_menu(at: Scene, place: str, entry: str) -> None:
    """Open the menu of a place, and click on one of its rows."""
    await right_click(at, place)
    found = {one.id: one for one in entries_of(at.desk, place)}
    assert entry in found, f"the menu of {place} does not offer it"
    rows = next(rows for rows in at.screen.query(OptionList) if any(one.id == entry for one in rows.options))
    index = rows.get_option_index(entry)
    assert found[entry].title in str(rows.get_option_at_index(index).prompt)
    rows.highlighted = index
    await at.pilot.pause()
    line = index - rows.scroll_offset.y
    assert 0 <= line < rows.size.height, "the row is not in view"
    menu = at.screen
    await at.pilot.click(rows, offset=(3, line))
    await at.until(lambda: at.screen is not menu, "the menu is gone")


async def right_click(at: Scene, place: str) -> None:
    """Open the menu of a place, on what its cursor is on."""
    widget, offset = spot(at, place)
    await at.pilot.click(widget, offset=offset, button=RIGHT)
    await at.until(lambda: isinstance(at.screen, Menu), f"the menu of {place}")
    await at.pilot.pause()


def spot(at: Scene, place: str) -> tuple[Widget, Offset]:  # noqa: PLR0911 - a table
    """A widget of the place, and where in it to click."""
    desk = at.desk
    match place:
        case "tabs":
            strip = desk.query_one(TabStrip)
            start = next((start for tab, start in strip.places() if tab.key == strip.selected), 0)
            return strip, Offset(start + 1, 0)
        case "bottom":
            return desk.query_one("#status"), Offset(2, 0)
        case "caption":
            assert desk.presenter.band is not None
            return desk.presenter.band, Offset(3, 1)
        case "log":
            log = desk.log_view
            line = log._window.index_of(log.cursor_seq) - log.scroll_offset.y if log.cursor_seq is not None else 0
            return log, Offset(20, log.gutter.top + line)
        case "tree":
            tree = desk.sure_tree
            return tree, Offset(4, tree.gutter.top + tree.cursor - tree.scroll_offset.y)
        case "sessions":
            sidebar = desk.query_one(Sidebar)
            return sidebar, Offset(6, sidebar.gutter.top + max(sidebar.cursor_line, 0) - sidebar.scroll_offset.y)
        case "composer":
            return desk.sure_picture.composer.area, Offset(4, 0)
    return desk.pane(place), Offset(4, 2)


async def click_pane(at: Scene, pane: str) -> None:
    """Click into a pane."""
    widget, offset = spot(at, pane)
    await at.pilot.click(widget, offset=offset, button=LEFT)


async def click_tab(at: Scene, step: int | None) -> None:
    """Click on the tab `step` beside the current one; None is the timeline."""
    strip, sheets = at.desk.query_one(TabStrip), list(at.desk.sheets)
    if step is None:
        wanted = next(sheet for sheet in sheets if sheet.is_timeline)
    else:
        assert at.desk.sheets.current is not None
        wanted = sheets[(sheets.index(at.desk.sheets.current) + step) % len(sheets)]
    start = next(start for tab, start in strip.places() if tab.key == wanted.key)
    await at.pilot.click(strip, offset=(start + 1, 0))
    await at.until(lambda: at.desk.sheets.current is wanted, "it is shown")


async def click_hint(at: Scene) -> None:
    """Click on the key in the bottom line."""
    await at.pilot.resize_terminal(300, 40)  # it shows as many as fit
    line = at.desk.query_one(KeyLine)
    title = at.action.hint(at.desk)
    assert title, "the bottom line does not offer it"

    def start() -> int | None:
        return next((start for hint, start in line._placed() if hint.title == title), None)

    await at.until(lambda: start() is not None, "it is in the bottom line")
    await at.pilot.click(line, offset=(start() or 0, 0))
