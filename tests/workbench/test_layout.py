from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtui.workbench.layout import PANES, Layout


def sized(columns: int, rows: int) -> Layout:
    layout = Layout()
    layout.resize(columns, rows)
    return layout


def shown(layout: Layout) -> list[str]:
    return [pane for pane in PANES if layout.visible(pane)]


def test_a_wide_terminal_shows_everything() -> None:
    assert shown(sized(140, 40)) == list(PANES)


def test_80_by_24_shows_log_and_composer() -> None:
    assert shown(sized(80, 24)) == ["log", "composer"]


def test_60_by_18_shows_the_log() -> None:
    assert shown(sized(60, 18)) == ["log"]


def test_where_there_is_no_room_a_key_zooms_and_the_same_key_goes_back() -> None:
    layout = sized(80, 24)
    assert layout.press("tree", focused=False) == "tree"
    assert shown(layout) == ["tree"]
    assert layout.press("tree", focused=True) == "log"
    assert shown(layout) == ["log", "composer"]


def test_where_there_is_room_a_key_focuses_then_folds_then_brings_back() -> None:
    layout = sized(140, 40)
    assert layout.press("tree", focused=False) == "tree"
    assert layout.press("tree", focused=True) == "log"
    assert "tree" not in shown(layout)
    assert layout.press("tree", focused=False) == "tree"
    assert shown(layout) == list(PANES)


def test_the_log_is_never_put_away() -> None:
    layout = sized(140, 40)
    assert layout.press("log", focused=True) == "log"
    assert layout.visible("log")


def test_zooming_shows_one_pane_and_again_all() -> None:
    layout = sized(140, 40)
    assert layout.zoom("message") == "message"
    assert shown(layout) == ["message"]
    assert layout.zoom("message") == "message"
    assert shown(layout) == list(PANES)


def test_a_pane_zoomed_for_want_of_room_finds_its_place_when_there_is_some() -> None:
    layout = sized(80, 24)
    layout.press("sessions", focused=False)
    layout.resize(140, 40)
    assert shown(layout) == list(PANES)


def test_a_pane_zoomed_by_choice_stays_zoomed() -> None:
    layout = sized(140, 40)
    layout.zoom("message")
    layout.resize(150, 45)
    assert shown(layout) == ["message"]


@pytest.mark.parametrize(
    ("size", "pairing"),
    [((110, 5), "columns"), ((109, 20), "rows"), ((80, 24), "rows"), ((109, 19), ""), ((20, 5), "")],
)
def test_two_logs_stand_where_they_can_be_read(size: tuple[int, int], pairing: str) -> None:
    layout = sized(*size)
    assert layout.pairing == pairing
    assert layout.paired == ""
    layout.pair(True)
    assert layout.paired == pairing
    layout.zoom("log")
    assert layout.paired == ""


def test_sessions_and_tree_make_room_for_a_second_log_and_come_back() -> None:
    layout = sized(140, 40)
    layout.pair(True)
    assert shown(layout) == ["log", "message", "composer"]
    layout.press("tree", focused=False)
    assert shown(layout) == ["tree"]
    layout.pair(False)
    assert shown(layout) == list(PANES)
    layout.pair(True)
    layout.resize(190, 40)
    assert shown(layout) == list(PANES)


@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("press"), st.sampled_from(PANES), st.booleans()),
            st.tuples(st.just("zoom"), st.sampled_from(PANES), st.booleans()),
            st.tuples(st.just("resize"), st.integers(1, 300), st.integers(1, 100)),
            st.tuples(st.just("pair"), st.booleans(), st.none()),
        )
    )
)
def test_something_is_always_visible_and_the_focus_goes_where_it_can_be_seen(
    steps: list[tuple[str, object, object]],
) -> None:
    layout = Layout()
    for what, one, two in steps:
        if what == "resize":
            layout.resize(int(str(one)), int(str(two)))
        elif what == "pair":
            layout.pair(bool(one))
        elif what == "press":
            pane = str(one)
            assert layout.visible(layout.press(pane, focused=bool(two) and layout.visible(pane)))
        else:
            assert layout.visible(layout.zoom(str(one)))
        assert shown(layout)
