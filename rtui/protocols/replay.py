"""A recorded connection, played as if it came live: `replay:FILE#CONNECTION`.

There is no peer. Words, the tree and the views of payloads are those of the protocol that was recorded: `recorded`
makes the adapter that has them. `wire.replay_session` plays, `wire.replay_deck` keeps the clock, `wire.replay_reel`
reads the file.
"""

from __future__ import annotations

import sqlite3
from typing import Annotated, ClassVar

import msgspec

from rtui.core.event import Closed
from rtui.core.fault import Failure, Fault
from rtui.core.record import Record
from rtui.protocols.base import Adapter, Link, Words
from rtui.settings.option import option


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """How a recording is played."""

    speed: Annotated[
        str, option("How fast: 2 is twice as fast as it was recorded; max", metavar="X", section="Replay")
    ] = "1"
    begin: Annotated[
        str,
        option(
            "Begin at: +10s, -10s from the end, 50%, or the time of then such as 12:01:02",
            metavar="TIME",
            section="Replay",
        ),
    ] = ""
    until: Annotated[str, option("End at, as for begin", metavar="TIME", section="Replay")] = ""
    loop: Annotated[bool, option("Begin again at the end", kind="flag", section="Replay")] = False
    max_silence: Annotated[
        float, option("Shorten silences to this long; 0 plays them as they were", kind="duration", section="Replay")
    ] = 0.0
    filter: Annotated[
        str, option("Play only what matches a display filter", flag=False, metavar="EXPR", section="Replay")
    ] = ""


class Replay(Adapter):
    """The player of captures. A class of its own stands for each recorded protocol; see `recorded`."""

    name = "replay"
    title = "Replay"
    schemes = ("replay",)
    verbs = frozenset()
    words = Words(channel="channel", channels="channels", peer="recording")
    Options = Options
    Recorded: ClassVar[type[Adapter]] = Adapter
    """The adapter of the protocol that was recorded, for what it knows of payloads."""

    @classmethod
    def recorded(cls, original: type[Adapter]) -> type[Replay]:
        """The player of connections that `original` had."""
        title = f"Replay of {original.title}"
        namespace = {"name": original.name, "title": title, "words": original.words, "Recorded": original}
        return type("Replay", (cls,), namespace)

    @classmethod
    def on_wire(cls, record: Record) -> str:
        """See `Adapter.on_wire`."""
        return cls.Recorded.on_wire(record)

    async def run(self, link: Link) -> Closed | None:
        """See `Adapter.run`."""
        from rtui.protocols.wire.replay_session import converse

        return await converse(self, link)

    def retryable(self, error: BaseException) -> bool:  # noqa: ARG002 - a file does not become better by itself
        """See `Adapter.retryable`."""
        return False

    def explain(self, error: BaseException) -> Fault:
        """See `Adapter.explain`."""
        if isinstance(error, Failure):
            return error.fault
        if isinstance(error, OSError | sqlite3.Error):
            return Fault(kind="storage", side="us", title="Cannot read the capture", cause=str(error))
        return Fault(kind="bug", side="us", title="Unexpected error", cause=f"{type(error).__name__}: {error}")
