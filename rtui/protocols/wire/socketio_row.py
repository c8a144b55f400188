"""The packet behind a stored row."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from rtui.core.record import Kind, Record
from rtui.protocols.wire.socketio_packet import Packet, Type, named, place, write

MESSAGE: Final = "4"
"""What Engine.IO puts before the text of a message, over either transport."""


def on_wire(record: Record) -> str:
    """An event or acknowledgement as it went over the wire, without its attachments; "" for other rows.

    The payload is the wire's own text, so this is exact but for the escapes in an event's name.
    """
    if record.kind not in {Kind.MESSAGE, Kind.ACK} or not record.payload.startswith(b"["):
        return ""
    meta = _meta(record)
    namespace, event = place(record.channel)
    arguments = _with_offset(record.payload.decode("utf-8", "replace"), meta.get("offset"))
    is_ack = record.kind == Kind.ACK
    told = meta.get("attachments")
    attachments = (b"",) * len(told) if isinstance(told, list) else ()
    data = arguments if is_ack else named(event, arguments)
    packet = Packet(Type.ACK if is_ack else Type.EVENT, namespace, _number(meta), data, attachments)
    return MESSAGE + str(write(packet)[0])


def _meta(record: Record) -> dict[str, Any]:
    try:
        meta = msgspec.json.decode(record.meta) if record.meta else {}
    except (msgspec.DecodeError, RecursionError):
        return {}
    return meta if isinstance(meta, dict) else {}


def _with_offset(arguments: str, offset: object) -> str:
    """The offset of connection-state recovery stands behind the arguments."""
    if not isinstance(offset, str):
        return arguments
    comma = "" if arguments == "[]" else ","
    return f'{arguments[:-1]}{comma}"{offset}"]'


def _number(meta: dict[str, Any]) -> int | None:
    number = meta.get("ack")
    return number if isinstance(number, int) else None
