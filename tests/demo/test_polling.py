from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from types import SimpleNamespace
from urllib.parse import urlsplit

import aiohttp
import pytest

from rtui.demo import longpoll, polling_scene
from rtui.demo.http import COMMON, Server
from rtui.demo.polling import PATHS, serve
from rtui.demo.polling_scene import SCENES
from rtui.demo.story import HOSTILE
from tests.waiting import PATIENCE, eventually


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    one = await serve()
    yield one
    await one.close()


@pytest.fixture
async def client(server: Server) -> AsyncIterator[aiohttp.ClientSession]:
    base = server.url.removeprefix("poll+")
    async with aiohttp.ClientSession(base, timeout=aiohttp.ClientTimeout(PATIENCE)) as one:
        yield one


@pytest.fixture
def still(monkeypatch: pytest.MonkeyPatch) -> None:
    """No price changes while the test runs, whatever the clock says."""
    monkeypatch.setattr(polling_scene, "_tick", lambda _: 1_000)


def test_every_scene_is_listed() -> None:
    assert {urlsplit(path).path for path in PATHS} == {"/", *SCENES, *COMMON}


async def test_long_polling_is_the_same_at_another_address() -> None:
    server = await longpoll.serve()
    try:
        assert server.url == f"longpoll+http://127.0.0.1:{server.port}"
        async with aiohttp.ClientSession(server.url.removeprefix("longpoll+")) as one, one.get("/") as answered:
            assert (await answered.json())["paths"] == dict(PATHS)
    finally:
        await server.close()


async def test_an_unchanged_price_is_not_sent_again(client: aiohttp.ClientSession, still: None) -> None:
    path = "/price"
    async with client.get(path) as answered:
        tag, body = answered.headers["ETag"], await answered.json()
    async with client.get(path, headers={"If-None-Match": f'"other", W/{tag}'}) as answered:
        assert (answered.status, await answered.read(), answered.headers["ETag"]) == (304, b"", tag)
    async with client.get(path, headers={"If-Modified-Since": answered.headers["Last-Modified"]}) as answered:
        assert answered.status == 304
    # The tag decides alone.
    stale = {"If-None-Match": '"other"', "If-Modified-Since": answered.headers["Last-Modified"]}
    async with client.get(path, headers=stale) as answered:
        assert (answered.status, await answered.json()) == (200, body)


@pytest.mark.parametrize("since", ["Thu, 01 Jan 2026 00:00:00 GMT", "yesterday"])
async def test_an_older_or_odd_date_gets_the_price(client: aiohttp.ClientSession, since: str) -> None:
    async with client.get("/price", headers={"If-Modified-Since": since}) as answered:
        assert answered.status == 200


async def test_prices_change(client: aiohttp.ClientSession) -> None:
    seen = set()
    for _ in range(20):
        async with client.get("/price?every=0.01") as answered:
            seen.add((await answered.json())["volume"])
        await asyncio.sleep(0.011)
    assert len(seen) > 10


async def test_another_seed_is_another_price(client: aiohttp.ClientSession, still: None) -> None:
    async with client.get("/price?seed=1") as one, client.get("/price?seed=2") as two:
        assert (await one.json())["price"] != (await two.json())["price"]


async def test_items_are_the_newest_first(client: aiohttp.ClientSession) -> None:
    async with client.get("/items?keep=4") as answered:
        body = await answered.json()
    assert [item["id"] for item in body["items"]] == [body["total"] - at for at in range(4)]


@pytest.mark.parametrize("where", ["query", "header", "body"])
async def test_the_queue_tells_what_came_after_the_cursor(client: aiohttp.ClientSession, where: str) -> None:
    async with client.get("/queue") as answered:
        first = await answered.json()
    after = str(int(first["cursor"]) - 7)
    how = {
        "query": {"params": {"cursor": after}},
        "header": {"headers": {"X-Cursor": after}},
        "body": {"json": {"cursor": after}},
    }[where]
    async with client.post("/queue", **how) as answered:  # type: ignore[arg-type]
        body = await answered.json()
    ids = [item["id"] for item in body["items"]]
    assert ids == [*range(int(after) + 1, int(body["cursor"]) + 1)]
    assert len(ids) >= 7, "the queue goes on meanwhile"


async def test_the_queue_waits_for_the_next_and_gives_up(client: aiohttp.ClientSession) -> None:
    async with client.get("/queue?every=0.2") as answered:
        cursor = int((await answered.json())["cursor"])
    async with client.get(f"/queue?every=0.2&cursor={cursor}") as answered:
        items = (await answered.json())["items"]
    assert items[0]["id"] == cursor + 1
    ahead = cursor + 1_000_000
    began = time.monotonic()
    async with client.get(f"/queue?every=0.2&hold=0.1&cursor={ahead}") as answered:
        assert await answered.json() == {"cursor": str(ahead), "items": []}
    assert time.monotonic() - began >= 0.1


async def test_the_queue_waits_by_its_own_clock(client: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch) -> None:
    began, now = time.monotonic(), time.time()
    slow = SimpleNamespace(time=lambda: now + (time.monotonic() - began) / 2)
    monkeypatch.setattr(polling_scene, "time", slow)
    ahead = polling_scene._tick(0.2)
    async with client.get(f"/queue?every=0.2&cursor={ahead}") as answered:
        items = (await answered.json())["items"]
    assert [item["id"] for item in items][:1] == [ahead + 1]


async def test_every_third_answer_lost_its_cursor(client: aiohttp.ClientSession) -> None:
    found = []
    for _ in range(6):
        async with client.get("/vanishing-cursor?every=0.01") as answered:
            found.append("cursor" in await answered.json())
    assert found.count(False) == 2
    assert found[:3] == found[3:]


@pytest.mark.parametrize("code", [429, 503])
async def test_busy_now_and_then(client: aiohttp.ClientSession, code: int) -> None:
    found = []
    for _ in range(6):
        async with client.get(f"/busy?every=3&code={code}") as answered:
            found.append((answered.status, answered.headers.get("Retry-After")))
    assert sorted(found, key=str) == sorted([(200, None)] * 4 + [(code, "2")] * 2, key=str)


async def test_echo_tells_the_request(client: aiohttp.ClientSession) -> None:
    async with client.put("/echo?a=1", data=b"caf\xe9", headers={"X-One": "two"}) as answered:
        told = await answered.json()
    assert (told["method"], told["url"], told["body"]) == ("PUT", "/echo?a=1", "caf\\xe9")
    assert ["X-One", "two"] in told["headers"]


@pytest.mark.parametrize(
    ("path", "status"), [("/status?code=503", 503), ("/status", 401), ("/empty", 204), ("/x", 404)]
)
async def test_statuses(client: aiohttp.ClientSession, path: str, status: int) -> None:
    async with client.get(path) as answered:
        assert answered.status == status
        assert ("Retry-After" in answered.headers) == (status == 503)
        assert ("WWW-Authenticate" in answered.headers) == (status == 401)


async def test_redirects(client: aiohttp.ClientSession) -> None:
    async with client.get("/redirect?to=/items") as answered:
        assert answered.url.path == "/items"
    with pytest.raises(aiohttp.TooManyRedirects):
        await client.get("/loop")


async def test_bad_bodies(client: aiohttp.ClientSession) -> None:
    async with client.get("/bad-json") as answered:
        with pytest.raises(json.JSONDecodeError):
            await answered.json()
    async with client.get("/bad-utf8") as answered:
        with pytest.raises(UnicodeDecodeError):
            (await answered.read()).decode()
    async with client.get("/cut") as answered:
        with pytest.raises(aiohttp.ClientPayloadError):
            await answered.read()
    async with client.get("/hostile") as answered:
        assert (await answered.json())["items"] == list(HOSTILE)


@pytest.mark.parametrize("path", ["/huge?size=3000000", "/bomb?size=3000000"])
async def test_large_answers_have_their_size(client: aiohttp.ClientSession, path: str) -> None:
    async with client.get(path) as answered:
        assert len(await answered.read()) == 3_000_000


@pytest.mark.parametrize("path", ["/price?every=often", "/slow?seconds=nan", "/queue?cursor=x", "/status?code=999"])
async def test_a_bad_parameter_is_told(
    client: aiohttp.ClientSession, path: str, capfd: pytest.CaptureFixture[str]
) -> None:
    async with client.get(path) as answered:
        assert (answered.status, "bad request" in (await answered.json())["error"]) == (400, True)
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    "rubbish", [b"\x16\x03\x01\x00", b"GET / HTTP/9\r\n\r\n", b"POST /echo HTTP/1.1\r\nContent-Length: 9\r\n\r\n{"]
)
async def test_rubbish_is_not_printed(server: Server, rubbish: bytes, capfd: pytest.CaptureFixture[str]) -> None:
    complaints: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(rubbish)
    writer.write_eof()
    await reader.read()
    writer.close()
    await eventually(lambda: not server._playing)
    assert (complaints, capfd.readouterr().err) == ([], "")


@pytest.mark.parametrize("path", ["/slow?seconds=60", "/queue?cursor=99999999"])
async def test_closing_does_not_wait_for_an_answer(path: str) -> None:
    server = await serve()
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    await eventually(lambda: server._playing)
    began = time.monotonic()
    await server.close()
    assert time.monotonic() - began < 20
    assert await reader.read() == b""
    writer.close()


async def test_a_taken_port_is_told_and_leaves_nothing(server: Server) -> None:
    with pytest.raises(OSError, match=str(server.port)):
        await serve(port=server.port)
