"""What a URL of a replay says: `replay:FILE#CONNECTION?speed=2&from=+10s`, parts percent-encoded where they must be."""

from __future__ import annotations

import os
import re
import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final
from urllib.parse import quote, unquote

import msgspec

from rtui.capture.reader import LinkRow, Reader
from rtui.core.fault import Failure, Fault
from rtui.settings.option import nearest

SCHEME: Final = "replay"
SETTINGS: Final = ("speed", "from", "until", "loop", "max_silence", "filter")
_PLAIN: Final = "/:@+()"
"""What the name of a connection may hold besides letters and digits without being encoded."""
_FORM: Final = re.compile(r"(?P<path>[^?#]*)(\?(?P<first>[^#]*))?(#(?P<connection>[^?]*))?(\?(?P<last>.*))?", re.DOTALL)


class Address(msgspec.Struct, frozen=True, kw_only=True):
    """Which connection of which file, and how it is to be played."""

    path: Path
    connection: str = ""
    """Its title; "" = the only one that there is."""
    settings: Mapping[str, str] = {}
    """Those of `SETTINGS` that the URL gives."""


def parse(url: str) -> Address:
    """The parts of `url`. The query may stand before or behind the connection.

    Raises:
        Failure: there is no file in it, or a setting that there is not.
    """
    found = _FORM.fullmatch(url.partition(":")[2].removeprefix("//"))
    assert found is not None  # noqa: S101 - every text has this form
    if not found["path"]:
        raise unusable("there is no file in it", "Write replay:FILE#CONNECTION")
    settings = _settings("&".join(filter(None, (found["first"], found["last"]))))
    path = Path(os.path.expanduser(unquote(found["path"])))  # noqa: PTH111 - Path.expanduser raises where there is no home
    return Address(path=path, connection=unquote(found["connection"] or ""), settings=settings)


def written(path: Path, connection: str = "", settings: Mapping[str, str] | None = None) -> str:
    """The URL that `parse` reads back."""
    query = "&".join(f"{key}={quote(value, safe='+:.')}" for key, value in (settings or {}).items())
    fragment = f"#{quote(connection, safe=_PLAIN)}" if connection else ""
    return f"{SCHEME}:{quote(str(path))}{fragment}{query and '?' + query}"


def titles(links: Sequence[LinkRow]) -> dict[str, LinkRow]:
    """The connections of a capture by their names, numbered where an earlier one has the same."""
    found: dict[str, LinkRow] = {}
    seen: dict[str, int] = {}
    for link in links:
        name = link.name or f"connection {link.id}"
        seen[name] = place = seen.get(name, 0) + 1
        found[name if place == 1 else f"{name} ({place})"] = link
    return found


def chosen(links: Sequence[LinkRow], connection: str) -> LinkRow:
    """The connection that is called so; without a name, the only one.

    Raises:
        Failure: there is none, or there are several.
    """
    known = titles(links)
    if connection in known:
        return known[connection]
    names = ", ".join(known)
    if connection:
        near = nearest(connection, list(known))
        hint = f"Did you mean {near}? " if near else ""
        raise _usage("No such connection in the capture", connection, f"{hint}There are: {names or 'none'}")
    if len(known) != 1:
        cause = "there are several in the capture" if known else "there is none in the capture"
        raise _usage("Which connection?", cause, f"Write replay:FILE#CONNECTION, with one of: {names}" if known else "")
    return next(iter(known.values()))


def recorded_protocol(url: str) -> str:
    """The protocol that was recorded.

    Raises:
        Failure: it cannot be told, since the URL, the file or the connection is none.
    """
    address = parse(url)
    reader = Reader(address.path)
    try:
        return chosen(reader.links(), address.connection).protocol
    except sqlite3.Error as error:
        raise unusable(str(error), "") from None
    finally:
        reader.close()


def unusable(cause: str, hint: str) -> Failure:
    """The failure of a URL."""
    return _usage("Not a usable replay", cause, hint)


def _settings(query: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for part in filter(None, query.split("&")):
        key, _, value = part.partition("=")
        if key not in SETTINGS:
            raise unusable(f"unknown setting {key!r}", f"Known: {', '.join(SETTINGS)}")
        found[key] = unquote(value)
    return found


def _usage(title: str, cause: str, hint: str) -> Failure:
    return Failure(Fault(kind="usage", side="us", title=title, cause=cause, hint=hint))
