"""Which message type a payload has, as its session says: to read what comes, and to make what is sent."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable
from functools import lru_cache
from pathlib import Path
from typing import Final, NamedTuple

from rtui.capture.pattern import has_levels, topic
from rtui.core.record import Kind, Record
from rtui.encoding.packed import untyped
from rtui.encoding.type_file import TypeFile, type_file
from rtui.payloads.base import View
from rtui.payloads.meaning import meaning
from rtui.payloads.typed import TypedView
from rtui.protobuf.unfit import Unfit
from rtui.settings.session_model import ProtobufTypes, Session

HOLDS: Final = 1.0
"""Seconds until a descriptor set is looked at again: it may have been written."""
KEPT: Final = 10_000
"""Channels whose types are at hand."""


class Types(NamedTuple):
    """What is known of one connection's payloads."""

    table: ProtobufTypes
    base: Path
    """The folder that its descriptor set is meant from."""

    @property
    def file(self) -> TypeFile:
        """The descriptor set."""
        return type_file(self.base / self.table.descriptor)


def types_of(session: Session | None) -> Types | None:
    """What a session says of its payloads."""
    if session is None or session.view.protobuf is None:
        return None
    return Types(session.view.protobuf, session.base)


class Decodings:
    """The types of all connections. Every thread may ask."""

    def __init__(self, types: Callable[[int], Types | None], links: Callable[[], Iterable[int]] = tuple) -> None:
        """`types` tells what is known of a link's payloads, `links` which there are."""
        self._types = types
        self._links = links
        self._views: dict[tuple[int, str], tuple[float, ProtobufTypes | None, TypedView | None]] = {}
        """What shows a channel's payloads, until when (monotonic seconds) and by which table that holds."""

    def view(self, record: Record) -> View | None:
        """What shows the record's payload by its type; None where none is known."""
        return self._view(record.link, record.channel) if record.kind == Kind.MESSAGE else None

    def file(self, link: int) -> TypeFile | None:
        """The descriptor set of a link."""
        types = self._types(link)
        return types.file if types is not None else None

    def typed(self) -> list[int]:
        """See `capture.meaning.Meaning`."""
        return [link for link in list(self._links()) if self._types(link) is not None]

    def json(self, link: int, channel: str, payload: bytes, meta: str | None) -> bytes | None:
        """See `capture.meaning.Meaning`."""
        return meaning(payload, meta, self._view(link, channel))

    def _view(self, link: int, channel: str) -> TypedView | None:
        """A filter asks for it a million times: neither the table nor the file is looked at for each row."""
        types, now = self._types(link), time.monotonic()
        table = types.table if types is not None else None
        until, known, view = self._views.get((link, channel), (0.0, None, None))
        if now < until and known is table:
            return view
        message = message_of(table, channel) if table is not None else ""
        view = TypedView(types.file, message) if types is not None and message else None
        if len(self._views) >= KEPT:
            self._views.clear()
        self._views[link, channel] = (now + HOLDS, table, view)
        return view


def decodings_of(session: Session, link: int) -> Decodings:
    """The types of one connection alone."""
    return Decodings(lambda _link: types_of(session), lambda: (link,))


def message_of(types: ProtobufTypes, channel: str) -> str:
    """The type that a session names for a channel; empty for none, also where it says so."""
    if channel in types.channels:
        return types.channels[channel]
    fitting = (name for pattern, name in types.channels.items() if _fits(pattern, channel))
    return next(fitting, types.message)


def pack(types: Types | None, text: bytes, channel: str, message: str = "") -> bytes:
    """The bytes of a protobuf message that JSON means: of the type `message`, or else of that of the channel.

    Raises:
        ValueError: no type is known, or the JSON does not fit it; the words tell where.
    """
    if types is None:
        return untyped(text)
    wanted = message or message_of(types.table, channel)
    if not wanted:
        raise Unfit(f"no message type is known of {channel or 'this'}: name one, or [view.protobuf] may")
    return types.file.codec(wanted).encode(text)


def packer(session: Session) -> Callable[[bytes, str, str], bytes]:
    """`pack` by the types of a session."""
    return lambda text, channel, message: pack(types_of(session), text, channel, message)


def _fits(pattern: str, channel: str) -> bool:
    """As `ch:` of the filter language has it: a topic filter, or a name with *."""
    return topic(pattern, channel) if has_levels(pattern) else _glob(pattern).fullmatch(channel) is not None


@lru_cache(maxsize=256)
def _glob(pattern: str) -> re.Pattern[str]:
    return re.compile(".*".join(map(re.escape, pattern.split("*"))), re.DOTALL)
