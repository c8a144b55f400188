from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from rtui.capture.journal import Journal
from rtui.capture.query import compile_filter
from rtui.capture.reader import Reader
from rtui.core.record import Direction, Kind, Record
from rtui.runtime import retelling
from rtui.runtime.hub import Connection, Hub
from rtui.runtime.retelling import REMEMBERED, Retelling, is_retold
from rtui.settings.secrets import Secrets
from rtui.settings.session import session_from_url
from tests.protocols.recording import BEGIN, NONE, OUT, numbered, record, row
from tests.waiting import eventually

WHEN = "2023-11-14T22:13:20.000000Z"


def test_a_row_gets_a_place_and_a_time_and_stays_what_it_was() -> None:
    then = Record(7, BEGIN, 3, Kind.PING, Direction.IN, "a/b", b"\xff", '{"qos":1}', None, 1234)
    (now,) = Retelling(9).placed([then], 100, 5)
    assert now == Record(
        100, 5, 9, Kind.PING, Direction.IN, "a/b", b"\xff", f'{{"recorded":"{WHEN}","qos":1}}', None, 1234
    )
    assert is_retold(now)
    assert not is_retold(then)


@pytest.mark.parametrize("meta", [None, "", "{}", "[1]", "no JSON"])
def test_meta_that_say_nothing_are_left_out(meta: str | None) -> None:
    (now,) = Retelling(1).placed([Record(1, BEGIN, 1, 0, 1, "", b"", meta)], 1, 0)
    assert msgspec.json.decode(now.meta or "") == {"recorded": WHEN}


def test_answers_name_the_place_that_their_request_has_now() -> None:
    rows = [
        Record(1, 0, 1, 0, Direction.OUT, "", b"request"),
        Record(2, 0, 1, 0, Direction.IN, "", b"other"),
        Record(3, 0, 1, 0, Direction.IN, "", b"answer", None, 1, 55),
        Record(4, 0, 1, 0, Direction.IN, "", b"of a request before the recording", None, 999, 55),
    ]
    told = Retelling(1).placed(rows, 40, 0)
    assert [(one.reply_to, one.latency) for one in told] == [(None, None), (None, None), (40, 55), (None, 55)]


def test_a_round_later_answers_name_the_newest_place() -> None:
    places = Retelling(1)
    rows = [Record(1, 0, 1, 0, Direction.OUT, "", b""), Record(2, 0, 1, 0, Direction.IN, "", b"", None, 1)]
    places.placed(rows, 10, 0)
    assert places.placed(rows, 20, 0)[1].reply_to == 20


def test_what_it_remembers_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retelling, "REMEMBERED", 3)
    places = Retelling(1)
    places.placed([Record(n, 0, 1, 0, Direction.OUT, "", b"") for n in range(1, 9)], 1, 0)
    assert list(places._places) == [6, 7, 8]
    assert REMEMBERED > 1000


async def opened(journal: Journal, url: str) -> Connection:
    connection = Hub(journal).open(session_from_url(url), Secrets(), retry_first=False)
    await connection.wait_closed()
    return connection


async def test_a_replay_is_a_recording_of_its_own(tmp_path: Path) -> None:
    """Kinds, directions, latencies and what answers what are as they were: filters and counts find the same."""
    request = row(1, 0, b'{"id":1,"method":"m"}', direction=OUT)
    rows = [
        row(1, 0, b"open", kind=Kind.OPEN, direction=NONE),
        request,
        row(1, 0, b'{"id":1,"result":2}', reply_to=2, latency=99),
        request,
        *numbered(3),
    ]
    stored = record(tmp_path / "then.rtui", rows, [("calls", "websocket")])
    journal = Journal.create(tmp_path / "now.rtui")
    try:
        connection = await opened(journal, f"replay:{tmp_path}/then.rtui?speed=max")
        await eventually(lambda: journal.committed == journal.last)
        reader = Reader(tmp_path / "now.rtui")
        told = [one for one in reader.range(1, journal.last) if is_retold(one)]
        same = [(one.kind, one.direction, one.channel, one.payload, one.latency) for one in told]
        assert same == [(one.kind, one.direction, one.channel, one.payload, one.latency) for one in stored]
        assert told[2].reply_to == told[1].seq
        (link,) = reader.links()
        assert (link.name, link.protocol) == ("then", "websocket")
        assert list(reader.seqs(compile_filter("unanswered"))) == [told[3].seq]
        assert connection.channels.root.total == 3 + 3
        reader.close()
    finally:
        journal.close()


async def test_what_a_recording_cannot_do_is_refused_before_it_is_asked(tmp_path: Path) -> None:
    record(tmp_path / "then.rtui", numbered(2, 3600))
    journal = Journal.create(tmp_path / "now.rtui")
    try:
        connection = Hub(journal).open(session_from_url(f"replay:{tmp_path}/then.rtui"), Secrets())
        await connection.wait_open()
        outcome = await connection.wait_outcome(connection.send(b"x"))
        assert getattr(outcome, "kind", "") == "usage"
        connection.close()
        await connection.wait_closed()
    finally:
        journal.close()
