"""An input for the filter language: completes terms, and remembers what was asked before."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from rich.text import Text
from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Input, OptionList
from textual.widgets.option_list import Option

from rtui.capture.completion import Candidate, Completion, Seen, complete
from rtui.core.clean import cell_width, clean
from rtui.workbench.widgets.safe import SafeInput


class Expression(Vertical):
    """The input, and over what is below it the list of what could be meant."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "tab",
            "complete",
            "Complete",
            id="filter.complete",
            tooltip="Operators; channels, paths and values seen",
        ),
        Binding("up", "older", "Older", show=False, id="filter.older", tooltip="What was asked before"),
        Binding("down", "newer", "Newer", show=False, id="filter.newer", tooltip="What was asked after; else complete"),
    ]

    DEFAULT_CSS = """
    Expression {
        height: auto;
        & > OptionList {
            display: none;
            overlay: screen;
            constrain: inside inside;
            width: auto;
            max-width: 90%;
            height: auto;
            max-height: 10;
            margin: 0;
            border: none;
            background: $panel;
        }
        & > OptionList.-open { display: block; }
    }
    """

    def __init__(
        self,
        value: str = "",
        *,
        placeholder: str = "",
        history: Sequence[str] = (),
        completer: Callable[[str, int, Seen], Completion] = complete,
    ) -> None:
        """`history` is what was asked before, newest last; `completer` is told the text and the cursor in it."""
        super().__init__()
        self._completer = completer
        self.history: Sequence[str] = history
        self.seen: Callable[[], Seen] = Seen
        """What there is to complete with; asked for when the list is opened."""
        self._value = value
        self._placeholder = placeholder
        self._place = 0
        """How far back in the history; 0 is what was typed."""
        self._draft = ""
        self._known: Seen | None = None
        self._completion: Completion | None = None

    def compose(self) -> ComposeResult:
        """Input and list."""
        yield _Line(self._value, placeholder=self._placeholder, compact=True, select_on_focus=False)
        choices = OptionList(compact=True, markup=False)
        choices.can_focus = False
        yield choices

    @property
    def input(self) -> Input:
        """The input."""
        return self.query_one(Input)

    @property
    def choices(self) -> OptionList:
        """The list."""
        return self.query_one(OptionList)

    @property
    def is_open(self) -> bool:
        """Whether the list is shown."""
        return self._completion is not None

    # Completion

    def action_complete(self) -> None:
        """The one term that fits, the list of them, or on to the next field."""
        if self.is_open:
            self._move(1)
        elif not self.offer() and not self.input.value.strip():
            self.screen.focus_next()

    def offer(self) -> bool:
        """Open the list, or put in the only candidate; whether there was any."""
        self._known = self.seen()
        completion = self._complete(self._known)
        if len(completion.candidates) == 1:
            self._put(completion, completion.candidates[0])
        elif completion.candidates:
            self._show(completion)
        return bool(completion.candidates)

    def _complete(self, known: Seen) -> Completion:
        return self._completer(self.input.value, self.input.cursor_position, known)

    def _show(self, completion: Completion) -> None:
        self._completion = completion
        width = max(cell_width(clean(one.text)) for one in completion.candidates)
        self.choices.clear_options()
        self.choices.add_options([Option(_label(one, width)) for one in completion.candidates])
        self.choices.highlighted = 0
        self.choices.add_class("-open")

    def take(self) -> None:
        """Put the marked candidate in."""
        completion, place = self._completion, self.choices.highlighted
        self.close_list()
        if completion is not None and place is not None:
            self._put(completion, completion.candidates[place])

    def _put(self, completion: Completion, candidate: Candidate) -> None:
        text = self.input.value
        self._known = None
        self.input.value = text[: completion.start] + candidate.text + text[completion.end :]
        self.input.cursor_position = completion.start + len(candidate.text)

    def close_list(self) -> None:
        """Take the list away."""
        self._completion = self._known = None
        self.choices.remove_class("-open")

    def _move(self, step: int) -> None:
        if step > 0:
            self.choices.action_cursor_down()
        else:
            self.choices.action_cursor_up()

    @on(Input.Changed)
    def _typed(self) -> None:
        if self._place and self.input.value != self.history[-self._place]:
            self._place = 0  # what was recalled and changed is a draft again
        if self._known is None or not self.is_open:
            return
        completion = self._complete(self._known)
        if completion.candidates:
            self._show(completion)
        else:
            self.close_list()

    @on(OptionList.OptionSelected)
    def _selected(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self.choices.highlighted = event.option_index
        self.take()

    def on_descendant_blur(self) -> None:
        """A list without its input would only be in the way."""
        self.close_list()

    # History

    def action_older(self) -> None:
        """What was asked before; in the list, one up."""
        if self.is_open:
            self._move(-1)
        elif self._place < len(self.history):
            self._recall(self._place + 1)

    def action_newer(self) -> None:
        """What was asked after; at the newest, the list; in the list, one down."""
        if self.is_open:
            self._move(1)
        elif self._place:
            self._recall(self._place - 1)
        else:
            self.offer()

    def _recall(self, place: int) -> None:
        if not self._place:
            self._draft = self.input.value
        self._place = place
        self.input.value = self.history[-place] if place else self._draft
        self.input.cursor_position = len(self.input.value)

    def restart(self) -> None:
        """Up begins at the newest again."""
        self._place = 0
        self.close_list()


class _Line(SafeInput):
    """The input; while the list is open, enter takes from it and escape closes it."""

    def on_key(self, event: events.Key) -> None:
        """See `_Line`."""
        expression = self.parent
        if isinstance(expression, Expression) and expression.is_open and event.key in {"enter", "escape"}:
            event.prevent_default()
            event.stop()
            if event.key == "enter":
                expression.take()
            else:
                expression.close_list()


def _label(candidate: Candidate, width: int) -> Text:
    term = clean(candidate.text)
    about = f"{' ' * (width - cell_width(term))}  {clean(candidate.about)}"
    return Text.assemble(term, (about, "dim"), no_wrap=True)
