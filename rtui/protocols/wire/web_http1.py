"""HTTP/1.1 (RFC 9112): a request written, its answer read by httptools at the speed of C."""

from __future__ import annotations

from typing import Final

import httptools

from rtui.core.clean import clean
from rtui.protocols.wire.lean_httpx import httpx
from rtui.protocols.wire.web_fault import HTTP1, BrokenAnswer, CutShort, Ended
from rtui.protocols.wire.web_head import Head
from rtui.protocols.wire.web_network import Wire

LONGEST_HEAD: Final = 64 * 1024
"""Bytes of status line and headers, those of 1xx answers included."""
LONGEST_PAUSE: Final = 64 * 1024
"""Bytes between two pieces of a body: chunk extensions and trailers."""


class Http1:
    """One connection that speaks HTTP/1.1, kept alive between requests where the server agrees."""

    def __init__(self, wire: Wire, asks: bytes | None = None) -> None:
        """`asks`: to a proxy that hands each request on, with this header, which may be empty."""
        self.wire = wire
        self._asks = asks
        self._answer: Answer | None = None

    async def ask(self, request: httpx.Request) -> Head:
        """Send the request; the head of the answer once it is there.

        Raises:
            BrokenAnswer, Ended, OSError: there was none.
        """
        answer = self._answer = Answer(request.method)

        def feed(data: memoryview) -> bytes:
            piece = answer.feed(data)
            self.wire.full = answer.over
            return piece

        self.wire.full, self.wire.filter = False, feed
        self.wire.transport.write(written(request, await request.aread(), self._asks))
        await self.wire.wait(lambda: answer.begun)
        if answer.broken and not answer.begun:
            raise BrokenAnswer(answer.broken, HTTP1)
        if not answer.begun:
            raise self.wire.error or Ended
        return Head(f"HTTP/{answer.version}", answer.status, answer.reason.decode("latin-1"), answer.fields())

    async def read(self) -> bytes:
        """The next piece of the body as it was framed, b"" at its end.

        Raises:
            CutShort: it was not whole.
        """
        assert self._answer is not None  # noqa: S101 - asked first
        if piece := await self.wire.read():
            return piece
        self._answer.end(self.wire.error)
        return b""

    @property
    def reusable(self) -> bool:
        """Whether another request can be made."""
        answer = self._answer
        return not self.wire.ended and (answer is None or (answer.complete and answer.keeps and not answer.excess))

    def rest(self) -> None:
        """No request is under way: whatever comes now ends the connection."""
        self.wire.filter = self._unasked
        self.wire.drop()

    def _unasked(self, _: memoryview) -> bytes:
        self.wire.cut()
        return b""

    async def aclose(self) -> None:
        """Nothing to say."""


class Answer:
    """What httptools calls back while it reads one answer. No I/O; nothing that comes makes it raise."""

    def __init__(self, method: str) -> None:
        """`method` is the one of the request: it tells whether there may be a body."""
        self.begun = False
        """The head is whole."""
        self.complete = False
        """The body too."""
        self.broken = ""
        """What is wrong with it."""
        self.keeps = False
        """The connection can be used again."""
        self.excess = False
        """More came than was asked for."""
        self.status = 0
        self.reason = b""
        self.version = ""
        self._headers: list[tuple[bytes, bytes]] = []
        self._delimited = False
        self._bodiless = method == "HEAD"
        self._size = 0
        self._parts: list[bytes] = []
        self.on_body = self._parts.append
        """Straight into the list: a call per chunk would cost more than the chunk."""
        self._parser = httptools.HttpResponseParser(self)

    @property
    def over(self) -> bool:
        """Nothing that comes now can add to it."""
        return self.complete or bool(self.broken)

    def fields(self) -> list[tuple[str, str]]:
        """The headers as they came."""
        return [(name.decode("latin-1"), value.decode("latin-1")) for name, value in self._headers]

    def feed(self, data: memoryview) -> bytes:
        """What `data` adds to the body."""
        if self.over:
            self.excess = True
            return b""
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self.complete = True
        except httptools.HttpParserError as error:
            self._spoil(str(error))
        self._limit(len(data))
        parts = self._parts
        if self._bodiless and parts:
            self.excess = True
            parts.clear()
        piece = parts[0] if len(parts) == 1 else b"".join(parts)
        parts.clear()
        return piece

    def end(self, error: BaseException | None) -> None:
        """Nothing comes any more.

        Raises:
            CutShort: and the body is not whole.
        """
        if self.broken:
            raise CutShort(f"the answer breaks HTTP/1.1: {clean(self.broken)}")
        if self.complete:
            return
        if self._delimited or error is not None:
            raise CutShort(f"{error}" if error else "the connection ended in the middle of the answer")
        self.complete = True

    def _spoil(self, text: str) -> None:
        if self.complete:
            self.excess = True
        else:
            self.broken = text

    def _limit(self, size: int) -> None:
        self._size = 0 if self._parts else self._size + size
        if not self.begun and self._size > LONGEST_HEAD:
            self._spoil(f"its head has more than {LONGEST_HEAD:,} bytes")
        elif self._size > LONGEST_PAUSE and not self.complete:
            self._spoil(f"{self._size:,} bytes of chunk extensions or trailers")

    # Called by the parser

    def on_message_begin(self) -> None:
        """An answer, or another after one of 1xx."""
        if self.begun:
            raise httptools.HttpParserError("more than one answer")  # its body must not become a part of ours
        self.reason = b""
        self._headers.clear()

    def on_status(self, status: bytes) -> None:
        """A part of the reason phrase."""
        if not self.begun:
            self.reason += status

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header, or a trailer, which nobody needs."""
        if not self.begun:
            self._headers.append((name, value))

    def on_headers_complete(self) -> None:
        """The end of a head."""
        status = self._parser.get_status_code()
        if self.begun or (status < 200 and status != 101):  # noqa: PLR2004 - RFC 9110 §15.2: interim
            return
        self.begun, self.status, self.version = True, status, self._parser.get_http_version()
        self._size = 0
        names = {name.lower(): value.lower() for name, value in self._headers}
        self._delimited = b"content-length" in names or names.get(b"transfer-encoding", b"").endswith(b"chunked")
        if self._bodiless:
            self.on_message_complete()

    def on_message_complete(self) -> None:
        """The end of a body."""
        if self.begun and not self.complete:
            self.complete, self.keeps = True, self._parser.should_keep_alive()


def written(request: httpx.Request, body: bytes, asks: bytes | None = None) -> bytes:
    """The request as it goes over the wire; to a proxy with the whole URL (RFC 9112 §3.2.2), and this header."""
    url = request.url
    target = url.raw_path if asks is None else b"%s://%s%s" % (url.raw_scheme, url.netloc, url.raw_path)
    head = b"".join(b"%s: %s\r\n" % field for field in request.headers.raw)
    if asks and "proxy-authorization" not in request.headers:
        head += asks
    return b"%s %s HTTP/1.1\r\n%s\r\n%s" % (request.method.encode("ascii"), target, head, body)
