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


def test_the_timeline_stays_last() -> None:
    assert [sheet.key for sheet in three()] == [1, 2, TIMELINE]


def test_tabs_go_round() -> None:
    sheets = three()
    sheets.current = sheets.get(1)
    before, after = sheets.beside(-1), sheets.beside(1)
    assert before is not None
    assert before.key == TIMELINE
    assert after is not None
    assert after.key == 2


def test_removing_the_current_tab_shows_its_neighbour() -> None:
    sheets = three()
    current = sheets.current = sheets.get(2)
    assert current is not None
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
