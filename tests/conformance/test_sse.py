"""The conformance suite, asked of server-sent events over TCP and over TLS."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from rtui.core.command import Break, Cancel, HalfClose, Poke, Send, Subscribe, Unsubscribe
from rtui.protocols.sse import Sse
from tests.conformance.subject import BURST, INVALID, Peer, Subject
from tests.conformance.suite import over_tcp, over_tls
from tests.protocols.http_peer import Client, serving

FLOOD = b"".join(b"id: %d\ndata: %d\n\n" % (number, number) for number in range(BURST))
PART = 5000


async def script(client: Client) -> None:
    """Plays the scene that the path names."""
    asked = await client.asked()
    scene = asked.target.strip("/")
    if scene == "refusal":
        client.answer(b"who are you?", 401, "text/plain")
        return
    client.head(chunked=True)
    await PLAYS[scene](client)


async def echo(client: Client) -> None:
    client.chunk(b": nobody said anything\n\n")
    await client.gone()


async def goodbye(client: Client) -> None:
    client.chunk(b"data: [DONE]\n\n")
    client.last_chunk()


async def drop(client: Client) -> None:
    client.write(b"ff\r\ndata: half of a")
    await client.writer.drain()
    await asyncio.sleep(0)
    client.reset()


async def flood(client: Client) -> None:
    for start in range(0, len(FLOOD), PART):
        client.chunk(FLOOD[start : start + PART])
        await client.writer.drain()
    await client.gone()


async def stall(client: Client) -> None:
    client.chunk(b"data: first and last\n\n")
    await client.gone()


async def invalid(client: Client) -> None:
    client.chunk(b"data: " + INVALID + b"\n\n")
    await client.gone()


PLAYS = {"echo": echo, "goodbye": goodbye, "drop": drop, "flood": flood, "stall": stall, "invalid-text": invalid}


@asynccontextmanager
async def scenes(context: ssl.SSLContext | None) -> AsyncIterator[Peer]:
    scheme = "sse+https" if context else "sse+http"
    async with serving(script, context) as server:
        yield Peer(
            {
                "echo": server.url(scheme, "/echo"),
                "goodbye": server.url(scheme, "/goodbye"),
                "drop": server.url(scheme, "/drop"),
                "refusal": server.url(scheme, "/refusal"),
                "flood": server.url(scheme, "/flood"),
                "stall": server.url(scheme, "/stall"),
                "invalid-text": server.url(scheme, "/invalid-text"),
            }
        )


SUBJECT = Subject(
    adapter=Sse,
    peer=scenes,
    scheme="sse+http",
    secure_scheme="sse+https",
    unsupported=(
        Send(id=1, payload=b"x"),
        Poke(id=2),
        Subscribe(id=3, channel="x"),
        Unsubscribe(id=4, channel="x"),
        Break(id=5, what="hold-acks"),
        HalfClose(id=6),
        Cancel(id=7),
    ),
    secret={"token": "token", "password": "password"},
)


test_over_tcp = over_tcp(SUBJECT)
test_an_untrusted_certificate, test_over_tls = over_tls(SUBJECT)
