"""A text among choices and ticks: what is typed on those is meant for the text, and is no command."""

from __future__ import annotations

from textual import events
from textual.containers import Vertical
from textual.widgets import Checkbox, Select

from rtui.workbench.widgets.payload_area import PayloadArea


class TypedThrough(Vertical):
    """Hands letters on from fields that take none. The blank is not among them: it opens and ticks."""

    @property
    def area(self) -> PayloadArea:
        """Where they go."""
        return self.query_one(PayloadArea)

    @property
    def _choosing(self) -> bool:
        """Whether the cursor is on a choice or a tick."""
        return isinstance(self.screen.focused, Select | Checkbox) and self in self.screen.focused.ancestors

    def check_consume_key(self, key: str, character: str | None = None) -> bool:
        """See `Widget.check_consume_key`."""
        typed = character is not None and character.isprintable()
        return (typed and self._choosing) or super().check_consume_key(key, character)

    def on_key(self, event: events.Key) -> None:
        """Type it."""
        typed = event.is_printable and not event.key.startswith("alt+") and event.key != "space"
        if typed and event.character and self._choosing:
            event.stop()
            event.prevent_default()
            self.area.focus()
            if not self.area.held:
                self.area.insert(event.character)
