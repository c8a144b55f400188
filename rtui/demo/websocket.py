"""The embedded WebSocket server: a path for everything a WebSocket can do, well and badly."""

from __future__ import annotations

import asyncio
import json
import ssl as tls
from collections.abc import Mapping
from http import HTTPStatus
from typing import Final
from urllib.parse import parse_qsl, urlsplit

from websockets.asyncio.server import Server as WebSocketServer
from websockets.asyncio.server import ServerConnection
from websockets.asyncio.server import serve as serve_websocket
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.typing import Subprotocol

from rtui.demo.quiet import quiet_logger
from rtui.demo.websocket_scene import BAD_FRAMES, SCENES

MAX_MESSAGE: Final = 64 * 1024**2

PATHS: Final[Mapping[str, str]] = {
    "/": "says hello, lists these paths, then echoes",
    "/echo": "sends back what it gets, text as text and binary as binary",
    "/ticker?rate=5&seed=1": "JSON events of several types: order, trade, sensor, alert, heartbeat",
    "/chat?room=lobby&name=guest": "a chat room: everybody in it gets every line",
    "/binary?rate=2": "binary messages: a PNG image, MessagePack, raw bytes",
    "/slow?every=5": "one message every few seconds",
    "/burst?rate=1000&size=120&n=0": "a flood of JSON at a steady rate, up to 50,000 a second; n = stop after so many",
    "/jsonrpc": "JSON-RPC 2.0: methods add, sleep, fail",
    "/close?code=4001&reason=bye&after=0": "closes with that code; 1000, 1001, 1008, 1011, 1013 and 3000-4999 work",
    "/drop?after=0": "resets the TCP connection in the middle of a message",
    "/silent": "stops reading: pings stay unanswered",
    "/huge?size=1048576": "one text message of that many bytes",
    "/bomb?size=67108864": "a small compressed message that inflates to that many bytes",
    "/fragments?n=5": "messages cut into n frames",
    f"/bad-frame?kind={BAD_FRAMES[0]}": f"an illegal frame; kinds: {', '.join(BAD_FRAMES)}",
    "/bad-utf8": "a text message that is not UTF-8",
    "/pings?every=1": "pings the client and tells what it answers",
    "/hostile": "text that attacks terminals: escape sequences, bidi controls, markup",
    "/status?code=401": "refuses the handshake with that HTTP status and a body (429 and 503 with Retry-After)",
    "/redirect?to=/echo": "answers the handshake with an HTTP redirect",
}
"""Path with its parameters and their defaults → what it shows."""


class Server:
    """A running demo server."""

    def __init__(self, server: WebSocketServer, host: str, secure: bool) -> None:
        self._server = server
        self.port: int = next(iter(server.sockets)).getsockname()[1]
        name = f"[{host}]" if ":" in host else host
        self.url = f"{'wss' if secure else 'ws'}://{name}:{self.port}"

    async def close(self) -> None:
        """Tell every client goodbye (1001) and free the port."""
        self._server.close()
        await self._server.wait_closed()


async def serve(host: str = "127.0.0.1", port: int = 0, ssl: tls.SSLContext | None = None) -> Server:
    """Start serving `PATHS`; port 0 takes a free one."""
    server = await serve_websocket(
        _play,
        host,
        port,
        ssl=ssl,
        process_request=_before,
        select_subprotocol=_first_offered,
        max_size=MAX_MESSAGE,
        close_timeout=1.0,
        logger=quiet_logger("websocket"),
    )
    return Server(server, host, ssl is not None)


async def _play(connection: ServerConnection) -> None:
    """Play the scene until it ends or the connection does: a scene that sleeps must not outlive its client."""
    async with asyncio.TaskGroup() as group:
        scene = group.create_task(_scene(connection), name="demo scene")
        closed = group.create_task(connection.wait_closed(), name="demo scene's end")
        await asyncio.wait([scene, closed], return_when=asyncio.FIRST_COMPLETED)
        scene.cancel()
        closed.cancel()


async def _scene(connection: ServerConnection) -> None:
    path, query = _target(connection)
    try:
        await SCENES[path](connection, query)
    except ConnectionClosed:
        return  # the client left, which is how most scenes end
    except (ValueError, OverflowError) as error:
        await connection.close(1008, f"bad parameter: {error}"[:120])


def _before(connection: ServerConnection, request: Request) -> Response | None:
    """Answer what needs no WebSocket: the index for browsers, refusals, redirects, unknown paths."""
    parts = urlsplit(request.path)
    query = dict(parse_qsl(parts.query))
    if parts.path == "/status":
        return _refusal(connection, query.get("code", "401"))
    if parts.path == "/redirect":
        response = connection.respond(HTTPStatus.FOUND, "moved\n")
        response.headers["Location"] = query.get("to", "/echo")
        return response
    if parts.path not in SCENES:
        return connection.respond(HTTPStatus.NOT_FOUND, f"no such path; try one of: {' '.join(PATHS)}\n")
    if "Upgrade" not in request.headers:
        response = connection.respond(HTTPStatus.OK, json.dumps({"paths": PATHS}, indent=2) + "\n")
        del response.headers["Content-Type"]
        response.headers["Content-Type"] = "application/json"
        return response
    return None


def _refusal(connection: ServerConnection, code: str) -> Response:
    try:
        status = HTTPStatus(int(code))
    except ValueError:
        status = HTTPStatus.BAD_REQUEST
    response = connection.respond(status, f'{{"error": "{status.phrase}", "status": {status.value}}}\n')
    if status in {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}:
        response.headers["Retry-After"] = "3"
    if status is HTTPStatus.UNAUTHORIZED:
        response.headers["WWW-Authenticate"] = 'Bearer realm="rtui demo"'
    return response


def _first_offered(_: ServerConnection, offered: object) -> Subprotocol | None:
    return offered[0] if isinstance(offered, list | tuple) and offered else None


def _target(connection: ServerConnection) -> tuple[str, dict[str, str]]:
    parts = urlsplit(connection.request.path if connection.request else "/")
    return parts.path, dict(parse_qsl(parts.query))
