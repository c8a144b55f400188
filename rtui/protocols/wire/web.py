"""Asks a web server: one client for one attempt, one request at a time, answers as streams.

    web = Web(options, "sse+https://host/path", greeting="event stream", word="server")
    answer = await web.open(headers={"Accept": "text/event-stream"})
    async for piece in answer.pieces(): ...
    await web.close()

httpx makes the requests, keeps the cookies and knows redirects; connections are made by `reach` as for every other
protocol; HTTP/1.1 is read by `web_http1`, HTTP/2 by `web_http2`.
"""

from __future__ import annotations

import asyncio
import logging
import math
import ssl
import time
from collections.abc import Mapping
from http import HTTPStatus
from typing import Final

from rtui.core.clean import clean
from rtui.core.fault import Failure
from rtui.protocols.request import RequestOptions
from rtui.protocols.wire import proxy, web_request
from rtui.protocols.wire.lean_httpx import httpx
from rtui.protocols.wire.reach import connect
from rtui.protocols.wire.reach_fault import Unopened, fault, refused_by_proxy, usage
from rtui.protocols.wire.tls import client_context, tls_details
from rtui.protocols.wire.trip import Peer, Trip
from rtui.protocols.wire.web_exchange import Exchange
from rtui.protocols.wire.web_fault import RedirectError, bad_redirect, explain_opening
from rtui.protocols.wire.web_head import Head, Line
from rtui.protocols.wire.web_http1 import Http1
from rtui.protocols.wire.web_network import PlainWire, SecureWire, Wire
from rtui.settings.secrets import is_secret_header, mask_url

__all__ = ["Exchange", "Web"]

ALPN: Final = {"auto": ("h2", "http/1.1"), "1.1": ("http/1.1",), "2": ("h2",)}
REPEATABLE: Final = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE", "TRACE"})
"""Idempotent (RFC 9110 §9.2.2): sent again when an idle connection turns out to be dead."""

for _name in ("httpx", "httpcore"):
    # What they write has URLs and headers in it.
    logging.getLogger(_name).setLevel(logging.WARNING)


class Web(httpx.AsyncBaseTransport):
    """A client for one attempt to connect."""

    def __init__(
        self, options: RequestOptions, url: str, *, greeting: str = "HTTP request", word: str = "server"
    ) -> None:
        """`url` may have our scheme before the web's: sse+https://. `word` is what the peer is called."""
        self.url = web_request.plain(url)
        """As it is asked for: http or https, without user and password."""
        self.wires: list[Wire] = []
        """Those that are open."""
        self._home = _parsed(self.url)
        self._given = url
        self._options = options
        self._greeting = greeting
        self._word = word
        self._idle: dict[tuple[str, str, int | None], Line] = {}
        self._patience = options.timeout
        self._deaf = False
        self._context: ssl.SSLContext | None = None
        self._client = httpx.AsyncClient(transport=self, trust_env=False, timeout=None)  # ours is in open
        self.trip = self._trip(options.timeout)
        """Of the last request."""

    async def open(
        self,
        *,
        headers: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
        data: bytes | None = None,
        method: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109 - the whole of it has one, and names what took it
    ) -> Exchange:
        """Ask, follow redirects, and come back with the head of an answer. What is given stands in for the options.

        `timeout` is for the answer, after the connection is made: None = as the options say, inf = for ever.

        Raises:
            Failure: what the user gave cannot be used.
            Unopened: there was no answer.
        """
        patience = self._patience = self._options.timeout if timeout is None else timeout
        self.trip = trip = self._trip(min(patience, self._options.timeout))
        try:
            content = web_request.body(self._options.data) if data is None else data
            request = self._request(headers or {}, query or {}, content, method)
            limit = None if math.isinf(patience) else patience
            async with asyncio.timeout(limit):
                return await self._follow(request)
        except Failure:
            raise
        except Exception as error:
            raise Unopened(await explain_opening(error, trip)) from error

    def cut(self) -> None:
        """End every connection without a goodbye."""
        for wire in self.wires:
            wire.cut()

    def hold(self, on: bool) -> None:
        """Stop reading, or go on; connections that are made meanwhile are no exception."""
        self._deaf = on
        for wire in self.wires:
            wire.hold(on)

    async def close(self) -> None:
        """Close every connection."""
        self._idle.clear()
        await asyncio.gather(*(wire.close() for wire in self.wires))
        await self._client.aclose()

    def _trip(self, patience: float) -> Trip:
        return Trip(
            self._peer(self._home),
            timeout=patience,
            greeting=self._greeting,
            certified=bool(self._options.cert),
        )

    # Requests and redirects

    def _request(
        self, headers: Mapping[str, str], query: Mapping[str, str], content: bytes | None, method: str | None
    ) -> httpx.Request:
        options = self._options
        return self._client.build_request(
            web_request.method(options.method if method is None else method, content),
            web_request.queried(self.url, {**options.query, **query}),
            headers=web_request.fields(options, self._given, headers, content),
            content=content,
        )

    async def _follow(self, request: httpx.Request) -> Exchange:
        first, redirects, seen = request.url, list[str](), set[tuple[str, str, str]]()
        while True:
            self._add_cookies(request, first)
            step = (request.method, str(request.url), request.headers.get("cookie", ""))
            if step in seen:
                raise RedirectError("Redirected in a circle", f"{mask_url(step[1])} leads back to itself")
            seen.add(step)
            response = await self._sent(request)
            answer: Exchange = response.extensions["exchange"]
            answer.redirects = redirects
            if response.next_request is None:
                return answer
            await answer.close()
            redirects.append(mask_url(str(response.next_request.url)))
            self._check_redirect(response.next_request, request, redirects)
            request = response.next_request

    async def _sent(self, request: httpx.Request) -> httpx.Response:
        try:
            return await self._client.send(request, stream=True, auth=None)
        except (httpx.RemoteProtocolError, httpx.InvalidURL) as error:
            # Nothing else in an answer is read by httpx.
            raise bad_redirect(clean(str(error))) from error

    def _check_redirect(self, after: httpx.Request, before: httpx.Request, redirects: list[str]) -> None:
        """Another origin gets no key of this one, and nothing that was encrypted goes on in the clear.

        httpx has kept cookies to where they belong.
        """
        shown = redirects[-1]
        if len(redirects) > self._options.redirects:
            raise RedirectError("Too many redirects", f"more than {self._options.redirects}; the last one to {shown}")
        if after.url.scheme not in {"http", "https"} or not after.url.host:
            raise bad_redirect(f"to {shown}")
        if before.url.scheme == "https" and after.url.scheme == "http":
            raise RedirectError("Refused for safety", f"a redirect from https to http: {shown}")
        if _origin(after.url) != _origin(before.url):
            for name in [name for name in after.headers if is_secret_header(name) and name != "cookie"]:
                del after.headers[name]

    def _add_cookies(self, request: httpx.Request, first: httpx.URL) -> None:
        """The user's cookies, for the origin that they were given for; a newer value of the server's wins."""
        if not self._options.cookies or _origin(request.url) != _origin(first):
            return
        theirs = request.headers.get("cookie", "")
        names = {each.partition("=")[0].strip() for each in theirs.split(";")}
        ours = [f"{name}={value}" for name, value in self._options.cookies.items() if name not in names]
        web_request.check_header("Cookie", "; ".join(ours))
        request.headers["Cookie"] = "; ".join([*ours, *([theirs] if theirs else [])])

    # Connections

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Called by httpx: one request, not followed any further."""
        line, head, waited = await self._asked(request)
        answer = Exchange(
            line, head, str(request.url), self.trip, waited=waited, release=lambda: self._release(line, request.url)
        )
        return httpx.Response(
            head.status,
            headers=[(name.encode("latin-1"), value.encode("latin-1")) for name, value in head.headers],
            stream=httpx.ByteStream(b""),
            extensions={"exchange": answer},
        )

    async def _asked(self, request: httpx.Request) -> tuple[Line, Head, float]:
        trip, idle = self.trip, self._idle.pop(_origin(request.url), None)
        if idle is not None and idle.reusable:
            trip.begin(self._peer(request.url))
            made = idle.wire.trip
            trip.tls, trip.local, trip.remote = made.tls, made.local, made.remote
            trip.proxy, trip.forwarded = made.proxy, made.forwarded
            try:
                return idle, *await self._ask(idle, request)
            except Exception:
                # Nothing came: the server had ended the connection while our request was on its way.
                if trip.head or request.method not in REPEATABLE or not idle.wire.ended:
                    raise
        line = await self._connected(request.url)
        return line, *await self._ask(line, request)

    async def _ask(self, line: Line, request: httpx.Request) -> tuple[Head, float]:
        trip = self.trip
        trip.timeout = self._patience
        line.wire.head = b""
        began = time.perf_counter()
        try:
            with trip.stage("handshake"):
                head = await line.ask(request)
        except BaseException:
            trip.head, trip.lost = line.wire.head, line.wire.error
            line.wire.cut()
            raise
        if trip.forwarded and head.status == HTTPStatus.PROXY_AUTHENTICATION_REQUIRED:
            line.wire.cut()
            raise Unopened(refused_by_proxy(head.status, trip))
        return head, round((time.perf_counter() - began) * 1000, 3)

    async def _connected(self, url: httpx.URL) -> Line:
        trip, options = self.trip, self._options
        trip.begin(self._peer(url))
        name = options.server_name if url.host == self._home.host else ""
        between = proxy.proxy_url(options.proxy, trip.peer)
        trip.forwarded = not trip.peer.secure and options.http != "2" and proxy.forwards(between)
        asks = proxy.authorization(between) if trip.forwarded else None
        async with asyncio.timeout(trip.timeout):
            make = SecureWire if trip.peer.secure else PlainWire
            _, wire = await connect(make, trip, options.proxy, self._tls(trip.peer), name)
        self.wires = [*(each for each in self.wires if not each.gone.done()), wire]
        tls: ssl.SSLObject | None = wire.transport.get_extra_info("ssl_object")
        trip.tls, trip.at, wire.trip = tls_details(tls, insecure=options.insecure), "handshake", trip
        wire.hold(self._deaf)
        agreed = tls.selected_alpn_protocol() if tls else None
        if options.http == "2" and tls and agreed != "h2":
            cause, hint = f"{trip.peer.place} agrees on {agreed or 'no protocol'} (ALPN)", "Set http to auto"
            raise Failure(fault("handshake", "them", "The server does not speak HTTP/2", cause, hint))
        if agreed != "h2" and (tls or options.http != "2"):
            return Http1(wire, asks)
        from rtui.protocols.wire.web_http2 import Http2  # 30 ms that most connections do not need

        return Http2(wire, url)

    def _release(self, line: Line, url: httpx.URL) -> None:
        """A request is done: keep its connection for the next one to the same origin."""
        if line.reusable:
            line.rest()
            self._idle[_origin(url)] = line
        else:
            line.wire.cut()

    def _tls(self, peer: Peer) -> ssl.SSLContext | None:
        """Made once: reading the system's authorities takes longer than a request."""
        if peer.secure and self._context is None:
            self._context = client_context(self._options, ALPN[self._options.http])
        return self._context if peer.secure else None

    def _peer(self, url: httpx.URL) -> Peer:
        secure = url.scheme == "https"
        carried, plus, _ = self._given.partition("://")[0].rpartition("+")
        return Peer(
            host=url.host,
            port=url.port or (443 if secure else 80),
            scheme=f"{carried}{plus}{url.scheme}" if plus else url.scheme,
            secure=secure,
            word=self._word,
        )


def _parsed(url: str) -> httpx.URL:
    try:
        return httpx.URL(url)
    except httpx.InvalidURL as error:
        raise Failure(usage("Not a usable URL", str(error), "Write http://host:port/path or https://…")) from error


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    """RFC 6454 §4. httpx leaves default ports out."""
    return url.scheme, url.host, url.port
