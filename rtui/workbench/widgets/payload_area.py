"""The payload's editor: marks what is wrong, completes names in `{{ … }}`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import ClassVar, Final

from rich.text import Text
from textual import events
from textual.message import Message

from rtui.core.clean import clean
from rtui.workbench.widgets.payload_text import EDITABLE
from rtui.workbench.widgets.safe import SafeArea

_OPEN: Final = re.compile(r"\{\{\s*(?P<part>[\w.]*)$")
"""The beginning of a template, up to the cursor."""


class PayloadArea(SafeArea):
    """A text area that refuses what it could not lay out without freezing the screen, and marks one character."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"payload--wrong"}

    DEFAULT_CSS = """
    PayloadArea .payload--wrong { color: $rt-error; text-style: bold underline; }
    """

    class TooLarge(Message):
        """A paste was refused."""

        def __init__(self, size: int) -> None:
            super().__init__()
            self.size = size

    _wrong: tuple[int, int] | None = None
    """Line and column of the marked character."""

    names: Callable[[], Iterable[str]] = tuple
    """What can stand in `{{ … }}`: "symbol", "uuid()"."""

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
        row, column = self.cursor_location
        if not self.selection.is_empty or self._after()[:1].isalnum():
            return None
        return _OPEN.search(self.document.get_line(row)[:column])

    def _after(self) -> str:
        row, column = self.cursor_location
        return self.document.get_line(row)[column:]

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
        self.move_cursor(self._line_and_column(place))

    def get_line(self, line_index: int) -> Text:
        """See `TextArea.get_line`."""
        line = super().get_line(line_index)
        if self._wrong is not None and self._wrong[0] == line_index:
            line.stylize(self.get_component_rich_style("payload--wrong", partial=True), *self._span(line))
        return line

    def _span(self, line: Text) -> tuple[int, int]:
        assert self._wrong is not None  # noqa: S101 - only where something is marked
        start = min(self._wrong[1], max(len(line) - 1, 0))
        return start, start + 1

    def _line_and_column(self, place: int) -> tuple[int, int]:
        before = self.text[:place]
        return before.count("\n"), len(before) - before.rfind("\n") - 1

    async def _on_paste(self, event: events.Paste) -> None:
        if len(event.text) + len(self.text) > EDITABLE:
            event.stop()
            event.prevent_default()
            self.post_message(self.TooLarge(len(event.text)))
        else:
            await super()._on_paste(event)
            event.prevent_default()  # Textual would call the inherited handler a second time
