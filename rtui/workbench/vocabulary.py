"""What a filter can be completed with at the moment: the channels and connections of the tab, paths in its messages."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from rtui.capture.completion import Candidate, Seen, places_of
from rtui.core.record import Kind

if TYPE_CHECKING:
    from rtui.core.record import Record
    from rtui.workbench.screens.desk import Desk
    from rtui.workbench.sheet import Sheet

LOOKED_AT: Final = 200
"""Newest messages whose paths are offered, of those the filter lets through."""
BEHIND: Final = 1_000
"""Newest sequences that are looked at whatever the filter says."""


def vocabulary(desk: Desk) -> Seen:
    """What the current tab has seen."""
    sheet = desk.sheets.current
    if sheet is None:
        return Seen()
    links = desk.bench.catalog.links.values()
    shown = desk.sure_picture.types.shown
    places = places_of(shown(record) for record in _newest(desk, sheet) if record.kind == Kind.MESSAGE)
    return Seen(
        channels=[name for name in _channels(desk, sheet) if name],
        paths=places.paths,
        values=places.values,
        links=list(dict.fromkeys(link.name for link in links)),
        protocols=sorted({link.protocol for link in links}),
    )


def for_columns(desk: Desk) -> Seen:
    """The places that a column can show: those of the messages, and what came with them."""
    sheet = desk.sheets.current
    told = (record.meta.encode() for record in _newest(desk, sheet) if record.meta) if sheet is not None else ()
    metas = [Candidate(f"meta{path}", example) for path, example in places_of(told).paths]
    return Seen(paths=[*vocabulary(desk).paths, *metas])


def _channels(desk: Desk, sheet: Sheet) -> list[str]:
    sheets = desk.sheets if sheet.is_timeline else (sheet,)
    models = [one.connection.channels for one in sheets if one.connection is not None]
    models = models or [desk.bench.catalog.channels(sheet.key)]
    return list(dict.fromkeys(name for model in models for name in model.names()))


def _newest(desk: Desk, sheet: Sheet) -> Iterator[Record]:
    """Newest first."""
    count = len(sheet.lens.seqs)
    yield from reversed(sheet.lens.rows(max(0, count - LOOKED_AT), LOOKED_AT))
    last = desk.bench.catalog.last
    for record in reversed(desk.bench.catalog.records(range(max(1, last - BEHIND), last + 1))):
        if sheet.is_timeline or record.link == sheet.key:
            yield record
