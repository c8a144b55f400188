"""Keys that come in one piece, as a slow line brings them: each goes to where the one before it has led."""

from __future__ import annotations

import asyncio
from typing import Any

from textual import events
from textual.pilot import Pilot
from textual.widgets import Input

from rtui.capture.journal import Journal
from rtui.demo import websocket as demo
from rtui.workbench.app import Workbench
from rtui.workbench.screens.dialog import Prompt
from rtui.workbench.widgets.filterbar import FilterBar
from rtui.workbench.widgets.row import TimeMode
from tests.workbench.conftest import running, until


def type_at_once(bench: Workbench, *keys: str) -> None:
    for key in keys:
        bench.post_message(events.Key(key, key if len(key) == 1 else None))


async def test_what_follows_the_key_of_a_dialog_is_typed_into_it(journal: Journal) -> None:
    async with running(journal) as (bench, pilot):
        type_at_once(bench, "c", *"mqtt")
        await until(pilot, lambda: isinstance(bench.screen, Prompt), "asked")
        await until(pilot, lambda: bench.screen.query_one(Input).value == "mqtt", "typed")


async def test_what_follows_the_key_of_a_pane_goes_to_the_pane(journal: Journal, server: demo.Server) -> None:
    async with running(journal, f"{server.url}/echo") as (bench, pilot):
        await until(pilot, lambda: bench.desk.has_row, "a row")
        type_at_once(bench, "s", *"hello", "escape", "slash", *"open", "escape", "t")
        await until(pilot, lambda: bench.desk.log_view.time_mode is TimeMode.RELATIVE, "the last one came")
        composer = bench.desk.composer
        assert composer is not None
        assert composer.area.text == "hello"
        assert bench.desk.query_one(FilterBar).input.value == "open"


async def test_many_keys_keep_their_order(journal: Journal, server: demo.Server) -> None:
    text = "abcdefghijklmnopqrstuvwxyz" * 8
    async with running(journal, f"{server.url}/echo") as (bench, pilot):
        await until(pilot, lambda: bench.desk.has_row, "a row")
        type_at_once(bench, "s", *text)
        bench.post_message(events.Paste("0123"))
        type_at_once(bench, *"xyz")
        composer = bench.desk.composer
        assert composer is not None
        await until(pilot, lambda: composer.area.text == f"{text}0123xyz", "all of it")


async def test_a_widget_that_goes_holds_nobody_up_for_long(journal: Journal, server: demo.Server) -> None:
    async with running(journal, f"{server.url}/echo") as (bench, pilot):
        for _ in range(3):
            type_at_once(bench, "question_mark", "escape", "ctrl+p", "escape", "c", "escape")
        type_at_once(bench, "t")
        await until(pilot, lambda: bench.desk.log_view.time_mode is TimeMode.RELATIVE, "the last one came")
        await until(pilot, lambda: bench.screen is bench.desk, "every dialog is closed")
        await _answers(bench, pilot)


async def _answers(bench: Workbench, pilot: Pilot[Any]) -> None:
    began = asyncio.get_running_loop().time()
    await pilot.press("z")
    await until(pilot, lambda: bench.desk.log_view.frozen, "frozen")
    assert asyncio.get_running_loop().time() - began < 5
