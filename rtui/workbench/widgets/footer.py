"""The bottom line: the keys that are useful now.

One widget that draws one line. Textual's own footer is a container that mounts a widget for each key whenever the
bindings may have changed; that cost a style pass and several layouts of the whole screen for each key pressed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from rich.segment import Segment
from textual import events
from textual.binding import Binding
from textual.screen import Screen
from textual.strip import Strip
from textual.widget import Widget

from rtui.core.clean import cell_width, clean
from rtui.workbench.mouse import LEFT

if TYPE_CHECKING:
    from textual.app import App
    from textual.binding import ActiveBinding

GAP = 2
"""Blanks between two keys."""


class Hint(NamedTuple):
    """One key and what it does."""

    key: str
    """The key as Textual names it."""
    shown: str
    """The key as the user reads it."""
    title: str
    enabled: bool

    @property
    def width(self) -> int:
        """Cells taken."""
        return cell_width(self.shown) + 1 + cell_width(self.title)


class KeyLine(Widget):
    """The hints that fit, drawn anew only when they are other ones. A click is the key."""

    ALLOW_SELECT = False
    COMPONENT_CLASSES: ClassVar[set[str]] = {"keys--key", "keys--title", "keys--off"}

    DEFAULT_CSS = """
    KeyLine {
        dock: bottom;
        height: 1;
        width: 1fr;
        background: $panel;
        color: $foreground;
        & > .keys--key { color: $accent; text-style: bold; }
        & > .keys--title { color: $foreground; }
        & > .keys--off { color: $rt-dim; }
    }
    """

    def __init__(self, *, ascii_only: bool = False, id: str | None = None) -> None:  # noqa: A002 - Textual's word
        super().__init__(id=id)
        self.hints: tuple[Hint, ...] = ()
        self.title_of: Callable[[Binding], str] = _title
        """What is said of a binding; empty hides it."""
        self.looks = 0
        """How often the bindings were asked for."""
        self._ascii_only = ascii_only
        self._stale = False

    def on_mount(self) -> None:
        """Listen to the screen."""
        self.screen.bindings_updated_signal.subscribe(self, self._bindings_changed)
        self._bindings_changed(self.screen)

    def _bindings_changed(self, screen: Screen[object]) -> None:
        """Look once, however often the bindings changed until then."""
        if not self._stale and self.is_attached and screen is self.screen:
            self._stale = True
            self.call_later(self._look)

    def _look(self) -> None:
        self._stale = False
        if not self.is_attached:
            return
        self.looks += 1
        active = self.screen.active_bindings.values()
        hints = tuple(hints_of(active, self.app, self.title_of, ascii_only=self._ascii_only))
        if hints != self.hints:
            self.hints = hints
            self.refresh()

    def render_line(self, y: int) -> Strip:  # noqa: ARG002 - there is one line
        """The hints in their order, as many as fit whole."""
        base = self.rich_style
        key, title, off = (self.get_component_rich_style(f"keys--{name}") for name in ("key", "title", "off"))
        segments = [Segment(" ", base)]
        for hint, _ in self._placed():
            segments += [
                Segment(hint.shown, key if hint.enabled else off),
                Segment(f" {hint.title}", title if hint.enabled else off),
                Segment(" " * GAP, base),
            ]
        return Strip(segments).adjust_cell_length(self.size.width, base)

    def on_click(self, event: events.Click) -> None:
        """Press the key below the pointer; the right button is for the menu."""
        if event.button != LEFT:
            return
        for hint, start in self._placed():
            if start <= event.x < start + hint.width:
                if hint.enabled:
                    self.app.simulate_key(hint.key)
                return

    def _placed(self) -> Iterable[tuple[Hint, int]]:
        """The hints that fit, and the cells they begin at."""
        start = 1
        for hint in self.hints:
            if start + hint.width > self.size.width:
                return
            yield hint, start
            start += hint.width + GAP


def _title(binding: Binding) -> str:
    return binding.description


def _order(one: ActiveBinding) -> tuple[bool, bool]:
    return not isinstance(one.node, Screen), not (one.binding.id or "").endswith(".leave")


def hints_of(
    active: Iterable[ActiveBinding],
    app: App[object],
    title_of: Callable[[Binding], str] = _title,
    *,
    ascii_only: bool = False,
) -> Iterable[Hint]:
    """One hint for each action that wants to be shown: those of the screen, then, from the way out, of the pane."""
    seen: set[str] = set()
    for _, binding, enabled, _ in sorted(active, key=_order):
        if not binding.show or binding.action in seen:
            continue
        seen.add(binding.action)
        shown = clean(app.get_key_display(binding))
        if ascii_only and not shown.isascii():
            shown = binding.key
        title = clean(title_of(binding) if enabled else binding.description)
        if not title:
            continue
        yield Hint(binding.key, shown, title.replace("…", "...") if ascii_only else title, enabled)
