"""Packets of the Socket.IO protocol 2 to 5: text to values and back, without I/O and without losing a byte of JSON.

`<type>[<attachments>-][<namespace>,][<id>][JSON]`, then each attachment as a binary message of its own
(socketio/socket.io-protocol, "Packet encoding"). Reading is as tolerant as the servers in use are various, for example
`NaN` from Python; the shapes that tell one type from another are insisted on.
"""

from __future__ import annotations

import json
import re
from enum import IntEnum
from typing import Final

import msgspec

from rtui.protocols.wire.socketio_value import Malformed, arguments, check, outgoing, placeholders

__all__ = [
    "Assembler",
    "Malformed",
    "Packet",
    "Type",
    "arguments",
    "event",
    "name",
    "named",
    "outgoing",
    "parse",
    "place",
    "write",
]

ATTACHMENT_LIMIT: Final = 4096
"""Attachments of one packet. Each is within the link's size limit, but their sum is kept until the last is here."""


class Type(IntEnum):
    """What a packet is for; the digit it begins with."""

    CONNECT = 0
    DISCONNECT = 1
    EVENT = 2
    ACK = 3
    CONNECT_ERROR = 4
    BINARY_EVENT = 5
    BINARY_ACK = 6


_EVENT: Final = int(Type.EVENT)
_BINARY: Final = {Type.EVENT: Type.BINARY_EVENT, Type.ACK: Type.BINARY_ACK}
_WITH_ATTACHMENTS: Final = frozenset({Type.BINARY_EVENT, Type.BINARY_ACK})
_LISTS: Final = frozenset({Type.EVENT, Type.ACK, Type.BINARY_EVENT, Type.BINARY_ACK})
_ACKS: Final = frozenset({Type.ACK, Type.BINARY_ACK})

# An identifier has to fit 64 bits, which is what capture files hold.
_HEAD: Final = re.compile(r"([0-6])(?:([0-9]{1,9})-)?(?:(/[^,]*)(?:,|\Z))?([0-9]{1,18}(?![0-9]))?", re.ASCII)
_NAME: Final = re.compile(r'\["([^"\\]*)"([,\]])')


class Packet(msgspec.Struct, frozen=True, gc=False):
    """One packet, whole."""

    type: int
    namespace: str = "/"
    id: int | None = None
    """Of an event: the server, or we, ask for an acknowledgement under this number. Of an ACK: the number asked."""
    data: str = ""
    """JSON text as it stands on the wire; "" if there is none."""
    attachments: tuple[bytes, ...] = ()


def parse(text: str) -> tuple[Packet, int]:
    """Read the text of a packet: it, and how many attachments are still to follow.

    Raises:
        Malformed: with the reason, which quotes the peer and has to be cleaned before it is shown.
    """
    if text.startswith('2["'):
        data = text[1:]
        check(data)
        return Packet(_EVENT, "/", None, data), 0
    head = _HEAD.match(text)
    if head is None:
        raise Malformed(f"no packet type: {text[:40]!r}" if text else "an empty packet")
    kind, due, namespace, number = head.groups()
    data = text[head.end() :]
    packet = Packet(int(kind), _namespace(kind, namespace), int(number) if number else None, data)
    if data:
        check(data)
    _see_shape(packet)
    return packet, _due(packet, due)


def _namespace(kind: str, namespace: str | None) -> str:
    # Protocol 4 (2.x) hangs the query of a CONNECT on the namespace; it is no part of the name.
    told = namespace or "/"
    return told.partition("?")[0] if kind == "0" else told


def _see_shape(packet: Packet) -> None:
    """See that there is the JSON which the type calls for; its grammar was checked."""
    if packet.type in _LISTS:
        if not packet.data.lstrip(" \t\r\n").startswith("["):
            raise Malformed(f"{_title(packet)} without an array of arguments: {packet.data[:40]!r}")
        if packet.type in _ACKS and packet.id is None:
            raise Malformed("an acknowledgement that does not tell of which message")
    elif packet.type == Type.CONNECT and packet.data and not packet.data.startswith("{"):
        raise Malformed(f"CONNECT with something else than an object: {packet.data[:40]!r}")
    elif packet.type == Type.DISCONNECT and packet.data:
        raise Malformed(f"DISCONNECT with data: {packet.data[:40]!r}")


def _due(packet: Packet, told: str | None) -> int:
    if packet.type not in _WITH_ATTACHMENTS:
        if told is not None:
            raise Malformed(f"{_title(packet)} announces attachments, which only a binary packet has")
        return 0
    if told is None:
        raise Malformed(f"{_title(packet)} that does not tell how many attachments follow")
    if int(told) > ATTACHMENT_LIMIT:
        raise Malformed(f"{told} attachments announced, more than {ATTACHMENT_LIMIT:,}")
    if not int(told):
        _see_placeholders(packet.data, 0)
    return int(told)


def _see_placeholders(data: str, count: int) -> None:
    wanted = max(placeholders(data), default=-1)
    if wanted >= count:
        raise Malformed(f"placeholder {wanted} without its attachment: {count} came")


def _title(packet: Packet) -> str:
    return Type(packet.type).name


class Assembler:
    """Joins binary packets and the attachments that follow them."""

    def __init__(self) -> None:
        self._packet: Packet | None = None
        self._due = 0
        self._attachments: list[bytes] = []

    @property
    def waiting(self) -> int:
        """Attachments still to come before the packet is whole."""
        return self._due - len(self._attachments)

    def feed(self, piece: str | bytes) -> Packet | None:
        """Take the next message of the transport; returns the packet that it completes.

        Raises:
            Malformed: if it is none or is out of place; the packet begun, if any, is given up.
        """
        if isinstance(piece, str):
            return self._feed_text(piece)
        if self._packet is None:
            raise Malformed(f"{len(piece):,} bytes of an attachment that no packet announced")
        self._attachments.append(bytes(piece))
        return None if self.waiting else self._join(self._packet)

    def _feed_text(self, text: str) -> Packet | None:
        if self._packet is not None:
            missing = self.waiting
            self._forget()
            raise Malformed(f"a new packet where {missing} more of the last one's attachments were due")
        packet, due = parse(text)
        if not due:
            return packet
        self._packet, self._due = packet, due
        return None

    def _join(self, packet: Packet) -> Packet:
        attachments = tuple(self._attachments)
        self._forget()
        _see_placeholders(packet.data, len(attachments))
        return Packet(packet.type, packet.namespace, packet.id, packet.data, attachments)

    def _forget(self) -> None:
        self._packet, self._due, self._attachments = None, 0, []


def write(packet: Packet) -> list[str | bytes]:
    """What goes to the transport, in order. An event or ACK with attachments is written as the binary one."""
    kind = _BINARY.get(Type(packet.type), packet.type) if packet.attachments else packet.type
    head = str(int(kind))
    if kind in _WITH_ATTACHMENTS:
        head += f"{len(packet.attachments)}-"
    if packet.namespace != "/":
        head += packet.namespace + ","
    if packet.id is not None:
        head += str(packet.id)
    return [head + packet.data, *packet.attachments]


def event(data: str) -> tuple[str, str]:
    """The event's name, and the array of its arguments: `["news",1, 2.50]` is `news` and `[1, 2.50]`.

    `data` is that of a packet that `parse` took. A name may also be a number (socket.io-parser takes both).

    Raises:
        Malformed: if it does not begin with a name.
    """
    found = _NAME.match(data)
    if found is not None:
        told, follows = found.groups()
        return told, "[" + data[found.end() :] if follows == "," else "[]"
    items = arguments(data)
    if not items or items[0][0] not in '"-0123456789':
        raise Malformed(f"an event without a name: {data[:40]!r}")
    return _told(items[0]), f"[{','.join(items[1:])}]"


def _told(source: str) -> str:
    if not source.startswith('"'):
        return source
    try:
        told: str = json.loads(source, strict=False)
    except ValueError as error:
        raise Malformed(f"the event's name is no JSON string: {source[:40]!r}") from error
    return told if _is_unicode(told) else source[1:-1]


def _is_unicode(text: str) -> bool:
    """Whether it can be stored: a lone surrogate is no character, and stays the escape that it came as."""
    return not any("\ud800" <= char <= "\udfff" for char in text)


def named(event: str, data: str) -> str:
    """The data of an event's packet: its name in front of its arguments, which stay as they are written."""
    rest = data.lstrip(" \t\r\n")[1:]
    inner = rest if rest.lstrip(" \t\r\n").startswith("]") else "," + rest
    return f"[{json.dumps(event, ensure_ascii=False)}{inner}"


def name(namespace: str, event: str) -> str:
    """The channel of an event: `news`, or `/chat,news` where the namespace is not the default one."""
    if namespace != "/":
        return f"{namespace},{event}"
    return f"/,{event}" if event.startswith("/") and "," in event else event


def place(channel: str, home: str = "/") -> tuple[str, str]:
    """Namespace and event of a channel; `home` is the namespace of those that name none."""
    if channel.startswith("/") and "," in channel:
        namespace, _, told = channel.partition(",")
        return namespace, told
    return home, channel
