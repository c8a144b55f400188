"""Help for where the user is: made from the bindings that would answer now, never written by hand."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Final

from rich.table import Table
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import ActiveBinding, Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from rtui.workbench.action import UNBOUND, Action

if TYPE_CHECKING:
    from textual.app import App


Sections = list[tuple[str, list[tuple[str, str, str]]]]
"""(heading, rows of keys, title and explanation)."""
DULL: Final = frozenset({"scroll_left", "scroll_right", "page_left", "page_right"})
"""Actions every scrolling widget of Textual has, and ours have no use for."""


def sections(
    app: App[Any],
    active: Iterable[ActiveBinding],
    actions: Mapping[str, Action],
    name_of: Callable[[Action], str] = lambda action: action.title,
) -> Sections:
    """The keys of the focused pane first, then ours by subject. Several keys of one binding stand in one row."""
    grouped: dict[str, dict[str, tuple[list[str], str, str]]] = {}
    for node, binding, enabled, _ in active:
        if not enabled or not binding.description or binding.key.startswith(UNBOUND) or binding.action in DULL:
            continue
        ours = actions.get(binding.id or "")
        heading = ours.group if ours else _heading(type(node).__name__)
        rows = grouped.setdefault(heading, {})
        title = name_of(ours) if ours else binding.description
        keys, _, _ = rows.setdefault(binding.action, ([], title, binding.tooltip))
        keys.append(app.get_key_display(binding))
    return [
        (heading, [("  ".join(keys), title, tip) for keys, title, tip in rows.values()])
        for heading, rows in grouped.items()
    ]


def _heading(class_name: str) -> str:
    """The words in the name of a class: MessageLog → Message log."""
    spaced = "".join(f" {char.lower()}" if char.isupper() else char for char in class_name).strip()
    return {"workbench": "Always", "desk": "Always"}.get(spaced, spaced.capitalize())


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
            box.border_subtitle = "esc closes"
            for heading, rows in self._sections:
                yield Static(Text(heading, "bold"), classes="heading")
                yield Static(self._table(rows))

    def _table(self, rows: list[tuple[str, str, str]]) -> Table:
        table = Table.grid(padding=(0, 2), expand=True)
        table.add_column(width=16, no_wrap=True, style="bold")
        table.add_column(width=20)
        table.add_column(ratio=1, style="dim")
        for keys, title, tip in rows:
            table.add_row(Text(keys), Text(title), Text(tip))
        return table

    async def action_dismiss(self, result: None = None) -> None:
        """Close."""
        self.dismiss(result)
