"""Which sessions there are: in ./sessions, in the user's folder, and the samples that came with rtui."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import Any, Final, Literal, TypeAlias

import msgspec

from rtui.settings.files import SettingsError, load_toml
from rtui.settings.paths import packaged, user_sessions

Source: TypeAlias = Literal["here", "user", "packaged"]
MOST_FILES: Final = 5_000
"""Files looked at in one folder: `./sessions` may be anything."""


class SessionEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One session file, read far enough to be listed."""

    name: str
    """"demo/ticker": the path below its folder, without `.toml`; what `find_session` takes."""
    path: Path
    source: Source
    folder: str
    """"demo"; empty at the top."""
    url: str = ""
    """As written: templates unrendered, credentials included: mask before it is shown."""
    protocol: str = ""
    description: str = ""
    tags: tuple[str, ...] = ()
    error: str = ""
    """The first thing that is wrong with the file, or empty."""


def session_folders() -> list[tuple[Source, Path]]:
    """Where sessions are looked for; an earlier folder hides the same name in a later one."""
    return [("here", Path("sessions")), ("user", user_sessions()), ("packaged", packaged("sessions"))]


def list_sessions() -> list[SessionEntry]:
    """Every session, by source and name. Never raises: a bad file is an entry with an error."""
    found: dict[str, SessionEntry] = {}
    for source, folder in session_folders():
        for path in _files(folder):
            name = path.relative_to(folder).with_suffix("").as_posix()
            if name not in found:
                found[name] = _entry(name, path, source)
    return list(found.values())


def find_session(name: str) -> Path | None:
    """The file of the session called `name` ("demo/ticker"), if there is one."""
    parts = PurePosixPath(name).parts
    if not parts or ".." in parts or name.startswith("/") or "\0" in name:
        return None
    for _, folder in session_folders():
        path = folder.joinpath(*parts[:-1], f"{parts[-1]}.toml")
        if path.is_file():
            return path
    return None


def session_name(path: Path) -> str:
    """What `find_session` finds `path` by, where it does; else the path itself."""
    for _, folder in session_folders():
        if path.is_relative_to(folder):
            name = path.relative_to(folder).with_suffix("").as_posix()
            if find_session(name) == path:
                return name
    return str(path)


def _files(folder: Path) -> Iterator[Path]:
    try:
        paths = sorted(islice(folder.rglob("*.toml"), MOST_FILES))
    except OSError:
        return
    for path in paths:
        if not any(part.startswith(".") for part in path.relative_to(folder).parts):
            yield path


def _entry(name: str, path: Path, source: Source) -> SessionEntry:
    known, error = _head(path)
    return SessionEntry(name=name, path=path, source=source, folder=name.rpartition("/")[0], error=error, **known)


def _head(path: Path) -> tuple[dict[str, Any], str]:
    """What the table [session] says, and what is wrong."""
    try:
        table = load_toml(path).data.get("session")
    except SettingsError as wrong:
        return {}, str(wrong.problems[0])
    head = table if isinstance(table, dict) else {}
    known: dict[str, Any] = {
        key: value for key in ("url", "protocol", "description") if isinstance(value := head.get(key), str)
    }
    if isinstance(tags := head.get("tags"), list):
        known["tags"] = tuple(str(tag) for tag in tags)
    return known, "" if known.get("url") else f"{path}: the table [session] with a url is missing"
