"""HTTP/2 (RFC 9113) by httpcore and h2, on a connection of our own."""

from __future__ import annotations

import ssl
from collections.abc import AsyncGenerator, AsyncIterable
from typing import Any, cast

import httpcore
from h2.exceptions import H2Error

from rtui.core.clean import clean
from rtui.protocols.wire.lean_httpx import httpx
from rtui.protocols.wire.web_fault import HTTP2, BrokenAnswer, CutShort, Ended
from rtui.protocols.wire.web_head import Head
from rtui.protocols.wire.web_network import Wire


class Stream(httpcore.AsyncNetworkStream):
    """What httpcore takes for its socket."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002, ASYNC109
        """The next bytes; their number is the wire's affair, and less than the library's."""
        if not (data := await self._wire.read()) and self._wire.error:
            raise self._wire.error
        return data

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002, ASYNC109
        """Bodies are limited by the peer's windows."""
        self._wire.transport.write(buffer)

    async def aclose(self) -> None:
        """The end of the connection, not of a request."""
        self._wire.transport.close()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109
    ) -> httpcore.AsyncNetworkStream:
        """The wire has it already."""
        raise NotImplementedError

    def get_extra_info(self, info: str) -> Any:
        """Asked of idle connections."""
        return self._wire.ended if info == "is_readable" else None


class Http2:
    """One connection that speaks HTTP/2, one request at a time."""

    def __init__(self, wire: Wire, url: httpx.URL) -> None:
        self.wire = wire
        origin = httpcore.Origin(url.raw_scheme, url.raw_host, url.port or (443 if url.scheme == "https" else 80))
        self._connection = httpcore.AsyncHTTP2Connection(origin, Stream(wire))
        self._answer: httpcore.Response | None = None
        self._pieces: AsyncGenerator[bytes] | None = None
        self._complete = True

    async def ask(self, request: httpx.Request) -> Head:
        """Send the request; the head of the answer once it is there.

        Raises:
            BrokenAnswer, Ended, OSError: there was none.
        """
        self._complete = False
        url = request.url
        target = httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path)
        asked = httpcore.Request(
            request.method, target, headers=request.headers.raw, content=await request.aread(), extensions={}
        )
        try:
            answer = await self._connection.handle_async_request(asked)
        except (httpcore.ProtocolError, H2Error) as error:
            if not self.wire.head:
                raise self.wire.error or Ended from error
            raise BrokenAnswer(_why(error), HTTP2) from error
        self._answer = answer
        self._pieces = cast("AsyncGenerator[bytes]", aiter(cast("AsyncIterable[bytes]", answer.stream)))
        headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in answer.headers]
        return Head(HTTP2, answer.status, "", headers)

    async def read(self) -> bytes:
        """The next piece of the body, b"" at its end.

        Raises:
            CutShort: it was not whole.
        """
        assert self._pieces is not None  # noqa: S101 - asked first
        try:
            async for piece in self._pieces:
                if piece:
                    return piece
        except (httpcore.ProtocolError, H2Error, OSError) as error:
            raise CutShort(_why(error)) from error
        self._complete = True
        return b""

    @property
    def reusable(self) -> bool:
        """Whether another request can be made."""
        return self._complete and not self.wire.ended and not self._connection.is_closed()

    def rest(self) -> None:
        """The peer may say more: settings, pings, its goodbye; read before the next request."""

    async def aclose(self) -> None:
        """Leave the answer. The library counts its stream as open until it is closed, whole or not."""
        if self._pieces is not None:
            await self._pieces.aclose()
        if self._answer is not None:
            await self._answer.aclose()


def _why(error: Exception) -> str:
    """What ended a stream, by what httpcore raised: an event of h2 or a text."""
    event = error.args[0] if error.args else None
    code = getattr(event, "error_code", None)
    if code is not None:
        name = getattr(code, "name", f"code {code}")
        return f"the server ended it: {type(event).__name__}, {name}"
    return clean(str(error)) or type(error).__name__
