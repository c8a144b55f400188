"""What the embedded WebSocket server plays on each path: one coroutine per scene."""

from __future__ import annotations

import asyncio
import json
import random
import socket
import struct
import time
import zlib
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, TypeAlias

import msgspec
from websockets.asyncio.server import ServerConnection, broadcast

from rtui.demo.story import HOSTILE, PNG, paced, story

Query: TypeAlias = dict[str, str]
Scene: TypeAlias = Callable[[ServerConnection, Query], Awaitable[None]]

TOP_RATE: Final = 50_000.0
SILENCE: Final = 120.0
"""Seconds after which `/silent` gives up its socket: a paused one does not notice that the client left."""
BAD_FRAME_BYTES: Final[Mapping[str, bytes]] = {
    "reserved-opcode": b"\x83\x02hi",
    "reserved-bits": b"\xb1\x02hi",
    "masked": b"\x81\x82\x00\x00\x00\x00hi",
    "stray-continuation": b"\x80\x02hi",
    "interrupted-fragments": b"\x01\x02hi\x81\x02hi",
    "long-control": b"\x89\x7e\x00\x80" + bytes(128),
    "fragmented-control": b"\x09\x02hi",
    "bad-close-code": b"\x88\x02\x03\xed",
    "short-close": b"\x88\x01\x03",
    "bad-deflate": b"\xc1\x04\xff\xff\xff\xff",
}
BAD_FRAMES: Final = tuple(BAD_FRAME_BYTES)

rooms: defaultdict[str, set[ServerConnection]] = defaultdict(set)


async def hello(connection: ServerConnection, query: Query) -> None:
    """Say hello and list the paths, then echo."""
    from rtui.demo.websocket import PATHS

    await connection.send(json.dumps({"type": "hello", "subprotocol": connection.subprotocol, "paths": dict(PATHS)}))
    await echo(connection, query)


async def echo(connection: ServerConnection, _: Query) -> None:
    """Send back what comes."""
    async for message in connection:
        await connection.send(message)


async def ticker(connection: ServerConnection, query: Query) -> None:
    """Tell the story at its pace."""
    events = story(random.Random(int(query.get("seed", "1"))))  # noqa: S311 - a story, not a secret
    async for count in paced(_rate(query, 5.0)):
        for _ in range(count):
            await connection.send(json.dumps(next(events) | {"time": time.time()}, ensure_ascii=False))


async def chat(connection: ServerConnection, query: Query) -> None:
    """Pass every line to everybody in the room."""
    room, name = query.get("room", "lobby"), query.get("name", "guest")
    members = rooms[room]

    def tell(kind: str, **extra: Any) -> None:
        broadcast(members, json.dumps({"type": kind, "room": room, "name": name, **extra}, ensure_ascii=False))

    members.add(connection)
    try:
        tell("join", people=len(members))
        async for message in connection:
            text = message if isinstance(message, str) else message.decode(errors="replace")
            tell("message", text=text)
    finally:
        members.discard(connection)
        tell("leave", people=len(members))
        if not members:
            rooms.pop(room, None)


async def binary(connection: ServerConnection, query: Query) -> None:
    """Alternate an image, MessagePack and raw bytes."""
    number = 0
    async for count in paced(_rate(query, 2.0)):
        for _ in range(count):
            number += 1
            packed = msgspec.msgpack.encode(
                {"type": "sample", "number": number, "values": [1.5, -2, None], "raw": b"\0"}
            )
            await connection.send((PNG, packed, bytes(range(256)))[number % 3])


async def slow(connection: ServerConnection, query: Query) -> None:
    """One message now and then."""
    every = max(0.01, float(query.get("every", "5")))
    number = 0
    while True:
        number += 1
        await connection.send(json.dumps({"type": "slow", "number": number}))
        await asyncio.sleep(every)


async def burst(connection: ServerConnection, query: Query) -> None:
    """A flood of numbered events."""
    size, left = min(int(query.get("size", "120")), 1 << 20), int(query.get("n", "0")) or -1
    number = 0
    async for count in paced(_rate(query, 1000.0)):
        amount = count if left < 0 else min(count, left - number)
        frames = b"".join(_text_frame(_event(number + i + 1, size)) for i in range(amount))
        number += amount
        # Frames are written as bytes: the library's own send costs more than the rest of this loop.
        connection.transport.write(frames)
        await connection.drain()
        if number == left:
            return


async def jsonrpc(connection: ServerConnection, _: Query) -> None:
    """Answer calls, each in its own time."""
    async with asyncio.TaskGroup() as group:
        async for message in connection:
            group.create_task(_reply(connection, message), name="demo jsonrpc reply")


async def close(connection: ServerConnection, query: Query) -> None:
    """Close with the code asked for."""
    await asyncio.sleep(float(query.get("after", "0")))
    code, reason = int(query.get("code", "4001")), query.get("reason", "bye")
    await connection.close(code, reason)


async def drop(connection: ServerConnection, query: Query) -> None:
    """Reset the connection inside a message."""
    await connection.send(json.dumps({"type": "warning", "text": "the next message will be cut"}))
    await asyncio.sleep(float(query.get("after", "0")))
    connection.transport.write(_text_frame(b"half of a message that never ends" * 4)[:60])
    # A linger time of zero turns close() into a reset: the peer gets RST, not FIN.
    linger = struct.pack("ii", 1, 0)
    connection.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    connection.transport.abort()


async def silent(connection: ServerConnection, _: Query) -> None:
    """Stop reading."""
    await connection.send(json.dumps({"type": "warning", "text": "I stop listening now"}))
    connection.transport.pause_reading()
    await asyncio.sleep(SILENCE)
    connection.transport.abort()


async def huge(connection: ServerConnection, query: Query) -> None:
    """One long message."""
    size = min(int(query.get("size", "1048576")), 256 * 1024**2)
    await connection.send("x" * size)
    await connection.wait_closed()


async def bomb(connection: ServerConnection, query: Query) -> None:
    """A compressed message that is larger than it looks."""
    size = min(int(query.get("size", "67108864")), 1 << 30)
    press = zlib.compressobj(9, zlib.DEFLATED, -15)
    block = bytes(1 << 20)
    parts = [press.compress(block[: min(len(block), size - at)]) for at in range(0, size, len(block))]
    squeezed = b"".join(parts) + press.flush(zlib.Z_SYNC_FLUSH)[:-4]
    connection.transport.write(_frame(0xC2, squeezed))
    await connection.wait_closed()


async def fragments(connection: ServerConnection, query: Query) -> None:
    """One message in many frames, then echo."""
    n = max(1, min(int(query.get("n", "5")), 100_000))
    await connection.send(f"part {i + 1} of {n} " for i in range(n))
    await echo(connection, query)


async def bad_frame(connection: ServerConnection, query: Query) -> None:
    """Break the framing rule asked for."""
    kind = query.get("kind", BAD_FRAMES[0])
    if kind not in BAD_FRAME_BYTES:
        await connection.close(1008, f"kinds: {', '.join(BAD_FRAMES)}"[:120])
        return
    await connection.send(json.dumps({"type": "warning", "text": f"illegal frame follows: {kind}"}))
    connection.transport.write(BAD_FRAME_BYTES[kind])
    await connection.wait_closed()


async def bad_utf8(connection: ServerConnection, _: Query) -> None:
    """Send text in Latin-1."""
    connection.transport.write(_text_frame(b'{"text": "caf\xe9 \xff"}'))
    await connection.wait_closed()


async def pings(connection: ServerConnection, query: Query) -> None:
    """Ping and report."""
    every = max(0.01, float(query.get("every", "1")))
    while True:
        pong = await connection.ping()
        try:
            async with asyncio.timeout(every * 5):
                latency = await pong
            await connection.send(json.dumps({"type": "pong", "latency_ms": round(latency * 1000, 3)}))
        except TimeoutError:
            await connection.send(json.dumps({"type": "no-pong"}))
        await asyncio.sleep(every)


async def hostile(connection: ServerConnection, _: Query) -> None:
    """Attack the terminal."""
    for text in HOSTILE:
        await connection.send(text)
    await connection.close(4000, "\x1b[31mred reason\x1b[0m \u202ereversed")


SCENES: Final[Mapping[str, Scene]] = {
    "/": hello,
    "/echo": echo,
    "/ticker": ticker,
    "/chat": chat,
    "/binary": binary,
    "/slow": slow,
    "/burst": burst,
    "/jsonrpc": jsonrpc,
    "/close": close,
    "/drop": drop,
    "/silent": silent,
    "/huge": huge,
    "/bomb": bomb,
    "/fragments": fragments,
    "/bad-frame": bad_frame,
    "/bad-utf8": bad_utf8,
    "/pings": pings,
    "/hostile": hostile,
}


def _rate(query: Query, default: float) -> float:
    return min(TOP_RATE, max(0.01, float(query.get("rate", default))))


async def _reply(connection: ServerConnection, message: str | bytes) -> None:
    try:
        call = json.loads(message)
        number, method, params = call.get("id"), call.get("method"), call.get("params")
    except (ValueError, AttributeError):
        await connection.send(_rpc(None, error={"code": -32700, "message": "Parse error"}))
        return
    if number is not None:
        await connection.send(await _perform(number, method, params))


async def _perform(number: Any, method: Any, params: Any) -> str:
    try:
        match method:
            case "add":
                return _rpc(number, result=sum(params))
            case "sleep":
                await asyncio.sleep(min(60.0, float(params[0])))
                return _rpc(number, result="slept")
            case "fail":
                return _rpc(number, error={"code": -32000, "message": "failed as asked"})
            case _:
                return _rpc(number, error={"code": -32601, "message": "Method not found: add, sleep, fail"})
    except (TypeError, ValueError, IndexError, KeyError):
        return _rpc(number, error={"code": -32602, "message": "Invalid params"})


def _rpc(number: Any, **rest: Any) -> str:
    return json.dumps({"jsonrpc": "2.0", **rest, "id": number})


def _event(number: int, size: int) -> bytes:
    text = b'{"type":"burst","n":%d,"time":%d,"pad":""}' % (number, time.time_ns())
    return text[:-2] + b"." * (size - len(text)) + b'"}'


def _text_frame(payload: bytes) -> bytes:
    return _frame(0x81, payload)


def _frame(first: int, payload: bytes) -> bytes:
    """RFC 6455 §5.2, server to client: unmasked."""
    size = len(payload)
    if size <= 125:  # noqa: PLR2004 - the three length forms of the RFC
        return bytes((first, size)) + payload
    if size <= 0xFFFF:  # noqa: PLR2004
        return struct.pack("!BBH", first, 126, size) + payload
    return struct.pack("!BBQ", first, 127, size) + payload
