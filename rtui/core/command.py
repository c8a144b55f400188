"""What an adapter is asked to do: imperatives, each with an id that later events refer to."""

from __future__ import annotations

from typing import Any, Final, Literal, TypeAlias

import msgspec


class Send(msgspec.Struct, frozen=True, kw_only=True):
    """Send one message."""

    id: int
    payload: bytes
    channel: str = ""
    outgoing: Any = None
    """An instance of the adapter's `Outgoing`, or None for its defaults."""


class Subscribe(msgspec.Struct, frozen=True, kw_only=True):
    """Start to receive `channel` (a topic filter, an event name, a method)."""

    id: int
    channel: str
    subscription: Any = None
    """An instance of the adapter's `Subscription`, or None for its defaults."""


class Unsubscribe(msgspec.Struct, frozen=True, kw_only=True):
    """Stop to receive `channel`."""

    id: int
    channel: str


class HalfClose(msgspec.Struct, frozen=True, kw_only=True):
    """Send no more in the newest open call of `channel` (a method; "" = the newest of all) and wait for its end."""

    id: int
    channel: str = ""


class Cancel(msgspec.Struct, frozen=True, kw_only=True):
    """Give up the newest open call of `channel` (a method; "" = the newest call of all)."""

    id: int
    channel: str = ""


class Poke(msgspec.Struct, frozen=True, kw_only=True):
    """Send the protocol's ping and time the answer."""

    id: int
    payload: bytes = b""


class Hangup(msgspec.Struct, frozen=True, kw_only=True):
    """Close politely. `code` and `reason` are used where the protocol has them."""

    id: int
    code: int | None = None
    reason: str = ""


Sabotage: TypeAlias = Literal["drop", "stop-reading", "stop-pongs", "hold-acks", "delay-next", "corrupt-next"]
"""The fault switches for testers, by the name used on every surface."""
LASTING: Final = frozenset({"stop-reading", "stop-pongs", "hold-acks"})
"""Those that stay until they are turned off, or their connection ends."""


class Break(msgspec.Struct, frozen=True, kw_only=True):
    """Misbehave on purpose, so that a tester sees how the peer takes it. Always marked in the log."""

    id: int
    what: Sabotage
    on: bool = True
    """For the switches that stay (stop-reading, stop-pongs, hold-acks): turn on or off."""
    seconds: float = 1.0
    """For delay-next."""


Command: TypeAlias = Send | Subscribe | Unsubscribe | HalfClose | Cancel | Poke | Hangup | Break
