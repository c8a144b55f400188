"""Scripted web servers: every byte by hand, so that a test can show what a server should never do.

    async def script(client: Client) -> None:
        request = await client.asked()
        client.head(200, "text/event-stream", chunked=True)
        client.chunk(b"data: 1\n\n")
        client.last_chunk()

    async with serving(script) as peer:
        … peer.url("sse+http", "/news") … peer.requests … peer.open

A script serves one connection; when it returns, the connection is closed with a FIN. `answering(b"HTTP/1.1 …")` makes
a script that gives each request the same bytes and then ends the connection; `repeating` keeps it open.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from typing import Self, TypeAlias

import msgspec

from tests.waiting import PATIENCE, eventually

Script: TypeAlias = Callable[["Client"], Awaitable[None]]


class Asked(msgspec.Struct, frozen=True):
    """A request as it came."""

    method: str
    target: str
    headers: dict[str, str]
    """By name in lower case."""
    body: bytes
    head: bytes
    """Everything before the body, as it came."""

    @classmethod
    def read(cls, head: bytes, body: bytes) -> Self:
        first, *lines = head.decode("latin-1").rstrip("\r\n").split("\r\n")
        method, target, _ = first.split(" ")
        pairs = (line.partition(":") for line in lines)
        return cls(method, target, {name.lower(): value.strip() for name, _, value in pairs}, body, head)


class Client:
    """The other end of one connection, as a script sees it."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, peer: Peer) -> None:
        self.reader = reader
        self.writer = writer
        self.peer = peer

    async def asked(self) -> Asked:
        """The next request; EOFError when there is none."""
        head = await self.reader.readuntil(b"\r\n\r\n")
        asked = Asked.read(head, b"")
        body = await self.reader.readexactly(int(asked.headers.get("content-length", "0")))
        self.peer.requests.append(asked := msgspec.structs.replace(asked, body=body))
        return asked

    def write(self, data: bytes) -> None:
        """These bytes, at once."""
        self.writer.write(data)

    async def send(self, data: bytes) -> None:
        """These bytes; waits while the client does not read."""
        self.writer.write(data)
        await self.writer.drain()

    def head(
        self,
        status: int = 200,
        media_type: str = "text/event-stream",
        *more: str,
        chunked: bool = False,
        length: int | None = None,
    ) -> None:
        """Status line and headers; neither chunked nor with a length, the body ends with the connection."""
        lines = [f"HTTP/1.1 {status} {'OK' if status == 200 else 'Other'}", *more]
        lines += [f"Content-Type: {media_type}"] if media_type else []
        lines += ["Transfer-Encoding: chunked"] if chunked else []
        lines += [f"Content-Length: {length}"] if length is not None else []
        self.write("\r\n".join([*lines, "", ""]).encode())

    def answer(self, body: bytes = b"", status: int = 200, media_type: str = "application/json", *more: str) -> None:
        """A whole answer with a length."""
        self.head(status, media_type, *more, length=len(body))
        self.write(body)

    def chunk(self, data: bytes) -> None:
        """One chunk."""
        self.write(b"%x\r\n%s\r\n" % (len(data), data))

    def last_chunk(self) -> None:
        """The end of a chunked body."""
        self.write(b"0\r\n\r\n")

    def reset(self) -> None:
        """End the connection with RST."""
        sock: socket.socket = self.writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()

    async def gone(self) -> None:
        """Until the client ended the connection; what it still says is dropped."""
        with contextlib.suppress(ConnectionError):
            while await self.reader.read(65536):
                pass


class Peer:
    """A server that runs."""

    def __init__(self) -> None:
        self.port = 0
        self.requests: list[Asked] = []
        """Of all connections, in order."""
        self.connections = 0
        """So far."""
        self.open = 0
        """Now."""
        self.errors: list[Exception] = []
        """What scripts raised that was not the end of their connection."""

    def url(self, scheme: str = "http", path: str = "/", host: str = "127.0.0.1") -> str:
        """Where it listens."""
        return f"{scheme}://{host}:{self.port}{path}"

    async def quiet(self) -> None:
        """Until no client is left."""
        await eventually(lambda: not self.open)


@asynccontextmanager
async def serving(script: Script, context: ssl.SSLContext | None = None, port: int = 0) -> AsyncIterator[Peer]:
    """A server on a port of its own, unless one is given. Raises what a script raised."""
    peer, running = Peer(), set[asyncio.Task[None]]()

    async def once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        running.add(task)
        peer.connections += 1
        peer.open += 1
        try:
            await script(Client(reader, writer, peer))
        except (EOFError, ConnectionError, asyncio.CancelledError):
            pass
        except Exception as error:  # noqa: BLE001 - told to the test
            peer.errors.append(error)
        finally:
            peer.open -= 1
            running.discard(task)
            writer.close()

    server = await asyncio.start_server(once, "127.0.0.1", port, ssl=context, limit=1024 * 1024)
    peer.port = server.sockets[0].getsockname()[1]
    try:
        yield peer
    finally:
        server.close()
        await _end(running)
    if peer.errors:
        raise ExceptionGroup("a script failed", peer.errors)


async def _end(running: Iterable[asyncio.Task[None]]) -> None:
    ending = list(running)
    for task in ending:
        task.cancel()
    async with asyncio.timeout(PATIENCE):
        await asyncio.gather(*ending, return_exceptions=True)


def answering(data: bytes) -> Script:
    """Each connection gets these bytes for its first request, and then the end."""

    async def script(client: Client) -> None:
        await client.asked()
        await client.send(data)

    return script


def repeating(*answers: bytes) -> Script:
    """Each request gets the next answer, the last one again and again; connections are kept."""
    left = list(answers)

    async def script(client: Client) -> None:
        while True:
            await client.asked()
            await client.send(left.pop(0) if len(left) > 1 else left[0])

    return script


def whole(body: bytes = b"", *headers: str, status: int = 200, reason: str = "OK") -> bytes:
    """An answer with a length, for `answering` and `repeating`."""
    lines = [f"HTTP/1.1 {status} {reason}", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


def chunked(*chunks: bytes, end: bytes = b"0\r\n\r\n", headers: Iterable[str] = ()) -> bytes:
    """An answer in chunks, for `answering` and `repeating`."""
    lines = ["HTTP/1.1 200 OK", "Transfer-Encoding: chunked", *headers, "", ""]
    return "\r\n".join(lines).encode() + b"".join(b"%x\r\n%s\r\n" % (len(one), one) for one in chunks) + end
