"""Connects: names, TCP, proxy, TLS, WebSocket and CONNECT, each timed, each known when it is the one that fails."""

from __future__ import annotations

import asyncio
import secrets
import socket
import ssl
from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeAlias
from urllib.parse import unquote

import aiomqtt
import msgspec

from rtui.core.fault import Failure
from rtui.protocols.mqtt import Options
from rtui.protocols.wire import mqtt_property
from rtui.protocols.wire.mqtt_client import Wire
from rtui.protocols.wire.mqtt_fault import Trip, Unopened, explain_opening, instead, refused, usage
from rtui.protocols.wire.mqtt_packet import Reader
from rtui.protocols.wire.mqtt_paho import connect_properties, will
from rtui.protocols.wire.mqtt_topic import filter_flaw, topic_flaw
from rtui.protocols.wire.mqtt_value import Unfinished

Raw: TypeAlias = "socket.socket | ssl.SSLSocket"

PORTS: Final = {"mqtt": 1883, "mqtts": 8883, "mqtt+ws": 80, "mqtt+wss": 443}
PATIENCE: Final = 1.2
"""Seconds of silence in a handshake after which we look what stands at the port."""
SHARE: Final = 0.5
"""Part of the time left that one address may take while others wait to be tried."""
SWITCHING: Final = 101


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """A URL and options, taken apart and checked."""

    scheme: str
    host: str
    port: int
    """The filter to begin with; "" for none."""
    username: str
    password: str
    client_id: str
    clean: bool
    options: Options

    @property
    def five(self) -> bool:
        """Whether MQTT 5 is spoken."""
        return self.options.version == "5"

    @property
    def secure(self) -> bool:
        """Whether TLS is."""
        return self.scheme in {"mqtts", "mqtt+wss"}

    @property
    def framed(self) -> bool:
        """Whether WebSocket carries it."""
        return "+" in self.scheme

    @property
    def kept(self) -> bool:
        """Whether the broker keeps the session while we are away."""
        return self.options.session_expiry > 0 if self.five else not self.clean


def plan(url: str, options: Options, memory: dict[str, Any]) -> Plan:
    """What the user wants.

    `memory` keeps the client id that is made up once per link: a reconnect takes over its own session, not another's.

    Raises:
        Failure: if it cannot be.
    """
    scheme, _, rest = url.partition("://")
    authority, _, path = rest.partition("/")
    userinfo, _, place = authority.rpartition("@")
    user, _, password = userinfo.partition(":")
    host, port = _host(place)
    if path and (flaw := filter_flaw(unquote(path, errors="surrogateescape"))):
        raise Failure(usage("Not a usable topic filter", flaw, "Write it after the host, percent-encoded"))
    _check(options, framed="+" in scheme)
    made_up = memory.setdefault("client_id", f"rtui{secrets.token_hex(6)}")
    # A clean start is for the first connect: a session that outlives the connection is taken up again by the next ones.
    clean = options.clean_start and not (options.session_expiry and options.version == "5" and "opened" in memory)
    return Plan(
        scheme=scheme,
        host=host,
        port=port or PORTS[scheme],
        username=options.username or unquote(user),
        password=options.password or unquote(password),
        client_id=options.client_id or made_up,
        clean=clean,
        options=options,
    )


async def dial(wanted: Plan, left: Unfinished | None = None) -> tuple[Wire, Trip]:
    """An open connection and how it came about. `left` is what the last one of the same session left undone.

    Raises:
        Failure: what the user gave cannot be used.
        Unopened: there was no connection.
    """
    options = wanted.options
    trip = Trip(wanted.host, wanted.port, scheme=wanted.scheme, timeout=options.timeout)
    trip.certified = bool(options.cert)
    context = tls_context(options) if wanted.secure else None
    sock: Any = None
    try:
        async with asyncio.timeout(options.timeout):
            sock = await _reach(trip, options.proxy)
            _note_addresses(sock, trip)
            if context is not None:
                sock = context.wrap_socket(
                    sock, server_hostname=options.server_name or wanted.host, do_handshake_on_connect=False
                )
                with trip.stage("tls"):
                    await _patiently(lambda: _shake_hands(sock), trip)
                trip.tls = _tls_details(sock, options)
            if wanted.framed:
                sock = await _tunnel(sock, wanted, trip)
            with trip.stage("handshake"):
                wire = await _greet(sock, wanted, trip, left)
    except BaseException as error:
        if sock is not None:
            sock.close()
        if isinstance(error, Exception) and not isinstance(error, Failure | Unopened):
            raise Unopened(await explain_opening(error, trip)) from error
        raise
    return wire, trip


# TCP


async def _reach(trip: Trip, proxy: str) -> socket.socket:
    url = _proxy_url(trip, proxy)
    if url:
        return await _through(url, trip)
    loop = asyncio.get_running_loop()
    with trip.stage("dns"):
        found = await loop.getaddrinfo(trip.host, trip.port, type=socket.SOCK_STREAM)
    with trip.stage("tcp"):
        return await _first_of(found, trip)


async def _first_of(found: list[Any], trip: Trip) -> socket.socket:
    """The first address that answers, in the resolver's order (RFC 6724)."""
    errors: list[OSError] = []
    for index, (family, kind, number, _, address) in enumerate(found):
        last = index == len(found) - 1
        try:
            async with asyncio.timeout(None if last else trip.left() * SHARE):
                return await _connected(socket.socket(family, kind, number), address)
        except OSError as error:  # TimeoutError is one
            errors.append(error)
    raise next((error for error in errors if isinstance(error, ConnectionRefusedError)), errors[-1])


async def _connected(sock: socket.socket, address: Any) -> socket.socket:
    try:
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        await asyncio.get_running_loop().sock_connect(sock, address)
    except BaseException:
        sock.close()
        raise
    return sock


def _proxy_url(trip: Trip, proxy: str) -> str:
    """The proxy to use; with `env` what the environment says: MQTT itself is only covered by ALL_PROXY."""
    if proxy != "env":
        return proxy
    from urllib.request import getproxies, proxy_bypass

    known = getproxies()
    names = {"mqtt+ws": ("http", "all"), "mqtt+wss": ("https", "all")}.get(trip.scheme, ("all",))
    found = next((known[name] for name in names if known.get(name)), "")
    return "" if found and proxy_bypass(trip.host) else found


async def _through(url: str, trip: Trip) -> socket.socket:
    from python_socks import ProxyConnectionError, ProxyError, ProxyTimeoutError
    from python_socks.async_.asyncio import Proxy

    trip.proxy = url.rpartition("@")[2] if "@" in url else url.partition("://")[2]
    try:
        # DNS is the proxy's with socks5h and http; python-socks knows it as an argument.
        scheme, _, rest = url.partition("://")
        proxy = Proxy.from_url(f"{scheme.removesuffix('h')}://{rest}", rdns=scheme == "socks5h" or None)
    except ValueError as error:
        raise Failure(usage("Not a usable proxy URL", str(error), "Write http://, socks4:// or socks5h://")) from error
    with trip.stage("proxy"):
        try:
            sock = await proxy.connect(trip.host, trip.port, timeout=trip.left())
        except ProxyTimeoutError as error:
            raise TimeoutError from error
        except ProxyConnectionError as error:
            raise ConnectionRefusedError(str(error)) from error
        except ProxyError as error:
            raise OSError(f"it refused: {error}") from error
    sock.setblocking(False)
    return sock


# TLS and WebSocket


def tls_context(options: Options) -> ssl.SSLContext:
    """What to trust and what to show.

    Raises:
        Failure: if a file cannot be used.
    """
    try:
        context = ssl.create_default_context(cafile=options.ca or None)
        if options.cert:
            context.load_cert_chain(options.cert, options.key or None)
    except (OSError, ssl.SSLError) as error:
        raise Failure(usage("Certificate file cannot be used", str(error), "Check ca, cert and key")) from error
    if options.insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if options.alpn:
        context.set_alpn_protocols(options.alpn)
    return context


async def _shake_hands(sock: ssl.SSLSocket) -> None:
    while True:
        try:
            sock.do_handshake()
        except ssl.SSLWantReadError:
            await _ready(sock, writing=False)
        except ssl.SSLWantWriteError:
            await _ready(sock, writing=True)
        else:
            return


def _tls_details(tls: ssl.SSLSocket, options: Options) -> dict[str, Any]:
    cipher = tls.cipher()
    certificate = tls.getpeercert() or {}
    subject: Any = certificate.get("subject", ())
    names = {key: value for part in subject for key, value in part}
    return {
        "tls": (tls.version() or "").replace("TLSv", "TLS "),
        "cipher": cipher[0] if cipher else "",
        "alpn": tls.selected_alpn_protocol() or "",
        "certificate": names.get("commonName", ""),
        "certificate_until": certificate.get("notAfter", ""),
        "insecure": options.insecure,
    }


def _note_addresses(sock: socket.socket, trip: Trip) -> None:
    trip.local, trip.remote = _address(sock.getsockname()), _address(sock.getpeername())


def _address(address: Any) -> str:
    host, port = address[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


async def _tunnel(sock: Raw, wanted: Plan, trip: Trip) -> Any:
    from websockets.exceptions import InvalidHandshake, InvalidURI

    from rtui.protocols.wire.mqtt_tunnel import Tunnel
    from rtui.protocols.wire.mqtt_tunnel_fault import explain_upgrade

    scheme = "wss" if wanted.secure else "ws"
    host = f"[{wanted.host}]" if ":" in wanted.host else wanted.host
    url = f"{scheme}://{host}:{wanted.port}/{wanted.options.ws_path.lstrip('/')}"
    try:
        tunnel = Tunnel(sock, url, _headers(wanted.options), wanted.options.max_packet_size + 64 * 1024)
    except InvalidURI as error:
        raise Failure(usage("ws_path cannot be used", str(error))) from error

    async def shake() -> None:
        while not tunnel.shake():
            await _ready(sock, writing=False)

    try:
        with trip.stage("websocket"):
            await _patiently(shake, trip)
    except InvalidHandshake as error:
        if tunnel.response is not None:
            raise Unopened(explain_upgrade(error, tunnel.response, trip)) from error
        trip.head = tunnel.head
        raise EOFError from error
    return tunnel


def _headers(options: Options) -> dict[str, str]:
    headers = {name: str(value) for name, value in options.headers.items()}
    if options.token:
        headers["Authorization"] = f"Bearer {options.token}"
    for name, value in headers.items():
        if not name.isascii() or any(ord(char) < 0x20 or ord(char) > 0x7E for char in name + value):  # noqa: PLR2004
            raise Failure(usage("headers cannot be used", f"{name!r} holds a character that HTTP does not allow"))
    return headers


async def _ready(sock: Raw, *, writing: bool) -> None:
    """Until the socket can be read (or written)."""
    loop = asyncio.get_running_loop()
    ready = loop.create_future()
    watch, unwatch = (loop.add_writer, loop.remove_writer) if writing else (loop.add_reader, loop.remove_reader)

    def tell() -> None:
        if not ready.done():
            ready.set_result(None)

    try:
        watch(sock.fileno(), tell)
    except NotImplementedError:
        hint = "On Windows run it on a selector event loop"
        raise Failure(usage("This event loop cannot watch sockets", type(loop).__name__, hint)) from None
    try:
        await ready
    finally:
        unwatch(sock.fileno())


async def _patiently(step: Callable[[], Awaitable[None]], trip: Trip) -> None:
    """Do `step`; when the peer stays silent for long, look once what else may stand at the port.

    `step` must bear to be cut short and begun again.
    """
    try:
        async with asyncio.timeout(PATIENCE):
            return await step()
    except TimeoutError:
        if not trip.proxy and (found := await instead(trip)) is not None:
            raise Unopened(found) from None
    return await step()


# CONNECT


async def _greet(sock: Any, wanted: Plan, trip: Trip, left: Unfinished | None) -> Wire:
    options = wanted.options
    reader = Reader(five=wanted.five, limit=options.max_packet_size)
    wire = Wire(sock, reader, limit=options.max_packet_size, **_arguments(wanted))
    if left is not None:
        wire.resume(left)
    try:
        await _patiently(_once(wire), trip)
    except BaseException:
        wire.cut()
        raise
    ending = wire.ending
    if wire.code:
        raise Unopened(refused(wire.code, wire.server, five=wanted.five))
    if ending is not None and not wire.accepted:
        trip.head = b"" if ending.how == "cut" else wire.head
        trip.lost = ending.error
        raise ending.error if isinstance(ending.error, OSError) else EOFError
    return wire


def _once(wire: Wire) -> Callable[[], Awaitable[None]]:
    """CONNECT is sent once, however often its answer is waited for."""
    begun = False

    async def greet() -> None:
        nonlocal begun
        if not begun:
            begun = True
            wire.begin()
        await asyncio.shield(wire.greeted)

    return greet


def _arguments(wanted: Plan) -> dict[str, Any]:
    """From our options to aiomqtt's."""
    options = wanted.options
    password = wanted.password or None
    version = aiomqtt.ProtocolVersion.V5 if wanted.five else aiomqtt.ProtocolVersion.V311
    return {
        "hostname": wanted.host,
        "port": wanted.port,
        # 3.1.1 §3.1.2.9: no password without a user name; an empty one will do.
        "username": wanted.username or ("" if password else None),
        "password": password,
        "identifier": wanted.client_id,
        "protocol": version,
        "will": will(options),
        "keepalive": int(options.keep_alive + 0.999),
        **(
            {"clean_start": wanted.clean, "properties": connect_properties(options)}
            if wanted.five
            else {"clean_session": wanted.clean}
        ),
    }


# What can be wrong with options


FIVE_ONLY: Final = (
    "session_expiry",
    "receive_maximum",
    "user_properties",
    "will_delay",
    "will_expiry",
    "will_content_type",
    "will_response_topic",
    "will_correlation_data",
    "will_user_properties",
)


def _check(options: Options, *, framed: bool) -> None:
    if options.version != "5" and (given := [name for name in FIVE_ONLY if getattr(options, name)]):
        raise Failure(usage(f"{given[0]} needs MQTT 5", f"version is {options.version}", "Set version to 5"))
    if not framed and (options.headers or options.token):
        name = "headers" if options.headers else "token"
        hint = "Give a token as password, or use mqtt+ws://"
        raise Failure(usage(f"MQTT over TCP has no {name}", "only a WebSocket handshake carries them", hint))
    for name in ("will_topic", "will_response_topic"):
        if (topic := getattr(options, name)) and (flaw := topic_flaw(topic)):
            raise Failure(usage(f"{name} cannot be used", flaw))
    if not options.will_topic and (options.will_payload or options.will_retain or options.will_qos):
        raise Failure(usage("A last will needs a topic", "will_topic is empty"))
    try:
        mqtt_property.given(options.will_correlation_data)
    except ValueError as error:
        raise Failure(usage("will_correlation_data cannot be used", str(error))) from error


def _host(place: str) -> tuple[str, int]:
    """Host and port of `host:port` or `[v6]:port`."""
    host, bracket, rest = place.removeprefix("[").partition("]")
    if place.startswith("[") and bracket:
        return host, _port(rest.removeprefix(":"))
    host, _, port = place.partition(":")
    return host, _port(port)


def _port(text: str) -> int:
    if text and not (text.isascii() and text.isdigit() and 0 < int(text) < 0x10000):  # noqa: PLR2004 - 16 bits
        raise Failure(usage("Not a usable URL", f"{text!r} is no port", "Write mqtt://host:port/topic"))
    return int(text or 0)
