"""MessagePack and CBOR: text in, bytes out, and back. Protobuf needs a type: see `rtui.protobuf.codec`.

The text is JSON, or the diagnostic notation for what JSON cannot say: see `rtui.encoding.diagnostic`.
"""

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
_read_msgpack: Final = msgspec.msgpack.Decoder(ext_hook=lambda code, data: f"ext({code}, h'{data.hex()}')").decode
_write_json: Final = msgspec.json.Encoder().encode


def pack(text: bytes, packing: Packing) -> bytes:
    """The bytes that `text`, JSON or diagnostic notation, is in a format.

    Raises:
        Unfit: it is neither, or the format cannot hold it; with the path or the place of what it cannot.
    """
    try:
        value = parsed(text)
    except Unfit as error:
        return _noted(text, packing, error)
    except RecursionError:
        raise Unfit("nested too deeply") from None
    try:
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


def _noted(text: bytes, packing: Packing, wrong: Unfit) -> bytes:
    """The bytes of what is no JSON for the reason `wrong`: that is told, unless the notation was understood further."""
    from rtui.encoding.diagnostic import Misspelt, write
    from rtui.encoding.form import CborForm, MsgpackForm

    try:
        said = text.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise wrong from None
    try:
        return write(said, CborForm() if packing == "cbor" else MsgpackForm())
    except Misspelt as error:
        if said.strip():
            raise
        raise wrong from error


def unpack(data: bytes, packing: Packing) -> bytes | None:
    """The JSON that `data` means, as far as JSON can say it; None if it is not in this format.

    Bytes become base64, extensions the text of their notation. For looking at: what comes back need not give the same
    bytes when it is packed again. See `noted` for that.
    """
    try:
        return _write_json(cbor.decode(data) if packing == "cbor" else _read_msgpack(data))
    except (ValueError, TypeError, RecursionError, OverflowError):  # a key that is an array, and the like
        return None


def noted(data: bytes, packing: Packing) -> str | None:
    """The notation from which `pack` makes exactly these bytes, laid out; None if there is none."""
    from rtui.encoding.spelling import in_cbor, in_msgpack, spell

    try:
        text = spell(data, in_cbor if packing == "cbor" else in_msgpack)
        return text if pack(text.encode(), packing) == data else None
    except (ValueError, RecursionError):
        return None
