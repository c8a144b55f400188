"""The menu of a pane: what can be done with what the pointer, or its cursor, is on.

Made from the pane's own bindings and from the actions that name it (`Action.menu`), never written by hand.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Final, NamedTuple

from textual import events
from textual.geometry import Offset
from textual.widgets import OptionList

from rtui.core.clean import cell_width
from rtui.workbench.action import UNBOUND
from rtui.workbench.bindings import ACTIONS
from rtui.workbench.layout import PANES
from rtui.workbench.mouse import RIGHT
from rtui.workbench.panes.tabstrip import TabStrip
from rtui.workbench.screens.dialog import Choice, Choose
from rtui.workbench.widgets.status import ConnectionHeader

if TYPE_CHECKING:
    from textual.widget import Widget

    from rtui.workbench.screens.desk import Desk

MOVES: Final = frozenset(
    {
        "up",
        "down",
        "top",
        "bottom",
        "follow",
        "page-up",
        "page-down",
        "half-up",
        "half-down",
        "extend-up",
        "extend-down",
    }
)
"""The last part of the ids of keys that only move: a menu would have to be opened again for each step."""
TWINS: Final = frozenset({"message.open", "message.close"})
"""What another entry does as well, for one hand that stays on the arrows."""
FRAME: Final = Offset(6, 6)
"""Cells of a menu around its rows: border, padding, and the line to type in with its margin."""


class Entry(NamedTuple):
    """One row of a menu."""

    id: str
    title: str
    key: str
    run: Callable[[], Awaitable[object] | None]


class Menu(Choose):
    """A list beside the pointer, or in the middle of the screen; a click beside it leaves it."""

    ways = "enter or a click · esc"

    def __init__(self, title: str, choices: list[Choice], at: Offset | None) -> None:
        super().__init__(title, choices)
        self._at = at
        self._width = max(cell_width(one.label) for one in choices) + max(cell_width(one.hint) for one in choices) + 2

    def on_mount(self) -> None:
        """Take the place, as far into the screen as the menu needs."""
        box = self.query_one(".dialog")
        width = max(self._width, len(self.ways)) + FRAME.x + 2  # 2: the list's own padding
        box.styles.width = width
        if self._at is None:
            return
        rows = self.query_one(OptionList).option_count + FRAME.y
        room = self.app.size
        self.styles.align = ("left", "top")
        box.styles.offset = (
            max(0, min(self._at.x, room.width - width)),
            max(0, min(self._at.y, room.height - min(rows, int(room.height * 0.9)))),
        )

    def on_click(self, event: events.Click) -> None:
        """Beside the box there is nothing to click on."""
        if event.widget is self:
            self.dismiss(None)


def on_right_click(desk: Desk, event: events.Click) -> None:
    """Open the menu of what is below the pointer; a tab is gone to first."""
    if event.button != RIGHT or event.widget is None:
        return
    if isinstance(event.widget, TabStrip) and (tab := event.widget.tab_at(event.x)) is not None:
        desk.go_to(desk.sheets.get(tab.key))
    if pane := _pane_of(event.widget):
        desk.start(open_menu(desk, pane, event.screen_offset), "menu")


async def open_menu(desk: Desk, pane: str, at: Offset | None = None) -> None:
    """Ask what is to be done in `pane`, and do it. Only from a worker."""
    entries = {entry.id: entry for entry in entries_of(desk, pane)}
    picked = await desk.ask(Menu(pane, [Choice(one.id, one.title, one.key) for one in entries.values()], at))
    if picked is not None and (work := entries[picked].run()) is not None:
        await work


def entries_of(desk: Desk, pane: str) -> list[Entry]:
    """What can be done now: the pane's own keys first."""
    keys = _keys(desk)
    ours = (action for action in ACTIONS.values() if pane in action.menu and action.when(desk))
    return [
        *_own(desk, pane, keys),
        *(Entry(one.id, one.name(desk), keys.get(one.id, ""), partial(desk.perform, one.id)) for one in ours),
    ]


def _own(desk: Desk, pane: str, keys: dict[str, str]) -> Iterator[Entry]:
    """What the bindings of the pane and its parts offer; several keys of one are one entry."""
    seen: set[str] = set()
    for node, binding, enabled, _ in desk.active_bindings.values():
        id_ = binding.id or ""
        inside = any(getattr(one, "id", None) == pane for one in node.ancestors_with_self)
        if not inside or not enabled or not id_ or id_ in seen | TWINS or id_.partition(".")[2] in MOVES:
            continue
        seen.add(id_)
        yield Entry(id_, binding.description, keys.get(id_, ""), partial(desk.app.run_action, binding.action, node))


def _keys(desk: Desk) -> dict[str, str]:
    """How the first key is written that is now the one of a binding, by its id."""
    found: dict[str, str] = {}
    for _, binding, _, _ in desk.active_bindings.values():
        if binding.id and not binding.key.startswith(UNBOUND):
            found.setdefault(binding.id, desk.app.get_key_display(binding))
    return found


def _pane_of(widget: Widget) -> str:
    """The pane that a widget is part of; the line of tabs and the one below it are one; empty for others."""
    if isinstance(widget, TabStrip | ConnectionHeader):
        return "tabs"
    return next((one.id for one in widget.ancestors_with_self if one.id in PANES), None) or ""
