"""Proxies: which one is meant, and a socket through it (HTTP CONNECT, SOCKS 4 and 5) or to it.

A request in the clear is handed to an HTTP proxy as it is (RFC 9112 §3.2.2): many refuse to CONNECT to port 80.
"""

from __future__ import annotations

import asyncio
import socket
from base64 import b64encode
from typing import Any, Final
from urllib.request import getproxies, proxy_bypass

from rtui.core.fault import Failure
from rtui.protocols.wire.eyeballs import quickest
from rtui.protocols.wire.http import without_userinfo
from rtui.protocols.wire.reach_fault import Unopened, failed_proxy, refused_by_proxy, usage
from rtui.protocols.wire.trip import Peer, Trip

VARIABLES: Final = {
    # RFC 6455 §4.1: a SOCKS proxy first, then the one for HTTPS.
    "ws": ("ws", "socks", "https", "http", "all"),
    "wss": ("wss", "socks", "https", "all"),
    "http": ("http", "all"),
    "https": ("https", "all"),
}
"""What the URL's scheme is carried by → whose …_PROXY variables count, the first one set wins."""


def proxy_url(option: str, peer: Peer) -> str:
    """The proxy to use, "" for none. `option` as in `CommonOptions.proxy`; NO_PROXY is obeyed with `env` only."""
    if option != "env":
        return option
    known = getproxies()
    for name in VARIABLES.get(peer.scheme.rpartition("+")[2], ("all",)):
        if found := known.get(name):
            # macOS and Windows write a SOCKS proxy this way.
            found = f"socks5h://{found[7:]}" if name == "socks" and found.startswith("http://") else found
            return "" if proxy_bypass(peer.place) else found
    return ""


async def through(url: str, trip: Trip) -> socket.socket:
    """A non-blocking socket that the proxy connected to the peer.

    Raises:
        Failure: the URL names no proxy that we know.
        Unopened: it refused, in words of its own.
        OSError: it was not reached, or not in time.
    """
    from python_socks import ProxyError, ProxyTimeoutError
    from python_socks.async_.asyncio import Proxy

    trip.proxy = without_userinfo(url)
    scheme, host, port, user, password = _read(url)
    # DNS is the proxy's with socks5h and http; python-socks knows it as an argument.
    rdns = url.startswith("socks5h://") or None
    proxy = Proxy(scheme, host, port, user, password, rdns=rdns)
    with trip.stage("proxy"):
        try:
            sock = await proxy.connect(trip.peer.host, trip.peer.port, timeout=trip.left())
        except ProxyTimeoutError as error:
            raise TimeoutError from error
        except ProxyError as error:
            code = error.error_code if forwards(url) else None
            raise Unopened(refused_by_proxy(code, trip) if code else failed_proxy(error, trip)) from error
    sock.setblocking(False)
    return sock


def forwards(url: str) -> bool:
    """Whether the proxy takes requests in the clear as they are."""
    return url.lower().startswith("http://")


async def to(url: str, trip: Trip) -> socket.socket:
    """A non-blocking socket to the proxy itself, which is asked for each request.

    Raises:
        Failure: the URL names no proxy that we know.
        OSError: it was not reached.
    """
    trip.proxy = without_userinfo(url)
    _, host, port, *_ = _read(url)
    with trip.stage("proxy"):
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
        return await quickest(found)


def authorization(url: str) -> bytes:
    """The header that tells an HTTP proxy who asks (RFC 7617), b"" for nobody."""
    *_, user, password = _read(url)
    if not user and not password:
        return b""
    return b"Proxy-Authorization: Basic %s\r\n" % b64encode(f"{user}:{password}".encode())


def _read(url: str) -> tuple[Any, str, int, str, str]:
    """What python-socks calls the kind of the proxy, host, port, user and password."""
    from python_socks import parse_proxy_url

    scheme, _, rest = url.partition("://")
    try:
        kind, host, port, user, password = parse_proxy_url(f"{scheme.removesuffix('h')}://{rest}")
    except ValueError as error:
        hint = "Write http://host:port, socks4://… or socks5h://…"
        raise Failure(usage("Not a usable proxy URL", f"{without_userinfo(url)}: {error}", hint)) from error
    return kind, host, port, user or "", password or ""
