"""Going from hit to hit in the log, in a worker: a million rows take a second."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rtui.capture.query import Filter
    from rtui.workbench.screens.desk import Desk


class Hunt:
    """What n and N look for, and the way there. A new hunt ends the last."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self.needle: Filter | None = None

    def search(self, step: int) -> None:
        """To the next hit (1) or the one before (-1)."""
        if self.needle is None:
            self._desk.say("nothing to search for yet: ctrl+f")
            return
        self.go(self.needle, step, "hit")

    def go(self, wanted: Filter, step: int, what: str) -> None:
        """To the next row that is wanted; `what` it is called if there is none."""
        here = self._desk.log_view.cursor_seq
        if here is not None:
            work = self._going(wanted, here, step, what)
            self._desk.bench.run_worker(work, name="search", group="search", description="search", exclusive=True)

    async def _going(self, wanted: Filter, here: int, step: int, what: str) -> None:
        sheet = self._desk.sheets.current
        if sheet is None:
            return
        for hit in sheet.lens.hunt(wanted, here, step):
            if self._desk.sheets.current is not sheet:
                return
            if hit is not None:
                self._desk.log_view.go_to(hit)
                return
            await asyncio.sleep(0)
        self._desk.say(f"no {what} {'below' if step > 0 else 'above'}")
