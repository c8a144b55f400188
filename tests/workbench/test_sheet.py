from __future__ import annotations

from typing import Any

from rtui.capture.lens import Lens
from rtui.workbench.sheet import TIMELINE, Sheet, Sheets


class FakeLens:
    def __init__(self, link: int | None) -> None:
        self.link = link
        self.cancelled = False

    def cancel(self) -> None:
        self.cancelled = True


def make(link: int | None, _found: Any) -> Lens:
    return FakeLens(link)  # type: ignore[return-value]


def three() -> Sheets:
    sheets = Sheets()
    for key in (1, TIMELINE, 2):
        sheets.add(Sheet(key, str(key), make))
    return sheets


def go(sheets: Sheets, key: int) -> Sheet:
    sheet = sheets.get(key)
    assert sheet is not None
    sheets.go(sheet)
    return sheet


def test_the_timeline_stays_last() -> None:
    assert [sheet.key for sheet in three()] == [1, 2, TIMELINE]


def test_tabs_go_round() -> None:
    sheets = three()
    go(sheets, 1)
    before, after = sheets.beside(-1), sheets.beside(1)
    assert before is not None
    assert before.key == TIMELINE
    assert after is not None
    assert after.key == 2


def test_removing_the_current_tab_shows_its_neighbour() -> None:
    sheets = three()
    current = go(sheets, 2)
    sheets.remove(current)
    assert sheets.current is sheets.get(1)
    for sheet in list(sheets):
        sheets.remove(sheet)
    assert sheets.current is None
    assert sheets.beside(1) is None


def test_the_lens_of_a_timeline_takes_every_link_and_is_made_when_looked_at() -> None:
    made: list[int | None] = []

    def note(link: int | None, found: Any) -> Lens:
        made.append(link)
        return make(link, found)

    sheet = Sheet(TIMELINE, "timeline", note)
    assert made == []
    assert sheet.lens is sheet.lens
    assert made == [None]


def test_another_filter_ends_the_scan_of_the_old_one() -> None:
    sheet = Sheet(3, "x", make)
    old: Any = sheet.lens
    sheet.narrow(None, "bob")
    assert old.cancelled
    assert sheet.lens is not old
    assert sheet.filter_text == "bob"


def shown(sheets: Sheets) -> list[int]:
    return [sheet.key for sheet in sheets.shown]


def split() -> Sheets:
    sheets = three()
    left, right = go(sheets, 1), sheets.get(2)
    assert right is not None
    sheets.split(right)
    assert (shown(sheets), sheets.current, sheets.other) == ([1, 2], right, left)
    return sheets


def test_a_tab_that_both_halves_could_show_stays_where_it_is() -> None:
    sheets = split()
    go(sheets, 1)
    assert (shown(sheets), sheets.place) == ([1, 2], 0)
    go(sheets, TIMELINE)
    assert shown(sheets) == [TIMELINE, 2]


def test_stepping_through_tabs_passes_over_what_the_other_half_shows() -> None:
    sheets = split()
    beside = sheets.beside(1), sheets.beside(-1)
    assert [sheet.key for sheet in beside if sheet is not None] == [TIMELINE, TIMELINE]


def test_a_third_tab_beside_the_current_one_takes_the_place_of_the_other() -> None:
    sheets = split()
    third = sheets.get(TIMELINE)
    assert third is not None
    sheets.split(third)
    assert (shown(sheets), sheets.current) == ([TIMELINE, 2], third)
    sheets.split(third)
    assert shown(sheets) == [TIMELINE, 2]


def test_the_end_of_a_split_leaves_the_current_tab_and_remembers_the_other() -> None:
    sheets = split()
    sheets.unsplit()
    assert (shown(sheets), sheets.place, sheets.other) == ([2], 0, None)
    assert sheets.companion() is sheets.get(1)


def test_closing_either_half_leaves_the_other() -> None:
    for closed, left in ((1, 2), (2, 1)):
        sheets = split()
        sheet = sheets.get(closed)
        assert sheet is not None
        sheets.remove(sheet)
        assert shown(sheets) == [left]
        assert sheets.current is sheets.get(left)


def test_a_tab_that_is_alone_has_no_companion_and_a_closed_one_is_none() -> None:
    sheets = Sheets()
    for key in (1, 2):
        sheets.add(Sheet(key, str(key), make))
    first, second = go(sheets, 1), go(sheets, 2)
    assert sheets.companion() is first
    sheets.remove(first)
    assert sheets.companion() is None
    assert sheets.current is second


def test_halves_change_places_and_the_current_one_stays_current() -> None:
    sheets = Sheets()
    one, other = (Sheet(key, str(key), make) for key in (1, 2))
    sheets.add(one)
    sheets.add(other)
    sheets.go(one)
    sheets.swap()
    assert sheets.shown == [one]
    sheets.split(other)
    sheets.swap()
    assert (sheets.shown, sheets.current, sheets.other) == ([other, one], other, one)
