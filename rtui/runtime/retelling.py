"""Rows of an earlier capture on their way into this one."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import Final

from rtui.capture.export import timestamp
from rtui.core.record import Direction, Record

REMEMBERED: Final = 10_000
"""Rows that were sent whose answers may come: as many as a ledger has tickets."""
RECORDED: Final = "recorded"
"""The key of a row's meta that tells when it was recorded, as the command line writes times."""

_HEAD: Final = f'{{"{RECORDED}":"'
_OUT: Final = int(Direction.OUT)


def is_retold(row: Record) -> bool:
    """Whether a row was recorded before, and not now."""
    return row.meta is not None and row.meta.startswith(_HEAD)


class Retelling:
    """Gives rows a place and a time of now. What they are stays: only `meta` tells besides when that was recorded."""

    def __init__(self, link: int) -> None:
        self._link = link
        self._places: OrderedDict[int, int] = OrderedDict()
        """Where a row that was sent stood, and where it stands now."""
        self._time = -1
        self._stamp = ""

    def placed(self, rows: Sequence[Record], seq: int, now: int) -> list[Record]:
        """`rows` from `seq` on. Latencies are those of then, and answers name the place that their request has now."""
        link, places = self._link, self._places
        told: list[Record] = []
        for row in rows:
            if row.direction == _OUT:
                places[row.seq] = seq
            answers = None if row.reply_to is None else places.get(row.reply_to)
            told.append(
                Record(
                    seq,
                    now,
                    link,
                    row.kind,
                    row.direction,
                    row.channel,
                    row.payload,
                    self._marked(row),
                    answers,
                    row.latency,
                )
            )
            seq += 1
        while len(places) > REMEMBERED:
            places.popitem(last=False)
        return told

    def _marked(self, row: Record) -> str:
        """The row's meta, headed by when it was recorded. What is no JSON object goes: no reader shows it."""
        if row.time != self._time:
            self._time, self._stamp = row.time, f'{_HEAD}{timestamp(row.time)}"'
        meta = row.meta
        if not meta or meta == "{}" or meta[0] != "{":
            return self._stamp + "}"
        return f"{self._stamp},{meta[1:]}"
