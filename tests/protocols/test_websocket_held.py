"""A WebSocket while one of its ways is held: by a peer that does not read, or by what we do with what it sends."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest
from websockets.utils import accept_key

from rtui.core.command import Send
from rtui.core.event import Event
from rtui.protocols.websocket import Options, WebSocket
from rtui.protocols.wire import websocket_session
from rtui.protocols.wire.inbox import MOST_EVENTS
from tests.conformance.recorder import Recorder, Run

Script = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def peer(script: Script) -> AsyncIterator[str]:
    """A server that shakes hands and then plays `script`; yields its URL."""

    async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        key = next(line[18:].strip() for line in head.split(b"\r\n") if line.lower().startswith(b"sec-websocket-key"))
        writer.write(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n")
        writer.write(b"Sec-WebSocket-Accept: %s\r\n\r\n" % accept_key(key.decode()).encode())
        try:
            await script(reader, writer)
        finally:
            writer.transport.abort()

    server = await asyncio.start_server(play, "127.0.0.1", 0)
    async with server:
        yield f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/"


def run(url: str, link: type[Recorder] = Recorder, **options: Any) -> Run:
    return Run(WebSocket(), link(url, Options(**{"proxy": "", **options})))


async def test_a_reset_while_a_message_waits_for_room_is_the_end_of_the_connection() -> None:
    full = asyncio.Event()

    async def script(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.transport.pause_reading()  # type: ignore[attr-defined] # a ReadTransport, too
        await full.wait()
        writer.write(b"\x81\x0alast words")
        sock = writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    async with peer(script) as url, run(url) as one:
        await one.opened()
        one.ask(Send(id=1, payload=bytes(32 * 1024**2)))
        await one.until(one.sent)
        full.set()
        closed = await one.closed()
        assert closed.fault is not None
        assert (closed.by, closed.code, closed.fault.kind) == ("network", 1006, "lost")


async def test_a_peer_is_not_given_up_while_we_take_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(websocket_session, "STALL_STEP", 0.005)
    looks: list[bool] = []
    look = websocket_session.Session._gave_up
    free = asyncio.Event()

    def looked(session: websocket_session.Session, waited: float) -> bool:
        if session._connection._full:
            looks.append(look(session, waited))
        return any(looks)

    monkeypatch.setattr(websocket_session.Session, "_gave_up", looked)

    class Behind(Recorder):
        """The capture, or whoever prints, is behind."""

        async def pour(self, events: Sequence[Event]) -> None:
            self.emit(events)
            await free.wait()

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"\x81\x01x" * (MOST_EVENTS + 40_000))
        while await reader.read(1000):
            pass  # nor are pings answered

    async with peer(script) as url, run(url, Behind, ping_interval=0.01, ping_timeout=0.001) as one:
        await one.opened()
        await one.until(lambda: len(looks) >= 10 or any(looks))
        assert not any(looks)
        free.set()
