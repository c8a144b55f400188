"""What the embedded HTTP servers share: how a path is served, misbehaves and is closed."""

from __future__ import annotations

import asyncio
import json
import socket
import ssl as tls
import struct
import zlib
from collections.abc import Awaitable, Callable, Iterator, Mapping
from http import HTTPStatus
from typing import Any, Final, TypeAlias

import msgspec
from aiohttp import web

from rtui.demo.quiet import quiet_logger

Scene: TypeAlias = Callable[[web.Request], Awaitable[web.StreamResponse]]

GOODBYE: Final = 0.1
"""Seconds for connections that are between two requests."""
LARGEST_BODY: Final = 16 * 1024**2
"""Of a request."""
MOST_BYTES: Final = 1 << 30
"""Of what a scene makes up."""
BLOCK: Final = 1 << 20
LONGEST: Final = 600.0
"""Seconds of any wait."""
BUSY: Final = frozenset({HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE})
RETRY_AFTER: Final = "2"


class Server:
    """A running demo server."""

    def __init__(self, runner: web.AppRunner, playing: set[asyncio.Task[Any]], scheme: str, host: str) -> None:
        self._runner = runner
        self._playing = playing
        self.port: int = runner.addresses[0][1]
        name = f"[{host}]" if ":" in host else host
        self.url = f"{scheme}://{name}:{self.port}"

    async def close(self) -> None:
        """Break off every answer that is under way and free the port."""
        for task in tuple(self._playing):
            task.cancel()
        await self._runner.cleanup()


async def serve(
    scenes: Mapping[str, Scene],
    paths: Mapping[str, str],
    *,
    scheme: str,
    host: str,
    port: int,
    ssl: tls.SSLContext | None,
) -> Server:
    """Play `scenes` (path → scene) for any method, and tell `paths` at `/` unless a scene stands there.

    `scheme` without its "s": "sse+http".
    """
    playing: set[asyncio.Task[Any]] = set()
    app = web.Application(client_max_size=LARGEST_BODY)

    async def index(_: web.Request) -> web.StreamResponse:
        return answer({"paths": dict(paths)})

    for path, scene in {"/": index, **COMMON, **scenes, "/{path:.*}": unknown}.items():
        app.router.add_route("*", path, _watched(scene, playing))
    logger = quiet_logger("http")
    # Cancelled when its client leaves: most scenes never end by themselves.
    runner = web.AppRunner(
        app, access_log=None, logger=logger, shutdown_timeout=GOODBYE, handler_cancellation=True, handle_signals=False
    )
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port, ssl_context=ssl).start()
    except BaseException:
        await runner.cleanup()
        raise
    return Server(runner, playing, f"{scheme}{'s' if ssl else ''}", host)


def _watched(scene: Scene, playing: set[asyncio.Task[Any]]) -> Scene:
    """Keep the task of a scene while it plays, and tell the client its mistakes."""

    async def play(request: web.Request) -> web.StreamResponse:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - a coroutine runs in one
        playing.add(task)
        try:
            return await scene(request)
        except (ValueError, OverflowError, msgspec.MsgspecError) as error:
            return answer({"error": f"bad request: {error}"}, HTTPStatus.BAD_REQUEST)
        finally:
            playing.discard(task)

    return play


async def status(request: web.Request) -> web.StreamResponse:
    """Answer with the status asked for."""
    code = HTTPStatus(whole(request, "code", HTTPStatus.UNAUTHORIZED, HTTPStatus.OK))
    headers = {"Retry-After": RETRY_AFTER} if code in BUSY else {}
    if code is HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = 'Bearer realm="rtui demo"'
    return answer({"error": code.phrase, "status": code.value}, code, headers)


async def redirect(request: web.Request) -> web.StreamResponse:
    """Lead to another path, relative to this one."""
    return web.Response(status=HTTPStatus.FOUND, headers={"Location": request.query.get("to", "/")}, text="moved\n")


async def loop(_: web.Request) -> web.StreamResponse:
    """Lead in a circle."""
    return web.Response(status=HTTPStatus.FOUND, headers={"Location": "/loop"}, text="moved\n")


async def unknown(_: web.Request) -> web.StreamResponse:
    """Nothing stands here."""
    return answer({"error": "no such path; / lists them"}, HTTPStatus.NOT_FOUND)


COMMON: Final[Mapping[str, Scene]] = {"/status": status, "/redirect": redirect, "/loop": loop}
"""What every such server plays."""


def answer(value: Any, code: int = HTTPStatus.OK, headers: Mapping[str, str] | None = None) -> web.Response:
    """A whole answer in JSON."""
    return web.Response(
        status=code,
        body=json.dumps(value, ensure_ascii=False).encode(),
        headers=headers,
        content_type="application/json",
    )


def number(request: web.Request, name: str, default: float, least: float, most: float) -> float:
    """A parameter of the query between its bounds; ValueError if it is no number."""
    value = float(request.query.get(name, default))
    if value != value:  # noqa: PLR0124 - NaN, which min and max would let through
        raise ValueError(f"{name} is not a number")
    return min(most, max(least, value))


def whole(request: web.Request, name: str, default: int, least: int = 0, most: int = MOST_BYTES) -> int:
    """The same for what is counted."""
    return min(most, max(least, int(request.query.get(name, default))))


def inflating(size: int) -> Iterator[bytes]:
    """The gzip stream (RFC 1952) of `size` spaces, a thousandth as large, in parts."""
    press = zlib.compressobj(9, zlib.DEFLATED, 31)
    block = b" " * BLOCK
    for at in range(0, size, BLOCK):
        if part := press.compress(block[: size - at]):
            yield part
    yield press.flush()


def reset(request: web.Request) -> None:
    """End the connection without a goodbye."""
    if (transport := request.transport) is None:
        return
    # A linger time of zero turns close() into a reset: the peer gets RST, not FIN.
    if (wire := transport.get_extra_info("socket")) is not None:
        wire.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()


def break_off(request: web.Request, rest: bytes) -> None:
    """End the connection inside a chunk that promised more than `rest` (RFC 9112 §8: an incomplete message)."""
    if request.transport is not None:
        request.transport.write(b"%x\r\n%b" % (len(rest) + 1000, rest))
        request.transport.close()
