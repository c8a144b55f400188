"""Keeps the state: all of it when the workbench is left, and what is being written every now and then before.

A workbench that is killed, or whose machine loses power, does not come to leave.
"""

from __future__ import annotations

import asyncio
import threading
from copy import deepcopy
from typing import TYPE_CHECKING, Final

from textual.css.query import NoMatches

from rtui.workbench.state import State
from rtui.workbench.state_file import save_state, state_file

if TYPE_CHECKING:
    from rtui.workbench.draft import Draft
    from rtui.workbench.screens.desk import Desk

PERIOD: Final = 1.0
"""Seconds between two looks at what is being written: it is saved at the first look that finds it as it was before."""
PATIENCE: Final = 5
"""Looks after which it is saved though it was changed again."""


class StateKeeper:
    """Writes what changed in this run into the state's file. Any thread may save drafts; `save` writes last."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._path = state_file()
        self._before = deepcopy(state)
        """What the file holds of ours."""
        self._writing = threading.Lock()
        self._done = False

    def save(self) -> str:
        """Keep everything; returns what went wrong, or nothing."""
        with self._writing:
            self._done = True
            return save_state(self._state, self._path, self._before)

    def save_drafts(self, drafts: dict[str, Draft]) -> str:
        """Keep what is being written; as `save`."""
        with self._writing:
            if self._done:
                return ""
            before, now = State(drafts=self._before.drafts), State(drafts=drafts)
            trouble = save_state(now, self._path, before)
            if not trouble:
                self._before.drafts = drafts
            return trouble


class DraftWatch:
    """Saves what is being written when the user pauses, again and again."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._written = self._saved = self._drafts()
        self._waited = 0

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            await asyncio.sleep(PERIOD)
            await self.look()

    async def look(self) -> None:
        """Look once."""
        try:
            written = self._drafts()
        except NoMatches:
            return  # the workbench is being left: its widgets go one by one
        if written == self._saved:
            return
        if written != self._written and self._waited < PATIENCE:
            self._written, self._waited = written, self._waited + 1
            return
        self._written = self._saved = written
        self._waited = 0
        bench = self._desk.bench
        bench.remember_drafts(self._desk.sheets)
        # What goes wrong is told when the workbench is left: nothing is lost before.
        await asyncio.to_thread(bench.keeper.save_drafts, dict(bench.state.drafts))

    def _drafts(self) -> dict[int, Draft]:
        self._desk.keep_draft()
        drafts = ((sheet.key, sheet.draft) for sheet in self._desk.sheets)
        return {key: draft for key, draft in drafts if draft is not None and (draft.payload or draft.channel)}
