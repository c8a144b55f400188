"""A row whose payload is in a binary format, shown as what it means; its size is that of the bytes."""

from __future__ import annotations

from typing import Any

import msgspec

from rtui.core.record import Record


class MeantRecord(Record, frozen=True, gc=False, array_like=True):
    """A record with the JSON that its payload means in the place of the payload."""

    received: int = 0
    """Bytes of the payload itself."""


def size_of(record: Record) -> int:
    """Bytes of the payload as it was on the wire."""
    return record.received if isinstance(record, MeantRecord) else len(record.payload)


def as_meant(record: Record, meant: bytes) -> Record:
    """`record`, to be shown with what its payload means."""
    if meant is record.payload:
        return record
    values: dict[str, Any] = msgspec.structs.asdict(record)
    return MeantRecord(**{**values, "payload": meant, "received": len(record.payload)})
