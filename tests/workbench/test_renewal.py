"""A session that changes while its tab is open."""

from __future__ import annotations

import pytest
from textual.widgets import Input, TextArea

from rtui.capture.journal import Journal
from rtui.core.lifecycle import State
from rtui.demo import websocket as demo
from rtui.settings.paths import user_sessions
from rtui.settings.session import SavedMessage, Session, save_session, session_from_url
from rtui.settings.session_list import list_sessions
from rtui.workbench.app import Workbench
from rtui.workbench.panes.sidebar import Sidebar
from rtui.workbench.screens.dialog import Confirm, Prompt
from rtui.workbench.screens.form import SessionForm
from rtui.workbench.sheet import Sheet
from tests.workbench.conftest import running, until
from tests.workbench.test_desk import toasts


def the_tab(bench: Workbench) -> Sheet:
    sheet = bench.desk.sheets.current
    assert sheet is not None
    return sheet


async def test_reconnect_takes_the_session_as_it_is_now(
    journal: Journal, server: demo.Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(journal, f"{server.url}/ticker?rate=1") as (bench, pilot):
        await until(pilot, lambda: bench.desk.sure.state is State.OPEN, "open")
        sheet, connection = the_tab(bench), bench.desk.sure
        monkeypatch.setenv("PLACE", "echo")
        sheet.session = Session(
            name="mine",
            url=f"{server.url}/{{{{ env.PLACE }}}}",
            variables={"who": "me"},
            messages=(SavedMessage(name="hi", payload="{{ who }}"),),
        )
        await pilot.press("r")
        await until(pilot, lambda: connection.opened == 2, "open again")
        assert the_tab(bench) is sheet
        assert connection.link.url.endswith("/echo")
        await pilot.press("1")
        await until(pilot, lambda: connection.meter.count > 1, "sent, and its echo")
        assert len(list(bench.desk.sheets)) == 1


async def test_a_session_that_cannot_be_filled_in_is_told_and_the_connection_stays(
    journal: Journal, server: demo.Server
) -> None:
    async with running(journal, f"{server.url}/echo") as (bench, pilot):
        await until(pilot, lambda: bench.desk.sure.state is State.OPEN, "open")
        the_tab(bench).session = session_from_url(f"{server.url}/{{{{ nobody }}}}")
        await pilot.press("r")
        await until(pilot, lambda: "nobody" in toasts(bench), "told")
        assert bench.desk.sure.opened == 1
        assert bench.desk.sure.state is State.OPEN


async def test_a_session_of_another_protocol_takes_a_tab_of_its_own(journal: Journal, server: demo.Server) -> None:
    async with running(journal, f"{server.url}/echo") as (bench, pilot):
        first = the_tab(bench)
        first.session = session_from_url(server.url.replace("ws://", "sse+http://"))
        await pilot.press("r")
        await until(pilot, lambda: the_tab(bench) is not first, "another tab")
        assert bench.desk.sure.protocol == "sse"
        assert first not in list(bench.desk.sheets)


async def test_the_form_of_a_tab_connects_that_tab(journal: Journal, server: demo.Server) -> None:
    async with running(journal, f"{server.url}/ticker") as (bench, pilot):
        await until(pilot, lambda: bench.desk.sure.state is State.OPEN, "open")
        await pilot.press("ctrl+e")
        await until(pilot, lambda: isinstance(bench.screen, SessionForm), "the form")
        bench.screen.query_one("#url", Input).value = f"{server.url}/echo"
        await pilot.press("f10")
        await until(pilot, lambda: bench.desk.sure.url.endswith("/echo"), "the other URL")
        await until(pilot, lambda: bench.desk.sure.opened == 2, "open again")
        assert len(list(bench.desk.sheets)) == 1
        assert the_tab(bench).unsaved


async def test_tags_and_variables_are_fields_of_the_form(journal: Journal, server: demo.Server) -> None:
    async with running(journal) as (bench, pilot):
        bench.connect(
            Session(name="mine", url=f"{server.url}/echo", tags=("one",), variables={"who": "me", "token": "s3cret"})
        )
        await pilot.press("ctrl+e")
        await until(pilot, lambda: isinstance(bench.screen, SessionForm), "the form")
        tags, variables = bench.screen.query_one("#tags", Input), bench.screen.query_one("#variables", TextArea)
        assert (tags.value, variables.text) == ("one", "who: me\ntoken: •••")
        tags.value, variables.text = "one, two words", "no name"
        await pilot.press("f10")
        assert isinstance(bench.screen, SessionForm), "the variables are wrong"
        variables.text = "who: you\ntoken: •••\nurl: http://x/?a=b"
        await pilot.press("f10")
        await until(pilot, lambda: bench.desk.session and bench.desk.session.variables["who"] == "you", "taken")
        assert bench.desk.session is not None
        assert bench.desk.session.tags == ("one", "two words")
        assert bench.desk.session.variables == {"who": "you", "token": "s3cret", "url": "http://x/?a=b"}


async def test_what_stands_in_a_form_is_not_thrown_away_without_a_question(
    journal: Journal, server: demo.Server
) -> None:
    async with running(journal, f"{server.url}/echo") as (bench, pilot):
        await pilot.press("ctrl+e")
        await until(pilot, lambda: isinstance(bench.screen, SessionForm), "the form")
        await pilot.press("escape")
        await until(pilot, lambda: bench.screen is bench.desk, "left: nothing was filled in")
        await pilot.press("ctrl+e")
        await until(pilot, lambda: isinstance(bench.screen, SessionForm), "the form")
        form = bench.screen
        form.query_one("#tags", Input).value = "new"
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(bench.screen, Confirm), "asked")
        await pilot.press("n")
        await until(pilot, lambda: bench.screen is form, "back")
        assert form.query_one("#tags", Input).value == "new"
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(bench.screen, Confirm), "asked")
        await pilot.press("y")
        await until(pilot, lambda: bench.screen is bench.desk, "left")


async def test_a_copy_is_offered_beside_its_original(journal: Journal, server: demo.Server) -> None:
    save_session(session_from_url(f"{server.url}/echo"), user_sessions() / "work" / "mine.toml")
    async with running(journal) as (bench, pilot):
        entry = next(one for one in list_sessions() if one.name == "work/mine")
        bench.desk.on_sidebar_asked(Sidebar.Asked("duplicate", entry))
        await until(pilot, lambda: isinstance(bench.screen, Prompt), "asked")
        assert bench.screen.query_one(Input).value == "work/mine-copy"
