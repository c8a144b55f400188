"""The clients that rtui is compared with, and rtui's own conversation: `python -m tests.benchmarks.grpc_rival NAME …`.

Each as its documentation shows it, with message classes instead of JSON: they do less than we do.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeAlias

from google.protobuf import json_format, message_factory

from tests.benchmarks.blaster import GrpcBlaster, message
from tests.protoset import loaded

Rival: TypeAlias = Callable[..., Coroutine[Any, Any, None]]


def classes() -> tuple[Any, Any]:
    """Of what is asked, and of a message."""
    pool = loaded(GrpcBlaster.proto)
    asked, reading = (pool.FindMessageTypeByName(f"bench.{name}") for name in ("Asked", "Reading"))
    return message_factory.GetMessageClass(asked), message_factory.GetMessageClass(reading)


async def grpclib_stream(port: str, method: str, count: str) -> None:
    from grpclib.client import Channel, UnaryStreamMethod

    asked, reading = classes()
    async with Channel("127.0.0.1", int(port)) as channel:
        stream = UnaryStreamMethod(channel, f"/bench.Blaster/{method}", asked, reading)
        async with stream.open() as call:
            await call.send_message(asked(count=int(count)), end=True)
            async for _ in call:
                pass


async def grpclib_print(port: str, method: str, count: str) -> None:
    """The loop that prints an envelope like ours, as everybody writes it first."""
    from grpclib.client import Channel, UnaryStreamMethod

    asked, reading = classes()
    async with Channel("127.0.0.1", int(port)) as channel:
        stream = UnaryStreamMethod(channel, f"/bench.Blaster/{method}", asked, reading)
        async with stream.open() as call:
            await call.send_message(asked(count=int(count)), end=True)
            async for message_ in call:
                envelope = {"time": time.time(), "kind": "message", "data": json_format.MessageToDict(message_)}
                print(json.dumps(envelope))


async def grpcio_stream(port: str, method: str, count: str) -> None:
    import grpc.aio

    asked, reading = classes()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        stream = channel.unary_stream(f"/bench.Blaster/{method}", asked.SerializeToString, reading.FromString)
        async for _ in stream(asked(count=int(count))):
            pass


async def grpcio_trips(port: str, count: str) -> None:
    """Prints round trips a second of one conversation."""
    import grpc.aio

    _, reading = classes()
    note = json_format.Parse(message(0), reading())
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        call = channel.stream_stream("/bench.Blaster/Echo", reading.SerializeToString, reading.FromString)()
        began = time.monotonic()
        for _ in range(int(count)):
            await call.write(note)
            assert await call.read() == note
        print(int(count) / (time.monotonic() - began))
        await call.done_writing()


async def grpclib_trips(port: str, count: str) -> None:
    """The same."""
    from grpclib.client import Channel, StreamStreamMethod

    _, reading = classes()
    note = json_format.Parse(message(0), reading())
    channel = Channel("127.0.0.1", int(port))
    async with channel, StreamStreamMethod(channel, "/bench.Blaster/Echo", reading, reading).open() as call:
        began = time.monotonic()
        for _ in range(int(count)):
            await call.send_message(note)
            assert await call.recv_message() == note
        print(int(count) / (time.monotonic() - began))
        await call.end()


@asynccontextmanager
async def connected(port: str, capture: str, protoset: str, wanted: int) -> AsyncIterator[tuple[Any, asyncio.Event]]:
    """rtui's own connection without a front end, and what is set whenever `wanted` more messages were stored."""
    from rtui.capture.journal import Journal
    from rtui.core.record import Direction, Kind, Record
    from rtui.runtime.hub import Hub
    from rtui.settings.secrets import Secrets
    from rtui.settings.session import session_from_url

    stored, enough = 0, asyncio.Event()

    def look(records: Sequence[Record]) -> None:
        nonlocal stored
        stored += sum(one.direction == Direction.IN and one.kind == Kind.MESSAGE for one in records)
        if stored >= wanted:
            stored -= wanted
            enough.set()

    journal = Journal.create(Path(capture))
    journal.taps.append(look)
    hub = Hub(journal)
    options = {"proxy": "", "reflection": "off", "protoset": protoset}
    connection = hub.open(session_from_url(f"grpc://127.0.0.1:{port}", options), Secrets())
    await connection.wait_open()
    yield connection, enough
    await hub.close_all()
    journal.close(60)


async def rtui_stream(port: str, method: str, count: str, capture: str, protoset: str) -> None:
    async with connected(port, capture, protoset, int(count)) as (connection, enough):
        connection.send(b'{"count":%b}' % count.encode(), f"bench.Blaster/{method}")
        await enough.wait()


async def rtui_trips(port: str, count: str, capture: str, protoset: str) -> None:
    """The next is sent when the answer to the last was stored."""
    async with connected(port, capture, protoset, 1) as (connection, heard):
        began = time.monotonic()
        for _ in range(int(count)):
            heard.clear()
            connection.send(message(0), "bench.Blaster/Echo")
            await heard.wait()
        print(int(count) / (time.monotonic() - began))


RIVALS: dict[str, Rival] = {
    one.__name__: one
    for one in (grpclib_stream, grpclib_print, grpcio_stream, rtui_stream, grpclib_trips, grpcio_trips, rtui_trips)
}

if __name__ == "__main__":
    asyncio.run(RIVALS[sys.argv[1]](*sys.argv[2:]))
