"""Cuts PUBLISH packets out of bytes and turns them into events; no I/O, no library (MQTT 5 §3.3).

A *simple* packet is a whole PUBLISH with QoS 0 or 1. Brokers send little else under load, so `Reader.cut` takes a run
of them in one loop. Everything unusual is only measured here (`extent`) and left to paho's packet handler.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable
from typing import Any, Final, NamedTuple

from rtui.core.clean import decode
from rtui.core.event import Event, Received
from rtui.core.record import Kind
from rtui.protocols.wire import mqtt_property as properties

ILLEGAL: Final = -1
INCOMPLETE: Final = 0
PUBACK: Final = b"\x40\x02"
PACKETS: Final = {
    2: "CONNACK",
    3: "PUBLISH",
    4: "PUBACK",
    5: "PUBREC",
    6: "PUBREL",
    7: "PUBCOMP",
    9: "SUBACK",
    11: "UNSUBACK",
    13: "PINGRESP",
    14: "DISCONNECT",
    15: "AUTH",
}
OURS: Final = 1000
"""Subscription identifiers from here on are made by us, to know the copies of one message; they are not shown."""
CACHED: Final = 4096
"""Topics and property lists remembered in decoded form."""
RECENT: Final = 512
REPEATS: Final = 16
"""Messages, and equal messages, among which further copies are looked for."""
FLAGS: Final[dict[int, dict[str, Any] | None]] = {
    0x30: None,
    0x31: {"retain": True},
    0x32: {"qos": 1},
    0x33: {"qos": 1, "retain": True},
    0x3A: {"qos": 1, "dup": True},
    0x3B: {"qos": 1, "retain": True, "dup": True},
}
"""First bytes of a simple packet → what its row shows. One object each: whoever encodes them may remember the text."""


class Extra(NamedTuple):
    """What the properties of a message say, with the flags of its first byte."""

    meta: dict[str, Any] | None
    identifiers: tuple[int, ...]
    correlation: bytes
    identity: str = ""
    """What two copies of one message have in common."""


def extent(buffer: bytes, start: int) -> int:
    """How many bytes the packet at `start` has, header included; ILLEGAL or INCOMPLETE if its length is."""
    try:
        size, body = properties.integer(buffer, start + 1)
    except IndexError:
        return INCOMPLETE
    except properties.Malformed:
        return ILLEGAL
    return body - start + size


def packet_name(first: int) -> str:
    """The name of a packet by its first byte."""
    return PACKETS.get(first >> 4, f"type {first >> 4}")


def flags(first: int) -> dict[str, Any] | None:
    """What a row shows of the first byte of a PUBLISH."""
    if first in FLAGS:
        return FLAGS[first]
    found: dict[str, Any] = {"qos": first >> 1 & 3, "retain": bool(first & 1), "dup": bool(first & 8)}
    return {name: value for name, value in found.items() if value} or None


class Reader:
    """Turns messages into events. Drops only what is a further copy of a message that is shown already."""

    def __init__(self, *, five: bool, limit: int) -> None:
        """`five` is whether MQTT 5 is spoken; `limit` the size of the largest packet for the fast lane."""
        self.merging = False
        """Whether copies may come: more than one subscription stands."""
        self.answers: Callable[[str, bytes], int | None] | None = None
        """From a topic and correlation data to the command that is answered; None while nothing is outstanding."""
        self._five = five
        self._limit = limit
        self._topics: dict[bytes, str] = {}
        self._extras: dict[tuple[int, bytes], Extra] = {}
        self._copies: OrderedDict[tuple[str, int, int, str], deque[set[int]]] = OrderedDict()
        """Messages shown lately → for each showing, by which subscriptions it came."""

    def filters_changed(self, *, several: bool) -> None:
        """Other subscriptions stand now: what came by the old ones says nothing of copies to come."""
        self.merging = several
        self._copies.clear()

    def cut(  # noqa: C901, PLR0912, PLR0915 - the one loop per message: a call costs more than what it does
        self, buffer: bytes, start: int, events: list[Event], acks: bytearray
    ) -> int:
        """Take the run of whole simple packets at `start`; returns where it ends."""
        take = events.append
        topics = self._topics
        end = len(buffer)
        five, limit, message = self._five, self._limit, Kind.MESSAGE
        plain = self.answers is None
        position = start
        while position + 1 < end and (first := buffer[position]) in FLAGS:
            size = buffer[position + 1]
            body = position + 2
            if size > 0x7F:  # noqa: PLR2004 - the continuation bit
                try:
                    size, body = properties.integer(buffer, position + 1)
                except (IndexError, properties.Malformed):
                    break
                if body + size - position > limit:
                    break
            stop = body + size
            if stop > end:
                break
            place = body + 2 + (buffer[body] << 8 | buffer[body + 1]) if body + 1 < stop else stop + 1
            if not body + 2 < place <= stop:  # no topic: there is nothing that it could stand for (§3.3.2.1)
                break
            raw = buffer[body + 2 : place]
            topic = topics.get(raw)
            if topic is None and (topic := self._topic(raw)) is None:
                break
            begin = place
            if first & 2:
                place += 2
            extra: Extra | None = None
            if five:
                if place >= stop:
                    break
                if buffer[place]:
                    found = self._properties(first, buffer, place, stop)
                    if found is None:
                        break
                    extra, place = found
                else:
                    place += 1
            if place > stop:
                break
            if first & 2:
                acks += PUBACK
                acks += buffer[begin : begin + 2]
            position = stop
            if extra is None and plain:
                take(Received(topic, buffer[place:stop], message, FLAGS[first]))
            elif (event := self._event(topic, buffer[place:stop], extra or Extra(FLAGS[first], (), b""))) is not None:
                take(event)
        return position

    def event(self, first: int, raw_topic: bytes, payload: bytes, raw_properties: bytes) -> Event | None:
        """The event of one message that another parser took apart; None for a copy.

        Raises:
            Malformed: if the properties are.
        """
        topic = decode(raw_topic)
        extra = self._extra(first, raw_properties) if raw_properties else Extra(flags(first), (), b"")
        return self._event(topic, payload, extra)

    def _event(self, topic: str, payload: bytes, extra: Extra) -> Event | None:
        if self.merging and extra.identifiers and self._is_copy(topic, payload, extra):
            return None
        command = self.answers(topic, extra.correlation) if self.answers else None
        return Received(topic, payload, Kind.MESSAGE, extra.meta, command)

    def _is_copy(self, topic: str, payload: bytes, extra: Extra) -> bool:
        """A broker may send one copy per matching subscription, at its QoS (§3.3.4): QoS 2 comes a little later.

        Each copy carries another subscription's identifier; the same identifier again means another message.
        """
        key = (topic, len(payload), hash(payload), extra.identity)
        shown = self._copies.get(key)
        if shown is None:
            shown = self._copies[key] = deque(maxlen=REPEATS)
            if len(self._copies) > RECENT:
                self._copies.popitem(last=False)
        for identifiers in shown:
            if identifiers.isdisjoint(extra.identifiers):
                identifiers.update(extra.identifiers)
                return True
        shown.append(set(extra.identifiers))
        return False

    def _topic(self, raw: bytes) -> str | None:
        """The topic in words; None if its bytes are not UTF-8."""
        try:
            topic = raw.decode()
        except UnicodeDecodeError:
            return None
        if len(self._topics) >= CACHED:
            self._topics.clear()
        self._topics[raw] = topic
        return topic

    def _properties(self, first: int, buffer: bytes, place: int, stop: int) -> tuple[Extra, int] | None:
        """The properties at `place` and where they end; None if that is for paho to refuse."""
        try:
            size, begin = properties.integer(buffer, place)
            if begin + size > stop:
                return None
            return self._extra(first, buffer[begin : begin + size]), begin + size
        except (properties.Malformed, IndexError):
            return None

    def _extra(self, first: int, raw: bytes) -> Extra:
        key = (first, raw)
        if (known := self._extras.get(key)) is not None:
            return known
        found = properties.read(raw)
        given = [number for number in found.identifiers if number < OURS]
        meta = {**(flags(first) or {}), **found.meta}
        if given:
            meta["subscription_identifier"] = given[0] if len(given) == 1 else given
        if len(self._extras) >= CACHED:
            self._extras.clear()
        same = {name: value for name, value in found.meta.items() if name != "message_expiry"}
        identity = repr((first & 1, sorted(same.items())))
        self._extras[key] = extra = Extra(meta or None, found.identifiers, found.correlation, identity)
        return extra
