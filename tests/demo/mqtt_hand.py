"""A client moved by hand, and a clock likewise: the broker's rules without sockets and without waiting."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable
from typing import Any, TypeVar

from rtui.demo.mqtt_broker import Broker
from rtui.demo.mqtt_codec import Decoder, encode
from rtui.demo.mqtt_field import Properties
from rtui.demo.mqtt_packet import (
    V5,
    V311,
    Connack,
    Connect,
    Disconnect,
    Packet,
    Puback,
    Pubcomp,
    Publish,
    Pubrec,
    Pubrel,
    Suback,
    Subscribe,
    Will,
    Wish,
)
from rtui.demo.mqtt_peer import Peer

DAY = 86_400
VERSIONS = (V311, V5)

P = TypeVar("P", bound=Packet)


class Alarm:
    def __init__(self, callback: Callable[[], object]) -> None:
        self.callback: Callable[[], object] | None = callback

    def cancel(self) -> None:
        self.callback = None


class HandClock:
    def __init__(self) -> None:
        self._now = 1000.0
        self._order = itertools.count()
        self._alarms: list[tuple[float, int, Alarm]] = []

    def time(self) -> float:
        return self._now

    def call_later(self, delay: float, callback: Callable[..., Any], *args: Any) -> Alarm:
        alarm = Alarm(lambda: callback(*args))
        heapq.heappush(self._alarms, (self._now + delay, next(self._order), alarm))
        return alarm

    def advance(self, seconds: float) -> None:
        end = self._now + seconds
        while self._alarms and self._alarms[0][0] <= end:
            self._now, _, alarm = heapq.heappop(self._alarms)
            if alarm.callback:
                alarm.callback()
        self._now = end


class Hand:
    """Sends what it is told, keeps what comes. `acks` = answers QoS 1 and 2 by itself."""

    def __init__(self, broker: Broker, version: int = V5, *, acks: bool = True) -> None:
        self.version = version
        self.acks = acks
        self.heard: list[Packet] = []
        self.closed = False
        self.reading = True
        self._due: list[Packet] = []
        self._decoder = Decoder(version)
        self.peer = Peer(broker, self)

    def write(self, data: bytes) -> None:
        packets = list(self._decoder.feed(data))
        self.heard += packets
        if self.acks:
            self._due += [answer for packet in packets if (answer := _answer(packet))]

    def close(self) -> None:
        self.closed = True

    def pause_reading(self) -> None:
        self.reading = False

    def resume_reading(self) -> None:
        self.reading = True

    def say(self, *packets: Packet) -> None:
        self.peer.receive(b"".join(encode(packet, self.version) for packet in packets))
        self.answer()

    def answer(self) -> None:
        """Send the acknowledgements that are due, and those that come of it."""
        while self._due and not self.closed:
            data = b"".join(encode(packet, self.version) for packet in self._due)
            self._due.clear()
            self.peer.receive(data)

    def connect(
        self,
        client_id: str = "",
        *,
        clean: bool = True,
        will: Will | None = None,
        keep_alive: int = 0,
        properties: Properties | None = None,
    ) -> Connack:
        given = properties or {}
        self.say(
            Connect(
                client_id=client_id,
                version=self.version,
                clean_start=clean,
                keep_alive=keep_alive,
                will=will,
                properties=given,
            )
        )
        return self.take(Connack)[0]

    def subscribe(self, *wishes: Wish | str, identifier: int = 0) -> tuple[int, ...]:
        lines = tuple(Wish(wish, 2) if isinstance(wish, str) else wish for wish in wishes)
        self.say(Subscribe(1, lines, {"subscription_identifier": [identifier]} if identifier else {}))
        return self.take(Suback)[0].codes

    def publish(self, topic: str, payload: bytes = b"x", qos: int = 0, **rest: Any) -> None:
        self.say(Publish(topic, payload, qos, packet_id=rest.pop("packet_id", 1 if qos else 0), **rest))

    def take(self, kind: type[P]) -> list[P]:
        """Take out the packets of one kind that have come, once everything is acknowledged."""
        self.answer()
        found = [packet for packet in self.heard if isinstance(packet, kind)]
        self.heard = [packet for packet in self.heard if not isinstance(packet, kind)]
        return found

    def payloads(self) -> list[bytes]:
        return [packet.payload for packet in self.take(Publish)]

    def goodbye(self, code: int = 0) -> None:
        """Take out the DISCONNECT and check why it came."""
        (packet,) = self.take(Disconnect)
        assert (self.closed, packet.code) == (True, code)


def _answer(packet: Packet) -> Packet | None:
    match packet:
        case Publish(qos=1):
            return Puback(packet.packet_id)
        case Publish(qos=2):
            return Pubrec(packet.packet_id)
        case Pubrec() if packet.code < 0x80:
            return Pubrel(packet.packet_id)
        case Pubrel():
            return Pubcomp(packet.packet_id)
        case _:
            return None


def joined(broker: Broker, name: str = "", version: int = V5, **rest: Any) -> Hand:
    hand = Hand(broker, version)
    assert hand.connect(name, **rest).code == 0
    return hand


def away(broker: Broker, name: str, *wishes: Wish | str, version: int = V5) -> None:
    """A persistent session with these subscriptions and no connection."""
    hand = persistent(broker, name, version=version)
    hand.subscribe(*wishes)
    hand.say(Disconnect())


def persistent(broker: Broker, name: str, version: int = V5, seconds: int = DAY) -> Hand:
    if version == V311:
        return joined(broker, name, V311, clean=False)
    return joined(broker, name, clean=False, properties={"session_expiry_interval": seconds})
