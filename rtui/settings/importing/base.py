"""What an import finds, and what it had to leave behind."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Final

import msgspec

from rtui.settings.files import SettingsError
from rtui.settings.session_model import Declares, SavedMessage, Session, to_data

MOST_SESSIONS: Final = 1_000
"""Sessions taken from one source; a HAR file of a long day may hold more connections than anyone wants to see."""
MOST_MESSAGES: Final = 50
"""Saved messages taken for one session."""


class Left(msgspec.Struct, frozen=True):
    """Something that was not taken over."""

    where: str
    """"line 3", "log.entries[4]", or the name of a session."""
    what: str
    """"--retry 5"; never a secret."""
    why: str

    def __str__(self) -> str:
        return ": ".join(part for part in (self.where, self.what, self.why) if part)


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """One session, not saved yet."""

    session: Session
    folder: str = ""
    """"work/staging": the folders that the source keeps it in."""


class Harvest(msgspec.Struct, frozen=True, kw_only=True):
    """What one source gave."""

    title: str
    """"HAR 1.2": what the source was read as."""
    found: tuple[Found, ...] = ()
    left: tuple[Left, ...] = ()


def _nobody(_url: str, _protocol: str) -> None:
    """No protocol is known."""


class Gatherer:
    """Collects what a source gives while it is read."""

    def __init__(self, title: str, declares_for: Callable[[str, str], Declares | None] = _nobody) -> None:
        """`declares_for` tells the protocol of a URL, where a source speaks in its terms."""
        self.title = title
        self.declares_for = declares_for
        self._found: dict[bytes, Found] = {}
        self._left: dict[Left, None] = {}
        self._beyond = 0

    def add(self, session: Session, folder: str = "") -> None:
        """Take a session; one that is the same but for its name, only once."""
        found = Found(session=session, folder=folder)
        if (key := _content(found)) in self._found:
            self.leave(session.name, "", "the same connection was there already")
        elif len(self._found) < MOST_SESSIONS:
            self._found[key] = found
        else:
            self._beyond += 1

    def leave(self, where: str, what: str, why: str) -> None:
        """Say that something is not taken over."""
        self._left[Left(where, what, why)] = None

    def broken(self, error: SettingsError) -> None:
        """Say what is wrong with one entry; the others are taken all the same."""
        for problem in error.problems:
            self.leave(problem.key, "", problem.message)

    def harvest(self) -> Harvest:
        """All that was collected."""
        if self._beyond:
            self.leave("", f"{self._beyond:,} more sessions", f"{MOST_SESSIONS:,} are taken from one source")
        return Harvest(title=self.title, found=tuple(self._found.values()), left=tuple(self._left))


def _content(found: Found) -> bytes:
    """What two sessions that differ only in their names have in common."""
    nameless = msgspec.structs.replace(found.session, name="", description="", variables={})
    return msgspec.json.encode((found.folder, to_data(nameless)))


def distinct(messages: Iterable[SavedMessage]) -> Iterator[SavedMessage]:
    """Each message once, under a name that no other of them has."""
    seen: set[bytes] = set()
    names: set[str] = set()
    for one in messages:
        if (key := msgspec.json.encode(msgspec.structs.replace(one, name=""))) not in seen:
            seen.add(key)
            name = free_name(one.name or "message", names)
            names.add(name)
            yield msgspec.structs.replace(one, name=name)


def plain_name(*parts: str) -> str:
    """A name of letters, digits and a few signs, made of `parts`; for what has none of its own."""
    return re.sub(r"[^\w.+]+", "-", "-".join(filter(None, parts))).strip("-.") or "session"


def free_name(wish: str, taken: set[str]) -> str:
    """`wish`, or with the first number behind it that makes it a name of its own."""
    name, number = wish, 1
    while name in taken:
        number += 1
        name = f"{wish}-{number}"
    return name
