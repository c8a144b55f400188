"""Reach the peer: names, TCP, proxy and TLS, each timed, each known in the `Trip` when it is the one that fails.

    trip = Trip(Peer(host=…, port=…, scheme="grpcs", secure=True), timeout=options.timeout, greeting="HTTP/2 handshake")
    async with asyncio.timeout(options.timeout):
        sock = await reach(trip, options.proxy)                                   # a plain socket, for paho and such
        transport, protocol = await connect(factory, trip, options.proxy, context)  # for asyncio protocols: grpclib, …

A library that opens its sockets itself (httpx, socketio) is given `tls.client_context` and `proxy.proxy_url`, and its
errors go through `reach_fault`.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable
from typing import Any, TypeVar

from rtui.protocols.wire import proxy as proxies
from rtui.protocols.wire.eyeballs import quickest
from rtui.protocols.wire.trip import Trip

P = TypeVar("P", bound=asyncio.BaseProtocol)


async def reach(trip: Trip, proxy: str) -> socket.socket:
    """A non-blocking socket to the peer, straight or through what the option `proxy` says; or to that (`forwarded`).

    Raises:
        Failure: the proxy's URL cannot be used, or it refused.
        OSError: nothing was reached; `reach_fault.explain_network` knows why.
    """
    if url := proxies.proxy_url(proxy, trip.peer):
        sock = await (proxies.to(url, trip) if trip.forwarded else proxies.through(url, trip))
    else:
        with trip.stage("dns"):
            loop = asyncio.get_running_loop()
            found = await loop.getaddrinfo(trip.peer.host, trip.peer.port, type=socket.SOCK_STREAM)
        with trip.stage("tcp"):
            sock = await quickest(found)
    trip.local, trip.remote = address(sock.getsockname()), address(sock.getpeername())
    return sock


async def connect(
    factory: Callable[[], P], trip: Trip, proxy: str, context: ssl.SSLContext | None = None, server_name: str = ""
) -> tuple[asyncio.Transport, P]:
    """A transport to the peer, with TLS where `context` is given; `server_name` stands in for the host in it.

    Raises:
        Failure, OSError: see `reach`.
    """
    sock = await reach(trip, proxy)
    kwargs: dict[str, Any] = {"ssl": context, "server_hostname": server_name or trip.peer.host} if context else {}
    loop = asyncio.get_running_loop()
    try:
        with trip.stage("tls" if context else trip.at):
            return await loop.create_connection(factory, sock=sock, **kwargs)
    except BaseException:
        sock.close()
        raise


def address(found: Any) -> str:
    """What the operating system calls an end of a socket, as host:port."""
    if not isinstance(found, tuple):
        return str(found or "")
    host, port = found[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
