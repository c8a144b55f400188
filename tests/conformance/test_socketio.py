"""The conformance suite, asked of Socket.IO over each transport, and over TLS."""

from __future__ import annotations

import asyncio
import json
import ssl
from base64 import b64decode
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import pytest
from aiohttp import web

from rtui.core.command import Cancel, HalfClose, Poke, Send, Subscribe
from rtui.core.event import Received
from rtui.protocols.socketio import SocketIO
from tests.conformance.subject import BURST, Peer, Scene, Subject
from tests.conformance.suite import Question, asked, over_tls
from tests.protocols.socketio_peer import Client, Script, listening, peer
from tests.protocols.socketio_server import socketio_server

UPGRADES = ("websocket",)


async def echo(client: Client) -> None:
    await client.greet()
    while True:
        client.say(await client.hear())


async def goodbye(client: Client) -> None:
    await client.greet()
    client.tell("1")


async def drop(client: Client) -> None:
    await client.greet()
    await client.cut()


async def stall(client: Client) -> None:
    await client.greet()
    await client.freeze()


SCENES: dict[Scene, Script] = {"goodbye": goodbye, "drop": drop, "stall": stall}


async def refused(_: web.Request) -> web.Response:
    return web.Response(status=401, text="who are you?")


@asynccontextmanager
async def scenes(context: ssl.SSLContext | None, more: Mapping[Scene, Script] = {}) -> AsyncIterator[Peer]:
    scheme = "socketio+https" if context else "socketio+http"
    async with AsyncExitStack() as stack:
        ports: dict[Scene, int] = {
            name: await stack.enter_async_context(peer(script, context, upgrades=UPGRADES))
            for name, script in {**SCENES, **more}.items()
        }
        door = web.Application()
        door.router.add_route("*", "/{rest:.*}", refused)
        ports["refusal"] = await stack.enter_async_context(listening(door, context))
        if "echo" not in ports:
            ports["echo"] = await stack.enter_async_context(socketio_server(echoing, context))
        ports["flood"] = await stack.enter_async_context(socketio_server(flooding, context))
        urls = {name: f"{scheme}://127.0.0.1:{port}/" for name, port in ports.items()}
        yield Peer(urls, number=lambda payload: int(json.loads(payload)[0]["n"]))


def echoing(server: Any) -> None:
    @server.on("*")
    async def echo(_event: str, sid: str, *arguments: object) -> None:
        await server.emit("echo", arguments, to=sid)


def flooding(server: Any) -> None:
    @server.event
    async def connect(sid: str, _environ: object) -> None:
        server.start_background_task(flood, sid)

    async def flood(sid: str) -> None:
        for number in range(BURST):
            await server.emit("tick", {"n": number}, to=sid)
            if not number % 50:
                await asyncio.sleep(0)


def heard(event: Received) -> bytes:
    """The one argument as it was sent."""
    if event.meta and (attachments := event.meta.get("attachments")):
        return b64decode(attachments[0])
    return "".join(json.loads(event.payload)).encode()


SUBJECT = Subject(
    adapter=SocketIO,
    peer=scenes,
    scheme="socketio+http",
    secure_scheme="socketio+https",
    unsupported=(
        Poke(id=1),
        Send(id=2, payload=b"", channel="/nowhere,x"),
        Subscribe(id=3, channel="/no,comma"),
        HalfClose(id=4),
        Cancel(id=5),
    ),
    secret={"token": "token", "password": "password"},
    send=lambda number, payload: Send(id=number, payload=payload, channel="say"),
    heard=heard,
)


@pytest.mark.parametrize("transports", ["auto", "websocket", "polling"])
@asked
async def test_over_tcp(question: Question, transports: str) -> None:
    # python-engineio reads a large POST over aiohttp only up to the first packet of TCP.
    more: dict[Scene, Script] = {"echo": echo} if transports == "polling" else {}
    async with scenes(None, more=more) as server:
        await question(SUBJECT.giving(transports=transports), server)


test_an_untrusted_certificate, test_over_tls = over_tls(SUBJECT)
