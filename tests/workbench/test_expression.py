"""Filters that are completed, recalled and kept, through the whole desk."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Input, Label, OptionList

from rtui.capture.journal import Journal
from rtui.capture.query import compile_filter
from rtui.demo import websocket as demo
from rtui.workbench import typeahead
from rtui.workbench.app import Workbench
from rtui.workbench.hunt import told
from rtui.workbench.screens.dialog import Choose, Prompt
from rtui.workbench.screens.search import Completing, Search
from rtui.workbench.vocabulary import vocabulary
from rtui.workbench.widgets.log import MessageLog
from tests.waiting import PATIENCE
from tests.workbench.conftest import running, until
from tests.workbench.widgets.fake import screen_text


async def opened(bench: Workbench, pilot: Pilot[Any], action: str, screen: type) -> None:
    bench.desk.perform(action)
    await until(pilot, lambda: isinstance(bench.screen, screen) and bench.screen.query(Input), f"{action} asks")


async def test_channels_and_paths_of_the_tab_complete_its_filter(journal: Journal, server: demo.Server) -> None:
    async with running(journal, f"{server.url}/ticker?rate=100") as (bench, pilot):
        await until(pilot, lambda: bench.desk.log_view.total > 30, "rows")
        seen = vocabulary(bench.desk)
        assert "trade" in seen.channels
        assert seen.protocols == ["websocket"]
        await pilot.press("slash", *"ch:tra", "tab")
        bar = bench.desk.sure_picture.filter_bar
        assert bar.input.value == "ch:trade"
        await pilot.press("enter")
        await until(pilot, lambda: bench.desk.has_filter, "the filter")
        assert bench.state.expressions == ["ch:trade"]
        assert vocabulary(bench.desk).paths
        await pilot.press("backspace", "slash", "up")
        assert bar.input.value == "ch:trade"


async def test_a_filter_is_kept_by_name_chosen_and_forgotten(journal: Journal, server: demo.Server) -> None:
    async with running(journal, f"{server.url}/ticker?rate=100") as (bench, pilot):
        await until(pilot, lambda: bench.desk.log_view.total > 5, "rows")
        bench.desk.put_filter("kind:open")
        await until(pilot, lambda: bench.desk.has_filter, "the filter")
        await opened(bench, pilot, "app.keep-filter", Prompt)
        await pilot.press(*"opens", "enter")
        await until(pilot, lambda: bench.state.saved_filters == {"opens": "kind:open"}, "it is kept")
        bench.desk.put_filter("")
        await until(pilot, lambda: not bench.desk.has_filter, "everything again")

        await opened(bench, pilot, "app.filters", Choose)
        await pilot.press(*"opens", "enter")
        await until(pilot, lambda: bench.desk.has_filter, "the kept filter")
        sheet = bench.desk.sheets.current
        assert sheet is not None
        assert sheet.filter_text == "kind:open"

        await opened(bench, pilot, "app.forget-filter", Choose)
        await pilot.press("enter")
        await until(pilot, lambda: not bench.state.saved_filters, "it is forgotten")


async def test_the_search_completes_recalls_and_points_at_what_is_wrong(journal: Journal, server: demo.Server) -> None:
    async with running(journal, f"{server.url}/ticker?rate=100") as (bench, pilot):
        await until(pilot, lambda: bench.desk.log_view.total > 30, "rows")
        await opened(bench, pilot, "app.search", Search)
        await pilot.press(*"in (out", "enter")
        wrong = str(bench.screen.query_one(".trouble", Label).content)
        assert wrong.index("^") == 1 + "in (out".index("(")
        await pilot.press("ctrl+u", *"kind:op", "tab", "enter")
        await until(pilot, lambda: bench.screen is bench.desk, "the search goes")
        assert bench.state.expressions == ["kind:open"]
        await opened(bench, pilot, "app.search", Search)
        await pilot.press("up")
        assert bench.screen.query_one(Input).value == "kind:open"
        await pilot.press("ctrl+u", "down")
        assert bench.screen.query_one(OptionList).display


async def test_the_newest_row_is_found_too_while_the_log_follows(journal: Journal, server: demo.Server) -> None:
    """No cursor is to be seen then, and an end or an error is often the last row there is."""
    async with running(journal, f"{server.url}/echo") as (bench, pilot):
        log = bench.desk.log_view
        await until(pilot, lambda: log.total, "the connection opens")
        newest = log.cursor_seq
        await opened(bench, pilot, "app.search", Search)
        await pilot.press(*"kind:open", "enter")
        await until(pilot, lambda: not log.follow, "it is found")
        assert log.cursor_seq == newest


async def test_columns_of_the_timeline_complete_with_what_messages_mean(journal: Journal, server: demo.Server) -> None:
    async with running(journal, f"{server.url}/echo", f"{server.url}/echo") as (bench, pilot):
        await until(pilot, lambda: bench.desk.log_view.total, "the connection opens")
        bench.desk.send(bytes.fromhex("82a7636f6d70616374c3a6736368656d6100"))  # MessagePack
        await until(pilot, lambda: bench.desk.log_view.total > 2, "the echo")
        assert vocabulary(bench.desk).values[".compact"] == ["true"]
        await pilot.press("T")
        await opened(bench, pilot, "app.columns", Completing)
        await pilot.press(*"time .compa", "tab", "enter")
        await until(pilot, lambda: bench.desk.is_merged and bench.screen is bench.desk, "answered")
        assert [one.name for one in bench.desk.log_view.brush.chosen] == ["time", ".compact"]
        await until(pilot, lambda: any("echo" in one and "true" in one for one in screen_text(bench.desk.log_view)))


async def test_a_search_goes_on_from_the_other_end(journal: Journal, server: demo.Server) -> None:
    async with running(journal, f"{server.url}/echo") as (bench, pilot):
        log = bench.desk.log_view
        await until(pilot, lambda: log.total, "the connection opens")
        for text in (b"hay", b"needle", b"hay"):
            bench.desk.send(text)
        await until(pilot, lambda: log.total == 7 and journal.committed == 7, "the echoes")
        older, newer = bench.catalog.reader.seqs(compile_filter("needle"))
        bench.desk.hunt.needle = compile_filter("needle")
        for key, there in (("N", newer), ("N", older), ("N", newer), ("n", older)):
            await pilot.press(key)
            await until(pilot, lambda: not log.follow and log.cursor_seq == there, key)  # noqa: B023


@asynccontextmanager
async def stored(journal: Journal, server: demo.Server) -> AsyncIterator[tuple[Workbench, Pilot[Any], MessageLog]]:
    """A connection to the echo, all of whose rows are in the file."""
    async with running(journal, f"{server.url}/echo") as (bench, pilot):
        log = bench.desk.log_view
        await until(pilot, lambda: log.total and journal.committed == log.total, "the connection opens")
        yield bench, pilot, log


@contextmanager
def storing_held_back(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Meanwhile no more is known to be in the file."""
    free, take = threading.Event(), journal._courier._take_report

    def late(number: int, text: str) -> None:
        free.wait()
        take(number, text)

    monkeypatch.setattr(journal._courier, "_take_report", late)
    try:
        yield
    finally:
        free.set()


async def test_a_row_is_found_though_it_is_shown_before_it_is_stored(
    journal: Journal, server: demo.Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with stored(journal, server) as (bench, pilot, log):
        monkeypatch.setattr(typeahead, "PATIENCE", PATIENCE)
        with storing_held_back(journal, monkeypatch):
            bench.desk.send(b"needle")
            await until(pilot, lambda: log.total == 3, "the echo")
            bench.desk.hunt.needle = compile_filter("needle")
            bench.desk.hunt.search(-1)
            await pilot.pause()
        await until(pilot, lambda: not log.follow and log.cursor_seq == 3, "found")


async def test_who_has_scrolled_back_to_a_row_that_is_not_stored_yet_stays_there_when_filtering(
    journal: Journal, server: demo.Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with stored(journal, server) as (bench, pilot, log):
        with storing_held_back(journal, monkeypatch):
            for text in (b"needle", b"needle"):
                bench.desk.send(text)
            await until(pilot, lambda: log.total == 5, "the echoes")
            log.go_to(3)
            bench.desk.set_filter(compile_filter("needle"), "needle")
            bench.desk.sure_picture.slow()
        await until(pilot, lambda: log.total == 4, "filtered")
        await until(pilot, lambda: not log.follow and log.cursor_seq == 3, "still there")


def test_who_is_taken_around_the_end_is_told() -> None:
    assert told("hit", 1, same=False) == "no hit below: on from the oldest"
    assert told("error", -1, same=False) == "no error above: on from the newest"
    assert told("error", 1, same=True) == "no other error"
    assert told("error", 1, same=None) == "no error"
