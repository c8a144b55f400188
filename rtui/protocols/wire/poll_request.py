"""One request of a poll: what it carries besides the options, and how its answer is read."""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import Any

from rtui.core.fault import Failure
from rtui.protocols.polling import LongOptions, Options
from rtui.protocols.wire import web_request
from rtui.protocols.wire.http import safe_headers
from rtui.protocols.wire.poll_answer import NOT_MODIFIED, Answer, channel
from rtui.protocols.wire.poll_cursor import Cursor
from rtui.protocols.wire.poll_validator import Validators
from rtui.protocols.wire.reach_fault import fault
from rtui.protocols.wire.web import Exchange, Web
from rtui.protocols.wire.web_fault import TooLarge


class Asker:
    """Asks for one URL again and again. What it learns from answers is kept in the link's memory."""

    def __init__(self, options: Options, url: str, memory: dict[str, Any]) -> None:
        """Raises `Failure` if the options cannot be used."""
        self.web = Web(options, url, greeting="HTTP request")
        self._options = options
        self._cursor = Cursor(options, memory)
        self._target = web_request.queried(self.web.url, options.query)
        self.channel = channel(self._target, self._cursor.parameter)
        """What the URL is called."""
        method = web_request.method(options.method, b"" if options.data else None)
        self._validators = Validators(memory, on=options.validators, method=method, given=options.headers)
        self._validated = ""
        """The target of the request that was made last."""
        self._began = 0.0
        """When it was made."""

    async def ask(self, patience: float) -> Exchange:
        """Make the next request; `patience` is for its answer.

        Raises:
            Failure: it cannot be made, or there was no answer.
        """
        body = web_request.body(self._options.data)
        carried = self._cursor.carried(body or b"")
        self._validated = web_request.queried(self._target, carried.query)
        headers = {**self._validators.headers(self._validated), **carried.headers}
        data = body if carried.data is None else carried.data
        self._began = time.perf_counter()
        return await self.web.open(headers=headers, query=carried.query, data=data, timeout=patience)

    async def read(self, exchange: Exchange) -> Answer:
        """The whole answer.

        Raises:
            Failure: it is too large, broken or cut short, or nothing came of it for as long as `timeout` says.
        """
        body = await self._body(exchange)
        if exchange.status != NOT_MODIFIED:
            known = {name: exchange.header(name) for name in ("etag", "last-modified")}
            self._validators.learn(self._validated, known)
        name = f"{self.channel} {exchange.status}"
        return Answer(channel=name, status=exchange.status, body=body, meta=self._meta(exchange))

    def learn(self, answer: Answer) -> str:
        """Take the cursor for the next request; what is wrong with it, once."""
        return self._cursor.learn(answer.body) if answer.body else ""

    async def _body(self, exchange: Exchange) -> bytes:
        parts, size = list[bytes](), 0
        limit, patience, loop = self._options.max_size, self._options.timeout, asyncio.get_running_loop()
        try:
            async with asyncio.timeout(patience) as silence, contextlib.aclosing(exchange.pieces()) as pieces:
                async for piece in pieces:
                    silence.reschedule(loop.time() + patience)
                    size += len(piece)
                    if size > limit:
                        raise TooLarge(limit)
                    parts.append(piece)
        except TimeoutError:
            cause = f"nothing for {patience:g} s in the middle of the body, {exchange.trip.peer.place}"
            raise Failure(fault("timeout", "network", "The answer stopped", cause, "The server hangs")) from None
        return b"".join(parts)

    def _meta(self, exchange: Exchange) -> dict[str, Any]:
        """What the row of an answer tells."""
        found = {
            "status": exchange.status,
            "latency_ms": round((time.perf_counter() - self._began) * 1000, 3),
            "held_ms": exchange.first_byte_ms if isinstance(self._options, LongOptions) else 0,
            "bytes": exchange.size,
            "content_type": exchange.media_type,
            "redirects": exchange.redirects,
            "headers": safe_headers(exchange.headers),
        }
        return {key: value for key, value in found.items() if value}
