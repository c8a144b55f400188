from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from rtui.capture.joined import AUTO, MAX_BYTES, USUAL, Joined, Strand, texts
from rtui.capture.journal import TAIL_RECORDS, Journal
from rtui.capture.past import Past
from rtui.capture.reader import Reader
from rtui.core.json_path import put, read
from rtui.core.record import Direction, Kind, Record
from tests.capture.helper import NOW, record, store, until

SECOND = 1_000_000_000


@pytest.fixture
def reader(journal: Journal) -> Iterator[Reader]:
    made = Reader(journal.path)
    yield made
    made.close()


def chunk(text: str | None) -> bytes:
    return json.dumps({"choices": [{"index": 0, "delta": {"content": text}}]}).encode()


def stream(first: int, *payloads: bytes, link: int = 1) -> list[Record]:
    return [record(first + at, payload, link=link, channel="message") for at, payload in enumerate(payloads)]


def opening(seq: int, link: int = 1) -> Record:
    return record(seq, b"open", link=link, channel="", kind=Kind.OPEN)


def closing(seq: int, *, clean: bool = True, link: int = 1) -> Record:
    return Record(seq, NOW + seq, link, Kind.CLOSE, 0, "", b"closed", f'{{"clean":{str(clean).lower()}}}')


def settled(joined: Joined) -> Joined:
    if not joined.complete:
        joined.take(joined.look_up())
    while joined.refresh():
        pass
    return joined


def text(strand: Strand) -> str:
    return "".join("|" if piece is None else piece for piece in strand.drain())


def fed(*records: Record, path: str = AUTO) -> Strand:
    strand = Strand(path)
    strand.feed(records, records[-1].seq)
    return strand


@pytest.mark.parametrize("path", USUAL)
def test_the_usual_places_are_found(path: str) -> None:
    payload = b'{"type":"x"}'
    steps = read(path)
    value: object = "tok"
    for step in reversed(steps):
        value = [value] if isinstance(step, int) else {step: value}
    strand = fed(opening(1), *stream(2, payload, json.dumps(value).encode()))
    assert text(strand) == "tok"
    assert strand.path == path


def test_one_place_is_kept_once_it_was_found() -> None:
    strand = fed(opening(1), *stream(2, chunk("a"), b'{"text":"not this"}', chunk(None), chunk(""), chunk("b")))
    assert text(strand) == "ab"
    assert strand.tokens == 2


def test_figures_of_a_stream() -> None:
    records = [
        Record(1, NOW, 1, Kind.OPEN, 0, "", b"open"),
        Record(2, NOW + SECOND // 2, 1, Kind.MESSAGE, Direction.IN, "message", chunk("")),
        *(Record(3 + at, NOW + (2 + at) * SECOND // 2, 1, 0, 1, "message", chunk("x")) for at in range(11)),
        Record(14, NOW + 9 * SECOND, 1, Kind.MESSAGE, Direction.IN, "message", b" [DONE]\n"),
        closing(15),
    ]
    strand = fed(*records)
    assert (strand.tokens, strand.rate, strand.waited) == (11, 2.0, SECOND)
    assert strand.done
    assert strand.closed == "closed"
    assert not strand.partial
    assert fed(*records[:5], closing(6, clean=False)).closed == "cut off"


def test_texts_on_one_connection_are_told_apart() -> None:
    question = Record(5, NOW + 5 * SECOND, 1, Kind.MESSAGE, Direction.OUT, "", b"more")
    answer = Record(6, NOW + 7 * SECOND, 1, Kind.MESSAGE, Direction.IN, "", chunk("b"))
    strand = fed(opening(1), *stream(2, chunk("a"), b"[DONE]"), question, answer)
    assert text(strand) == "a|b"
    assert (strand.tokens, strand.waited, strand.done) == (1, 2 * SECOND, False)


def test_any_path_may_be_asked_for() -> None:
    records = [opening(1), *stream(2, b'{"a b":["x","y"]}', b'{"a b":["z"]}', b"{", b'{"a b":[1]}')]
    assert text(fed(*records, path='.["a b"][-1]')) == "yz"
    assert text(fed(*stream(1, b'"a\\n"', b"plain", b"12"), path=".")) == "a\nplain12"
    with pytest.raises(ValueError, match="dot"):
        Strand("choices")


def test_huge_and_broken_messages_are_stepped_over() -> None:
    huge = put(chunk(""), read(".choices[0].delta.content"), b'"' + b"x" * MAX_BYTES + b'"')
    strand = fed(opening(1), *stream(2, huge, b"\xff", b"[" * 9_999, chunk("ok")))
    assert text(strand) == "ok"


def test_a_run_ends_where_the_next_one_opens(journal: Journal, reader: Reader) -> None:
    other = stream(3, chunk("other"), link=2)
    records = [opening(1), *stream(2, chunk("a")), *other, *stream(4, chunk("b")), closing(5), opening(6)]
    records += stream(7, chunk("c"))
    for one in records:
        journal.append([one])
    past = Past(reader, journal)
    for inside in (1, 2, 4, 5):
        joined = settled(Joined(past, 1, inside))
        assert text(joined.strand) == "ab"
        assert joined.covers(5)
        assert not joined.covers(6)
        assert not joined.behind
    joined = settled(Joined(past, 1, 7))
    assert text(joined.strand) == "c"
    assert not joined.covers(5)
    journal.append(stream(8, chunk("d")))
    assert joined.refresh()
    assert text(joined.strand) == "d"
    assert not joined.refresh()


def test_an_opened_capture_is_read_like_a_live_one(journal: Journal, reader: Reader) -> None:
    store(journal, [opening(1), *stream(2, *(chunk(f"{n} ") for n in range(3_000)), b"[DONE]"), closing(3_003)])
    joined = settled(Joined(Past(reader), 1, 2_000))
    assert text(joined.strand) == "".join(f"{n} " for n in range(3_000))
    assert joined.strand.done
    assert joined.strand.closed == "closed"


def test_what_memory_has_lost_is_read_from_the_file(journal: Journal, reader: Reader) -> None:
    count = TAIL_RECORDS + 5_000
    store(journal, [opening(1)])
    for start in range(2, count, 1_000):
        store(journal, stream(start, *(chunk("x") for _ in range(1_000))))
    past = Past(reader, journal)
    joined = Joined(past, 1, journal.last)
    assert not joined.complete
    settled(joined)
    assert joined.strand.tokens == journal.last - 1
    assert not joined.strand.partial


def test_a_pause_longer_than_memory_loses_nothing(journal: Journal, reader: Reader) -> None:
    past = Past(reader, journal)
    journal.append([opening(1)])
    joined = settled(Joined(past, 1, 1))
    for start in range(2, 2 * TAIL_RECORDS, 1_000):
        journal.append(stream(start, *(chunk("x") for _ in range(1_000))))
    until(lambda: settled(joined).strand.tokens == journal.last - 1)


def test_a_run_that_began_before_the_capture_says_so(journal: Journal, reader: Reader) -> None:
    store(journal, stream(5, chunk("a"), chunk("b")))
    strand = settled(Joined(Past(reader), 1, 6)).strand
    assert text(strand) == "ab"
    assert strand.partial
    assert strand.waited is None


def test_every_string_is_offered_as_a_place() -> None:
    assert texts(b'{"a":{"b c":["x",1]},"d":"y"}') == ['.a["b c"][0]', ".d"]
    assert texts(b'"x"') == ["."]
    assert texts(b"no json") == []


@pytest.mark.parametrize(("more", "found"), [(-1, [".a"]), (0, [".a"]), (1, [])])
def test_no_paths_are_looked_for_in_what_is_too_large_for_a_piece(more: int, found: list[str]) -> None:
    frame = b'{"a":"%s"}'
    payload = frame % (b"x" * (MAX_BYTES - len(frame % b"") + more))
    assert texts(payload) == found
