"""A scripted server of HTTP/2, frame by frame: `async with serving2(script) as peer`, as in `http_peer`.

A script serves one request: it is called with the stream, and may leave it open, end it or break the connection.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TypeAlias

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import DataReceived, RequestReceived, StreamEnded, WindowUpdated
from h2.exceptions import ProtocolError

from tests.protocols.http_peer import Asked, Client, Peer, serving

Script2: TypeAlias = Callable[["Stream"], Awaitable[None]]


class Stream:
    """One request and what is said to it."""

    def __init__(self, asked: Asked, number: int, connection: H2Connection, client: Client) -> None:
        self.asked = asked
        self.number = number
        self.connection = connection
        self.client = client
        self.moved = asyncio.Event()
        """The peer took something."""

    def flush(self) -> None:
        """Send what the library has to say."""
        self.client.write(self.connection.data_to_send())

    def head(self, status: int = 200, media_type: str = "text/event-stream", *more: tuple[str, str]) -> None:
        """The headers."""
        fields = [(":status", str(status)), ("content-type", media_type), *more]
        self.connection.send_headers(self.number, fields)
        self.flush()

    async def send(self, data: bytes, *, last: bool = False) -> None:
        """A part of the body; waits for the client's window."""
        while data:
            size = min(self.connection.local_flow_control_window(self.number), self.connection.max_outbound_frame_size)
            if not size:
                self.moved.clear()
                await self.moved.wait()
                continue
            self.connection.send_data(self.number, data[:size])
            data = data[size:]
            self.flush()
        if last:
            self.connection.end_stream(self.number)
            self.flush()

    def reset(self, code: int = 2) -> None:
        """End the stream with RST_STREAM, INTERNAL_ERROR by default."""
        self.connection.reset_stream(self.number, code)
        self.flush()

    def go_away(self, code: int = 11) -> None:
        """End the connection with GOAWAY, ENHANCE_YOUR_CALM by default."""
        self.connection.close_connection(code)
        self.flush()


@asynccontextmanager
async def serving2(script: Script2, context: ssl.SSLContext | None = None) -> AsyncIterator[Peer]:
    """A server of HTTP/2 on a port of its own; on a plain port by prior knowledge."""

    async def connected(client: Client) -> None:
        async with asyncio.TaskGroup() as tasks:
            with contextlib.suppress(ProtocolError):
                await _serve(client, script, tasks)
            for task in list(tasks._tasks):
                task.cancel()

    async with serving(connected, context) as peer:
        yield peer


async def _serve(client: Client, script: Script2, tasks: asyncio.TaskGroup) -> None:
    connection = H2Connection(H2Configuration(client_side=False, header_encoding="utf-8"))
    connection.initiate_connection()
    client.write(connection.data_to_send())
    streams = dict[int, Stream]()
    while data := await client.reader.read(65536):
        for event in connection.receive_data(data):
            if isinstance(event, RequestReceived):
                streams[event.stream_id] = Stream(_asked(event), event.stream_id, connection, client)
            elif isinstance(event, DataReceived):
                connection.acknowledge_received_data(event.flow_controlled_length or 0, event.stream_id)
                stream = streams[event.stream_id]
                asked = stream.asked
                stream.asked = Asked(asked.method, asked.target, asked.headers, asked.body + (event.data or b""), b"")
            elif isinstance(event, StreamEnded):
                client.peer.requests.append(streams[event.stream_id].asked)
                tasks.create_task(_run(script, streams[event.stream_id]))
            elif isinstance(event, WindowUpdated):
                for stream in streams.values():
                    stream.moved.set()
        client.write(connection.data_to_send())


async def _run(script: Script2, stream: Stream) -> None:
    with contextlib.suppress(ProtocolError):  # the client left
        await script(stream)


def _asked(event: RequestReceived) -> Asked:
    fields = {str(name): str(value) for name, value in event.headers or ()}
    return Asked(fields[":method"], fields[":path"], fields, b"", b"")
