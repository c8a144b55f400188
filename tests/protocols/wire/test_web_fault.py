"""What is no answer, or no whole one, and what it is called."""

from __future__ import annotations

import asyncio
import math

import pytest

from rtui.core.fault import Failure, Fault
from rtui.protocols.wire.reach_fault import Unopened
from rtui.protocols.wire.web_fault import CutShort, TooLarge, refused
from rtui.protocols.wire.web_http1 import LONGEST_HEAD, LONGEST_PAUSE
from tests.port import reserved
from tests.protocols.http_peer import Client, answering, chunked, repeating, serving, whole
from tests.protocols.web_client import LARGE, ask, asking
from tests.waiting import PATIENCE, eventually


async def fault_of(data: bytes) -> Fault:
    """Why these bytes of a server are no answer, or no whole one."""
    async with serving(answering(data)) as peer:
        with pytest.raises(Failure) as caught:
            await ask(peer)
        return caught.value.fault


@pytest.mark.parametrize(
    ("data", "cause"),
    [
        (chunked(b"abc", end=b""), "in the middle of the answer"),
        (chunked(b"abc", end=b"5\r\nab"), "in the middle of the answer"),
        (chunked(b"abc", end=b"0\r\n"), "in the middle of the answer"),
        (chunked(b"abc", end=b"zz\r\n"), "breaks HTTP/1.1: Invalid character in chunk size"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab", "in the middle of the answer"),
        (chunked(b"a", end=b"1;" + b"x" * (LONGEST_PAUSE + 40000)), "bytes of chunk extensions or trailers"),
        (chunked(b"a", end=b"0\r\nT: " + b"x" * (LONGEST_PAUSE + 40000)), "bytes of chunk extensions or trailers"),
    ],
)
async def test_a_body_cut_short_is_a_lost_connection(data: bytes, cause: str) -> None:
    found = await fault_of(data)
    assert (found.kind, found.title, found.transient) == ("lost", "Connection lost", True)
    assert cause in found.cause


async def test_what_came_before_the_cut_is_not_lost() -> None:
    async with serving(answering(chunked(b"abc", b"de", end=b"broken"))) as peer, asking(peer.url()) as web:
        pieces = (await web.open()).pieces()
        assert await anext(pieces) == b"abcde"
        with pytest.raises(CutShort):
            await anext(pieces)


async def test_a_reset_in_the_body_is_a_lost_connection() -> None:
    async def script(client: Client) -> None:
        await client.asked()
        await client.send(chunked(b"abc", end=b""))
        await eventually(taken.is_set)
        client.reset()

    taken = asyncio.Event()
    async with serving(script) as peer, asking(peer.url()) as web:
        pieces = (await web.open()).pieces()
        assert await anext(pieces) == b"abc"
        taken.set()
        with pytest.raises(CutShort, match="reset"):
            await anext(pieces)


@pytest.mark.parametrize("excess", [0, 1])
async def test_a_body_has_a_limit(excess: int) -> None:
    async with serving(repeating(whole(b"x" * (1000 + excess)))) as peer, asking(peer.url()) as web:
        answer = await web.open()
        if not excess:
            assert len(await answer.body(1000)) == 1000
            return
        with pytest.raises(TooLarge) as caught:
            await answer.body(1000)
        assert (caught.value.fault.kind, caught.value.fault.cause) == (
            "limit",
            "more than 1,000 bytes after decompression",
        )


@pytest.mark.parametrize(
    ("data", "kind", "title", "cause"),
    [
        (b"", "lost", "Closed during the handshake", "without an answer to the HTTP request"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "handshake", "Not an HTTP server", "something else than HTTP"),
        (b"\x00\x00\x12\x04\x00\x00\x00\x00\x00" + bytes(18), "handshake", "The server speaks HTTP/2 only", "HTTP/2"),
        (b"HTTP/1.1 200 OK\r\nContent-", "protocol", "Broken answer", "the connection ended in it"),
        (b"HTTP/1.1 200 OK\r\nA b: c\r\n\r\n", "protocol", "Broken answer", "Invalid header token"),
        (
            b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
            "protocol",
            "Broken answer",
            "Duplicate",
        ),
        (b"HTTP/1.1 200 OK\r\nA: " + b"x" * (LONGEST_HEAD + 40000), "protocol", "Broken answer", "65,536 bytes"),
        (b"HTTP/1.1 100 Go\r\n\r\n" * 8000, "protocol", "Broken answer", "65,536 bytes"),
    ],
)
async def test_what_is_no_answer_is_named(data: bytes, kind: str, title: str, cause: str) -> None:
    found = await fault_of(data)
    assert (found.kind, found.title) == (kind, title)
    assert cause in found.cause


async def test_an_answer_that_does_not_come_is_a_timeout() -> None:
    async with serving(lambda client: client.gone()) as peer, asking(peer.url(), timeout=1.0) as web:
        with pytest.raises(Unopened) as caught:
            await web.open()
        await peer.quiet()
    assert (caught.value.fault.kind, caught.value.fault.title) == ("timeout", "No answer in 1 s")
    assert caught.value.fault.cause.startswith("waiting for the answer to the HTTP request")


async def test_an_answer_may_be_waited_for_longer_than_a_connection() -> None:
    async def script(client: Client) -> None:
        await client.asked()
        await asyncio.sleep(1.3)
        client.answer(b"late")

    async with serving(script) as peer, asking(peer.url(), timeout=1.0) as web:
        answer = await web.open(timeout=math.inf)
        assert await answer.body(LARGE) == b"late"


async def test_nobody_listens() -> None:
    with reserved() as port:
        async with asking(f"poll+http://127.0.0.1:{port}/") as web:
            with pytest.raises(Unopened) as caught:
                await web.open()
    assert (caught.value.fault.kind, caught.value.fault.cause) == ("refused", f"nobody listens on 127.0.0.1:{port}")


async def test_a_host_that_is_unknown() -> None:
    async with asking("http://nobody.invalid/") as web:
        with pytest.raises(Unopened) as caught:
            await web.open()
    assert caught.value.fault.kind == "unknown-host"


@pytest.mark.parametrize(("status", "kind"), [(401, "auth"), (403, "auth"), (404, "handshake"), (429, "busy")])
async def test_a_refusal_carries_what_the_server_says(status: int, kind: str) -> None:
    data = whole(b"because", "Retry-After: 7", status=status, reason="No")
    async with serving(answering(data)) as peer, asking(peer.url()) as web:
        answer = await web.open()
        found = refused(answer, await answer.beginning(), "event stream")
    assert (found.kind, found.retry_after) == (kind, 7)
    assert found.cause == f"127.0.0.1:{peer.port} answered HTTP {status} No"
    assert found.meta is not None
    assert found.meta["body"] == "because"


async def test_the_beginning_of_a_body_that_never_ends() -> None:
    async def script(client: Client) -> None:
        await client.asked()
        client.head(500)
        client.write(b"sorry")
        await client.gone()

    async with serving(script) as peer, asking(peer.url()) as web:
        async with asyncio.timeout(PATIENCE):
            assert await (await web.open()).beginning(seconds=0.1) == b"sorry"
        await peer.quiet()
