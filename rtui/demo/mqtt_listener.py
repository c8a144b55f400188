"""Where MQTT clients come in: TCP or TLS, and WebSocket (MQTT 5, 6)."""

from __future__ import annotations

import asyncio
import ssl as tls
from http import HTTPStatus
from typing import Any, Final, cast

from websockets.asyncio.server import Server as WebSocketServer
from websockets.asyncio.server import ServerConnection
from websockets.asyncio.server import serve as serve_websocket
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.typing import Subprotocol

from rtui.demo.mqtt_broker import Broker
from rtui.demo.mqtt_peer import Peer
from rtui.demo.quiet import quiet_logger

READ: Final = 64 * 1024
"""Bytes per read: one client's flood must let the others in between."""
HIGH: Final = 256 * 1024
"""Unsent bytes after which a client counts as slow."""
LOW: Final = 64 * 1024
FRAME: Final = 64 * 1024
"""Bytes per WebSocket frame: clients have limits for these that they do not tell."""
LINGER: Final = 1.0
"""Seconds in which a client can read the last packet before its connection is cut."""
PATHS: Final = ("/mqtt", "/")


class StreamWire(asyncio.Protocol):
    """One TCP or TLS connection."""

    def __init__(self, server: StreamServer) -> None:
        self.gone = asyncio.get_running_loop().create_future()
        self._server = server
        self._broker = server.broker
        self._peer: Peer | None = None
        self._transport: asyncio.Transport
        self._cut: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client is there; the broker has room for so many."""
        self._transport = cast("asyncio.Transport", transport)
        self._server.wires.add(self)
        if len(self._broker.accepted) >= self._broker.limits.connections:
            transport.close()
            return
        if hasattr(transport, "max_size"):  # TLS has it one floor below, out of reach
            transport.max_size = READ
        self._transport.set_write_buffer_limits(HIGH, LOW)
        self._peer = Peer(self._broker, self)

    def data_received(self, data: bytes) -> None:
        """Hand it to the peer, which ignores what comes after the end."""
        if self._peer:
            self._peer.receive(data)

    def connection_lost(self, _: Exception | None) -> None:
        """The client is gone."""
        self._server.wires.discard(self)
        self.gone.set_result(None)
        if self._cut:
            self._cut.cancel()
        if self._peer:
            self._peer.lost()

    def pause_writing(self) -> None:
        """Asyncio holds `HIGH` bytes."""
        if self._peer:
            self._peer.pause()

    def resume_writing(self) -> None:
        """Asyncio holds less than `LOW` bytes."""
        if self._peer:
            self._peer.resume()

    def write(self, data: bytes) -> None:
        """Send."""
        if not self._transport.is_closing():
            self._transport.write(data)

    def close(self) -> None:
        """Say that nothing more comes, let the client read it, then cut.

        Closing at once while the client still sends would reset the connection and lose the last packet.
        """
        if self._transport.is_closing():
            return
        if self._transport.can_write_eof():
            self._transport.write_eof()
            self._transport.resume_reading()
        else:
            self._transport.close()
        self._cut = asyncio.get_running_loop().call_later(LINGER, self._transport.abort)

    def pause_reading(self) -> None:
        """Let the client wait."""
        self._transport.pause_reading()

    def resume_reading(self) -> None:
        """Read on."""
        if not self._transport.is_closing():
            self._transport.resume_reading()


class FrameWire:
    """One WebSocket connection. Frames and packets are cut independently of each other (6.0)."""

    def __init__(self, broker: Broker, connection: ServerConnection) -> None:
        self._connection = connection
        self._unsent: list[bytes] = []
        self._size = 0
        self._slow = False
        self._closing = False
        self._cut: asyncio.TimerHandle | None = None
        self._wake = asyncio.Event()
        self._readable = asyncio.Event()
        self._readable.set()
        self._peer = Peer(broker, self)

    async def run(self) -> None:
        """Read and write until either side ends it."""
        try:
            async with asyncio.TaskGroup() as group:
                writing = group.create_task(self._send(), name="mqtt websocket writer")
                await self._read()
                self._closing = True
                self._wake.set()
                await asyncio.wait([writing], timeout=LINGER)
                writing.cancel()
        finally:
            self._peer.lost()
            if self._cut:
                self._cut.cancel()

    async def _read(self) -> None:
        try:
            async for data in self._connection:
                if isinstance(data, str):
                    await self._connection.close(1003, "MQTT is binary")
                    return
                self._peer.receive(data)
                await self._readable.wait()
        except ConnectionClosed:
            return

    async def _send(self) -> None:
        try:
            while self._unsent or not self._closing:
                await self._wake.wait()
                self._wake.clear()
                await self._send_gathered()
            await self._connection.close()
        except ConnectionClosed:
            return

    async def _send_gathered(self) -> None:
        data = b"".join(self._unsent)
        self._unsent.clear()
        for at in range(0, len(data), FRAME):
            await self._connection.send(data[at : at + FRAME])
        self._size -= len(data)
        if self._slow and self._size < LOW:
            self._slow = False
            self._peer.resume()

    def write(self, data: bytes) -> None:
        """Send in the writer's turn."""
        self._unsent.append(data)
        self._size += len(data)
        self._wake.set()
        if self._size > HIGH and not self._slow:
            self._slow = True
            self._peer.pause()

    def close(self) -> None:
        """End after what was written, or when the client has had time enough to read it."""
        self._closing = True
        self._readable.set()
        self._wake.set()
        self._cut = asyncio.get_running_loop().call_later(LINGER, self._connection.transport.abort)

    def pause_reading(self) -> None:
        """Let the client wait."""
        self._readable.clear()

    def resume_reading(self) -> None:
        """Read on."""
        self._readable.set()


class StreamServer:
    """Accepts TCP or TLS connections."""

    def __init__(self, broker: Broker) -> None:
        self.broker = broker
        self.wires: set[StreamWire] = set()
        self._server: asyncio.Server

    async def listen(self, host: str, port: int, ssl: tls.SSLContext | None) -> None:
        """Begin."""
        patience = self.broker.limits.first_wait if ssl else None
        self._server = await asyncio.get_running_loop().create_server(
            lambda: StreamWire(self), host, port, ssl=ssl, ssl_handshake_timeout=patience
        )

    @property
    def port(self) -> int:
        """Where it listens."""
        number: int = self._server.sockets[0].getsockname()[1]
        return number

    def close(self) -> None:
        """Accept no more."""
        self._server.close()

    async def wait_closed(self) -> None:
        """Return when every client is gone; those that linger are cut by their timers."""
        while self.wires:
            await asyncio.wait([wire.gone for wire in self.wires])


async def listen_stream(broker: Broker, host: str, port: int, ssl: tls.SSLContext | None) -> StreamServer:
    """Serve MQTT over TCP, or TLS."""
    server = StreamServer(broker)
    await server.listen(host, port, ssl)
    return server


async def listen_websocket(broker: Broker, host: str, port: int, ssl: tls.SSLContext | None) -> WebSocketServer:
    """Serve MQTT over WebSocket, or secure WebSocket."""

    async def play(connection: ServerConnection) -> None:
        if len(broker.accepted) < broker.limits.connections:
            await FrameWire(broker, connection).run()

    # No pings: MQTT has a keep-alive of its own, and paho answers one without a mask, which ends its connection.
    extra: dict[str, Any] = {"ping_interval": None, "max_queue": (2, 1), "close_timeout": LINGER, "compression": None}
    return await serve_websocket(
        play,
        host,
        port,
        ssl=ssl,
        subprotocols=[Subprotocol("mqtt")],
        process_request=_before,
        max_size=broker.limits.packet + FRAME,
        logger=quiet_logger("mqtt"),
        **extra,
    )


def _before(connection: ServerConnection, request: Request) -> Response | None:
    if request.path.partition("?")[0] in PATHS:
        return None
    return connection.respond(HTTPStatus.NOT_FOUND, f"MQTT is served at {PATHS[0]}\n")
