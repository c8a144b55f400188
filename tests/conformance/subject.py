"""What the conformance suite needs to know of an adapter: one of these per protocol."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field, replace
from typing import Any, Literal, TypeAlias

from rtui.core.command import Command, Send
from rtui.core.event import Received
from rtui.protocols.base import Adapter
from tests.waiting import PATIENCE

Scene: TypeAlias = Literal[
    "echo",  # sends back what it gets
    "goodbye",  # ends politely, for good
    "drop",  # resets the connection in the middle of a message
    "refusal",  # answers 401 with a body
    "flood",  # sends `BURST` numbered messages at once
    "stall",  # stops reading and writing
    "invalid-text",  # sends INVALID where the protocol has text
]

BURST = 20_000
INVALID = b"caf\xe9 \xff"


@dataclass(frozen=True)
class Peer:
    """A local server that plays the scenes."""

    urls: Mapping[Scene, str]
    """Scenes that the protocol does not have are left out; their questions are skipped."""
    number: Callable[[bytes], int] = int
    """The number in a message of the flood, from 0 or 1 up."""


@dataclass(frozen=True)
class Subject:
    """An adapter and how to make a peer for it."""

    adapter: type[Adapter]
    peer: Callable[[Any], AbstractAsyncContextManager[Peer]]
    """`peer(ssl context or None)`."""
    scheme: str
    secure_scheme: str
    unsupported: tuple[Command, ...]
    """Commands that the protocol does not have."""
    secret: Mapping[str, str] = field(default_factory=dict)
    """Options that carry a secret: each value must appear nowhere."""
    send: Callable[[int, bytes], Send] = lambda number, payload: Send(id=number, payload=payload)
    heard: Callable[[Received], bytes] = lambda event: event.payload
    """What the peer sent back, where the protocol wraps it."""

    given: Mapping[str, Any] = field(default_factory=dict)
    """Options for every question."""

    def options(self, **values: Any) -> Any:
        """Connect options; no proxy of the environment stands between us and the loopback, and there is time enough."""
        return self.adapter.Options(**{"proxy": "", "timeout": PATIENCE, **self.given, **values})

    def giving(self, **values: Any) -> Subject:
        """The same with further options for every question."""
        return replace(self, given={**self.given, **values})
