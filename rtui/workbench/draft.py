"""A message that is being written."""

from __future__ import annotations

from typing import Any

import msgspec


class Draft(msgspec.Struct, frozen=True, array_like=True):
    """What stands in a composer. Kept as one value: half of one draft and half of another make none."""

    payload: str = ""
    format: str = "text"
    channel: str = ""
    fields: dict[str, Any] = {}
    """Text, boolean or choice by key of the protocol's `Outgoing`."""
    type: str = ""
    """The message type of a protobuf payload; "" is that of the channel."""
