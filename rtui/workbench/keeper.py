"""Keeps the state: when the workbench is left, and before that whenever the user pauses.

A workbench that is killed, or whose machine loses power, does not come to leave. Which tabs are open is kept at the end
alone: a second rtui that is started meanwhile shall not connect them once more.
"""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Final

import msgspec
from textual.css.query import NoMatches

from rtui.workbench.state_file import save_state, state_file

if TYPE_CHECKING:
    from rtui.workbench.draft import Draft
    from rtui.workbench.screens.desk import Desk
    from rtui.workbench.state import State

PERIOD: Final = 1.0
"""Seconds between two looks at the state: it is saved at the first look that finds it as it was before."""
PATIENCE: Final = 5
"""Looks after which it is saved though it was changed again."""


class StateKeeper:
    """Writes what changed in this run into the state's file. Any thread may save meanwhile; `save` writes last."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._path = state_file()
        self._before = state.copy()
        """What the file holds of ours."""
        self._writing = threading.Lock()
        self._done = False

    def save(self) -> str:
        """Keep everything; returns what went wrong, or nothing."""
        with self._writing:
            self._done = True
            return save_state(self._state, self._path, self._before)

    def save_meanwhile(self, now: State) -> str:
        """Keep what is so `now`, but for the tabs; as `save`."""
        with self._writing:
            if self._done:
                return ""
            tabs = {key: getattr(self._before, key) for key in ("opened", "split", "half")}
            kept = msgspec.structs.replace(now, **tabs)
            trouble = save_state(kept, self._path, self._before)
            if not trouble:
                self._before = kept
            return trouble


class StateWatch:
    """Saves what has changed when the user pauses, again and again."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._drafts = self._written()
        self._seen = self._saved = desk.bench.state.copy()
        self._waited = 0

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            await asyncio.sleep(PERIOD)
            await self.look()

    async def look(self) -> None:
        """Look once."""
        bench = self._desk.bench
        try:
            drafts = self._written()
        except NoMatches:
            return  # the workbench is being left: its widgets go one by one
        if drafts != self._drafts:
            self._drafts = drafts
            bench.remember_drafts(self._desk.sheets)
        now = bench.state.copy()
        if now == self._saved:
            return
        if now != self._seen and self._waited < PATIENCE:
            self._seen, self._waited = now, self._waited + 1
            return
        self._seen = self._saved = now
        self._waited = 0
        # What goes wrong is told when the workbench is left: nothing is lost before.
        await asyncio.to_thread(bench.keeper.save_meanwhile, now)

    def _written(self) -> dict[int, Draft]:
        self._desk.keep_draft()
        drafts = ((sheet.key, sheet.draft) for sheet in self._desk.sheets)
        return {key: draft for key, draft in drafts if draft is not None and (draft.payload or draft.channel)}
