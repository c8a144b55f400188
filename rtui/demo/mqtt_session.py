"""What the broker keeps of one client between connections: subscriptions, messages in flight, messages that wait."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Final, Protocol, cast

import msgspec

from rtui.demo.mqtt_codec import encode_publish
from rtui.demo.mqtt_field import PUBLISH, Properties, write_properties
from rtui.demo.mqtt_packet import V5, Publish, Will, Wish

OVERHEAD: Final = 256
"""What a waiting message is taken to weigh besides its text: objects and references."""


class Message(msgspec.Struct, frozen=True):
    """A message as it was published, ready to be sent on."""

    topic: str
    payload: bytes = b""
    qos: int = 0
    retain: bool = False
    properties: Properties = {}
    """Only those that travel on: no alias, no expiry."""
    expires: float | None = None
    """Loop time after which nobody gets it any more."""

    extra: int = 0
    """Bytes of its properties."""

    @property
    def weight(self) -> int:
        """Bytes that it occupies while it waits."""
        return OVERHEAD + len(self.topic) + len(self.payload) + self.extra


class Flight(msgspec.Struct):
    """One message on its way to one client."""

    message: Message
    qos: int
    retain: bool
    identifiers: tuple[int, ...]
    group: str = ""
    """The shared subscription that it came through, as "group/filter"."""
    packet_id: int = 0
    """0 until it was sent once."""
    sent: bool = False
    """Whether this connection has sent it."""
    released: bool = False
    """QoS 2: received by the client, PUBREL sent."""


class Tally(msgspec.Struct):
    """What the broker counts and publishes under $SYS."""

    messages_received: int = 0
    messages_sent: int = 0
    publish_received: int = 0
    publish_sent: int = 0
    publish_dropped: int = 0
    publish_expired: int = 0
    bytes_received: int = 0
    bytes_sent: int = 0
    clients_total: int = 0
    clients_maximum: int = 0
    sessions_expired: int = 0
    wills_sent: int = 0
    protocol_errors: int = 0


class Line(Protocol):
    """The connection of a session, as far as the session uses it."""

    version: int
    window: int
    """Most messages of QoS 1 and 2 that the client lets be unacknowledged."""
    largest: int
    """Most bytes of a packet that the client takes."""
    aliases_left: int
    aliases: dict[str, int]
    """Topic → number that stands for it on this connection (3.3.2.3.4)."""

    @property
    def ready(self) -> bool:
        """Whether the client keeps up with what it was sent."""

    def send(self, data: bytes) -> None:
        """Write soon."""

    def release(self, packet_id: int) -> None:
        """Send a PUBREL."""

    def now(self) -> float:
        """Loop time."""


class Session:
    """One client identifier, connected or away."""

    def __init__(self, client_id: str, backlog: int, tally: Tally) -> None:
        self.client_id = client_id
        self.line: Line | None = None
        self.expiry = 0
        self.subscriptions: dict[str, Wish] = {}
        self.will: Will | None = None
        self.received: set[int] = set()
        """QoS 2 messages of the client that it has not released yet: duplicates are told by these."""
        self.flights: dict[int, Flight] = {}
        self.dropped = 0
        self._backlog = backlog
        self._tally = tally
        self._waiting: deque[Flight] = deque()
        self._spilled: deque[Flight] = deque()
        self._weight = 0
        self._open = 0
        self._last_id = 0

    @property
    def waiting(self) -> int:
        """Messages that have not been sent yet."""
        return len(self._waiting) + len(self._spilled)

    def deliver(
        self, message: Message, qos: int, retain: bool, identifiers: tuple[int, ...] = (), group: str = ""
    ) -> None:
        """Send `message` now if the client can take it, else when it can, else count it as dropped.

        Nothing overtakes: whenever the client can take more, `pump` has emptied the queues before.
        """
        line = self.line
        if qos:
            flight = Flight(message, qos, retain, identifiers, group)
            if line and line.ready and self._open < line.window:
                self._launch(line, flight)
            else:
                self._keep(self._waiting, flight)
        elif line and line.ready:
            self._write(line, message, int(retain), identifiers, 0)
        elif line:
            self._keep(self._spilled, Flight(message, 0, retain, identifiers))

    def acknowledge(self, packet_id: int, qos: int) -> None:
        """The client has it for good (PUBACK, PUBCOMP, a denied PUBREC)."""
        flight = self.flights.get(packet_id)
        if flight and flight.qos == qos and flight.sent:
            del self.flights[packet_id]
            self._open -= 1
            self.pump()

    def receive(self, packet_id: int) -> bool:
        """The client has a message of QoS 2 (PUBREC): only its identifier is kept on; False if it was never sent."""
        flight = self.flights.get(packet_id)
        if flight is None or flight.qos != 2 or not flight.sent:  # noqa: PLR2004 - exactly QoS 2
            return False
        flight.released = True
        flight.message = _GONE
        return True

    def pump(self) -> None:
        """Send what waits, as far as the client takes it."""
        line = self.line
        if line is None:
            return
        while self._spilled and line.ready:
            flight = self._take(self._spilled)
            if not self._is_stale(flight, line):
                self._write(line, flight.message, flight.retain, flight.identifiers, 0)
        while self._waiting and line.ready and self._open < line.window:
            flight = self._take(self._waiting)
            if not self._is_stale(flight, line):
                self._launch(line, flight)

    def resume(self, line: Line) -> None:
        """Go on over a new connection: PUBREL for what was received, everything else once more, in order (4.4)."""
        self.line = line
        self._open = 0
        again = []
        for flight in self.flights.values():
            if flight.released:
                flight.sent = True
                self._open += 1
                line.release(flight.packet_id)
            else:
                again.append(flight)
        for flight in reversed(again):
            self._waiting.appendleft(flight)
            self._weight += flight.message.weight
        self.pump()

    def suspend(self) -> None:
        """The connection is gone: messages of QoS 0 that waited for it are lost with it, and counted."""
        self.line = None
        for flight in self.flights.values():
            flight.sent = False
        # Those that were to be sent again stand in `flights` too; `resume` puts them back in front.
        self._waiting = deque(flight for flight in self._waiting if not flight.packet_id)
        self._drop(len(self._spilled))
        self._spilled.clear()
        self._weight = sum(flight.message.weight for flight in self._waiting)

    def leftovers(self) -> Iterator[Flight]:
        """What an ended session never delivered, oldest first."""
        yield from (flight for flight in self.flights.values() if not flight.released)
        yield from (flight for flight in self._waiting if not flight.packet_id)

    def _launch(self, line: Line, flight: Flight) -> None:
        again = bool(flight.packet_id)
        if not again:
            flight.packet_id = self._free_id()
        first = flight.retain | flight.qos << 1 | again << 3
        flight.sent = True
        self.flights[flight.packet_id] = flight
        self._open += 1
        if not self._write(line, flight.message, first, flight.identifiers, flight.packet_id):
            del self.flights[flight.packet_id]
            self._open -= 1

    def _write(self, line: Line, message: Message, flags: int, identifiers: tuple[int, ...], packet_id: int) -> bool:
        """Put it on the wire; False if the client's maximum packet size forbids it (3.1.2.11.4)."""
        topic, alias, properties = _dress(line, message, identifiers)
        data = encode_publish(PUBLISH << 4 | flags, topic, packet_id, properties, message.payload)
        if len(data) > line.largest:
            self._drop(1)
            return False
        if alias and topic:
            line.aliases[topic] = alias
            line.aliases_left -= 1
        self._tally.publish_sent += 1
        line.send(data)
        return True

    def _keep(self, queue: deque[Flight], flight: Flight) -> None:
        weight = flight.message.weight
        if self._weight + weight > self._backlog:
            self._drop(1)
            return
        self._weight += weight
        queue.append(flight)

    def _take(self, queue: deque[Flight]) -> Flight:
        flight = queue.popleft()
        self._weight -= flight.message.weight
        return flight

    def _is_stale(self, flight: Flight, line: Line) -> bool:
        """Whether it expired before its first sending (3.3.2.3.3)."""
        expires = flight.message.expires
        if flight.packet_id or expires is None or expires > line.now():
            return False
        self._tally.publish_expired += 1
        return True

    def _drop(self, count: int) -> None:
        self.dropped += count
        self._tally.publish_dropped += count

    def _free_id(self) -> int:
        # The window is far smaller than 65,535, so that this ends soon.
        while True:
            self._last_id = self._last_id % 0xFFFF + 1
            if self._last_id not in self.flights:
                return self._last_id


_GONE: Final = Message("")
_ONWARD: Final = frozenset(
    {"payload_format_indicator", "content_type", "response_topic", "correlation_data", "user_property"}
)
"""Properties that go to the receivers unaltered (3.3.2.3)."""


def message_of(source: Publish | Will, now: float) -> Message:
    """What `source` asks to be published."""
    given = source.properties
    if not given:
        return Message(source.topic, source.payload, source.qos, source.retain)
    onward = cast("Properties", {name: value for name, value in given.items() if name in _ONWARD})
    seconds = given.get("message_expiry_interval")
    expires = None if seconds is None else now + seconds
    extra = len(write_properties(onward))
    return Message(source.topic, source.payload, source.qos, source.retain, onward, expires, extra)


def _dress(line: Line, message: Message, identifiers: tuple[int, ...]) -> tuple[str, int, bytes]:
    """The topic to write ("" if an alias stands for it), the alias, and the properties of one PUBLISH."""
    if line.version != V5:
        return message.topic, 0, b""
    if not (message.properties or identifiers or line.aliases_left or line.aliases or message.expires is not None):
        return message.topic, 0, b"\0"  # by far the most
    properties = Properties(**message.properties)
    topic = message.topic
    if message.expires is not None:
        properties["message_expiry_interval"] = max(1, round(message.expires - line.now()))
    if identifiers:
        properties["subscription_identifier"] = list(identifiers)
    alias = line.aliases.get(topic, 0)
    if alias:
        topic = ""
    elif line.aliases_left:
        alias = len(line.aliases) + 1
    if alias:
        properties["topic_alias"] = alias
    return topic, alias, write_properties(properties)
