"""Friendly cards: what to do when there is nothing to see yet, and the tour of the demonstration."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult, RenderResult
from textual.binding import Binding, BindingType
from textual.containers import Center, Middle, Vertical
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Static

from rtui.core.clean import clean

TOUR = (
    (
        "log",
        "the log",
        "One row per message: ← came in, → went out. It follows until you scroll up; end follows again.",
    ),
    ("tree", "the channels", "Messages grouped by a key, with counts and rates. Enter filters the log by the group."),
    (
        "message",
        "the message",
        "The row under the cursor as a JSON tree, raw, hex, and more; in the tab of tokens, t joins them to a text.",
    ),
    (
        "composer",
        "the composer",
        "In the tab of echo (] goes there), s writes and ctrl+s sends. The echo comes back as a row with its latency.",
    ),
    (
        "log",
        "the demonstration",
        "D stops the servers: watch the link wait and retry, then press D again. ? helps anywhere.",
    ),
)
"""Pane, title, text."""

FIRST_STEPS = (
    ("app.connect", "connect to a URL"),
    ("app.new-session", "fill in the form of a new session"),
    ("app.pane-sessions", "bring the list of sessions back"),
    ("app.import", "import sessions: curl, HAR, MQTTX, Postman, …"),
    ("app.demo-servers", "start the servers of the samples"),
    ("app.palette", "every command by name"),
    ("app.help", "the keys that work where you are"),
    ("app.quit", "leave"),
)
"""Action and words: what to do when nothing is open."""
PICK_ONE = ("sessions.connect", "enter", "connect the session under the cursor")
"""What to do with the list of sessions: the id of the key, the key, words."""
IN_CAPTURE = frozenset({"app.palette", "app.help", "app.quit"})
"""Those that make sense for a capture that was opened."""

Rows = Sequence[tuple[str, str]]
"""(key, what it does)."""


def key_table(rows: Rows) -> Text:
    """Keys in one column, words in the other; no table of Rich's: that is a tenth of the first picture."""
    width = max((len(key) for key, _ in rows), default=0)
    lines = [Text.assemble((key.rjust(width), "bold"), f"  {words}") for key, words in rows]
    return Text("\n").join(lines)


class Welcome(Middle):
    """Stands where connections will: says what to do next."""

    DEFAULT_CSS = """
    Welcome {
        background: $surface;
        & > Center > Vertical { width: auto; max-width: 100%; height: auto; padding: 0 1; }
        & Static { width: auto; max-width: 100%; }
        & .loud { text-style: bold; margin-bottom: 1; }
    }
    """

    def __init__(self, title: Callable[[], str], rows: Callable[[], Rows], *, id: str | None = None) -> None:  # noqa: A002 - Textual's word
        super().__init__(id=id)
        self._title = title
        self._rows = rows
        self._told: tuple[str, Rows] | None = None

    def compose(self) -> ComposeResult:
        """A title and the keys that lead on."""
        title, rows = self._told = self._title(), self._rows()
        with Center(), Vertical():
            yield Static(Text(clean(title)), classes="loud")
            yield Static(key_table(rows), classes="keys")

    def retell(self) -> None:
        """Other words and keys may be right now."""
        title, rows = now = self._title(), self._rows()
        if self._told not in (None, now):
            self._told = now
            self.query_one(".loud", Static).update(Text(clean(title)))
            self.query_one(".keys", Static).update(key_table(rows))


class Tour(Widget, can_focus=True):
    """A few steps through the panes of a live demonstration. It takes lines of its own and so covers nothing."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,right,space", "step(1)", "Next", id="tour.next", tooltip="Next step"),
        Binding("left,backspace", "step(-1)", "Back", id="tour.back", tooltip="Previous step"),
        Binding("escape", "leave", "End the tour", id="tour.end", tooltip="Close the tour for good"),
    ]

    DEFAULT_CSS = """
    Tour {
        width: 1fr;
        height: auto;
        padding: 0 1;
        border: round $accent;
        background: $panel;
        border-title-style: bold;
    }
    """

    class Left(Message):
        """The user closed the tour."""

    class Reached(Message):
        """A step is shown. `pane` is the one that it is about."""

        def __init__(self, pane: str) -> None:
            super().__init__()
            self.pane = pane

    def __init__(self, steps: Sequence[tuple[str, str, str]], *, id: str | None = None) -> None:  # noqa: A002 - Textual's word
        """`steps`: the pane's id, a title, the text."""
        super().__init__(id=id)
        self._steps = steps
        self._place = 0
        self.hint = ""
        """How to see the pane, if it is not shown."""

    def on_mount(self) -> None:
        """Begin."""
        self._show()
        self.on_blur()

    def on_focus(self) -> None:
        """Say which keys it has now."""
        last = self._place == len(self._steps) - 1
        self.border_subtitle = Text("enter ends it" if last else "enter next · esc end")

    def on_blur(self) -> None:
        """Say how it gets them again."""
        self.border_subtitle = Text("esc goes on with the tour")

    def render(self) -> RenderResult:
        """The text of the step."""
        return Text(f"{self._steps[self._place][2]}{self.hint and f' {self.hint}'}")

    def action_step(self, step: int) -> None:
        """On, or back; on from the last step ends the tour."""
        self._place += step
        if self._place >= len(self._steps):
            self.action_leave()
        else:
            self._place = max(0, self._place)
            self._show()

    def on_click(self) -> None:
        """A click is a step on."""
        self.action_step(1)

    def action_leave(self) -> None:
        """End."""
        self.post_message(self.Left())
        self.remove()

    def _show(self) -> None:
        pane, title, _ = self._steps[self._place]
        self.border_title = Text(f"{title} · {self._place + 1}/{len(self._steps)}")
        if self.has_focus:
            self.on_focus()
        self.refresh(layout=True)
        self.post_message(self.Reached(pane))
