"""The buttons of dialogs."""

from __future__ import annotations

from textual.content import Content
from textual.widgets import Button


class Knob(Button):
    """A button that tells by signs, not by its colours alone, that `enter` is for it."""

    def on_mount(self) -> None:
        """The signs stand where Textual pads; its style sheets know no `line-pad: 0`."""
        self.styles.line_pad = 0

    def render(self) -> Content:
        """The label, between signs while it has the focus."""
        before, after = "›‹" if self.has_focus else "  "
        return Content.assemble(before, Content(str(self.label)), after)
