"""A message against the one before it on its channel."""

from __future__ import annotations

from typing import Final

import msgspec

from rtui.core.record import Record
from rtui.payloads.base import Unreadable, View
from rtui.payloads.diff import DiffDocument
from rtui.payloads.meaning import meaning
from rtui.payloads.typed import TypedView
from rtui.workbench.widgets import figure
from rtui.workbench.widgets.row import not_modified

COMPARED_AT_ONCE: Final = 4 * 1024
"""Payloads up to this many bytes are compared without a thread: it takes milliseconds."""


def is_small(*records: Record) -> bool:
    """Whether comparing them takes no thread."""
    return sum(len(record.payload) for record in records) <= COMPARED_AT_ONCE


def compared(before: Record, record: Record, own: View | None, width: int) -> DiffDocument:
    """What changed between two messages of a channel; in a binary format, between what they mean.

    The rows fit a pane of this width: fitting them later would be a comparison anew.
    """
    document = _document(before, record, own)
    document.reflow(width)
    return document


def _document(before: Record, record: Record, own: View | None) -> DiffDocument:
    told = f"since #{before.seq:,}, {figure.span(record.time - before.time)} s"
    if not_modified(record):
        return DiffDocument(before.payload, before.payload, f"not modified {told}")
    earlier, later = (_meaning(one, own) for one in (before, record))
    if earlier is None or later is None:  # not both in the format: the bytes themselves can still be compared
        return DiffDocument(before.payload, record.payload, told)
    return DiffDocument(earlier, later, told)


def _meaning(record: Record, own: View | None) -> bytes | None:
    """The JSON of a message in a binary format, with no more than the pane shows of it."""
    if isinstance(own, TypedView):
        try:
            return own.json(record.payload)
        except Unreadable:
            return None
    return meaning(record.payload, record.meta, own)


def full(record: Record) -> Record:
    """`record` with the channel of answers that have a body: it says that the last of those still holds."""
    if not not_modified(record):
        return record
    return msgspec.structs.replace(record, channel=f"{record.channel.removesuffix('304')}200")
