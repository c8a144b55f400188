"""Connects: the peer (`wire.reach`), redirects and the handshake, each timed and known if it fails."""

from __future__ import annotations

import asyncio
import logging
import ssl
from typing import Any, Final

from websockets.asyncio.client import ClientConnection
from websockets.asyncio.client import connect as websockets_connect
from websockets.client import ClientProtocol
from websockets.datastructures import Headers
from websockets.exceptions import InvalidStatus, InvalidURI
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory
from websockets.headers import build_authorization_basic
from websockets.typing import Origin, Subprotocol
from websockets.uri import WebSocketURI, parse_uri

import rtui
from rtui.core.fault import Failure
from rtui.protocols.websocket import Options
from rtui.protocols.wire.http import first, safe_headers, without_userinfo
from rtui.protocols.wire.inbox import Inbox
from rtui.protocols.wire.proxy import proxy_url
from rtui.protocols.wire.reach import address, connect
from rtui.protocols.wire.reach_fault import Unopened, usage
from rtui.protocols.wire.tls import client_context, tls_details
from rtui.protocols.wire.trip import Peer
from rtui.protocols.wire.websocket import BatchConnection, MakeEvents
from rtui.protocols.wire.websocket_fault import RedirectError, WebSocketTrip, explain_opening
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


class Dialler(websockets_connect):
    """websockets' `connect`, watched: stages, times, redirects and addresses go into a `Trip`."""

    def __init__(self, url: str, trip: WebSocketTrip, options: Options, **kwargs: Any) -> None:
        super().__init__(url, **kwargs)
        self.trip = trip
        self.options = options

    async def open_tcp_connection(self) -> ClientConnection:
        """One socket to the server, or to the proxy and through it."""
        uri = self.ws_uri
        self.trip.begin(Peer(host=uri.host, port=uri.port, scheme="wss" if uri.secure else "ws", secure=uri.secure))
        context = client_context(self.options) if uri.secure else None
        if proxy := proxy_url(self.options.proxy, self.trip.peer):
            return await self._through(proxy, context)
        _, connection = await connect(lambda: self.factory(uri), self.trip, "", context, self.options.server_name)
        return connection

    async def _through(self, proxy: str, context: ssl.SSLContext | None) -> ClientConnection:
        """The library's way knows proxies that speak TLS themselves."""
        if context is not None:
            name = self.options.server_name or self.ws_uri.host
            self.create_connection_kwargs |= {"ssl": context, "server_hostname": name}
        self.trip.proxy = without_userinfo(proxy)
        self.proxy = proxy
        with self.trip.stage("proxy"):
            return await super().open_tcp_connection()

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
    trip = WebSocketTrip(timeout=options.timeout, greeting="WebSocket handshake", certified=bool(options.cert))
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
            connection = await Dialler(kwargs.pop("url"), trip, options, create_connection=create_connection, **kwargs)
    except Failure:
        raise
    except Exception as error:
        raise Unopened(await explain_opening(error, trip)) from error
    assert isinstance(connection, BatchConnection)  # noqa: S101 - by create_connection
    return connection, details(connection, trip, options)


class _Timed(BatchConnection):
    """Times the handshake and leaves nothing open when it is cancelled."""

    trip: WebSocketTrip

    async def handshake(self, *args: Any, **kwargs: Any) -> None:
        with self.trip.stage("handshake"):
            await super().handshake(*args, **kwargs)


def details(connection: BatchConnection, trip: WebSocketTrip, options: Options) -> dict[str, Any]:
    """What `Opened` tells."""
    response = connection.response
    assert response is not None  # noqa: S101 - the handshake succeeded
    found: dict[str, Any] = {
        "protocol": "WebSocket 13 (RFC 6455)",
        "http": "HTTP/1.1",
        "status": f"{response.status_code} {response.reason_phrase}",
        **tls_details(connection.transport.get_extra_info("ssl_object"), insecure=options.insecure),
        "subprotocol": connection.subprotocol or "",
        "extensions": response.headers.get("Sec-WebSocket-Extensions", ""),
        "compression": "permessage-deflate" if connection.protocol.extensions else "none",
        "local": address(connection.local_address),
        "remote": address(connection.remote_address),
        "proxy": trip.proxy,
        "redirects": trip.redirects,
        "headers": safe_headers(response.headers.raw_items()),
        "timings": trip.timings,
    }
    return {key: value for key, value in found.items() if value}


# From our options to the library's arguments


def _arguments(url: str, options: Options) -> dict[str, Any]:
    url, headers = _authorised(url, options)
    return {
        "url": url,
        "additional_headers": headers,
        "user_agent_header": f"rtui/{rtui.__version__}",
        "origin": Origin(options.origin) if options.origin else None,
        "subprotocols": [Subprotocol(each) for each in options.subprotocols] or None,
        "extensions": _extensions(options) or None,
        "compression": None,
        "proxy": None,
        "open_timeout": None,
        "ping_interval": None,
        "close_timeout": options.close_timeout,
        "max_size": options.max_size,
        "logger": logger,
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
            usage(
                "Two ways to authenticate",
                "username, token and an Authorization header exclude each other",
                key="token",
            )
        )
    if options.token:
        headers.append(_checked("Authorization", f"Bearer {options.token}"))
    elif ways[0]:
        headers.append(("Authorization", build_authorization_basic(options.username, options.password)))
    return (without_userinfo(url) if any(ways) else url), headers


def _checked(name: str, value: str) -> tuple[str, str]:
    if why := RESERVED.get(name.lower()):
        raise Failure(usage(f"The header {name} cannot be set", why, key="headers"))
    legal_name = name.isascii() and all(character.isalnum() or character in "!#$%&'*+-.^_`|~" for character in name)
    if not name or not legal_name or any(character in "\r\n\0" for character in value):
        cause = "RFC 9110 §5.1 and §5.5: illegal characters"
        raise Failure(usage(f"The header {name!r} cannot be sent", cause, key="headers"))
    return name, value


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
        raise Failure(usage("Impossible compression", str(error), key="client_max_window_bits")) from error
