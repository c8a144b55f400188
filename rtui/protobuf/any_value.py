"""What is in an Any."""

from __future__ import annotations

from typing import Any, Final

from google.protobuf.descriptor import Descriptor
from google.protobuf.descriptor_pool import DescriptorPool

from rtui.protobuf.message import UNREADABLE, message_class

MOST: Final = 10
"""So many Any are opened within each other, for each costs a copy of all that is in it; the next stays in base64."""
LARGE: Final = 1 << 16
"""Bytes of a message whose unknown fields are not told."""


def named(url: str, pool: DescriptorPool) -> Descriptor | None:
    """The type that a type URL names, whatever its host; None if the schema has none of that name."""
    try:
        return pool.FindMessageTypeByName(url.rpartition("/")[2])
    except KeyError:
        return None


def inside(message: Any) -> Any:
    """The message in an Any; None if its type is not known, or it is none, or large with unknown fields."""
    url = message.type_url
    descriptor = named(url, message.DESCRIPTOR.file.pool) if isinstance(url, str) else None
    if descriptor is None:
        return None
    try:
        found = message_class(descriptor).FromString(message.value)
    except UNREADABLE:
        return None
    return None if len(message.value) > LARGE and strip(found) else found


def strip(message: Any) -> bool:
    """Take the unknown fields out; whether there were some.

    In large messages they are not looked at one by one: protobuf needs a microsecond for each, and 16 MiB hold eight
    million.
    """
    size = message.ByteSize()
    message.DiscardUnknownFields()
    return bool(message.ByteSize() < size)
