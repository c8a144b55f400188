"""Stock fields made safe: what was pasted is kept and drawn without control characters, alt is no text."""

from __future__ import annotations

from typing import Final

from rich.segment import Segment
from textual.content import Content
from textual.events import Key
from textual.geometry import Size
from textual.reactive import Reactive
from textual.strip import Strip
from textual.widgets import Checkbox, Input, TextArea


def harmless(strip: Strip) -> Strip:
    """The strip with a one-cell stand-in for each character that a terminal would obey or hide."""
    if all(segment.text.isprintable() for segment in strip):
        return strip
    return Strip([Segment(_shown(segment.text), segment.style) for segment in strip])


def _shown(text: str) -> str:
    return "".join(char if char.isprintable() else _stand_in(char) for char in text)


def _stand_in(char: str) -> str:
    code = ord(char)
    if char < " ":
        return chr(0x2400 + code)
    return "␡" if char == "\x7f" else "�"


def leave_alt(event: Key) -> None:
    """Let a letter with alt be a key: from a legacy terminal it comes with its character, and Textual would type it."""
    if event.key.startswith("alt+"):
        event.prevent_default()


ARROW: Final = " → "
"""In a suggestion, stands between what was typed and what would take its place, where that does not begin so."""


class SafeInput(Input):
    """An `Input` for text that may have been pasted from anywhere."""

    virtual_size = Reactive(Size(0, 0))
    """The length of the text. Textual's own declaration lays the whole screen out anew for each letter; all that
    depends on it is how far the text can be scrolled."""

    def on_key(self, event: Key) -> None:
        """See `leave_alt`."""
        leave_alt(event)

    def action_cursor_right(self, select: bool = False) -> None:
        """See `Input.action_cursor_right`: accepts what follows the arrow of a suggestion."""
        name = self._suggestion.removeprefix(self.value).removeprefix(ARROW)
        if not select and self.cursor_at_end and self._suggestion == f"{self.value}{ARROW}{name}":
            self.value = name
            self.cursor_position = len(name)
        else:
            super().action_cursor_right(select)

    def render_line(self, y: int) -> Strip:
        """See `Input.render_line`."""
        return harmless(super().render_line(y))


class SafeArea(TextArea):
    """A `TextArea` for text that may have been pasted from anywhere."""

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Leave F6 and F7 to the workbench, where they mean the same everywhere."""
        return action not in {"select_line", "select_all"} and super().check_action(action, parameters)

    def on_key(self, event: Key) -> None:
        """See `leave_alt`."""
        leave_alt(event)

    def render_line(self, y: int) -> Strip:
        """See `TextArea.render_line`."""
        return harmless(super().render_line(y))


class Tick(Checkbox):
    """A `Checkbox` that shows its state by a sign; Textual's differs by colour alone."""

    @property
    def _button(self) -> Content:
        return Content("[x]" if self.value else "[ ]")

    def get_content_width(self, container: Size, viewport: Size) -> int:
        """See `Checkbox.get_content_width`, which forgets the blanks around an empty label."""
        return super().get_content_width(container, viewport) + (0 if self._label else 2)
