"""From a message as the user wrote it down to the bytes that are sent."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import msgspec

from rtui.core.fault import Failure, Fault
from rtui.core.notation import Miswritten, unwrite
from rtui.settings.option import declared
from rtui.settings.session_model import PACKED, PackedFormat, PayloadFormat, SavedMessage
from rtui.settings.template import Renderer, resolve_message


class Composed(msgspec.Struct, frozen=True, kw_only=True):
    """A message ready to be sent."""

    channel: str
    payload: bytes
    options: dict[str, Any]
    """Values of the protocol's `Outgoing`."""
    packed: bool = False
    """Whether the payload is in a binary format, whatever its bytes look like."""

    def outgoing(self, kind: type[msgspec.Struct]) -> dict[str, Any]:
        """Values of `kind`, the protocol's `Outgoing`."""
        return in_binary(self.options, kind) if self.packed else self.options


def in_binary(options: dict[str, Any], kind: type[msgspec.Struct]) -> dict[str, Any]:
    """`options` for a binary payload: in a binary frame, where the protocol has such and the user named none.

    By its bytes alone, a message that happens to be UTF-8 would go as text.
    """
    frames = any(one.key == "type" and "binary" in one.choices for one in declared(kind))
    return {"type": "binary"} | options if frames else options


Packer: TypeAlias = Callable[[bytes, str, str], bytes]
"""From JSON, channel and message type ("": that of the channel) to a protobuf message; raises ValueError."""


def written(text: str, layout: PayloadFormat, protobuf: Callable[[bytes], bytes] | None = None) -> bytes:
    """The bytes that `text` writes. White space between the digits of hex and base64 is allowed.

    `protobuf` makes a message of JSON; raises ValueError where that does not fit.

    Raises:
        Failure: kind "usage", if it is not what it claims to be.
    """
    try:
        if layout in ("hex", "base64"):
            return unwrite(text, layout)
        payload = text.encode("utf-8", "surrogateescape")
        if layout in PACKED:
            return _packed(payload, layout, protobuf)
        if layout == "json":
            # Checked, not re-written: the peer gets the user's own digits, spaces and order of keys.
            msgspec.json.decode(payload)
    except Miswritten as error:
        raise _unusable(str(error)) from None
    except (ValueError, RecursionError) as error:
        raise _unusable(f"not {layout}: {error}") from None
    return payload


def _packed(text: bytes, layout: PackedFormat, protobuf: Callable[[bytes], bytes] | None) -> bytes:
    from rtui.encoding.packed import pack, untyped
    from rtui.protobuf.unfit import Unfit, Unusable

    try:
        return (protobuf or untyped)(text) if layout == "protobuf" else pack(text, layout)
    except (Unfit, Unusable) as error:
        raise _unusable(str(error)) from None


def compose(message: SavedMessage, renderer: Renderer, base: Path, protobuf: Packer) -> Composed:
    """A saved message with its templates filled in now; `base` is the folder its file is meant from.

    Raises:
        Failure: kind "usage", if a template, the payload or the file is wrong.
    """
    filled = resolve_message(message, renderer)
    if filled.file:
        try:
            payload = (base / Path(filled.file).expanduser()).read_bytes()
        except (OSError, ValueError) as error:
            raise _unusable(f"{filled.file}: {error}") from error
    else:
        payload = written(filled.payload, filled.format, lambda text: protobuf(text, filled.channel, filled.type))
    packed = not filled.file and filled.format in PACKED
    return Composed(channel=filled.channel, payload=payload, options=filled.options, packed=packed)


def _unusable(cause: str) -> Failure:
    return Failure(Fault(kind="usage", side="us", title="The message cannot be sent", cause=cause))
