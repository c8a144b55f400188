"""A `Select` that may be taken away again before it was mounted."""

from __future__ import annotations

from textual.events import Mount
from textual.widgets import Select
from textual.widgets._select import SelectOverlay


class Choice(Select[str]):
    """One of several texts. It can be chosen and asked for before the widget is mounted, when `value` cannot."""

    def on_mount(self, event: Mount) -> None:
        """Leave out what the base class does: without its parts, which are never made then, it would end the app."""
        if not self.query(SelectOverlay):
            event.prevent_default()

    @property
    def chosen(self) -> str:
        """What is chosen."""
        return str(self._value)

    def choose(self, text: str) -> None:
        """Choose a text; one that is no choice stays out."""
        if text not in self._legal_values:
            return
        self._value = text
        if self.query("#label"):  # else it shows what is chosen when it is mounted, and would raise until then
            self.value = text
