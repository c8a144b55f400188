"""One session brought to life: what it is, what it can be told, and how it comes and goes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from rtui.capture.channels import Channels
from rtui.capture.meter import Meter
from rtui.core.command import LASTING, Break, Cancel, HalfClose, Hangup, Poke, Sabotage, Send, Subscribe, Unsubscribe
from rtui.core.event import Closed, Offer
from rtui.core.fault import Failure, Fault, FaultKind
from rtui.core.lifecycle import State
from rtui.core.record import Kind
from rtui.core.words import counted
from rtui.protocols.base import Adapter, Verb
from rtui.runtime.ledger import Outcome
from rtui.runtime.link import Link, weight
from rtui.runtime.subscription import Standing, Subscriptions, SubscriptionState
from rtui.runtime.supervisor import Supervisor
from rtui.runtime.tasks import Cancellable, Spawner
from rtui.settings.message import compose
from rtui.settings.option import OptionErrors, build
from rtui.settings.secrets import Secrets
from rtui.settings.session import SavedMessage, Session, SessionSubscription
from rtui.settings.template import Renderer

GOODBYE: Final = 2.0
"""Seconds a polite close may take before the attempt is aborted."""


class Connection:
    """One session brought to life, as the workbench and the command line see it."""

    def __init__(
        self, session: Session, adapter: Adapter, link: Link, *, url: str, renderer: Renderer | None, retry_first: bool
    ) -> None:
        self.session = session
        self.name = session.name
        """The capture's name for it: the session's, with a number where an earlier connection has that."""
        self.renderer = renderer
        """Fills in the templates of saved messages at the moment of each send."""
        self.adapter = adapter
        self.link = link
        self.url = url
        """For display: secrets masked."""
        self.subscriptions = Subscriptions(adapter, link.channels)
        self._faults: set[str] = set()
        self._supervisor = Supervisor(
            adapter, link, policy=session.reconnect, retry_first=retry_first, on_open=self._on_open
        )
        self._worker: Cancellable | None = None
        self._running = False
        self._begun = False
        """Whether the worker of this run has had its first turn."""
        self._again = False
        """Whether another run is wanted, asked for while this one says goodbye."""
        self._hanging_up: asyncio.TimerHandle | None = None

    # What it is

    @property
    def id(self) -> int:
        """The link's number in the capture."""
        return self.link.id

    @property
    def protocol(self) -> str:
        """The adapter's name."""
        return self.adapter.name

    @property
    def state(self) -> State:
        """Where the connection is."""
        return self._supervisor.lifecycle.state

    @property
    def attempt(self) -> int:
        """Connects tried since the last success."""
        return self._supervisor.lifecycle.attempt

    @property
    def opened(self) -> int:
        """Successful connects over the whole life."""
        return self._supervisor.lifecycle.opened

    @property
    def fault(self) -> Fault | None:
        """Why it is not open."""
        return self._supervisor.fault

    @property
    def closed(self) -> Closed | None:
        """How the last attempt ended."""
        return self._supervisor.closed

    @property
    def age(self) -> float:
        """Seconds in the present state."""
        return asyncio.get_running_loop().time() - self._supervisor.since

    @property
    def retry_in(self) -> float | None:
        """Seconds until the next attempt while waiting."""
        at = self._supervisor.retry_at
        return None if at is None else max(0.0, at - asyncio.get_running_loop().time())

    @property
    def stalled(self) -> str:
        """What the peer owes, while the connection still stands."""
        return self.link.stalled

    @property
    def details(self) -> Mapping[str, Any]:
        """What the last `Opened` told."""
        return self.link.details

    @property
    def offered(self) -> tuple[Offer, ...]:
        """What the peer has: known in protocols that can ask for it, kept while the connection is away."""
        return self.link.offered

    @property
    def rtt(self) -> int | None:
        """The last measured round trip in nanoseconds."""
        return self.link.rtt

    @property
    def faults(self) -> frozenset[str]:
        """The lasting ways of misbehaving that are on; each attempt begins without any."""
        return frozenset(self._faults) if self.state is State.OPEN else frozenset()

    @property
    def channels(self) -> Channels:
        """The tree's model."""
        return self.link.channels

    @property
    def meter(self) -> Meter:
        """Counts and rates."""
        return self.link.meter

    @property
    def revision(self) -> int:
        """Changes whenever anything above does."""
        return self.link.revision

    # What it can be told

    def send(self, payload: bytes, channel: str = "", outgoing: Any = None) -> int:
        """Send one message; returns the command's id. It is refused while too much waits: see `room`."""
        backlog = self.link.ledger.backlog
        if not backlog.takes(weight(payload, channel)):
            cause = f"the {self.adapter.words.peer} has not read {counted(len(backlog), 'message')} before it"
            return self._refused(cause, "Send it when the others are gone, or connect again.", kind="limit")
        return self._ask(lambda i: Send(id=i, payload=payload, channel=channel, outgoing=outgoing), Verb.SEND)

    async def room(self, payload: bytes = b"", channel: str = "") -> None:
        """Until a message may be handed over: at once, unless the peer or the disk is behind."""
        await self.link.ledger.backlog.room(weight(payload, channel))
        await self.link.caught_up()

    @property
    def has_room(self) -> bool:
        """Whether the peer has read enough to be sent more."""
        return self.link.ledger.backlog.takes()

    @property
    def waiting(self) -> int:
        """How many messages wait for the peer to read, if they do so for noticeably long."""
        return self.link.ledger.backlog.late

    def send_saved(self, message: SavedMessage) -> int:
        """Send one of the session's messages as it is to be sent now; returns the command's id.

        Raises:
            Failure: if a template, its payload or its file is wrong.
            OptionErrors: if its options do not fit the protocol.
        """
        from rtui.runtime.decoding import packer

        renderer = self.renderer or Renderer({}, {}, Secrets())
        composed = compose(message, renderer, self.session.base, packer(self.session))
        outgoing = build(self.adapter.Outgoing, composed.outgoing(self.adapter.Outgoing))
        return self.send(composed.payload, composed.channel, outgoing)

    def subscribe(self, channel: str, subscription: Any = None) -> int:
        """Want `channel`, now and after every reconnect, in place of an earlier wish; returns the command's id."""
        state = self.subscriptions.want(channel, subscription)
        state.enabled = True
        return self._ask_for(state)

    def unsubscribe(self, channel: str) -> int:
        """Want `channel` no more; returns the command's id."""
        state = self.subscriptions.drop(channel, told=self.state is State.OPEN)
        return self._end(channel, was_on=state is None or state.enabled)

    def enable(self, channel: str, *, on: bool = True) -> int:
        """Receive a wanted channel again, or stop receiving it and keep the wish; returns the command's id."""
        state = self._wanted(channel)
        was_on, state.enabled = state.enabled, on
        self.subscriptions.touch()
        if on:
            return self._ask_for(state)
        state.ticket = None
        return self._end(channel, was_on=was_on)

    def mute(self, channel: str, *, on: bool = True) -> None:
        """Record what a wanted channel brings without showing it, or show it again."""
        state = self._wanted(channel)
        self.subscriptions.show(channel, muted=on, alias=state.alias, colour=state.colour)

    def label(self, channel: str, *, alias: str, colour: str) -> None:
        """What the rows of a wanted channel are called and painted in."""
        self.subscriptions.show(channel, muted=self._wanted(channel).muted, alias=alias, colour=colour)

    def standing(self, wanted: SubscriptionState) -> Standing:
        """How far a subscription is."""
        if not wanted.enabled:
            return "off"
        if self.state is not State.OPEN:
            return "waiting"
        if wanted.refusal is not None:
            return "refused"
        if wanted.ended:
            return "ended"
        return "asked" if wanted.granted is None else "granted"

    def half_close(self, channel: str = "") -> int:
        """Send no more in the newest open call of `channel` ("" = of all); returns the command's id."""
        return self._ask(lambda i: HalfClose(id=i, channel=channel), Verb.HALF_CLOSE)

    def cancel(self, channel: str = "") -> int:
        """Give up the newest open call of `channel` ("" = of all); returns the command's id."""
        return self._ask(lambda i: Cancel(id=i, channel=channel), Verb.CANCEL)

    def poke(self, payload: bytes = b"") -> int:
        """Ping; returns the command's id."""
        return self._ask(lambda i: Poke(id=i, payload=payload), Verb.PING)

    def sabotage(self, what: Sabotage, *, on: bool = True, seconds: float = 1.0) -> int:
        """Misbehave on purpose; returns the command's id."""
        if what in LASTING and self.state is State.OPEN:
            self._faults = self._faults | {what} if on else self._faults - {what}
            self.link.touch()
        return self._ask(lambda i: Break(id=i, what=what, on=on, seconds=seconds), Verb.BREAK)

    def close(self, code: int | None = None, reason: str = "") -> None:
        """Close for good: politely if open, at once otherwise."""
        self._again = False
        self._supervisor.leave()
        self._end_attempt(code, reason)

    def reconnect(self) -> None:
        """Connect again: at once if waiting or closed, after dropping what stands otherwise, a goodbye too."""
        if self._running:
            self._again = self._supervisor.leaving
            self._supervisor.retry_now()
        elif self._restart is not None:
            self._restart()

    def renew(self, session: Session, renderer: Renderer | None, url: str, options: Any) -> None:
        """Take what the session says by now, in place of what it said; it holds from the next attempt."""
        if urlsplit(url)[:3] != urlsplit(self.link.url)[:3]:
            self.link.memory.clear()  # cursors and ids that another peer gave out
        self.link.url, self.link.options = url, options
        self._supervisor.follow(session.reconnect)
        before = {wanted.channel: wanted for wanted in self.session.subscriptions}
        self.session, self.renderer = session, renderer
        for wanted in session.subscriptions:
            if before.pop(wanted.channel, None) != wanted:
                self.wish(wanted)
        for channel in before:
            self.subscriptions.drop(channel, told=False)

    def wish(self, wanted: SessionSubscription) -> None:
        """Want a channel from the next attempt on, as a session says.

        Raises:
            OptionErrors: if its options do not fit the protocol.
        """
        state = self.subscriptions.want(wanted.channel, build(self.adapter.Subscription, wanted.options))
        state.enabled = wanted.enabled
        self.subscriptions.show(wanted.channel, muted=wanted.muted, alias=wanted.alias, colour=wanted.colour)

    def outcome(self, command: int) -> Outcome:
        """What became of a command: "pending", "sent", "acked" or the fault."""
        ticket = self.link.ledger.get(command)
        return ticket.outcome if ticket else "pending"

    def was_sent(self, command: int) -> bool:
        """Whether it went out, whatever became of it then."""
        ticket = self.link.ledger.get(command)
        return ticket is not None and ticket.sent_at > 0

    async def wait_outcome(self, command: int, *, acked: bool = False) -> Outcome:
        """The outcome once it is sent (or acknowledged), or the fault that prevented it."""
        wanted = frozenset({"acked"}) if acked else frozenset({"sent", "acked"})
        return await self.link.ledger.wait(command, wanted)

    async def wait_open(self) -> None:
        """Until it is open.

        Raises:
            Failure: if it ended for good instead.
        """
        await self._until(lambda: self.state is State.OPEN or self._done)
        if self.state is not State.OPEN:
            raise Failure(self.fault or Fault(kind="closed", side="us", title="Closed before it was open"))

    async def wait_closed(self) -> None:
        """Until it ended for good."""
        await self._until(lambda: self._done)

    # Inside

    _restart: Callable[[], None] | None = None

    def start(self, spawner: Spawner) -> None:
        """Begin. Called by the hub; `reconnect` after the end begins again in the same way."""
        self._restart = lambda: self.start(spawner)
        self._running, self._begun = True, False
        self._supervisor.begin()
        # The name carries no argument: a worker's default description would print passwords.
        self._worker = spawner(self._run(), f"link-{self.id}")

    def abort(self) -> None:
        """End without a goodbye."""
        self._again = False
        self._supervisor.leave()
        self._supervisor.abort()
        if not self._begun:  # nor may it ever: a worker that is cancelled before its first turn tells nobody
            self._running = False
            self._supervisor.changed.set()

    async def _run(self) -> None:
        self._begun = True
        try:
            await self._supervisor.run()
            while self._again:
                self._again = False
                self._stop_timer()
                self._supervisor.begin()
                await self._supervisor.run()
        finally:
            self._running = False
            self._stop_timer()
            self._supervisor.changed.set()

    @property
    def _done(self) -> bool:
        return not self._running

    async def _until(self, reached: Callable[[], bool]) -> None:
        changed = self._supervisor.changed
        while not reached():
            changed.clear()
            await changed.wait()

    def _end_attempt(self, code: int | None, reason: str) -> None:
        if self.state is State.OPEN:
            self.link.ask(Hangup(id=self.link.ledger.issue(), code=code, reason=reason))
            self._supervisor.closing()
            loop = asyncio.get_running_loop()
            self._hanging_up = loop.call_later(GOODBYE, self._supervisor.abort)
        elif self.state is State.CONNECTING:
            self._supervisor.abort()

    def _stop_timer(self) -> None:
        if self._hanging_up is not None:
            self._hanging_up.cancel()
            self._hanging_up = None

    def _wanted(self, channel: str) -> SubscriptionState:
        state = self.subscriptions.get(channel)
        if state is None:
            raise Failure(Fault(kind="usage", side="us", title="Not subscribed", cause=channel))
        return state

    def _ask_for(self, state: SubscriptionState) -> int:
        channel, subscription = state.channel, state.subscription
        command = self._ask(lambda i: Subscribe(id=i, channel=channel, subscription=subscription), Verb.SUBSCRIBE)
        state.ticket = self.link.ledger.get(command)
        return command

    def _end(self, channel: str, *, was_on: bool) -> int:
        """Ask the peer to send `channel` no more, unless it does not anyway."""
        if was_on:
            return self._ask(lambda i: Unsubscribe(id=i, channel=channel), Verb.SUBSCRIBE)
        command = self.link.ledger.issue()
        self.link.ledger.settle(command, "acked")
        return command

    def _ask(self, make: Callable[[int], Any], verb: Verb) -> int:
        if verb not in self.adapter.verbs:
            return self._refused(f"{self.adapter.title} has no {verb.value}")
        # Wanted subscriptions are sent at the next open: nothing is lost by asking early.
        if self.state is not State.OPEN and verb is not Verb.SUBSCRIBE:
            return self._refused(f"the connection is {self.state.value}", "Connect first, then send again.")
        command = self.link.ledger.issue()
        if self.state is State.OPEN:
            self.link.ask(make(command))
        else:
            self.link.ledger.settle(command, "sent")
        return command

    def _refused(self, cause: str, hint: str = "", kind: FaultKind = "usage") -> int:
        command = self.link.ledger.issue()
        fault = Fault(kind=kind, side="us", title="Not sent", cause=cause, hint=hint)
        self.link.ledger.settle(command, fault)
        self.link.write(Kind.ERROR, fault.sentence())
        return command

    def _on_open(self) -> None:
        """Once per connect: the wanted subscriptions, then the messages that open a conversation."""
        self._faults = set()
        self.subscriptions.renew(self.link)
        for message in self.session.messages:
            if message.on_connect:
                self._greet(message)

    def _greet(self, message: SavedMessage) -> None:
        try:
            self.send_saved(message)
        except (Failure, OptionErrors) as error:
            self.link.write(Kind.ERROR, f"message {message.name!r} was not sent: {error}")
