"""A scripted MQTT broker: packets by hand, for what a real broker would not do."""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TypeAlias

CONNACK = {"3.1.1": b"\x20\x02\x00\x00", "5": b"\x20\x03\x00\x00\x00"}
PINGRESP = b"\xd0\x00"


class Client:
    """The other end of a connection, as the script sees it."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self.version = "5"

    async def packet(self) -> tuple[int, bytes]:
        """First byte and body of the next packet; IncompleteReadError at the end."""
        first = (await self.reader.readexactly(1))[0]
        size = shift = 0
        while True:
            byte = (await self.reader.readexactly(1))[0]
            size |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return first, await self.reader.readexactly(size)

    async def greet(self) -> bytes:
        """Take CONNECT and accept it; returns its body."""
        first, body = await self.packet()
        assert first == 0x10
        self.version = "5" if body[6] == 5 else "3.1.1"
        self.write(CONNACK[self.version])
        return body

    def write(self, data: bytes) -> None:
        self.writer.write(data)

    def reset(self) -> None:
        sock = self.writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()

    async def serve(self, answer: Callable[[Client, int, bytes], None] | None = None) -> None:
        """Answer pings and subscriptions, and what `answer` sees to, until the end."""
        while True:
            first, body = await self.packet()
            if first == 0xC0:
                self.write(PINGRESP)
            elif first == 0x82:
                self.write(packet(0x90, body[:2] + (b"\x00\x00" if self.version == "5" else b"\x00")))
            elif first == 0xE0:
                self.writer.close()
                return
            elif answer is not None:
                answer(self, first, body)
            await self.writer.drain()


Script: TypeAlias = Callable[[Client], Awaitable[None]]


@asynccontextmanager
async def peer(script: Script, context: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """Plays `script` to everyone who connects; yields the port."""
    tasks: set[asyncio.Task[None] | None] = set()

    async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.add(asyncio.current_task())
        try:
            await script(Client(reader, writer))
            writer.close()
            await writer.wait_closed()
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            writer.transport.abort()

    server = await asyncio.start_server(play, "127.0.0.1", 0, ssl=context)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in tasks:
            if task is not None:
                task.cancel()
        await asyncio.gather(*(task for task in tasks if task), return_exceptions=True)


def packet(first: int, body: bytes) -> bytes:
    return bytes([first]) + length(len(body)) + body


def length(size: int) -> bytes:
    out = bytearray()
    while True:
        size, byte = size >> 7, size & 0x7F
        out.append(byte | (0x80 if size else 0))
        if not size:
            return bytes(out)


def sized(data: bytes) -> bytes:
    return len(data).to_bytes(2, "big") + data


def publish(  # noqa: PLR0917 - the fields of the packet, in their order
    topic: bytes, payload: bytes, qos: int = 0, mid: int = 1, properties: bytes | None = b"", flags: int = 0
) -> bytes:
    """`properties=None` for 3.1.1."""
    body = sized(topic) + (mid.to_bytes(2, "big") if qos else b"")
    if properties is not None:
        body += length(len(properties)) + properties
    return packet(0x30 | qos << 1 | flags, body + payload)
