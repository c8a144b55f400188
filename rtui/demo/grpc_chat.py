"""The service `Chat` of the embedded gRPC server: rooms, and a parrot that talks in them."""

from __future__ import annotations

import asyncio
import random
from typing import Any, Final

from rtui.demo.grpc_host import Call, Service
from rtui.demo.grpc_proto import made
from rtui.demo.story import paced
from rtui.runtime.tasks import spawn

LOBBY: Final = "lobby"
PARROT: Final = "polly"
TALKS_EVERY: Final = 4.0
UNREAD: Final = 1_000
"""Lines that a guest who does not read may miss none of; then the oldest are let go."""
SAYINGS: Final = (
    "Polly wants a protobuf",
    "Pieces of eight! Pieces of eight!",
    "Who closed the other half?",
    "Unary. Stream. Unary. Stream.",
)


class Guest:
    """Somebody in a room, by one call."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.room = ""
        self.inbox: asyncio.Queue[Any] = asyncio.Queue(UNREAD)
        """What to tell; None ends the call."""

    def hear(self, said: Any) -> None:
        """Put it into the inbox."""
        if self.inbox.full():
            self.inbox.get_nowait()
        self.inbox.put_nowait(said)


class Chat(Service):
    """Who sends a line with a name and a room is there from then on; who ends the call leaves."""

    def __init__(self) -> None:
        self._guests: list[Guest] = []
        self._counted = 0
        self._parrot: asyncio.Task[None] | None = None

    async def join(self, call: Call) -> None:
        """Hear what is said in a room, and say something."""
        self._counted += 1
        guest = Guest(f"guest-{self._counted}")
        telling = spawn(self._tell(call, guest), "demo chat")
        try:
            async for line in call:
                self._take(guest, line)
            guest.hear(None)
            await telling
        finally:
            telling.cancel()
            self._go(guest)

    async def rooms(self, call: Call) -> None:
        """How many are in each room."""
        await call.recv_message()
        names = [guest.room for guest in self._guests]
        await call.send_message(made("RoomList", people={name: names.count(name) for name in names}))

    async def _tell(self, call: Call, guest: Guest) -> None:
        while (said := await guest.inbox.get()) is not None:
            await call.send_message(said)

    def _take(self, guest: Guest, line: Any) -> None:
        guest.name = line.name or guest.name
        self._enter(guest, line.room or guest.room or LOBBY)
        if line.text:
            self._say(guest.room, guest.name, line.text)

    def _enter(self, guest: Guest, room: str) -> None:
        if guest.room == room:
            return
        self._go(guest)
        guest.room = room
        self._guests.append(guest)
        self._say(room, guest.name, "came in")
        if self._parrot is None:
            self._parrot = spawn(self._talk(), "demo parrot")

    def _go(self, guest: Guest) -> None:
        """Leave the room, if it is in one; the parrot goes with the last."""
        if guest not in self._guests:
            return
        self._guests.remove(guest)
        self._say(guest.room, guest.name, "went out")
        if not self._guests and self._parrot is not None:
            self._parrot.cancel()
            self._parrot = None

    def _say(self, room: str, name: str, text: str) -> None:
        there = [guest for guest in self._guests if guest.room == room]
        said = made("Said", room=room, name=name, text=text, people=sorted(guest.name for guest in there))
        for guest in there:
            guest.hear(said)

    async def _talk(self) -> None:
        chance = random.Random(1)  # noqa: S311 - a parrot, not a secret
        async for _ in paced(1 / TALKS_EVERY):
            for room in {guest.room for guest in self._guests}:
                self._say(room, PARROT, chance.choice(SAYINGS))
