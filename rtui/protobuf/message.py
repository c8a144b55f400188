"""Message classes without generated code, however many types hang together."""

from __future__ import annotations

from typing import Any, Final, cast

from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.descriptor import Descriptor
from google.protobuf.message import DecodeError, Message

UNREADABLE: Final = (DecodeError, UnicodeDecodeError)
"""What `FromString` raises; the second for text that is not UTF-8, where protobuf is all Python."""
_META: Final[Any] = type(AnyMessage)
"""What makes message classes in the implementation of protobuf that is in use, each but once."""


def message_class(descriptor: Descriptor) -> type[Message]:
    """As `message_factory.GetMessageClass`, which goes down by recursion: it fails at a chain of 330 types."""
    if known := getattr(descriptor, "_concrete_class", None):
        return cast("type[Message]", known)
    seen = {descriptor}
    waiting = [descriptor]
    while waiting:
        one = waiting.pop()
        _made(one)
        inside = {field.message_type for field in one.fields if field.message_type is not None} - seen
        seen |= inside
        waiting += inside
    return _made(descriptor)


def _made(descriptor: Descriptor) -> type[Message]:
    return cast("type[Message]", _META(descriptor.name, (Message,), {"DESCRIPTOR": descriptor, "__module__": None}))
