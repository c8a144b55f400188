"""The rooms of the embedded Socket.IO server, with its network held back."""

from __future__ import annotations

import asyncio
from typing import Any

from rtui.demo.socketio_chat import LOBBY, Chat
from rtui.demo.socketio_play import Crew, Play
from rtui.runtime.tasks import spawn
from tests.waiting import eventually


class Held:
    """A library whose sends wait until the test lets them go."""

    def __init__(self) -> None:
        self.free = asyncio.Event()
        self.free.set()
        self.sends = 0

    def on(self, *_: Any, **__: Any) -> None:
        """No client will ever come over the network."""

    async def enter_room(self, *_: Any, **__: Any) -> None:
        """At once."""

    leave_room = enter_room

    async def emit(self, *_: Any, **__: Any) -> None:
        self.sends += 1
        await self.free.wait()


async def test_who_enters_a_room_while_he_leaves_is_in_none() -> None:
    server, crew = Held(), Crew()
    chat = Chat(Play(server, crew))
    try:
        await chat.connect("one", None)
        await eventually(lambda: "one" in chat._rooms.get(LOBBY, ()))
        server.free.clear()
        sends = server.sends
        leaving = spawn(chat.disconnect("one", "gone"), "leaving")
        await eventually(lambda: server.sends > sends)
        entering = spawn(chat.join("one", "attic"), "entering")
        await eventually(lambda: "attic" in chat._rooms)
        server.free.set()
        await asyncio.gather(leaving, entering)
        assert chat._rooms == {}
        assert await chat.people("two", "attic") == []
    finally:
        await crew.dismiss()
