"""The keys that were pressed, for those who watch: as caps in a corner, for a moment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from rich.text import Text
from textual.app import RenderResult
from textual.widget import Widget

from rtui.core.clean import clean
from rtui.workbench.bindings import ACTIONS

if TYPE_CHECKING:
    from rtui.workbench.screens.desk import Desk

SHOWN: Final = 2.0
"""Seconds that a cap stays."""
MOST: Final = 3
"""Caps at once."""


class Cap(NamedTuple):
    """One key that did something."""

    key: str
    title: str
    pressed: float
    """Seconds on the clock of the loop."""
    times: int = 1


def press_of(desk: Desk, key: str) -> tuple[str, str] | None:
    """How `key` is written and what it would do now; None where it only types, or moves in a field.

    Only bindings with an id are told: ours. What is typed into a field is no binding, so no secret can come out.
    """
    active = desk.bench.screen.active_bindings.get(key)
    if active is None or not active.enabled or not active.binding.id:
        return None
    action = ACTIONS.get(active.binding.id)
    title = action.name(desk) if action is not None else active.binding.description
    return desk.bench.get_key_display(active.binding.with_key(key)), title.rstrip("…")


class KeyCaps(Widget):
    """A corner over tabs and header, so that no row is covered; it is not there while nothing was pressed."""

    ALLOW_SELECT = False
    DEFAULT_CSS = """
    KeyCaps {
        layer: over;
        dock: right;
        width: auto;
        height: auto;
        margin: 0 2 0 0;
        padding: 0 1;
        background: $panel;
        color: $foreground;
        border: round $accent;
        display: none;
        &.-pressed { display: block; }
    }
    """

    def __init__(self) -> None:
        super().__init__()
        self.caps: tuple[Cap, ...] = ()

    def note(self, key: str, title: str, now: float) -> None:
        """A key did something; the same again is counted."""
        last = self.caps[-1] if self.caps else None
        if last is not None and (last.key, last.title) == (key, title):
            self._show((*self.caps[:-1], last._replace(pressed=now, times=last.times + 1)))
        else:
            self._show((*self.caps, Cap(key, title, now))[-MOST:])

    def frame(self, now: float) -> None:
        """Take away what was shown long enough."""
        if self.caps and self.caps[0].pressed + SHOWN <= now:
            self._show(tuple(cap for cap in self.caps if cap.pressed + SHOWN > now))

    def render(self) -> RenderResult:
        """Keys in reverse, what they do beside them."""
        return Text("  ").join([self._drawn(cap) for cap in self.caps])

    def _show(self, caps: tuple[Cap, ...]) -> None:
        self.caps = caps
        self.set_class(bool(caps), "-pressed")
        self.refresh(layout=True)

    @staticmethod
    def _drawn(cap: Cap) -> Text:
        times = f" ×{cap.times}" if cap.times > 1 else ""
        return Text.assemble((f" {clean(cap.key)} ", "reverse bold"), f" {clean(cap.title)}{times}")
