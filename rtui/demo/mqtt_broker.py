"""The embedded MQTT broker: sessions, routing, retained messages, wills. What a connection says is in `mqtt_peer`.

Everything is synchronous and runs on one loop: a packet is read, routed and written to every receiver before the next
one, so that order needs no thought. What is written is gathered per connection and leaves in `flush`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, Protocol

from rtui.demo.mqtt_packet import Wish
from rtui.demo.mqtt_policy import Access, Limits
from rtui.demo.mqtt_reason import Reason
from rtui.demo.mqtt_retained import Retained
from rtui.demo.mqtt_session import Message, Session, Tally, message_of
from rtui.demo.mqtt_subscription import Subscriptions
from rtui.demo.mqtt_topic import SHARE, split_share

ONLY_IF_NEW: Final = 1
NEVER: Final = 2


class Timer(Protocol):
    """What `call_later` returns."""

    def cancel(self) -> None:
        """Do not call."""


class Clock(Protocol):
    """The part of an event loop that the broker needs; tests turn its hands."""

    def time(self) -> float:
        """Seconds, monotonic."""

    def call_later(self, delay: float, callback: Callable[..., Any], *args: Any) -> Timer:
        """Call after `delay` seconds."""


class Connection(Protocol):
    """A connected client as the broker sees it; `mqtt_peer.Peer` is the one there is."""

    def end(self, reason: Reason, text: str) -> None:
        """Tell the client why, then close; its will is due."""

    def flush(self) -> None:
        """Write what was gathered."""


class Broker:
    """The part that all clients share."""

    def __init__(self, clock: Clock, limits: Limits | None = None, access: Access | None = None) -> None:
        self.clock = clock
        self.limits = limits or Limits()
        self.access = access or Access()
        self.tally = Tally()
        self.began = clock.time()
        self.sessions: dict[str, Session] = {}
        self.connections: dict[str, Connection] = {}
        """Client identifier → its connection."""
        self.accepted: set[Connection] = set()
        """All connections, also those that have not said who they are."""
        self.closing = False
        self.retained = Retained(self.limits.retained)
        self.subscriptions = Subscriptions()
        self._timers: dict[Session, list[Timer]] = {}
        self._unflushed: list[Connection] = []
        self._names = 0

    def new_name(self) -> str:
        """A client identifier for a client that has none."""
        while True:
            self._names += 1
            if (name := f"auto-{self._names}") not in self.sessions:
                return name

    def open(self, connection: Connection, client_id: str, *, clean: bool) -> tuple[Session, bool] | None:
        """The session for a client that connects and whether it existed; None if there are too many.

        A connection of the same name is ended (3.1.4): the new one wins, always.
        """
        if other := self.connections.get(client_id):
            other.end(Reason.SESSION_TAKEN_OVER, "another client connected with this identifier")
        session = self.sessions.get(client_id)
        if session and clean:
            self._end(session)
            session = None
        present = session is not None
        if session is None:
            if len(self.sessions) >= self.limits.sessions:
                return None
            session = self.sessions[client_id] = Session(client_id, self.limits.backlog, self.tally)
        for timer in self._timers.pop(session, ()):
            timer.cancel()
        self.connections[client_id] = connection
        self.tally.clients_total += 1
        self.tally.clients_maximum = max(self.tally.clients_maximum, len(self.connections))
        return session, present

    def leave(self, session: Session, *, with_will: bool) -> None:
        """The connection of `session` has ended: keep the session as long as it asked, send its will when due."""
        self.connections.pop(session.client_id, None)
        session.suspend()
        if not with_will:
            session.will = None
        if not session.expiry:
            self._end(session)
            return
        timers = self._timers[session] = []
        if session.will:
            delay = session.will.properties.get("will_delay_interval", 0)
            if delay:
                timers.append(self.clock.call_later(delay, self._send_will, session))
            else:
                self._send_will(session)
        timers.append(self.clock.call_later(session.expiry, self._expire, session))

    def publish(self, message: Message, source: Session | None = None) -> Reason:
        """Keep and hand out `message`. `source` is the session that published it."""
        reason = Reason.SUCCESS
        if message.retain and not self.retained.keep(message):
            reason = Reason.QUOTA_EXCEEDED
        reached = self.subscriptions.plan(message.topic).deliver(message, source)
        return reason if reached or reason else Reason.NO_MATCHING_SUBSCRIBERS

    def subscribe(self, session: Session, wish: Wish, identifier: int) -> tuple[int, bool]:
        """Grant or refuse one subscription: the granted QoS or a failure, and whether the subscription is new.

        The retained messages that it brings are sent by `greet`, so that the SUBACK can go first.
        """
        share = split_share(wish.pattern)
        if share is None:
            return Reason.TOPIC_FILTER_INVALID, False
        if not self.access.may_subscribe(share[1]):
            return Reason.NOT_AUTHORIZED, False
        if len(session.subscriptions) >= self.limits.subscriptions and wish.pattern not in session.subscriptions:
            return Reason.QUOTA_EXCEEDED, False
        return wish.qos, self.subscriptions.add(session, wish, identifier)

    def greet(self, session: Session, wish: Wish, identifier: int, *, new: bool) -> None:
        """Send the retained messages that a granted subscription asks for (3.3.1.3)."""
        shared = wish.pattern.startswith(SHARE)
        if shared or wish.retain_handling == NEVER or (wish.retain_handling == ONLY_IF_NEW and not new):
            return
        identifiers = (identifier,) if identifier else ()
        for message in self.retained.matching(wish.pattern, self.clock.time()):
            session.deliver(message, min(wish.qos, message.qos), retain=True, identifiers=identifiers)

    def gather(self, connection: Connection) -> None:
        """Remember that `connection` has something to write."""
        self._unflushed.append(connection)

    def flush(self) -> None:
        """Write everything that was gathered."""
        while self._unflushed:
            self._unflushed.pop().flush()

    def close(self) -> None:
        """End all connections; no will is sent, as the plant is not broken, only closed."""
        self.closing = True
        for connection in list(self.accepted):
            connection.end(Reason.SERVER_SHUTTING_DOWN, "the broker stops")
        for timers in self._timers.values():
            for timer in timers:
                timer.cancel()
        self._timers.clear()

    def _expire(self, session: Session) -> None:
        self.tally.sessions_expired += 1
        self._end(session)
        self.flush()

    def _end(self, session: Session) -> None:
        """The session is over: its will is due at the latest now (3.1.2.5), its subscriptions end."""
        for timer in self._timers.pop(session, ()):
            timer.cancel()
        self.sessions.pop(session.client_id, None)
        for pattern in list(session.subscriptions):
            self.subscriptions.remove(session, pattern)
        self._send_will(session)
        for flight in session.leftovers():
            # A message of QoS 2 belongs to the member that began it (4.8.2).
            if flight.group and (flight.qos == 1 or not flight.packet_id):
                group = self.subscriptions.group(flight.group)
                if group:
                    group.deliver(flight.message)

    def _send_will(self, session: Session) -> None:
        will, session.will = session.will, None
        if will is None or self.closing:
            return
        self.tally.wills_sent += 1
        self.publish(message_of(will, self.clock.time()), session)
        self.flush()
