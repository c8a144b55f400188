"""The conformance suite, asked of MQTT 3.1.1 and 5 over TCP, and of 5 over TLS."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest

from rtui.core.command import Cancel, HalfClose, Poke, Send, Subscribe
from rtui.protocols.mqtt import Mqtt
from tests.conformance.subject import BURST, INVALID, Peer, Scene, Subject
from tests.conformance.suite import Question, asked, over_tls
from tests.protocols.mqtt_peer import Client, Script, packet, peer, publish


async def echo(client: Client) -> None:
    await client.greet()
    await client.serve(lambda them, first, body: them.write(packet(first, body)))


async def goodbye(client: Client) -> None:
    await client.greet()
    client.write(b"\xe0\x00")
    await client.writer.drain()


async def drop(client: Client) -> None:
    await client.greet()
    client.write(_publish(client, b"cut in the middle")[:-5])
    await client.writer.drain()
    await asyncio.sleep(0.05)
    client.reset()


async def flood(client: Client) -> None:
    await client.greet()
    client.write(b"".join(_publish(client, b"%07d" % number) for number in range(BURST)))
    await client.serve()


async def stall(client: Client) -> None:
    await client.greet()
    client.writer.transport.pause_reading()  # type: ignore[attr-defined] # a ReadTransport, too
    await asyncio.Event().wait()


async def invalid(client: Client) -> None:
    await client.greet()
    client.write(_publish(client, INVALID))
    await client.serve()


def _publish(client: Client, payload: bytes) -> bytes:
    return publish(b"scene", payload, properties=b"" if client.version == "5" else None)


SCENES: dict[Scene, Script] = {
    "echo": echo,
    "goodbye": goodbye,
    "drop": drop,
    "flood": flood,
    "stall": stall,
    "invalid-text": invalid,
}


@asynccontextmanager
async def scenes(context: ssl.SSLContext | None) -> AsyncIterator[Peer]:
    scheme = "mqtts" if context else "mqtt"
    async with AsyncExitStack() as stack:
        ports = {name: await stack.enter_async_context(peer(script, context)) for name, script in SCENES.items()}
        yield Peer({name: f"{scheme}://127.0.0.1:{port}/" for name, port in ports.items()})


SUBJECT = Subject(
    adapter=Mqtt,
    peer=scenes,
    scheme="mqtt",
    secure_scheme="mqtts",
    unsupported=(
        Poke(id=1, payload=b"a ping of MQTT carries nothing"),
        Send(id=2, payload=b"", channel="no/wild/cards/#"),
        Subscribe(id=3, channel="not#a/filter"),
        HalfClose(id=4),
        Cancel(id=5),
    ),
    secret={"password": "password"},
    send=lambda number, payload: Send(id=number, payload=payload, channel="echo"),
)


@pytest.mark.parametrize("version", ["3.1.1", "5"])
@asked
async def test_over_tcp(question: Question, version: str) -> None:
    if version == "3.1.1" and question.__name__ == "tells_a_polite_end":
        pytest.skip("a broker of 3.1.1 has no goodbye")
    one = SUBJECT.giving(version=version)
    async with one.peer(None) as server:
        await question(one, server)


test_an_untrusted_certificate, test_over_tls = over_tls(SUBJECT)
