"""Properties of MQTT 5 packets, from bytes to what a row shows; no I/O, no library (§2.2.2)."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from rtui.core.clean import decode

HEX: Final = "hex:"
"""Begins binary data that is not text, shown and given."""
USER: Final = 0x26
SUBSCRIPTION: Final = 0x0B
CORRELATION: Final = 0x09
MOST_BYTES: Final = 4
"""Of a variable byte integer (§1.5.5)."""

NAMES: Final[dict[int, tuple[str, int | str]]] = {
    0x01: ("payload_format", 1),
    0x02: ("message_expiry", 4),
    0x03: ("content_type", "text"),
    0x08: ("response_topic", "text"),
    CORRELATION: ("correlation_data", "data"),
    SUBSCRIPTION: ("subscription_identifier", "number"),
    0x11: ("session_expiry", 4),
    0x12: ("assigned_client_id", "text"),
    0x13: ("server_keep_alive", 2),
    0x15: ("authentication_method", "text"),
    0x16: ("authentication_data", "data"),
    0x17: ("request_problem_information", 1),
    0x18: ("will_delay", 4),
    0x19: ("request_response_information", 1),
    0x1A: ("response_information", "text"),
    0x1C: ("server_reference", "text"),
    0x1F: ("reason_string", "text"),
    0x21: ("receive_maximum", 2),
    0x22: ("topic_alias_maximum", 2),
    0x23: ("topic_alias", 2),
    0x24: ("maximum_qos", 1),
    0x25: ("retain_available", 1),
    USER: ("user_properties", "pair"),
    0x27: ("max_packet_size", 4),
    0x28: ("wildcard_subscriptions", 1),
    0x29: ("subscription_identifiers", 1),
    0x2A: ("shared_subscriptions", 1),
}
"""Identifier → our name and how its value is written (a number of bytes, or a kind)."""


class Malformed(ValueError):
    """The bytes are not a list of properties."""


class Read(NamedTuple):
    """The properties of one packet."""

    meta: dict[str, Any]
    """By name, without subscription identifiers."""
    identifiers: tuple[int, ...] = ()
    correlation: bytes = b""


def read(data: bytes) -> Read:
    """Decode a list of properties, without the length before it.

    Raises:
        Malformed: if it is none.
    """
    meta: dict[str, Any] = {}
    identifiers: list[int] = []
    correlation = b""
    position = 0
    while position < len(data):
        kind = data[position]
        if kind not in NAMES:
            raise Malformed(f"unknown property 0x{kind:02X}")
        name, form = NAMES[kind]
        value, position = _value(data, position + 1, form)
        if kind == SUBSCRIPTION:
            identifiers.append(value)
        elif kind == USER:
            _add(meta.setdefault(name, {}), *value)
        else:
            correlation = value if kind == CORRELATION else correlation
            meta[name] = shown(value) if isinstance(value, bytes) else value
    return Read(meta, tuple(identifiers), correlation)


def integer(data: bytes, position: int) -> tuple[int, int]:
    """A variable byte integer and where it ends (§1.5.5).

    Raises:
        Malformed: if it has more than four bytes.
        IndexError: if it goes on beyond the end.
    """
    value = 0
    for place in range(MOST_BYTES):
        byte = data[position + place]
        value |= (byte & 0x7F) << (7 * place)
        if byte < 0x80:  # noqa: PLR2004 - the continuation bit
            return value, position + place + 1
    raise Malformed("an integer of more than four bytes (§1.5.5)")


def shown(data: bytes) -> str:
    """Binary data as a row shows it and an option takes it: text where it is text."""
    text = decode(data)
    return text if text.isprintable() and not text.startswith(HEX) and text.encode() == data else HEX + data.hex()


def given(text: str) -> bytes:
    """The reverse of `shown`.

    Raises:
        ValueError: if it begins like hex and is none.
    """
    return bytes.fromhex(text[len(HEX) :]) if text.startswith(HEX) else text.encode(errors="backslashreplace")


def _value(data: bytes, position: int, form: int | str) -> tuple[Any, int]:
    if isinstance(form, int):
        end = position + form
        if end > len(data):
            raise Malformed("a property is cut off")
        return int.from_bytes(data[position:end], "big"), end
    if form == "number":
        try:
            return integer(data, position)
        except IndexError:
            raise Malformed("a property is cut off") from None
    raw, position = _sized(data, position)
    if form == "data":
        return raw, position
    if form == "text":
        return decode(raw), position
    second, position = _sized(data, position)
    return (decode(raw), decode(second)), position


def _sized(data: bytes, position: int) -> tuple[bytes, int]:
    begin = position + 2
    end = begin + int.from_bytes(data[position:begin], "big")
    if begin > len(data) or end > len(data):
        raise Malformed("a property is cut off")
    return data[begin:end], end


def _add(pairs: dict[str, Any], name: str, value: str) -> None:
    """A name may come more than once (§3.3.2.3.7): then all its values are kept, in order."""
    if name not in pairs:
        pairs[name] = value
    elif isinstance(pairs[name], list):
        pairs[name].append(value)
    else:
        pairs[name] = [pairs[name], value]
