"""What the user wrote and chose outlives a workbench that is killed."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path

import pytest

from rtui.capture.journal import Journal
from rtui.demo import websocket as demo
from rtui.workbench import keeper, recall
from rtui.workbench.draft import Draft
from rtui.workbench.keeper import PATIENCE, StateKeeper, StateWatch
from rtui.workbench.state import State
from rtui.workbench.state_file import load_state, state_file
from rtui.workbench.widgets.composer import Composer
from tests.workbench.conftest import running, until


def kept() -> list[str]:
    return [draft.payload for draft in load_state(state_file())[0].drafts.values()]


async def test_what_is_written_is_in_the_file_after_a_pause(
    journal: Journal, server: demo.Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeper, "PERIOD", 0.01)
    async with running(journal, f"{server.url}/echo") as (bench, pilot):
        composer = bench.desk.query_one(Composer)
        composer.set_text("half a thou")
        await until(pilot, lambda: kept() == ["half a thou"], "saved")
        composer.set_text("")
        await until(pilot, lambda: kept() == [], "forgotten")
        composer.set_text("another")
        await until(pilot, lambda: kept() == ["another"], "saved again")


async def test_nothing_is_written_while_nothing_changes_and_not_for_each_letter(
    journal: Journal, server: demo.Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeper, "PERIOD", 3600.0)
    saved: list[str] = []
    async with running(journal, f"{server.url}/echo") as (bench, _):
        monkeypatch.setattr(
            bench.keeper, "save_meanwhile", lambda now: saved.extend(d.payload for d in now.drafts.values())
        )
        watch, composer = StateWatch(bench.desk), bench.desk.query_one(Composer)
        await watch.look()
        for letter in range(PATIENCE + 1):
            composer.set_text("x" * (letter + 1))
            await watch.look()
        assert saved == ["x" * (PATIENCE + 1)], "without a pause, now and then"
        for _ in range(3):
            await watch.look()
        composer.set_text("y")
        await watch.look()
        assert len(saved) == 1
        await watch.look()
        await watch.look()
        assert saved[1:] == ["y"]


async def test_secrets_are_masked_before_the_end_too(
    journal: Journal, server: demo.Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    from rtui.settings.session import Session

    monkeypatch.setattr(keeper, "PERIOD", 0.01)
    async with running(journal) as (bench, pilot):
        bench.connect(Session(name="a", url=f"{server.url}/echo", options={"token": "s3cret-t0ken"}))
        bench.desk.query_one(Composer).set_text("auth s3cret-t0ken")
        await until(pilot, lambda: kept() == ["auth •••"], "saved")
        assert "s3cret" not in state_file().read_text()


def test_what_was_saved_meanwhile_does_not_come_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeper, "state_file", lambda: tmp_path / "state.json")
    state = State(theme="dark", drafts={"old": Draft("old")})
    StateKeeper(State()).save()
    one = StateKeeper(deepcopy(state))
    assert one.save_meanwhile(State(theme="dark", drafts={"old": Draft("old"), "new": Draft("half")})) == ""
    assert load_state(tmp_path / "state.json")[0].drafts == {"new": Draft("half")}, "no other rtui's are touched"
    assert one.save() == ""
    assert load_state(tmp_path / "state.json")[0].drafts == {}
    one.save_meanwhile(State(drafts={"late": Draft("late")}))
    assert load_state(tmp_path / "state.json")[0].drafts == {}, "who saves all is the last"


def test_what_cannot_be_saved_is_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setattr(keeper, "state_file", lambda: tmp_path / "file" / "state.json")
    state = State()
    one = StateKeeper(state)
    assert "file" in one.save_meanwhile(State(drafts={"a": Draft("x")}))
    state.drafts["a"] = Draft("x")
    (tmp_path / "file").unlink()
    assert one.save() == ""
    assert load_state(tmp_path / "file" / "state.json")[0].drafts == {"a": Draft("x")}


async def test_what_is_chosen_is_in_the_file_before_the_end_but_for_the_tabs(
    journal: Journal, server: demo.Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeper, "PERIOD", 0.01)
    async with running(journal, f"{server.url}/echo") as (bench, pilot):
        bench.state.saved_filters["calls"] = "ch:call"
        bench.state.remember_payload("echo", "hello")
        recall.remember_tabs(bench.state, bench.desk.sheets)
        assert bench.state.opened
        await until(pilot, lambda: load_state(state_file())[0].saved_filters, "saved")
        found = load_state(state_file())[0]
        assert found.history == {"echo": ["hello"]}
        assert found.opened == []
        bench.keep()
    assert load_state(state_file())[0].opened == [f"{server.url}/echo"]
