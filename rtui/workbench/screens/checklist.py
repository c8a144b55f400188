"""Asks which of several, each with a box to tick."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import ClassVar, Final

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.widgets import Button, Label

from rtui.core.clean import clean
from rtui.workbench.screens.dialog import Choice, Dialog
from rtui.workbench.widgets.knob import Knob
from rtui.workbench.widgets.safe import Tick

ACCEPT: Final = Binding("enter", "screen.accept", "Accept", id="checklist.accept", tooltip="Do it with what is ticked")


class Box(Tick):
    """A row of the list: enter is not for the box."""

    BINDINGS: ClassVar[list[BindingType]] = [ACCEPT]


class Checklist(Dialog[tuple[str, ...]]):
    """Answers with the ids that are ticked, at least one of them, in the order of the list."""

    ways = "space ticks · a all · enter accepts · esc cancels"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down,j", "app.focus_next", "Next", show=False, id="checklist.next", tooltip="Next row"),
        Binding("up,k", "app.focus_previous", "Previous", show=False, id="checklist.previous", tooltip="Previous row"),
        Binding("a", "all", "All", id="checklist.all", tooltip="Tick all, or none if all are ticked"),
        ACCEPT,
    ]

    def __init__(
        self, title: str, choices: Sequence[Choice], *, ticked: Collection[str] = (), detail: str = "", accept: str
    ) -> None:
        """`accept` is what the button says."""
        super().__init__(title, detail)
        self._choices = list(choices)
        self._ticked = set(ticked)
        self._accept = accept

    def ask(self) -> ComposeResult:
        """The rows, what is wrong, buttons."""
        width = max((len(clean(one.label)) for one in self._choices), default=0)
        with VerticalScroll(classes="ticks", can_focus=False):
            for one in self._choices:
                label = Text.assemble(clean(one.label).ljust(width), f"  {clean(one.hint)}")
                yield Box(label, one.id in self._ticked, name=one.id, compact=True)
        yield Label("", markup=False, classes="trouble")
        with Horizontal(classes="buttons"):
            yield Knob(Text("Cancel"), id="cancel", compact=True)
            yield Knob(Text(f"{self._accept} (enter)"), id="accept", variant="primary", compact=True)

    def action_all(self) -> None:
        """Tick all, or none if all are."""
        ticks = list(self.query(Tick))
        some = not all(tick.value for tick in ticks)
        for tick in ticks:
            tick.value = some

    def action_accept(self) -> None:
        """Leave with what is ticked."""
        picked = tuple(tick.name or "" for tick in self.query(Tick) if tick.value)
        if picked:
            self.dismiss(picked)
        else:
            self.query_one(".trouble", Label).update("nothing is ticked: space ticks a row, esc leaves")

    @on(Button.Pressed, "#accept")
    def _pressed(self, event: Button.Pressed) -> None:
        event.stop()
        self.action_accept()
