"""Giving a session's file another name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from rtui.core.fault import Failure, Fault
from rtui.settings.files import storage_failure
from rtui.settings.session import DeclaresFor, Session, load_session
from rtui.settings.session_save import save_session


def move_session(old: Path, new: Path, declares_for: DeclaresFor) -> None:
    """Rename the file; a name in it that was the file's becomes the new one. Never overwrites.

    Raises:
        SettingsError: if the file is not a session that can be read; it keeps its name.
        Failure: kind "storage", if there is such a file already or it cannot be moved.
    """
    session = load_session(old, declares_for)
    if new.exists():
        raise Failure(Fault(kind="storage", side="us", title=f"{new} exists already"))
    try:
        new.parent.mkdir(parents=True, exist_ok=True)
        old.rename(new)
    except OSError as error:
        raise storage_failure(new, error) from error
    there = load_session(new, declares_for)
    if there.name == session.name == old.stem != new.stem:
        save_session(msgspec.structs.replace(there, name=new.stem), new)


def moved(session: Session, new: Path) -> Session:
    """`session` as its file is called now; what was changed in it and not saved stays so."""
    old = session.path.stem if session.path is not None else ""
    stored = session.stored
    if stored is not None and _head(stored).get("name") == old:
        stored = stored | {"session": _head(stored) | {"name": new.stem}}
    name = new.stem if session.name == old else session.name
    return msgspec.structs.replace(session, path=new, stored=stored, name=name)


def _head(stored: dict[str, Any]) -> dict[str, Any]:
    head: dict[str, Any] = stored.get("session", {})
    return head
