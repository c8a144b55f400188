"""Where a replay is, as a line: the sign stops it and lets it go on, a click goes to a place."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING, ClassVar, Final

from rich.segment import Segment
from textual import events
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from rtui.core.clean import cell_width
from rtui.protocols.wire.replay_place import SECOND, elapsed
from rtui.workbench.mouse import RIGHT
from rtui.workbench.widgets.replay_badge import WORD, shortened, sign, speed_of, total

if TYPE_CHECKING:
    from rtui.protocols.playback import Playback

SHORTEST: Final = 8
"""Cells of the line from which it is worth having."""
LONG: Final = 3.0
"""Seconds of a silence from which the line says how long it will last."""
WHEEL: Final = 0.02
"""How much of the recording one turn of the wheel is."""


def silence(seconds: float) -> str:
    """What is said of one that lasts: nothing is broken."""
    return f" silence, {elapsed(ceil(seconds) * SECOND)} left" if seconds >= LONG else ""


class ReplayBar(Widget):
    """One line below the header of a tab that is played."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"replay--sign", "replay--past", "replay--rest", "replay--text"}

    DEFAULT_CSS = """
    ReplayBar {
        height: 1;
        width: 1fr;
        background: $panel;
        & > .replay--sign { color: $rt-notice; text-style: bold; }
        & > .replay--past { color: $rt-notice; }
        & > .replay--rest { color: $rt-dim; }
        & > .replay--text { color: $foreground; }
    }
    """

    class Toggled(Message, bubble=True):
        """The sign was clicked: stop, or go on."""

    class Wanted(Message, bubble=True):
        """A place was clicked: `share` of the whole, 0 to 1."""

        def __init__(self, share: float) -> None:
            super().__init__()
            self.share = share

    def __init__(self, *, ascii_only: bool, id: str | None = None) -> None:  # noqa: A002 - Textual's word
        super().__init__(id=id)
        self.ascii_only = ascii_only
        self._shown: tuple[str, str, float] = ("", "", 0.0)
        """What stands before the line, behind it, and how far the line is."""
        self._drag: float | None = None

    def show(self, playback: Playback) -> None:
        """Look at the playback; paint if what it shows changed."""
        length = max(1, playback.end - playback.begin)
        share = (playback.position - playback.begin) / length
        before = f" {sign(playback, self.ascii_only)} {WORD} {elapsed(playback.position - playback.begin)} "
        speed = "" if playback.speed == 1 else f" {speed_of(playback.speed)}"
        state = " ended" if playback.over else " paused" if playback.paused else silence(playback.silence)
        after = f" {total(playback)}{speed}{' loop' if playback.loop else ''}{shortened(playback)}{state} "
        cells = self._cells(before, after)
        shown = (before, after, round(share * cells) / cells if cells else 0.0)
        if shown != self._shown:
            self._shown = shown
            self.refresh()

    def render_line(self, y: int) -> Strip:  # noqa: ARG002 - there is one line
        """Sign, place, line, length."""
        before, after, share = self._shown
        if self._drag is not None:
            share = self._drag
        style = self.get_component_rich_style
        cells = self._cells(before, after)
        past = round(share * cells)
        line, knob, rest = ("=", "O", "-") if self.ascii_only else ("━", "●", "─")
        segments = [Segment(before, style("replay--sign"))]
        if cells:
            drawn = line * past + knob
            segments += [Segment(drawn[: cells + 1], style("replay--past"))]
            segments += [Segment(rest * (cells - past), style("replay--rest"))]
        segments.append(Segment(after, style("replay--text")))
        return Strip(segments).crop_extend(0, self.size.width, self.rich_style)

    def _cells(self, before: str, after: str) -> int:
        """Of the line, without the knob; 0 where there is no room for one."""
        left = self.size.width - cell_width(before) - cell_width(after) - 1
        return left if left >= SHORTEST else 0

    def _share_at(self, x: int) -> float:
        before, after, _ = self._shown
        cells = self._cells(before, after)
        return max(0.0, min(1.0, (x - cell_width(before)) / cells)) if cells else 0.0

    def _is_sign(self, x: int) -> bool:
        return x < cell_width(self._shown[0]) or not self._cells(*self._shown[:2])

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """A click on the sign toggles; on the line it begins to draw the knob."""
        if event.button == RIGHT:
            return
        event.stop()
        if self._is_sign(event.x):
            self.post_message(self.Toggled())
        else:
            self.capture_mouse()
            self._drag = self._share_at(event.x)
            self.refresh()

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """The knob follows."""
        if self._drag is not None:
            self._drag = self._share_at(event.x)
            self.refresh()

    def on_mouse_up(self, event: events.MouseUp) -> None:
        """There it goes on."""
        if self._drag is not None:
            event.stop()
            share, self._drag = self._drag, None
            self.release_mouse()
            self.post_message(self.Wanted(share))

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """A little back."""
        self._scroll(event, -WHEEL)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """A little on."""
        self._scroll(event, WHEEL)

    def _scroll(self, event: events.MouseEvent, step: float) -> None:
        event.stop()
        self.post_message(self.Wanted(max(0.0, min(1.0, self._shown[2] + step))))
