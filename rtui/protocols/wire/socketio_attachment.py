"""Binary attachments between what users write, what rows hold and bytes."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from pathlib import Path
from typing import Any


def read_attachments(given: Sequence[str]) -> tuple[bytes, ...]:
    """The bytes of each `hex:…`, `base64:…` or `@file`.

    Raises:
        ValueError: if one is written in none of these ways.
        OSError: if a file cannot be read.
    """
    return tuple(map(_read, given))


def _read(text: str) -> bytes:
    if text.startswith("@"):
        return Path(text[1:]).expanduser().read_bytes()
    way, _, rest = text.partition(":")
    try:
        if way == "hex":
            return bytes.fromhex(rest)
        if way == "base64":
            return base64.b64decode(rest, validate=True)
    except (ValueError, binascii.Error) as error:
        raise ValueError(f"attachment {text[:40]!r}: {error}") from None
    raise ValueError(f"attachment {text[:40]!r}: write hex:…, base64:… or @file")


def attachments_meta(attachments: Sequence[bytes]) -> dict[str, Any]:
    """What a row holds of them; nothing if there are none."""
    return {"attachments": [base64.b64encode(each).decode() for each in attachments]} if attachments else {}
