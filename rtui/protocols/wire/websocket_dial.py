"""Connects: names, TCP, TLS, proxy and the handshake, each timed, each known when it is the one that fails."""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
from typing import Any, Final
from urllib.parse import urlsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.client import ClientProtocol
from websockets.datastructures import Headers
from websockets.exceptions import InvalidStatus, InvalidURI
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory
from websockets.headers import build_authorization_basic
from websockets.proxy import get_proxy
from websockets.typing import Origin, Subprotocol
from websockets.uri import WebSocketURI, parse_uri

import rtui
from rtui.core.fault import Failure, Fault
from rtui.protocols.websocket import Options
from rtui.protocols.wire.eyeballs import quickest
from rtui.protocols.wire.http import first, safe_headers, without_userinfo
from rtui.protocols.wire.inbox import Inbox
from rtui.protocols.wire.websocket import BatchConnection, MakeEvents
from rtui.protocols.wire.websocket_fault import RedirectError, Trip, Unopened, explain_opening
from rtui.settings.secrets import is_secret_header, mask_url

RESERVED: Final = {
    "host": "the URL names the host",
    "connection": "the handshake needs it as it is",
    "upgrade": "the handshake needs it as it is",
    "content-length": "a handshake has no body",
    "transfer-encoding": "a handshake has no body",
    "sec-websocket-key": "it is made anew for each handshake",
    "sec-websocket-version": "only version 13 is spoken",
    "sec-websocket-accept": "servers send it, not clients",
    "sec-websocket-extensions": "use the compression options",
    "sec-websocket-protocol": "use subprotocols",
}
# Everything that matters becomes an event or a fault; the library must not write beside them.
logger: Final = logging.getLogger("rtui.websocket")
logger.addHandler(logging.NullHandler())
logger.propagate = False
logger.setLevel(logging.CRITICAL)


class Dialler(connect):
    """websockets' `connect`, watched: stages, times, redirects and addresses go into a `Trip`."""

    def __init__(self, url: str, trip: Trip, **options: Any) -> None:
        super().__init__(url, **options)
        self.trip = trip

    async def open_tcp_connection(self) -> ClientConnection:
        """One socket to the server, or to the proxy and through it."""
        uri = self.ws_uri
        self.trip.begin(uri)
        proxy = get_proxy(uri) if self.proxy is True else self.proxy
        if proxy is not None:
            return await self._through(str(proxy))
        sock = await self._reach(uri)
        try:
            return await self._secured(sock, uri)
        except BaseException:
            sock.close()
            raise

    async def _through(self, proxy: str) -> ClientConnection:
        self.trip.proxy = without_userinfo(proxy)
        self.proxy = proxy
        with self.trip.stage("proxy"):
            return await super().open_tcp_connection()

    async def _reach(self, uri: WebSocketURI) -> socket.socket:
        loop = asyncio.get_running_loop()
        with self.trip.stage("dns"):
            found = await loop.getaddrinfo(uri.host, uri.port, type=socket.SOCK_STREAM)
        with self.trip.stage("tcp"):
            return await quickest(found)

    async def _secured(self, sock: socket.socket, uri: WebSocketURI) -> ClientConnection:
        loop = asyncio.get_running_loop()
        kwargs: dict[str, Any] = {}
        if uri.secure:
            kwargs = {"ssl": self.create_connection_kwargs["ssl"], "server_hostname": self._server_name(uri)}
        with self.trip.stage("tls" if uri.secure else "tcp"):
            _, connection = await loop.create_connection(lambda: self.factory(uri), sock=sock, **kwargs)
        return connection

    def _server_name(self, uri: WebSocketURI) -> str:
        name: str = self.create_connection_kwargs.get("server_hostname") or uri.host
        return name

    def process_redirect(self, exc: Exception) -> Exception | str:
        """Follow, and remember the way. Servers redirect to http(s) URLs, which mean ws(s) here."""
        if not isinstance(exc, InvalidStatus) or not (location := first(exc.response.headers, "Location")):
            return exc
        scheme, separator, rest = location.partition("://")
        if separator and scheme.lower() in {"http", "https"}:
            location = f"{'wss' if scheme.lower() == 'https' else 'ws'}://{rest}"
        del exc.response.headers["Location"]
        exc.response.headers["Location"] = location
        before = self.ws_uri
        try:
            target = super().process_redirect(exc)
            if isinstance(target, str):
                self._leave_credentials(before, parse_uri(target))
        except (InvalidURI, ValueError) as error:
            return RedirectError(f"to {mask_url(location)}: {error.msg if isinstance(error, InvalidURI) else error}")
        if isinstance(target, str):
            self.trip.redirects.append(mask_url(without_userinfo(target)))
        return target

    def _leave_credentials(self, before: WebSocketURI, after: WebSocketURI) -> None:
        """Another origin gets no key of the first one. The library thinks of Authorization and Cookie only."""
        if (before.secure, before.host, before.port) != (after.secure, after.host, after.port):
            kept = [(name, value) for name, value in Headers(self.additional_headers or {}).raw_items()]
            self.additional_headers = [(name, value) for name, value in kept if not is_secret_header(name)]


async def dial(
    url: str, options: Options, inbox: Inbox, make_events: MakeEvents
) -> tuple[BatchConnection, dict[str, Any]]:
    """An open connection and what was negotiated.

    Raises:
        Failure: what the user gave cannot be used.
        Unopened: there was no connection.
    """
    trip = Trip(timeout=options.timeout, insecure=options.insecure, has_certificate=bool(options.cert))
    kwargs = _arguments(url, options)

    def create_connection(protocol: ClientProtocol, **settings: Any) -> BatchConnection:
        connection = _Timed(
            protocol,
            inbox=inbox,
            make_events=make_events,
            log_pings=options.log_pings,
            auto_pong=options.auto_pong,
            **settings,
        )
        connection.trip = trip
        trip.connection = connection
        return connection

    try:
        async with asyncio.timeout(options.timeout):
            connection = await Dialler(kwargs.pop("url"), trip, create_connection=create_connection, **kwargs)
    except Exception as error:
        raise Unopened(await explain_opening(error, trip)) from error
    assert isinstance(connection, BatchConnection)  # noqa: S101 - by create_connection
    return connection, details(connection, trip)


class _Timed(BatchConnection):
    """Times the handshake and leaves nothing open when it is cancelled."""

    trip: Trip

    async def handshake(self, *args: Any, **kwargs: Any) -> None:
        with self.trip.stage("handshake"):
            await super().handshake(*args, **kwargs)


def details(connection: BatchConnection, trip: Trip) -> dict[str, Any]:
    """What `Opened` tells."""
    response = connection.response
    assert response is not None  # noqa: S101 - the handshake succeeded
    found: dict[str, Any] = {
        "protocol": "WebSocket 13 (RFC 6455)",
        "http": "HTTP/1.1",
        "status": f"{response.status_code} {response.reason_phrase}",
        **_tls_details(connection.transport.get_extra_info("ssl_object"), trip),
        "subprotocol": connection.subprotocol or "",
        "extensions": response.headers.get("Sec-WebSocket-Extensions", ""),
        "compression": "permessage-deflate" if connection.protocol.extensions else "none",
        "local": _address(connection.local_address),
        "remote": _address(connection.remote_address),
        "proxy": trip.proxy,
        "redirects": trip.redirects,
        "headers": safe_headers(response.headers.raw_items()),
        "timings": trip.timings,
    }
    return {key: value for key, value in found.items() if value}


def _tls_details(tls: ssl.SSLObject | None, trip: Trip) -> dict[str, Any]:
    if tls is None:
        return {}
    cipher = tls.cipher()
    certificate = tls.getpeercert() or {}
    subject: Any = certificate.get("subject", ())
    names = {key: value for part in subject for key, value in part}
    return {
        "tls": (tls.version() or "").replace("TLSv", "TLS "),
        "cipher": cipher[0] if cipher else "",
        "certificate": names.get("commonName", ""),
        "certificate_until": certificate.get("notAfter", ""),
        "insecure": trip.insecure,
    }


def _address(address: Any) -> str:
    if not isinstance(address, tuple):
        return str(address or "")
    host, port = address[0], address[1]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


# From our options to the library's arguments


def _arguments(url: str, options: Options) -> dict[str, Any]:
    url, headers = _authorised(url, options)
    secure = urlsplit(url).scheme == "wss"
    tls = {"ssl": _tls_context(options), "server_hostname": options.server_name or None}
    return {
        "url": url,
        "additional_headers": headers,
        "user_agent_header": f"rtui/{rtui.__version__}",
        "origin": Origin(options.origin) if options.origin else None,
        "subprotocols": [Subprotocol(each) for each in options.subprotocols] or None,
        "extensions": _extensions(options) or None,
        "compression": None,
        "proxy": {"env": True, "": None}.get(options.proxy, options.proxy),
        "open_timeout": None,
        "ping_interval": None,
        "close_timeout": options.close_timeout,
        "max_size": options.max_size,
        "logger": logger,
        **({key: value for key, value in tls.items() if value} if secure else {}),
    }


def _authorised(url: str, options: Options) -> tuple[str, list[tuple[str, str]]]:
    """The URL without what would be sent twice, and every header of the request."""
    headers = [_checked(name, str(value)) for name, value in options.headers.items()]
    given = {name.lower() for name, _ in headers}
    if options.cookies:
        headers.append(_checked("Cookie", "; ".join(f"{name}={value}" for name, value in options.cookies.items())))
    ways = [bool(options.username or options.password), bool(options.token), "authorization" in given]
    if sum(ways) > 1:
        raise Failure(
            _usage(
                "token", "Two ways to authenticate", "username, token and an Authorization header exclude each other"
            )
        )
    if options.token:
        headers.append(_checked("Authorization", f"Bearer {options.token}"))
    elif ways[0]:
        headers.append(("Authorization", build_authorization_basic(options.username, options.password)))
    return (without_userinfo(url) if any(ways) else url), headers


def _checked(name: str, value: str) -> tuple[str, str]:
    if why := RESERVED.get(name.lower()):
        raise Failure(_usage("headers", f"The header {name} cannot be set", why))
    legal_name = name.isascii() and all(character.isalnum() or character in "!#$%&'*+-.^_`|~" for character in name)
    if not name or not legal_name or any(character in "\r\n\0" for character in value):
        raise Failure(
            _usage("headers", f"The header {name!r} cannot be sent", "RFC 9110 §5.1 and §5.5: illegal characters")
        )
    return name, value


def _usage(key: str, title: str, cause: str) -> Fault:
    return Fault(kind="usage", side="us", title=title, cause=cause, hint=f"Change the option {key}", meta={"key": key})


def _extensions(options: Options) -> list[ClientPerMessageDeflateFactory]:
    if not options.compression:
        return []
    try:
        return [
            ClientPerMessageDeflateFactory(
                server_no_context_takeover=options.server_no_context_takeover,
                client_no_context_takeover=options.client_no_context_takeover,
                server_max_window_bits=options.server_max_window_bits or None,
                client_max_window_bits=options.client_max_window_bits or True,
                compress_settings={"memLevel": 5},
            )
        ]
    except ValueError as error:
        raise Failure(_usage("client_max_window_bits", "Impossible compression", str(error))) from error


def _tls_context(options: Options) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=options.ca or None)
        if options.cert:
            context.load_cert_chain(options.cert, options.key or None)
    except (OSError, ssl.SSLError) as error:
        what = " or ".join(name for name in ("ca", "cert", "key") if getattr(options, name)) or "ca"
        raise Failure(_usage(what, "Certificate file cannot be used", str(error))) from error
    if options.insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
