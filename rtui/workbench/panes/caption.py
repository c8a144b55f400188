"""The band of the presenter: what is being shown, for those who watch, and where the presenter is."""

from __future__ import annotations

from typing import ClassVar, Final, NamedTuple

from rich.text import Text
from textual import events
from textual.app import RenderResult
from textual.binding import Binding, BindingType
from textual.widget import Widget

from rtui.core.clean import clean, clean_block
from rtui.workbench.mouse import LEFT


class Slide(NamedTuple):
    """What the band says."""

    title: str
    text: str
    """Large, as far as a terminal can."""
    next: str = ""
    trouble: str = ""
    keys: str = ""


def _step(action: str) -> str:
    return f"screen.do('app.{action}')"


KEYS: Final = (
    Binding(
        "pagedown,right,space,enter",
        _step("present-next"),
        "Next step",
        show=False,
        id="present.next",
        tooltip="Do the next step, or show the next caption after looking back",
    ),
    Binding(
        "pageup,left,backspace",
        _step("present-back"),
        "Caption before",
        show=False,
        id="present.back",
        tooltip="Show the caption before; nothing is undone",
    ),
    Binding("x", _step("present-skip"), "Skip", show=False, id="present.skip", tooltip="Leave the step out"),
    Binding("a", _step("present-clock"), "Clock", show=False, id="present.clock", tooltip="Go on by clock, or by key"),
    Binding(
        "b",
        _step("present-black"),
        "Black",
        show=False,
        id="present.black",
        tooltip="A black screen until the next key",
    ),
    Binding("escape", _step("present-leave"), "Leave", show=False, id="present.leave", tooltip="End the presentation"),
)
"""Those of a clicker are among them."""


class Caption(Widget, can_focus=True):
    """Takes lines of its own above the footer and so covers nothing."""

    BINDINGS: ClassVar[list[BindingType]] = [*KEYS]
    COMPONENT_CLASSES: ClassVar[set[str]] = {"caption--text", "caption--next", "caption--trouble"}

    DEFAULT_CSS = """
    Caption {
        width: 1fr;
        height: auto;
        max-height: 45%;
        padding: 0 2;
        background: $background;
        border: heavy $rt-dim;
        border-title-color: $foreground;
        border-title-style: bold;
        border-subtitle-color: $rt-dim;
        &:focus { border: heavy $accent; border-title-color: $accent; }
        & > .caption--text { color: $foreground; text-style: bold; }
        & > .caption--next { color: $rt-dim; }
        & > .caption--trouble { color: $rt-error; text-style: bold; }
    }
    """

    def __init__(self) -> None:
        super().__init__()
        self.slide = Slide("", "")

    def show(self, slide: Slide) -> None:
        """Say `slide`; a screen is laid out anew only if other words take other room."""
        before, self.slide = self.slide, slide
        if before == slide:
            return
        self.border_title = Text(clean(slide.title))
        self.border_subtitle = Text(clean(slide.keys))
        if before[1:4] != slide[1:4]:
            self.refresh(layout=True)

    async def on_click(self, event: events.Click) -> None:
        """A click is a step on."""
        if event.button == LEFT:
            await self.run_action(_step("present-next"))

    def render(self) -> RenderResult:
        """The text, what is wrong, what comes next."""
        lines = (("text", self.slide.text), ("trouble", self.slide.trouble), ("next", self.slide.next))
        styled = [
            Text(clean_block(line), self.get_component_rich_style(f"caption--{name}", partial=True))
            for name, line in lines
            if line
        ]
        return Text("\n").join(styled)
