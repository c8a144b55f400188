"""What the embedded SSE server plays on each path: one coroutine per scene."""

from __future__ import annotations

import asyncio
import itertools
import json
import time
import zlib
from collections.abc import Mapping
from http import HTTPStatus
from typing import Final

from aiohttp import web

from rtui.demo import sse_news, sse_token
from rtui.demo.http import LONGEST, MOST_BYTES, Scene, answer, break_off, inflating, number, reset, whole
from rtui.demo.story import HOSTILE, paced

TOP_RATE: Final = 50_000.0
BURST_SIZE: Final = 1 << 16
RETRY: Final = 500
"""Milliseconds after which the news want to be asked again."""
COMMENT_EVERY: Final = 10
"""Events between two comments of the news."""
THINKING: Final = 0.3
"""Seconds before the first token."""

ODD_ENDS: Final = (
    b"\xef\xbb\xbfdata: after a byte order mark\r\r"
    b"event: cr\rdata: ended by CR\r\r"
    b"event: crlf\r\ndata: ended by CRLF\r\n\r\n"
    b"event: mixed\rdata: one\ndata: two\r\n\n"
    b"data:no space\ndata:  two spaces\n\n"
    b"data\n\n"
    b"id: 1\x002\ndata: an id with NUL does not count\n\n"
    b"id: seven\ndata: an id that is no number\n\n"
    b"id\ndata: the id is taken back\n\n"
    b"data: \xe2\x80\xa8 is no line end, \xc3\xbc has two bytes\n\n"
    b"retry: +5\nretry: 1e3\nunknown: field\ndata: none of these fields counts\n\n"
    b"data: never ended, so never an event\n"
)
"""What the standard (HTML, 9.2.6) makes of line ends and fields that few servers write."""


def event(data: str, name: str = "", event_id: int | None = None) -> bytes:
    """An event as it goes over the wire."""
    lines = [f"event: {name}"] if name else []
    if event_id is not None:
        lines.append(f"id: {event_id}")
    lines += [f"data: {line}" for line in data.split("\n")]
    return ("\n".join(lines) + "\n\n").encode()


async def stream(
    request: web.Request, content_type: str = "text/event-stream", *, squeezed: bool = False
) -> web.StreamResponse:
    """Send the head of an answer that has no end yet."""
    response = web.StreamResponse(headers={"Content-Type": content_type, "Cache-Control": "no-store"})
    response.headers["X-Accel-Buffering"] = "no"  # nginx would else hold it back
    if squeezed:
        response.headers["Content-Encoding"] = "gzip"
    await response.prepare(request)
    return response


async def news(request: web.Request) -> web.StreamResponse:
    """Tell what was missed, then go on at the pace."""
    rate, seed = number(request, "rate", 1, 0.01, TOP_RATE), int(request.query.get("seed", "1"))
    following = sse_news.first(request.headers.get("Last-Event-ID", ""), rate)
    response = await stream(request)
    await response.write(b": the news\nretry: %d\n\n" % RETRY)
    missed = sse_news.missed(following, rate)
    await response.write(b"".join(_news(at, seed) for at in missed))
    following += len(missed)
    async for count in paced(rate):
        await response.write(b"".join(_news(at, seed) for at in range(following, following + count)))
        following += count
    return response


def _news(at: int, seed: int) -> bytes:
    name, data = sse_news.event(at, seed)
    comment = b"" if at % COMMENT_EVERY else b": %d events so far\n" % at
    return comment + event(data, name, at)


async def tokens(request: web.Request) -> web.StreamResponse:
    """Answer the last message of the request, token by token."""
    rate = number(request, "rate", 40, 0.1, 5000)
    wanted = sse_token.asked(await request.read())
    parts = sse_token.pieces(wanted.prompt)
    if not wanted.stream:
        return answer(sse_token.completion(parts))
    response = await stream(request)
    await asyncio.sleep(THINKING)
    chunks = [event(chunk) for chunk in sse_token.chunks(parts)]
    at = 0
    async for count in paced(rate):
        await response.write(b"".join(chunks[at : at + count]))
        at += count
        if at >= len(chunks):
            break
    return response


async def _number(request: web.Request, response: web.StreamResponse) -> None:
    """Tell `after` events, from the one that follows Last-Event-ID; five a second."""
    last = request.headers.get("Last-Event-ID", "")
    begin = int(last) + 1 if last.isdecimal() else 1
    await response.write(b"retry: %d\n\n" % RETRY)
    for at in range(begin, begin + whole(request, "after", 5)):
        await response.write(event(json.dumps({"n": at}), event_id=at))
        await asyncio.sleep(0.2)


async def end(request: web.Request) -> web.StreamResponse:
    """End politely after some events."""
    response = await stream(request)
    await _number(request, response)
    return response


async def cut(request: web.Request) -> web.StreamResponse:
    """End inside an event, without the last chunk."""
    response = await stream(request)
    await _number(request, response)
    break_off(request, b"id: 999999\ndata: half of an ev")
    return response


async def drop(request: web.Request) -> web.StreamResponse:
    """Reset the connection."""
    response = await stream(request)
    await _number(request, response)
    reset(request)
    return response


async def gaps(request: web.Request) -> web.StreamResponse:
    """Leave numbers out and tell others twice."""
    response = await stream(request)
    for at in (1, 2, 3, 4, 7, 8, 9, 9, 10, 11, 20, 21, 22):
        await response.write(event(json.dumps({"n": at}), event_id=at))
        await asyncio.sleep(0.2)
    await asyncio.sleep(LONGEST)
    return response


async def gone(_: web.Request) -> web.StreamResponse:
    """Nothing here, and do not come back (HTML, 9.2.3)."""
    return web.Response(status=HTTPStatus.NO_CONTENT)


async def slow(request: web.Request) -> web.StreamResponse:
    """One event now and then."""
    every = number(request, "every", 5, 0.01, LONGEST)
    response = await stream(request)
    for at in itertools.count(1):
        await response.write(event(json.dumps({"n": at}), "slow"))
        await asyncio.sleep(every)
    return response


async def late(request: web.Request) -> web.StreamResponse:
    """Let the client wait for the head of the answer, then for the first event."""
    seconds = number(request, "seconds", 3, 0, LONGEST)
    await asyncio.sleep(seconds)
    response = await stream(request)
    await asyncio.sleep(seconds)
    await response.write(event("here I am"))
    await asyncio.sleep(LONGEST)
    return response


async def silent(request: web.Request) -> web.StreamResponse:
    """Say something, then nothing more."""
    response = await stream(request)
    await response.write(event("I say no more", "last words"))
    await asyncio.sleep(LONGEST)
    return response


async def lumps(request: web.Request) -> web.StreamResponse:
    """Hold events back as a buffering proxy does."""
    seconds = number(request, "seconds", 5, 0.1, LONGEST)
    response = await stream(request)
    held: list[bytes] = []
    began = time.monotonic()
    async for count in paced(2):
        held += [event(json.dumps({"written": time.time()}), "held")] * count
        if time.monotonic() - began >= seconds:
            await response.write(b"".join(held))
            held.clear()
            began = time.monotonic()
    return response


async def burst(request: web.Request) -> web.StreamResponse:
    """A flood of numbered events."""
    rate, most = number(request, "rate", 1000, 0.01, TOP_RATE), whole(request, "n", 0)
    pad = "." * whole(request, "size", 60, 0, BURST_SIZE)
    response = await stream(request)
    sent = 0
    async for due in paced(rate):
        count = min(due, most - sent) if most else due
        numbers = range(sent + 1, sent + count + 1)
        await response.write(b"".join(event(f'{{"n":{at},"pad":"{pad}"}}', "burst", at) for at in numbers))
        sent += count
        if sent == most:
            break
    return response


async def squeezed(request: web.Request) -> web.StreamResponse:
    """Compress, each event flushed."""
    response = await stream(request, squeezed=True)
    press = zlib.compressobj(6, zlib.DEFLATED, 31)
    at = 0
    async for count in paced(number(request, "rate", 2, 0.01, 1000)):
        text = b"".join(event(json.dumps({"n": one}), "squeezed", one) for one in range(at + 1, at + count + 1))
        await response.write(press.compress(text) + press.flush(zlib.Z_SYNC_FLUSH))
        at += count
    return response


async def odd(request: web.Request) -> web.StreamResponse:
    """Byte by byte."""
    response = await stream(request, "Text/Event-Stream;charset=iso-8859-1")
    for at in range(len(ODD_ENDS)):
        await response.write(ODD_ENDS[at : at + 1])
        await asyncio.sleep(0.001)
    await asyncio.sleep(LONGEST)
    return response


async def hostile(request: web.Request) -> web.StreamResponse:
    """Attack the terminal in data, type, id and comment."""
    response = await stream(request)
    for text in HOSTILE:
        line = text.translate({13: None, 10: None})
        await response.write(f": {line}\nevent: {line}\nid: {line}\ndata: {text}\n\n".encode())
    await asyncio.sleep(LONGEST)
    return response


async def not_utf8(request: web.Request) -> web.StreamResponse:
    """Write Latin-1."""
    response = await stream(request)
    await response.write(b'event: caf\xe9\ndata: {"text": "caf\xe9 \xff"}\n\n')
    await asyncio.sleep(LONGEST)
    return response


async def wrong_type(request: web.Request) -> web.StreamResponse:
    """A stream that calls itself something else."""
    response = await stream(request, request.query.get("type", "text/html"))
    await response.write(event("<h1>I am a page</h1>"))
    return response


async def endless_line(request: web.Request) -> web.StreamResponse:
    """One line, up to the size."""
    return await _endless(request, b"data: ", b"x" * 65_536)


async def endless_event(request: web.Request) -> web.StreamResponse:
    """Lines without the empty one."""
    return await _endless(request, b"", (b"data: " + b"x" * 250 + b"\n") * 256)


async def _endless(request: web.Request, begin: bytes, block: bytes) -> web.StreamResponse:
    size = whole(request, "size", 64 * 1024**2, 0, MOST_BYTES)
    response = await stream(request)
    await response.write(begin)
    for _ in range(size // len(block) + 1):
        await response.write(block)
    return response


async def bomb(request: web.Request) -> web.StreamResponse:
    """A small answer that inflates."""
    response = await stream(request, squeezed=True)
    for part in inflating(whole(request, "size", 64 * 1024**2)):
        await response.write(part)
    return response


async def mangled(request: web.Request) -> web.StreamResponse:
    """Break the rules of chunks (RFC 9112 §7.1) after an event."""
    response = await stream(request)
    await response.write(event("the next chunk has no length"))
    if request.transport is not None:
        request.transport.write(b"not a number\r\ndata: lost\r\n")
    await asyncio.sleep(LONGEST)
    return response


SCENES: Final[Mapping[str, Scene]] = {
    "/news": news,
    "/tokens": tokens,
    "/end": end,
    "/cut": cut,
    "/drop": drop,
    "/gaps": gaps,
    "/gone": gone,
    "/slow": slow,
    "/late": late,
    "/silent": silent,
    "/lumps": lumps,
    "/burst": burst,
    "/gzip": squeezed,
    "/crlf": odd,
    "/hostile": hostile,
    "/bad-utf8": not_utf8,
    "/bad-type": wrong_type,
    "/bad-chunk": mangled,
    "/endless-line": endless_line,
    "/endless-event": endless_event,
    "/bomb": bomb,
}
