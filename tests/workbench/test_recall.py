from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from rtui.capture.journal import Journal
from rtui.core.lifecycle import State
from rtui.demo import websocket as demo
from rtui.protocols.websocket import WebSocket
from rtui.settings.config import Config
from rtui.settings.session import Session, save_session, session_from_url
from rtui.workbench import recall
from rtui.workbench.draft import Draft
from rtui.workbench.state import LONGEST_DRAFT
from rtui.workbench.state import State as KeptState
from rtui.workbench.state_file import load_state, save_state, state_file
from rtui.workbench.widgets.composer import Composer
from rtui.workbench.widgets.filterbar import FilterBar
from rtui.workbench.widgets.row import TimeMode
from tests.workbench.conftest import running, until
from tests.workbench.test_desk import toasts, write


async def test_tabs_of_last_time_are_open_again(journal: Journal, server: demo.Server, tmp_path: Path) -> None:
    saved = save_session(Session(name="mine", url=f"{server.url}/chat"), tmp_path / "mine.toml").session
    async with running(journal, f"{server.url}/echo") as (bench, pilot):
        bench.connect(saved)
        await pilot.press("ctrl+q")
        await until(pilot, lambda: bench._exit, "left")
    async with running(journal) as (bench, _):
        names = [sheet.name for sheet in bench.desk.sheets if sheet.session is not None]
        assert names == [session_from_url(f"{server.url}/echo").name, "mine"]
        assert bench.desk.sheets.current is next(iter(bench.desk.sheets))


async def test_a_session_file_that_is_gone_is_told(journal: Journal, tmp_path: Path) -> None:
    save_state(KeptState(opened=[f"{tmp_path}/gone.toml"]), state_file())
    async with running(journal) as (bench, pilot):
        await until(pilot, lambda: "gone.toml" in toasts(bench), "told")
        assert len(bench.desk.sheets) == 0


@pytest.mark.parametrize(
    ("session", "kept"),
    [
        (Session(name="a", url="ws://host/x"), ["ws://host/x"]),
        (Session(name="a", url="ws://me:pass@host/x"), []),
        (Session(name="a", url="ws://host/x?token=abc"), []),
        (Session(name="a", url="ws://host/x", options={"token": "abc"}), []),
    ],
)
def test_only_urls_without_secrets_are_kept(session: Session, kept: list[str]) -> None:
    class Tab:
        def __init__(self) -> None:
            self.session = session

    assert recall.targets([Tab()]) == kept  # type: ignore[list-item]


async def test_the_filter_of_a_session_is_there_again(journal: Journal, server: demo.Server) -> None:
    url = f"{server.url}/ticker?rate=20"
    async with running(journal, url) as (bench, pilot):
        bench.desk.put_filter("ch:trade")
        await until(pilot, lambda: bench.desk.has_filter, "the filter")
        await pilot.press("ctrl+q")
        await until(pilot, lambda: bench._exit, "left")
    async with running(journal, url) as (bench, _):
        assert bench.desk.sheets.current is not None
        assert bench.desk.sheets.current.filter_text == "ch:trade"
        assert bench.desk.query_one(FilterBar).input.value == "ch:trade"


async def test_the_filter_of_a_session_file_holds_and_a_wrong_one_is_told(
    journal: Journal, server: demo.Server
) -> None:
    session = session_from_url(f"{server.url}/ticker")
    async with running(journal) as (bench, pilot):
        view = type(session.view)
        for name, text in (("good", "kind:open"), ("bad", "ch:(")):
            bench.connect(Session(name=name, url=session.url, view=view(filter=text)))
        assert bench.desk.sheets.get(1).filter_text == "kind:open"  # type: ignore[union-attr]
        assert bench.desk.sheets.get(2).filter_text == ""  # type: ignore[union-attr]
        await until(pilot, lambda: "the filter of bad is not used" in toasts(bench), "told")


async def test_secrets_do_not_reach_the_kept_history(journal: Journal, server: demo.Server) -> None:
    async with running(journal) as (bench, pilot):
        bench.connect(Session(name="a", url=f"{server.url}/echo", options={"token": "s3cret-t0ken"}))
        await until(pilot, lambda: bench.desk.connection and bench.desk.connection.state is State.OPEN, "open")
        await pilot.press("s")
        bench.desk.query_one(Composer).set_text("auth s3cret-t0ken")
        await pilot.press("ctrl+s")
        await until(pilot, lambda: bench.state.history.get("a"), "kept")
        await pilot.press("ctrl+q")
        await until(pilot, lambda: bench._exit, "left")
    assert load_state(state_file())[0].history == {"a": ["auth •••"]}


async def test_the_time_column_begins_as_configured(journal: Journal) -> None:
    async with running(journal, config=Config(animations=False, time="delta")) as (bench, _):
        assert bench.desk.log_view.time_mode is TimeMode.DELTA


async def test_letters_typed_into_the_filter_are_not_lost_to_its_clear_key(
    journal: Journal, server: demo.Server
) -> None:
    async with running(journal, f"{server.url}/echo") as (bench, pilot):
        await pilot.press("slash")
        await write(pilot, "abc")
        await pilot.press("ctrl+u")
        assert bench.desk.query_one(FilterBar).input.value == ""


async def test_what_was_being_written_is_there_again(journal: Journal, server: demo.Server) -> None:
    url = f"{server.url}/echo"
    async with running(journal, url) as (bench, pilot):
        await pilot.press("s")
        await write(pilot, "half")
        bench.desk.query_one(Composer).action_format()
        await pilot.pause()
        await pilot.press("escape", "ctrl+q")
        await until(pilot, lambda: bench._exit, "left")
    async with running(journal, url) as (bench, pilot):
        composer = bench.desk.query_one(Composer)
        await until(pilot, lambda: composer.draft.payload == "half" and composer.draft.format == "json", "again")
        composer.set_text("")
        await pilot.press("ctrl+q")
        await until(pilot, lambda: bench._exit, "left")
    assert load_state(state_file())[0].drafts == {}


async def test_what_was_being_written_in_a_closed_tab_is_there_again(journal: Journal, server: demo.Server) -> None:
    url = f"{server.url}/echo"
    async with running(journal, url) as (bench, pilot):
        bench.desk.query_one(Composer).set_text("not sent")
        bench.desk.close_tab()
        bench.connect(session_from_url(url))
        assert bench.desk.query_one(Composer).draft.payload == "not sent"
        await pilot.pause()


async def test_secrets_do_not_reach_the_kept_drafts(journal: Journal, server: demo.Server) -> None:
    async with running(journal) as (bench, pilot):
        bench.connect(Session(name="a", url=f"{server.url}/echo", options={"token": "s3cret-t0ken"}))
        bench.desk.query_one(Composer).set_text("auth s3cret-t0ken")
        await pilot.press("ctrl+q")
        await until(pilot, lambda: bench._exit, "left")
    assert load_state(state_file())[0].drafts["a"].payload == "auth •••"
    assert "s3cret" not in state_file().read_text()


async def test_a_draft_that_is_too_large_to_keep_is_named_when_leaving(journal: Journal, server: demo.Server) -> None:
    async with running(journal, f"{server.url}/echo") as (bench, pilot):
        bench.desk.query_one(Composer).set_text("x" * (LONGEST_DRAFT + 1))
        await pilot.press("ctrl+q")
        await until(pilot, lambda: bench._exit, "left")
    assert "65,537 characters" in bench.farewell
    assert load_state(state_file())[0].drafts == {}


def test_drafts_of_another_protocol_lose_what_it_does_not_have() -> None:
    fields = {"fragment": "3", "qos) or (": "1", "type": 3}
    state = KeptState(drafts={"a": Draft("x", "json", "", fields), "b": Draft("x", "odd")})

    class Named:
        adapter = WebSocket()
        session = Session(name="a", url="ws://a")

    connection: Any = Named()
    assert recall.draft_of(state, connection) == Draft("x", "json", "", {"fragment": "3"})
    connection.session = Session(name="b", url="ws://a")
    assert recall.draft_of(state, connection) is None
