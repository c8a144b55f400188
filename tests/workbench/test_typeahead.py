"""Keys that come in one piece, as a slow line brings them: each goes to where the one before it has led."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextvars import Context
from typing import Any, TypeAlias

import pytest
from textual import events
from textual.pilot import Pilot
from textual.widgets import Input

from rtui.capture.journal import Journal
from rtui.core.lifecycle import State
from rtui.demo import websocket as demo
from rtui.runtime.tasks import spawn
from rtui.settings.paths import user_sessions
from rtui.settings.session import SavedMessage, Session
from rtui.workbench import typeahead
from rtui.workbench.app import Workbench
from rtui.workbench.screens.dialog import Prompt
from rtui.workbench.screens.stage import Stage
from rtui.workbench.typeahead import Errand
from rtui.workbench.widgets.filterbar import FilterBar
from rtui.workbench.widgets.footer import KeyLine
from rtui.workbench.widgets.row import TimeMode
from tests.waiting import PATIENCE, eventually
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
    assert asyncio.get_running_loop().time() - began < 30, "it goes on, whatever the widget does"


# A burst comes to the same end as one key at a time


class Hand:
    """Someone who types: all at once, or each key when the one before has had its effect."""

    def __init__(self, bench: Workbench, pilot: Pilot[Any], *, at_once: bool) -> None:
        self.bench, self.pilot, self._at_once = bench, pilot, at_once

    async def type(self, *keys: str) -> None:
        if self._at_once:
            type_at_once(self.bench, *keys)
            return
        for key in keys:
            type_at_once(self.bench, key)
            await until(self.pilot, lambda: not self.bench._busy, f"{key} had its effect")

    async def ends(self, reached: Callable[[], object], what: str) -> None:
        await until(self.pilot, reached, what)


Burst: TypeAlias = Callable[[Hand], Awaitable[None]]
BURSTS: dict[str, Burst] = {}


def burst(one: Burst) -> Burst:
    BURSTS[one.__name__.removeprefix("_")] = one
    return one


def _has_tab(hand: Hand, name: str) -> bool:
    return any(sheet.session and sheet.session.name == name for sheet in hand.bench.desk.sheets)


@burst
async def _key_of_a_dialog(hand: Hand) -> None:
    await hand.type("c", *"sse+http://127.0.0.1:9/far", "enter", "t")
    await hand.ends(lambda: hand.bench.desk.connection and "far" in hand.bench.desk.connection.url, "connecting")
    await hand.ends(lambda: hand.bench.desk.log_view.time_mode is TimeMode.RELATIVE, "and the log has the next key")


@burst
async def _list_that_is_read_from_the_disk(hand: Hand) -> None:
    await hand.type("ctrl+o", *"mine/here", "enter", "t")
    await hand.ends(lambda: _has_tab(hand, "here"), "connected")
    await hand.ends(lambda: hand.bench.desk.log_view.time_mode is TimeMode.RELATIVE, "and the log has the next key")


@burst
async def _list_of_sessions(hand: Hand) -> None:
    sidebar, file = hand.bench.desk.sure_picture.sidebar, user_sessions() / "mine" / "here.toml"
    sidebar.point_at(str(file))
    await hand.ends(lambda: sidebar.cursor_node and sidebar.cursor_node.data, "the cursor is there")
    await hand.type("f2", "d", *"-2", "enter", "f4", "t")
    await hand.ends((user_sessions() / "mine" / "here-copy-2.toml").exists, "a copy")
    await hand.ends(lambda: hand.bench.desk.log_view.time_mode is TimeMode.RELATIVE, "and the log has the next key")


@burst
async def _dialog_after_a_dialog(hand: Hand) -> None:
    await hand.type("a", "enter", "ctrl+u", *"30ms", "enter")
    await hand.ends(lambda: hand.bench.desk.repeats.of(hand.bench.desk.connection), "it is repeated")


@burst
async def _menu(hand: Hand) -> None:
    await hand.type("f10", *"column", "enter", "ctrl+u", *"time payload", "enter")
    await hand.ends(lambda: len(hand.bench.desk.sheets.current.columns) == 2, "columns")  # type: ignore[union-attr]


@burst
async def _palette(hand: Hand) -> None:
    await hand.type("ctrl+p", *"columns", "enter", "ctrl+u", *"time payload", "enter")
    await hand.ends(lambda: len(hand.bench.desk.sheets.current.columns) == 2, "columns")  # type: ignore[union-attr]


@burst
async def _form(hand: Hand) -> None:
    await hand.type("ctrl+n", *"sse+http://127.0.0.1:9/far", "tab", *"some", "f10", "t")
    await hand.ends(lambda: _has_tab(hand, "some"), "connecting")


@burst
async def _question_of_a_form(hand: Hand) -> None:
    await hand.type("ctrl+n", *"ws", "escape", "y", "t")
    await hand.ends(lambda: hand.bench.desk.log_view.time_mode is TimeMode.RELATIVE, "left")
    assert hand.bench.screen is hand.bench.desk


@burst
async def _help_jump_and_filter(hand: Hand) -> None:
    await hand.type("question_mark", "escape", "ctrl+g", "escape", "slash", *"not one", "enter", "t")
    await hand.ends(lambda: hand.bench.desk.log_view.time_mode is TimeMode.RELATIVE, "left")
    assert hand.bench.desk.has_filter


@pytest.mark.parametrize("at_once", [False, True], ids=["one by one", "at once"])
@pytest.mark.parametrize("name", sorted(BURSTS))
async def test_a_burst_comes_to_the_same_end(name: str, at_once: bool, journal: Journal, server: demo.Server) -> None:
    mine = user_sessions() / "mine"
    mine.mkdir(parents=True)
    (mine / "here.toml").write_text(f'[session]\nname = "here"\nurl = "{server.url}/echo"\n')
    saved = (SavedMessage(name="m", payload="hello"),)
    session = Session(name="echo", url=f"{server.url}/echo", messages=saved)
    async with running(journal) as (bench, pilot):
        assert bench.connect(session) is not None
        await until(pilot, lambda: bench.desk.connection.state is State.OPEN, "open")  # type: ignore[union-attr]
        await until(pilot, lambda: bench.desk.has_row, "a row")
        bench.desk.log_view.focus()
        await BURSTS[name](Hand(bench, pilot, at_once=at_once))


async def test_a_click_has_its_turn_too(journal: Journal) -> None:
    async with running(journal) as (bench, pilot):
        line = bench.desk.query_one(KeyLine)
        await until(pilot, lambda: any(hint.title.startswith("Connect") for hint in line.hints), "the bottom line")
        start = next(start for hint, start in line._placed() if hint.title.startswith("Connect"))
        for kind in (events.MouseDown, events.MouseUp):
            bench.post_message(mouse(kind, line.region.x + start, line.region.y))
        type_at_once(bench, *"mqtt")
        await until(pilot, lambda: isinstance(bench.screen, Prompt), "asked")
        await until(pilot, lambda: bench.screen.query_one(Input).value == "mqtt", "typed")


def mouse(kind: type[events.MouseEvent], x: int, y: int) -> events.MouseEvent:
    return kind(
        None, x=x, y=y, delta_x=0, delta_y=0, button=1, shift=False, meta=False, ctrl=False, screen_x=x, screen_y=y
    )


async def test_long_work_holds_nobody_up(journal: Journal) -> None:
    async with running(journal) as (bench, pilot):
        goes_on = asyncio.Event()

        async def long() -> None:
            await goes_on.wait()

        bench.desk.start(long(), "long work")
        bench.set_focus(None)
        type_at_once(bench, "c", *"mqtt")
        await until(pilot, lambda: isinstance(bench.screen, Prompt), "asked")
        await until(pilot, lambda: bench.screen.query_one(Input).value == "mqtt", "typed")
        assert not goes_on.is_set()
        goes_on.set()


class Still:
    """An app as far as an errand looks at it."""

    def __init__(self) -> None:
        self.screen_stack: list[object] = ["desk"]

    @property
    def screen(self) -> object:
        return self.screen_stack[-1]


async def test_an_errand_is_on_its_way_until_it_waits_and_from_each_answer_on() -> None:
    app, answer, later = Still(), asyncio.get_running_loop().create_future(), asyncio.Event()
    seen: list[str] = []

    async def work() -> None:
        await asyncio.sleep(0)
        app.screen_stack.append("dialog")
        await asyncio.shield(answer)
        seen.append("answered")
        await later.wait()

    errand = Errand(work(), app)  # type: ignore[arg-type]
    assert errand.on_its_way, "not begun"
    task = spawn(_awaited(errand), "errand")
    await asyncio.sleep(0)
    assert errand.on_its_way, "it only gave way"
    await eventually(lambda: len(app.screen_stack) == 2)
    assert not errand.on_its_way, "the keys are the dialog's"
    app.screen_stack.pop()
    answer.set_result(None)
    assert errand.on_its_way, "the answer is known, and nothing was made of it"
    await eventually(lambda: seen)
    assert not errand.on_its_way, "it waits for something else"
    later.set()
    await task


async def test_an_errand_passes_on_what_it_is_told() -> None:
    ended: list[str] = []

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("cleaned up")

    task = spawn(_awaited(Errand(work(), Still())), "errand")  # type: ignore[arg-type]
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ended == ["cleaned up"]


async def test_a_loop_that_is_held_up_loses_no_patience(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(typeahead, "PATIENCE", 0.05)
    async with running(journal) as (bench, _):
        goes_on = asyncio.Event()

        async def work() -> None:
            await goes_on.wait()

        errand = Errand(work(), bench, asks=True)
        task = spawn(_awaited(errand), "errand")
        await asyncio.sleep(0)
        with bench.looking():
            time.sleep(0.2)  # noqa: ASYNC251 - as a machine that has other things to do
            assert errand.on_its_way
            assert not bench._stands()
            await eventually(lambda: not errand.on_its_way)
            await eventually(bench._stands)
        goes_on.set()
        await task


async def _awaited(errand: Errand) -> None:
    await errand


@pytest.mark.parametrize("tab", ["", "right_square_bracket"])
async def test_what_is_typed_before_anything_stands_is_kept_for_it(
    journal: Journal, server: demo.Server, monkeypatch: pytest.MonkeyPatch, tab: str
) -> None:
    mount_rest = Stage.mount_rest

    async def mount_late(stage: Stage) -> None:
        # From nowhere, as a driver does: what the desk itself sends does not come back to it.
        Context().run(type_at_once, stage.bench, *filter(None, [tab]), "s", *"abc")
        for _ in range(20):
            await asyncio.sleep(0)  # they have arrived, and find no pane
        await mount_rest(stage)

    monkeypatch.setattr(Stage, "mount_rest", mount_late)
    monkeypatch.setattr(typeahead, "OPENING", PATIENCE)  # however slowly a busy machine starts it
    async with running(journal, f"{server.url}/echo", f"{server.url}/chat") as (bench, pilot):
        await until(pilot, lambda: bench.desk.composer and bench.desk.composer.area.text == "abc", "typed")
        assert bench.desk.connection is not None
        assert bench.desk.connection.url.endswith("/chat" if tab else "/echo")
