"""What the embedded server for polling answers on each path: one coroutine per scene.

What is answered is a function of the time and the seed: a server that was started anew goes on where the clock is.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import random
import time
from collections.abc import Mapping
from email.utils import formatdate, parsedate_to_datetime
from http import HTTPStatus
from itertools import count
from typing import Any, Final

from aiohttp import web

from rtui.demo.http import LONGEST, MOST_BYTES, RETRY_AFTER, Scene, answer, break_off, inflating, number, whole
from rtui.demo.story import EPOCH, HOSTILE

MOST_ITEMS: Final = 1000
LONGEST_HOLD: Final = 120.0
SHORTEST: Final = 0.001
"""Seconds of a wait for a tick that is due by the look of it."""

_asked = count(1)
"""Requests to `/busy` and `/vanishing-cursor`, by whomever: what they do now and then."""


async def price(request: web.Request) -> web.StreamResponse:
    """A price that changes now and then; unchanged, it is not sent again (RFC 9110 §13)."""
    every = number(request, "every", 3, 0.01, LONGEST)
    at = _tick(every)
    changed = EPOCH + at * every
    body = {"symbol": "ACME", **_quote(int(request.query.get("seed", "1")), at), "changed": round(changed, 3)}
    return _validated(request, body, changed)


def _quote(seed: int, at: int) -> dict[str, float]:
    """Two waves and some noise; the volume grows, so that no tick is like the one before."""
    chance = random.Random(f"{seed}/{at}")  # noqa: S311 - a story, not a secret
    middle = 100 + 8 * _wave(at, 40) + 3 * _wave(at, 11) + chance.gauss(0, 0.4)
    volume = at % 10_000 * 10 + chance.randint(0, 9)
    return {"price": round(middle, 2), "bid": round(middle - 0.05, 2), "volume": volume}


def _wave(at: int, period: int) -> float:
    """From -1 to 1 and back, in straight lines."""
    return 4 * abs((at % period) / period - 0.5) - 1


def _validated(request: web.Request, value: Any, changed: float) -> web.Response:
    answered = answer(value)
    assert isinstance(answered.body, bytes)  # noqa: S101 - `answer` gave it bytes
    tag = f'"{hashlib.sha256(answered.body).hexdigest()[:16]}"'
    headers = {"ETag": tag, "Last-Modified": formatdate(changed, usegmt=True), "Cache-Control": "no-cache"}
    if _is_current(request, tag, changed):
        return web.Response(status=HTTPStatus.NOT_MODIFIED, headers=headers)
    answered.headers.update(headers)
    return answered


def _is_current(request: web.Request, tag: str, changed: float) -> bool:
    """If-None-Match decides alone where it is given (RFC 9110 §13.2.2)."""
    if (tags := request.headers.get("If-None-Match")) is not None:
        return tag in (one.strip().removeprefix("W/") for one in tags.split(","))
    since = request.headers.get("If-Modified-Since")
    try:
        return since is not None and int(changed) <= parsedate_to_datetime(since).timestamp()
    except ValueError:
        return False


async def items(request: web.Request) -> web.StreamResponse:
    """The newest entries of a list that grows."""
    every, keep = number(request, "every", 2, 0.01, LONGEST), whole(request, "keep", 5, 0, MOST_ITEMS)
    last = _tick(every)
    seed = int(request.query.get("seed", "1"))
    return answer({"total": last, "items": [_job(seed, at) for at in range(last, max(0, last - keep), -1)]})


async def queue(request: web.Request) -> web.StreamResponse:
    """What came after the cursor; waits for it, and tells at the end of the hold that nothing came."""
    every, hold = number(request, "every", 4, 0.01, LONGEST), number(request, "hold", 20, 0, LONGEST_HOLD)
    seed = int(request.query.get("seed", "1"))
    last = await _cursor(request, _tick(every) - 2)
    await _following(last, every, hold)
    newest = min(_tick(every), last + MOST_ITEMS)
    cursor = str(max(last, newest))
    return answer({"cursor": cursor, "items": [_job(seed, at) for at in range(last + 1, newest + 1)]})


async def _following(last: int, every: float, hold: float) -> None:
    """Wait for the tick after `last`, at most for `hold` seconds.

    More than once: the loop's clock is not the one that ticks, and may be ahead of it.
    """
    loop = asyncio.get_running_loop()
    end, due = loop.time() + hold, EPOCH + (last + 1) * every
    while _tick(every) <= last and (left := end - loop.time()) > 0:  # noqa: ASYNC110 - a clock sets no event
        await asyncio.sleep(min(left, max(SHORTEST, due - time.time())))


async def vanishing(request: web.Request) -> web.StreamResponse:
    """Without a cursor in every third answer."""
    last = await _cursor(request, 0)
    await asyncio.sleep(number(request, "every", 1, 0.01, LONGEST))
    body: dict[str, Any] = {"items": [_job(1, last + 1)]}
    return answer(body if next(_asked) % 3 == 0 else {"cursor": str(last + 1), **body})


async def _cursor(request: web.Request, default: int) -> int:
    """From the query, the header X-Cursor or `cursor` in a JSON body."""
    given: Any = request.query.get("cursor") or request.headers.get("X-Cursor")
    if given is None and (body := await request.read()):
        value = json.loads(body)
        given = value.get("cursor") if isinstance(value, dict) else None
    return int(given) if given else default


def _job(seed: int, at: int) -> dict[str, Any]:
    chance = random.Random(f"{seed}/{at}")  # noqa: S311 - a story, not a secret
    what = chance.choice(("print labels", "resize photo", "send invoice", "count stock", "back up"))
    return {
        "id": at,
        "job": what,
        "for": chance.choice(("ann", "bob", "çelik", "王芳")),
        "pages": chance.randint(1, 40),
    }


def _tick(every: float) -> int:
    return int((time.time() - EPOCH) / every)


async def clock(_: web.Request) -> web.StreamResponse:
    """Never the same twice."""
    return answer({"now": time.time()})


async def busy(request: web.Request) -> web.StreamResponse:
    """Too many requests, now and then."""
    share, code = whole(request, "every", 4, 1), HTTPStatus(whole(request, "code", 429))
    turn = next(_asked)
    if turn % share:
        return answer({"turn": turn})
    return answer({"error": code.phrase, "turn": turn}, code, {"Retry-After": RETRY_AFTER})


async def slow(request: web.Request) -> web.StreamResponse:
    """Late."""
    seconds = number(request, "seconds", 3, 0, LONGEST)
    await asyncio.sleep(seconds)
    return answer({"waited": seconds})


async def echo(request: web.Request) -> web.StreamResponse:
    """What was asked."""
    body = (await request.read()).decode(errors="backslashreplace")
    headers = [[name, value] for name, value in request.headers.items()]
    return answer({"method": request.method, "url": request.path_qs, "headers": headers, "body": body})


async def empty(_: web.Request) -> web.StreamResponse:
    """Nothing to tell."""
    return web.Response(status=HTTPStatus.NO_CONTENT)


async def bad_json(_: web.Request) -> web.StreamResponse:
    """What calls itself JSON and ends too early."""
    return web.Response(body=b'{"items": [{"id": 1}, {"id": 2', content_type="application/json")


async def not_utf8(_: web.Request) -> web.StreamResponse:
    """Latin-1."""
    return web.Response(body=b'{"text": "caf\xe9 \xff"}', content_type="application/json")


async def hostile(_: web.Request) -> web.StreamResponse:
    """Attack the terminal."""
    return answer({"items": list(HOSTILE)})


async def cut(request: web.Request) -> web.StreamResponse:
    """End inside the body."""
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    await response.prepare(request)
    break_off(request, b'{"items": [1, 2,')
    return response


async def huge(request: web.Request) -> web.StreamResponse:
    """A long text."""
    return web.Response(text="x" * whole(request, "size", 1 << 20, 0, MOST_BYTES >> 2))


async def bomb(request: web.Request) -> web.StreamResponse:
    """A small answer that inflates."""
    response = web.StreamResponse(headers={"Content-Type": "text/plain", "Content-Encoding": "gzip"})
    await response.prepare(request)
    for part in inflating(whole(request, "size", 64 * 1024**2)):
        await response.write(part)
    return response


SCENES: Final[Mapping[str, Scene]] = {
    "/price": price,
    "/items": items,
    "/queue": queue,
    "/vanishing-cursor": vanishing,
    "/clock": clock,
    "/busy": busy,
    "/slow": slow,
    "/echo": echo,
    "/empty": empty,
    "/bad-json": bad_json,
    "/bad-utf8": not_utf8,
    "/hostile": hostile,
    "/cut": cut,
    "/huge": huge,
    "/bomb": bomb,
}
