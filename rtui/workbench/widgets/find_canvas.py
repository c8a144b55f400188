"""A canvas in whose document a text is looked for: what is typed stands in the title, as in the tree."""

from __future__ import annotations

from rtui.workbench.widgets.chart import Chart
from rtui.workbench.widgets.chart_canvas import ChartCanvas
from rtui.workbench.widgets.finder import Finder


class FindCanvas(Finder, ChartCanvas):
    """See `Finder`. A chart has no text."""

    def seek(self, step: int) -> bool:
        """See `Finder`."""
        document = self._document
        if document is None:
            return False
        row, way = (self.cursor, step) if step else (self.cursor - 1, 1)
        found = document.find(self.needle, row, way)
        if found is None:
            found = document.find(self.needle, -1 if way > 0 else document.height, way)
        if found is None:
            return False
        self.resettle()  # what was folded around it is not any more
        self.go_to_row(found)
        return True

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """See `Finder`."""
        if action == "find" and not self.finding:
            return self._document is not None and not isinstance(self._document, Chart)
        if action == "find_next" and isinstance(self._document, Chart):
            return False
        return super().check_action(action, parameters)
