"""From a message as the user wrote it down to the bytes that are sent."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from rtui.core.fault import Failure, Fault
from rtui.core.notation import Miswritten, unwrite
from rtui.settings.session_model import PayloadFormat, SavedMessage
from rtui.settings.template import Renderer, resolve_message


class Composed(msgspec.Struct, frozen=True, kw_only=True):
    """A message ready to be sent."""

    channel: str
    payload: bytes
    options: dict[str, Any]
    """Values of the protocol's `Outgoing`."""


def written(text: str, layout: PayloadFormat) -> bytes:
    """The bytes that `text` writes. White space between the digits of hex and base64 is allowed.

    Raises:
        Failure: kind "usage", if it is not what it claims to be.
    """
    try:
        if layout in ("hex", "base64"):
            return unwrite(text, layout)
        payload = text.encode("utf-8", "surrogateescape")
        if layout == "json":
            # Checked, not re-written: the peer gets the user's own digits, spaces and order of keys.
            msgspec.json.decode(payload)
    except Miswritten as error:
        raise _unusable(str(error)) from None
    except (ValueError, RecursionError) as error:
        raise _unusable(f"not {layout}: {error}") from None
    return payload


def compose(message: SavedMessage, renderer: Renderer, base: Path) -> Composed:
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
        payload = written(filled.payload, filled.format)
    return Composed(channel=filled.channel, payload=payload, options=filled.options)


def _unusable(cause: str) -> Failure:
    return Failure(Fault(kind="usage", side="us", title="The message cannot be sent", cause=cause))
