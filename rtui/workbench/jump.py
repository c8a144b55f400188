"""Where jump mode leads: every place on the screen that can have the focus, and every tab, each under a key."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from string import ascii_lowercase, ascii_uppercase
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

from textual.errors import NoWidget
from textual.geometry import NULL_REGION, Offset, Region

from rtui.workbench.panes.tabstrip import TabStrip

if TYPE_CHECKING:
    from textual.widget import Widget

    from rtui.workbench.screens.desk import Desk

OWN: Final = {"sessions": "s", "tree": "t", "filter": "f", "message": "m"}
"""The letters of panes, the same at any size, so that fingers can learn them."""
LOGS: Final = "lr"
"""Those of the log, or of the left and the right one."""
PAYLOAD: Final = "c"
"""That of the place to write in."""
DIGITS: Final = "123456789"
"""The first tabs."""


class Spot(NamedTuple):
    """One place."""

    key: str
    at: Offset
    """Its upper left corner on the screen."""
    go: Callable[[], object]


Place: TypeAlias = tuple[str, Offset, Callable[[], object]]
"""The key that it would like to have, where it is, and how to go there."""


def spots(desk: Desk) -> list[Spot]:
    """What can be jumped to now. Who has no key of its own, or finds it taken, gets the next free letter."""
    free = (letter for letter in ascii_lowercase + ascii_uppercase if letter not in {*OWN.values(), *LOGS, PAYLOAD})
    found: dict[str, Spot] = {}
    for wish, at, go in (*_fields(desk), *_tabs(desk)):
        key = wish if wish and wish not in found else next(free, "")
        if key:
            found[key] = Spot(key, at, go)
    return list(found.values())


def _fields(desk: Desk) -> Iterator[Place]:
    chain = desk.focus_chain
    for widget in chain:
        region = _seen(desk, widget)
        if region and not any(inner in chain for inner in widget.query("*")):
            yield _wish(desk, widget), region.offset, partial(_focus, widget)


def _seen(desk: Desk, widget: Widget) -> Region:
    """The part of a widget that is on the screen."""
    try:
        return desk.find_widget(widget).visible_region
    except NoWidget:  # it came this moment and has no place yet
        return NULL_REGION


def _wish(desk: Desk, widget: Widget) -> str:
    logs = [half.rows for half in desk.halves]
    if widget in logs:
        return LOGS[logs.index(widget)]
    if desk.composer is not None and widget is desk.composer.area:
        return PAYLOAD
    return next((OWN[one.id] for one in widget.ancestors_with_self if one.id in OWN), "")


def _focus(widget: Widget) -> None:
    if widget.is_attached:  # a pane may have gone while the letters were read
        widget.focus()


def _tabs(desk: Desk) -> Iterator[Place]:
    strip = desk.query_one(TabStrip)
    for number, (tab, start) in enumerate(strip.places()):
        at = strip.region.offset + Offset(start, 0)
        yield "".join(DIGITS[number : number + 1]), at, partial(_go_to, desk, tab.key)


def _go_to(desk: Desk, key: int) -> None:
    desk.go_to(desk.sheets.get(key))
