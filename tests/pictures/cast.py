"""Adapters that play recordings: to the program they are those of the protocols, and no peer is needed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Any

import msgspec

from rtui.core.command import Hangup, Send
from rtui.core.event import Acknowledged, Closed, Received, Sent
from rtui.protocols import registry
from rtui.protocols.base import Adapter
from rtui.runtime.link import Link
from tests.pictures.clock import Clock
from tests.pictures.recording import Recording


class Part:
    """One connection on the stage: a recording, and the link that it is played to."""

    def __init__(self, recording: Recording, link: Link) -> None:
        self.steps = recording.watched
        self.reactions = recording.reactions
        self.link = link
        self.left = asyncio.Event()
        """The recorded connection ended, and what follows from that was written."""

    def play(self, what: Any) -> None:
        """Report one event, at the time that the clock shows."""
        if isinstance(what, Closed):
            self.link.ask(what)  # type: ignore[arg-type]  # `run` waits for commands, and ends with this one
            return
        ledger = self.link.ledger
        while isinstance(what, Sent) and ledger.issued < what.command:
            ledger.issue()  # for what was sent when it was recorded
        self.link.emit([what])


class Cast:
    """Everybody who is on the stage."""

    def __init__(self, recordings: Sequence[Recording], clock: Clock) -> None:
        self.parts: list[Part] = []
        self._recordings = recordings
        self._clock = clock
        self._kinds: dict[str, Callable[[Cast], Adapter]] = {}
        """By protocol: there is one class of each, as of real ones."""

    @property
    def complete(self) -> bool:
        """Whether everybody is there."""
        return len(self.parts) == len(self._recordings)

    def find(self, url: str, protocol: str | None) -> tuple[Callable[[], Adapter], str]:
        """See `hub.Finder`: the adapter that would be taken, but for its `run`."""
        kind, url = registry.for_url(url, protocol)
        played = self._kinds.setdefault(kind.name, _played(kind))
        return lambda: played(self), url

    def enter(self, link: Any) -> Part:
        """Connections play the recordings in the order in which they were opened."""
        part = Part(self._recordings[link.id - 1], link)
        self.parts.append(part)
        return part

    async def play(self, until: float) -> None:
        """Everything up to a second, in the order in which it happened."""
        cues = [(step.at, part.link.id, part, step.what) for part in self.parts for step in part.steps]
        with self._clock.pinned():
            for at, _, part, what in sorted(cues, key=itemgetter(0, 1)):
                if at > until:
                    break
                self._clock.now = at
                part.play(what)
                if isinstance(what, Closed):
                    await part.left.wait()
            self._clock.now = until

    def react(self, part: Part, command: Send) -> None:
        """What came of this command when it was recorded."""
        asked, steps = part.reactions.pop(0)
        with self._clock.pinned():
            for step in steps:
                self._clock.now = step.at
                part.play(_about(command.id, asked.what, step.what))


def _played(kind: type[Adapter]) -> Callable[[Cast], Adapter]:
    """A protocol whose peer is a recording."""

    class Played(kind):  # type: ignore[misc, valid-type]
        def __init__(self, cast: Cast) -> None:
            self.cast = cast

        async def run(self, link: Any) -> Closed | None:
            part = self.cast.enter(link)
            async for command in link.commands:
                if isinstance(command, Closed):
                    part.left.set()  # what the supervisor writes of it, it writes before anybody else runs
                    return command
                if isinstance(command, Hangup):
                    return Closed(by="us", clean=True)
                if isinstance(command, Send):
                    self.cast.react(part, command)
            return None

    return Played


def _about(command: int, asked: Any, what: Any) -> Any:
    """An event that is about the command that was asked when it was recorded, about this one."""
    fields: dict[type, str] = {Sent: "command", Received: "replies_to", Acknowledged: "command"}
    field = fields.get(type(what))
    if field is None or getattr(what, field) != asked.command:
        return what
    return msgspec.structs.replace(what, **{field: command})
