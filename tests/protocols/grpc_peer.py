"""A scripted server of gRPC on bare h2: reflection and messages as they should be, until a script does otherwise.

    async def script(call: Served) -> None:
        call.head()
        async for message in call.requests():
            call.say(message)
        call.end()

    async with grpc_serving(script) as peer:
        … peer.url("grpc", "/t.Calls/Bidi") … peer.calls …

A script serves one call, from its headers on; reflection is answered without it, unless it is left out.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import cache
from typing import Any, Final, TypeAlias

from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import DataReceived, RequestReceived, StreamEnded, StreamReset, WindowUpdated
from h2.exceptions import ProtocolError
from h2.settings import SettingCodes, Settings

from tests.protocols.http_peer import Client, Peer, serving

Script: TypeAlias = Callable[["Served"], Awaitable[None]]

REFLECTION: Final = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo"
KINDS: Final = {"Unary": (False, False), "Down": (False, True), "Up": (True, False), "Bidi": (True, True)}


class GrpcPeer:
    """A server that runs."""

    def __init__(self, web: Peer) -> None:
        self.web = web
        self.calls: list[Served] = []
        """All but reflection, in order."""

    def url(self, scheme: str = "grpc", path: str = "") -> str:
        return self.web.url(scheme, path)


class Served:
    """One call, as a script sees it."""

    def __init__(self, number: int, headers: dict[str, str], h2: H2Connection, client: Client) -> None:
        self.number = number
        self.headers = headers
        self.path = headers[":path"]
        self.h2 = h2
        self.client = client
        self.moved = asyncio.Event()
        """The client took something."""
        self.reset_with: int | None = None
        """What the client reset the stream with."""
        self.ended = False
        """Whether the client half-closed."""
        self.body = b""
        """Of requests that were not yet taken."""
        self.news = asyncio.Event()

    async def requests(self) -> AsyncIterator[bytes]:
        """The messages of the client until it half-closes."""
        while True:
            while len(self.body) >= 5 and len(self.body) >= (size := 5 + int.from_bytes(self.body[1:5])):
                message, self.body = self.body[5:size], self.body[size:]
                yield message
            if self.ended:
                return
            self.news.clear()
            await self.news.wait()

    async def asked(self) -> bytes:
        """The first message."""
        async for message in self.requests():
            return message
        raise AssertionError("no message")

    def head(self, *more: tuple[str, str], status: int = 200, media_type: str = "application/grpc") -> None:
        self.h2.send_headers(self.number, [(":status", str(status)), ("content-type", media_type), *more])
        self.flush()

    def say(self, message: bytes, flag: int = 0, **frame: Any) -> None:
        """One message, whatever the windows say."""
        self.raw(framed(message, flag), **frame)

    def raw(self, data: bytes, **frame: Any) -> None:
        size = self.h2.max_outbound_frame_size
        for start in range(0, len(data), size):
            self.h2.send_data(self.number, data[start : start + size], **frame)
        self.flush()

    async def pour(self, data: bytes) -> None:
        """As much as the client's windows allow, and then the rest."""
        while data:
            size = min(self.h2.local_flow_control_window(self.number), self.h2.max_outbound_frame_size)
            if not size:
                self.moved.clear()
                await self.moved.wait()
                continue
            self.h2.send_data(self.number, data[:size])
            data = data[size:]
            await self.client.send(self.h2.data_to_send())

    def end(self, code: int | str = 0, message: str = "", *more: tuple[str, str]) -> None:
        """The trailers."""
        said = [("grpc-message", message)] if message else []
        self.h2.send_headers(self.number, [("grpc-status", str(code)), *said, *more], end_stream=True)
        self.flush()

    def refuse(self, code: int, message: str = "", *more: tuple[str, str]) -> None:
        """Headers and trailers in one ("Trailers-Only")."""
        head = [(":status", "200"), ("content-type", "application/grpc"), ("grpc-status", str(code))]
        self.h2.send_headers(self.number, [*head, ("grpc-message", message), *more], end_stream=True)
        self.flush()

    def finish(self) -> None:
        """End the stream without trailers."""
        self.h2.end_stream(self.number)
        self.flush()

    def reset(self, code: int) -> None:
        self.h2.reset_stream(self.number, code)
        self.flush()

    def go_away(self, code: int = 0, last: int = 2**31 - 1, debug: bytes = b"") -> None:
        """GOAWAY, by hand: h2 would take it for the end of everything."""
        payload = last.to_bytes(4) + code.to_bytes(4) + debug
        self.client.write(len(payload).to_bytes(3) + b"\x07\0" + bytes(4) + payload)

    def flush(self) -> None:
        self.client.write(self.h2.data_to_send())

    async def cancelled(self) -> None:
        """Until the client reset the stream."""
        while self.reset_with is None:
            self.news.clear()
            await self.news.wait()


def framed(message: bytes, flag: int = 0) -> bytes:
    return bytes([flag]) + len(message).to_bytes(4) + message


@asynccontextmanager
async def grpc_serving(
    script: Script,
    context: ssl.SSLContext | None = None,
    *,
    reflection: bool = True,
    settings: dict[SettingCodes | int, int] | None = None,
    port: int = 0,
) -> AsyncIterator[GrpcPeer]:
    """A server on a port of its own. Raises what a script raised."""
    served: list[Served] = []

    async def called(call: Served) -> None:
        if reflection and call.path == REFLECTION:
            await reflect(call)
        else:
            served.append(call)
            await script(call)

    async def connected(client: Client) -> None:
        async with asyncio.TaskGroup() as tasks:
            with contextlib.suppress(ProtocolError, ConnectionError):
                await _serve(client, called, tasks, settings or {})
            for task in list(tasks._tasks):
                task.cancel()

    if context is not None:
        context.set_alpn_protocols(["h2"])
    async with serving(connected, context, port) as web:
        peer = GrpcPeer(web)
        peer.calls = served
        yield peer


async def _serve(
    client: Client, script: Script, tasks: asyncio.TaskGroup, settings: dict[SettingCodes | int, int]
) -> None:
    h2 = H2Connection(H2Configuration(client_side=False, header_encoding="utf-8", validate_outbound_headers=False))
    values: Any = {**dict(h2.local_settings.items()), **settings}
    h2.local_settings = Settings(client=False, initial_values=values)
    h2.initiate_connection()
    client.write(h2.data_to_send())
    calls = dict[int, Served]()
    while data := await client.reader.read(65536):
        for event in h2.receive_data(data):
            if isinstance(event, RequestReceived):
                fields = {str(name): str(value) for name, value in event.headers or ()}
                number = event.stream_id or 0
                call = calls[number] = Served(number, fields, h2, client)
                tasks.create_task(_run(script, call))
            elif isinstance(event, DataReceived):
                h2.acknowledge_received_data(event.flow_controlled_length or 0, event.stream_id or 0)
                calls[event.stream_id or 0].body += event.data or b""
            elif isinstance(event, StreamEnded):
                calls[event.stream_id or 0].ended = True
            elif isinstance(event, StreamReset):
                calls[event.stream_id or 0].reset_with = int(event.error_code or 0)
            elif isinstance(event, WindowUpdated):
                for call in calls.values():
                    call.moved.set()
            if stream := calls.get(getattr(event, "stream_id", 0)):
                stream.news.set()
        client.write(h2.data_to_send())


async def _run(script: Script, call: Served) -> None:
    with contextlib.suppress(ProtocolError, ConnectionError):  # the client left
        await script(call)


# The schema


@cache
def file() -> FileDescriptorProto:
    """t.proto: a service Calls with a method of each kind, of message Note."""
    kinds = FieldDescriptorProto
    made = FileDescriptorProto(name="t.proto", package="t", syntax="proto3")
    note = made.message_type.add(name="Note")
    note.field.add(name="text", number=1, type=kinds.TYPE_STRING, label=kinds.LABEL_OPTIONAL)
    note.field.add(name="number", number=2, type=kinds.TYPE_INT64, label=kinds.LABEL_OPTIONAL)
    service = made.service.add(name="Calls")
    for name, (up, down) in KINDS.items():
        service.method.add(
            name=name, input_type=".t.Note", output_type=".t.Note", client_streaming=up, server_streaming=down
        )
    return made


@cache
def note_class() -> Any:
    pool = DescriptorPool()
    pool.Add(file())
    return GetMessageClass(pool.FindMessageTypeByName("t.Note"))


def note(text: str = "", number: int = 0) -> bytes:
    data: bytes = note_class()(text=text, number=number).SerializeToString()
    return data


async def reflect(call: Served) -> None:
    """What grpc.reflection.v1 asks, told with bytes made by hand."""
    call.head()
    async for question in call.requests():
        if question.startswith(b"\x3a"):  # list_services
            call.say(_tagged(6, _tagged(1, _tagged(1, b"t.Calls"))))
        else:
            call.say(_tagged(4, _tagged(1, file().SerializeToString())))
    call.end()


def _tagged(number: int, data: bytes) -> bytes:
    """A field of bytes."""
    size, length = len(data), b""
    while size > 0x7F:
        length += bytes([size & 0x7F | 0x80])
        size >>= 7
    return bytes([number << 3 | 2]) + length + bytes([size]) + data
