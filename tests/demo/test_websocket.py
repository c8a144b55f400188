from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import pytest
from websockets.asyncio.client import connect

from rtui.demo.websocket import PATHS, serve
from rtui.demo.websocket_scene import SCENES


@pytest.fixture
async def url() -> AsyncIterator[str]:
    server = await serve()
    yield server.url
    await server.close()


def test_every_scene_is_listed() -> None:
    listed = {urlsplit(path).path for path in PATHS}
    assert listed == {*SCENES, "/status", "/redirect"}


async def test_a_browser_gets_the_index(url: str) -> None:
    parts = urlsplit(url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    answer = await reader.read()
    writer.close()
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["paths"] == dict(PATHS)


async def test_the_ticker_tells_the_same_story_for_the_same_seed(url: str) -> None:
    async def story(seed: int) -> list[dict[str, object]]:
        async with connect(f"{url}/ticker?rate=1000&seed={seed}", proxy=None) as client:
            events = [json.loads(await client.recv()) for _ in range(40)]
        return [{key: value for key, value in event.items() if key != "time"} for event in events]

    first = await story(1)
    assert first == await story(1)
    assert first != await story(2)
    assert {event["type"] for event in first} >= {"order", "trade", "sensor"}


async def test_text_is_sent_as_it_is(url: str) -> None:
    async with connect(f"{url}/ticker?rate=1000", proxy=None) as client:
        assert '"customer": "王芳"' in await client.recv()
    async with connect(f"{url}/chat", proxy=None) as client:
        await client.recv()
        await client.send("grüß dich")
        assert '"text": "grüß dich"' in await client.recv()


async def test_a_burst_keeps_its_rate_and_ends(url: str) -> None:
    began = time.monotonic()
    async with connect(f"{url}/burst?rate=20000&size=200&n=10000", proxy=None) as client:
        messages = [message async for message in client]
        took = time.monotonic() - began
    assert [json.loads(message)["n"] for message in messages] == list(range(1, 10_001))
    assert {len(message) for message in messages} == {200}
    assert took > 0.45, "not faster than asked; how much slower is the machine's affair"


async def test_a_chat_is_heard_by_all(url: str) -> None:
    async with connect(f"{url}/chat?room=a&name=ann", proxy=None) as ann:
        assert json.loads(await ann.recv())["people"] == 1
        async with connect(f"{url}/chat?room=a&name=bob", proxy=None) as bob:
            assert json.loads(await ann.recv())["name"] == "bob"
            await bob.send("hi")
            assert json.loads(await ann.recv()) == {"type": "message", "room": "a", "name": "bob", "text": "hi"}
        assert json.loads(await ann.recv())["type"] == "leave"


@pytest.mark.parametrize("scene", ["/slow?every=60", "/silent", "/burst?rate=50000", "/echo"])
async def test_closing_does_not_wait_for_a_scene(scene: str) -> None:
    server = await serve()
    async with connect(f"{server.url}{scene}", proxy=None, close_timeout=0.2):
        began = time.monotonic()
        await server.close()
        assert time.monotonic() - began < 20


async def test_a_bad_parameter_is_told(url: str) -> None:
    async with connect(f"{url}/burst?rate=fast", proxy=None) as client:
        await client.wait_closed()
        assert client.close_code == 1008
        assert "parameter" in (client.close_reason or "")
