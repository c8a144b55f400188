"""What the mouse does in the log: clicks on rows, badges and the title, and rows that are selected by dragging."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rtui.core.clean import cell_width
from rtui.workbench.mouse import LEFT
from rtui.workbench.widgets.row import Context, shown_badges

if TYPE_CHECKING:
    from textual import events

    from rtui.core.record import Record
    from rtui.workbench.widgets.glyph import Glyphs
    from rtui.workbench.widgets.log import MessageLog

ANSWER: Final = "screen.do('app.thread-request')"
META: Final = "screen.do('app.meta')"
ASKS: Final = "ack?"
"""The badge of what waits for an answer."""
TITLE_AT: Final = 1
"""The column in which the title begins."""


class Pointer:
    """Follows the left button from the press to the release."""

    def __init__(self, log: MessageLog) -> None:
        self._log = log
        self._pressed: int | None = None
        """The row on which the button went down, while it is down."""
        self._dragged = False

    def press(self, event: events.MouseDown) -> None:
        """A selection may begin here."""
        self._dragged = False
        index = self._row_of(event)
        plain = event.button == LEFT and not (event.shift or event.ctrl)
        self._pressed = self._log.seq_at(index) if plain and index is not None else None

    def move(self, event: events.MouseMove) -> None:
        """Every row between the press and the pointer is selected; beyond an edge the log scrolls."""
        if self._pressed is None:
            return
        index = self._log.row_at_line(event.get_content_offset_capture(self._log).y)
        if not self._dragged:
            if self._log.seq_at(index) == self._pressed:
                return
            self._dragged = True
            self._log.capture_mouse()
            self._log.picks.clear()
        self._log.select_between(self._pressed, index)

    def release(self) -> None:
        """The selection stays as it is."""
        self._pressed = None
        self._log.release_mouse()

    async def click(self, event: events.Click) -> None:
        """One click puts the cursor there, two open the message; with shift the selection grows, with ctrl by a row.

        A badge leads to what it tells of, a part of the title does what it says.
        """
        log, index = self._log, self._row_of(event)
        if self._dragged or index is None:
            self._dragged = False
            if event.y == 0 and log.gutter.top and event.button == LEFT:
                await self._click_title(event.x - TITLE_AT)
        elif event.shift:
            log.extend_to(index)
        elif event.ctrl:
            log.toggle(index)
        elif event.button == LEFT or log.seq_at(index) not in log.picks.selected:  # the menu is about all of them
            log.picks.clear()
            log.move_to(index)
            await self._click_row(event)

    async def _click_row(self, event: events.Click) -> None:
        if event.chain == 2:  # noqa: PLR2004 - a double click
            self._log.action_open()
        elif event.chain == 1 and event.button == LEFT and (badge := self._badge_of(event)):
            leads = badge == ASKS or badge.startswith(self._log.brush.glyphs.reply)
            await self._log.run_action(ANSWER if leads else META)

    async def _click_title(self, x: int) -> None:
        """The part of the title at a cell, if it does anything."""
        start = 0
        for text, action in self._log.title_parts:
            if start <= x < start + cell_width(text) and action:
                await self._log.run_action(action)
                return
            start += cell_width(text) + len(" · ")

    def _row_of(self, event: events.MouseEvent) -> int | None:
        offset = event.get_content_offset(self._log)
        if offset is None or (self._log.scroll_offset.y + offset.y) // self._log.lines >= self._log.count:
            return None
        return self._log.row_at_line(offset.y)

    def _badge_of(self, event: events.Click) -> str:
        offset = event.get_content_offset(self._log)
        seen = self._log.drawn_at(offset.y) if offset is not None else None
        return badge_at(*seen, self._log.brush.glyphs, offset.x) if seen is not None and offset is not None else ""


def badge_at(record: Record, context: Context, glyphs: Glyphs, x: int) -> str:
    """The badge that stands at a cell of the row's first line; they end where the line ends."""
    end = context.columns.width
    for badge in reversed(shown_badges(record, context, glyphs)):
        start = end - cell_width(badge)
        if start <= x < end:
            return badge
        end = start - 1
    return ""
