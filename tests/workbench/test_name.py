"""Two connections of one name are told apart, and each is called the same wherever users meet it."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path
from typing import Any

from textual.pilot import Pilot
from textual.widgets import OptionList

from rtui.capture.journal import Journal
from rtui.capture.reader import Reader
from rtui.core.lifecycle import State
from rtui.core.words import numbered
from rtui.demo import websocket as demo
from rtui.settings.session import Session
from rtui.workbench.actions.session import call
from rtui.workbench.app import Workbench
from rtui.workbench.panes.tabstrip import Tab, TabStrip
from rtui.workbench.screens.dialog import Choose
from rtui.workbench.sheet import TIMELINE
from rtui.workbench.widgets.log import MessageLog
from tests.waiting import eventually
from tests.workbench.conftest import running, until
from tests.workbench.widgets.fake import screen_text


def tabs(bench: Workbench) -> list[str]:
    return [tab.name for tab in bench.desk.query_one(TabStrip).tabs]


def recorded(journal: Journal) -> list[str]:
    """The connections of a capture."""
    with closing(Reader(journal.path)) as reader:
        return [link.name for link in reader.links()]


async def twins(bench: Workbench, pilot: Pilot[Any], server: demo.Server) -> None:
    """Two tabs of one session, one opened after the other, a message in each, and the timeline in front."""
    for number in range(2):
        bench.connect(Session(name="echo", url=f"{server.url}/echo"))
        await until(pilot, lambda: bench.hub.connections[number].state is State.OPEN, "it is open")  # noqa: B023
    await until(pilot, lambda: len(tabs(bench)) == 3, "two tabs and the timeline")
    bench.desk.go_to(bench.desk.sheets.get(TIMELINE))
    log = bench.desk.log_view
    await until(pilot, lambda: log.total == bench.catalog.last, "both are in the log")


def names_in(log: MessageLog) -> list[str]:
    """The connections in the log, in the order of their first rows: one that was slow to open has several."""
    return list(dict.fromkeys(line[14:23].strip() for line in screen_text(log)[1 : 1 + log.total]))


def test_the_first_number_that_is_free_is_taken() -> None:
    assert numbered("a", []) == "a"
    assert numbered("a", {"b", "a (2)"}) == "a"
    assert numbered("a", {"a", "a (2)", "a (4)"}) == "a (3)"


def test_a_long_name_keeps_its_number_on_the_tab() -> None:
    tab = Tab(1, "●", f"broker.example.com:18830/{'x' * 30} (2)")
    assert tab.label.endswith(" (2)")
    assert tab.width == 28


async def test_tabs_rows_lists_exports_and_the_capture_use_one_name(
    journal: Journal, server: demo.Server, tmp_path: Path
) -> None:
    async with running(journal) as (bench, pilot):
        await twins(bench, pilot, server)
        assert tabs(bench)[:2] == ["echo", "echo (2)"]
        assert names_in(bench.desk.log_view) == ["echo", "echo (2)"]
        await pilot.press("J")
        await until(pilot, lambda: isinstance(bench.screen, Choose), "the list of connections")
        listed = [str(option.prompt) for option in bench.screen.query_one(OptionList).options]
        assert any("echo (2)" in line for line in listed)
        await pilot.press("escape")
        await until(pilot, lambda: journal.committed == journal.last, "stored")
        file = tmp_path / "rows.ndjson"
        list(bench.catalog.export(file, None, None))
        assert {json.loads(line)["connection"] for line in file.read_text().splitlines()} == {"echo", "echo (2)"}
        assert recorded(journal) == ["echo", "echo (2)"]


async def test_a_name_is_not_given_again_when_its_tab_is_closed(journal: Journal, server: demo.Server) -> None:
    async with running(journal) as (bench, pilot):
        await twins(bench, pilot, server)
        bench.desk.go_to(bench.desk.sheets.get(1))
        bench.desk.close_tab()
        bench.connect(Session(name="echo", url=f"{server.url}/echo"))
        await until(pilot, lambda: tabs(bench)[:2] == ["echo (2)", "echo (3)"], "the others keep theirs")


async def test_what_is_kept_belongs_to_the_session_and_a_new_name_is_used_at_once(
    journal: Journal, server: demo.Server
) -> None:
    async with running(journal) as (bench, pilot):
        await twins(bench, pilot, server)
        first, second = bench.desk.sheets.get(1), bench.desk.sheets.get(2)
        assert first is not None
        assert second is not None
        assert first.name == second.name == "echo"
        call(bench.desk, first, "echo (2)")
        assert first.title == bench.catalog.links[1].name == "echo (2) (2)"
        call(bench.desk, second, "mine")
        await until(pilot, lambda: tabs(bench)[:2] == ["echo (2) (2)", "mine"], "on the tabs")
        bench.desk.log_view.repaint()
        assert names_in(bench.desk.log_view)[-1] == "mine"


async def test_an_opened_capture_of_an_older_version_is_told_apart_too(journal: Journal) -> None:
    for _ in range(2):
        journal.add_link("plant", "mqtt", "mqtt://a")
    await eventually(lambda: recorded(journal) == ["plant", "plant"])
    async with running(None, reader=Reader(journal.path)) as (bench, _):
        assert tabs(bench)[:2] == ["plant", "plant (2)"]
