"""What the parts of the MQTT client tell each other."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Any, Final, Literal, Protocol, TypeAlias, runtime_checkable

import msgspec
from paho.mqtt.client import MQTTMessage

from rtui.core.event import Event

DENIED: Final = 0x80
"""Reason codes from here on are errors (MQTT 5 §2.4)."""

Work: TypeAlias = Literal["publish", "subscribe", "unsubscribe"]


class Pending(msgspec.Struct, frozen=True, gc=False):
    """A packet of ours that the broker has to answer."""

    work: Work
    command: int
    channel: str
    began: float
    """Monotonic seconds."""
    asked: int = 0
    """The QoS asked for."""


class Unfinished(msgspec.Struct, frozen=True):
    """What the client's half of a session has to keep between two connections (§4.1)."""

    sent: OrderedDict[int, MQTTMessage]
    received: OrderedDict[int, MQTTMessage]
    last: int
    """The packet identifier given last."""
    pending: dict[int, Pending]


class Ending(msgspec.Struct, frozen=True):
    """How the connection ended."""

    how: Literal["disconnect", "cut", "illegal", "limit", "refused", "us"]
    code: int = 0
    """Of a DISCONNECT; the size, of a packet over the limit."""
    meta: dict[str, Any] = {}
    text: str = ""
    error: BaseException | None = None


Answered: TypeAlias = Callable[[Pending, int, dict[str, Any]], list[Event]]
Ponged: TypeAlias = Callable[[int, int], list[Event]]


@runtime_checkable
class Framed(Protocol):
    """A socket that wraps what it sends: it may hold bytes back, and says goodbye in its own words."""

    def flush(self) -> bool:
        """Write what waits; returns whether all of it is gone."""

    def say_goodbye(self) -> None:
        """Send what ends the framing."""
