"""The broker against clients that nobody here wrote: Debian's mosquitto_pub and mosquitto_sub, npm's mqtt."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from rtui.demo import mqtt
from tests.waiting import PATIENCE, eventually

needs_mosquitto = pytest.mark.skipif(
    shutil.which("mosquitto_sub") is None or shutil.which("mosquitto_pub") is None,
    reason="mosquitto-clients is not installed",
)
NODE_MODULES = os.environ.get("RTUI_NODE_MODULES", "")
needs_npm_mqtt = pytest.mark.skipif(
    not NODE_MODULES or not (Path(NODE_MODULES) / "mqtt").is_dir() or shutil.which("node") is None,
    reason="RTUI_NODE_MODULES has no mqtt",
)
VERSIONS = ("mqttv311", "mqttv5")


@pytest.fixture
async def server() -> AsyncIterator[mqtt.Server]:
    server = await mqtt.serve(plant=False)
    yield server
    await server.close()


@asynccontextmanager
async def program(*command: str, **environment: str) -> AsyncIterator[Process]:
    process = await asyncio.create_subprocess_exec(
        *command, stdin=DEVNULL, stdout=PIPE, stderr=PIPE, env={**os.environ, **environment}
    )
    try:
        async with asyncio.timeout(3 * PATIENCE):
            yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


def subscriber(server: mqtt.Server, *options: str, version: str = "mqttv5") -> list[str]:
    return ["mosquitto_sub", "-h", "127.0.0.1", "-p", str(server.port), "-V", version, *options]


async def publish(server: mqtt.Server, *options: str, version: str = "mqttv5") -> tuple[int | None, str]:
    """Exit status and complaint."""
    where = ("-h", "127.0.0.1", "-p", str(server.port), "-V", version)
    async with program("mosquitto_pub", *where, *options) as process:
        _, complaint = await process.communicate()
    return process.returncode, complaint.decode()


async def output(process: Process) -> list[str]:
    out, complaint = await process.communicate()
    assert process.returncode == 0, complaint.decode()
    return out.decode().splitlines()


async def subscribed(server: mqtt.Server, count: int) -> None:
    await eventually(lambda: server.broker.subscriptions.count == count)


@pytest.mark.mosquitto
@needs_mosquitto
@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("qos", ["0", "1", "2"])
async def test_mosquitto_publishes_and_subscribes(server: mqtt.Server, version: str, qos: str) -> None:
    options = ("-t", "a/+", "-q", qos, "-C", "2", "-F", "%t %q %r %p")
    async with program(*subscriber(server, *options, version=version)) as process:
        await subscribed(server, 1)
        assert await publish(server, "-t", "a/b", "-q", qos, "-m", "hello", version=version) == (0, "")
        assert await publish(server, "-t", "a/c", "-q", qos, "-m", "çok", "-r", version=version) == (0, "")
        assert await output(process) == [f"a/b {qos} 0 hello", f"a/c {qos} 0 çok"]


@pytest.mark.mosquitto
@needs_mosquitto
async def test_mosquitto_sees_properties_and_retained_messages(server: mqtt.Server) -> None:
    properties = [
        *("-D", "publish", "content-type", "text/plain"),
        *("-D", "publish", "response-topic", "b"),
        *("-D", "publish", "correlation-data", "c1"),
        *("-D", "publish", "user-property", "k", "v"),
        *("-D", "publish", "message-expiry-interval", "100"),
    ]
    assert (await publish(server, "-t", "a", "-m", "x", "-r", "-q", "1", *properties))[0] == 0
    async with program(*subscriber(server, "-t", "a", "-C", "1", "-F", "%r %p %C %R %D %P")) as process:
        assert await output(process) == ["1 x text/plain b c1 k:v"]


@pytest.mark.mosquitto
@needs_mosquitto
async def test_mosquitto_in_a_shared_subscription(server: mqtt.Server) -> None:
    options = ("-t", "$share/g/a", "-q", "1", "-C", "3")
    async with program(*subscriber(server, *options)) as one, program(*subscriber(server, *options)) as two:
        await subscribed(server, 2)
        for number in range(6):
            await publish(server, "-t", "a", "-m", str(number), "-q", "1")
        first, second = await output(one), await output(two)
    assert sorted(first + second) == [str(number) for number in range(6)]
    assert len(first) == len(second)


@pytest.mark.mosquitto
@needs_mosquitto
@pytest.mark.parametrize("version", VERSIONS)
async def test_mosquitto_comes_back_to_its_session(server: mqtt.Server, version: str) -> None:
    session = ("-i", "sleeper", "-c", "-q", "1", "-t", "a")
    expiry = ("-x", "100") if version == "mqttv5" else ()
    async with program(*subscriber(server, *session, *expiry, "-E", version=version)) as process:
        await output(process)
    await eventually(lambda: not server.broker.connections)
    for number in range(20):
        await publish(server, "-t", "a", "-m", str(number), "-q", "1", version=version)
    async with program(*subscriber(server, *session, *expiry, "-C", "20", version=version)) as process:
        assert await output(process) == [str(number) for number in range(20)]


@pytest.mark.mosquitto
@needs_mosquitto
@pytest.mark.parametrize("version", VERSIONS)
async def test_mosquittos_will_is_sent_when_it_is_killed(server: mqtt.Server, version: str) -> None:
    will = ("--will-topic", "will", "--will-payload", "gone", "--will-qos", "1")
    async with program(*subscriber(server, "-t", "will", "-C", "1")) as watching:
        await subscribed(server, 1)
        async with program(*subscriber(server, "-t", "a", *will, version=version)) as process:
            await subscribed(server, 2)
            process.kill()
        assert await output(watching) == ["gone"]


@pytest.mark.mosquitto
@needs_mosquitto
async def test_mosquitto_is_denied(server: mqtt.Server) -> None:
    status, complaint = await publish(server, "-t", "a", "-m", "x", "-u", "demo", "-P", "wrong")
    assert status
    assert "Connection Refused" in complaint or "Bad" in complaint
    assert (await publish(server, "-t", "a", "-m", "x", "-u", "demo", "-P", "demo"))[0] == 0
    _, complaint = await publish(server, "-t", "denied/a", "-m", "x", "-q", "1")
    assert "Not authorized" in complaint


NODE_CLIENT = """
const mqtt = require(process.env.MODULES + '/mqtt');
const url = process.argv[1], version = Number(process.argv[2]);
const client = mqtt.connect(url, {protocolVersion: version, will: {topic: 'will', payload: 'gone'}});
const heard = [];
client.on('error', error => { console.error(error); process.exit(1); });
client.on('connect', async () => {
  const granted = await client.subscribeAsync({'a/+': {qos: 2}, 'b': {qos: 0}});
  for (const qos of [0, 1, 2]) await client.publishAsync('a/' + qos, 'çok ' + qos, {qos});
  await client.publishAsync('b', Buffer.from([0, 255]), version === 5
    ? {properties: {responseTopic: 'r', correlationData: Buffer.from('c'), userProperties: {k: 'v'}}} : {});
  console.log(JSON.stringify({granted: granted.map(each => each.qos)}));
});
client.on('message', (topic, payload, packet) => {
  const properties = packet.properties || {};
  console.log(JSON.stringify({topic, payload: payload.toString('hex'), qos: packet.qos,
    reply: properties.responseTopic, users: properties.userProperties}));
  heard.push(topic);
  if (heard.length === 4) client.end();
});
"""


@pytest.mark.node
@needs_npm_mqtt
@pytest.mark.node
@pytest.mark.parametrize("transport", [0, 1])
@pytest.mark.parametrize("version", [4, 5])
async def test_npm_mqtt(server: mqtt.Server, version: int, transport: int) -> None:
    url = server.urls[transport].replace("mqtt+ws", "ws")
    async with program("node", "-e", NODE_CLIENT, url, str(version), MODULES=NODE_MODULES) as process:
        lines = [json.loads(line) for line in await output(process)]
    assert {"granted": [2, 0]} in lines
    heard = {line["topic"]: line for line in lines if "topic" in line}
    assert {topic: line["qos"] for topic, line in heard.items()} == {"a/0": 0, "a/1": 1, "a/2": 2, "b": 0}
    assert bytes.fromhex(heard["a/2"]["payload"]).decode() == "çok 2"
    assert heard["b"]["payload"] == "00ff"
    if version == 5:
        assert (heard["b"]["reply"], heard["b"]["users"]) == ("r", {"k": "v"})
    await eventually(lambda: not server.broker.accepted)
    assert server.broker.tally.protocol_errors == 0
