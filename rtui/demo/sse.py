"""The embedded SSE server: a path for everything an event stream can do, well and badly."""

from __future__ import annotations

import asyncio
import json
import ssl as tls
from collections.abc import Mapping
from typing import Final

from aiohttp import web

from rtui.demo import http
from rtui.demo.sse_scene import SCENES, event, stream

PATHS: Final[Mapping[str, str]] = {
    "/": "says hello, lists these paths",
    "/news?rate=1&seed=1": "a ticker with ids, resumed by Last-Event-ID: named and unnamed events, comments, retry",
    "/tokens?rate=40": 'a Markdown text, token by token, as AI servers send it; POST {"messages": […]} or GET',
    "/end?after=5": "ends politely after so many events; goes on with the next id",
    "/cut?after=5": "ends inside an event",
    "/drop?after=5": "resets the connection",
    "/gaps": "leaves ids out and tells others twice",
    "/gone": "204: do not come back",
    "/slow?every=5": "one event every few seconds",
    "/late?seconds=3": "the head of the answer comes late, and the first event as late again",
    "/silent": "one event, then nothing more",
    "/lumps?seconds=5": "events that come in lumps, as from a buffering proxy",
    "/burst?rate=1000&size=60&n=0": "a flood at a steady rate, up to 50,000 a second; n = end after so many",
    "/gzip?rate=2": "compressed, each event flushed",
    "/crlf": "odd line ends and fields, byte by byte, with a charset that does not count",
    "/hostile": "text that attacks terminals, also as type, id and comment",
    "/bad-utf8": "text that is not UTF-8",
    "/bad-type?type=text/html": "another content type",
    "/bad-chunk": "a chunk without a length",
    "/endless-line?size=67108864": "a line of that many bytes",
    "/endless-event?size=67108864": "an event of that many bytes, in short lines",
    "/bomb?size=67108864": "a small compressed answer that inflates to that many bytes",
    "/status?code=401": "answers with that HTTP status and a body (429 and 503 with Retry-After)",
    "/redirect?to=/": "leads to another path",
    "/loop": "leads in a circle",
}
"""Path with its parameters and their defaults → what it shows."""


async def serve(host: str = "127.0.0.1", port: int = 0, ssl: tls.SSLContext | None = None) -> http.Server:
    """Start serving `PATHS`; port 0 takes a free one."""
    return await http.serve({**SCENES, "/": hello}, PATHS, scheme="sse+http", host=host, port=port, ssl=ssl)


async def hello(request: web.Request) -> web.StreamResponse:
    """The paths: as an event for who asks for events, else as JSON."""
    if "text/event-stream" not in request.headers.get("Accept", ""):
        return http.answer({"paths": dict(PATHS)})
    response = await stream(request)
    await response.write(event(json.dumps({"paths": dict(PATHS)}), "hello"))
    await asyncio.sleep(http.LONGEST)
    return response
