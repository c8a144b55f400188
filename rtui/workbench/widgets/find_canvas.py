"""A canvas in whose document a text is looked for: what is typed stands in the title, as in the tree."""

from __future__ import annotations

from textual import events

from rtui.core.clean import clean, clip
from rtui.workbench.widgets.chart import Chart
from rtui.workbench.widgets.chart_canvas import ChartCanvas
from rtui.workbench.widgets.glyph import UNICODE, Glyphs

MAX_NEEDLE = 200
"""Characters; nobody types more, and a paste may be anything."""


class FindCanvas(ChartCanvas):
    """While finding, keys are letters, and the cursor goes to what they make; `find_next` goes on."""

    def __init__(self, *, glyphs: Glyphs = UNICODE, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        super().__init__(glyphs=glyphs, id=id, classes=classes)
        self.finding = False
        self.needle = ""
        self._lost = False
        """Whether it is nowhere in the document."""

    # For subclasses

    def say_title(self) -> None:
        """The title may say something else now."""

    @property
    def sought(self) -> str:
        """What the title says while a text is typed."""
        return f"find: {clip(clean(self.needle), 40)}{' (none)' if self._lost else ''}"

    # Actions

    def action_find(self) -> None:
        """Begin to type a text."""
        self.finding, self.needle, self._lost = True, "", False
        self.say_title()
        self.screen.refresh_bindings()

    def action_find_next(self, step: int) -> None:
        """To the next row that has the text, or the one before; around the ends."""
        self._seek(self.cursor, step)

    def _seek(self, row: int, step: int) -> None:
        """To the first row with the text behind `row`, or before it; around the ends."""
        document = self._document
        if document is None or not self.needle:
            return
        found = document.find(self.needle, row, step)
        if found is None:
            found = document.find(self.needle, -1 if step > 0 else document.height, step)
        self._lost = found is None
        if found is not None:
            self.resettle()  # what was folded around it is not any more
            self.go_to_row(found)
        elif not self.finding:
            self.notify(f"nothing here has {clip(clean(self.needle), 40)}", markup=False)
        self.say_title()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """While finding, keys are letters; hits exist once something was typed, and a chart has none."""
        if self.finding:
            return False
        if action == "find":
            return self._document is not None and not isinstance(self._document, Chart)
        if action == "find_next":
            return bool(self.needle) and not isinstance(self._document, Chart)
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
        self.needle, self._lost = needle[:MAX_NEEDLE], False
        self._seek(self.cursor - 1, 1)
        self.say_title()

    def _stop_finding(self) -> None:
        self.finding = False
        self.say_title()
        self.screen.refresh_bindings()
