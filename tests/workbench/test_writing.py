from __future__ import annotations

import contextlib
import re
import sys
from pathlib import Path
from typing import Any

import pytest
from textual import events
from textual.pilot import Pilot
from textual.widgets import Input, OptionList, Select, Static, TextArea

from rtui.capture.journal import Journal
from rtui.core.lifecycle import State
from rtui.demo import mqtt
from rtui.demo import websocket as demo
from rtui.runtime.hub import Connection
from rtui.settings.config import Config
from rtui.settings.session import SavedMessage, Session
from rtui.workbench.app import Workbench
from rtui.workbench.screens.dialog import Choose, Prompt
from rtui.workbench.widgets.composer import Composer
from rtui.workbench.widgets.status import ConnectionHeader
from tests.workbench.conftest import running, until
from tests.workbench.test_desk import payloads, toasts, write


async def test_ctrl_s_does_not_overtake_letters_that_are_still_queued(journal: Journal, server: demo.Server) -> None:
    async with running(journal, f"{server.url}/echo") as (bench, pilot):
        await until(pilot, lambda: bench.desk.connection and bench.desk.connection.state is State.OPEN, "open")
        await pilot.press("s")
        assert isinstance(bench.focused, TextArea)
        for char in "fast":
            bench.post_message(events.Key(char, char))
        bench.post_message(events.Key("ctrl+s", None))
        await until(pilot, lambda: payloads(bench), "sent")
        await until(pilot, lambda: payloads(bench) == ["fast", "fast"], "sent whole, and echoed")


async def opened(bench: Workbench, pilot: Pilot[Any]) -> Connection:
    await until(pilot, lambda: bench.desk.connection and bench.desk.connection.state is State.OPEN, "open")
    return bench.desk.sure


def below(bench: Workbench) -> str:
    return str(bench.desk.query_one(Composer).query_one(".check", Static).render())


async def test_what_became_of_a_message_stands_below_it_until_something_is_typed(
    journal: Journal, server: demo.Server
) -> None:
    async with running(journal, f"{server.url}/echo") as (bench, pilot):
        await opened(bench, pilot)
        await pilot.press("s", "h", "i", "ctrl+s")
        await until(pilot, lambda: below(bench) == "sent", "told")
        await pilot.press("!")
        await until(pilot, lambda: below(bench) == "3B", "checked")
        bench.desk.sure.close()
        await until(pilot, lambda: bench.desk.sure.state is State.CLOSED, "closed")
        await pilot.press("ctrl+s")
        await until(pilot, lambda: below(bench) == "Not sent: the connection is closed", "told why not")


async def test_escape_leads_back_to_the_log_and_the_text_stays(journal: Journal, server: demo.Server) -> None:
    async with running(journal, f"{server.url}/echo") as (bench, pilot):
        await opened(bench, pilot)
        await pilot.press("s", "h", "i", "escape")
        await until(pilot, lambda: bench.focused is bench.desk.log_view, "back in the log")
        assert bench.desk.query_one(Composer).area.text == "hi"


async def test_a_message_that_is_confirmed_says_after_how_long(journal: Journal) -> None:
    server = await mqtt.serve()
    try:
        async with running(journal, f"{server.url}/") as (bench, pilot):
            await opened(bench, pilot)
            await pilot.press("s", "x", "enter")  # where to send to comes first, as long as nothing stands there
            bench.desk.query_one("#out-qos", Select).value = "1"
            await pilot.press("h", "i", "ctrl+s")
            await until(pilot, lambda: re.fullmatch(r"acknowledged in \d.* m?s", below(bench)), "told")
            assert bench.desk.query_one(Composer).draft.channel == "x"
            await pilot.press("escape", "s")
            assert bench.desk.query_one(Composer).area.has_focus
    finally:
        await server.close()


async def test_what_was_written_is_kept_as_a_saved_message_and_sent_by_its_digit(
    journal: Journal, server: demo.Server
) -> None:
    async with running(journal, f"{server.url}/echo") as (bench, pilot):
        await opened(bench, pilot)
        await pilot.press("s")
        await write(pilot, "hi")
        await pilot.press("alt+k")
        await until(pilot, lambda: isinstance(bench.screen, Prompt), "asked for a name")
        await write(pilot, "greeting")
        await pilot.press("enter")
        await until(pilot, lambda: "1 sends it" in toasts(bench), "told")
        sheet = bench.desk.sheets.current
        assert sheet is not None
        assert sheet.unsaved
        assert sheet.session is not None
        assert [(one.name, one.payload) for one in sheet.session.messages] == [("greeting", "hi")]
        await pilot.press("f4", "1")
        await until(pilot, lambda: payloads(bench) == ["hi", "hi"], "sent and echoed")


async def test_a_saved_message_that_is_sent_on_connect_says_so(journal: Journal, server: demo.Server) -> None:
    async with running(journal) as (bench, pilot):
        hello = SavedMessage(name="hello", payload="hi", on_connect=True)
        bench.connect(Session(name="a", url=f"{server.url}/echo", messages=(hello,)))
        await opened(bench, pilot)
        await pilot.press("M")
        await until(pilot, lambda: isinstance(bench.screen, Choose), "the list")
        prompt = bench.screen.query_one(OptionList).get_option_at_index(0).prompt
        assert str(prompt).startswith("1 hello")
        assert "sent on connect" in str(prompt)
        await pilot.press("enter")
        await until(pilot, lambda: len(payloads(bench)) == 4, "greeted and sent, both echoed")


async def test_a_rhythm_runs_is_shown_and_stops(journal: Journal, server: demo.Server) -> None:
    async with running(journal, f"{server.url}/echo") as (bench, pilot):
        connection = await opened(bench, pilot)
        await pilot.press("s")
        await write(pilot, "beat")
        await pilot.press("f4", "a")
        await until(pilot, lambda: isinstance(bench.screen, Choose), "what?")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(bench.screen, Prompt), "how often?")
        bench.screen.query_one(Input).value = "20ms 50%"
        await pilot.press("enter")
        await until(pilot, lambda: payloads(bench).count("beat") > 5, "several beats")
        assert "repeating a message every 20ms ±50%" in str(bench.desk.query_one(Composer).border_title)
        await pilot.press("a")
        assert bench.desk.repeats.of(connection) is None
        assert str(bench.desk.query_one(Composer).border_title) == "compose"


async def test_a_fault_switch_is_shown_and_ends_with_its_connection(journal: Journal, server: demo.Server) -> None:
    async with running(journal, f"{server.url}/echo") as (bench, pilot):
        connection = await opened(bench, pilot)
        connection.sabotage("stop-pongs")
        header = bench.desk.query_one(ConnectionHeader)
        await until(pilot, lambda: "misbehaving: stop-pongs" in header.text, "shown")
        before = connection.opened
        connection.reconnect()
        await until(pilot, lambda: connection.opened > before, "connected again")
        assert connection.faults == frozenset()
        await until(pilot, lambda: "misbehaving" not in header.text, "not shown")
        connection.sabotage("stop-pongs")
        connection.sabotage("stop-pongs", on=False)
        assert connection.faults == frozenset()


@pytest.mark.parametrize("status", [0, 1])
async def test_the_payload_can_be_written_in_an_editor_and_is_never_lost(
    journal: Journal, server: demo.Server, tmp_path: Path, status: int
) -> None:
    script = tmp_path / "editor.py"
    script.write_text(f"import sys; open(sys.argv[1], 'a').write(' and more'); sys.exit({status})")
    config = Config(animations=False, editor=f"{sys.executable} {script}")
    async with running(journal, f"{server.url}/echo", config=config) as (bench, pilot):
        await opened(bench, pilot)
        bench.suspend = contextlib.nullcontext  # type: ignore[assignment,method-assign]
        await pilot.press("s")
        await write(pilot, "some")
        await pilot.press("f8")
        if status:
            await until(pilot, lambda: "ended with status 1" in toasts(bench), "told")
        await until(pilot, lambda: bench.desk.query_one(Composer).draft.payload == "some and more", "the text is back")


@pytest.mark.parametrize(("size", "held"), [(1_000, False), (300_000, True)])
async def test_a_paste_is_taken_once_and_whole_however_large_it_is(
    journal: Journal, server: demo.Server, size: int, held: bool
) -> None:
    async with running(journal, f"{server.url}/echo", size=(80, 24)) as (bench, pilot):
        await opened(bench, pilot)
        await pilot.press("s")
        composer = bench.desk.query_one(Composer)
        bench.post_message(events.Paste("x" * size))
        await until(pilot, lambda: len(composer.draft.payload) == size, "all of it")
        check = composer.query_one(".check", Static)
        await until(pilot, lambda: ("too large to edit" in str(check.content)) is held, "told")
