"""python-socketio's server on the loopback: a peer that shares no code with the adapter's packets."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import socketio
from aiohttp import web

from tests.protocols.socketio_peer import listening

MOST = 8 * 1024**2


@asynccontextmanager
async def socketio_server(
    prepare: Callable[[Any], None], context: ssl.SSLContext | None = None, port: int = 0, **options: Any
) -> AsyncIterator[int]:
    """Serve what `prepare` registers; yields the port. Handlers run one after another, in order."""
    server = socketio.AsyncServer(
        async_mode="aiohttp",
        monitor_clients=False,
        **{"async_handlers": False, "always_connect": True, "max_http_buffer_size": MOST, **options},
    )
    prepare(server)
    application = web.Application(client_max_size=MOST)
    server.attach(application)
    async with listening(application, context, port) as bound:
        yield bound
        await server.shutdown()
