"""A message that was sent, to be sent again: what it carried besides its payload, from the row that tells of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from rtui.core.record import Direction, Kind, Record
from rtui.protocols.base import Adapter
from rtui.settings.option import Declared, OptionErrors, build, declared
from rtui.settings.secrets import MASK

HALF_CLOSE: Final = "half-close"
CANCEL: Final = "cancel"
"""The `type` in the meta of a row that tells that we sent no more in a call, or gave it up."""


def is_sent_message(row: Record) -> bool:
    """Whether the row is a message that the user sent: no ping, and no answer to what the peer had asked."""
    return row.direction == Direction.OUT and row.kind == Kind.MESSAGE


def is_half_close(row: Record) -> bool:
    """Whether the row tells that the user ended his half of a call."""
    return _did(row) == HALF_CLOSE


def is_cancel(row: Record) -> bool:
    """Whether the row tells that the user gave a call up."""
    return _did(row) == CANCEL


def _did(row: Record) -> str:
    """What the user did besides sending; empty if that is nothing."""
    return str(_meta(row).get("type", "")) if row.direction == Direction.OUT and row.kind == Kind.NOTICE else ""


def outgoing(adapter: Adapter | type[Adapter], row: Record) -> Any:
    """The protocol's `Outgoing` of a row: whatever its meta tell that is an option; None if that is nothing.

    What is masked in it stays away, and so does what the protocol does not take (by now, or here).
    """
    values: dict[str, Any] = {}
    meta = _meta(row)
    for one in declared(adapter.Outgoing):
        if one.key in meta and (value := _value(one, meta[one.key])) is not None:
            values[one.key] = value
    if row.reply_to is None and any(one.key == "new_call" for one in declared(adapter.Outgoing)):
        values["new_call"] = True
    while values:
        try:
            return build(adapter.Outgoing, values)
        except OptionErrors as wrong:
            for error in wrong.errors:
                values.pop(error.key.partition(".")[0], None)
    return None


def _value(one: Declared, told: Any) -> Any:
    """What a row tells of an option, as the option takes it."""
    if one.kind == "flag":
        return told is not False  # the number of an acknowledgement says that one was asked for
    if one.kind == "list" and isinstance(told, list):
        return [f"base64:{each}" for each in told]
    if one.kind == "pairs" and isinstance(told, Mapping):
        pairs = {key: value[-1] if isinstance(value, list) and value else value for key, value in told.items()}
        return {key: value for key, value in pairs.items() if isinstance(value, str) and MASK not in value}
    return None if isinstance(told, str) and MASK in told else told


def _meta(row: Record) -> dict[str, Any]:
    try:
        found = msgspec.json.decode(row.meta) if row.meta else {}
    except (msgspec.DecodeError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
