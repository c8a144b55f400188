"""An adapter whose attempts are written down by the test: the supervisor's peer."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeAlias

from rtui.core.command import Cancel, HalfClose, Hangup, Poke, Send, Subscribe
from rtui.core.event import Closed, Notice, Opened, Received, Sent, Subscribed
from rtui.core.fault import Fault
from rtui.protocols.base import Adapter, CommonOptions, Link, Verb, Words

Attempt: TypeAlias = Callable[[Link], Awaitable[Closed | None]]

LOST = Fault(kind="lost", side="network", title="Connection lost")


class Scripted(Adapter):
    """Runs the next of its attempts each time; the last one repeats."""

    name = "scripted"
    title = "Scripted"
    schemes = ("scripted",)
    verbs = frozenset({Verb.SEND, Verb.SUBSCRIBE, Verb.PING, Verb.HALF_CLOSE, Verb.CANCEL})
    words = Words(channel="topic", channels="topics", separator="/")
    Options = CommonOptions

    def __init__(self, *attempts: Attempt) -> None:
        self.attempts = list(attempts)
        self.runs = 0

    async def run(self, link: Link) -> Closed | None:
        attempt = self.attempts[min(self.runs, len(self.attempts) - 1)]
        self.runs += 1
        return await attempt(link)

    def retryable(self, error: BaseException) -> bool:
        return isinstance(error, OSError)

    def explain(self, error: BaseException) -> Fault:
        kind = "refused" if isinstance(error, OSError) else "bug"
        return Fault(kind=kind, side="network", title=f"Scripted failure: {error}")  # type: ignore[arg-type]


async def echo(link: Link) -> Closed | None:
    """Open, echo what is sent, subscribe to anything, close politely when asked."""
    link.emit([Opened(details={"protocol": "Script 1"})])
    async for command in link.commands:
        if isinstance(command, Hangup):
            return Closed(by="us", clean=True, code=command.code, reason=command.reason)
        if isinstance(command, Send):
            reply = Received(command.channel, command.payload, replies_to=command.id)
            link.emit([Sent(command.id, command.channel, command.payload)])
            await asyncio.sleep(0)
            await link.pour([reply])
        elif isinstance(command, HalfClose | Cancel):
            said = f"{type(command).__name__} {command.channel}".encode()
            link.emit(
                [Sent(command.id, command.channel, said), Received("end", said, replies_to=command.id, settles=True)]
            )
        elif isinstance(command, Subscribe):
            link.emit([Subscribed(command.channel, command.id)])
        elif isinstance(command, Poke):
            fault = Fault(kind="usage", side="us", title="Too long")
            link.emit([Notice(text="ping refused", command=command.id, fault=fault)])
    return None


async def refuse(link: Link) -> Closed | None:
    """Nobody listens."""
    raise ConnectionRefusedError("refused")


def open_then(end: Callable[[], Closed | None], *payloads: bytes) -> Attempt:
    """Open, receive `payloads`, then end as `end` says."""

    async def attempt(link: Link) -> Closed | None:
        link.emit([Opened(details={"protocol": "Script 1"})])
        await link.pour([Received("news", payload) for payload in payloads])
        return end()

    return attempt


async def deaf(link: Link) -> Closed | None:
    """Open, then ignore every command: a goodbye is never answered."""
    link.emit([Opened(details={})])
    await asyncio.Event().wait()
    return None


async def hang(link: Link) -> Closed | None:
    """Never get as far as opening."""
    await asyncio.Event().wait()
    return None
