"""One of the two places for tabs: a log, and above it how its connection is."""

from __future__ import annotations

from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical

from rtui.workbench.sheet import Sheet
from rtui.workbench.widgets.glyph import UNICODE, Glyphs
from rtui.workbench.widgets.log import MessageLog
from rtui.workbench.widgets.status import ConnectionHeader


class Half(Vertical):
    """Beside another it has a header of its own; a half that is alone leaves that to the one of the whole desk."""

    DEFAULT_CSS = """
    Half {
        width: 1fr;
        height: 1fr;
        &.-right { border-left: solid $foreground 25%; }
    }
    """

    def __init__(self, *, glyphs: Glyphs = UNICODE, current: bool = False) -> None:
        super().__init__(classes="-current" if current else None)
        self.header = ConnectionHeader(glyphs=glyphs)
        self.rows = MessageLog(glyphs=glyphs, id="log", classes="pane")
        self.sheet: Sheet | None = None
        """What it shows."""

    def compose(self) -> ComposeResult:
        """Header and log."""
        yield self.header
        yield self.rows

    def on_click(self, event: events.Click) -> None:
        """A click on the header goes to its log."""
        if event.widget is self.header:
            self.rows.focus()

    def stand(self, *, paired: str, current: bool, second: bool) -> None:
        """Take its place: `paired` says how two halves stand (`Layout.paired`); alone, only the current one is seen."""
        self.display = bool(paired) or current
        self.header.display = bool(paired)
        self.update_classes({"-paired": bool(paired), "-current": current, "-right": paired == "columns" and second})
