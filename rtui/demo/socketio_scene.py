"""The namespaces `/`, `/private` and `/admin` of the embedded Socket.IO server."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import parse_qsl

from socketio.exceptions import ConnectionRefusedError  # noqa: A004 - its own name

from rtui.demo.socketio_play import EVERYBODY, Play
from rtui.demo.story import HOSTILE, PNG, paced, story

TOKEN: Final = "demo"  # noqa: S105 - it is printed where it is wanted
TOP_RATE: Final = 1000.0
"""Events a second of one ticker: the library queues without limit what a client does not take."""
LONGEST_WAIT: Final = 60.0
BURST_EVENTS: Final = 100_000
BURST_BYTES: Final = 64 * 1024**2
STATS_EVERY: Final = 2.0

ARGUMENTS: Final[Mapping[str, tuple[str, ...]]] = {
    "order": ("id", "customer", "items"),
    "trade": ("symbol", "price", "size"),
    "sensor": ("rack", "temp", "fan"),
    "alert": ("level", "text"),
    "heartbeat": ("uptime",),
}
"""Event of the ticker → its arguments, in order."""


class Ticker:
    """`/`: tells the story, and does what it is asked for."""

    def __init__(self, play: Play) -> None:
        self._play = play
        self._tickers: dict[str, asyncio.Task[None]] = {}
        play.server.on("connect", handler=self.connect)
        play.server.on("disconnect", handler=self.disconnect)
        play.register(
            "/",
            {
                "echo": self.echo,
                "slow": self.slow,
                "binary": self.binary,
                "question": self.question,
                "burst": self.burst,
                "hostile": self.hostile,
                "kick": self.kick,
            },
        )

    async def connect(self, sid: str, environ: Mapping[str, str], _auth: object = None) -> None:
        """Begin the story; `rate` and `seed` are in the query of the URL."""
        query = dict(parse_qsl(environ.get("QUERY_STRING", "")))
        try:
            rate, seed = float(query.get("rate", "2")), int(query.get("seed", "1"))
        except ValueError as error:
            raise ConnectionRefusedError("bad parameter", {"error": str(error)}) from None
        if rate > 0:
            self._tickers[sid] = self._play.crew.start(self._tick, sid, min(TOP_RATE, max(0.01, rate)), seed)

    async def disconnect(self, sid: str, _reason: str) -> None:
        """End the story."""
        if ticker := self._tickers.pop(sid, None):
            ticker.cancel()

    async def _tick(self, sid: str, rate: float, seed: int) -> None:
        events = story(random.Random(seed))  # noqa: S311 - a story, not a secret
        async for count in paced(rate):
            for _ in range(count):
                event = next(events)
                name = event["type"]
                await self._play.emit("/", sid, name, *(event[field] for field in ARGUMENTS[name]))

    async def echo(self, _: str, *arguments: Any) -> tuple[Any, ...]:
        """Acknowledge with the arguments."""
        return arguments

    async def slow(self, _: str, milliseconds: float = 1000) -> dict[str, float]:
        """Acknowledge later."""
        wait = min(LONGEST_WAIT, max(0.0, float(milliseconds) / 1000))
        await asyncio.sleep(wait)
        return {"waited_ms": wait * 1000}

    async def binary(self, sid: str, *arguments: Any) -> tuple[Any, ...]:
        """Send an image, and acknowledge with binary arguments turned round, or with all 256 bytes."""
        await self._play.emit("/", sid, "image", "pixel.png", PNG, {"size": len(PNG), "raw": bytes(4)})
        return tuple(one[::-1] if isinstance(one, bytes) else one for one in arguments) or (bytes(range(256)),)

    async def question(self, sid: str) -> None:
        """Ask the client for an acknowledgement, and tell what it was."""
        began = time.monotonic()

        async def judge(*answer: Any) -> None:
            took = round((time.monotonic() - began) * 1000, 1)
            await self._play.emit("/", sid, "verdict", {"right": answer == (42,), "ms": took}, *answer)

        await self._play.emit("/", sid, "question", "What is 6 × 7?", callback=judge)

    async def burst(self, sid: str, count: int = 1000, size: int = 100) -> int:
        """Send many numbered events; acknowledge with their number."""
        size = min(max(0, int(size)), BURST_BYTES)
        count = min(int(count), BURST_EVENTS, BURST_BYTES // (size + 100))
        pad = "." * size
        for number in range(1, count + 1):
            await self._play.emit("/", sid, "burst", number, pad)
        return count

    async def hostile(self, sid: str) -> None:
        """Attack the terminal, with the names of events too."""
        for text in HOSTILE:
            await self._play.emit("/", sid, text, text)

    async def kick(self, sid: str, milliseconds: float = 0) -> object:
        """Throw the client out of the namespace, without the acknowledgement it may wait for."""
        await asyncio.sleep(min(LONGEST_WAIT, max(0.0, float(milliseconds) / 1000)))
        await self._play.server.disconnect(sid, namespace="/")
        return self._play.server.not_handled


class Private:
    """`/private`: for those who have the token."""

    def __init__(self, play: Play) -> None:
        self._play = play
        play.server.on("connect", namespace="/private", handler=self.connect)
        play.register("/private", {"whisper": self.whisper})

    async def connect(self, sid: str, _: object, auth: object = None) -> None:
        """Refuse strangers, and tell them what is missing."""
        if not isinstance(auth, dict) or auth.get("token") != TOKEN:
            raise ConnectionRefusedError("not authorized", {"code": 401, "wanted": {"token": TOKEN}})
        self._play.crew.start(self._play.emit, "/private", sid, "secret", {"granted": True}, [4, 8, 15, 16, 23, 42])

    async def whisper(self, _: str, *arguments: Any) -> tuple[Any, ...]:
        """Acknowledge with the text in lower case."""
        return tuple(one.lower() if isinstance(one, str) else one for one in arguments)


class Admin:
    """`/admin`: who is here and what goes on."""

    def __init__(self, play: Play, namespaces: tuple[str, ...]) -> None:
        self._play = play
        self._namespaces = namespaces
        play.server.on("connect", namespace="/admin", handler=self.connect)
        play.register("/admin", {"clients": self.clients, "kick": self.kick})
        play.crew.start(self._report)

    async def connect(self, sid: str, _environ: object, _auth: object = None) -> None:
        """Let everybody see: it is a demonstration."""
        await self._play.server.enter_room(sid, EVERYBODY, namespace="/admin")

    async def _report(self) -> None:
        async for _ in paced(1 / STATS_EVERY):
            clients = await self.clients("")
            stats = {
                "uptime_s": round(time.monotonic() - self._play.began),
                "clients": {name: sum(one["namespace"] == name for one in clients) for name in self._namespaces},
                "events": self._play.events,
            }
            await self._play.emit("/admin", EVERYBODY, "server_stats", stats, clients)

    async def clients(self, _: str) -> list[dict[str, str]]:
        """Acknowledge with a list of the clients of every namespace."""
        server, found = self._play.server, []
        for namespace in self._namespaces:
            for sid, _engine in server.manager.get_participants(namespace, None):
                transport = server.transport(sid, namespace)
                found.append({"namespace": namespace, "sid": sid, "transport": transport})
        return found

    async def kick(self, _: str, sid: str, namespace: str = "/") -> bool:
        """Throw a client out; acknowledge with whether there was such a client."""
        known = any(one["sid"] == sid and one["namespace"] == namespace for one in await self.clients(""))
        if known:
            await self._play.server.disconnect(sid, namespace=namespace)
        return known
