"""Records what the pictures are made from: `python -m tests.pictures.record` runs the demo servers for half a minute.

Afterwards every picture is another one: look at each.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, Final

from rtui.capture.journal import Journal
from rtui.cli.demo import SHOWN, demo_sessions
from rtui.core.command import Command
from rtui.core.event import Closed, Event, Progressed
from rtui.demo import lab
from rtui.protocols import registry
from rtui.protocols.base import Adapter, Link
from rtui.runtime.hub import Connection, Hub
from rtui.settings.secrets import Secrets
from rtui.workbench.opening import open_session
from tests.pictures.recording import REPEAT, REPEATED, Asked, Happened, Recording, Step, save

LENGTH: Final = 30.0
"""Seconds that are watched."""
REHEARSED: Final = 4.0
"""Seconds before that."""
PINGED: Final = 8.0
"""Second of a ping on `plant`: when all connect at once, a round trip is no measure of anything."""
SENT: Final = (
    (14.0, "calls", "say"),
    (17.5, "calls", "every type"),
    (21.0, "calls", "fail"),
    (24.2, "plant", "ask the time"),
    (25.1, "rooms", "say hi"),
    (26.3, "chat", "hi"),
)
"""What is sent meanwhile: after how many seconds, on which connection, which of its saved messages."""
ON_CLOCK: Final = frozenset({"last_byte", "next_poll"})
"""What adapters tell in nanoseconds of a clock that began long before."""


class Notes:
    """What happens on one connection, as it happens."""

    def __init__(self, began: int) -> None:
        """`began`: when the recording did, in nanoseconds of the monotonic clock."""
        self.steps: list[Step] = []
        self.open = True
        """Whether more is taken down."""
        self._began = began

    def add(self, what: Happened) -> None:
        """Take it down."""
        if isinstance(what, Progressed):
            told = {key: value - self._began if key in ON_CLOCK else value for key, value in what.details.items()}
            what = Progressed(told)
        if self.open:
            self.steps.append(Step(round((time.monotonic_ns() - self._began) / 1e9, 6), what))


class Tap:
    """A link as an adapter sees it; what it is told is taken down."""

    def __init__(self, link: Link, notes: Notes) -> None:
        self.url, self.options, self.memory = link.url, link.options, link.memory
        self._link = link
        self._notes = notes

    @property
    def commands(self) -> AsyncIterator[Command]:
        """See `Link.commands`."""
        return self._link.commands

    def emit(self, events: Sequence[Event]) -> None:
        """See `Link.emit`."""
        self._take(events)
        self._link.emit(events)

    async def pour(self, events: Sequence[Event]) -> None:
        """See `Link.pour`."""
        self._take(events)
        await self._link.pour(events)

    def _take(self, events: Sequence[Event]) -> None:
        for event in events:
            self._notes.add(event)


class Studio:
    """The sessions of `rtui demo`, and what happens on them."""

    def __init__(self, journal: Journal) -> None:
        self.hub = Hub(journal, find=self._find)
        self.notes: dict[str, Notes] = {}
        self.start, self._began = time.time_ns(), time.monotonic_ns()

    def open(self, urls: Mapping[str, str]) -> None:
        """Connect all of them to the servers at `urls`."""
        for name, session in zip(SHOWN, demo_sessions(urls), strict=True):
            self.notes[name] = Notes(self._began)
            open_session(self.hub, session, Secrets())

    def _find(self, url: str, protocol: str | None) -> tuple[Any, str]:
        """See `hub.Finder`."""
        kind, url = registry.for_url(url, protocol)
        notes = [*self.notes.values()][-1]
        return lambda: _tapped(kind, notes), url

    def connection(self, name: str) -> Connection:
        """One of them."""
        return self.hub.connections[SHOWN.index(name)]

    def send(self, name: str, message: str) -> None:
        """Send a saved message."""
        connection = self.connection(name)
        connection.send_saved(next(one for one in connection.session.messages if one.name == message))

    def asked(self, name: str) -> None:
        """What follows on a connection is what comes of the next command."""
        self.notes[name].add(Asked(self.connection(name).link.ledger.issued + 1))

    async def until(self, second: float) -> None:
        """Wait for a moment of the recording."""
        await asyncio.sleep(second - (time.monotonic_ns() - self._began) / 1e9)


def _tapped(kind: type[Adapter], notes: Notes) -> Adapter:
    class Tapped(kind):  # type: ignore[misc, valid-type]
        async def run(self, link: Link) -> Closed | None:
            closed: Closed | None = await super().run(Tap(link, notes))
            notes.add(closed or Closed(by="them", clean=True))
            return closed

    return Tapped()


async def perform(studio: Studio) -> None:
    """Watch and send; then do what the pictures do, and take down what comes of it."""
    await studio.until(PINGED)
    studio.connection("plant").poke()
    for second, name, message in SENT:
        await studio.until(second)
        studio.send(name, message)
    await studio.until(LENGTH)
    for name, notes in studio.notes.items():
        notes.open = name in {"calls", "echo"}
    studio.asked("calls")
    calls = studio.connection("calls")
    await calls.wait_outcome(calls.send(REPEAT, REPEATED), acked=True)
    studio.asked("echo")
    studio.send("echo", "hello")
    await studio.until(LENGTH + 4)
    for notes in studio.notes.values():
        notes.open = False
    await studio.hub.close_all()


async def record() -> None:
    """Run the servers, and write what happened."""
    urls: dict[str, str] = {}
    servers = await lab.serve(announce=lambda ready: urls.update({ready["protocol"]: ready["url"]}))
    journal = Journal.create()
    try:
        rehearsal = Studio(journal)  # else the first seconds are those of imports
        rehearsal.open(urls)
        await rehearsal.until(REHEARSED)
        await rehearsal.hub.close_all()
        studio = Studio(journal)
        studio.open(urls)
        await perform(studio)
    finally:
        journal.close()
        await servers.close()
    for name, notes in studio.notes.items():
        save(Recording(name, studio.start, notes.steps), urls)


if __name__ == "__main__":
    asyncio.run(record())
