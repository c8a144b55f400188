"""The capture as the workbench sees it: being recorded or opened from a file, with its connections by number."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from rtui.capture.channels import Channels
from rtui.capture.lens import Lens
from rtui.capture.past import Past
from rtui.capture.reader import LinkRow, Reader
from rtui.core.fault import Failure
from rtui.core.words import numbered
from rtui.protocols import registry
from rtui.workbench.widgets import figure

if TYPE_CHECKING:
    from rtui.capture.journal import Journal
    from rtui.capture.query import Filter
    from rtui.core.record import Record
    from rtui.protocols.base import Words
    from rtui.runtime.hub import Connection

BATCH: Final = 2_000
"""Rows exported between two looks at the cancel button."""
COUNTED: Final = 200_000
"""Newest rows of an opened capture that its tree counts."""


class Catalog:
    """Records and links by number, wherever they are at the moment."""

    def __init__(self, reader: Reader, journal: Journal | None = None) -> None:
        self.reader = reader
        self.journal = journal
        """None for a capture that was opened to be read."""
        self.past = Past(reader, journal)
        self.links: dict[int, LinkRow] = {}
        """What users read: two of one name are told apart."""
        for link in () if journal else reader.links():
            self._note(link)
        self._channels: dict[int, Channels] = {}
        oldest, self._last = (0, 0) if journal else reader.bounds()
        self.recorded = _stretch(reader, oldest, self._last)
        """From when to when what was opened was recorded, for people: rows tell the time of day alone."""

    @property
    def last(self) -> int:
        """The newest sequence."""
        return self.journal.last if self.journal is not None else self._last

    def add_link(self, connection: Connection) -> str:
        """A connection was opened: rows may name it before the writer has stored it. Returns what it is called."""
        return self._note(LinkRow(connection.id, connection.name, connection.protocol, connection.url))

    def rename(self, link: int, name: str) -> str:
        """The connection is called `name` from now on, or like it, in the capture too; returns what."""
        noted = self._note(msgspec.structs.replace(self.links[link], name=name))
        if self.journal is not None:
            self.journal.rename_link(link, noted)
        return noted

    def _note(self, link: LinkRow) -> str:
        name = numbered(link.name, {one.name for one in self.links.values() if one.id != link.id})
        self.links[link.id] = msgspec.structs.replace(link, name=name)
        return name

    def lens(self, link: int | None, found: Filter | None) -> Lens:
        """A view on the records of `link` (None: of all) that `found` lets through; its scan runs."""
        lens = Lens(self.journal, self.reader, link, found)
        lens.start()
        return lens

    def record(self, seq: int | None) -> Record | None:
        """One record, from memory if it is still there."""
        if seq is None:
            return None
        if self.journal is not None and (kept := self.journal.get(seq)) is not None:
            return kept
        return next(iter(self.reader.window([seq])), None)

    def records(self, seqs: Sequence[int]) -> list[Record]:
        """Several records, in order; those that are gone are left out."""
        return [record for record in map(self.record, seqs) if record is not None]

    def words(self, link: int) -> Words | None:
        """What the protocol of a link calls things; for all links (0), if they have one protocol."""
        protocols = {row.protocol for row in self.links.values() if link in {0, row.id}}
        if len(protocols) != 1:
            return None
        try:
            return registry.adapter(protocols.pop()).words
        except Failure:  # recorded with a plugin that is not installed here
            return None

    def channels(self, link: int) -> Channels:
        """The tree's model of a link (0: of all) in an opened capture."""
        if link not in self._channels:
            words = self.words(link)
            self._channels[link] = counted = Channels(words.separator if words is not None else None)
            if self.journal is None:
                records = self.reader.range(self._last - COUNTED, self._last)
                counted.tap([record for record in records if link in {0, record.link}])
        return self._channels[link]

    def export(self, path: Path, link: int | None, found: Filter | None) -> Iterator[tuple[int, int]]:
        """Write what is stored and matches to `path` as NDJSON, in a worker thread; yields (rows written, of how many).

        The file appears when it is whole: a cancelled export leaves nothing behind.
        """
        from rtui.capture.export import ndjson_lines

        draft = path.with_name(f".{path.name}.part")
        reader = self.reader.fork()
        try:
            total, done = reader.count(found, link), 0
            links = {row.id: row for row in reader.links()} | self.links
            with draft.open("wb") as out:
                for seqs in reader.scan(found, link, newest_first=False):
                    for start in range(0, len(seqs), BATCH):
                        records = reader.window(seqs[start : start + BATCH])
                        out.write(ndjson_lines(records, links))
                        done += len(records)
                        yield done, total
            draft.replace(path)
            yield done, done
        finally:
            reader.close()
            draft.unlink(missing_ok=True)


def _stretch(reader: Reader, oldest: int, newest: int) -> str:
    """Empty if there are no rows."""
    times: list[int] = []
    with suppress(sqlite3.DatabaseError):  # it is damaged there; who opens it is told
        times = [record.time for record in reader.window([oldest, newest])]
    return figure.stretch(times[0], times[-1]) if times else ""
