"""Records for tests, and waiting for conditions."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from rtui.capture.journal import Journal
from rtui.core.record import Record

NOW = 1_700_000_000_000_000_000


def record(seq: int, payload: bytes = b"x", *, link: int = 1, channel: str = "tick", kind: int = 0) -> Record:
    return Record(seq, NOW + seq * 1000, link, kind, 1, channel, payload)


def batch(first: int, count: int, payload: bytes = b"x", *, link: int = 1) -> list[Record]:
    return [record(seq, payload, link=link) for seq in range(first, first + count)]


def until(condition: Callable[[], object], seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "the condition never came true"
        time.sleep(0.002)


def store(journal: Journal, records: Sequence[Record]) -> None:
    journal.append(records)
    until(lambda: journal.committed >= records[-1].seq)
