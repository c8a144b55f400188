"""The menu of a place: what can be done with what the pointer, or its cursor, is on, by what it is about.

Made from the pane's own bindings and from the actions that name the place (`Action.menu`), never written by hand.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from functools import partial
from itertools import groupby
from operator import attrgetter
from typing import TYPE_CHECKING, Final, NamedTuple

from rich.text import Text
from textual import events, on
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.geometry import Offset, Size
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from rtui.core.clean import cell_width, clean, clip
from rtui.workbench.action import UNBOUND, Action
from rtui.workbench.bindings import ACTIONS
from rtui.workbench.layout import PANES
from rtui.workbench.mouse import RIGHT
from rtui.workbench.panes.tabstrip import TabStrip
from rtui.workbench.screens.dialog import Dialog
from rtui.workbench.screens.menu_column import MenuColumn, columns
from rtui.workbench.widgets.footer import KeyLine
from rtui.workbench.widgets.status import ConnectionHeader, StatusLine

if TYPE_CHECKING:
    from textual.widget import Widget

    from rtui.workbench.screens.desk import Desk

PLACES: Final = (*PANES, "tabs", "bottom", "caption")
"""What has a menu: the panes, the lines above them and below them, and the band of the presenter."""
TITLES: Final[Mapping[str, str]] = {"bottom": "rtui", "caption": "presentation"}
"""Of the menus of places that have no name on the screen."""
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
TWINS: Final = frozenset({"message.open", "message.close", "log.select-next"})
"""What another entry does as well, for one hand that stays on the arrows."""
SUBJECTS: Final = (
    "This message",
    "This channel",
    "This session",
    "This text",
    "Its exchange",
    "Marks and selection",
    "Filter and search",
    "This log",
    "Calls",
    "Saved messages",
    "Subscriptions",
    "Connection",
    "Replay",
    "Sessions",
    "Session file",
    "Tabs",
    "Presentation",
    "Demonstration",
)
"""The headings, in the order they stand; then come those that are no more than the name of a group."""
LAST: Final = ("Pane", "Workbench")
"""The headings below them."""
OF_PANE: Final[Mapping[str, str]] = {
    "log": "This log",
    "tree": "This channel",
    "message": "This message",
    "composer": "This text",
    "sessions": "This session",
}
"""What a pane's own keys are about, where `OF_ENTRY` does not say otherwise."""
OF_GROUP: Final[Mapping[str, str]] = {
    "Message": "This message",
    "Channel": "This channel",
    "Exchange": "Its exchange",
    "Call": "Calls",
    "Saved message": "Saved messages",
    "Subscription": "Subscriptions",
    "Connection": "Connection",
    "Session": "Session file",
    "Demo": "Demonstration",
    "Log": "This log",
    "Filter": "Filter and search",
    "Present": "Presentation",
    "View": "Workbench",
}
"""What the actions of a group are about, where its name does not say it."""
_PICKING = ("mark", "next-mark", "previous-mark", "select", "deselect")
OF_ENTRY: Final[Mapping[str, str]] = {
    "log.open": "This message",
    **{f"log.{name}": "Marks and selection" for name in _PICKING},
    **dict.fromkeys(("app.filter", "app.clear-filter"), "Filter and search"),
    **dict.fromkeys(("app.search", "app.search-next", "app.search-previous"), "Filter and search"),
    **dict.fromkeys(("app.copy-command", "app.copy-command-of"), "This message"),
    **dict.fromkeys(("app.connect", "app.new-session", "app.find-session", "app.import", "app.replay"), "Sessions"),
    **dict.fromkeys(("app.compose", "app.export"), "This log"),
    **dict.fromkeys(("app.split", "app.split-with", "app.other-half"), "Tabs"),
    **dict.fromkeys(("app.timeline", "app.close-tab"), "Tabs"),
    **dict.fromkeys(("app.zoom", "app.larger", "app.smaller"), "Pane"),
}
"""What is about something else than the rest of its group."""
FRAME: Final = Size(9, 2)
"""Cells of a menu around its rows: the border, the padding of the box and of the list, a scrollbar, the indent."""
SIDES: Final = 4
"""Cells of a column beside its rows: the padding of the list, and the indent."""
GAP: Final = 3
"""Blanks between the longest title and the keys."""


class Entry(NamedTuple):
    """One row of a menu."""

    id: str
    title: str
    key: str
    run: Callable[[], Awaitable[object] | None]
    subject: str
    """The heading that it stands under."""
    help: str = ""


class Menu(Dialog[str]):
    """A list beside the pointer, or in the middle of the screen; a click beside it leaves it.

    What is too long for the screen stands in columns, where there is room for them. What is typed goes to the row that
    begins so, or has a word that does; the same letter again goes to the next.
    """

    ways = "letters jump · enter · esc"

    def __init__(self, title: str, entries: Sequence[Entry], at: Offset | None) -> None:
        super().__init__(title)
        self._entries = entries
        self._at = at
        self._typed = ""
        self._titles = max((cell_width(clean(one.title)) for one in entries), default=0)
        self._width = self._titles + GAP + max((cell_width(one.key) for one in entries), default=0)
        self._parts: list[Sequence[Sequence[Entry]]] = []
        """What stands in each column, by subject."""

    def ask(self) -> ComposeResult:
        """The columns."""
        self._parts = self._divided()
        with Horizontal(classes="menu"):
            for part in self._parts:
                yield MenuColumn(list(self._rows(part)))

    def _divided(self) -> list[Sequence[Sequence[Entry]]]:
        groups = [list(entries) for _, entries in groupby(self._entries, attrgetter("subject"))]
        room = self.app.size - FRAME
        return columns(groups, room.height, max(1, (room.width + SIDES) // (self._width + SIDES)))

    def _rows(self, groups: Sequence[Sequence[Entry]]) -> Iterator[Option]:
        for entries in groups:
            yield Option(Text(entries[0].subject, "bold underline"), disabled=True)
            for one in entries:
                title = clip(clean(one.title), self._titles)
                blanks = self._width - cell_width(title) - cell_width(one.key)
                yield Option(Text.assemble("  ", title, " " * blanks, (clean(one.key), "bold")), id=one.id)

    def on_mount(self) -> None:
        """Begin on the first row that does something."""
        self._columns[0].point_at(0)
        self._take_place()

    async def on_resize(self) -> None:
        """See `_take_place`. Other columns may fit now."""
        here = self._here
        if self._divided() != self._parts:
            await self.recompose()
            self._point_at(here or self._entries[0].id)
        self._take_place()

    def _take_place(self) -> None:
        """Stand as far inside the screen as the menu needs; what is too long for it scrolls."""
        box, room, lists = self.query_one(".dialog"), self.app.size, self._columns
        height = min(max(rows.option_count for rows in lists), room.height - FRAME.height)
        inside = len(lists) * (self._width + SIDES) - SIDES
        width = min(max(inside, len(self.ways)) + FRAME.width, room.width)
        for rows in lists:
            rows.styles.margin, rows.styles.max_height, rows.styles.scrollbar_size_vertical = 0, height, 1
            rows.styles.width = "1fr" if len(lists) == 1 else self._width + SIDES
        box.styles.padding, box.styles.max_height, box.styles.width = (0, 1), "100%", width
        if self._at is not None:
            self.styles.align = ("left", "top")
            box.styles.offset = (
                max(0, min(self._at.x, room.width - width)),
                max(0, min(self._at.y, room.height - height - FRAME.height)),
            )

    @property
    def _columns(self) -> list[MenuColumn]:
        return list(self.query(MenuColumn))

    def on_key(self, event: events.Key) -> None:
        """Letters go to rows; a move begins another word."""
        if not event.is_printable or event.character is None:
            self._typed = ""
            return
        event.stop()
        letter = event.character.casefold()
        if not self._go(self._typed + letter, onwards=0):
            self._typed = ""
            self._go(letter, onwards=1)

    def _go(self, typed: str, *, onwards: int) -> bool:
        """To the first row from the cursor on that fits; with `onwards`, from the one after it."""
        if onwards == 0 and len(typed) == 1:
            onwards = 1
        ids = [one.id for one in self._entries]
        here = ids.index(self._here) + onwards if self._here in ids else 0
        turned = [*self._entries[here:], *self._entries[:here]]
        for fits in (_begins, _has_word):
            found = next((one for one in turned if fits(one.title.casefold(), typed)), None)
            if found is not None:
                self._typed = typed
                self._point_at(found.id)
                return True
        return False

    def _point_at(self, id_: str) -> None:
        """Put the cursor on an entry."""
        for part, rows in zip(self._parts, self._columns, strict=True):
            if any(one.id == id_ for group in part for one in group):
                rows.point_at(rows.get_option_index(id_))

    @property
    def _here(self) -> str | None:
        """The entry under the cursor."""
        return next((one.highlighted_option.id for one in self._columns if one.highlighted_option is not None), None)

    @on(OptionList.OptionSelected)
    def _selected(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(event.option_id)

    def on_click(self, event: events.Click) -> None:
        """Beside the box there is nothing to click on."""
        if event.widget is self:
            self.dismiss(None)


def _begins(title: str, typed: str) -> bool:
    return title.startswith(typed)


def _has_word(title: str, typed: str) -> bool:
    return any(word.startswith(typed) for word in title.split()[1:])


def on_right_click(desk: Desk, event: events.Click) -> None:
    """Open the menu of what is below the pointer; a tab is gone to first."""
    if event.button != RIGHT or event.widget is None:
        return
    if isinstance(event.widget, TabStrip) and (tab := event.widget.tab_at(event.x)) is not None:
        desk.go_to(desk.sheets.get(tab.key))
    if place := place_of(desk, event.widget):
        desk.start(open_menu(desk, place, event.screen_offset), "menu…")


async def open_menu(desk: Desk, place: str, at: Offset | None = None) -> None:
    """Ask what is to be done in `place`, and do it. Only from a worker."""
    entries = {entry.id: entry for entry in entries_of(desk, place)}
    if not entries:
        desk.say("nothing can be done here now")
        return
    picked = await desk.ask(Menu(TITLES.get(place, place), list(entries.values()), at))
    if picked is not None and (work := entries[picked].run()) is not None:
        await work


def entries_of(desk: Desk, place: str) -> list[Entry]:
    """What can be done now, by subject: of each, the pane's own keys first."""
    keys = _keys(desk)
    ours = (action for action in ACTIONS.values() if place in action.menu and action.when(desk))
    entries = [
        *_own(desk, place, keys),
        *(
            Entry(one.id, one.name(desk), _key(desk, keys, one), partial(desk.perform, one.id), _subject(one.id, place))
            for one in ours
        ),
    ]
    return sorted(entries, key=_rank)


def own_entries(desk: Desk) -> list[Entry]:
    """What only the pane with the focus can do now; an opened palette leaves the focus of the desk where it was."""
    focused = desk.focused
    place = next((one.id for one in focused.ancestors_with_self if one.id in PANES), None) if focused else None
    return list(_own(desk, place, _keys(desk))) if place is not None else []


def _rank(entry: Entry) -> tuple[int, str]:
    """The place of an entry's heading."""
    if entry.subject in LAST:
        return len(SUBJECTS) + 1 + LAST.index(entry.subject), ""
    return (SUBJECTS.index(entry.subject), "") if entry.subject in SUBJECTS else (len(SUBJECTS), entry.subject)


def _subject(id_: str, place: str) -> str:
    """What an entry is about."""
    if id_ in OF_ENTRY:
        return OF_ENTRY[id_]
    if id_ not in ACTIONS:
        return OF_PANE[place]
    group = ACTIONS[id_].group
    if group == "Channel" and place != "tree":
        return OF_PANE["message"]  # the log shows messages: there it is the past of one on its channel
    return OF_GROUP.get(group, group)


def _own(desk: Desk, place: str, keys: dict[str, str]) -> Iterator[Entry]:
    """What the bindings of the pane and its parts offer; several keys of one are one entry."""
    seen: set[str] = set()
    for node, binding, enabled, _ in desk.active_bindings.values():
        id_ = binding.id or ""
        inside = any(getattr(one, "id", None) == place for one in node.ancestors_with_self)
        if not inside or not enabled or not id_ or id_ in seen | TWINS or id_.partition(".")[2] in MOVES:
            continue
        seen.add(id_)
        run = partial(desk.app.run_action, binding.action, node)
        yield Entry(id_, binding.description, keys.get(id_, ""), run, _subject(id_, place), binding.tooltip)


def _key(desk: Desk, keys: Mapping[str, str], action: Action) -> str:
    """Also that of a key which Textual's app takes before the desk."""
    return keys.get(action.id) or desk.bench.key_of(action.id)


def _keys(desk: Desk) -> dict[str, str]:
    """How the first key is written that is now the one of a binding, by its id."""
    found: dict[str, str] = {}
    for _, binding, _, _ in desk.active_bindings.values():
        if binding.id and not binding.key.startswith(UNBOUND):
            found.setdefault(binding.id, desk.app.get_key_display(binding))
    return found


def place_of(desk: Desk, widget: Widget) -> str:
    """Where a widget is, of `PLACES`; empty for others. The line of tabs and the one below it are one."""
    if isinstance(widget, TabStrip | ConnectionHeader):
        return "tabs"
    if isinstance(widget, StatusLine | KeyLine):
        return "bottom"
    if widget is desk.presenter.band:
        return "caption"
    return next((one.id for one in widget.ancestors_with_self if one.id in PANES), None) or ""


def place_with_focus(desk: Desk) -> str:
    """The place whose menu the key opens."""
    band = desk.presenter.band
    if band is not None and band.has_focus:
        return "caption"
    return desk.focused_pane if desk.sheets.current is not None or desk.focused is not None else "bottom"
