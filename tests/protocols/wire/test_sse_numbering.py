from __future__ import annotations

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtui.core.event import Event, Notice, Received
from rtui.core.record import Kind
from rtui.protocols.wire.sse_numbering import Numbering


def events(ids: Iterable[object]) -> list[Event]:
    return [Received("message", b"", Kind.MESSAGE, None if each is None else {"id": str(each)}) for each in ids]


def warnings(ids: Iterable[object], numbering: Numbering | None = None) -> list[str]:
    marked = (numbering or Numbering()).marked(events(ids))
    return [event.text for event in marked if isinstance(event, Notice)]


def test_a_gap_is_told_in_front_of_the_event_behind_it() -> None:
    marked = Numbering().marked(events([39, 40, 41, 45, 46]))
    assert [type(event) for event in marked] == [Received] * 3 + [Notice] + [Received] * 2
    notice = marked[3]
    assert isinstance(notice, Notice)
    assert (notice.text, notice.level) == ("ids 41 → 45: 3 missing", "warning")
    assert notice.meta == {"last": 41, "id": 45, "missing": 3}


def test_what_came_before_is_told() -> None:
    assert warnings([1, 2, 3, 3, 4]) == ["id 3 again"]
    assert warnings([1, 2, 3, 4, 5, 3, 4, 5, 6]) == ["ids 5 → 3: repeated, or counted anew"]


@pytest.mark.parametrize(
    "ids",
    [
        [1, 2, 5],  # rose by one only once
        [10, 20, 30, 40],
        ["a1", "a2", "a3", "a9"],
        ["1-0", "2-0", "3-0", "9-0"],
        [1_790_000_000, 1_790_000_001, 1_790_000_002, 1_790_000_009],
        [1_790_000_000_000, 1_790_000_000_001, 1_790_000_000_002, 1_790_000_000_999],
        ["", "", "", "7"],
        ["9" * 30, "9" * 31],
        [None, None],
        [3, 2, 1],
    ],
)
def test_ids_that_do_not_count_are_left_alone(ids: list[object]) -> None:
    assert warnings(ids) == []


def test_events_without_an_id_do_not_interrupt_the_count() -> None:
    assert warnings([1, None, 2, None, 3, None, 5]) == ["ids 3 → 5: 1 missing"]


def test_leading_zeros_count() -> None:
    assert warnings(["007", "008", "009", "010", "012"]) == ["ids 10 → 12: 1 missing"]


def test_ids_that_keep_jumping_are_left_alone_in_the_end() -> None:
    assert len(warnings([1, 2, 3, *range(10, 1000, 10)])) == 1
    assert len(warnings([*range(100), *range(200, 10_000, 10)])) < 8


def test_it_goes_on_over_connections() -> None:
    numbering = Numbering()
    assert warnings([1, 2, 3], numbering) == []
    assert warnings([4, 5], numbering) == []
    assert warnings([9], numbering) == ["ids 5 → 9: 3 missing"]


@given(start=st.integers(0, 10**8), length=st.integers(3, 60), lost=st.integers(1, 50))
def test_a_count_marks_exactly_its_gap(start: int, length: int, lost: int) -> None:
    before, after = start + length, start + length + lost
    assert warnings([*range(start, before), *range(after, after + 5)]) == [
        f"ids {before - 1} → {after}: {lost:,} missing"
    ]


@given(ids=st.lists(st.one_of(st.none(), st.text(max_size=4), st.integers(0, 9)), max_size=30))
def test_no_event_is_lost_or_moved(ids: list[object]) -> None:
    given_events = events(ids)
    assert [event for event in Numbering().marked(given_events) if isinstance(event, Received)] == given_events


@given(st.lists(st.lists(st.integers(0, 3) | st.none(), max_size=6), max_size=8))
def test_how_events_are_batched_changes_nothing(steps: list[list[int | None]]) -> None:
    """Most batches run on; small steps make the others."""
    number, ids = 0, list[list[object]]()
    for batch in steps:
        ids.append([None if step is None else (number := number + (step or 1)) for step in batch])
    one, other = Numbering(), Numbering()
    together = [event for batch in ids for event in one.marked(events(batch))]
    assert together == [event for batch in ids for each in batch for event in other.marked(events([each]))]
