"""The conformance suite, asked of gRPC over TCP and over TLS."""

from __future__ import annotations

import json
import ssl
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from rtui.core.command import Break, Cancel, HalfClose, Poke, Send, Subscribe
from rtui.core.event import Received
from rtui.protocols.grpc import Grpc
from tests.conformance.subject import BURST, Peer, Scene, Subject
from tests.conformance.suite import over_tcp, over_tls
from tests.protocols.grpc_peer import Script, Served, framed, grpc_serving, note

FLOOD = b"".join(framed(note(number=number)) for number in range(BURST))
STREAM = "/t.Calls/Down"


async def echo(call: Served) -> None:
    call.head()
    async for message in call.requests():
        await call.pour(framed(message))
    call.end()


async def flood(call: Served) -> None:
    call.head()
    await call.pour(FLOOD)


async def stall(call: Served) -> None:
    call.head()
    call.say(note("first and last"))


async def drop(call: Served) -> None:
    call.head()
    call.raw(framed(note("half of a message"))[:-4])
    await call.client.writer.drain()
    call.client.reset()


async def refusal(call: Served) -> None:
    call.head(status=401, media_type="text/plain")
    call.raw(b"who are you?", end_stream=True)


PLAYS: dict[Scene, tuple[Script, str]] = {
    "echo": (echo, ""),
    "flood": (flood, STREAM),
    "stall": (stall, STREAM),
    "drop": (drop, STREAM),
    "refusal": (refusal, ""),
}


@asynccontextmanager
async def scenes(context: ssl.SSLContext | None) -> AsyncIterator[Peer]:
    scheme = "grpcs" if context else "grpc"
    urls: dict[Scene, str] = {}
    async with AsyncExitStack() as servers:
        for scene, (script, path) in PLAYS.items():
            serving = grpc_serving(script, context, reflection=scene != "refusal")
            urls[scene] = (await servers.enter_async_context(serving)).url(scheme, path)
        yield Peer(urls, number=lambda payload: int(json.loads(payload).get("number", 0)))


def send(number: int, payload: bytes) -> Send:
    return Send(id=number, channel="t.Calls/Unary", payload=json.dumps({"text": payload.decode()}).encode())


def heard(event: Received) -> bytes:
    text: str = json.loads(event.payload).get("text", "")
    return text.encode()


SUBJECT = Subject(
    adapter=Grpc,
    peer=scenes,
    scheme="grpc",
    secure_scheme="grpcs",
    unsupported=(
        Break(id=1, what="hold-acks"),
        Subscribe(id=2, channel="t.Calls/Unary"),
        HalfClose(id=3),
        Cancel(id=4),
        Poke(id=5, payload=b"nine bytes"),
        Send(id=6, channel="t.Calls/Nothing", payload=b"{}"),
        Send(id=7, channel="t.Calls/Unary", payload=b"no JSON"),
    ),
    secret={"token": "token", "password": "password"},
    send=send,
    heard=heard,
)


test_over_tcp = over_tcp(SUBJECT)
test_an_untrusted_certificate, test_over_tls = over_tls(SUBJECT)
