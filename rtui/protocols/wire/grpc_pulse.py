"""Pings of HTTP/2 (RFC 9113 §6.7): asked for by the user, or to find out that the peer is gone."""

from __future__ import annotations

import asyncio
import os
import time
from typing import Final

from rtui.core.event import Measured, Received
from rtui.core.fault import Fault
from rtui.core.record import Kind
from rtui.protocols.base import Link
from rtui.protocols.wire.grpc_channel import Channel
from rtui.protocols.wire.reach_fault import fault

PING_SIZE: Final = 8


class Pulse:
    """Of one connection."""

    def __init__(self, link: Link, channel: Channel) -> None:
        self._link = link
        self._channel = channel

    async def answer(self, command: int, data: bytes) -> None:
        """Ping with `data`, and report the answer to `command`; that there is none is told by the connection's end."""
        try:
            rtt = await self._timed(data)
        except ConnectionError:
            return
        meta = {"type": "pong", "rtt_ms": round(rtt / 1e6, 3)}
        self._link.emit([Received("", data, Kind.PING, meta, command), Measured(rtt)])

    async def keep(self, every: float, patience: float) -> Fault | None:
        """Ping every so many seconds: why the peer is taken for dead; None if the connection ended by itself."""
        while True:
            await asyncio.sleep(every)
            try:
                rtt = await self._timed(os.urandom(PING_SIZE), patience)
            except TimeoutError:
                return fault("lost", "network", "Connection lost", f"no answer to a ping for {patience:g} s")
            except ConnectionError:
                return None
            self._link.emit([Measured(rtt)])

    async def _timed(self, data: bytes, patience: float | None = None) -> int:
        """Nanoseconds of one round trip."""
        began = time.monotonic_ns()
        await self._channel.ping(data, patience)
        return time.monotonic_ns() - began
