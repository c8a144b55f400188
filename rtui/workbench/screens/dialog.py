"""Small questions over the desk: a line of text, yes or no, one of a list. Each returns its answer or None."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Final, TypeVar

from rich.text import Text
from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widget import Widget
from textual.widgets import Button, Input, Label, OptionList
from textual.widgets.option_list import Option

from rtui.core.clean import cell_width, clean, clean_block
from rtui.workbench.widgets.knob import Knob
from rtui.workbench.widgets.safe import SafeInput

Answer = TypeVar("Answer")
Check = Callable[[str], str]
"""What is wrong with an answer; empty if nothing is."""
KEYS: Final = {"esc": "escape", "enter": "enter", "space": "space", "tab": "tab", "up": "up", "down": "down"}
"""Words for keys under a box; a letter is a key too."""
CORNER: Final = 3
"""Cells of the lower border behind the words: a blank, a line, the corner."""


def key_below(box: Widget, ways: str, event: events.Click) -> str:
    """The key that the words under `box` name where the pointer is; empty elsewhere."""
    if event.screen_y != box.region.bottom - 1:
        return ""
    place = event.screen_x - (box.region.right - CORNER - cell_width(ways))
    for part in re.finditer(r"[\w ]+", ways):
        if part.start() <= place < part.end():
            pointed = next((word.group() for word in re.finditer(r"\w+", ways) if place in range(*word.span())), "")
            return _key(pointed) or _key(part.group().split()[0])
    return ""


def _key(word: str) -> str:
    return KEYS.get(word, word if len(word) == 1 else "")


class Dialog(ModalScreen[Answer]):
    """A box in the middle of the screen; escape leaves it without an answer."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss_without", "Cancel", id="dialog.cancel", tooltip="Leave without an answer")
    ]

    ways = "esc cancels"
    """What the keys do, under the box."""

    def __init__(self, title: str, detail: str = "") -> None:
        super().__init__()
        self.heading = clean(title)
        self.detail = clean_block(detail)

    def compose(self) -> ComposeResult:
        """The box, its title, and whatever the dialog asks."""
        with Vertical(classes="dialog") as box:
            box.border_title = Text(self.heading)
            box.border_subtitle = Text(self.ways)
            if self.detail:
                yield Label(self.detail, markup=False, classes="detail")
            yield from self.ask()

    def ask(self) -> ComposeResult:
        """What stands below the title."""
        yield from ()

    def action_dismiss_without(self) -> None:
        """Leave."""
        self.dismiss(None)

    def on_click(self, event: events.Click) -> None:
        """A click on a key under the box is that key."""
        if key := key_below(self.query_one(".dialog"), self.ways, event):
            self.app.call_later(self.app.simulate_key, key)  # sent by the app: one of ours would end at this screen

    @on(Button.Pressed, "#cancel")
    def _cancel_pressed(self, event: Button.Pressed) -> None:
        event.stop()
        self.action_dismiss_without()


class Form(Dialog[Answer]):
    """A dialog of fields. Below them stands what the one with the focus is for, also where it is filled in."""

    def __init__(self, title: str) -> None:
        super().__init__(title)
        self.add_class("form")

    def foot(self) -> ComposeResult:
        """What stands below the fields: of the one with the focus, and what is wrong."""
        yield Label("", markup=False, classes="about")
        yield Label("", markup=False, classes="trouble")

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """Tell what the field is for; a button says so itself."""
        told = next(
            (str(one.tooltip) for one in event.widget.ancestors_with_self if isinstance(one, Widget) and one.tooltip),
            "",
        )
        self.query_one(".about", Label).update(clean(told))


class Note(Dialog[None]):
    """Shows a text of any length."""

    ways = "esc closes"

    def __init__(self, title: str, text: str) -> None:
        super().__init__(title)
        self.text = clean_block(text)

    def ask(self) -> ComposeResult:
        """The text."""
        with VerticalScroll(classes="note"):
            yield Label(self.text, markup=False)


class Prompt(Dialog[str]):
    """Asks for one line of text."""

    ways = "enter accepts · esc cancels"

    def __init__(
        self,
        title: str,
        *,
        value: str = "",
        hint: str = "",
        detail: str = "",
        check: Check = lambda _text: "",
    ) -> None:
        super().__init__(title, detail)
        self._value = value
        self._hint = hint
        self._check = check

    def ask(self) -> ComposeResult:
        """The line and what is wrong with it."""
        yield SafeInput(self._value, placeholder=self._hint, select_on_focus=False)
        yield Label("", markup=False, classes="trouble")

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        text = event.value.strip()
        if trouble := self._check(text):
            self.query_one(".trouble", Label).update(clean(trouble))
        else:
            self.dismiss(text)

    @on(Input.Changed)
    def _changed(self) -> None:
        self.query_one(".trouble", Label).update("")


class Confirm(Dialog[bool]):
    """Asks before something is done. `enter` answers with the button that has the focus."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "answer(True)", "Yes", id="dialog.yes"),
        Binding("n", "answer(False)", "No", id="dialog.no"),
        Binding("left,right", "app.focus_next", "Other", show=False),
    ]

    def __init__(self, title: str, detail: str, *, yes: str, no: str = "Cancel", harmless: bool = False) -> None:
        """`harmless`: yes can be taken back, so that it has the focus; else no has it."""
        super().__init__(title, detail)
        self._words = (yes, no)
        self._harmless = harmless

    def on_mount(self) -> None:
        """The focus is on no until here."""
        if self._harmless:
            self.query_one("#yes").focus()

    def ask(self) -> ComposeResult:
        """Two buttons."""
        yes, no = self._words
        with Horizontal(classes="buttons"):
            yield Knob(Text(f"{no} (n)"), id="no")
            yield Knob(Text(f"{yes} (y)"), id="yes", variant="warning")

    def action_answer(self, yes: bool) -> None:
        """Give the answer."""
        self.dismiss(yes)

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        event.stop()
        self.dismiss(event.button.id == "yes")


@dataclass(frozen=True, slots=True)
class Choice:
    """One row of a list."""

    id: str
    label: str
    hint: str = ""


class Choose(Dialog[str]):
    """Asks for one of a list, narrowed by typing. `preview` is told of every row the cursor meets."""

    ways = "up down enter · esc cancels"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down", "move(1)", "Next", show=False, id="dialog.next"),
        Binding("up", "move(-1)", "Previous", show=False, id="dialog.previous"),
    ]

    def __init__(
        self,
        title: str,
        choices: Sequence[Choice],
        *,
        current: str = "",
        detail: str = "",
        typed: str = "",
        preview: Callable[[str], None] | None = None,
    ) -> None:
        """`typed` narrows the list from the start."""
        super().__init__(title, detail)
        self._choices = list(choices)
        self._current = current
        self._typed = typed
        self._preview = preview

    def ask(self) -> ComposeResult:
        """A line to narrow the list by, and the list."""
        yield SafeInput(self._typed, placeholder="type to narrow", select_on_focus=False)
        yield OptionList(*self._rows(self._typed), compact=True)

    def on_mount(self) -> None:
        """Start on the current choice."""
        ids = [choice.id for choice in self._choices]
        start = ids.index(self._current) if self._current in ids and not self._typed else self._first
        self._list.highlighted = start
        self._list.can_focus = False

    def action_move(self, step: int) -> None:
        """Move in the list while the focus stays on the line."""
        if step > 0:
            self._list.action_cursor_down()
        else:
            self._list.action_cursor_up()

    @property
    def _list(self) -> OptionList:
        return self.query_one(OptionList)

    @property
    def _first(self) -> int | None:
        """The first row that can be chosen."""
        return 0 if self._list.option_count and not self._list.get_option_at_index(0).disabled else None

    def _rows(self, needle: str) -> list[Option]:
        """Those that hold every word of `needle`, or that there are none."""
        words = needle.lower().split()
        found = [one for one in self._choices if all(word in f"{one.label} {one.hint}".lower() for word in words)]
        if not found:
            return [Option(Text("nothing matches", "dim"), disabled=True)]
        width = max(len(one.label) for one in found)
        return [
            Option(Text.assemble(clean(one.label).ljust(width), f"  {clean(one.hint)}"), id=one.id) for one in found
        ]

    @on(Input.Changed)
    def _narrowed(self, event: Input.Changed) -> None:
        self._list.clear_options()
        self._list.add_options(self._rows(event.value.strip()))
        self._list.highlighted = self._first

    @on(Input.Submitted)
    def _submitted(self) -> None:
        highlighted = self._list.highlighted
        if highlighted is not None:
            self.dismiss(self._list.get_option_at_index(highlighted).id)

    @on(OptionList.OptionHighlighted)
    def _highlighted(self, event: OptionList.OptionHighlighted) -> None:
        answered = self.app.screen is not self  # what was on its way then would be shown instead of the answer
        if self._preview is not None and event.option_id is not None and not answered:
            self._preview(event.option_id)

    @on(OptionList.OptionSelected)
    def _selected(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(event.option_id)
