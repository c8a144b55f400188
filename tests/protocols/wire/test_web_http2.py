"""HTTP/2: agreed on by TLS or known before, its streams, and how they end."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import ssl
from typing import Any

import pytest
import trustme

from rtui.core.fault import Failure, Fault
from rtui.protocols.request import RequestOptions
from rtui.protocols.wire.web import Exchange, Web
from rtui.protocols.wire.web_fault import CutShort
from tests.protocols.http2_peer import Script2, Stream, serving2
from tests.protocols.http_peer import answering, repeating, serving, whole
from tests.waiting import PATIENCE

LARGE = 32 * 1024**2


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def ca(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("ca") / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return str(path)


@pytest.fixture
def context(authority: trustme.CA) -> ssl.SSLContext:
    """A server that knows both versions."""
    made = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    made.set_alpn_protocols(["h2", "http/1.1"])
    authority.issue_cert("127.0.0.1").configure_cert(made)
    return made


def web(url: str, **options: Any) -> Web:
    return Web(RequestOptions(**{"timeout": PATIENCE, "proxy": "", "http": "2", **options}), url)


async def get(url: str, **options: Any) -> tuple[Exchange, bytes]:
    """One answer, whole, of a client that leaves nothing behind."""
    client = web(url, **options)
    try:
        answer = await client.open()
        return answer, await answer.body(LARGE)
    finally:
        await client.close()
        assert all(wire.gone.done() for wire in client.wires)


async def why(url: str, **options: Any) -> Fault:
    """Why there is no answer, or no whole one."""
    with pytest.raises(Failure) as caught:
        await get(url, **options)
    return caught.value.fault


def saying(body: bytes, *headers: tuple[str, str]) -> Script2:
    """Each request gets this."""

    async def script(stream: Stream) -> None:
        stream.head(200, "text/plain", *headers)
        await stream.send(body, last=True)

    return script


async def test_it_is_agreed_on_with_tls(context: ssl.SSLContext, ca: str) -> None:
    async with serving2(saying(b"x"), context) as peer:
        answer, body = await get(peer.url("sse+https", "/p?q"), ca=ca, http="auto", data="[1]", headers={"X-One": "1"})
    assert (answer.version, answer.status, answer.reason, answer.media_type, body) == (
        "HTTP/2",
        200,
        "",
        "text/plain",
        b"x",
    )
    assert (answer.details()["protocol"], answer.details()["alpn"]) == ("HTTP/2", "h2")
    asked = peer.requests[0]
    assert (asked.method, asked.target, asked.body, asked.headers["x-one"]) == ("POST", "/p?q", b"[1]", "1")
    assert "connection" not in asked.headers


async def test_it_is_known_before_on_a_plain_port() -> None:
    async with serving2(saying(b"x")) as peer:
        answer, body = await get(peer.url())
    assert (answer.version, body) == ("HTTP/2", b"x")


async def test_the_older_version_can_be_asked_for(context: ssl.SSLContext, ca: str) -> None:
    async with serving(repeating(whole(b"x")), context) as peer:
        answer, _ = await get(peer.url("https"), ca=ca, http="1.1")
    assert (answer.version, answer.details()["alpn"]) == ("HTTP/1.1", "http/1.1")


async def test_a_server_with_tls_that_does_not_know_it(authority: trustme.CA, ca: str) -> None:
    older = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(older)
    async with serving(repeating(whole(b"x")), older) as peer:
        found = await why(peer.url("https"), ca=ca)
        answer, _ = await get(peer.url("https"), ca=ca, http="auto")
    assert (found.title, found.hint) == ("The server does not speak HTTP/2", "Set http to auto")
    assert answer.version == "HTTP/1.1"


async def test_a_plain_server_that_does_not_know_it() -> None:
    async with serving(answering(whole(b"x", status=400))) as peer:
        found = await why(peer.url())
    assert (found.title, found.hint) == ("The server does not speak HTTP/2", "Set http to auto")


async def test_a_server_that_knows_nothing_else() -> None:
    async with serving2(saying(b"x")) as peer:
        found = await why(peer.url(), http="1.1")
    assert (found.title, found.hint) == ("The server speaks HTTP/2 only", "Set http to 2")


async def test_pieces_come_as_they_are_written() -> None:
    async def slow(stream: Stream) -> None:
        stream.head()
        for text in (b"one", b"two"):
            await stream.send(text)
            await taken.wait()
            taken.clear()
        await stream.send(b"", last=True)

    taken, got, client = asyncio.Event(), list[bytes](), None
    async with serving2(slow) as peer:
        client = web(peer.url())
        async for piece in (await client.open()).pieces():
            got.append(piece)
            taken.set()
        await client.close()
    assert got == [b"one", b"two"]


async def test_large_bodies_go_both_ways() -> None:
    async with serving2(saying(bytes(8 * 1024**2))) as peer:
        _, body = await get(peer.url(), data="x" * 1024**2)
    assert len(body) == 8 * 1024**2
    assert len(peer.requests[0].body) == 1024**2


async def test_a_compressed_body() -> None:
    async with serving2(saying(gzip.compress(b"x" * 1000), ("content-encoding", "gzip"))) as peer:
        _, body = await get(peer.url())
    assert body == b"x" * 1000


async def test_a_connection_is_used_again() -> None:
    async with serving2(saying(b"x")) as peer:
        client = web(peer.url())
        for _ in range(3):
            assert await (await client.open()).body(LARGE) == b"x"
        await client.close()
    assert (peer.connections, len(peer.requests)) == (1, 3)


async def test_an_answer_left_early_ends_its_connection() -> None:
    async def script(stream: Stream) -> None:
        stream.head()
        await stream.send(b"x")

    async with serving2(script) as peer:
        client = web(peer.url())
        for _ in range(2):
            answer = await client.open()
            pieces = answer.pieces()
            assert await anext(pieces) == b"x"
            await pieces.aclose()
        await client.close()
    assert peer.connections == 2


async def test_a_goodbye_between_two_requests_is_no_fault() -> None:
    async def script(stream: Stream) -> None:
        stream.head()
        await stream.send(b"x", last=True)
        stream.go_away(0)

    async with serving2(script) as peer:
        client = web(peer.url())
        for _ in range(2):
            assert await (await client.open()).body(LARGE) == b"x"
        await client.close()
    assert peer.connections == 2


@pytest.mark.parametrize(
    ("end", "cause"),
    [
        (lambda stream: stream.reset(), "StreamReset, INTERNAL_ERROR"),
        (lambda stream: stream.go_away(), "ConnectionTerminated, ENHANCE_YOUR_CALM"),
        (lambda stream: stream.client.writer.close(), "disconnected"),
        (lambda stream: stream.client.reset(), "reset"),
        (lambda stream: stream.client.write(bytes(9)), "Stream ID must be non-zero"),
    ],
)
async def test_a_body_cut_short_is_a_lost_connection(end: Any, cause: str) -> None:
    async def script(stream: Stream) -> None:
        stream.head()
        await stream.send(b"x")
        await taken.wait()
        end(stream)

    taken = asyncio.Event()
    async with serving2(script) as peer:
        client = web(peer.url())
        pieces = (await client.open()).pieces()
        assert await anext(pieces) == b"x"
        taken.set()
        with pytest.raises(CutShort) as caught:
            await anext(pieces)
        await client.close()
    assert cause in caught.value.fault.cause
    assert caught.value.fault.kind == "lost"


@pytest.mark.parametrize(
    ("end", "kind", "cause"),
    [
        (lambda stream: stream.reset(), "protocol", "StreamReset, INTERNAL_ERROR"),
        (lambda stream: stream.go_away(), "protocol", "ConnectionTerminated, ENHANCE_YOUR_CALM"),
    ],
)
async def test_a_request_that_is_refused_by_a_frame(end: Any, kind: str, cause: str) -> None:
    async def script(stream: Stream) -> None:
        end(stream)

    async with serving2(script) as peer:
        found = await why(peer.url())
    assert (found.kind, found.title) == (kind, "Broken answer")
    assert cause in found.cause


async def test_a_client_that_is_held_takes_nothing_until_it_is_let_go() -> None:
    async def script(stream: Stream) -> None:
        stream.head()
        await held.wait()
        await stream.send(b"late", last=True)

    held = asyncio.Event()
    async with serving2(script) as peer:
        client = web(peer.url())
        answer = await client.open()
        client.hold(True)
        held.set()
        reading = asyncio.ensure_future(answer.body(LARGE))  # noqa: TID251 - a test has no owner for it
        await asyncio.wait([reading], timeout=0.05)
        assert not reading.done()
        client.hold(False)
        assert await reading == b"late"
        await client.close()


async def test_a_cancelled_request_leaves_nothing() -> None:
    async def script(stream: Stream) -> None:
        stream.head()

    async with serving2(script) as peer:
        client = web(peer.url())
        before = asyncio.all_tasks()
        reading = asyncio.ensure_future((await client.open()).body(LARGE))  # noqa: TID251
        await asyncio.sleep(0)  # it begins to read
        reading.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await reading
        await peer.quiet()
        assert asyncio.all_tasks() <= before
        await client.close()
