"""The payload's editor: colours, marks what is wrong, completes names in `{{ … }}`, holds what is too large for it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import ClassVar, Final

from rich.style import Style
from rich.text import Text
from textual import events
from textual.message import Message

from rtui.core.clean import clean
from rtui.workbench.widgets import bracket
from rtui.workbench.widgets.payload_ink import STYLES, ink
from rtui.workbench.widgets.payload_text import fits_editor, looks
from rtui.workbench.widgets.safe import SafeArea

HEAD: Final = 1_000
TAIL: Final = 400
"""Characters shown of the beginning and of the end of what is held."""
_OPEN: Final = re.compile(r"\{\{\s*(?P<part>[\w.]*)$")
"""The beginning of a template, up to the cursor."""


class PayloadArea(SafeArea):
    """A text area for one message. What it could not lay out without freezing the screen is held, and shown in part."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {f"payload--{name}" for name in STYLES}

    DEFAULT_CSS = """
    PayloadArea {
        & .payload--key { color: $rt-key; }
        & .payload--string { color: $rt-string; }
        & .payload--number { color: $rt-number; }
        & .payload--null { color: $rt-null; }
        & .payload--template { color: $rt-notice; text-style: italic; }
        & .payload--wrong { color: $rt-error; text-style: bold underline; }
        & .text-area--matching-bracket { text-style: bold reverse; }
    }
    """

    class HoldingChanged(Message):
        """A text was too large to be edited and is held whole, or it was taken back: then it is `let_go`."""

        def __init__(self, let_go: str = "") -> None:
            super().__init__()
            self.let_go = let_go

    kind = "text"
    """The format that decides about colours: see `be`."""

    names: Callable[[], Iterable[str]] = tuple
    """What can stand in `{{ … }}`: "symbol", "uuid()"."""

    _wrong: tuple[int, int] | None = None
    """Line and column of the marked character."""
    _held: str | None = None
    _before = ""
    """What stood here before a text was held."""
    _styles: Mapping[str, Style] = {}

    # What it holds

    @property
    def content(self) -> str:
        """All of the text, shown or held."""
        return self.text if self._held is None else self._held

    @property
    def held(self) -> bool:
        """Whether the text is too large to be edited here."""
        return self._held is not None

    def put(self, text: str) -> None:
        """Replace everything. Undo brings back what could be edited."""
        if not fits_editor(text):
            self._hold(text)
            return
        if self.held:
            self._held = None
            self.read_only = False
            self.load_text("")
        self.replace(text, (0, 0), self.document.end)

    def take_back(self) -> None:
        """Let go of what is held: what stood before it stands there again."""
        let_go, before = self.content, self._before
        self.put(before)
        self.post_message(self.HoldingChanged(let_go))

    def _hold(self, text: str) -> None:
        if not self.held:
            self._before = self.text
        self._held = text
        between = f"\n… {len(text) - HEAD - TAIL:,} characters are not shown …\n"
        self.load_text(text[:HEAD] + between + text[-TAIL:])
        self.read_only = True
        self.post_message(self.HoldingChanged())

    async def _on_paste(self, event: events.Paste) -> None:
        """Take all of it. What is too large together with the rest is held; more of it is put at its end."""
        pasted = event.text.replace("\r\n", "\n").replace("\r", "\n")
        text = self._with(pasted)
        if fits_editor(text):
            await super()._on_paste(event)
        else:
            self._hold(text)
        event.stop()
        event.prevent_default()  # Textual would call the inherited handler a second time

    def _with(self, pasted: str) -> str:
        """Everything, with `pasted` in place of the selection."""
        if self.held:
            return self.content + pasted
        start, end = sorted(self.selection)
        document = self.document
        return document.get_text_range((0, 0), start) + pasted + document.get_text_range(end, document.end)

    # Keys

    def check_consume_key(self, key: str, character: str | None = None) -> bool:
        """See `TextArea`: what is held cannot be typed into, and its letters are no commands either."""
        return (self.held and character is not None and character.isprintable()) or super().check_consume_key(
            key, character
        )

    async def _on_key(self, event: events.Key) -> None:
        if self.held:
            if event.key in {"backspace", "delete"}:
                self.take_back()
            if event.is_printable or event.key in {"backspace", "delete", "enter"}:
                event.stop()
                event.prevent_default()
        elif looks(self._beginning, self.kind) == "json" and self.selection.is_empty:
            self._indent(event)

    def _indent(self, event: events.Key) -> None:
        """A new line begins as deep as JSON stands there; a closing bracket stands as deep as the opening one."""
        (row, column), before, after = self.cursor_location, self._up_to_cursor(), self._after()
        if event.key == "enter":
            text, skipped = bracket.new_line(before, after)
            self.replace(text, (row, column), (row, column))
            self.move_cursor((row + 1, skipped - 1))
        elif blanks := bracket.outdent(before, event.character or ""):
            self.replace(event.character or "", (row, column - blanks), (row, column))
        else:
            return
        event.stop()
        event.prevent_default()

    def action_undo(self) -> None:
        """Undo; what is held is let go."""
        if self.held:
            self.take_back()
        else:
            super().action_undo()

    def find_matching_bracket(self, bracket_at: str, search_from: tuple[int, int]) -> tuple[int, int] | None:  # noqa: ARG002 - Textual's signature
        """See `TextArea`: not within texts, and not without an end."""
        return bracket.partner(self.document.lines, *search_from)

    # Completion

    def fitting(self) -> list[str]:
        """The names that go on as typed before the cursor; empty outside `{{ … }}`."""
        found = self._opened()
        return [name for name in self.names() if name.startswith(found["part"])] if found is not None else []

    def update_suggestion(self) -> None:
        """See `TextArea.update_suggestion`: the rest of the first name that fits."""
        found = self._opened()
        name = next((name for name in self.fitting() if clean(name) == name), "")
        if found is None or not name:
            self.suggestion = ""
            return
        goes_on = name.endswith(".") or self._after().lstrip().startswith("}}")
        self.suggestion = name.removeprefix(found["part"]) + ("" if goes_on else " }}")

    def watch_selection(self) -> None:
        """Where the cursor went, another name or none fits: Textual would insert the old one there."""
        if self.is_mounted:
            self.update_suggestion()

    def _opened(self) -> re.Match[str] | None:
        if not self.selection.is_empty or self._after()[:1].isalnum():
            return None
        return _OPEN.search(self._up_to_cursor())

    def _up_to_cursor(self) -> str:
        row, column = self.cursor_location
        return self.document.get_line(row)[:column]

    def _after(self) -> str:
        row, column = self.cursor_location
        return self.document.get_line(row)[column:]

    # Colours and marks

    def be(self, kind: str) -> None:
        """Colour as a format."""
        if kind != self.kind:
            self.kind = kind
            self.notify_style_update()
            self.refresh()

    def mark(self, place: int | None) -> None:
        """Mark the character that has `place` characters before it, or the last one if that is the end; None: none."""
        at = min(place, len(self.text) - 1) if place is not None and self.text else None
        wrong = self._line_and_column(at) if at is not None else None
        if wrong != self._wrong:
            self._wrong = wrong
            self.notify_style_update()  # lines that are drawn already are kept otherwise
            self.refresh()

    def point_at(self, place: int) -> None:
        """Put the cursor there."""
        if not self.held:
            self.move_cursor(self._line_and_column(place))

    def get_line(self, line_index: int) -> Text:
        """See `TextArea.get_line`."""
        line = super().get_line(line_index)
        for span in ink(line.plain, looks(self._beginning, self.kind), first=not line_index):
            line.stylize(self._style(span.style), span.start, span.end)
        if self._wrong is not None and self._wrong[0] == line_index:
            start = min(self._wrong[1], max(len(line) - 1, 0))
            line.stylize(self._style("wrong"), start, start + 1)
        return line

    def notify_style_update(self) -> None:
        """The theme changed."""
        self._styles = {}
        super().notify_style_update()

    @property
    def _beginning(self) -> str:
        """The first line that is not blank: enough to see what the text looks like."""
        return next((line for line in self.document.lines if line.strip()), "")

    def _style(self, name: str) -> Style:
        if name not in self._styles:
            self._styles = {**self._styles, name: self.get_component_rich_style(f"payload--{name}", partial=True)}
        return self._styles[name]

    def _line_and_column(self, place: int) -> tuple[int, int]:
        before = self.text[:place]
        return before.count("\n"), len(before) - before.rfind("\n") - 1
