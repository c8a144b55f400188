"""Session files that change on disk: those of open tabs, and those that come and go in the folders.

A tab whose session was not changed takes what the file says now. Where both sides changed, the user is told, and
chooses when it suits: a question that came by itself would be answered by whatever is being typed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias

from rtui.settings.files import SettingsError
from rtui.settings.session import Session, load_session
from rtui.settings.session_list import MOST_FILES, list_sessions, session_folders
from rtui.settings.session_merge import both, is_changed, mine_over
from rtui.workbench.actions.session import declares_for, keep_in

if TYPE_CHECKING:
    from rtui.settings.session_list import SessionEntry
    from rtui.workbench.screens.desk import Desk
    from rtui.workbench.sheet import Sheet

PERIOD: Final = 1.0
"""Seconds between two looks at the files."""

Stamp: TypeAlias = tuple[int, int, int] | None
"""Inode, size and time of a file; None if it is gone."""


class DiskWatch:
    """Looks at the files of the open tabs and at the folders of sessions, again and again."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._folders = Folders()
        self._seen: dict[int, tuple[Path, Stamp]] = {}
        """The file of each tab as it was last looked at, by the sheet's key."""
        self._missed: dict[int, Path] = {}
        """Files that were not there: gone, if they are not at the next look. Editors that save put them aside."""
        self._gone: set[int] = set()
        """Tabs whose file is gone, as was told."""

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            await asyncio.sleep(PERIOD)
            await self.look()

    async def look(self) -> None:
        """Look once."""
        await self._look_at_tabs()
        reloads = self._desk.reloads
        entries = await asyncio.to_thread(self._folders.changed)
        if entries is None:
            return
        if reloads == self._desk.reloads:
            self._desk.sure_picture.sidebar.load(entries)
        else:
            self._folders = Folders()  # what was listed meanwhile may be newer: the next look lists anew

    async def _look_at_tabs(self) -> None:
        sheets = list(self._desk.sheets)
        self._seen = {sheet.key: self._seen[sheet.key] for sheet in sheets if sheet.key in self._seen}
        for sheet in sheets:
            session = sheet.session
            if session is None or session.path is None or session.stored is None:
                continue
            now = (session.path, await asyncio.to_thread(_stamp, session.path))
            if not self._stands(sheet, session):
                continue
            missed = self._missed.pop(sheet.key, None)
            if now == self._seen.get(sheet.key):
                continue
            if now[1] is None and missed != session.path:
                self._missed[sheet.key] = session.path
                continue
            if now[1] is None:
                self._keep_without_file(sheet, session.path)
            elif not await self._settled(sheet, session, session.path):
                continue
            self._seen[sheet.key] = now

    async def _settled(self, sheet: Sheet, session: Session, path: Path) -> bool:
        """Whether what the file says now was dealt with; False if the tab's session changed meanwhile."""
        try:
            fresh = await asyncio.to_thread(load_session, path, declares_for)
        except SettingsError as wrong:
            if self._stands(sheet, session):
                self._desk.tell_error(wrong)
            return True
        if not self._stands(sheet, session):
            return False
        if fresh.stored != session.stored:
            self._take(sheet, session, fresh)
        elif sheet.key in self._gone:
            sheet.unsaved = is_changed(session)
        self._gone.discard(sheet.key)
        return True

    def _stands(self, sheet: Sheet, session: Session) -> bool:
        """Whether what was read is still about the tab: it was neither closed nor renamed or changed meanwhile."""
        return sheet.session is session and self._desk.sheets.get(sheet.key) is sheet

    def _keep_without_file(self, sheet: Sheet, path: Path) -> None:
        """The file was deleted or renamed: what it held is only here now, and leaving asks."""
        sheet.unsaved = True
        self._gone.add(sheet.key)
        key = self._desk.bench.key_of("app.save")
        self._desk.say(f"{path} is gone; its tab stays, and {key} writes the file again", severity="warning")

    def _take(self, sheet: Sheet, session: Session, fresh: Session) -> None:
        desk = self._desk
        if is_changed(session):
            key = desk.bench.key_of("app.reload")
            desk.say(f"{fresh.path} changed, and so did its tab: there {key} chooses", severity="warning")
        else:
            keep_in(desk, sheet, fresh, unsaved=False)
            key = desk.bench.key_of("app.reconnect")
            desk.say(f"{fresh.path} changed and was read again: it holds from the next connect, {key} connects now")


class Folders:
    """Tells when files came to the folders of sessions, or went: only the times of the folders are looked at."""

    def __init__(self) -> None:
        self._times: dict[Path, int | None] = {}

    def changed(self) -> list[SessionEntry] | None:
        """What there is, if that may be something else than last time. The first time it always may."""
        if self._times and all(_time(folder) == time for folder, time in self._times.items()):
            return None
        # Before the files: what comes in between is found next time.
        self._times = {folder: _time(folder) for folder in _folders()}
        return list_sessions()


def _folders() -> Iterator[Path]:
    for _, folder in session_folders():
        yield folder
        inside = (path for path in folder.rglob("*/") if path.is_dir())
        with suppress(OSError):  # one went while they were listed: that is found next time
            yield from islice(inside, MOST_FILES)


async def reload(desk: Desk, sheet: Sheet, session: Session, path: Path) -> None:
    """Take what the file says now; asks what is to become of changes made here.

    Raises:
        SettingsError: if the file cannot be read.
    """
    fresh = await asyncio.to_thread(load_session, path, declares_for)
    taken = await reconciled(desk, session, fresh, "read session again")
    if taken is None or sheet.session is not session:
        return
    keep_in(desk, sheet, taken, unsaved=is_changed(taken))
    if not is_changed(session):
        desk.say(f"{path} was read again" if fresh.stored != session.stored else f"{path} did not change")


async def reconciled(desk: Desk, session: Session, fresh: Session, title: str) -> Session | None:
    """What is to hold of a tab and its file, `fresh` from disk; asks where both have something. None: stay apart.

    Raises:
        SettingsError: if they do not fit together.
    """
    from rtui.workbench.screens.dialog import Choice, Choose

    if not is_changed(session):
        return fresh
    choices = (
        Choice("both", "both", "what was changed here, on top of the file as it is now"),
        Choice("mine", "mine", "only what stands here; saving it overwrites what changed in the file"),
        Choice("theirs", "theirs", "only the file; what was changed here is lost"),
    )
    chosen = await desk.ask(Choose(title, choices, detail=f"{fresh.path} was changed by something else."))
    if chosen is None:
        return None
    if chosen == "theirs":
        return fresh
    return mine_over(session, fresh) if chosen == "mine" else both(session, fresh, declares_for)


def _stamp(path: Path) -> Stamp:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns


def _time(folder: Path) -> int | None:
    try:
        return folder.stat().st_mtime_ns
    except OSError:
        return None
