"""JSON ↔ protobuf for one message type, as "ProtoJSON Format" (protobuf.dev/programming-guides/json) has it.

The texts are those of `google.protobuf.json_format` without spaces, and what it reads is read here, but for what it
loses or refuses to show. There:

- an `Any` of a type that the schema does not know is `{"@type": …, "@value": base64}` (as grpcurl has it); likewise
  one that is not its type, the eleventh within each other, and a large one with unknown fields;
- a Timestamp or Duration out of range is `{"seconds": "…", "nanos": …}`, a FieldMask that would come back changed
  `{"paths": […]}`;
- unknown fields, text that is not UTF-8, a `Value` that is NaN, infinite or unset come with the bytes in the meta;
- numbers that would be cut (1.5 for an enum, "1e999" for a double) and fields given twice are refused; the largest
  float and null in an array of NullValue, which json_format writes and refuses to read, are read.

An entry of a map that holds unknown fields is one itself: so protobuf has it.
"""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING, Any, Final

import msgspec
from google.protobuf.descriptor import Descriptor

from rtui.protobuf import any_value
from rtui.protobuf.message import UNREADABLE, message_class
from rtui.protobuf.packing import Packing
from rtui.protobuf.rendering import Rendering
from rtui.protobuf.unfit import Unfit
from rtui.protobuf.unknown import unknown_fields

if TYPE_CHECKING:
    from rtui.core.event import Meta

__all__ = ["Codec", "Unfit"]


class Codec:
    """Both ways for one message type. Cheap to make: what a type needs is made with the first message."""

    def __init__(self, descriptor: Descriptor, *, emit_defaults: bool = False, numbers: bool = False) -> None:
        """`numbers`: whole numbers of 64 bits are numbers in the JSON, where ProtoJSON has texts."""
        self.descriptor: Final = descriptor
        self._parse = message_class(descriptor).FromString
        self._rendering = Rendering(descriptor, emit_defaults=emit_defaults, numbers=numbers)
        self._packing = Packing(descriptor)

    def encode(self, text: bytes) -> bytes:
        """The message that the JSON `text` means; blank text is an empty message.

        Raises:
            Unfit: it is not JSON, or does not fit the type.
        """
        return self._packing.message(text)

    def decode(self, data: bytes | memoryview) -> tuple[bytes, Meta | None]:
        """One line of JSON, and what it could not carry.

        The meta has `raw` (the message in base64) and `unknown` (fields that the schema lacks, by path and number)
        where the JSON is not all. What is no such message comes back as it is, with `undecodable` in the meta.
        """
        rendering = self._rendering
        try:
            message = self._parse(data)  # type: ignore[arg-type]
            stripped = len(data) > any_value.LARGE and any_value.strip(message)
            text = _write(rendering.show(message))
            return text, _lost(message, data, stripped=stripped) if stripped or rendering.inexact else None
        except (*UNREADABLE, RecursionError) as error:
            return bytes(data), {"undecodable": _why(error, self.descriptor)}
        finally:
            rendering.inexact = False


def _why(error: Exception, descriptor: Descriptor) -> str:
    if isinstance(error, RecursionError):
        return f"a {descriptor.full_name} nested too deeply to be shown"
    return f"not a {descriptor.full_name}, or nested more deeply than the 100 levels that protobuf reads"


def _lost(message: Any, data: bytes | memoryview, *, stripped: bool) -> Meta:
    unknown = {"…": "too large a message to tell them"} if stripped else unknown_fields(message)
    raw = {"raw": b64encode(data).decode("ascii")}
    return {"unknown": unknown, **raw} if unknown else raw


_write: Final = msgspec.json.Encoder().encode
