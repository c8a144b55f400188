"""Connects: the peer (`wire.reach`), TLS, WebSocket and CONNECT, each timed and known if it fails."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeAlias

import aiomqtt

from rtui.core.fault import Failure
from rtui.protocols.mqtt import Options
from rtui.protocols.wire.mqtt_client import Wire
from rtui.protocols.wire.mqtt_fault import explain_opening, instead, refused
from rtui.protocols.wire.mqtt_packet import Reader
from rtui.protocols.wire.mqtt_paho import connect_properties, will
from rtui.protocols.wire.mqtt_plan import Plan
from rtui.protocols.wire.mqtt_value import Unfinished
from rtui.protocols.wire.reach import address, reach
from rtui.protocols.wire.reach_fault import Unopened, usage
from rtui.protocols.wire.tls import client_context, tls_details
from rtui.protocols.wire.trip import Trip

Raw: TypeAlias = "socket.socket | ssl.SSLSocket"

PATIENCE: Final = 1.2
"""Seconds of silence in a handshake after which we look what stands at the port."""


async def dial(wanted: Plan, left: Unfinished | None = None) -> tuple[Wire, Trip]:
    """An open connection and how it came about. `left` is what the last one of the same session left undone.

    Raises:
        Failure: what the user gave cannot be used.
        Unopened: there was no connection.
    """
    options = wanted.options
    greeting = "MQTT handshake (CONNACK)"
    trip = Trip(wanted.peer, timeout=options.timeout, greeting=greeting, certified=bool(options.cert))
    context = client_context(options, options.alpn) if wanted.peer.secure else None
    sock: Any = None
    try:
        async with asyncio.timeout(options.timeout):
            sock = await reach(trip, options.proxy)
            if context is not None:
                # paho reads sockets, so TLS is the socket's and not a transport's.
                name = options.server_name or wanted.peer.host
                sock = context.wrap_socket(sock, server_hostname=name, do_handshake_on_connect=False)
                with trip.stage("tls"):
                    await _patiently(lambda: _shake_hands(sock), trip)
                trip.tls = tls_details(sock, insecure=options.insecure)
            if wanted.framed:
                sock = await _tunnel(sock, wanted, trip)
            with trip.stage("handshake"):
                wire = await _greet(sock, wanted, trip, left)
    except BaseException as error:
        if sock is not None:
            sock.close()
        if isinstance(error, Exception) and not isinstance(error, Failure):
            raise Unopened(await explain_opening(error, trip)) from error
        raise
    return wire, trip


# TLS and WebSocket


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


async def _tunnel(sock: Raw, wanted: Plan, trip: Trip) -> Any:
    from websockets.exceptions import InvalidHandshake, InvalidURI

    from rtui.protocols.wire.mqtt_tunnel import Tunnel
    from rtui.protocols.wire.mqtt_tunnel_fault import explain_upgrade

    scheme = "wss" if wanted.peer.secure else "ws"
    place = address((wanted.peer.host, wanted.peer.port))
    url = f"{scheme}://{place}/{wanted.options.ws_path.lstrip('/')}"
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
        raise Unopened(refused(wire.code, wire.server, five=wanted.five, named=bool(wanted.username)))
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
        "hostname": wanted.peer.host,
        "port": wanted.peer.port,
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
