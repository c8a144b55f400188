"""What is told for many rows at a time is what would have been told of each."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from rtui.capture import pattern
from rtui.capture.joint import BETWEEN, LONGEST
from rtui.capture.journal import Journal
from rtui.capture.query import compile_filter
from rtui.capture.reader import Reader
from rtui.capture.sweep import MOST
from rtui.core.record import Record
from tests.capture.helper import NOW, batch, record, store


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    with closing(Journal.create(tmp_path / "c.rtui")) as made:
        yield made


def found(journal: Journal, text: str, link: int | None = None) -> list[int]:
    with closing(Reader(journal.path)) as reader:
        matching = compile_filter(text)
        seqs = list(reader.seqs(matching, link))
        assert sum(map(list, reader.scan(matching, link, newest_first=False, chunk=7)), []) == seqs  # noqa: RUF017
        assert reader.count(matching, link) == len(seqs)
        return seqs


def test_rows_that_cannot_be_joined_are_searched_alone(journal: Journal) -> None:
    payloads = (b"a1", f"{BETWEEN}a2".encode(), b"x" * LONGEST + b"a3", b"\xc3", b"\xffa4\x00", b"", b"a")
    store(journal, [record(seq, payload) for seq, payload in enumerate(payloads, 1)])
    assert found(journal, r"/a\d/") == [1, 2, 3, 5]
    assert found(journal, r"/^a\d$/") == [1]
    assert found(journal, r"/^$/") == [6]
    assert found(journal, f"/{BETWEEN}a/") == [2]


def test_where_sequences_have_gaps(journal: Journal) -> None:
    store(journal, [record(seq, b"a%d" % (seq % 2)) for seq in (3, 7, 8, 9, 5_000)])
    assert found(journal, "/a1/") == [3, 7, 9]
    assert found(journal, "/[a]0/") == [8, 5_000]


def test_of_one_link_and_within_other_terms(journal: Journal) -> None:
    store(journal, [record(1, b"a1", link=1), record(2, b"a1", link=2), record(3, b"b", link=1), record(4, b"a2")])
    assert found(journal, r"/[a]\d/", link=1) == [1, 4]
    assert found(journal, r"/[a]\d/ not link:x ( /[1]/ or .v )") == [1, 2]
    assert found(journal, r"not /[a]\d/") == [3]
    assert found(journal, r"not ( /[a]\d/ or /b/ )") == []


def test_channels_are_searched_too(journal: Journal) -> None:
    store(journal, [record(1, b"x", channel="a/1"), record(2, b"1", channel="b"), record(3, b"x", channel="c")])
    assert found(journal, r"/[1]/") == [1, 2]
    assert found(journal, "ch:+/1/#") == [1]


def test_texts_in_json_by_expression(journal: Journal) -> None:
    payloads = (b'{"a":"x1"}', b'{"a":1}', b"a1", b'{"a":"\\u0078\\n2"}', b'{"b":"x1"}', b'{"a":"\xc3\x84x"}')
    store(journal, [record(seq, payload) for seq, payload in enumerate(payloads, 1)])
    assert found(journal, r".a~/x\s*\d/") == [1, 4]
    assert found(journal, ".a~/1/") == [1]
    assert found(journal, '.a~"ä"') == [6]


def test_many_rows_are_not_asked_about_one_by_one(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    store(journal, batch(1, 3 * MOST, b'{"v":"a"}'))
    asked: list[str] = []

    def finds(source: str, text: str) -> bool:
        asked.append(text)
        return pattern.regexp(source, text)

    monkeypatch.setattr("rtui.capture.sweep._KINDS", {"finds": finds})
    assert len(found(journal, "/[a]/")) == 3 * MOST
    assert len(found(journal, ".v~/[a]/")) == 3 * MOST
    assert len(asked) <= 1  # the channel


def test_answers_move_rows_of_a_filter_with_an_expression(journal: Journal) -> None:
    asking = Record(1, NOW, 1, 0, 2, "a", b"a1", '{"ack":1}')
    store(journal, [asking, record(2), Record(3, NOW, 1, 3, 1, "a", b"", None, 1)])
    with closing(Reader(journal.path)) as reader:
        assert reader.answered(compile_filter(r"/[a]\d/ or unanswered"), None, 1, 3)[1] == {1}
        assert reader.answered(compile_filter(r"/[b]\d/ or unanswered"), None, 1, 3)[0].tolist() == [1]
