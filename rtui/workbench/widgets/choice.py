"""A `Select` that may be taken away again before it was mounted."""

from __future__ import annotations

from textual.events import Mount
from textual.widgets import Select
from textual.widgets._select import SelectOverlay


class Choice(Select[str]):
    """One of several texts."""

    def on_mount(self, event: Mount) -> None:
        """Leave out what the base class does: without its parts, which are never made then, it would end the app."""
        if not self.query(SelectOverlay):
            event.prevent_default()
