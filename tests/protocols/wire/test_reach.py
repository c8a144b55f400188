"""Reaching a peer, as every protocol does it: proxies, transports, and the sentences for what goes wrong."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
import trustme

from rtui.core.fault import Failure, Fault
from rtui.protocols.base import CommonOptions
from rtui.protocols.wire.proxy import proxy_url
from rtui.protocols.wire.reach import connect, reach
from rtui.protocols.wire.reach_fault import (
    Unopened,
    buried,
    explain,
    explain_hang_up,
    explain_network,
    explain_security,
)
from rtui.protocols.wire.tls import client_context, tls_details
from rtui.protocols.wire.trip import Peer, Trip
from tests.port import reserved

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def serving(serve: Serve, context: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    async def once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await serve(reader, writer)
        finally:
            writer.transport.abort()

    server = await asyncio.start_server(once, "127.0.0.1", 0, ssl=context)
    async with server:
        yield server.sockets[0].getsockname()[1]


def trip_to(port: int, *, scheme: str = "grpc", secure: bool = False, host: str = "127.0.0.1") -> Trip:
    return Trip(Peer(host=host, port=port, scheme=scheme, secure=secure), timeout=3, greeting="HTTP/2 handshake")


async def why(trip: Trip, proxy: str = "", context: ssl.SSLContext | None = None) -> Fault:
    """What an adapter would say of an attempt that fails before its own handshake."""
    with pytest.raises((OSError, Failure)) as caught:
        await connect(asyncio.Protocol, trip, proxy, context)
    error = caught.value
    if isinstance(error, Failure):
        return error.fault
    assert isinstance(error, OSError)
    return explain_security(error, trip) or explain_network(error, trip)


# Straight


async def test_a_transport_with_tls_and_what_was_negotiated() -> None:
    authority = trustme.CA()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.set_alpn_protocols(["h2"])
    authority.issue_cert("localhost").configure_cert(context)

    async def serve(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await reader.read()

    with authority.cert_pem.tempfile() as ca:
        ours = client_context(CommonOptions(ca=ca), ["h2", "http/1.1"])
    async with serving(serve, context) as port:
        trip = trip_to(port, scheme="grpcs", secure=True)
        transport, _ = await connect(asyncio.Protocol, trip, "", ours, server_name="localhost")
        found = tls_details(transport.get_extra_info("ssl_object"), insecure=False)
        transport.abort()
    assert (found["tls"], found["alpn"]) == ("TLS 1.3", "h2")
    assert list(trip.timings) == ["dns", "tcp", "tls"]
    assert trip.remote == f"127.0.0.1:{port}"


async def test_a_certificate_that_nobody_vouches_for() -> None:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)

    async def serve(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await reader.read()

    async with serving(serve, context) as port:
        trip = trip_to(port, scheme="grpcs", secure=True)
        assert (
            await why(trip, context=client_context(CommonOptions()))
        ).title == "The certificate's authority is unknown"


async def test_tls_to_a_plain_port_names_the_other_scheme() -> None:
    async def serve(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await writer.drain()

    async with serving(serve) as port:
        fault = await why(trip_to(port, scheme="grpcs", secure=True), context=client_context(CommonOptions()))
    assert (fault.title, fault.hint) == ("This port does not speak TLS", "Use grpc://")


async def test_an_alert_to_a_plain_greeting_names_the_other_scheme() -> None:
    trip = trip_to(1)
    trip.head = b"\x15\x03\x01\x00\x02\x02\x46"
    fault = explain_security(EOFError(), trip)
    assert fault is not None
    assert fault.hint == "Use grpcs://"


async def test_nobody_listens() -> None:
    with reserved() as port:
        assert (await why(trip_to(port))).kind == "refused"


def test_a_peer_that_hangs_up_may_want_a_certificate() -> None:
    secure = trip_to(1, scheme="grpcs", secure=True)
    assert explain_hang_up(secure, "as told").hint == "It may want a client certificate: give cert and key"
    secure.certified = True
    assert explain_hang_up(secure, "as told").hint == "as told"


# Through a proxy


@pytest.mark.parametrize(
    ("scheme", "variables", "proxy"),
    [
        ("wss", {"https_proxy": "http://p:1", "http_proxy": "http://p:2"}, "http://p:1"),
        ("ws", {"http_proxy": "http://p:2"}, "http://p:2"),
        ("ws", {"socks_proxy": "http://p:3", "https_proxy": "http://p:1"}, "socks5h://p:3"),
        ("sse+https", {"http_proxy": "http://p:2"}, ""),
        ("mqtt", {"https_proxy": "http://p:1"}, ""),
        ("mqtt", {"all_proxy": "socks5://p:4"}, "socks5://p:4"),
        ("mqtt+ws", {"all_proxy": "socks5://p:4", "no_proxy": "far.example"}, ""),
    ],
)
def test_what_the_environment_says(
    monkeypatch: pytest.MonkeyPatch, scheme: str, variables: dict[str, str], proxy: str
) -> None:
    for name in ("ws", "wss", "http", "https", "socks", "all", "no"):
        monkeypatch.delenv(f"{name}_proxy", raising=False)
        monkeypatch.delenv(f"{name}_proxy".upper(), raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    peer = Peer(host="far.example", port=1, scheme=scheme)
    assert proxy_url("env", peer) == proxy
    assert proxy_url("", peer) == ""
    assert proxy_url("socks4://mine:1", peer) == "socks4://mine:1"


async def test_a_proxy_that_says_no() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n")
        await writer.drain()

    async with serving(serve) as port:
        fault = await why(trip_to(9), proxy=f"http://me:s3cret@127.0.0.1:{port}")
    assert (fault.kind, fault.title) == ("auth", "The proxy wants authentication")
    assert "s3cret" not in repr(fault)


async def test_a_socks_proxy_that_cannot_reach_the_peer() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(3)
        writer.write(b"\x05\x00")
        await reader.readexactly(10)
        writer.write(b"\x05\x04\x00\x01\x00\x00\x00\x00\x00\x00")  # RFC 1928 §6: host unreachable
        await writer.drain()

    async with serving(serve) as port:
        fault = await why(trip_to(9), proxy=f"socks5://127.0.0.1:{port}")
    assert fault.title == "The proxy failed"


async def test_a_proxy_that_is_not_known() -> None:
    with pytest.raises(Failure) as caught:
        await reach(trip_to(9), "gopher://me:s3cret@127.0.0.1:1")
    assert caught.value.fault.title == "Not a usable proxy URL"
    assert "s3cret" not in repr(caught.value.fault)


# What libraries raise


def test_what_a_library_wrapped_is_found() -> None:
    refused, inner, outer = ConnectionRefusedError(111, "refused"), RuntimeError("inner"), LookupError("outer")
    outer.__cause__, inner.__cause__ = inner, refused
    assert buried(outer, OSError) is refused
    assert buried(refused, OSError) is refused
    assert buried(outer, ssl.SSLError) is None


def test_what_happened_before_is_not_the_cause() -> None:
    """A handshake that ran out of time was waiting for a read, which is an error of TLS to Python."""
    late = TimeoutError()
    late.__context__ = ssl.SSLWantReadError()
    assert explain_security(late, trip_to(1, scheme="grpcs", secure=True)) is None


@pytest.mark.parametrize(
    ("kind", "status", "transient"),
    [("handshake", 503, True), ("handshake", 404, False), ("unknown-host", None, True), ("usage", None, False)],
)
def test_what_is_worth_another_attempt(kind: str, status: int | None, transient: bool) -> None:
    fault = Fault(kind=kind, side="them", title="t", meta={"status_code": status})  # type: ignore[arg-type]
    assert Unopened(fault).transient is transient
    assert explain(Unopened(fault)) is fault
