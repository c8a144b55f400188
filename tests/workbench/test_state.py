from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from pathlib import Path

import msgspec
import pytest

from rtui.settings.files import LARGEST_FILE
from rtui.workbench.state import HISTORIES, HISTORY, LARGEST_HISTORY, LONGEST_PAYLOAD, State
from rtui.workbench.state_file import load_state, save_state


def test_what_is_saved_is_loaded(tmp_path: Path) -> None:
    state = State(theme="light", folded=["tree"], tour_dismissed=True, filters={"chat": "bob"})
    assert save_state(state, tmp_path / "sub" / "state.json") == ""
    assert load_state(tmp_path / "sub" / "state.json") == (state, [])
    assert (tmp_path / "sub" / "state.json").stat().st_mode & 0o777 == 0o600


def test_no_file_is_no_problem(tmp_path: Path) -> None:
    assert load_state(tmp_path / "none") == (State(), [])


@pytest.mark.parametrize("text", ["", "{", "[]", '{"theme": 3}', "[" * 100_000, '{"history": {"a": [1]}}'])
def test_a_broken_file_costs_a_problem_and_the_defaults(tmp_path: Path, text: str) -> None:
    path = tmp_path / "state.json"
    path.write_text(text)
    state, problems = load_state(path)
    assert state == State()
    assert len(problems) == 1
    assert str(path) in str(problems[0])


@pytest.mark.parametrize("text", ["{", '{"window": 1, "plugins": []}', '"text"'])
def test_a_file_that_is_not_ours_is_kept_beside_the_new_one(tmp_path: Path, text: str) -> None:
    path = tmp_path / "state.json"
    path.write_text(text)
    state, problems = load_state(path)
    assert state == State()
    assert len(problems) == 1
    assert save_state(state, path) == ""
    assert (tmp_path / "state.json.bak").read_text() == text


def test_an_empty_state_is_a_state(tmp_path: Path) -> None:
    assert save_state(State(), tmp_path / "state.json") == ""
    assert load_state(tmp_path / "state.json") == (State(), [])


def test_filters_are_kept_by_session_and_forgotten_when_cleared() -> None:
    state = State()
    state.remember_filter("chat", "ch:a")
    state.remember_filter("chat", "ch:b")
    assert state.filters == {"chat": "ch:b"}
    state.remember_filter("chat", "")
    assert state.filters == {}
    for number in range(HISTORIES + 3):
        state.remember_filter(f"s{number}", "x")
    assert len(state.filters) == HISTORIES


def test_what_a_newer_version_wrote_stays(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    path.write_text('{"theme": "nord", "holograms": true}')
    assert load_state(path) == (State(theme="nord"), [])
    assert save_state(State(theme="light"), path, State(theme="nord")) == ""
    assert msgspec.json.decode(path.read_bytes()) == {"holograms": True, "theme": "light"}


def test_a_value_that_does_not_fit_is_named_with_its_line_and_stays_until_it_is_changed_here(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    path.write_text('{\n "theme": "nord",\n "sizes": {"tree": "30%"},\n "history": {"a": [1]}\n}')
    state, problems = load_state(path)
    assert state == State(theme="nord")
    assert [(one.file, one.line, one.key) for one in problems] == [(str(path), 3, "sizes"), (str(path), 4, "history")]
    before = deepcopy(state)
    state.expressions.append("in")
    assert save_state(state, path, before) == ""
    kept = msgspec.json.decode(path.read_bytes())
    assert kept == {"theme": "nord", "sizes": {"tree": "30%"}, "history": {"a": [1]}, "expressions": ["in"]}
    state.sizes["tree"] = 20
    assert save_state(state, path, before) == ""
    assert load_state(path)[0].sizes == {"tree": 20}


def test_every_broken_file_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    for text in ("{1", "{2", "{3"):
        path.write_text(text)
        load_state(path)
    assert {one.read_text() for one in tmp_path.iterdir()} == {"{1", "{2", "{3"}


def test_the_line_of_a_syntax_error_is_told(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    path.write_text('{\n "theme": "nord",\n oops\n}')
    assert str(load_state(path)[1][0]).startswith(f"{path}:3: is not a state file")


def test_two_rtui_keep_what_each_changed(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    began = State(opened=["a", "b"], filters={"x": "in"}, history={"s": ["1", "2"]}, expressions=["e", "f"])
    save_state(began, path)
    ours, theirs = deepcopy(began), deepcopy(began)
    theirs.theme = "nord"
    theirs.opened = ["a", "c"]  # b was closed, c opened
    theirs.remember_filter("y", "out")
    theirs.remember_payload("s", "3")
    theirs.remember_payload("t", "4")
    theirs.saved_filters["errors"] = "kind:error"
    ours.sizes["tree"] = 30
    ours.opened = ["a", "b", "d"]
    ours.remember_filter("x", "")
    ours.remember_payload("s", "1")
    ours.remember_expression("g")
    assert save_state(theirs, path, began) == ""
    assert save_state(ours, path, began) == ""
    assert load_state(path)[0] == State(
        theme="nord",
        opened=["a", "c", "d"],
        sizes={"tree": 30},
        filters={"y": "out"},
        history={"t": ["4"], "s": ["2", "3", "1"]},
        expressions=["e", "f", "g"],
        saved_filters={"errors": "kind:error"},
    )


def test_many_rtui_that_leave_at_once_keep_all_they_had(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: save_state(State(saved_filters={f"{n}": "in"}), path), range(24)))
    assert len(load_state(path)[0].saved_filters) == 24


def test_what_is_kept_can_be_read_again(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    for half in range(2):
        state = State()
        for number in range(HISTORY):
            for session in range(HISTORIES // 2):
                state.remember_payload(f"{half}-{session}", f"{number}".ljust(LONGEST_PAYLOAD, "\1"))
        assert save_state(state, path) == ""
    assert path.stat().st_size < LARGEST_FILE
    state, problems = load_state(path)
    assert problems == []
    assert LARGEST_HISTORY // 2 < len(msgspec.json.encode(state.history)) <= LARGEST_HISTORY + 200


def test_text_that_has_no_json_is_not_remembered(tmp_path: Path) -> None:
    state = State()
    state.remember_payload("a", "\ud800")
    state.remember_expression("\ud800")
    state.remember_filter("a", "\ud800")
    assert state == State()
    assert "is no text" in save_state(State(opened=["/tmp/\udcff.toml"]), tmp_path / "state.json")


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert "Cannot write" in save_state(State(), tmp_path / "file" / "state.json")


def test_history_is_bounded_without_repeats_and_newest_last() -> None:
    state = State()
    for number in range(HISTORY + 10):
        state.remember_payload("chat", f"{number}")
    state.remember_payload("chat", "20")
    assert len(state.history["chat"]) == HISTORY
    assert state.history["chat"][-2:] == [f"{HISTORY + 9}", "20"]
    assert state.history["chat"].count("20") == 1
    state.remember_payload("chat", "x" * (LONGEST_PAYLOAD + 1))
    assert state.history["chat"][-1] == "20"
    for number in range(HISTORIES):
        state.remember_payload(f"s{number}", "a")
    assert len(state.history) == HISTORIES
    assert "chat" not in state.history


def test_expressions_are_kept_once_newest_last_in_one_list() -> None:
    state = State()
    kept = state.expressions
    for number in range(HISTORY + 3):
        state.remember_expression(f"in {number}")
    state.remember_expression("in 9")
    state.remember_expression("")
    assert state.expressions is kept
    assert len(kept) == HISTORY
    assert kept[-2:] == [f"in {HISTORY + 2}", "in 9"]
    assert kept.count("in 9") == 1
