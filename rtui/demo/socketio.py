"""The embedded Socket.IO server: namespaces for what an event, an acknowledgement and a refusal can be."""

from __future__ import annotations

import json
import ssl as tls
from collections.abc import Mapping
from functools import partial
from types import SimpleNamespace
from typing import Any, Final

import socketio
from aiohttp import web
from socketio.packet import Packet

from rtui.demo.quiet import quiet_logger
from rtui.demo.socketio_chat import Chat
from rtui.demo.socketio_play import Crew, Play
from rtui.demo.socketio_scene import Admin, Private, Ticker

NAMESPACES: Final = ("/", "/chat", "/private", "/admin")
GOODBYE: Final = 0.5
"""Seconds that clients have to take the server's goodbye."""

PATHS: Final[Mapping[str, str]] = {
    "/?rate=2&seed=1": "typed events with several arguments: order, trade, sensor, alert, heartbeat; rate 0 = none",
    "echo": "acknowledges with its arguments",
    "slow": "acknowledges after as many milliseconds as its argument says",
    "binary": "sends an image and acknowledges with the binary arguments turned round",
    "question": "asks you for an acknowledgement, then tells what you answered",
    "burst": "so many events of such a size (two arguments)",
    "hostile": "text that attacks terminals: escape sequences, bidi controls, markup",
    "kick": "throws you out of the namespace after so many milliseconds, an acknowledgement still pending",
    "/chat,say": "a chat with rooms: say (text, room), join (room), leave (room), people (room)",
    "/private,whisper": 'wants the auth {"token": "demo"}; refuses others with data',
    "/admin,clients": "what the server counts, every two seconds; clients, kick (sid, namespace)",
}
"""What to send, or the query of the URL → what happens then. `#/chat` at the end of the URL chooses a namespace."""


class _Packet(Packet):  # type: ignore[misc]  # without types
    """Text as it is, as Node's Socket.IO sends it: Python's own escapes all that is not ASCII."""

    json = SimpleNamespace(dumps=partial(json.dumps, ensure_ascii=False), loads=json.loads)


class Server:
    """A running demo server."""

    def __init__(self, runner: web.AppRunner, play: Play, host: str, *, secure: bool) -> None:
        self._runner = runner
        self._play = play
        self.port: int = runner.addresses[0][1]
        name = f"[{host}]" if ":" in host else host
        self.url = f"socketio+http{'s' if secure else ''}://{name}:{self.port}"

    async def close(self) -> None:
        """Tell every client goodbye and free the port."""
        for client in tuple(self._play.server.eio.sockets.values()):
            await client.close(wait=False)  # waiting would be for a client that reads all it was sent
        await self._play.server.shutdown()
        await self._runner.cleanup()
        await self._play.crew.dismiss()


async def serve(host: str = "127.0.0.1", port: int = 0, ssl: tls.SSLContext | None = None) -> Server:
    """Start serving `NAMESPACES`; port 0 takes a free one."""
    logger, crew = quiet_logger("socketio"), Crew()
    server = socketio.AsyncServer(async_mode="aiohttp", logger=logger, engineio_logger=logger, serializer=_Packet)
    # A documented method of the library, led to where the tasks are kept: its pings sleep on after a client left.
    server.eio.start_background_task = crew.start
    app = web.Application()
    app.router.add_get("/", _index)
    server.attach(app)
    runner = web.AppRunner(app, access_log=None, logger=logger, shutdown_timeout=GOODBYE)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port, ssl_context=ssl).start()
    except BaseException:
        await runner.cleanup()
        raise
    return Server(runner, _furnish(server, crew), host, secure=ssl is not None)


def _furnish(server: Any, crew: Crew) -> Play:
    play = Play(server, crew)
    Ticker(play)
    Chat(play)
    Private(play)
    Admin(play, NAMESPACES)
    return play


async def _index(_: web.Request) -> web.Response:
    """What a browser sees."""
    return web.json_response({"paths": dict(PATHS)})
