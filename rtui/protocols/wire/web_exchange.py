"""The answer to a request: its head, and its body as it comes."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable
from typing import Any, Final

from rtui.core.fault import Failure
from rtui.protocols.wire.http import safe_headers
from rtui.protocols.wire.http_fault import BODY_SHOWN
from rtui.protocols.wire.trip import Trip
from rtui.protocols.wire.web_body import Body, encodings
from rtui.protocols.wire.web_fault import TooLarge
from rtui.protocols.wire.web_head import Head, Line
from rtui.settings.secrets import mask_url

BEGINNING_TIME: Final = 1.0
"""Seconds to wait for the body of a refusal."""
BREATH: Final = 16
"""Pieces of a body between two turns of the loop."""


class Exchange:
    """A request and the answer to it: its head is here, its body comes."""

    def __init__(
        self, line: Line, head: Head, url: str, trip: Trip, *, waited: float, release: Callable[[], None]
    ) -> None:
        """`waited` is `first_byte_ms`; `release` is told when nobody reads any more."""
        self.status = head.status
        self.reason = head.reason
        self.headers = head.headers
        """As on the wire."""
        self.version = head.version
        self.url = mask_url(url)
        self.redirects: list[str] = []
        """Where we were sent, in order; masked."""
        self.first_byte_ms = waited
        """From the request to the head of the answer."""
        self.size = 0
        """Bytes of the body that came, as they were compressed."""
        self.trip = trip
        self._line = line
        self._release = release
        self._closed = False

    def header(self, name: str) -> str:
        """The first value of a header, or empty."""
        return next((value for each, value in self.headers if each.lower() == name.lower()), "")

    @property
    def media_type(self) -> str:
        """In lower case, without parameters."""
        return self.header("content-type").partition(";")[0].strip().lower()

    async def pieces(self) -> AsyncGenerator[bytes]:
        """The body as it comes, decoded, in pieces of at most 64 KiB.

        Raises:
            CutShort: it was not whole.
            Failure: its encoding is unknown or broken.
        """
        try:
            body = Body(encodings(self.headers))
            while data := await self._line.read():
                self.size += len(data)
                if not body:
                    yield data
                    continue
                for piece in body.feed(data):
                    yield piece
            body.end()
        finally:
            await self.close()

    async def body(self, limit: int) -> bytes:
        """The whole body, decoded.

        Raises:
            TooLarge: it has more than `limit` bytes.
            Failure: see `pieces`.
        """
        parts, size = list[bytes](), 0
        async with contextlib.aclosing(self.pieces()) as pieces:
            async for piece in pieces:
                size += len(piece)
                if size > limit:
                    raise TooLarge(limit)
                parts.append(piece)
                if len(parts) % BREATH == 0:
                    await asyncio.sleep(0)
        return b"".join(parts)

    async def beginning(self, limit: int = BODY_SHOWN, seconds: float = BEGINNING_TIME) -> bytes:
        """What a body begins with, as far as it can be had soon; then the answer is closed."""
        found = b""
        with contextlib.suppress(Failure, TimeoutError):
            async with asyncio.timeout(seconds), contextlib.aclosing(self.pieces()) as pieces:
                async for piece in pieces:
                    found += piece
                    if len(found) >= limit:
                        break
        return found[:limit]

    def details(self) -> dict[str, Any]:
        """What `Opened` tells."""
        trip = self.trip
        found: dict[str, Any] = {
            "protocol": self.version,
            "status": f"{self.status} {self.reason}".rstrip(),
            **trip.tls,
            "local": trip.local,
            "remote": trip.remote,
            "proxy": trip.proxy,
            "redirects": self.redirects,
            "headers": safe_headers(self.headers),
            "timings": trip.timings,
        }
        return {key: value for key, value in found.items() if value}

    async def close(self) -> None:
        """Leave the answer; its connection ends too, unless the body was whole."""
        if not self._closed:
            self._closed = True
            await self._line.aclose()
            self._release()
