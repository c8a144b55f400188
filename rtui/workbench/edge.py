"""The lines between panes, as handles for the mouse: one is dragged, a double click has it where it was at first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rtui.workbench import sizing
from rtui.workbench.mouse import LEFT

if TYPE_CHECKING:
    from textual import events
    from textual.geometry import Offset, Region
    from textual.widget import Widget

    from rtui.workbench.screens.stage import Stage


class Edges:
    """What the mouse does with the edges of a stage: it is held by one from the press to the release."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self.held = ""
        """The name in `sizing` of what is being made larger or smaller; empty while nothing is."""

    def press(self, event: events.MouseDown) -> None:
        """Take hold of what is below the pointer, if that is an edge."""
        self.held = self.at(event.screen_offset) if event.button == LEFT else ""
        if self.held:
            self._stage.capture_mouse()

    def move(self, event: events.MouseMove) -> None:
        """The edge follows the pointer."""
        if self.held:
            sizing.reach(self._stage, self.held, event.screen_offset)

    def release(self) -> None:
        """Let go."""
        if self.held:
            self.held = ""
            self._stage.release_mouse()

    def click(self, event: events.Click) -> None:
        """Two clicks have the usual size back: halves of a split are equal then."""
        if event.chain == 2 and event.button == LEFT and (name := self.at(event.screen_offset)):  # noqa: PLR2004
            sizing.forget(self._stage, name)

    def at(self, place: Offset) -> str:
        """What the edge at a place of the screen belongs to; empty if there is none."""
        stage = self._stage
        if stage.panes.paired and _border(stage.halves[1], above=stage.panes.paired == "rows").contains_point(place):
            return sizing.SPLIT
        for name in sizing.STEP if stage.panes.zoomed is None else ():
            for pane in stage.query(f"#{name}"):
                if pane.display and _edge(pane, name).contains_point(place):
                    return name
        return ""


def _edge(pane: Widget, name: str) -> Region:
    """The line of a pane that another one begins at: that above the message pane, that to the right of the others."""
    if name == "message":
        return _border(pane, above=True)
    region = pane.region
    return (
        region.crop_size((0, 0))
        if pane.show_vertical_scrollbar and name == "sessions"
        else region.split_vertical(-1)[1]
    )


def _border(widget: Widget, *, above: bool) -> Region:
    """Its upper line, or its left one."""
    region = widget.region
    return region.split_horizontal(1)[0] if above else region.split_vertical(1)[0]
