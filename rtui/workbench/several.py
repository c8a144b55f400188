"""One message to several connections: who can get it, what each makes of it, and what became of it. No widgets here."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final

import msgspec

from rtui.core.fault import Fault
from rtui.core.lifecycle import State
from rtui.protocols.base import Verb

if TYPE_CHECKING:
    from rtui.runtime.hub import Connection

PATIENCE: Final = 5.0
"""Seconds that a peer has to take the message."""


class Letter(msgspec.Struct, frozen=True, kw_only=True):
    """What is sent, as it was written for one connection."""

    payload: bytes
    channel: str
    outgoing: Any
    """The options that were filled in: an instance of that protocol's `Outgoing`, or None for its defaults."""
    protocol: str

    def channel_for(self, connection: Connection) -> str:
        """Where it goes there: to the same channel, if the protocol sends to channels."""
        return self.channel if addresses(connection) else ""

    def about(self, connection: Connection) -> str:
        """What becomes of channel and options there."""
        words = connection.adapter.words
        where = f"{words.channel} {self.channel or '(none)'}" if addresses(connection) else ""
        how = "" if self.outgoing is None or self._fits(connection) else "without the options"
        return " · ".join(filter(None, (connection.adapter.title, where, how)))

    def send(self, connection: Connection) -> int:
        """Send it; returns the command's id. Options of another protocol mean nothing there."""
        outgoing = self.outgoing if self._fits(connection) else None
        return connection.send(self.payload, self.channel_for(connection), outgoing)

    def _fits(self, connection: Connection) -> bool:
        return connection.protocol == self.protocol


def addresses(connection: Connection) -> bool:
    """Whether its protocol sends to channels."""
    return Verb.SUBSCRIBE in connection.adapter.verbs


def able(connections: Iterable[Connection]) -> list[Connection]:
    """Those that messages can be sent over now."""
    return [one for one in connections if one.state is State.OPEN and Verb.SEND in one.adapter.verbs]


def send_all(letter: Letter, connections: Iterable[Connection]) -> None:
    """Send to those of `connections` that can send now, and do not wait: one beat of a rhythm."""
    for one in able(connections):
        if one.has_room:
            letter.send(one)


async def deliver(letter: Letter, connections: Sequence[Connection]) -> dict[str, str]:
    """Send to each and wait until it is out, or refused; returns what is wrong, by name."""
    sent = [(one, letter.send(one)) for one in connections]
    outcomes = await asyncio.gather(*(_outcome(one, command) for one, command in sent))
    return {one.name: why for (one, _), why in zip(sent, outcomes, strict=True) if why}


async def _outcome(connection: Connection, command: int) -> str:
    """Why it was not sent; "" if it was."""
    try:
        async with asyncio.timeout(PATIENCE):
            outcome = await connection.wait_outcome(command)
    except TimeoutError:
        return f"not sent within {PATIENCE:.0f} s"
    return f"refused: {outcome.cause or outcome.title}" if isinstance(outcome, Fault) else ""


def verdict(count: int, troubles: dict[str, str]) -> str:
    """What became of it, in a line: "sent to 2; chat: refused: …"."""
    done = f"sent to {count - len(troubles)}"
    return "; ".join([done, *(f"{name}: {why}" for name, why in troubles.items())])
