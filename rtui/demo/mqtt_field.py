"""MQTT's data representation (MQTT 5, 1.5) and its table of properties (2.2.2)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final, TypedDict, cast

import msgspec

from rtui.demo.mqtt_reason import ProtocolError, Reason

VARINT_LIMIT: Final = 268_435_455
STRING_LIMIT: Final = 0xFFFF

CONNECT, CONNACK, PUBLISH, PUBACK, PUBREC, PUBREL, PUBCOMP = range(1, 8)
SUBSCRIBE, SUBACK, UNSUBSCRIBE, UNSUBACK, PINGREQ, PINGRESP, DISCONNECT, AUTH = range(8, 16)
WILL: Final = 0
"""Not a packet: the place of the will's properties inside CONNECT."""


class Properties(TypedDict, total=False):
    """The properties of one packet by name; absent ones are not in the mapping."""

    payload_format_indicator: int
    message_expiry_interval: int
    content_type: str
    response_topic: str
    correlation_data: bytes
    subscription_identifier: list[int]
    session_expiry_interval: int
    assigned_client_identifier: str
    server_keep_alive: int
    authentication_method: str
    authentication_data: bytes
    request_problem_information: int
    will_delay_interval: int
    request_response_information: int
    response_information: str
    server_reference: str
    reason_string: str
    receive_maximum: int
    topic_alias_maximum: int
    topic_alias: int
    maximum_qos: int
    retain_available: int
    user_property: list[tuple[str, str]]
    maximum_packet_size: int
    wildcard_subscription_available: int
    subscription_identifier_available: int
    shared_subscription_available: int


class Cursor:
    """Reads fields from the body of one packet; every read past its end is a malformed packet."""

    __slots__ = ("at", "data", "end")

    def __init__(self, data: bytes, at: int, end: int) -> None:
        self.data = data
        self.at = at
        self.end = end

    def take(self, size: int) -> bytes:
        """The next `size` bytes."""
        at = self.at
        self.at = after = at + size
        if after > self.end:
            raise malformed("the packet ends inside a field")
        return self.data[at:after]

    def number(self, size: int) -> int:
        """A big-endian integer of `size` bytes."""
        return int.from_bytes(self.take(size), "big")

    def varint(self) -> int:
        """A variable byte integer, in its shortest form (1.5.5)."""
        value = shift = 0
        while True:
            byte = self.number(1)
            value |= (byte & 0x7F) << shift
            if byte < 0x80:  # noqa: PLR2004 - the continuation bit
                break
            shift += 7
            if shift > 21:  # noqa: PLR2004 - four bytes at most
                raise malformed("a variable byte integer is longer than four bytes")
        if shift and not byte:
            raise malformed("a variable byte integer is longer than it needs to be")
        return value

    def binary(self) -> bytes:
        """Bytes with their length in front."""
        return self.take(self.number(2))

    def text(self) -> str:
        """UTF-8 without U+0000 (1.5.4)."""
        return read_text(self.binary())

    def rest(self) -> bytes:
        """All that is left."""
        return self.take(self.end - self.at)

    def done(self) -> bool:
        """Whether nothing is left."""
        return self.at >= self.end


def malformed(text: str) -> ProtocolError:
    """A packet that cannot be read."""
    return ProtocolError(Reason.MALFORMED_PACKET, text)


def violation(text: str) -> ProtocolError:
    """A packet that can be read and must not be sent."""
    return ProtocolError(Reason.PROTOCOL_ERROR, text)


def read_text(data: bytes) -> str:
    """`data` as MQTT text, or a malformed packet."""
    try:
        text = data.decode()
    except UnicodeDecodeError:
        raise malformed("a text is not UTF-8") from None
    if "\0" in text:
        raise malformed("a text contains U+0000")
    return text


def varint(value: int) -> bytes:
    """`value` as a variable byte integer."""
    if value < 0x80:  # noqa: PLR2004 - one byte
        return bytes((value,))
    if value > VARINT_LIMIT:
        raise ValueError(f"{value} does not fit into a variable byte integer")
    out = bytearray()
    while value >= 0x80:  # noqa: PLR2004 - the continuation bit
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def binary(data: bytes) -> bytes:
    """`data` with its length in front."""
    if len(data) > STRING_LIMIT:
        raise ValueError(f"{len(data)} bytes do not fit into a field of {STRING_LIMIT}")
    return len(data).to_bytes(2, "big") + data


def text(value: str) -> bytes:
    """`value` as MQTT text."""
    return binary(value.encode())


def _read_pair(cursor: Cursor) -> tuple[str, str]:
    return cursor.text(), cursor.text()


def _write_pair(pair: tuple[str, str]) -> bytes:
    return text(pair[0]) + text(pair[1])


class Form(msgspec.Struct, frozen=True):
    """How the value of a property is written."""

    read: Callable[[Cursor], Any]
    write: Callable[[Any], bytes]


class Kind(msgspec.Struct, frozen=True):
    """One row of table 2-4, with the range that the text allows."""

    code: int
    name: str
    form: Form
    places: tuple[int, ...]
    least: int = 0
    most: int = 0xFFFFFFFF
    repeats: bool = False


_BYTE: Final = Form(lambda cursor: cursor.number(1), lambda value: value.to_bytes(1, "big"))
_TWO: Final = Form(lambda cursor: cursor.number(2), lambda value: value.to_bytes(2, "big"))
_FOUR: Final = Form(lambda cursor: cursor.number(4), lambda value: value.to_bytes(4, "big"))
_VARINT: Final = Form(Cursor.varint, varint)
_TEXT: Final = Form(Cursor.text, text)
_BINARY: Final = Form(Cursor.binary, binary)
_PAIR: Final = Form(_read_pair, _write_pair)

_MESSAGE: Final = (PUBLISH, WILL)
_ANSWER: Final = (CONNACK, PUBACK, PUBREC, PUBREL, PUBCOMP, SUBACK, UNSUBACK, DISCONNECT, AUTH)
_ANYWHERE: Final = (*_ANSWER, CONNECT, PUBLISH, WILL, SUBSCRIBE, UNSUBSCRIBE)
_LOGIN: Final = (CONNECT, CONNACK, AUTH)

KINDS: Final = (
    Kind(0x01, "payload_format_indicator", _BYTE, _MESSAGE, most=1),
    Kind(0x02, "message_expiry_interval", _FOUR, _MESSAGE),
    Kind(0x03, "content_type", _TEXT, _MESSAGE),
    Kind(0x08, "response_topic", _TEXT, _MESSAGE),
    Kind(0x09, "correlation_data", _BINARY, _MESSAGE),
    Kind(0x0B, "subscription_identifier", _VARINT, (PUBLISH, SUBSCRIBE), least=1, repeats=True),
    Kind(0x11, "session_expiry_interval", _FOUR, (CONNECT, CONNACK, DISCONNECT)),
    Kind(0x12, "assigned_client_identifier", _TEXT, (CONNACK,)),
    Kind(0x13, "server_keep_alive", _TWO, (CONNACK,)),
    Kind(0x15, "authentication_method", _TEXT, _LOGIN),
    Kind(0x16, "authentication_data", _BINARY, _LOGIN),
    Kind(0x17, "request_problem_information", _BYTE, (CONNECT,), most=1),
    Kind(0x18, "will_delay_interval", _FOUR, (WILL,)),
    Kind(0x19, "request_response_information", _BYTE, (CONNECT,), most=1),
    Kind(0x1A, "response_information", _TEXT, (CONNACK,)),
    Kind(0x1C, "server_reference", _TEXT, (CONNACK, DISCONNECT)),
    Kind(0x1F, "reason_string", _TEXT, _ANSWER),
    Kind(0x21, "receive_maximum", _TWO, (CONNECT, CONNACK), least=1),
    Kind(0x22, "topic_alias_maximum", _TWO, (CONNECT, CONNACK)),
    Kind(0x23, "topic_alias", _TWO, (PUBLISH,)),
    Kind(0x24, "maximum_qos", _BYTE, (CONNACK,), most=1),
    Kind(0x25, "retain_available", _BYTE, (CONNACK,), most=1),
    Kind(0x26, "user_property", _PAIR, _ANYWHERE, repeats=True),
    Kind(0x27, "maximum_packet_size", _FOUR, (CONNECT, CONNACK), least=1),
    Kind(0x28, "wildcard_subscription_available", _BYTE, (CONNACK,), most=1),
    Kind(0x29, "subscription_identifier_available", _BYTE, (CONNACK,), most=1),
    Kind(0x2A, "shared_subscription_available", _BYTE, (CONNACK,), most=1),
)
_BY_CODE: Final[Mapping[int, Kind]] = MappingProxyType({kind.code: kind for kind in KINDS})
_BY_NAME: Final[Mapping[str, Kind]] = MappingProxyType({kind.name: kind for kind in KINDS})


def read_properties(cursor: Cursor, place: int) -> Properties:
    """The properties at the cursor, with their length in front, checked against what `place` may carry."""
    size = cursor.varint()
    if not size:
        return {}
    inner = Cursor(cursor.data, cursor.at, cursor.at + size)
    cursor.take(size)
    found: dict[str, Any] = {}
    while not inner.done():
        _read_property(inner, place, found)
    return cast("Properties", found)


def _read_property(cursor: Cursor, place: int, found: dict[str, Any]) -> None:
    code = cursor.varint()
    kind = _BY_CODE.get(code)
    if kind is None:
        raise malformed(f"there is no property 0x{code:02X}")
    if place not in kind.places:
        raise violation(f"the property {kind.name} does not belong here")
    value = kind.form.read(cursor)
    if isinstance(value, int) and not kind.least <= value <= kind.most:
        raise violation(f"the property {kind.name} must not be {value}")
    if kind.repeats:
        found.setdefault(kind.name, []).append(value)
    elif kind.name in found:
        raise violation(f"the property {kind.name} stands twice")
    else:
        found[kind.name] = value


def write_properties(properties: Properties) -> bytes:
    """`properties` with their length in front."""
    if not properties:
        return b"\0"
    out = b"".join(_write_property(_BY_NAME[name], value) for name, value in properties.items())
    return varint(len(out)) + out


def _write_property(kind: Kind, value: Any) -> bytes:
    code = bytes((kind.code,))
    return b"".join(code + kind.form.write(each) for each in (value if kind.repeats else (value,)))
