"""MQTT control packets as values: 3.1.1 and 5, both directions. `mqtt_codec` turns them into bytes and back."""

from __future__ import annotations

from typing import ClassVar, Final

import msgspec

from rtui.demo import mqtt_field as field
from rtui.demo.mqtt_field import Properties

V311: Final = 4
V5: Final = 5


class Packet(msgspec.Struct, frozen=True, gc=False):
    """What all packets are."""

    kind: ClassVar[int]
    flags: ClassVar[int] = 0


class Will(msgspec.Struct, frozen=True, gc=False):
    """The message that the broker publishes when the client vanishes."""

    topic: str
    payload: bytes = b""
    qos: int = 0
    retain: bool = False
    properties: Properties = {}


class Connect(Packet, frozen=True, gc=False):
    """The client's first packet."""

    kind: ClassVar[int] = field.CONNECT
    client_id: str = ""
    version: int = V5
    clean_start: bool = True
    keep_alive: int = 60
    username: str | None = None
    password: bytes | None = None
    will: Will | None = None
    properties: Properties = {}


class Connack(Packet, frozen=True, gc=False):
    """The broker's answer; `code` is a `Reason` in version 5 and a return code in 3.1.1."""

    kind: ClassVar[int] = field.CONNACK
    session_present: bool = False
    code: int = 0
    properties: Properties = {}


class Publish(Packet, frozen=True, gc=False):
    """A message on its way. `packet_id` is 0 at QoS 0."""

    kind: ClassVar[int] = field.PUBLISH
    topic: str
    payload: bytes = b""
    qos: int = 0
    retain: bool = False
    dup: bool = False
    packet_id: int = 0
    properties: Properties = {}


class Answer(Packet, frozen=True, gc=False):
    """The four packets that acknowledge a PUBLISH, one step each."""

    packet_id: int
    code: int = 0
    properties: Properties = {}


class Puback(Answer, frozen=True, gc=False):
    """QoS 1: received."""

    kind: ClassVar[int] = field.PUBACK


class Pubrec(Answer, frozen=True, gc=False):
    """QoS 2, step one: received."""

    kind: ClassVar[int] = field.PUBREC


class Pubrel(Answer, frozen=True, gc=False):
    """QoS 2, step two: it will not be sent again."""

    kind: ClassVar[int] = field.PUBREL
    flags: ClassVar[int] = 0b0010


class Pubcomp(Answer, frozen=True, gc=False):
    """QoS 2, step three: the packet identifier is free."""

    kind: ClassVar[int] = field.PUBCOMP


class Wish(msgspec.Struct, frozen=True, gc=False):
    """One line of a SUBSCRIBE."""

    pattern: str
    qos: int = 0
    no_local: bool = False
    retain_as_published: bool = False
    retain_handling: int = 0


class Subscribe(Packet, frozen=True, gc=False):
    """The client wants messages."""

    kind: ClassVar[int] = field.SUBSCRIBE
    flags: ClassVar[int] = 0b0010
    packet_id: int
    wishes: tuple[Wish, ...]
    properties: Properties = {}


class Suback(Packet, frozen=True, gc=False):
    """One code per wish."""

    kind: ClassVar[int] = field.SUBACK
    packet_id: int
    codes: tuple[int, ...]
    properties: Properties = {}


class Unsubscribe(Packet, frozen=True, gc=False):
    """The client wants no more of these."""

    kind: ClassVar[int] = field.UNSUBSCRIBE
    flags: ClassVar[int] = 0b0010
    packet_id: int
    patterns: tuple[str, ...]
    properties: Properties = {}


class Unsuback(Packet, frozen=True, gc=False):
    """One code per filter in version 5, none in 3.1.1."""

    kind: ClassVar[int] = field.UNSUBACK
    packet_id: int
    codes: tuple[int, ...] = ()
    properties: Properties = {}


class Pingreq(Packet, frozen=True, gc=False):
    """Are you there?"""

    kind: ClassVar[int] = field.PINGREQ


class Pingresp(Packet, frozen=True, gc=False):
    """I am."""

    kind: ClassVar[int] = field.PINGRESP


class Disconnect(Packet, frozen=True, gc=False):
    """The last packet of either side; only clients send it in 3.1.1, without code and properties."""

    kind: ClassVar[int] = field.DISCONNECT
    code: int = 0
    properties: Properties = {}


class Auth(Packet, frozen=True, gc=False):
    """A step of enhanced authentication; version 5 only."""

    kind: ClassVar[int] = field.AUTH
    code: int = 0
    properties: Properties = {}
