"""What the Engine.IO clients take for an aiohttp session: one peer, bounded answers, and every failure remembered.

The clients keep the causes of what goes wrong to their log, or lose them. Here each is seen before they see it.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any, Final, TypeAlias

import aiohttp
import msgspec
from aiohttp.client_proto import ResponseHandler

from rtui.protocols.wire.reach import connect
from rtui.protocols.wire.trip import Trip

Sink: TypeAlias = Callable[[str | bytes], Awaitable[None]]
"""Takes one message; may wait, and the peer with it."""

UPGRADE_TIME: Final = 3.0
"""Seconds for the whole of an upgrade to WebSocket, the answer to its probe included; polling goes on if it fails."""
RENEWAL: Final = 2.0
"""Seconds of messages after which the library's clock is told that the peer lives."""
POLL_FACTOR: Final = 4
"""A polled answer holds several messages, perhaps as base64: it may be this much larger than one message."""
CONTROL: Final = frozenset("0123456")
_ENDED: Final = aiohttp.WSMessage(aiohttp.WSMsgType.CLOSED, None, None)
_NOOP: Final = aiohttp.WSMessage(aiohttp.WSMsgType.TEXT, "6", None)


class TooBigError(aiohttp.ClientError):
    """The peer sent more than `max_size` allows."""


class BrokenError(aiohttp.ClientError):
    """What came is no Engine.IO."""


class Answer(msgspec.Struct):
    """A response, read to its end; the part of aiohttp's that the clients use."""

    status: int
    reason: str
    headers: list[tuple[str, str]]
    body: bytes

    async def read(self) -> bytes:
        """The body."""
        return self.body

    async def json(self) -> Any:
        """The body's value; aiohttp's error if there is none."""
        try:
            return msgspec.json.decode(self.body)
        except ValueError as error:
            raise aiohttp.ClientError(str(error)) from error


class PeerConnector(aiohttp.BaseConnector):
    """Connects to the trip's peer as every other protocol here does: the same names, proxies, stages and faults."""

    def __init__(self, trip: Trip, proxy: str, context: Any, server_name: str) -> None:
        super().__init__()
        self.transports: list[asyncio.Transport] = []
        self._trip = trip
        self._proxy = proxy
        self._context = context
        self._server_name = server_name
        self._travelled = False

    async def _create_connection(self, *_: Any) -> ResponseHandler:
        first, peer = self._trip, self._trip.peer
        # Only the first connection tells what it took: the later ones are made while the link stands.
        trip = Trip(peer, timeout=first.timeout, greeting=first.greeting) if self._travelled else first
        transport, protocol = await connect(self._factory, trip, self._proxy, self._context, self._server_name)
        trip.at, self._travelled = "handshake", True
        self.transports = [*(each for each in self.transports if not each.is_closing()), transport]
        return protocol


class Http:
    """Stands in for `aiohttp.ClientSession`."""

    closed = False

    def __init__(self, session: aiohttp.ClientSession, connector: PeerConnector, sink: Sink, *, max_size: int) -> None:
        self.failure: BaseException | None = None
        """What ended the last request or socket, before the library saw it."""
        self.answer: Answer | None = None
        """The last response to a GET."""
        self.refusal: Answer | None = None
        """The last response that was no success."""
        self.on_trouble: Callable[[], None] = lambda: None
        """Told when it cannot go on: the library would wait for the next answer to notice."""
        self.socket: Socket | None = None
        self.cookie_jar = session.cookie_jar
        self.upgrading = False
        self.sink = sink
        self.type_bytes = 0
        """Bytes before the data of a binary message: Engine.IO 3 has its type there."""
        self.deafness = asyncio.Event()
        """Cleared, nothing more is read."""
        self.deafness.set()
        self.max_size = max_size
        self._session = session
        self._connector = connector

    async def get(self, url: str, **kwargs: Any) -> Answer:
        """A request, answered whole."""
        await self.deafness.wait()
        self.answer = await self._ask("GET", url, **kwargs)
        return self.answer

    async def polled(self, data: Any) -> None:
        """A message of a polled answer."""
        data = data if isinstance(data, (str, bytes)) else str(data or "")
        if len(data) > self.max_size:
            self.failure = TooBigError(f"a message of {len(data):,} bytes")
            self.on_trouble()
        else:
            await self.sink(data)

    async def post(self, url: str, **kwargs: Any) -> Answer:
        """A request, answered whole."""
        if isinstance(data := kwargs.get("data"), str | bytes):
            # aiohttp warns of a large body in one piece, and sends a file piece by piece.
            kwargs["data"] = io.BytesIO(data.encode() if isinstance(data, str) else data)
        try:
            answer = await self._ask("POST", url, **kwargs)
        except aiohttp.ClientError:
            self.on_trouble()
            raise
        if answer is self.refusal:
            self.on_trouble()
        return answer

    async def ws_connect(self, url: str, **_: Any) -> Socket:
        """A WebSocket; errors are turned into the one kind that the clients know what to do about."""
        self.upgrading = "&sid=" in url
        try:
            async with asyncio.timeout(UPGRADE_TIME if self.upgrading else None):
                ws = await self._session.ws_connect(url, max_msg_size=self.max_size + 1, autoping=True)
        except aiohttp.WSServerHandshakeError as error:
            self.failure = error
            await self._hear(url, error)
            raise
        except (aiohttp.ClientError, OSError) as error:
            self.failure = error
            raise aiohttp.ClientConnectionError(str(error)) from error
        self.socket = Socket(ws, self)
        return self.socket

    @property
    def transport(self) -> asyncio.Transport:
        """The last connection that was made."""
        return self._connector.transports[-1]

    async def close(self) -> None:
        """The clients close what is not theirs; see `leave`."""

    def cut(self) -> None:
        """End every connection without a goodbye."""
        for transport in self._connector.transports:
            transport.abort()

    async def leave(self) -> None:
        """Close every connection."""
        self.cut()
        if self.socket is not None:
            await self.socket.close()  # nothing is said any more; but only so does aiohttp let go of it
        await self._session.close()

    async def _ask(self, method: str, url: str, *, headers: Any = None, data: Any = None, **kwargs: Any) -> Answer:
        try:
            request = self._session.request(method, url, headers=headers, data=data, allow_redirects=False, **kwargs)
            async with request as response:
                body = await self._body(response)
        except (aiohttp.ClientError, OSError) as error:
            self.failure = error
            raise
        except Exception as error:
            self.failure = error
            raise aiohttp.ClientError(str(error)) from error
        answer = Answer(response.status, response.reason or "", list(response.headers.items()), body)
        if response.status // 100 != 2:  # noqa: PLR2004 - the class of success
            self.refusal = answer
        return answer

    async def _hear(self, url: str, error: aiohttp.WSServerHandshakeError) -> None:
        """Keep why a WebSocket was refused. aiohttp throws the body away, so it is asked for without the upgrade."""
        headers = list(error.headers.items()) if error.headers else []
        refusal = Answer(error.status, _phrase(error.status), headers, b"")
        if not self.upgrading:
            with contextlib.suppress(aiohttp.ClientError, OSError):
                async with asyncio.timeout(UPGRADE_TIME):
                    plain = await self._ask("GET", url.replace("ws", "http", 1))
                refusal = plain if plain.status == error.status else refusal
        self.answer = self.refusal = refusal

    async def _body(self, response: aiohttp.ClientResponse) -> bytes:
        limit = POLL_FACTOR * self.max_size
        parts: list[bytes] = []
        size = 0
        async for part in response.content.iter_any():
            size += len(part)
            if size > limit:
                raise TooBigError(f"a polled answer of more than {limit:,} bytes")
            parts.append(part)
        return b"".join(parts)


class Socket:
    """Stands in for `aiohttp.ClientWebSocketResponse`.

    Messages go to the sink at once, in order and as many as there are; the clients see the rest: pings and the end.
    """

    def __init__(self, ws: aiohttp.ClientWebSocketResponse, http: Http) -> None:
        self.close_code: int | None = None
        self.close_reason = ""
        self.silent = False
        """Whether the library gave up the wait for a sign of life."""
        self._ws = ws
        self._http = http
        self._greeted = False

    async def send_str(self, text: str) -> None:
        """One text message."""
        await self._send(self._ws.send_str(text))

    async def send_bytes(self, data: bytes) -> None:
        """One binary message."""
        await self._send(self._ws.send_bytes(data))

    async def receive(self) -> aiohttp.WSMessage:
        """The next message that is not the sink's; its data is None at the end."""
        try:
            if not self._greeted:
                return await self._greeting()
            return await self._receive()
        except asyncio.CancelledError:
            self.silent = True
            raise
        except Exception as error:
            self._http.failure = error
            raise

    async def close(self) -> None:
        """The closing handshake."""
        await self._ws.close()

    async def _send(self, sending: Awaitable[None]) -> None:
        try:
            await sending
        except Exception as error:
            self._http.failure = self._http.failure or error
            raise OSError(str(error)) from error

    async def _greeting(self) -> aiohttp.WSMessage:
        """The OPEN packet or the answer to the probe, which the library awaits without end."""
        async with asyncio.timeout(UPGRADE_TIME if self._http.upgrading else None):
            message = await self._ws.receive()
        self._greeted = True
        return self._seen(message)

    async def _receive(self) -> aiohttp.WSMessage:
        loop, http = asyncio.get_running_loop(), self._http
        began = loop.time()
        while True:
            await http.deafness.wait()
            message = await self._ws.receive()
            if message.type is aiohttp.WSMsgType.TEXT and message.data[:1] == "4":
                await http.sink(message.data[1:])
            elif message.type is aiohttp.WSMsgType.BINARY:
                await http.sink(message.data[http.type_bytes :])
            else:
                return self._seen(message)
            if loop.time() - began > RENEWAL:
                return _NOOP

    def _seen(self, message: aiohttp.WSMessage) -> aiohttp.WSMessage:
        match message.type:
            case aiohttp.WSMsgType.TEXT if message.data[:1] in CONTROL and message.data:
                return message
            case aiohttp.WSMsgType.TEXT | aiohttp.WSMsgType.BINARY:
                self._http.failure = BrokenError(f"no Engine.IO packet: {message.data[:40]!r}")
            case aiohttp.WSMsgType.CLOSE:
                self.close_code, self.close_reason = message.data, str(message.extra or "")
            case aiohttp.WSMsgType.ERROR:
                self._http.failure = message.data
        return _ENDED


def _phrase(status: int) -> str:
    return next((each.phrase for each in HTTPStatus if each == status), "")
