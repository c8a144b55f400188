"""What a connection is to receive: the user's wishes, the peer's answer to each, and what came of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, Literal, TypeAlias

import msgspec

from rtui.capture.channels import Channels, Watch
from rtui.capture.query import Filter, compile_filter
from rtui.core.command import Subscribe, Unsubscribe
from rtui.core.event import Meta
from rtui.core.fault import Fault
from rtui.protocols.base import Adapter
from rtui.runtime.ledger import Ticket
from rtui.runtime.link import Link

Standing: TypeAlias = Literal["off", "waiting", "asked", "granted", "refused", "ended"]
""""waiting": for the connection; "asked": for the peer's answer; "ended": the peer had no more to send."""
RESUMED: Final = "resumed"
"""What `Opened` tells under `session` if the peer kept the subscriptions of an earlier connect."""


class SubscriptionState(msgspec.Struct, kw_only=True):
    """One wanted subscription of a connection."""

    channel: str
    subscription: Any = None
    """An instance of the adapter's `Subscription`, or None."""
    enabled: bool = True
    alias: str = ""
    colour: str = ""
    """As `settings.colour.parse_colour` gives it; empty for none."""
    watch: Watch
    """What came on its channels since it was wished for; whether they are muted."""
    ticket: Ticket | None = None
    """The last request to the peer; None before one, and while it is off."""

    @property
    def muted(self) -> bool:
        """Whether what it brings is recorded but not shown."""
        return self.watch.muted

    @property
    def granted(self) -> Meta | None:
        """What the peer granted, in the protocol's own terms (`qos`); None before it did."""
        return (self.ticket.granted or {}) if self.ticket is not None and self.ticket.outcome == "acked" else None

    @property
    def ended(self) -> bool:
        """Whether the peer ended it; it is asked for again at the next open."""
        return self.ticket is not None and self.ticket.ended

    @property
    def refusal(self) -> Fault | None:
        """Why the peer, or this program, refused it. That the user gave it up is no refusal."""
        outcome = self.ticket.outcome if self.ticket is not None else ""
        if not isinstance(outcome, Fault) or (self.ended and outcome.side == "us" and outcome.kind == "closed"):
            return None
        return outcome


class Subscriptions:
    """The subscriptions of one connection, in the order they were wished for."""

    def __init__(self, adapter: Adapter, channels: Channels) -> None:
        self.revision = 0
        """Rises when one comes, goes, or is to be shown in another way."""
        self._adapter = adapter
        self._channels = channels
        self._states: dict[str, SubscriptionState] = {}
        self._dropped: set[str] = set()
        """Unsubscribed while there was no connection to say so on."""

    def __iter__(self) -> Iterator[SubscriptionState]:
        return iter(self._states.values())

    def __len__(self) -> int:
        return len(self._states)

    def __contains__(self, channel: object) -> bool:
        return channel in self._states

    def get(self, channel: str) -> SubscriptionState | None:
        """The subscription to exactly `channel`."""
        return self._states.get(channel)

    def want(self, channel: str, subscription: Any = None) -> SubscriptionState:
        """The subscription to `channel`, made if there is none; its count goes on if there is."""
        state = self._states.get(channel)
        if state is None:
            watch = self._channels.watch(self._adapter.matcher(channel))
            state = self._states[channel] = SubscriptionState(channel=channel, watch=watch)
        state.subscription = subscription
        self._dropped.discard(channel)
        self.touch()
        return state

    def drop(self, channel: str, *, told: bool) -> SubscriptionState | None:
        """Forget the subscription to `channel`; `told`: the peer is asked to do so now."""
        state = self._states.pop(channel, None)
        if state is not None:
            self._channels.unwatch(state.watch)
            self.touch()
        if not told:
            self._dropped.add(channel)
        return state

    def show(self, channel: str, *, muted: bool, alias: str, colour: str) -> None:
        """How what the subscription brings is shown."""
        state = self._states[channel]
        state.watch.muted, state.alias, state.colour = muted, alias, colour
        self.touch()

    def touch(self) -> None:
        """Something that log or tree show has changed."""
        self._channels.revision += 1
        self.revision += 1

    def hidden(self) -> list[Filter]:
        """What the muted ones bring, as display filters."""
        expressions = [self._adapter.expression(one.channel) for one in self if one.muted]
        return [compile_filter(f"kind:message in {one}") for one in expressions]

    def renew(self, link: Link) -> None:
        """A connection was opened: ask for each, once; tell a peer that kept a session what is wanted no more."""
        resumed = link.details.get("session") == RESUMED
        off = {one.channel for one in self if not one.enabled} | self._dropped
        for channel in sorted(off) if resumed else ():
            link.ask(Unsubscribe(id=link.ledger.issue(), channel=channel))
        self._dropped.clear()
        for one in self:
            one.ticket = None
            if one.enabled:
                command = link.ledger.issue()
                one.ticket = link.ledger.get(command)
                link.ask(Subscribe(id=command, channel=one.channel, subscription=one.subscription))
