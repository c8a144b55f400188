"""Jump mode: letters over the desk, which stays as it is below them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from rich.text import Text
from textual import events
from textual.app import ComposeResult
from textual.geometry import Size
from textual.screen import ModalScreen
from textual.widgets import Static

from rtui.workbench.jump import Spot, spots

if TYPE_CHECKING:
    from rtui.workbench.screens.desk import Desk

WAYS: Final = "a letter goes there · any other key leaves"


class Chip(Static):
    """The key of a place, on its corner."""

    def __init__(self, spot: Spot) -> None:
        super().__init__(Text(f" {spot.key} "))
        self.spot = spot
        self.styles.offset = spot.at


class Jump(ModalScreen[Spot]):
    """Asks for a place, over the desk as it stands."""

    def __init__(self, found: Sequence[Spot]) -> None:
        super().__init__()
        self.spots = {spot.key: spot for spot in found}
        self._room: Size | None = None

    def compose(self) -> ComposeResult:
        """A letter on each place, and in the bottom line what to do."""
        for spot in self.spots.values():
            yield Chip(spot)
        yield Static(Text(WAYS), id="jump-ways")

    def on_key(self, event: events.Key) -> None:
        """The letter of a place, or the way out."""
        event.stop()
        event.prevent_default()
        self.dismiss(self.spots.get(event.character or ""))

    def on_click(self, event: events.Click) -> None:
        """A click on a letter is that letter."""
        self.dismiss(event.widget.spot if isinstance(event.widget, Chip) else None)

    def on_resize(self, event: events.Resize) -> None:
        """The places are elsewhere now."""
        if self._room not in {None, event.size}:
            self.dismiss(None)
        self._room = event.size


def open_jump(desk: Desk) -> None:
    """Put the letters up, and go where the user says."""

    def go(spot: Spot | None) -> None:
        if spot is not None:
            spot.go()

    desk.bench.push_screen(Jump(spots(desk)), go)
