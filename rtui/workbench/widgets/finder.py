"""A canvas in which a text is looked for as it is typed: in the tree a name, in the message pane a text."""

from __future__ import annotations

from typing import Final

from textual import events

from rtui.core.clean import clean, clip
from rtui.workbench.widgets.canvas import Canvas

MAX_NEEDLE: Final = 200
"""Characters; nobody types more, and a paste may be anything."""


class Finder(Canvas):
    """While finding, keys are letters, and the cursor goes to what they make; `find_next` goes on."""

    finding: bool = False
    needle: str = ""
    lost: bool = False
    """Whether it is nowhere."""

    # For subclasses

    def seek(self, step: int) -> bool:
        """Go to the next row (1) that has the needle or the one before (-1), around the ends; False if there is none.

        With a step of 0 the cursor's own row will do, or the next one.
        """
        raise NotImplementedError

    def say_title(self) -> None:
        """The title may say something else now."""
        raise NotImplementedError

    @property
    def sought(self) -> str:
        """What the title says while a text is typed."""
        return f"find: {clip(clean(self.needle), 40)}{' (none)' if self.lost else ''}"

    def forget_needle(self) -> None:
        """Something else is shown."""
        self.finding, self.needle, self.lost = False, "", False

    # Actions

    def action_find(self) -> None:
        """Begin to type a text."""
        self.finding, self.needle, self.lost = True, "", False
        self.say_title()
        self.screen.refresh_bindings()

    def action_find_next(self, step: int) -> None:
        """To the next row that has the text, or the one before; around the ends."""
        self._seek(step)
        if self.lost:
            self.notify(f"nothing here has {clip(clean(self.needle), 40)}", markup=False)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """While finding, keys are letters; hits exist once something was typed."""
        if self.finding:
            return False
        if action == "find_next":
            return bool(self.needle)
        return super().check_action(action, parameters)

    # Typing

    def on_key(self, event: events.Key) -> None:
        """While finding, keys are letters."""
        if not self.finding:
            return
        event.stop()
        event.prevent_default()
        if event.key in {"escape", "enter"}:
            self._stop_finding()
        elif event.key == "backspace":
            self._look_for(self.needle[:-1])
        elif event.key == "ctrl+u":
            self._look_for("")
        elif event.is_printable and event.character:
            self._look_for(self.needle + event.character)

    def on_paste(self, event: events.Paste) -> None:
        """The first line of it."""
        if self.finding:
            event.stop()
            self._look_for(self.needle + event.text.partition("\n")[0])

    def on_blur(self) -> None:
        """Whoever goes elsewhere types elsewhere."""
        if self.finding:
            self._stop_finding()

    def _look_for(self, needle: str) -> None:
        self.needle = needle[:MAX_NEEDLE]
        self._seek(0)

    def _seek(self, step: int) -> None:
        self.lost = bool(self.needle) and not self.seek(step)
        self.say_title()

    def _stop_finding(self) -> None:
        self.finding = False
        self.say_title()
        self.screen.refresh_bindings()
