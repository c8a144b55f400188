"""Connects by Engine.IO: python-engineio's clients on our own connections, the version and the transport found out."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import logging
import re
import time
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode, urlsplit

import aiohttp
import engineio
import msgspec
from engineio import base_client, packet, payload

import rtui
from rtui.core.fault import Failure
from rtui.protocols.socketio import Options
from rtui.protocols.wire.http import safe_headers, without_userinfo
from rtui.protocols.wire.reach_fault import usage
from rtui.protocols.wire.socketio_http import Answer, Http, PeerConnector, Sink
from rtui.protocols.wire.tls import client_context, tls_details
from rtui.protocols.wire.trip import Peer, Trip

GOODBYE_TIME: Final = 0.5
"""Seconds for the goodbye to go out; a second is allowed for everything."""
MOST_WAITING: Final = 256
"""Packets that wait to be sent before a sender has to."""
ROOM_STEP: Final = 0.002
TRANSPORT_UNKNOWN: Final = 0
VERSION_UNKNOWN: Final = 5
"""Codes in the body of a 400 (engine.io, `Server.errors`)."""
OTHER_WAY: Final = frozenset({400, 404, 405, 426, 501})
"""Status codes after which WebSocket may still work where polling does not."""
FRAMED: Final = re.compile(rb"\d+:0\{")
"""The answer of a server 2.x to Engine.IO 4: packets with their length in front (engine.io-protocol 3, "Payload")."""

# Everything that matters becomes an event or a fault; the library must not write beside them.
logger: Final = logging.getLogger("rtui.socketio")
logger.addHandler(logging.NullHandler())
logger.propagate = False
logger.setLevel(logging.CRITICAL + 1)

# The answer's size is what is bounded (`Http`): how many packets are in it is the server's choice.
payload.Payload.max_decode_packets = 2**31


class OldServerError(Exception):
    """A server 2.x answered to Engine.IO 4."""


class Line:
    """One Engine.IO connection and how it came about."""

    def __init__(self, options: Options, url: str, trip: Trip) -> None:
        self.options = options
        self.trip = trip
        self.engine = 4
        self.fallback = ""
        """Why it is not the transport that was tried first."""
        self.muted = False
        """Whether pings and pongs are held back on purpose."""
        self.said_goodbye = False
        """Whether the peer sent CLOSE."""
        self.alive = False
        """Set by whoever takes something from the peer."""
        self.sink: Sink
        self.on_end: Callable[[], None] = lambda: None
        self._url = url
        self._secure = trip.peer.secure
        self.http: Http
        self.client: Any
        self._open = False

    async def open(self, engine: int) -> None:
        """Connect by this version of Engine.IO.

        Raises:
            OldServerError: the server is older than `engine`.
            Exception: whatever the library raised; `http` knows why.
        """
        began = time.perf_counter()
        await self._find(engine)
        timings = self.trip.timings
        timings["handshake"] = round((time.perf_counter() - began) * 1000 - sum(timings.values()), 3)

    async def _find(self, engine: int) -> None:
        transports = self.options.transports
        ways = ["polling", "websocket"] if transports == "auto" else [transports]
        try:
            await self._try(engine, ways)
        except Exception:
            if ways[1:] and self._other_way():
                self.fallback = "polling was refused"
                await self._try(engine, ways[1:])
                return
            if self.is_old():
                raise OldServerError from None
            raise

    async def _try(self, engine: int, ways: list[str]) -> None:
        await self.close()
        self.engine = engine
        context = client_context(self.options) if self._secure else None
        connector = PeerConnector(self.trip, self.options.proxy, context, self.options.server_name)
        session = aiohttp.ClientSession(
            connector=connector,
            headers=_headers(self.options),
            cookies=self.options.cookies or None,
            trust_env=False,
            # The deadlines are the attempt's and the pings'.
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=None),
        )
        self.http = Http(session, connector, self.sink, max_size=self.options.max_size)
        self.http.on_trouble = self.on_end
        self.http.type_bytes = int(engine == 3)  # noqa: PLR2004
        self._open = True
        self.client = make_client(engine, self.http, self)
        parts = urlsplit(self._url)
        await self.client.connect(parts._replace(path="").geturl(), None, ways, parts.path.strip("/"))
        self.client.read_loop_task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        if self._open and task is self.client.read_loop_task:
            self.on_end()

    def _other_way(self) -> bool:
        answer = self._refusal()
        return answer is not None and answer.status in OTHER_WAY and engine_code(answer) != VERSION_UNKNOWN

    def _refusal(self) -> Answer | None:
        return self.http.refusal if self.http.failure is None else None

    def is_old(self) -> bool:
        """Whether the answer is one of a server 2.x."""
        answer = self.http.answer
        return self.engine == 4 and answer is not None and FRAMED.match(answer.body) is not None  # noqa: PLR2004

    @property
    def http_or_none(self) -> Http | None:
        """None before the first try."""
        return getattr(self, "http", None)

    @property
    def polling(self) -> bool:
        """Whether it goes over polling."""
        return bool(self.client.transport() == "polling")

    @property
    def patience(self) -> float:
        """Seconds without a sign of life after which the connection is dead."""
        return float(self.client.ping_interval + self.client.ping_timeout)

    # While it stands

    def heard(self) -> bool:
        """Whether anything came since this was asked last; while we do not listen, it is not the peer who is silent."""
        alive, self.alive = self.alive, False
        return alive or not self.http.deafness.is_set()

    @property
    def standing(self) -> bool:
        """Whether anything can be sent."""
        return bool(self.client.state == "connected")

    def send(self, pieces: list[str | bytes]) -> None:
        """Hand the parts of a packet to the transport, in order and with nothing between them."""
        for piece in pieces:
            self.client.post(piece)

    async def room(self) -> None:
        """Wait while too much is under way to the peer."""
        while self.standing and self.client.queue.qsize() > MOST_WAITING:  # noqa: ASYNC110 - it sets no event
            await asyncio.sleep(ROOM_STEP)

    def deafen(self, *, on: bool) -> None:
        """Stop reading, or go on."""
        if on:
            self.http.deafness.clear()
        else:
            self.http.deafness.set()

    def cut(self) -> None:
        """End it without a goodbye."""
        self.http.cut()

    async def close(self) -> None:
        """Say goodbye if nobody did, and free everything."""
        if not self._open:
            return
        self._open = False
        client = self.client
        self.http.deafness.set()
        try:
            with contextlib.suppress(TimeoutError, OSError, aiohttp.ClientError):
                async with asyncio.timeout(GOODBYE_TIME):
                    await client.disconnect(abort=True)
                    if client.write_loop_task is not None:
                        await asyncio.wait([client.write_loop_task])
        finally:
            await self._free(client)

    async def _free(self, client: Any) -> None:
        tasks = [getattr(client, f"{name}_loop_task", None) for name in ("read", "write", "ping")]
        running = [task for task in tasks if task is not None and not task.done()]
        for task in running:
            task.cancel()
        await self.http.leave()
        if running:
            await asyncio.wait(running, timeout=GOODBYE_TIME)
        for task in tasks:
            if task is not None and task.done() and not task.cancelled():
                task.exception()

    # What is told of it

    def details(self) -> dict[str, Any]:
        """What `Opened` tells of the connection."""
        client, trip = self.client, self.trip
        answer, transport = self.http.answer, self.http.transport
        return {
            "transport": self._way(),
            "session": client.sid,
            "ping_interval": client.ping_interval,
            "ping_timeout": client.ping_timeout,
            "upgrades": client.upgrades,
            "fallback": self.fallback,
            **tls_details(transport.get_extra_info("ssl_object"), insecure=self.options.insecure),
            "local": trip.local,
            "remote": trip.remote,
            "proxy": trip.proxy,
            "headers": safe_headers(answer.headers) if answer is not None else {},
            "timings": trip.timings,
        }

    def _way(self) -> str:
        transport = str(self.client.transport())
        if self.http.upgrading:
            return f"polling → {transport}" if transport == "websocket" else "polling (the upgrade failed)"
        return transport


class Client(engineio.AsyncClient):  # type: ignore[misc] # the library has no types
    """Engine.IO 4. What differs from the library: messages go to our sink, and pongs can be held back."""

    line: Line

    async def _receive_packet(self, pkt: Any) -> None:
        self.line.alive = True
        if pkt.packet_type == packet.MESSAGE:
            await self.line.http.polled(pkt.data)
        else:
            self.line.said_goodbye |= pkt.packet_type == packet.CLOSE
            await super()._receive_packet(pkt)
            if pkt.packet_type == packet.CLOSE:
                self.queue.put_nowait(None)  # else the write loop, and the end, would wait half a minute

    def post(self, data: str | bytes) -> None:
        """`send` without a wait: the queue has no bound, `Line.room` sees to that."""
        self.queue.put_nowait(packet.Packet(packet.MESSAGE, data))

    async def _send_packet(self, pkt: Any) -> None:
        if not (self.line.muted and pkt.packet_type in {packet.PING, packet.PONG}):
            await super()._send_packet(pkt)

    async def _reset(self) -> None:
        await super()._reset()
        with contextlib.suppress(ValueError):
            base_client.connected_clients.remove(self)


def make_client(engine: int, http: Http, line: Line) -> Any:
    """A client of this version of Engine.IO.

    Raises:
        Failure: if its library is not installed.
    """
    if engine == 4:  # noqa: PLR2004
        client = Client(logger=logger, http_session=http, handle_sigint=False, request_timeout=line.options.timeout)
    else:
        from rtui.protocols.wire.socketio_engine3 import make

        client = make(logger, http, line.options.timeout)
    client.line = line
    return client


def engine_code(answer: Answer) -> int | None:
    """The `code` of an engine.io server's refusal; None if it is none."""
    try:
        body = msgspec.json.decode(answer.body)
    except ValueError:
        return None
    code = body.get("code") if isinstance(body, dict) else None
    return code if isinstance(code, int) else None


# From our options to the library's arguments


def endpoint(url: str, options: Options) -> tuple[str, Peer]:
    """The URL of the Engine.IO endpoint, with http or https, and whom it names."""
    parts = urlsplit(url)
    secure = parts.scheme.endswith("https")
    scheme = "https" if secure else "http"
    host = parts.hostname or ""
    peer = Peer(host=host, port=parts.port or (443 if secure else 80), scheme=parts.scheme, secure=secure)
    path = parts.path.strip("/") or options.path.strip("/")
    query = urlencode([*parse_qsl(parts.query, keep_blank_values=True), *options.query.items()])
    netloc = without_userinfo(url).partition("://")[2].partition("/")[0].partition("?")[0].partition("#")[0]
    return f"{scheme}://{netloc}/{path}" + (f"?{query}" if query else ""), peer


def _headers(options: Options) -> dict[str, str]:
    given = {name.lower() for name in options.headers}
    ways = [bool(options.username or options.password), bool(options.token), "authorization" in given]
    if sum(ways) > 1:
        cause = "username, token and an Authorization header exclude each other"
        raise Failure(usage("Two ways to authenticate", cause, key="token"))
    headers = {"User-Agent": f"rtui/{rtui.__version__}", **options.headers}
    if options.token:
        headers["Authorization"] = f"Bearer {options.token}"
    elif ways[0]:
        pair = base64.b64encode(f"{options.username}:{options.password}".encode()).decode()
        headers["Authorization"] = f"Basic {pair}"
    return headers
