"""The namespace `/chat` of the embedded Socket.IO server: rooms, and a parrot that talks in them."""

from __future__ import annotations

import random
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final

from rtui.demo.socketio_play import Play
from rtui.demo.story import paced

NAMESPACE: Final = "/chat"
LOBBY: Final = "lobby"
PARROT: Final = "polly"
TALKS_EVERY: Final = 4.0
SAYINGS: Final = (
    "Polly wants a packet",
    "Pieces of eight! Pieces of eight!",
    "Who asked for an acknowledgement?",
    "Ping. Pong. Ping. Pong.",
    "Nobody reads the second argument",
)


class Chat:
    """Everybody is in the lobby at first; who says something is heard in the room it is said to."""

    def __init__(self, play: Play) -> None:
        self._play = play
        self._names: dict[str, str] = {}
        self._rooms: dict[str, set[str]] = {}
        self._guests = 0
        play.server.on("connect", namespace=NAMESPACE, handler=self.connect)
        play.server.on("disconnect", namespace=NAMESPACE, handler=self.disconnect)
        play.register(NAMESPACE, {"join": self.join, "leave": self.leave, "say": self.say, "people": self.people})
        play.crew.start(self._talk)

    async def connect(self, sid: str, _: object, auth: object = None) -> None:
        """Take the name from the `auth` object, or make one up."""
        self._guests += 1
        name = auth.get("name") if isinstance(auth, Mapping) else None
        self._names[sid] = str(name or f"guest-{self._guests}")
        self._play.crew.start(self._welcome, sid)

    async def _welcome(self, sid: str) -> None:
        with suppress(KeyError):  # it has left already
            await self._tell(sid, "welcome", {"name": self._names[sid], "rooms": sorted({LOBBY, *self._rooms})})
            await self.join(sid, LOBBY)

    async def disconnect(self, sid: str, _reason: str) -> None:
        """Leave every room, and what is entered meanwhile by an event that came just before."""
        while rooms := [room for room, members in self._rooms.items() if sid in members]:
            await self.leave(sid, rooms[0])
        self._names.pop(sid, None)

    async def join(self, sid: str, room: str) -> dict[str, Any]:
        """Enter a room, which hears of it; acknowledge with who is there."""
        name, members = self._names[sid], self._rooms.setdefault(str(room), set())
        members.add(sid)
        await self._play.server.enter_room(sid, str(room), namespace=NAMESPACE)
        await self._tell(str(room), "joined", str(room), name, {"people": len(members)})
        return {"room": room, "people": self._people(str(room))}

    async def leave(self, sid: str, room: str) -> bool:
        """Go out; acknowledge with whether the client was in."""
        members = self._rooms.get(str(room), set())
        if sid not in members:
            return False
        members.discard(sid)
        if not members:
            del self._rooms[str(room)]
        await self._play.server.leave_room(sid, str(room), namespace=NAMESPACE)
        await self._tell(str(room), "left", str(room), self._names[sid], {"people": len(members)})
        return True

    async def say(self, sid: str, text: str, room: str = LOBBY) -> dict[str, int]:
        """Say something to a room; acknowledge with how many heard it."""
        await self._tell(str(room), "said", str(room), self._names[sid], text)
        return {"heard_by": len(self._rooms.get(str(room), ()))}

    async def people(self, _: str, room: str = LOBBY) -> list[str]:
        """Acknowledge with who is in a room."""
        return self._people(room)

    def _people(self, room: str) -> list[str]:
        return sorted(self._names[sid] for sid in self._rooms.get(room, ()))

    async def _tell(self, to: str, event: str, *arguments: Any) -> None:
        await self._play.emit(NAMESPACE, to, event, *arguments)

    async def _talk(self) -> None:
        chance = random.Random(1)  # noqa: S311 - a parrot, not a secret
        async for _ in paced(1 / TALKS_EVERY):
            for room in list(self._rooms):
                await self._tell(room, "said", room, PARROT, chance.choice(SAYINGS))
