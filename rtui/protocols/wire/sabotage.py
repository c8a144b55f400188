"""What the fault switches do and say for every protocol alike; imports no library."""

from __future__ import annotations

import asyncio
from typing import Any

from rtui.core.command import LASTING, Break
from rtui.core.event import Closed, Notice
from rtui.core.fault import Fault

CUT = "the TCP connection was cut without a goodbye"


class NextSend:
    """What is to be done to the next payload that goes out; each wish holds for one send."""

    def __init__(self) -> None:
        self.delay = 0.0
        """Seconds to hold it back; 0 = not."""
        self.corrupt = False
        """Whether to flip a bit in its middle."""

    @property
    def armed(self) -> bool:
        """Whether the next payload will not go out as it is."""
        return bool(self.delay) or self.corrupt

    def arm(self, command: Break) -> None:
        """Take the wish of delay-next or corrupt-next."""
        if command.what == "delay-next":
            self.delay = command.seconds
        else:
            self.corrupt = True

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


def dropped(cause: str = CUT, code: int | None = None) -> Closed:
    """The end that "drop" makes."""
    why = Fault(kind="lost", side="us", title="Dropped on purpose", cause=cause)
    return Closed(by="us", clean=False, code=code, reason="dropped on purpose", fault=why)


def told(command: Break, what: str = "") -> Notice:
    """The row that marks it in the log; `what` in other words than the switch's name."""
    text = f"on purpose: {what or command.what}"
    if command.what in LASTING:
        text += " on" if command.on else " off"
    elif command.what == "delay-next":
        text += f" by {command.seconds:g} s"
    return Notice(text=text, level="warning", command=command.id, meta={"sabotage": command.what})
