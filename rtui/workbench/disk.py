"""Session files of open tabs that change on disk.

A tab whose session was not changed takes what the file says now. Where both sides changed, the user is told, and
chooses when it suits: a question that came by itself would be answered by whatever is being typed.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias

from rtui.settings.files import SettingsError
from rtui.settings.session import Session, load_session
from rtui.settings.session_merge import both, is_changed, mine_over
from rtui.workbench.actions.session import declares_for, keep_in

if TYPE_CHECKING:
    from rtui.workbench.screens.desk import Desk
    from rtui.workbench.sheet import Sheet

PERIOD: Final = 1.0
"""Seconds between two looks at the files."""

Stamp: TypeAlias = tuple[int, int, int] | None
"""Inode, size and time of a file; None if it is gone."""


class DiskWatch:
    """Looks at the files of the open tabs, again and again."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._seen: dict[int, tuple[Path, Stamp]] = {}
        """The file of each tab as it was last looked at, by the sheet's key."""

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            await asyncio.sleep(PERIOD)
            await self.look()

    async def look(self) -> None:
        """Look once."""
        sheets = list(self._desk.sheets)
        self._seen = {sheet.key: self._seen[sheet.key] for sheet in sheets if sheet.key in self._seen}
        for sheet in sheets:
            session = sheet.session
            if session is None or session.path is None or session.stored is None:
                continue
            now = (session.path, await asyncio.to_thread(_stamp, session.path))
            if now != self._seen.get(sheet.key) and await self._settled(sheet, session, session.path):
                self._seen[sheet.key] = now

    async def _settled(self, sheet: Sheet, session: Session, path: Path) -> bool:
        """Whether what the file says now was dealt with; False if the tab's session changed meanwhile."""
        try:
            fresh = await asyncio.to_thread(load_session, path, declares_for)
        except SettingsError as wrong:
            self._desk.tell_error(wrong)
            return True
        if sheet.session is not session:
            return False
        if fresh.stored != session.stored:
            self._take(sheet, session, fresh)
        return True

    def _take(self, sheet: Sheet, session: Session, fresh: Session) -> None:
        desk = self._desk
        if is_changed(session):
            key = desk.bench.key_of("app.reload")
            desk.say(f"{fresh.path} changed, and so did its tab: there {key} chooses", severity="warning")
        else:
            keep_in(desk, sheet, fresh, unsaved=False)
            desk.say(f"{fresh.path} changed and was read again: it holds from the next time it is connected")


async def reload(desk: Desk, sheet: Sheet, session: Session, path: Path) -> None:
    """Take what the file says now; asks what is to become of changes made here.

    Raises:
        SettingsError: if the file cannot be read.
    """
    fresh = await asyncio.to_thread(load_session, path, declares_for)
    changed = is_changed(session)
    chosen = await _choose(desk, path) if changed else "theirs"
    if chosen is None or sheet.session is not session:
        return
    sides = {"theirs": lambda: fresh, "mine": lambda: mine_over(session, fresh)}
    taken = sides.get(chosen, lambda: both(session, fresh, declares_for))()
    keep_in(desk, sheet, taken, unsaved=is_changed(taken))
    if not changed:
        desk.say(f"{path} was read again" if fresh.stored != session.stored else f"{path} did not change")


async def _choose(desk: Desk, path: Path) -> str | None:
    from rtui.workbench.screens.dialog import Choice, Choose

    choices = (
        Choice("both", "both", "what was changed here, on top of the file as it is now"),
        Choice("mine", "mine", "only what stands here; saving it overwrites what changed in the file"),
        Choice("theirs", "theirs", "only the file; what was changed here is lost"),
    )
    return await desk.ask(Choose("read session again", choices, detail=f"{path} and its tab differ."))


def _stamp(path: Path) -> Stamp:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns
