"""Web clients of tests, which leave nothing behind."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from rtui.protocols.request import RequestOptions
from rtui.protocols.wire.web import Exchange, Web
from tests.protocols.http_peer import Peer
from tests.waiting import PATIENCE

LARGE = 16 * 1024**2


@asynccontextmanager
async def asking(url: str, **options: Any) -> AsyncIterator[Web]:
    """A client; afterwards no socket is left."""
    web = Web(RequestOptions(**{"timeout": PATIENCE, "proxy": "", **options}), url)
    try:
        yield web
    finally:
        await web.close()
        assert all(wire.gone.done() for wire in web.wires)


async def ask(peer: Peer, path: str = "/", **options: Any) -> tuple[Exchange, bytes]:
    """One request, answered whole."""
    async with asking(peer.url(path=path), **options) as web:
        answer = await web.open()
        return answer, await answer.body(LARGE)
