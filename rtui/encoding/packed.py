"""MessagePack and CBOR: JSON text in, bytes out, and back. Protobuf needs a type: see `rtui.protobuf.codec`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, Literal, TypeAlias

import msgspec

from rtui.core.json_path import Steps
from rtui.encoding import cbor
from rtui.protobuf.text import parsed
from rtui.protobuf.unfit import Unfit, shown

Packing: TypeAlias = Literal["msgpack", "cbor"]
PACKINGS: Final[tuple[Packing, ...]] = ("msgpack", "cbor")

_LOWEST, _HIGHEST = -(1 << 63), (1 << 64) - 1
_ENDLESS: Final = (float("inf"), float("-inf"))
_write_msgpack: Final = msgspec.msgpack.Encoder().encode
_read_msgpack: Final = msgspec.msgpack.Decoder().decode
_write_json: Final = msgspec.json.Encoder().encode


def pack(text: bytes, packing: Packing) -> bytes:
    """The bytes that the JSON `text` is in a format.

    Raises:
        Unfit: it is no JSON, or the format cannot hold it; with the path of what it cannot.
    """
    try:
        value = parsed(text)
        if wrong := next(_too_large(value, packing), None):
            raise wrong
        return cbor.encode(value) if packing == "cbor" else _write_msgpack(value)
    except RecursionError:
        raise Unfit("nested too deeply") from None
    except UnicodeEncodeError:
        raise Unfit("half a character (a lone surrogate) cannot be sent") from None


def _too_large(value: Any, packing: Packing) -> Iterator[Unfit]:
    """What the format has no number for."""
    places: list[tuple[Steps, Any]] = [((), value)]
    while places:
        steps, one = places.pop()
        if isinstance(one, dict):
            places += [((*steps, key), inner) for key, inner in one.items()]
        elif isinstance(one, list):
            places += [((*steps, place), inner) for place, inner in enumerate(one)]
        elif isinstance(one, int) and packing == "msgpack" and not _LOWEST <= one <= _HIGHEST:
            yield _at(steps, Unfit(f"{shown(one)} does not fit: MessagePack has whole numbers of 64 bits"))
        elif one in _ENDLESS:
            yield _at(steps, Unfit("a number is beyond the largest double"))


def _at(steps: Steps, wrong: Unfit) -> Unfit:
    for step in reversed(steps):
        wrong.under(step)
    return wrong


def untyped(_text: bytes) -> bytes:
    """Stands where no message types are known.

    Raises:
        Unfit: always.
    """
    raise Unfit("no message types are known: [view.protobuf] of a session names a descriptor set")


def unpack(data: bytes, packing: Packing) -> bytes | None:
    """The JSON that `data` means, as far as JSON can say it; None if it is not in this format.

    Bytes become base64. For looking at: what comes back need not give the same bytes when it is packed again.
    """
    try:
        return _write_json(cbor.decode(data) if packing == "cbor" else _read_msgpack(data))
    except (ValueError, TypeError, RecursionError, OverflowError):  # a key that is an array, an extension, and the like
        return None
