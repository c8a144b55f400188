"""A scripted Engine.IO 4 server: every packet by hand, over polling, WebSocket and the upgrade between them.

What a script says goes out over whichever transport the client has chosen.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import ssl
import struct
from base64 import b64decode, b64encode
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeAlias

from aiohttp import WSMsgType, web

SEPARATOR = "\x1e"


class Client:
    """The other end of a session, as the script sees it."""

    def __init__(self, sid: str, opening: dict[str, Any]) -> None:
        self.sid = sid
        self.opening = {"sid": sid, "upgrades": [], "pingInterval": 25_000, "pingTimeout": 20_000, **opening}
        self.inbox: asyncio.Queue[str | bytes] = asyncio.Queue()
        self.outbox: asyncio.Queue[str | bytes] = asyncio.Queue()
        self.request: web.BaseRequest | None = None
        """Of the socket over which something can be said now."""
        self.ready = asyncio.Event()
        """Such a socket is there."""
        self.websocket = False

    async def hear(self) -> str | bytes:
        """The next Engine.IO packet that is no ping or pong: text with its type, or bytes."""
        while (heard := await self.inbox.get()) in {"2", "3"}:
            pass
        return heard

    async def message(self) -> str:
        """The next Socket.IO packet."""
        heard = await self.hear()
        assert isinstance(heard, str), heard
        assert heard.startswith("4"), heard
        return heard[1:]

    def say(self, *packets: str | bytes) -> None:
        """Send Engine.IO packets, text with its type."""
        for packet in packets:
            self.outbox.put_nowait(packet)

    def tell(self, *packets: str) -> None:
        """Send Socket.IO packets."""
        self.say(*("4" + packet for packet in packets))

    async def greet(self, answer: str = '0{"sid":"s"}') -> str:
        """Take the CONNECT of the default namespace and accept it; returns it."""
        connect = await self.message()
        self.tell(answer)
        return connect

    async def serve(self, answer: Callable[[Client, str], None] = lambda _client, _packet: None) -> None:
        """Accept every namespace, and hand all else to `answer`."""
        while True:
            packet = await self.message()
            if packet.startswith("0"):
                namespace = packet[1:].partition(",")[0] if packet[1:2] == "/" else ""
                self.tell(f'0{namespace}{"," if namespace else ""}{{"sid":"s"}}')
            else:
                answer(self, packet)

    async def cut(self) -> None:
        """Reset the connection in the middle of a message."""
        await self.ready.wait()
        assert self.request is not None
        transport = self.request.transport
        assert transport is not None
        head = b"\x81\x7e\x10\x00" if self.websocket else b"HTTP/1.1 200 OK\r\nContent-Length: 4096\r\n\r\n"
        transport.write(head + b'42["cut')
        await asyncio.sleep(0.05)
        sock = transport.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()

    async def freeze(self) -> None:
        """Neither read nor write any more."""
        await self.ready.wait()
        assert self.request is not None
        assert self.request.transport is not None
        self.request.transport.pause_reading()
        await asyncio.Event().wait()


Script: TypeAlias = Callable[[Client], Awaitable[None]]
Handler: TypeAlias = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Server:
    """Plays one script to each client."""

    def __init__(self, script: Script, websocket: Handler | None, opening: dict[str, Any]) -> None:
        self.clients: list[Client] = []
        self.tasks: set[asyncio.Task[None]] = set()
        self._script = script
        self._instead = websocket
        self._opening = opening

    async def handle(self, request: web.Request) -> web.StreamResponse:
        if self._instead is not None and request.query.get("transport") == "websocket":
            return await self._instead(request)
        client = self._client(request.query.get("sid"))
        if client is None:
            return web.json_response({"code": 1, "message": "Session ID unknown"}, status=400)
        if request.query.get("transport") == "websocket":
            return await self._websocket(client, request)
        if request.method == "POST":
            for packet in (await request.text()).split(SEPARATOR):
                client.inbox.put_nowait(b64decode(packet[1:]) if packet.startswith("b") else packet)
            return web.Response(text="ok")
        if "sid" not in request.query:
            return web.Response(text="0" + json.dumps(client.opening))
        return await self._poll(client, request)

    def _client(self, sid: str | None) -> Client | None:
        if sid is not None:
            return next((client for client in self.clients if client.sid == sid), None)
        client = Client(f"e{len(self.clients)}", self._opening)
        self.clients.append(client)
        task = asyncio.get_running_loop().create_task(self._play(client), name="peer")
        self.tasks.add(task)
        return client

    async def _play(self, client: Client) -> None:
        with contextlib.suppress(ConnectionError):
            await self._script(client)

    async def _poll(self, client: Client, request: web.Request) -> web.Response:
        client.request = request
        client.ready.set()
        packets = [await client.outbox.get()]
        while not client.outbox.empty():
            packets.append(client.outbox.get_nowait())
        client.ready.clear()
        return web.Response(text=SEPARATOR.join(map(_as_text, packets)))

    async def _websocket(self, client: Client, request: web.Request) -> web.StreamResponse:
        ws = web.WebSocketResponse(max_msg_size=0)
        await ws.prepare(request)
        if "sid" in request.query:
            assert (await ws.receive()).data == "2probe"
            await ws.send_str("3probe")
            client.say("6")  # releases the poll that waits
            assert (await ws.receive()).data == "5"
        else:
            await ws.send_str("0" + json.dumps(client.opening))
        client.request, client.websocket = request, True
        client.ready.set()
        task = asyncio.get_running_loop().create_task(_write(client, ws), name="peer")
        self.tasks.add(task)
        with contextlib.suppress(ConnectionError):
            async for message in ws:
                if message.type in {WSMsgType.TEXT, WSMsgType.BINARY}:
                    client.inbox.put_nowait(message.data)
        task.cancel()
        return ws


def _as_text(packet: str | bytes) -> str:
    return packet if isinstance(packet, str) else "b" + b64encode(packet).decode()


async def _write(client: Client, ws: web.WebSocketResponse) -> None:
    with contextlib.suppress(ConnectionError):
        while True:
            packet = await client.outbox.get()
            await (ws.send_str(packet) if isinstance(packet, str) else ws.send_bytes(packet))


@asynccontextmanager
async def peer(
    script: Script, context: ssl.SSLContext | None = None, *, websocket: Handler | None = None, **opening: Any
) -> AsyncIterator[int]:
    """Plays `script` to everyone who connects; yields the port. `opening` goes into the open packet.

    `websocket` answers requests for one in its own way.
    """
    server = Server(script, websocket, opening)
    application = web.Application(client_max_size=64 * 1024**2)
    application.router.add_route("*", "/socket.io/", server.handle)
    async with listening(application, context) as port:
        yield port
        for task in server.tasks:
            task.cancel()
        await asyncio.gather(*server.tasks, return_exceptions=True)


@asynccontextmanager
async def listening(
    application: web.Application, context: ssl.SSLContext | None = None, port: int = 0
) -> AsyncIterator[int]:
    """Serve an aiohttp application on the loopback; yields the port."""
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.01, handler_cancellation=True)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", port, ssl_context=context)
    await site.start()
    try:
        yield runner.addresses[0][1]
    finally:
        served = [each.transport for each in runner.server.connections] if runner.server else []
        await runner.cleanup()
        for transport in served:
            if transport is not None:
                transport.abort()  # one that waits for a TLS goodbye would outlive the loop
        await asyncio.sleep(0)
