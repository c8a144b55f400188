"""How a record's payload is opened for the message pane, and what its title says of that."""

from __future__ import annotations

from typing import Final

from rtui.core.fault import Failure
from rtui.core.record import Kind, Record
from rtui.payloads.registry import Opening, open_as, open_best
from rtui.protocols import registry
from rtui.workbench.widgets.meta import meta_of
from rtui.workbench.widgets.source import Named

OBVIOUS: Final = frozenset({"json", "arguments", "raw", "hex"})
"""Views that need no name in the title."""


def said(opening: Opening) -> str:
    """What the title says of an opening: why it is not as asked, or which format it is where eyes cannot tell."""
    return opening.problem or ("" if opening.view.name in OBVIOUS else opening.view.title)


def opening_of(record: Record, mode: str, link: Named | None, asked: str = "") -> Opening:
    """The record's payload, ready to be shown."""
    if mode in {"raw", "hex"} or record.kind not in {Kind.MESSAGE, Kind.ACK}:
        return open_as("hex" if mode == "hex" else "raw", record.payload)
    return open_best(record.payload, {**meta_of(record), "wire": _on_wire(record, link)}, asked)


def _on_wire(record: Record, link: Named | None) -> str:
    """The packet behind the record, as its protocol tells."""
    try:
        return registry.adapter(link.protocol).on_wire(record) if link is not None else ""
    except Failure:  # recorded with a plugin that is not installed here
        return ""
