"""How a record's payload is opened for the message pane, what its title says of that, and how a row is cut."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from rtui.core.clean import cell_width, clip
from rtui.core.fault import Failure
from rtui.core.record import Kind, Record
from rtui.payloads.base import Line, View
from rtui.payloads.registry import Opening, open_as, open_best
from rtui.protocols import registry
from rtui.workbench.widgets.meta import meta_of
from rtui.workbench.widgets.row import Piece
from rtui.workbench.widgets.source import Named

LARGE: Final = 128 * 1024
"""Payloads from this many bytes are parsed in a thread: the loop would miss a frame."""
OBVIOUS: Final = frozenset({"json", "arguments", "raw", "hex"})
"""Views that need no name in the title."""


def said(opening: Opening) -> str:
    """What the title says of an opening: why it is not as asked, or which format it is where eyes cannot tell."""
    return opening.problem or ("" if opening.view.name in OBVIOUS else opening.view.title)


def is_quick(record: Record, own: View | None) -> bool:
    """Whether `opening_of` may be called where it must not take long."""
    return len(record.payload) < LARGE and (own is None or own.ready)


def opening_of(record: Record, mode: str, link: Named | None, asked: str = "", own: View | None = None) -> Opening:
    """The record's payload, ready to be shown. `own` is the view of its channel, if it has one."""
    if mode in {"raw", "hex"} or record.kind not in {Kind.MESSAGE, Kind.ACK}:
        return open_as("hex" if mode == "hex" else "raw", record.payload)
    return open_best(record.payload, {**meta_of(record), "wire": _on_wire(record, link)}, asked, own)


def _on_wire(record: Record, link: Named | None) -> str:
    """The packet behind the record, as its protocol tells."""
    try:
        return registry.adapter(link.protocol).on_wire(record) if link is not None else ""
    except Failure:  # recorded with a plugin that is not installed here
        return ""


def is_told(record: Record) -> bool:
    """Whether what the protocol told says more than the payload: what went wrong, how a call ended."""
    return record.kind == Kind.ERROR or (record.kind == Kind.ACK and not record.payload)


def cut(line: Line, width: int) -> Iterator[Piece]:
    """The pieces that fit into `width` cells."""
    left = width
    for style, text in line:
        if left <= 0:
            return
        shown = clip(text[: 2 * left + 16], left)
        left -= cell_width(shown)
        yield style, shown
