"""Which message type a payload has: as the user said for its channel, else as its session says."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Final

from rtui.capture.pattern import has_levels, topic
from rtui.core.record import Kind, Record
from rtui.payloads.base import View
from rtui.payloads.typed import TypedView, TypeFile
from rtui.settings.session_model import ProtobufTypes, Session

GUESSED: Final = ""
"""Chosen where a channel's payloads are to be shown as if no type were known."""


class Decodings:
    """The types of all connections."""

    def __init__(self, session_of: Callable[[int], Session | None]) -> None:
        """`session_of` gives the session of a link, if one is known."""
        self._session_of = session_of
        self._chosen: dict[tuple[int, str], tuple[TypeFile, str]] = {}
        self._latest: TypeFile | None = None
        """The file that the user named last."""
        self._files: dict[Path, tuple[int, TypeFile]] = {}

    def choose(self, record: Record, file: TypeFile | None, message: str) -> None:
        """From now on the messages of the record's channel have this type; `GUESSED`: none is known."""
        self._latest = file or self._latest
        if self._latest is not None:
            self._chosen[record.link, record.channel] = (self._latest, message)

    def view(self, record: Record) -> View | None:
        """What shows the record's payload by its type; None where none is known."""
        if record.kind != Kind.MESSAGE:
            return None
        file, message = self._chosen.get((record.link, record.channel)) or self._told(record)
        return TypedView(file, message) if file is not None and message else None

    def file(self, record: Record) -> TypeFile | None:
        """The descriptor set to choose from for a record."""
        chosen = self._chosen.get((record.link, record.channel))
        return chosen[0] if chosen is not None else self._told(record)[0] or self._latest

    def open_file(self, path: Path) -> TypeFile:
        """The descriptor set at `path`, read anew only when it was written since."""
        try:
            written = path.stat().st_mtime_ns
        except OSError:
            written = 0
        known = self._files.get(path)
        if known is None or known[0] != written:
            known = self._files[path] = (written, TypeFile(path))
        return known[1]

    def _told(self, record: Record) -> tuple[TypeFile | None, str]:
        """What the session says."""
        session = self._session_of(record.link)
        types = session.view.protobuf if session is not None else None
        if session is None or types is None:
            return None, ""
        return self.open_file(session.base / types.descriptor), message_of(types, record.channel)


def message_of(types: ProtobufTypes, channel: str) -> str:
    """The type that a session names for a channel; empty for none."""
    named = types.channels.get(channel) or next(
        (name for pattern, name in types.channels.items() if _fits(pattern, channel)), ""
    )
    return named or types.message


def _fits(pattern: str, channel: str) -> bool:
    """As `ch:` of the filter language has it: a topic filter, or a name with *."""
    return topic(pattern, channel) if has_levels(pattern) else _glob(pattern).fullmatch(channel) is not None


@lru_cache(maxsize=256)
def _glob(pattern: str) -> re.Pattern[str]:
    return re.compile(".*".join(map(re.escape, pattern.split("*"))), re.DOTALL)
