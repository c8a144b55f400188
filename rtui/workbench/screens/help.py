"""Help for where the user is: made from the bindings that would answer now, never written by hand."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Final

from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table
from rich.text import Text
from textual import events
from textual.app import ComposeResult
from textual.binding import ActiveBinding, Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from rtui.core.clean import cell_width
from rtui.workbench.action import UNBOUND, Action
from rtui.workbench.inherited import EDITING, HEADINGS, WORDS
from rtui.workbench.screens.dialog import key_below

if TYPE_CHECKING:
    from textual.app import App


Sections = list[tuple[str, list[tuple[str, str, str]]]]
"""(heading, rows of keys, title and explanation)."""
ROOM: Final = 88
"""Cells from which the explanations have a column of their own."""
WAYS: Final = "esc closes"
KEYS: Final = 16
TITLES: Final = 20
"""Cells of the columns before it."""


def sections(
    app: App[Any],
    active: Iterable[ActiveBinding],
    actions: Mapping[str, Action],
    name_of: Callable[[Action], str] = lambda action: action.title,
) -> Sections:
    """The keys of the focused pane first, then ours by subject, then what any editor has.

    Several keys of one binding stand in one row. Keys that come with Textual's widgets are told in our words
    (`inherited.WORDS`); those without any are of no use here.
    """
    grouped: dict[str, dict[str, tuple[list[str], str, str]]] = {}
    for node, binding, enabled, _ in active:
        if not enabled or not binding.description or binding.key.startswith(UNBOUND):
            continue
        ours = actions.get(binding.id or "")
        told = _told(binding) if ours is None else (name_of(ours), binding.tooltip)
        if told is None:
            continue
        heading = ours.group if ours else HEADINGS.get(type(node).__name__, "Always")
        keys, *_ = grouped.setdefault(heading, {}).setdefault(binding.action, ([], *told))
        keys.append(app.get_key_display(binding))
    return [
        (heading, [("  ".join(keys), title, tip) for keys, title, tip in grouped[heading].values()])
        for heading in sorted(grouped, key=EDITING.__contains__)
    ]


def _told(binding: Binding) -> tuple[str, str] | None:
    """Title and explanation of a widget's key; None if it is not worth a row."""
    return (binding.description, binding.tooltip) if binding.id else WORDS.get(binding.action.removeprefix("app."))


class KeyRows:
    """Keys, what they are called and what they do: in three columns, or in two where the third would be narrow."""

    def __init__(self, rows: list[tuple[str, str, str]]) -> None:
        self._rows = rows

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """See `rich.console.ConsoleRenderable`."""
        yield self._wide() if options.max_width >= ROOM else self._narrow()

    def _wide(self) -> Table:
        table = _grid(KEYS)
        table.add_column(width=TITLES)
        table.add_column(ratio=1, style="dim")
        for keys, title, tip in self._rows:
            table.add_row(Text(keys), Text(title), Text(tip))
        return table

    def _narrow(self) -> Table:
        table = _grid(min(KEYS, max(cell_width(keys) for keys, _, _ in self._rows)))
        table.add_column(ratio=1)
        for keys, title, tip in self._rows:
            joint = " · " if title and tip else ""
            table.add_row(Text(keys), Text.assemble(title, (f"{joint}{tip}", "dim")))
        return table


def _grid(keys: int) -> Table:
    table = Table.grid(padding=(0, 2), expand=True)
    table.add_column(width=keys, style="bold")
    return table


class Help(ModalScreen[None]):
    """What the keys do here."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,question_mark,q,f1", "dismiss", "Close", id="dialog.close-help"),
    ]

    def __init__(self, found: Sections) -> None:
        super().__init__()
        self._sections = found

    def compose(self) -> ComposeResult:
        """One table per heading."""
        with VerticalScroll(classes="dialog wide") as box:
            box.border_title = "help — keys that work where you are"
            box.border_subtitle = WAYS
            for place, (heading, rows) in enumerate(self._sections):
                headline = Static(Text(heading, "bold"), classes="heading")
                if not place:
                    headline.styles.margin = 0  # the box has a blank line of its own there
                yield headline
                yield Static(KeyRows(rows))

    def on_click(self, event: events.Click) -> None:
        """A click on the words under the box is the key."""
        if key_below(self.query_one(".dialog"), WAYS, event):
            self.dismiss(None)

    async def action_dismiss(self, result: None = None) -> None:
        """Close."""
        self.dismiss(result)
