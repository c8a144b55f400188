"""Requests and answers over HTTP/1.1, against servers that are written byte by byte."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from rtui.core.fault import Failure
from rtui.protocols.request import RequestOptions
from rtui.protocols.wire.web import Web
from rtui.settings.option import build
from tests.protocols.http_peer import Client, answering, chunked, repeating, serving, whole
from tests.protocols.web_client import LARGE, ask, asking


async def body_of(data: bytes) -> bytes:
    """What the bytes of a server mean."""
    async with serving(answering(data)) as peer:
        return (await ask(peer))[1]


# What is asked


async def test_a_request_says_what_the_options_say() -> None:
    async with serving(repeating(whole(b"{}"))) as peer:
        options = {
            "method": "put",
            "data": '{"a": 1}',
            "query": {"q": "x y&z"},
            "cookies": {"k": "v"},
            "headers": {"X-One": "ü"},
        }
        await ask(peer, "/p?a=1&q=0", **options)
    asked = peer.requests[0]
    assert (asked.method, asked.target, asked.body) == ("PUT", "/p?a=1&q=x%20y%26z", b'{"a": 1}')
    assert asked.headers["content-type"] == "application/json"
    assert asked.headers["cookie"] == "k=v"
    assert asked.headers["x-one"].encode("latin-1").decode() == "ü"
    assert asked.headers["accept-encoding"] == "gzip, deflate, br"


@pytest.mark.parametrize(
    ("options", "method", "media_type"),
    [
        ({}, "GET", None),
        ({"data": "text"}, "POST", "text/plain; charset=utf-8"),
        ({"data": "[1]"}, "POST", "application/json"),
        ({"data": "<a/>", "headers": {"content-type": "application/xml"}}, "POST", "application/xml"),
        ({"data": "[1]", "method": "patch"}, "PATCH", "application/json"),
    ],
)
async def test_the_method_and_the_type_follow_from_the_body(
    options: dict[str, Any], method: str, media_type: str | None
) -> None:
    async with serving(repeating(whole())) as peer:
        await ask(peer, **options)
    assert (peer.requests[0].method, peer.requests[0].headers.get("content-type")) == (method, media_type)


async def test_a_body_from_a_file_is_read_at_each_request(tmp_path: Path) -> None:
    options = build(RequestOptions, {"data": "@body.json", "proxy": ""}, base=tmp_path)
    async with serving(repeating(whole())) as peer:
        web = Web(options, peer.url())
        for text in ("1", "2"):
            (tmp_path / "body.json").write_text(text)
            await (await web.open()).body(LARGE)
        await web.close()
    assert [asked.body for asked in peer.requests] == [b"1", b"2"]


@pytest.mark.parametrize(("data", "cause"), [("@nothing", "No such file"), ("@/dev/zero", "is not a file")])
async def test_a_body_that_cannot_be_read_is_the_users_fault(data: str, cause: str) -> None:
    async with asking("http://127.0.0.1:9/", data=data) as web:
        with pytest.raises(Failure, match=cause) as caught:
            await web.open()
    assert caught.value.fault.kind == "usage"


@pytest.mark.parametrize(
    ("options", "title"),
    [
        ({"method": "GE T"}, "Not a usable method"),
        ({"method": "connect"}, "Not a usable method"),
        ({"headers": {"Content-Length": "1"}}, "The header Content-Length cannot be set"),
        ({"headers": {"A": "b\r\nX: y"}}, "The header 'A' cannot be sent"),
        ({"headers": {"A b": "c"}}, "The header 'A b' cannot be sent"),
        ({"token": "a\r\nb"}, "The header 'Authorization' cannot be sent"),
        ({"cookies": {"a": "b\r\nc"}}, "The header 'Cookie' cannot be sent"),
        ({"token": "t", "username": "u"}, "Two ways to authenticate"),
        ({"token": "t", "headers": {"authorization": "x"}}, "Two ways to authenticate"),
    ],
)
async def test_what_cannot_be_sent_is_refused_before_anything_is(options: dict[str, Any], title: str) -> None:
    async with serving(answering(whole())) as peer, asking(peer.url(), **options) as web:
        with pytest.raises(Failure) as caught:
            await web.open()
        assert (caught.value.fault.title, caught.value.fault.kind) == (title, "usage")
        assert peer.connections == 0


@pytest.mark.parametrize(
    ("userinfo", "options", "sent"),
    [
        ("us%20er:p%40ss@", {}, "Basic dXMgZXI6cEBzcw=="),
        ("u:p@", {"token": "t"}, "Bearer t"),
        ("u:p@", {"headers": {"Authorization": "Own x"}}, "Own x"),
        ("", {"username": "u", "password": "p"}, "Basic dTpw"),
    ],
)
async def test_credentials_of_the_options_win_over_the_urls(userinfo: str, options: dict[str, Any], sent: str) -> None:
    async with (
        serving(repeating(whole())) as peer,
        asking(peer.url("sse+http", host=f"{userinfo}127.0.0.1"), **options) as web,
    ):
        assert web.url == peer.url()
        await (await web.open()).body(LARGE)
    assert peer.requests[0].headers["authorization"] == sent
    assert "@" not in peer.requests[0].headers["host"]


async def test_what_one_request_gives_stands_in_for_the_options() -> None:
    async with (
        serving(repeating(whole())) as peer,
        asking(peer.url(path="/?cursor=1&x"), headers={"If-None-Match": "old"}, data="a") as web,
    ):
        answer = await web.open(headers={"if-none-match": "new"}, query={"cursor": "7"}, data=b"b", method="QUERY")
        await answer.close()
    asked = peer.requests[0]
    assert (asked.method, asked.target, asked.body) == ("QUERY", "/?x&cursor=7", b"b")
    assert asked.headers["if-none-match"] == "new"


def test_a_url_that_is_none_is_the_users_fault() -> None:
    with pytest.raises(Failure, match="Not a usable URL"):
        Web(RequestOptions(), "http://host:port/")


# What is answered


async def test_an_answer_tells_its_head() -> None:
    data = whole(b"x", "Content-TYPE: Text/Event-Stream; charset=x", "X-Two: 1", "X-Two: 2", "Set-Cookie: s=secret")
    async with serving(repeating(data)) as peer:
        answer, _ = await ask(peer, "/p?token=canary")
    assert (answer.status, answer.reason, answer.version) == (200, "OK", "HTTP/1.1")
    assert answer.media_type == "text/event-stream"
    assert [value for name, value in answer.headers if name == "X-Two"] == ["1", "2"]
    assert (answer.header("x-two"), answer.header("none")) == ("1", "")
    details = answer.details()
    assert (details["protocol"], details["status"]) == ("HTTP/1.1", "200 OK")
    assert details["remote"] == f"127.0.0.1:{peer.port}"
    assert set(details["timings"]) == {"dns", "tcp", "handshake"}
    assert "secret" not in str(details)
    assert "canary" not in answer.url
    assert 0 < answer.first_byte_ms < 5000


@pytest.mark.parametrize(
    ("data", "body"),
    [
        (chunked(b"a", b"bc", b"def"), b"abcdef"),
        (chunked(b"a", end=b"0;x=y\r\nTrailer: 1\r\n\r\n"), b"a"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;ext=1\r\nabc\r\n0\r\n\r\n", b"abc"),
        (whole(b"abc"), b"abc"),
        (whole(b"abc") + b"more than was said", b"abc"),
        (whole(b"abc") + whole(b"of nobody's request"), b"abc"),
        (chunked(b"abc") + chunked(b"of nobody's request"), b"abc"),
        (whole(b""), b""),
        (b"HTTP/1.1 200 OK\r\n\r\nuntil the end", b"until the end"),
        (b"HTTP/1.0 200 OK\r\n\r\nold", b"old"),
        (b"HTTP/1.1 200\r\nContent-Length: 1\r\n\r\nx", b"x"),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + whole(b"abc"), b"abc"),
        (b"HTTP/1.1 204 No Content\r\n\r\n", b""),
        (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", b""),
        (b"HTTP/1.1 200 \xfc\r\nX: \xfc\r\nContent-Length: 1\r\n\r\nx", b"x"),
    ],
)
async def test_every_framing_gives_the_body(data: bytes, body: bytes) -> None:
    assert await body_of(data) == body


@pytest.mark.parametrize("data", [chunked(b"abc", b"de"), whole(b"abcde"), b"HTTP/1.1 200 OK\r\n\r\nabcde"])
async def test_the_body_does_not_depend_on_how_it_is_cut(data: bytes) -> None:
    async def drip(client: Client) -> None:
        await client.asked()
        for byte in data:
            await client.send(bytes([byte]))
            await asyncio.sleep(0)

    async with serving(drip) as peer:
        assert (await ask(peer))[1] == b"abcde"


async def test_pieces_come_as_they_are_written() -> None:
    taken = asyncio.Event()

    async def slow(client: Client) -> None:
        await client.asked()
        client.head(chunked=True)
        for text in (b"one", b"two"):
            client.chunk(text)
            await taken.wait()
            taken.clear()
        client.last_chunk()

    got = list[bytes]()
    async with serving(slow) as peer, asking(peer.url()) as web:
        async for piece in (await web.open()).pieces():
            got.append(piece)
            taken.set()
    assert got == [b"one", b"two"]


async def test_the_answer_to_head_has_no_body() -> None:
    async with (
        serving(repeating(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n")) as peer,
        asking(peer.url(), method="HEAD") as web,
    ):
        for _ in range(2):
            assert await (await web.open()).body(LARGE) == b""
    assert peer.connections == 1


async def test_a_body_after_the_answer_to_head_is_not_taken() -> None:
    async with serving(repeating(whole(b"abc"))) as peer, asking(peer.url(), method="HEAD") as web:
        for _ in range(2):
            assert await (await web.open()).body(LARGE) == b""
    assert peer.connections == 2
