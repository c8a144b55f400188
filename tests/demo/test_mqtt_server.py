"""The broker over real sockets, with the libraries that rtui itself and others use."""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import aiomqtt
import pytest
import trustme
import websockets
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties as PahoProperties

from rtui.demo import mqtt
from rtui.demo.mqtt_codec import Decoder, encode
from rtui.demo.mqtt_packet import (
    V5,
    Connack,
    Connect,
    Disconnect,
    Packet,
    Pingreq,
    Pingresp,
    Publish,
    Subscribe,
    Will,
    Wish,
)
from rtui.demo.mqtt_policy import Limits
from rtui.demo.mqtt_reason import Reason
from tests.waiting import PATIENCE, eventually

VERSIONS = (aiomqtt.ProtocolVersion.V311, aiomqtt.ProtocolVersion.V5)
TRANSPORTS = ("tcp", "websockets")


opened: list[asyncio.StreamWriter] = []
"""Connections of the test that runs; `running` cuts them at its end."""


async def dial(port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    opened.append(writer)
    return reader, writer


def hang_up() -> None:
    for writer in opened:
        writer.transport.abort()
    opened.clear()


class Raw:
    """A version 5 client without a library."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer
        self._decoder = Decoder(V5)
        self._heard: list[Packet] = []

    @classmethod
    async def open(cls, server: mqtt.Server, client_id: str = "", **rest: Any) -> Raw:
        raw = cls(*await dial(server.port))
        raw.say(Connect(client_id=client_id, keep_alive=0, **rest))
        assert (await raw.hear(Connack)).code == 0
        return raw

    def say(self, *packets: Packet) -> None:
        self.writer.write(b"".join(encode(packet, V5) for packet in packets))

    async def hear(self, kind: type[Any]) -> Any:
        """The next packet of that kind; others before it are let go."""
        async with asyncio.timeout(PATIENCE):
            while True:
                while self._heard:
                    if isinstance(packet := self._heard.pop(0), kind):
                        return packet
                data = await self.reader.read(65_536)
                if not data:
                    raise ConnectionResetError
                self._heard += self._decoder.feed(data)

    def abort(self) -> None:
        self.writer.transport.abort()


@asynccontextmanager
async def running(**rest: Any) -> AsyncIterator[mqtt.Server]:
    server = await mqtt.serve(plant=False, **rest)
    try:
        yield server
    finally:
        hang_up()
        await server.close()


@pytest.fixture
async def server() -> AsyncIterator[mqtt.Server]:
    async with running() as server:
        yield server


def client(server: mqtt.Server, transport: str = "tcp", **rest: Any) -> aiomqtt.Client:
    port = server.port if transport == "tcp" else server.websocket_port
    rest.setdefault("protocol", aiomqtt.ProtocolVersion.V5)
    return aiomqtt.Client("127.0.0.1", port, transport=transport, websocket_path="/mqtt", **rest)  # type: ignore[arg-type]


async def collect(source: aiomqtt.Client, count: int) -> list[aiomqtt.Message]:
    heard = []
    async with asyncio.timeout(PATIENCE):
        async for message in source.messages:
            heard.append(message)
            if len(heard) == count:
                break
    return heard


def paho(packet: int, **values: Any) -> Any:
    properties = PahoProperties(packet)  # type: ignore[no-untyped-call]
    for name, value in values.items():
        setattr(properties, name, value)
    return properties


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


def contexts(authority: trustme.CA) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    ours = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost", "127.0.0.1").configure_cert(ours)
    theirs = ssl.create_default_context()
    authority.configure_trust(theirs)
    return ours, theirs


@pytest.mark.parametrize("qos", [0, 1, 2])
@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("secure", [False, True])
async def test_a_message_goes_round(
    authority: trustme.CA, transport: str, version: aiomqtt.ProtocolVersion, qos: int, secure: bool
) -> None:
    ours, theirs = contexts(authority)
    async with running(ssl=ours if secure else None) as server:
        assert server.url.startswith("mqtts://" if secure else "mqtt://")
        assert server.urls[1].startswith("mqtt+wss://" if secure else "mqtt+ws://")
        extra = {"tls_context": theirs} if secure else {}
        async with client(server, transport, protocol=version, **extra) as one:
            await one.subscribe("a/#", qos=qos)
            for size in (0, 1, 70_000):
                await one.publish("a/b", bytes(size), qos=qos)
            heard = await collect(one, 3)
    assert [(len(each.payload), each.qos) for each in heard] == [(0, qos), (1, qos), (70_000, qos)]


async def test_properties_as_paho_sees_them(server: mqtt.Server) -> None:
    properties = paho(
        PacketTypes.PUBLISH,
        ContentType="text/plain",
        ResponseTopic="b",
        CorrelationData=b"\1",
        MessageExpiryInterval=100,
        UserProperty=[("k", "v")],
    )
    subscribing = paho(PacketTypes.SUBSCRIBE, SubscriptionIdentifier=300)
    async with client(server) as one:
        await one.subscribe("a", properties=subscribing)
        await one.publish("a", b"x", qos=1, properties=properties)
        (heard,) = await collect(one, 1)
    got = heard.properties.json()  # type: ignore[union-attr]
    assert got == {**properties.json(), "SubscriptionIdentifier": [300]}


@pytest.mark.parametrize("version", VERSIONS)
async def test_a_wrong_password(server: mqtt.Server, version: aiomqtt.ProtocolVersion) -> None:
    async with client(server, protocol=version, username="demo", password="demo"):
        pass
    with pytest.raises(aiomqtt.MqttError, match=r"[Bb]ad user ?name"):
        async with client(server, protocol=version, username="demo", password="wrong"):
            pass


async def test_twenty_messages_while_away(server: mqtt.Server) -> None:
    connecting = paho(PacketTypes.CONNECT, SessionExpiryInterval=60)

    def sleeper() -> aiomqtt.Client:
        return client(server, identifier="sleeper", clean_start=False, properties=connecting)

    async with sleeper() as one:
        await one.subscribe("a", qos=2)
    async with client(server) as other:
        for number in range(20):
            await other.publish("a", b"%d" % number, qos=1 + number % 2)
    async with sleeper() as one:
        heard = await collect(one, 20)
    # paho hands out QoS 2 when it is released, so that QoS 1 may overtake it there.
    assert sorted(int(each.payload) for each in heard) == list(range(20))


async def test_a_will_for_a_cut_connection(server: mqtt.Server) -> None:
    async with client(server) as watching:
        await watching.subscribe("will")
        raw = await Raw.open(server, will=Will("will", b"gone"))
        raw.abort()
        (heard,) = await collect(watching, 1)
    assert heard.payload == b"gone"


@pytest.mark.parametrize("qos", [1, 2])
@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_nothing_is_lost_and_order_is_kept(server: mqtt.Server, transport: str, qos: int) -> None:
    total = 10_000 if transport == "tcp" else 2_000
    async with client(server, transport) as receiver, client(server, transport) as sender:
        await receiver.subscribe("a", qos=qos)
        handed = [sender._client.publish("a", b"%d" % number, qos) for number in range(total)]
        async with asyncio.timeout(PATIENCE):
            heard = [int(message.payload) async for message in taking(receiver, total)]
        await eventually(lambda: all(one.is_published() for one in handed))  # the sender may hear of it later
    assert heard == list(range(total))
    assert server.broker.tally.publish_dropped == 0


async def taking(source: aiomqtt.Client, count: int) -> AsyncIterator[aiomqtt.Message]:
    async for message in source.messages:
        yield message
        count -= 1
        if not count:
            return


async def test_another_client_of_the_same_name_is_told(server: mqtt.Server) -> None:
    first = await Raw.open(server, "same")
    await Raw.open(server, "same")
    assert (await first.hear(Disconnect)).code == Reason.SESSION_TAKEN_OVER
    assert await first.reader.read() == b""


async def test_the_last_word_arrives_though_the_client_still_talks(server: mqtt.Server) -> None:
    raw = await Raw.open(server)
    raw.writer.write(b"\xc0\x01\x00")
    await eventually(lambda: not server.broker.accepted)

    async def talk() -> None:
        for _ in range(50):
            raw.writer.write(bytes(10_000))
            await asyncio.sleep(0)

    heard, _ = await asyncio.gather(raw.hear(Disconnect), talk())
    assert heard.code == Reason.MALFORMED_PACKET


async def remains(reader: asyncio.StreamReader) -> bytes:
    """What still comes; a reset is an end like another."""
    try:
        return await reader.read()
    except ConnectionError:
        return b""


async def alive(server: mqtt.Server) -> None:
    raw = await Raw.open(server)
    raw.say(Pingreq())
    await raw.hear(Pingresp)
    raw.say(Disconnect())
    raw.writer.close()


async def test_any_bytes_leave_it_serving(server: mqtt.Server) -> None:
    chance = random.Random(7)
    bystander = await Raw.open(server, "bystander")
    connect = encode(Connect(), V5)
    for number in range(200):
        noise = chance.randbytes(chance.randrange(1, 400))
        _, writer = await dial(server.port)
        writer.write(connect + noise if number % 2 else noise)
        if number % 3:
            writer.write_eof()
        writer.close()
    for data in (b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01\x00\xf4\x01\x00\x00\xf0", b"\x10\xff\xff\xff\x7f", b"\x10"):
        _, writer = await dial(server.port)
        writer.write(data)
        writer.close()
    bystander.say(Pingreq())
    await bystander.hear(Pingresp)
    bystander.abort()
    await eventually(lambda: not server.broker.accepted)
    assert not server.broker.sessions
    await alive(server)


async def test_a_reset_is_an_end(server: mqtt.Server) -> None:
    raw = await Raw.open(server)
    raw.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    raw.abort()
    await eventually(lambda: not server.broker.accepted)


async def test_tls_to_the_plain_port_and_back(server: mqtt.Server, authority: trustme.CA) -> None:
    ours, theirs = contexts(authority)
    with pytest.raises((ssl.SSLError, ConnectionError)):
        async with asyncio.timeout(PATIENCE):
            await asyncio.open_connection("127.0.0.1", server.port, ssl=theirs)
    async with running(ssl=ours) as secure:
        reader, writer = await dial(secure.port)
        writer.write(encode(Connect(), V5))
        async with asyncio.timeout(PATIENCE):
            assert await remains(reader) == b""
        writer.close()
    await alive(server)


async def test_websockets_speak_binary_mqtt_at_its_path(server: mqtt.Server) -> None:
    base = f"ws://127.0.0.1:{server.websocket_port}"
    async with websockets.connect(f"{base}/mqtt", subprotocols=["mqtt"]) as one:  # type: ignore[list-item]
        assert one.subprotocol == "mqtt"
        for byte in encode(Connect(), V5):
            await one.send(bytes((byte,)))  # packets are cut into frames as the client likes
        (answer,) = Decoder(V5).feed(await one.recv())  # type: ignore[arg-type]
        assert isinstance(answer, Connack)
        await one.send("text")
        await one.wait_closed()
        assert one.close_code == 1003
    for path, protocol in (("/mqtt", "other"), ("/elsewhere", "mqtt")):
        with pytest.raises(websockets.InvalidHandshake):
            async with websockets.connect(base + path, subprotocols=[protocol]):  # type: ignore[list-item]
                pass
    await eventually(lambda: not server.broker.accepted)


async def flooded(server: mqtt.Server, reader: Raw, sender: Raw, payload: bytes, enough: Callable[[], object]) -> None:
    """Publish until `enough`, while `reader` does not read."""
    reader.writer.transport.pause_reading()  # type: ignore[attr-defined]
    async with asyncio.timeout(PATIENCE):
        while not enough():
            sender.say(*(Publish("a", payload) for _ in range(20)), Pingreq())
            await sender.hear(Pingresp)


async def test_a_client_that_does_not_read_costs_bounded_memory_and_nobody_else_time() -> None:
    async with running(limits=Limits(backlog=1_000_000)) as server:
        slow, sender, quick = [await Raw.open(server, name) for name in ("slow", "sender", "quick")]
        slow.say(Subscribe(1, (Wish("a"),)))
        tally, session = server.broker.tally, server.broker.sessions["slow"]
        await eventually(lambda: server.broker.subscriptions.count == 1)
        await flooded(server, slow, sender, bytes(10_000), lambda: tally.publish_dropped > 1000)
        assert session.waiting <= 100
        quick.say(Pingreq())
        await quick.hear(Pingresp)
        slow.writer.transport.resume_reading()  # type: ignore[attr-defined]
        while session.waiting:
            await slow.hear(Publish)
        sender.say(Publish("a", b"again"))
        while (await slow.hear(Publish)).payload != b"again":
            pass
        for raw in (slow, sender, quick):
            raw.abort()


async def test_a_websocket_client_is_not_pinged(server: mqtt.Server) -> None:
    """The answer of paho has no mask: each of its connections ended at the first ping, after 20 seconds."""
    async with client(server, "websockets"):
        assert [one.ping_interval for one in server._frames.connections] == [None]


async def test_a_websocket_client_that_does_not_read_is_cut() -> None:
    async with running() as server:
        raw, sender = await Raw.open(server, "name"), await Raw.open(server)
        base = f"ws://127.0.0.1:{server.websocket_port}/mqtt"
        async with websockets.connect(base, subprotocols=["mqtt"], max_queue=1) as slow:  # type: ignore[list-item]
            await slow.send(encode(Connect(client_id="slow"), V5) + encode(Subscribe(1, (Wish("a"),)), V5))
            await eventually(lambda: server.broker.subscriptions.count == 1)
            session = server.broker.sessions["slow"]
            slow.transport.pause_reading()
            await flooded(server, raw, sender, bytes(50_000), lambda: session.waiting)
            await Raw.open(server, "slow")  # takes over
            await eventually(lambda: not server._frames.connections)
            slow.transport.abort()


async def test_a_websocket_client_that_is_slow_for_a_while_gets_everything(server: mqtt.Server) -> None:
    sender = await Raw.open(server)
    async with client(server, "websockets") as one:
        await one.subscribe("a")
        for number in range(200):
            sender.say(Publish("a", b"%03d" % number + bytes(50_000)))
        heard = await collect(one, 200)
    assert [int(each.payload[:3]) for each in heard] == list(range(200))


async def test_connections_are_bounded() -> None:
    async with running(limits=Limits(connections=2)) as server, AsyncExitStack() as stack:
        for _ in range(2):
            stack.callback((await Raw.open(server)).abort)
        reader, _ = await dial(server.port)
        assert await reader.read() == b""


async def test_ports() -> None:
    async with running() as first:
        async with running(port=0) as other:
            assert other.port != first.port
        with pytest.raises(OSError, match="in use"):
            await mqtt.serve(port=first.port)


async def test_the_websocket_port_is_the_next_one_unless_that_is_taken() -> None:
    for _ in range(20):  # the port below a free one is not always free, nor does a free one stay so
        with socket.create_server(("127.0.0.1", 0)) as taken, contextlib.suppress(OSError):
            above = taken.getsockname()[1]
            async with running(port=above - 1) as server:
                assert server.websocket_port not in (above, above - 1)
                taken.close()
            async with running(port=above - 1) as server:
                if server.websocket_port == above:
                    return
    pytest.fail("no two ports beside each other")


async def test_closing_says_goodbye_and_leaves_nothing() -> None:
    before = asyncio.all_tasks()
    server = await mqtt.serve()
    raw = await Raw.open(server)
    framed = client(server, "websockets")
    await framed.__aenter__()
    async with asyncio.timeout(PATIENCE):
        closing = asyncio.gather(server.close(), raw.hear(Disconnect))
        assert (await closing)[1].code == Reason.SERVER_SHUTTING_DOWN
    hang_up()
    with contextlib.suppress(aiomqtt.MqttError):  # whether it has noticed before it leaves is its matter
        await framed.__aexit__(None, None, None)
    with pytest.raises(OSError, match=r"[Cc]onnect"):
        await asyncio.open_connection("127.0.0.1", server.port)
    await eventually(lambda: asyncio.all_tasks() <= before)


async def test_the_plant_runs_on_the_served_broker() -> None:
    server = await mqtt.serve()
    try:
        async with client(server) as one:
            await one.subscribe("plant/#")
            heard = await collect(one, 20)
        assert any(str(each.topic).endswith("/status") for each in heard)
    finally:
        await server.close()


def test_the_table_of_topics_is_made_for_reading() -> None:
    assert all(mqtt.PATHS.values())
    assert "plant/#" in mqtt.PATHS
