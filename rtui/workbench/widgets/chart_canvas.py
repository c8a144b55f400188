"""A canvas whose document may be a chart: which numbers are drawn, how, and when it is drawn anew."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import Final

from rtui.capture.past import Key, Past
from rtui.capture.series import Field, fields, number
from rtui.capture.variety import SAMPLE, liveliest
from rtui.core.record import Record
from rtui.payloads.base import Document
from rtui.workbench.widgets.canvas import Canvas
from rtui.workbench.widgets.chart import MOST, Chart
from rtui.workbench.widgets.drawn import Drawn
from rtui.workbench.widgets.glyph import UNICODE, Glyphs

NEAR: Final = 2_000
"""Sequences in the file that are looked at for a channel's messages, where memory holds none."""


class ChartCanvas(Canvas):
    """Shows a document. What keys and clicks do in a chart is here, what they do elsewhere in `MessageView`."""

    def __init__(self, *, glyphs: Glyphs = UNICODE, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, classes=classes)
        self.glyphs = glyphs
        self.drawn = Drawn()
        """Which numbers were chosen. May be replaced by one that is kept."""
        self._document: Document | None = None
        self._drawing = False

    def tick(self) -> None:
        """Bring the chart up to date, if one is shown; a few times a second."""
        chart = self._document
        if isinstance(chart, Chart) and self.is_attached and not self._drawing and chart.stale():
            self._drawing = True
            self.run_worker(self._draw(chart), group="message-chart", description="draw a chart", exit_on_error=False)

    def action_own_ranges(self) -> None:
        """In the chart: each number from its lowest to its highest, or all on one axis."""
        if isinstance(self._document, Chart):
            self._document.own_ranges = not self._document.own_ranges
            self._redraw(self._document)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Ranges are of a chart with several curves."""
        if action == "own_ranges":
            return isinstance(self._document, Chart) and len(self._document.chosen) > 1
        return super().check_action(action, parameters)

    def _chart(self, past: Past, key: Key, record: Record) -> Chart:
        """The numbers of a record over time: those that were chosen, or the one that says most."""
        offered = fields(past.meant(record))
        paths = [field.path for field in offered]
        chosen = [path for path in self.drawn.of(key) if path in paths]
        chosen = chosen or [path for path in self.drawn.latest if path in paths] or _best(past, key, record, offered)
        return Chart(past, key, offered, chosen, glyphs=self.glyphs)

    def _switch_in_chart(self, chart: Chart) -> None:
        """Open the list of numbers; in it, draw the one under the cursor or not, or go back."""
        if not chart.choosing or self.cursor == 0:
            self._show_list(not chart.choosing)
        elif not chart.switch(self.cursor - 1):
            self.notify(f"one number is drawn at least, {MOST} at most", markup=False)
        else:
            self._redraw(chart)

    def _step_in_chart(self, chart: Chart, step: int) -> None:
        """Draw the next number or the one before; in the list, go back to the chart."""
        if chart.choosing:
            self._show_list(False)
        elif chart.choose(step):
            self._redraw(chart)

    def _clicked(self, chart: Chart, index: int) -> None:
        """On a row of the list, its number; on the names of several, the list; on that of one, the next."""
        if chart.choosing or len(chart.chosen) > 1:
            self._switch_in_chart(chart)
        elif index == 0:
            self._step_in_chart(chart, 1)

    def _show_list(self, wanted: bool) -> None:
        """Show the numbers to choose from, or the chart."""
        chart = self._document
        if isinstance(chart, Chart) and chart.open_list(wanted):
            self.shows_cursor = chart.choosing
            self.resettle()
            self.go_to_row(1 if wanted else 0)

    def _redraw(self, chart: Chart) -> None:
        """Other numbers are drawn, or otherwise; they are remembered."""
        self.drawn.note(chart.key, chart.chosen)
        self.refresh_bindings()
        self.tick()
        self.resettle()

    async def _draw(self, chart: Chart) -> None:
        try:
            await chart.update()
        finally:
            self._drawing = False
        if chart is self._document:
            self.resettle()


def _best(past: Past, key: Key, record: Record, offered: list[Field]) -> list[str]:
    """The path of the number that varies best in the messages up to `record`; none if there is no number."""
    held = list(islice(past.held(key, record.seq + 1), SAMPLE))
    newest: Iterable[Record] = held[::-1] or past.between(key, max(1, record.seq - NEAR), record.seq, SAMPLE)
    texts = [past.meant(one) for one in newest]
    seen = [[found for text in texts if (found := number(text, field)) is not None] for field in offered]
    best = liveliest(offered, seen)
    return [] if best is None else [best]
