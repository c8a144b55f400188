from __future__ import annotations

import asyncio
import json
import time
import zlib
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import aiohttp
import pytest

from rtui.demo import sse_news, sse_token
from rtui.demo.http import COMMON, Server
from rtui.demo.sse import PATHS, serve
from rtui.demo.sse_scene import COMMENT_EVERY, ODD_ENDS, SCENES
from rtui.demo.story import HOSTILE
from tests.waiting import PATIENCE, eventually


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    one = await serve()
    yield one
    await one.close()


@pytest.fixture
async def client(server: Server) -> AsyncIterator[aiohttp.ClientSession]:
    async with visitor(server) as one:
        yield one


def visitor(server: Server) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(server.url.removeprefix("sse+"), timeout=aiohttp.ClientTimeout(PATIENCE))


class Block(dict[str, str]):
    """What stands between two empty lines: field → value; "" is a comment."""

    def __init__(self, text: str) -> None:
        lines = [line.partition(":") for line in text.split("\n") if line]
        super().__init__({name: value.removeprefix(" ") for name, _, value in lines})
        self["data"] = "\n".join(value.removeprefix(" ") for name, _, value in lines if name == "data")


async def read(client: aiohttp.ClientSession, path: str, count: int, last_id: object = "") -> list[Block]:
    """The first `count` events."""
    found: list[Block] = []
    headers = {"Last-Event-ID": str(last_id)} if last_id != "" else {}
    async with client.get(path, headers=headers) as answered:
        assert answered.content_type == "text/event-stream"
        while len(found) < count:
            block = Block((await answered.content.readuntil(b"\n\n")).decode())
            found += [block] if block["data"] else []
    return found


def test_every_scene_is_listed() -> None:
    assert {urlsplit(path).path for path in PATHS} == {"/", *SCENES, *COMMON}


async def test_a_browser_gets_the_index_and_a_client_an_event(client: aiohttp.ClientSession) -> None:
    async with client.get("/") as answered:
        assert (await answered.json())["paths"] == dict(PATHS)
    async with client.get("/", headers={"Accept": "text/event-stream"}) as answered:
        hello = Block((await answered.content.readuntil(b"\n\n")).decode())
    assert (hello["event"], json.loads(hello["data"])["paths"]) == ("hello", dict(PATHS))


async def test_the_news_are_the_same_for_the_same_seed(client: aiohttp.ClientSession) -> None:
    first = await read(client, "/news?rate=1000&seed=1", 200, last_id=0)
    assert first == await read(client, "/news?rate=1000&seed=1", 200, last_id=0)
    assert first != await read(client, "/news?rate=1000&seed=2", 200, last_id=0)
    assert [block["id"] for block in first] == [str(at) for at in range(1, 201)]
    assert {block.get("event", "") for block in first} == {"", "weather", "quote", "story"}
    assert {block["data"].count("\n") for block in first if block.get("event") == "story"} == {2}
    assert [int(block["id"]) for block in first if "" in block] == [*range(COMMENT_EVERY, 201, COMMENT_EVERY)]


async def test_a_first_visit_begins_at_once(client: aiohttp.ClientSession) -> None:
    found = await read(client, "/news?rate=0.01", sse_news.PREVIEW)
    assert abs(int(found[-1]["id"]) - sse_news.newest(0.01)) <= 1


async def test_what_was_missed_comes_at_once(client: aiohttp.ClientSession) -> None:
    last = sse_news.newest(0.01) - 40
    found = await read(client, "/news?rate=0.01", 40, last)  # at the pace it would take an hour
    assert [int(block["id"]) for block in found] == [*range(last + 1, last + 41)]


@pytest.mark.parametrize("last_id", ["41", "9" * 17])
async def test_what_is_long_ago_or_to_come_is_read_on(client: aiohttp.ClientSession, last_id: str) -> None:
    (found,) = await read(client, "/news?rate=1", 1, last_id)
    assert int(found["id"]) == int(last_id) + 1


@pytest.mark.parametrize("last_id", ["seven", "-3", "9" * 19, "\u00b2"])
async def test_an_id_of_others_is_a_first_visit(client: aiohttp.ClientSession, last_id: str) -> None:
    (found, *_) = await read(client, "/news?rate=0.01", 1, last_id)
    assert abs(int(found["id"]) - sse_news.newest(0.01)) <= sse_news.PREVIEW


async def test_nothing_is_lost_while_the_server_is_away(port: int) -> None:
    server = await serve(port=port)
    async with visitor(server) as client:
        before = [int(block["id"]) for block in await read(client, "/news?rate=50", 20)]
    await server.close()
    await asyncio.sleep(0.2)  # ten events' worth of absence: what is missed, not what is waited for
    server = await serve(port=port)
    async with visitor(server) as client:
        after = [int(block["id"]) for block in await read(client, "/news?rate=50", 20, before[-1])]
    await server.close()
    assert before + after == [*range(before[0], before[0] + 40)]


async def told(client: aiohttp.ClientSession, **request: object) -> list[str]:
    async with client.post("/tokens?rate=5000", **request) as answered:  # type: ignore[arg-type]
        assert answered.content_type == "text/event-stream"
        return [Block(block)["data"] for block in (await answered.text()).split("\n\n") if block]


async def test_tokens_join_to_the_text(client: aiohttp.ClientSession) -> None:
    *chunks, done = await told(client, json={"messages": [{"content": "not me"}, {"role": "user", "content": "Why?"}]})
    choices = [json.loads(chunk)["choices"] for chunk in chunks]
    text = "".join(choice["delta"].get("content", "") for (choice,) in choices[:-1])
    assert done == sse_token.DONE
    assert text == sse_token.TEXT.format(prompt="Why?")
    assert len(chunks) > 200
    assert choices[-2][0]["finish_reason"] == "stop"
    assert json.loads(chunks[-1])["usage"]["completion_tokens"] == len(chunks) - 3


async def test_tokens_without_a_question_and_in_one_piece(client: aiohttp.ClientSession) -> None:
    async with client.get("/tokens?rate=5000") as answered:
        assert sse_token.DONE in await answered.text()
    async with client.post("/tokens", json={"stream": False}) as answered:
        message = (await answered.json())["choices"][0]["message"]
    assert message["content"] == sse_token.TEXT.format(prompt=sse_token.PROMPT)


@pytest.mark.parametrize("body", ["no JSON", "[]", '{"messages": 1}', '{"messages": [{"content": 7}]}'])
async def test_a_bad_question_is_told(client: aiohttp.ClientSession, body: str) -> None:
    async with client.post("/tokens", data=body) as answered:
        assert (answered.status, answered.content_type) == (400, "application/json")


async def test_a_cut_is_inside_an_event_and_the_next_visit_goes_on(client: aiohttp.ClientSession) -> None:
    async with client.get("/cut?after=1") as answered:
        with pytest.raises(aiohttp.ClientPayloadError):
            await answered.read()
    (found,) = await read(client, "/end?after=1", 1, 1)
    assert found["id"] == "2"


async def test_a_polite_end(client: aiohttp.ClientSession) -> None:
    async with client.get("/end?after=2") as answered:
        assert (await answered.text()).endswith('id: 2\ndata: {"n": 2}\n\n')


async def test_a_drop_is_a_reset(server: Server) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(b"GET /drop?after=0 HTTP/1.1\r\nHost: x\r\n\r\n")
    with pytest.raises(ConnectionResetError):
        await reader.read()
    writer.close()


async def test_gone_is_204(client: aiohttp.ClientSession) -> None:
    async with client.get("/gone") as answered:
        assert answered.status == 204


async def test_odd_bytes_are_as_written(client: aiohttp.ClientSession) -> None:
    async with client.get("/crlf") as answered:
        assert await answered.content.readexactly(len(ODD_ENDS)) == ODD_ENDS


async def test_compressed_events_do_not_wait_for_the_end(server: Server) -> None:
    press, text = zlib.decompressobj(31), b""
    async with aiohttp.ClientSession(auto_decompress=False) as client, asyncio.timeout(PATIENCE):
        answered = await client.get(server.url.removeprefix("sse+") + "/gzip?rate=100")
        while text.count(b"\n\n") < 5:
            text += press.decompress(await answered.content.readany())
        answered.close()
    assert text.startswith(b'event: squeezed\nid: 1\ndata: {"n": 1}\n\n')


@pytest.mark.parametrize(
    ("path", "size"), [("/bomb?size=3000000", 3_000_000), ("/endless-line?size=100000", 6 + 2 * 65_536)]
)
async def test_large_answers_have_their_size(client: aiohttp.ClientSession, path: str, size: int) -> None:
    async with client.get(path) as answered:
        assert len(await answered.read()) == size


async def test_an_endless_event_has_no_empty_line(client: aiohttp.ClientSession) -> None:
    async with client.get("/endless-event?size=100000") as answered:
        body = await answered.read()
    assert len(body) >= 100_000
    assert b"\n\n" not in body


async def test_a_burst_is_complete_and_in_order(client: aiohttp.ClientSession) -> None:
    found = await read(client, "/burst?rate=20000&n=3000&size=5", 3000)
    assert [json.loads(block["data"])["n"] for block in found] == [*range(1, 3001)]


async def test_numbers_are_left_out_and_told_twice(client: aiohttp.ClientSession) -> None:
    found = await read(client, "/gaps", 9)
    assert [int(block["id"]) for block in found] == [1, 2, 3, 4, 7, 8, 9, 9, 10]


async def test_attacks_are_in_every_field(client: aiohttp.ClientSession) -> None:
    async with client.get("/hostile") as answered:
        text = (await answered.content.readuntil(b"\n\n")).decode()
    assert text == ": {0}\nevent: {0}\nid: {0}\ndata: {0}\n\n".format(HOSTILE[0])


async def test_a_chunk_without_a_length(server: Server) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(b"GET /bad-chunk HTTP/1.1\r\nHost: x\r\n\r\n")
    assert b"length\n\n\r\nnot a number\r\n" in await reader.readuntil(b"lost\r\n")
    writer.close()


@pytest.mark.parametrize(
    ("path", "type_"), [("/bad-type", "text/html"), ("/bad-type?type=text/event-stream-x", "text/event-stream-x")]
)
async def test_the_wrong_type(client: aiohttp.ClientSession, path: str, type_: str) -> None:
    async with client.get(path) as answered:
        assert answered.content_type == type_


@pytest.mark.parametrize("path", ["/news", "/silent", "/late?seconds=60", "/burst?rate=50000", "/"])
async def test_closing_does_not_wait_for_a_scene(path: str) -> None:
    server = await serve()
    async with visitor(server) as client:
        waiting = asyncio.ensure_future(client.get(path, headers={"Accept": "text/event-stream"}))  # noqa: TID251
        await eventually(lambda: server._playing)
        began = time.monotonic()
        await server.close()
        assert time.monotonic() - began < 20
        await asyncio.wait([waiting])
        assert waiting.exception() is None or isinstance(waiting.exception(), aiohttp.ClientError)
    with pytest.raises(OSError, match=str(server.port)):
        await asyncio.open_connection("127.0.0.1", server.port)


async def test_a_scene_ends_with_its_client(server: Server, client: aiohttp.ClientSession) -> None:
    async with client.get("/silent") as answered:
        await answered.content.readuntil(b"\n\n")
        assert server._playing
    await eventually(lambda: not server._playing)
