"""A terminal of the least kind: what an app has written to it, cell by cell."""

from __future__ import annotations

import re
from typing import Any

from rich.cells import cell_len
from textual.app import App
from textual.geometry import Size
from textual.pilot import Pilot
from textual.widget import Widget

from tests.workbench.conftest import until

_TOKEN = re.compile(r"\x1b\[(?P<row>\d+);(?P<column>\d+)H|\x1b\[[0-9;?<>=]*[a-zA-Z]|(?P<line>\n)|(?P<text>[^\x1b\n]+)")


class Glass:
    """What stands on the screen after every update that `app` displayed since this was made."""

    def __init__(self, app: App[Any]) -> None:
        self._app = app
        self._cells: dict[tuple[int, int], str] = {}
        self._display = app._display
        app._display = self._shown  # type: ignore[method-assign, assignment]

    def _shown(self, screen: Any, update: Any) -> None:
        self._display(screen, update)
        if update is not None and not self._app._batch_count:
            self.write(update.render_segments(self._app.console))

    def write(self, text: str) -> None:
        row = column = 0
        for token in _TOKEN.finditer(text):
            if token["row"]:
                row, column = int(token["row"]) - 1, int(token["column"]) - 1
            elif token["line"]:
                row, column = row + 1, 0
            for char in token["text"] or "":
                self._cells[row, column] = char
                width = cell_len(char)
                for beside in range(1, width):
                    self._cells[row, column + beside] = ""
                column += width

    def lines(self) -> list[str]:
        """What a user sees."""
        size: Size = self._app.size
        return [
            "".join(self._cells.get((row, column), " ") for column in range(size.width)) for row in range(size.height)
        ]


async def all_shown(pilot: Pilot[Any], glass: Glass, what: str) -> None:
    """Wait until both pictures agree: between two looks a clock may have gone on."""

    def wrong() -> list[tuple[int, str, str]]:
        pairs = zip(glass.lines(), in_full(pilot.app), strict=True)
        return [(row, seen, drawn) for row, (seen, drawn) in enumerate(pairs) if seen != drawn]

    try:
        await until(pilot, lambda: not wrong(), f"what is drawn is on the screen after {what}")
    except AssertionError as error:
        error.add_note(repr(wrong()))
        raise


def in_full(app: App[Any]) -> list[str]:
    """What the screen looks like if every widget draws every line anew. Nothing is written, so nothing is noted."""
    widgets = (app.screen, *app.screen.walk_children(Widget))
    noted = {painted: dict(painted._strips) for one in widgets if (painted := getattr(one, "painted", None))}
    for widget in widgets:
        widget._styles_cache.clear()
        widget._styles_cache.set_dirty(widget.size.region)
    lines = [strip.text for strip in app.screen._compositor.render_strips()]
    for painted, strips in noted.items():
        painted._strips = strips
    return lines
