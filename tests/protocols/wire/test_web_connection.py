"""Connections over HTTP/1.1: kept, ended, held back, and gone after a cancellation."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from rtui.protocols.wire.reach_fault import Unopened
from rtui.protocols.wire.web_fault import CutShort
from rtui.protocols.wire.web_network import HIGH
from tests.protocols.http_peer import Client, answering, chunked, repeating, serving, whole
from tests.protocols.web_client import LARGE, asking
from tests.waiting import PATIENCE, eventually


async def test_a_connection_is_used_again() -> None:
    async with (
        serving(repeating(whole(b"1"), chunked(b"2"), b"HTTP/1.1 204 None\r\n\r\n", whole(b"4"))) as peer,
        asking(peer.url()) as web,
    ):
        bodies = [await (await web.open()).body(LARGE) for _ in range(4)]
        again = await web.open()
        assert again.details()["remote"] == f"127.0.0.1:{peer.port}"
        assert set(again.details()["timings"]) == {"handshake"}
    assert bodies == [b"1", b"2", b"", b"4"]
    assert peer.connections == 1


@pytest.mark.parametrize(
    "data",
    [whole(b"1", "Connection: close"), whole(b"1") + b"excess", b"HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\n1"],
)
async def test_a_connection_that_cannot_be_used_again_is_not(data: bytes) -> None:
    async with serving(repeating(data)) as peer, asking(peer.url()) as web:
        for _ in range(2):
            assert await (await web.open()).body(LARGE) == b"1"
    assert peer.connections == 2


async def test_an_answer_left_early_ends_its_connection() -> None:
    async with (
        serving(repeating(whole(b"1") + b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n")) as peer,
        asking(peer.url()) as web,
    ):
        await (await web.open()).close()
        assert await (await web.open()).body(LARGE) == b"1"
    assert peer.connections == 2


async def test_an_idle_connection_that_the_server_ended_is_not_used() -> None:
    async with serving(answering(whole(b"1"))) as peer, asking(peer.url(), data="x") as web:
        await (await web.open()).body(LARGE)
        await eventually(web.wires[0].gone.done)
        await (await web.open()).body(LARGE)
    assert peer.connections == 2


async def test_an_idle_connection_that_ends_under_the_request_is_replaced() -> None:
    async def script(client: Client) -> None:
        await client.asked()
        client.answer(b"1")
        await client.asked()  # and no answer

    async with serving(script) as peer, asking(peer.url()) as web:
        await (await web.open()).body(LARGE)
        assert await (await web.open()).body(LARGE) == b"1"
    assert len(peer.requests) == 3


async def test_what_is_not_idempotent_is_not_sent_twice() -> None:
    async def script(client: Client) -> None:
        await client.asked()
        client.answer(b"1")
        await client.asked()

    async with serving(script) as peer, asking(peer.url(), data="order") as web:
        await (await web.open()).body(LARGE)
        with pytest.raises(Unopened, match="without an answer"):
            await web.open()
    assert len(peer.requests) == 2


async def test_bytes_that_nobody_asked_for_end_an_idle_connection() -> None:
    async def script(client: Client) -> None:
        await client.asked()
        client.answer(b"1")
        await eventually(idle.is_set)
        client.write(b"HTTP/1.1 408 Request Timeout\r\n\r\n")
        await client.gone()

    idle = asyncio.Event()
    async with serving(script) as peer, asking(peer.url()) as web:
        await (await web.open()).body(LARGE)
        idle.set()
        await peer.quiet()
        idle.clear()
        assert await (await web.open()).body(LARGE) == b"1"


async def test_a_client_that_does_not_take_holds_the_server_back() -> None:
    sent = 0

    async def flood(client: Client) -> None:
        nonlocal sent
        await client.asked()
        client.head()
        while True:
            await client.send(b"x" * 65536)
            sent += 65536

    async with serving(flood) as peer, asking(peer.url()) as web:
        answer = await web.open()
        wire = web.wires[0]
        await eventually(lambda: wire._paused)
        assert wire._held < HIGH + 32 * 1024
        pieces = answer.pieces()
        before = sent
        async for _ in pieces:
            if sent > before + 16 * HIGH:
                break
        await pieces.aclose()


async def test_a_client_that_is_held_takes_nothing_until_it_is_let_go() -> None:
    async def script(client: Client) -> None:
        await client.asked()
        client.head(chunked=True)
        await eventually(held.is_set)
        client.chunk(b"late")
        client.last_chunk()
        await client.gone()

    held = asyncio.Event()
    async with serving(script) as peer, asking(peer.url()) as web:
        answer = await web.open()
        web.hold(True)
        held.set()
        reading = asyncio.ensure_future(answer.body(LARGE))  # noqa: TID251 - a test has no owner for it
        await asyncio.wait([reading], timeout=0.05)
        assert not reading.done()
        web.hold(False)
        assert await reading == b"late"


async def test_a_connection_made_by_a_client_that_is_held_is_held_too() -> None:
    async with serving(answering(whole(b"x"))) as peer, asking(peer.url(), timeout=1.0) as web:
        web.hold(True)
        with pytest.raises(Unopened, match="No answer in"):
            await web.open()
        web.hold(False)
        assert await (await web.open(timeout=PATIENCE)).body(LARGE) == b"x"


@pytest.mark.parametrize("stage", ["head", "body"])
async def test_a_cancelled_request_leaves_nothing(stage: str) -> None:
    async def script(client: Client) -> None:
        await client.asked()
        if stage == "body":
            client.head(chunked=True)
        await client.gone()

    async with serving(script) as peer, asking(peer.url()) as web:

        async def read() -> None:
            async for _ in (await web.open()).pieces():
                pass

        before = asyncio.all_tasks()
        reading = asyncio.ensure_future(read())  # noqa: TID251
        await eventually(lambda: peer.requests)
        reading.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await reading
        await peer.quiet()
        assert asyncio.all_tasks() <= before


async def test_a_cut_is_seen_by_both_sides() -> None:
    async def script(client: Client) -> None:
        await client.asked()
        client.head(chunked=True)
        client.chunk(b"1")
        await client.gone()

    async with serving(script) as peer, asking(peer.url()) as web:
        answer = await web.open()
        web.cut()
        with pytest.raises(CutShort):
            await answer.body(LARGE)
        await peer.quiet()
