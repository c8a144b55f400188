"""What a binary payload means, as JSON: what filters compare, charts draw and columns show of it."""

from __future__ import annotations

from typing import Final

import msgspec

from rtui.encoding.packed import PACKINGS, Packing, unpack
from rtui.payloads.base import NOTHING, Unreadable, View
from rtui.payloads.cbor import CborView
from rtui.payloads.msgpack import MsgpackView
from rtui.payloads.typed import TypedView

LARGEST: Final = 256 * 1024
"""Larger payloads are not read for their meaning: one would take the time of thousands."""
_VIEWS: Final[dict[Packing, View]] = {"msgpack": MsgpackView(), "cbor": CborView()}
_NO_TEXT: Final = frozenset(bytes([first]) for first in range(0x81, 0xA0))
"""What no UTF-8 begins with, and maps and arrays of both formats do: the views need not be asked."""


def meaning(payload: bytes, meta: str | None, own: View | None) -> bytes | None:
    """The JSON that `payload` means by the type of its channel (`own`), its media type or its looks.

    None for what is no binary format, not what it claims to be, or large. `meta` is JSON text.
    """
    if len(payload) > LARGEST:
        return None
    if isinstance(own, TypedView):
        try:
            return own.json(payload, full=True)
        except Unreadable:
            pass  # other messages may stand between those of the type
    found = (unpack(payload, packing) for packing in _likely(payload, meta))
    return next((text for text in found if text is not None), None)


def _likely(payload: bytes, meta: str | None) -> tuple[Packing, ...]:
    """The formats that it may be in, the likeliest first."""
    told = msgspec.json.decode(meta) if meta and "content" in meta else NOTHING
    if not told and payload[:1] in _NO_TEXT:
        return PACKINGS
    claims = {packing: view.claim(payload, told) for packing, view in _VIEWS.items()}
    return tuple(packing for packing in sorted(PACKINGS, key=lambda one: -claims[one]) if claims[packing])
