"""One line of tabs: the state's glyph and the name of each connection, and the timeline."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from rtui.core.clean import cell_width, clean
from rtui.workbench.mouse import MIDDLE, RIGHT
from rtui.workbench.widgets.ellipsis import elided

NAME_CELLS = 24


@dataclass(frozen=True, slots=True)
class Tab:
    """What one tab shows."""

    key: int
    glyph: str
    name: str
    tone: str = ""
    """"in", "notice", "error", "dim" or nothing: the colour of the glyph; the glyph itself says the same."""

    @property
    def label(self) -> str:
        """The name as it fits; what tells two of one name apart stands at its end."""
        return elided(clean(self.name), NAME_CELLS)

    @property
    def width(self) -> int:
        """Cells taken, with the blanks around."""
        return cell_width(self.label) + 4


class TabStrip(Widget):
    """Tabs that never take more than a line; the selected one is always in view."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "tabs--tab",
        "tabs--selected",
        "tabs--beside",
        "tabs--dim",
        "tabs--in",
        "tabs--notice",
        "tabs--error",
    }

    DEFAULT_CSS = """
    TabStrip {
        height: 1;
        background: $panel;
        & > .tabs--tab { color: $rt-dim; }
        & > .tabs--selected { color: $foreground; background: $background; text-style: bold; }
        & > .tabs--beside { color: $foreground; text-style: underline; }
        & > .tabs--dim { color: $rt-dim; }
        & > .tabs--in { color: $rt-in; }
        & > .tabs--notice { color: $rt-notice; }
        & > .tabs--error { color: $rt-error; }
    }
    """

    class Selected(Message):
        """A tab was clicked."""

        def __init__(self, key: int) -> None:
            super().__init__()
            self.key = key

    class SplitWanted(Message):
        """A tab was clicked with the middle button, or while alt was held: it is to be shown beside the current one."""

        def __init__(self, key: int) -> None:
            super().__init__()
            self.key = key

    class MuteToggled(Message):
        """A tab was clicked while ctrl was held."""

        def __init__(self, key: int) -> None:
            super().__init__()
            self.key = key

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's word
        super().__init__(id=id)
        self.tabs: tuple[Tab, ...] = ()
        self.selected: int | None = None
        self.beside: int | None = None
        """What the other half of a split shows."""
        self._first = 0

    def show(self, tabs: Sequence[Tab], selected: int | None, beside: int | None = None) -> None:
        """Show `tabs`; nothing is drawn if nothing changed."""
        if (tuple(tabs), selected, beside) == (self.tabs, self.selected, self.beside):
            return
        self.tabs, self.selected, self.beside = tuple(tabs), selected, beside
        self._keep_selected_in_view()
        self.refresh()

    def render_line(self, y: int) -> Strip:  # noqa: ARG002 - there is one line
        """The line."""
        base = self.rich_style
        segments: list[Segment] = []
        if self._first:
            segments.append(Segment("‹", base + self._part("tab")))
        for tab in self.tabs[self._first :]:
            segments += self._drawn(tab)
        strip = Strip(segments).simplify()
        if strip.cell_length > self.size.width:
            strip = strip.crop(0, max(0, self.size.width - 1)).extend_cell_length(0)
            strip = Strip([*strip, Segment("›", base + self._part("tab"))])
        return strip.extend_cell_length(self.size.width, base)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """The next tab."""
        self._step(event, 1)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """The tab before."""
        self._step(event, -1)

    def _step(self, event: events.MouseEvent, step: int) -> None:
        """A wheel that is turned on stops at the last tab."""
        event.stop()
        keys = [tab.key for tab in self.tabs]
        place = keys.index(self.selected) + step if self.selected in keys else 0
        if 0 <= place < len(keys):
            self.post_message(self.Selected(keys[place]))

    def on_click(self, event: events.Click) -> None:
        """Go to the tab below the pointer, or to the next one that has no room; the right button is for its menu."""
        if event.button == RIGHT:
            return
        tab = self._hidden_at(event.x) or self.tab_at(event.x)
        if tab is None:
            return
        if event.button == MIDDLE or event.meta:
            self.post_message(self.SplitWanted(tab.key))
        else:
            self.post_message(self.MuteToggled(tab.key) if event.ctrl else self.Selected(tab.key))

    def tab_at(self, x: int) -> Tab | None:
        """The tab that stands at a column."""
        return next((tab for tab, start in self.places() if start <= x < start + tab.width), None)

    def _hidden_at(self, x: int) -> Tab | None:
        """Where the line says that there are more tabs: the first of them on that side."""
        if self._first and x == 0:
            return self.tabs[self._first - 1]
        cut = next((tab for tab, start in self.places() if start + tab.width > self.size.width), None)
        return cut if x == self.size.width - 1 else None

    def places(self) -> Iterator[tuple[Tab, int]]:
        """The tabs that begin in view, and at which column."""
        start = int(self._first > 0)
        for tab in self.tabs[self._first :]:
            if start >= self.size.width:
                return
            yield tab, start
            start += tab.width

    def on_resize(self) -> None:
        """The selected tab may have left the view, others may fit again."""
        self._keep_selected_in_view()
        self.refresh()

    def _drawn(self, tab: Tab) -> list[Segment]:
        part = {self.selected: "selected", self.beside: "beside"}.get(tab.key, "tab")
        style = self.rich_style + self._part(part)
        glyph = style + Style(color=self._part(tab.tone).color) if tab.tone else style
        return [Segment(" ", style), Segment(tab.glyph, glyph), Segment(f" {tab.label} ", style)]

    def _part(self, name: str) -> Style:
        return self.get_component_rich_style(f"tabs--{name}", partial=True)

    def _keep_selected_in_view(self) -> None:
        keys = [tab.key for tab in self.tabs]
        place = keys.index(self.selected) if self.selected in keys else 0
        self._first = min(self._first, place)
        # In a strip that became wider, tabs come back as far as all that follow still fit.
        while self._first and sum(tab.width for tab in self.tabs[self._first - 1 :]) <= self.size.width - 2:
            self._first -= 1
        while (
            self._first < place and sum(tab.width for tab in self.tabs[self._first : place + 1]) > self.size.width - 2
        ):
            self._first += 1
