"""Nothing to be seen: the audience looks at the presenter."""

from __future__ import annotations

from textual import events
from textual.screen import ModalScreen


class Black(ModalScreen[None]):
    """A black screen until a key or a click."""

    def on_key(self, event: events.Key) -> None:
        """Back, and nothing else."""
        event.stop()
        self.dismiss()

    def on_click(self) -> None:
        """Back."""
        self.dismiss()
