"""The fault switches that spoil one send, for every protocol alike; imports no library."""

from __future__ import annotations

import asyncio
from typing import Any


class NextSend:
    """What is to be done to the next payload that goes out; each wish holds for one send."""

    def __init__(self) -> None:
        self.delay = 0.0
        """Seconds to hold it back; 0 = not."""
        self.corrupt = False
        """Whether to flip a bit in its middle."""

    async def spoil(self, payload: bytes) -> tuple[bytes, dict[str, Any]]:
        """The payload as it is to be sent, after the delay, and what the log says of it."""
        meta: dict[str, Any] = {}
        if self.delay:
            meta["delayed"], seconds, self.delay = self.delay, self.delay, 0.0
            await asyncio.sleep(seconds)
        if self.corrupt and payload:
            self.corrupt, meta["corrupted"] = False, True
            middle = len(payload) // 2
            payload = payload[:middle] + bytes([payload[middle] ^ 0x01]) + payload[middle + 1 :]
        return payload, meta
