"""What a filter prints, where the capture is behind what was received."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import cast

from rtui.capture.journal import Journal
from rtui.capture.query import compile_filter
from rtui.cli.printer import Filtered, Printer
from rtui.cli.spool import Spool
from rtui.core.record import Direction, Kind, Record
from rtui.runtime.tasks import spawn
from tests.capture.helper import store
from tests.waiting import eventually


class Behind:
    """A journal whose writer is as far as the test says."""

    trouble = ""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.last = self.stored = self.looks = 0

    @property
    def committed(self) -> int:
        self.looks += 1
        return self.stored


def ping(seq: int, direction: Direction, reply_to: int | None = None) -> Record:
    return Record(seq, seq, 1, Kind.PING, direction, "", b"", None, reply_to)


async def test_an_answer_that_was_received_counts_at_the_end_before_it_is_stored(tmp_path: Path) -> None:
    printed: list[int] = []

    def seen(records: Sequence[Record]) -> list[Record]:
        printed.extend(record.seq for record in records)
        return []

    journal = Journal.create(tmp_path / "run.rtui")
    behind = Behind(journal.path)
    printer = Printer(Spool(), lambda _: b"", seen)
    try:
        async with Filtered(cast("Journal", behind), compile_filter("unanswered"), printer) as filtered:
            store(journal, [ping(1, Direction.OUT)])
            behind.stored, behind.last = 1, 2
            ending = spawn(filtered.finish(), "ending")
            looks = behind.looks
            await eventually(lambda: behind.looks > looks + 5)
            store(journal, [ping(2, Direction.IN, 1)])
            behind.stored = 2
            await ending
    finally:
        journal.close()
    assert printed == []
