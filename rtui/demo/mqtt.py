"""The embedded MQTT broker with a simulated plant on it: 3.1.1 and 5, over TCP and WebSocket, or both over TLS."""

from __future__ import annotations

import asyncio
import ssl as tls
from collections.abc import Mapping
from typing import Final

from websockets.asyncio.server import Server as WebSocketServer

from rtui.demo.mqtt_broker import Broker
from rtui.demo.mqtt_listener import PATHS as WEBSOCKET_PATHS
from rtui.demo.mqtt_listener import StreamServer, listen_stream, listen_websocket
from rtui.demo.mqtt_plant import TOPICS, Plant
from rtui.demo.mqtt_policy import Access, Limits
from rtui.demo.mqtt_system import System

PATHS: Final[Mapping[str, str]] = {
    **TOPICS,
    "denied/#": "refused: not authorized",
    "$SYS/#": "what the broker counts",
}
"""Topic filter → what is to be seen there. User name and password, where wanted: demo, demo."""


class Server:
    """A running broker."""

    def __init__(
        self, broker: Broker, stream: StreamServer, frames: WebSocketServer, host: str, *, secure: bool
    ) -> None:
        self.broker = broker
        self.port = stream.port
        self.websocket_port: int = next(iter(frames.sockets)).getsockname()[1]
        name, s = f"[{host}]" if ":" in host else host, "s" if secure else ""
        self.url = f"mqtt{s}://{name}:{self.port}"
        self.urls = (self.url, f"mqtt+ws{s}://{name}:{self.websocket_port}{WEBSOCKET_PATHS[0]}")
        self._stream = stream
        self._frames = frames
        self._system = System(broker)
        self._plant: Plant | None = None

    def furnish(self) -> None:
        """Let the plant run on the broker."""
        self._plant = Plant(self.broker)

    async def close(self) -> None:
        """Tell every client goodbye and free the ports."""
        self._system.close()
        if self._plant:
            self._plant.close()
        self._stream.close()
        self.broker.close()
        self._frames.close()
        await self._frames.wait_closed()
        await self._stream.wait_closed()


async def serve(
    host: str = "127.0.0.1",
    port: int = 0,
    ssl: tls.SSLContext | None = None,
    *,
    plant: bool = True,
    limits: Limits | None = None,
    access: Access | None = None,
) -> Server:
    """Start the broker; port 0 takes a free one. WebSocket clients come in one port above, or at any free one."""
    broker = Broker(asyncio.get_running_loop(), limits, access)
    stream = await listen_stream(broker, host, port, ssl)
    try:
        frames = await _listen_beside(broker, host, port, ssl)
    except BaseException:
        stream.close()
        raise
    server = Server(broker, stream, frames, host, secure=ssl is not None)
    if plant:
        server.furnish()
    return server


async def _listen_beside(broker: Broker, host: str, port: int, ssl: tls.SSLContext | None) -> WebSocketServer:
    try:
        return await listen_websocket(broker, host, port + 1 if port else 0, ssl)
    except OSError:
        return await listen_websocket(broker, host, 0, ssl)
