"""The filter's input: hidden while unused, applied while typed, with the error and its place underneath."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.message import Message
from textual.timer import Timer
from textual.widgets import Input, Static

from rtui.capture.completion import LEADS
from rtui.core.clean import cell_width, clean
from rtui.workbench.widgets.expression import Expression

if TYPE_CHECKING:
    from rtui.capture.query import Filter

PAUSE: Final = 0.25
"""Seconds without a key after which the filter is applied: a scan of a million rows for each letter would be waste,
and most people type a letter in less."""
HELP: Final = f"tab completes, up recalls, f1 explains — text .v>30 /regex/ not and or ( ) {' '.join(LEADS)}"


class FilterBar(Vertical):
    """Input and a line for help or what is wrong."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Back", id="filter.leave", tooltip="Back to the log; the filter stays as applied"),
        Binding("ctrl+u", "clear", "Clear", id="filter.clear", tooltip="Show everything", priority=True),
    ]

    DEFAULT_CSS = """
    FilterBar {
        display: none;
        height: auto;
        background: $surface;
        &.-open { display: block; }
        & Input { height: 1; border: none; padding: 0 1; }
        & Input:focus { border: none; }
        & > Static { display: none; height: auto; max-height: 2; padding: 0 1; color: $rt-dim; }
        &.-typing > Static { display: block; }
        &.-wrong > Static { display: block; color: $rt-error; }
    }
    """

    class Changed(Message):
        """Another filter holds now; None lets everything through."""

        def __init__(self, filter: Filter | None, text: str) -> None:  # noqa: A002 - what it is called everywhere
            super().__init__()
            self.filter = filter
            self.text = text

    class Closed(Message):
        """The user is done with the input."""

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, classes=classes)
        self.expression = Expression(placeholder="filter")
        self.applied = ""
        """The text of the filter that holds."""
        self.filter: Filter | None = None
        """The filter that holds."""
        self._timer: Timer | None = None

    def compose(self) -> ComposeResult:
        """Input and line."""
        yield self.expression
        yield Static(HELP, markup=False)

    @property
    def input(self) -> Input:
        """The input."""
        return self.query_one(Input)

    @property
    def explanation(self) -> str:
        """The line under the input."""
        return str(self.query_one(Static).content)

    def open(self) -> None:
        """Show the bar and put the focus into it."""
        self.add_class("-open")
        self.expression.restart()
        self.input.focus()

    def put(self, text: str) -> None:
        """Set the filter from elsewhere and apply it at once; nothing is told if it holds already."""
        with self.input.prevent(Input.Changed):
            self.input.value = text
            self.input.cursor_position = len(text)
        self.set_class(bool(text) or self.input.has_focus, "-open")
        self.apply()

    def apply(self) -> bool:
        """Compile what stands in the input; whether it is right. The old filter holds while it is not."""
        from rtui.capture.query import FilterError
        from rtui.capture.query import compile as compile_filter

        self._stop()
        text = self.input.value.strip()
        try:
            found = compile_filter(text) if text else None
        except FilterError as error:
            self._explain(pointed(text, error), wrong=True)
            return False
        self._explain(HELP)
        if text != self.applied:
            self.applied, self.filter = text, found
            self.post_message(self.Changed(found, text))
        return True

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        self._stop()
        self._timer = self.set_timer(PAUSE, self.apply)

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        if self.apply():
            self.action_leave()

    def on_descendant_focus(self) -> None:
        """Show the line below. By a class: for `:focus-within` Textual styles the bar anew, not what is in it."""
        self.add_class("-typing")

    def on_descendant_blur(self) -> None:
        """The line is of no use any more."""
        self.remove_class("-typing")

    def on_click(self, event: events.Click) -> None:
        """A click on the line of help opens the list of what it names."""
        if isinstance(event.widget, Static) and not self.has_class("-wrong"):
            self.input.focus()
            self.expression.offer()

    def action_leave(self) -> None:
        """Give the focus back; an empty bar hides."""
        self.apply()
        if not self.input.value.strip():
            self.remove_class("-open")
        self.post_message(self.Closed())

    def action_clear(self) -> None:
        """Let everything through."""
        self.put("")

    def _explain(self, text: str, *, wrong: bool = False) -> None:
        if text != self.explanation:  # an update is a layout of the whole screen
            self.set_class(wrong, "-wrong")
            self.query_one(Static).update(text)

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.stop()
            self._timer = None


def pointed(text: str, error: Exception) -> str:
    """What is wrong, behind a mark under its place in the input."""
    position = min(getattr(error, "position", 0), len(text))
    message = clean(str(getattr(error, "message", "") or error))
    hint = clean(str(getattr(error, "hint", "") or ""))
    sentence = f"{message} — {hint}" if hint and hint not in message else message
    indent = cell_width(clean(text[:position]))
    if indent > 40:  # noqa: PLR2004 - cells; past that the sentence needs the room
        return f"at {position + 1}: {sentence}"
    return " " * indent + f"^ {sentence}"
