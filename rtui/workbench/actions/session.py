"""Actions on session files: save, edit, find, rename, duplicate, delete."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from rtui.protocols import registry
from rtui.settings.files import SettingsError
from rtui.settings.option import has_template
from rtui.settings.paths import packaged, user_sessions
from rtui.settings.secrets import mask_url
from rtui.settings.session import Session, load_session, save_session, session_from_url
from rtui.settings.session_list import SessionEntry, list_sessions
from rtui.settings.session_move import move_session, moved
from rtui.workbench.action import Book
from rtui.workbench.editor import edit_file

if TYPE_CHECKING:
    from rtui.protocols.base import Adapter
    from rtui.workbench.screens.desk import Desk
    from rtui.workbench.sheet import Sheet

BOOK = Book("Session")
_action = BOOK.action


def has_session(desk: Desk) -> bool:
    """Whether the tab was opened from a session."""
    return desk.session is not None


def has_file(desk: Desk) -> bool:
    """Whether the tab's session came from a file or was saved to one."""
    return desk.session is not None and desk.session.path is not None and desk.session.stored is not None


@_action("save", "w", "Save session…", when=has_session, menu=("tabs",))
async def save(desk: Desk) -> None:
    """Write the tab's session to a file."""
    sheet, session = desk.sheets.current, desk.session
    if sheet is None or session is None:
        return
    if saved := await write(desk, session, ask=session.path is None):
        keep_in(desk, sheet, saved, unsaved=False)  # another tab may be the current one by now


@_action("edit", "ctrl+e", "Edit session…", when=has_session, menu=("tabs",))
async def edit(desk: Desk) -> None:
    """Change the tab's session in a form."""
    await edit_session(desk, desk.session)


async def edit_session(desk: Desk, session: Session | None) -> None:
    """The form, filled with `session` or empty; then connect, save, or both."""
    from rtui.workbench.screens.form import SessionForm

    filled = await desk.ask(SessionForm(session, title="edit session" if session else "new session"))
    if filled is None:
        return
    kept, saved = filled.session, False
    if filled.save and (written := await write(desk, kept, ask=kept.path is None)) is not None:
        kept, saved = written, True
        desk.reload_sessions()
    sheet = desk.sheets.current
    own = sheet is not None and session is not None and sheet.session is session
    if sheet is not None and own:
        keep_in(desk, sheet, kept, unsaved=not saved)
    if filled.connect and sheet is not None and own and sheet.connection is not None:
        desk.bench.reconnect(sheet)
    elif filled.connect:
        desk.connect(kept)


@_action("reload", "W", "Read session again", when=has_file, menu=("tabs",))
async def reload(desk: Desk) -> None:
    """Read the tab's session file again; asks if something was changed here too."""
    from rtui.workbench.disk import reload as read_again

    sheet = desk.sheets.current
    if sheet is not None and sheet.session is not None and sheet.session.path is not None:
        await read_again(desk, sheet, sheet.session, sheet.session.path)


def keep_in(desk: Desk, sheet: Sheet, session: Session, *, unsaved: bool) -> None:
    """The tab's session is `session` from now on; its connection changes when it is connected again."""
    sheet.session = session
    call(desk, sheet, session.name or sheet.name)
    sheet.unsaved = unsaved
    desk.reload_sessions()


def call(desk: Desk, sheet: Sheet, name: str) -> None:
    """The tab has another name; what is kept between runs under the one before goes with it."""
    if name != sheet.name:
        desk.bench.state.carry(sheet.name, name)
        sheet.name = name
        sheet.title = desk.bench.catalog.rename(sheet.key, name)


async def write(desk: Desk, session: Session, *, ask: bool, suggestion: str = "") -> Session | None:
    """Save `session`, asking for a name first if `ask` or if it is a sample; never overwrites in silence.

    Returns what the file holds then; None if it was not to be written.
    """
    path = session.path
    if ask or path is None or is_sample(path):
        named = await _named(desk, session, suggestion or _suggestion(session.name))
        if named is None:
            return None
        session, path = named
    elif (fresh := await desk.look(partial(_other_side, session, path))) is not None:
        from rtui.workbench.disk import reconciled

        taken = await reconciled(desk, session, fresh, "save session")
        if taken is None or taken is fresh:
            return _read_again(desk, taken)
        session = taken
    saved = save_session(session, path, declares_for(session.url, session.protocol))
    for variable, what in saved.withheld.items():
        desk.say(f"{what} was not written: set the environment variable {variable}", severity="warning")
    desk.say(f"saved to {path}")
    return saved.session


async def _named(desk: Desk, session: Session, suggestion: str) -> tuple[Session, Path] | None:
    """The session under a name that the user gives, and its new file; None if it is not to be saved after all."""
    from rtui.workbench.screens.dialog import Confirm, Prompt

    name = await desk.ask(
        Prompt("save session as", value=suggestion, detail=f"in {user_sessions()}", check=_name_trouble)
    )
    if not name:
        return None
    path = user_sessions() / f"{name}.toml"
    if path.exists() and not await desk.ask(Confirm("save", f"{path} exists.", yes="Overwrite")):
        return None
    made_up = session_from_url(session.url).name
    shown = session.name if session.name not in {"", made_up} and session.path is None else path.stem
    return msgspec.structs.replace(session, path=None, stored=None, name=shown), path


def is_sample(path: Path) -> bool:
    """Whether the file came with rtui, in the package or in a checkout of it that is found as "here"."""
    samples = packaged("sessions")
    if path.resolve().is_relative_to(samples.resolve()):
        return True
    inside = Path(*path.parts[-2:])
    return path.parent.parent.name == samples.name and (samples / inside).is_file()


def _other_side(session: Session, path: Path) -> Session | None:
    """What the file says now, if that is something else than when it was read. A broken one is refused by the save."""
    if session.stored is None or not path.exists():
        return None
    try:
        fresh = load_session(path, declares_for)
    except SettingsError:
        return None
    return fresh if fresh.stored != session.stored else None


def _read_again(desk: Desk, taken: Session | None) -> Session | None:
    if taken is not None:
        desk.say(f"{taken.path} was read again, and not written")
    return taken


async def connect_entry(desk: Desk, entry: SessionEntry) -> None:
    """Connect the session under the cursor, or go to its tab."""
    if not desk.go_to_session(entry.path):
        desk.connect(loaded(entry))


async def connect_entries(desk: Desk, entries: Sequence[SessionEntry]) -> None:
    """Connect several sessions in tabs of their own, the first in view; a file that is broken stops no other."""
    new = [entry for entry in entries if not any(tab.session and tab.session.path == entry.path for tab in desk.sheets)]
    for entry in new:
        try:
            desk.bench.connect(loaded(entry), show=entry is new[0])
        except SettingsError as error:
            desk.tell_error(error)
    desk.show_pane("log")


async def edit_entry(desk: Desk, entry: SessionEntry) -> None:
    """Change it in the form, which needs a file that can be read."""
    try:
        session = loaded(entry)
    except SettingsError as error:
        desk.bench.notify(f"{error}\nEdit as text, in its menu, opens the file.", severity="error", timeout=8)
        return
    await edit_session(desk, session)


async def edit_entry_in_editor(desk: Desk, entry: SessionEntry) -> None:
    """Change its file in $EDITOR."""
    if is_sample(entry.path):
        desk.say("samples stay as they are: d makes a copy to edit")
        return
    if trouble := await edit_file(desk.app, entry.path, editor=desk.bench.config.editor):
        desk.say(trouble, severity="error")
    desk.reload_sessions()
    loaded(entry)  # says what is wrong with it now


async def duplicate_entry(desk: Desk, entry: SessionEntry) -> None:
    """Save a copy under another name."""
    session = msgspec.structs.replace(loaded(entry), path=None, stored=None, name="")
    if (copy := await write(desk, session, ask=True, suggestion=f"{entry.name}-copy")) is not None:
        desk.reload_sessions()
        desk.sure_picture.sidebar.point_at(str(copy.path))


async def rename_entry(desk: Desk, entry: SessionEntry) -> None:
    """Give the file another name, which may be in another folder; its tabs go with it."""
    from rtui.workbench.screens.dialog import Prompt

    if is_sample(entry.path):
        desk.say("samples keep their names: d makes a copy of your own")
        return
    root = entry.path.parents[entry.name.count("/")]
    name = await desk.ask(
        Prompt("rename session", value=entry.name, detail=f"in {root}", check=partial(_rename_trouble, root, entry))
    )
    if name and name != entry.name:
        path = root / f"{name}.toml"
        await asyncio.to_thread(move_session, entry.path, path, declares_for)
        for sheet in desk.sheets:
            if sheet.session is not None and sheet.session.path == entry.path:
                sheet.session = moved(sheet.session, path)
                call(desk, sheet, sheet.session.name)
        desk.reload_sessions()
        desk.sure_picture.sidebar.point_at(str(path))
        desk.redraw(lambda picture: picture.tabs())
        desk.say(f"{entry.name} is now {name}")


def _rename_trouble(root: Path, entry: SessionEntry, text: str) -> str:
    taken = text != entry.name and (root / f"{text}.toml").exists()
    return _name_trouble(text) or (f"{text} is taken" if taken else "")


@_action("find-session", "ctrl+o", "Find session…", menu=("sessions", "bottom"))
async def find(desk: Desk) -> None:
    """Find a session by name, tag, URL or description, and connect it or go to its tab."""
    from rtui.workbench.panes.sidebar import tags_of
    from rtui.workbench.screens.dialog import Choice, Choose

    entries = {str(entry.path): entry for entry in await desk.look(list_sessions)}
    choices = [
        Choice(path, entry.name, "  ".join(filter(None, (entry.description, tags_of(entry), mask_url(entry.url)))))
        for path, entry in entries.items()
    ]
    if not choices:
        desk.say("no sessions yet")
        return
    picked = await desk.ask(Choose("find session", choices, preview=desk.sure_picture.sidebar.point_at))
    if picked is not None:
        await connect_entry(desk, entries[picked])


async def delete_entry(desk: Desk, entry: SessionEntry) -> None:
    """Delete the file, after asking."""
    from rtui.workbench.screens.dialog import Confirm

    if is_sample(entry.path):
        desk.say("samples cannot be deleted")
        return
    if await desk.ask(Confirm("delete session", f"{entry.path} will be gone for good.", yes="Delete")):
        await asyncio.to_thread(entry.path.unlink, missing_ok=True)
        desk.reload_sessions()


ENTRY_VERBS = {
    "connect": connect_entry,
    "edit": edit_entry,
    "editor": edit_entry_in_editor,
    "rename": rename_entry,
    "duplicate": duplicate_entry,
    "delete": delete_entry,
}
"""What the sidebar can ask for."""


def declares_for(url: str, protocol: str) -> type[Adapter] | None:
    """The adapter class that a session file speaks of; None if a template hides the URL.

    Raises:
        Failure: if there is none.
    """
    if has_template(url) and not protocol:
        return None
    return registry.adapter(protocol) if protocol else registry.for_url(url)[0]


def loaded(entry: SessionEntry) -> Session:
    """The session of an entry.

    Raises:
        SettingsError: if its file is gone or wrong.
    """
    return load_session(entry.path, declares_for)


def _suggestion(wish: str) -> str:
    name = "".join(char if char.isalnum() or char in "-_." else "-" for char in wish)
    return name.strip("-.") or "session"


def _name_trouble(text: str) -> str:
    parts = Path(text).parts
    if not parts or text.startswith(("/", ".")) or ".." in parts or any(ord(char) < 0x20 for char in text):  # noqa: PLR2004 - controls
        return "a name such as staging, or work/staging"
    return ""
