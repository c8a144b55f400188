"""The codec between MQTT packets and bytes: 3.1.1 and 5, both directions, no I/O.

`Decoder` cuts a byte stream into packets; what it yields does not depend on how the stream was cut. `encode` writes one
packet. Reading is strict: whatever the specification calls malformed or a protocol error is a `ProtocolError` with the
reason code that it asks for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, Final, TypeAlias, TypeVar

from rtui.demo import mqtt_field as field
from rtui.demo.mqtt_field import Cursor, Properties, malformed, violation
from rtui.demo.mqtt_packet import (
    V5,
    V311,
    Answer,
    Auth,
    Connack,
    Connect,
    Disconnect,
    Packet,
    Pingreq,
    Pingresp,
    Puback,
    Pubcomp,
    Publish,
    Pubrec,
    Pubrel,
    Suback,
    Subscribe,
    Unsuback,
    Unsubscribe,
    Will,
    Wish,
)
from rtui.demo.mqtt_reason import ProtocolError, Reason

LARGEST: Final = field.VARINT_LIMIT + 5
"""Bytes of the largest packet that the length field can express."""

AnyAnswer = TypeVar("AnyAnswer", bound=Answer)


class Decoder:
    """Bytes in, packets out. A server leaves `version` open: the CONNECT tells it."""

    def __init__(self, version: int = 0, limit: int = LARGEST) -> None:
        self.version = version
        self.limit = limit
        self._kept = bytearray()
        self._need = 0

    def feed(self, data: bytes) -> Iterator[Packet]:
        """The packets that `data` completes.

        Raises:
            ProtocolError: while iterating, after the packets before the bad one. The stream cannot be read further.
        """
        if self._kept:
            self._kept += data
            if len(self._kept) < self._need:
                return
            data = bytes(self._kept)
            self._kept.clear()
        at, size = 0, len(data)
        while at < size:
            body, end = self._measure(data, at, size)
            if not body or end > size:
                break
            yield self._decode(data[at], Cursor(data, body, end))
            at = end
        self._kept += data[at:]

    def _measure(self, data: bytes, at: int, size: int) -> tuple[int, int]:
        """Where the body of the packet at `at` begins and ends; (0, 0) if that cannot be told yet."""
        if not self.version and data[at] != field.CONNECT << 4:
            raise violation("the first packet is not a CONNECT")
        length = shift = 0
        for place in range(at + 1, min(at + 5, size)):
            byte = data[place]
            length |= (byte & 0x7F) << shift
            if byte < 0x80:  # noqa: PLR2004 - the continuation bit
                if shift and not byte:
                    raise malformed("the length is written longer than it needs to be")
                body = place + 1
                self._need = body - at + length
                if self._need > self.limit:
                    raise ProtocolError(
                        Reason.PACKET_TOO_LARGE, f"a packet of {self._need} bytes; the limit is {self.limit}"
                    )
                return body, body + length
            shift += 7
        if size - at > 4:  # noqa: PLR2004 - four bytes of length at most
            raise malformed("the length is longer than four bytes")
        self._need = 0
        return 0, 0

    def _decode(self, first: int, cursor: Cursor) -> Packet:
        kind = first >> 4
        if kind == field.PUBLISH:
            return _read_publish(first, cursor, self.version)
        read = _READ.get(kind)
        if read is None or (kind == field.AUTH and self.version != V5):
            raise malformed(f"there is no packet type {kind}")
        if first & 0x0F != _FLAGS.get(kind, 0):
            raise malformed(f"a packet of type {kind} with flags {first & 0x0F:04b}")
        version = self.version
        if kind == field.CONNECT and not version:
            # Known before the rest is read, so that a wrong CONNECT can be answered in its version.
            self.version = _peek_version(cursor)
        packet = read(cursor, version)
        if not cursor.done():
            raise malformed(f"{cursor.end - cursor.at} bytes too many in a packet of type {kind}")
        return packet


def encode(packet: Packet, version: int) -> bytes:
    """`packet` as bytes.

    Raises:
        ValueError: a value does not fit into its field.
    """
    if isinstance(packet, Publish):
        first = field.PUBLISH << 4 | packet.dup << 3 | packet.qos << 1 | packet.retain
        properties = field.write_properties(packet.properties) if version == V5 else b""
        return encode_publish(first, packet.topic, packet.packet_id, properties, packet.payload)
    body = _WRITE[type(packet)](packet, version)
    return bytes((packet.kind << 4 | packet.flags,)) + field.varint(len(body)) + body


def encode_publish(first: int, topic: str, packet_id: int, properties: bytes, payload: bytes) -> bytes:
    """A PUBLISH from its parts: the broker's busiest line. `properties` is empty in 3.1.1."""
    name = topic.encode()
    middle = packet_id.to_bytes(2, "big") + properties if first & 0b0110 else properties
    size = 2 + len(name) + len(middle) + len(payload)
    return b"%c%b%b%b%b%b" % (first, field.varint(size), len(name).to_bytes(2, "big"), name, middle, payload)


def _read_publish(first: int, cursor: Cursor, version: int) -> Publish:
    qos = first >> 1 & 3
    dup = bool(first & 8)
    if qos == 3:  # noqa: PLR2004 - the two bits have one value too many
        raise malformed("QoS 3")
    if dup and not qos:
        raise malformed("DUP at QoS 0")
    topic = _read_topic(cursor)
    packet_id = _read_packet_id(cursor) if qos else 0
    properties = field.read_properties(cursor, field.PUBLISH) if version == V5 else Properties()
    if not topic and "topic_alias" not in properties:
        raise violation("a message without topic")
    _check_response_topic(properties)
    return Publish(topic, cursor.rest(), qos, bool(first & 1), dup, packet_id, properties)


def _read_topic(cursor: Cursor) -> str:
    topic = cursor.text()
    if "+" in topic or "#" in topic:
        raise ProtocolError(Reason.TOPIC_NAME_INVALID, "a topic with a wildcard")
    return topic


def _check_response_topic(properties: Properties) -> None:
    topic = properties.get("response_topic")
    if topic is not None and (not topic or "+" in topic or "#" in topic):
        raise violation("a response topic that nobody can publish to")


def _read_packet_id(cursor: Cursor) -> int:
    packet_id = cursor.number(2)
    if not packet_id:
        raise violation("packet identifier 0")
    return packet_id


def _read_connect(cursor: Cursor, version: int) -> Connect:
    if version:
        raise violation("a second CONNECT")
    version = _read_version(cursor)
    flags = cursor.number(1)
    if flags & 1:
        raise malformed("the reserved flag of CONNECT is set")
    keep_alive = cursor.number(2)
    properties = field.read_properties(cursor, field.CONNECT) if version == V5 else Properties()
    client_id = cursor.text()
    will = _read_will(cursor, flags, version)
    has_name, has_password = bool(flags & 0x80), bool(flags & 0x40)
    if has_password and not has_name and version == V311:
        raise malformed("a password without user name")
    return Connect(
        client_id=client_id,
        version=version,
        clean_start=bool(flags & 2),
        keep_alive=keep_alive,
        username=cursor.text() if has_name else None,
        password=cursor.binary() if has_password else None,
        will=will,
        properties=properties,
    )


def _peek_version(cursor: Cursor) -> int:
    level = cursor.data[cursor.at : cursor.end][:7]
    return level[6] if level in (b"\0\4MQTT\4", b"\0\4MQTT\5") else 0


def _read_version(cursor: Cursor) -> int:
    name = cursor.binary()
    version = cursor.number(1)
    if name not in (b"MQTT", b"MQIsdp"):
        raise ProtocolError(Reason.UNSUPPORTED_PROTOCOL_VERSION, "this is not MQTT")
    if name != b"MQTT" or version not in (V311, V5):
        raise ProtocolError(Reason.UNSUPPORTED_PROTOCOL_VERSION, f"MQTT level {version}; served are 4 and 5")
    return version


def _read_will(cursor: Cursor, flags: int, version: int) -> Will | None:
    qos = flags >> 3 & 3
    if not flags & 4:
        if flags & 0b0011_1000:
            raise malformed("will flags without a will")
        return None
    if qos == 3:  # noqa: PLR2004 - as in PUBLISH
        raise malformed("a will of QoS 3")
    properties = field.read_properties(cursor, field.WILL) if version == V5 else Properties()
    _check_response_topic(properties)
    topic = _read_topic(cursor)
    if not topic:
        raise ProtocolError(Reason.TOPIC_NAME_INVALID, "a will without topic")
    return Will(topic, cursor.binary(), qos, bool(flags & 0x20), properties)


def _read_connack(cursor: Cursor, version: int) -> Connack:
    flags, code = cursor.number(1), cursor.number(1)
    if flags > 1:
        raise malformed("reserved flags of CONNACK are set")
    properties = field.read_properties(cursor, field.CONNACK) if version == V5 and not cursor.done() else Properties()
    _check_code(field.CONNACK, code, version)
    return Connack(bool(flags), code, properties)


def _read_answer(answer: type[AnyAnswer]) -> Callable[[Cursor, int], AnyAnswer]:
    def read(cursor: Cursor, version: int) -> AnyAnswer:
        packet_id = _read_packet_id(cursor)
        return answer(packet_id, *_read_code(cursor, version, answer.kind))

    return read


def _read_code(cursor: Cursor, version: int, kind: int) -> tuple[int, Properties]:
    """Code and properties, which version 5 allows to leave out from the end (3.4.2.1)."""
    if version != V5 or cursor.done():
        return 0, {}
    code = cursor.number(1)
    _check_code(kind, code, version)
    return code, {} if cursor.done() else field.read_properties(cursor, kind)


def _check_code(kind: int, code: int, version: int) -> None:
    allowed = _CODES[kind] if version == V5 else _OLD_CODES.get(kind, _CODES[kind])
    if code not in allowed:
        raise violation(f"code 0x{code:02X} in a packet of type {kind}")


def _read_subscribe(cursor: Cursor, version: int) -> Subscribe:
    packet_id = _read_packet_id(cursor)
    properties = field.read_properties(cursor, field.SUBSCRIBE) if version == V5 else Properties()
    if len(properties.get("subscription_identifier", ())) > 1:
        raise violation("two subscription identifiers")
    wishes = []
    while not cursor.done():
        wishes.append(_read_wish(cursor, version))
    if not wishes:
        raise violation("a SUBSCRIBE without filter")
    return Subscribe(packet_id, tuple(wishes), properties)


def _read_wish(cursor: Cursor, version: int) -> Wish:
    pattern, options = cursor.text(), cursor.number(1)
    qos, handling = options & 3, options >> 4 & 3
    if options & (0xC0 if version == V5 else 0xFC):
        raise malformed("reserved bits of the subscription options are set")
    if qos == 3 or handling == 3:  # noqa: PLR2004 - two bits each have one value too many
        raise violation("subscription options out of range")
    return Wish(pattern, qos, bool(options & 4), bool(options & 8), handling)


def _read_suback(cursor: Cursor, version: int) -> Suback:
    packet_id, properties = _read_answer_head(cursor, version, field.SUBACK)
    return Suback(packet_id, _read_codes(cursor, version, field.SUBACK), properties)


def _read_unsuback(cursor: Cursor, version: int) -> Unsuback:
    packet_id, properties = _read_answer_head(cursor, version, field.UNSUBACK)
    return Unsuback(packet_id, _read_codes(cursor, version, field.UNSUBACK) if version == V5 else (), properties)


def _read_answer_head(cursor: Cursor, version: int, kind: int) -> tuple[int, Properties]:
    packet_id = _read_packet_id(cursor)
    return packet_id, field.read_properties(cursor, kind) if version == V5 else Properties()


def _read_codes(cursor: Cursor, version: int, kind: int) -> tuple[int, ...]:
    codes = tuple(cursor.rest())
    if not codes:
        raise violation("an answer without codes")
    for code in codes:
        _check_code(kind, code, version)
    return codes


def _read_unsubscribe(cursor: Cursor, version: int) -> Unsubscribe:
    packet_id, properties = _read_answer_head(cursor, version, field.UNSUBSCRIBE)
    patterns = []
    while not cursor.done():
        patterns.append(cursor.text())
    if not patterns:
        raise violation("an UNSUBSCRIBE without filter")
    return Unsubscribe(packet_id, tuple(patterns), properties)


def _read_disconnect(cursor: Cursor, version: int) -> Disconnect:
    return Disconnect(*_read_code(cursor, version, field.DISCONNECT))


def _read_auth(cursor: Cursor, version: int) -> Auth:
    return Auth(*_read_code(cursor, version, field.AUTH))


def _write_connect(packet: Connect, version: int) -> bytes:
    will = packet.will
    flags = packet.clean_start << 1 | (packet.password is not None) << 6 | (packet.username is not None) << 7
    if will:
        flags |= 4 | will.qos << 3 | will.retain << 5
    parts = [field.text("MQTT"), bytes((packet.version, flags)), packet.keep_alive.to_bytes(2, "big")]
    parts += [_properties(packet.properties, version), field.text(packet.client_id)]
    if will:
        parts += [_properties(will.properties, version), field.text(will.topic), field.binary(will.payload)]
    if packet.username is not None:
        parts.append(field.text(packet.username))
    if packet.password is not None:
        parts.append(field.binary(packet.password))
    return b"".join(parts)


def _write_connack(packet: Connack, version: int) -> bytes:
    return bytes((packet.session_present, packet.code)) + _properties(packet.properties, version)


def _write_answer(packet: Answer, version: int) -> bytes:
    return packet.packet_id.to_bytes(2, "big") + _write_ending(packet, version)


def _write_ending(packet: Answer | Disconnect | Auth, version: int) -> bytes:
    """Code and properties in the shortest form; nothing in 3.1.1."""
    if version != V5 or (not packet.code and not packet.properties):
        return b""
    code = bytes((packet.code,))
    return code + field.write_properties(packet.properties) if packet.properties else code


def _write_subscribe(packet: Subscribe, version: int) -> bytes:
    lines = b"".join(field.text(wish.pattern) + bytes((_options(wish),)) for wish in packet.wishes)
    return packet.packet_id.to_bytes(2, "big") + _properties(packet.properties, version) + lines


def _options(wish: Wish) -> int:
    return wish.qos | wish.no_local << 2 | wish.retain_as_published << 3 | wish.retain_handling << 4


def _write_suback(packet: Suback | Unsuback, version: int) -> bytes:
    return packet.packet_id.to_bytes(2, "big") + _properties(packet.properties, version) + bytes(packet.codes)


def _write_unsubscribe(packet: Unsubscribe, version: int) -> bytes:
    lines = b"".join(map(field.text, packet.patterns))
    return packet.packet_id.to_bytes(2, "big") + _properties(packet.properties, version) + lines


def _properties(properties: Properties, version: int) -> bytes:
    return field.write_properties(properties) if version == V5 else b""


_READ: Final[Mapping[int, Callable[[Cursor, int], Packet]]] = MappingProxyType(
    {
        field.CONNECT: _read_connect,
        field.CONNACK: _read_connack,
        field.PUBACK: _read_answer(Puback),
        field.PUBREC: _read_answer(Pubrec),
        field.PUBREL: _read_answer(Pubrel),
        field.PUBCOMP: _read_answer(Pubcomp),
        field.SUBSCRIBE: _read_subscribe,
        field.SUBACK: _read_suback,
        field.UNSUBSCRIBE: _read_unsubscribe,
        field.UNSUBACK: _read_unsuback,
        field.PINGREQ: lambda _, __: Pingreq(),
        field.PINGRESP: lambda _, __: Pingresp(),
        field.DISCONNECT: _read_disconnect,
        field.AUTH: _read_auth,
    }
)
_WRITE: Final[Mapping[type[Packet], Callable[[Any, int], bytes]]] = MappingProxyType(
    {
        Connect: _write_connect,
        Connack: _write_connack,
        Puback: _write_answer,
        Pubrec: _write_answer,
        Pubrel: _write_answer,
        Pubcomp: _write_answer,
        Subscribe: _write_subscribe,
        Suback: _write_suback,
        Unsubscribe: _write_unsubscribe,
        Unsuback: _write_suback,
        Pingreq: lambda _, __: b"",
        Pingresp: lambda _, __: b"",
        Disconnect: _write_ending,
        Auth: _write_ending,
    }
)
_FLAGS: Final = MappingProxyType({field.PUBREL: 2, field.SUBSCRIBE: 2, field.UNSUBSCRIBE: 2})

Codes: TypeAlias = frozenset[int]
_RECEIVED: Final[Codes] = frozenset({0, 0x10, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99})
_RELEASED: Final[Codes] = frozenset({0, 0x92})
_CODES: Final[Mapping[int, Codes]] = MappingProxyType(
    {
        field.CONNACK: frozenset({0, *range(0x80, 0x8B), 0x8C, 0x90, 0x95, 0x97, 0x99, 0x9A, 0x9B, 0x9C, 0x9D, 0x9F}),
        field.PUBACK: _RECEIVED,
        field.PUBREC: _RECEIVED,
        field.PUBREL: _RELEASED,
        field.PUBCOMP: _RELEASED,
        field.SUBACK: frozenset({0, 1, 2, 0x80, 0x83, 0x87, 0x8F, 0x91, 0x97, 0x9E, 0xA1, 0xA2}),
        field.UNSUBACK: frozenset({0, 0x11, 0x80, 0x83, 0x87, 0x8F, 0x91}),
        field.DISCONNECT: frozenset(
            {0, 4, *range(0x80, 0x84), 0x87, 0x89, 0x8B, *range(0x8D, 0x91), *range(0x93, 0xA3)}
        ),
        field.AUTH: frozenset({0, 0x18, 0x19}),
    }
)
"""Which reason codes each packet may carry (2.4, table 2-6)."""
_OLD_CODES: Final[Mapping[int, Codes]] = MappingProxyType(
    {field.CONNACK: frozenset(range(6)), field.SUBACK: frozenset({0, 1, 2, 0x80})}
)
