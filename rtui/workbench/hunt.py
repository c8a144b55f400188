"""Going from hit to hit in the log, in a worker: a million rows take a second."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from rtui.workbench.typeahead import POLL, Patience

if TYPE_CHECKING:
    from rtui.capture.query import Filter
    from rtui.workbench.screens.desk import Desk
    from rtui.workbench.sheet import Sheet


class Hunt:
    """What n and N look for, and the way there. A new hunt ends the last."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self.needle: Filter | None = None

    def search(self, step: int) -> None:
        """To the next hit (1) or the one before (-1)."""
        if self.needle is None:
            self._desk.say(f"nothing to search for yet: {self._desk.bench.key_of('app.search')} asks for it")
            return
        self.go(self.needle, step, "hit")

    def go(self, wanted: Filter, step: int, what: str) -> None:
        """To the next row that is wanted, around the ends; `what` it is called if there is none.

        Who follows has no cursor on the newest row, and looks for that one too.
        """
        log = self._desk.log_view
        here = log.cursor_seq
        if here is not None:
            here += log.follow
            work = self._going(wanted, here, step, what)
            self._desk.bench.run_worker(work, name="search", group="search", description="search", exclusive=True)

    async def _going(self, wanted: Filter, here: int, step: int, what: str) -> None:
        sheet = self._desk.sheets.current
        if sheet is None:
            return
        await self._stored(sheet)
        hit = await self._next(sheet, wanted, here, step)
        if hit is None and sheet is self._desk.sheets.current and sheet.lens.seqs:
            hit = await self._next(sheet, wanted, 0 if step > 0 else sheet.lens.seqs[-1] + 1, step)
            self._desk.say(told(what, step, same=None if hit is None else hit == here))
        if hit is not None and sheet is self._desk.sheets.current:
            self._desk.log_view.go_to(hit)

    async def _stored(self, sheet: Sheet) -> None:
        """Wait for the rows that are shown to be stored, a matter of moments: only there are they looked at."""
        journal, newest, patience = self._desk.bench.catalog.journal, sheet.lens.newest, Patience()
        while journal is not None and newest is not None and journal.committed < newest and not patience.lost:  # noqa: ASYNC110
            await asyncio.sleep(POLL)

    async def _next(self, sheet: Sheet, wanted: Filter, here: int, step: int) -> int | None:
        """The next hit from `here`; None if there is none, or another tab is looked at meanwhile."""
        for hit in sheet.lens.hunt(wanted, here, step):
            if hit is not None or sheet is not self._desk.sheets.current:
                return hit
            await asyncio.sleep(0)
        return None


def told(what: str, step: int, *, same: bool | None) -> str:
    """There was nothing in the direction; `same`: around the end stands the row that was left, None: nothing."""
    if same is None:
        return f"no {what}"
    where, end = ("below", "oldest") if step > 0 else ("above", "newest")
    return f"no other {what}" if same else f"no {what} {where}: on from the {end}"
