from __future__ import annotations

from pathlib import Path

import pytest

from rtui.workbench.state import HISTORIES, HISTORY, LONGEST_PAYLOAD, State, load_state, save_state


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


def test_keys_of_a_newer_version_are_ignored(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    path.write_text('{"theme": "nord", "holograms": true}')
    assert load_state(path) == (State(theme="nord"), [])


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
