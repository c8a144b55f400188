"""Captures that are played: a tab for each connection, one line to steer them."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from rtui.capture.journal import Journal
from rtui.capture.query import compile_filter
from rtui.capture.salvage import Salvage
from rtui.core.lifecycle import State
from rtui.core.record import Kind
from rtui.demo import websocket as demo
from rtui.protocols.playback import Playback
from rtui.protocols.wire.replay_deck import Deck
from rtui.settings.config import Config
from rtui.settings.paths import captures_folder
from rtui.workbench.app import Workbench
from rtui.workbench.panes.replay_bar import ReplayBar
from rtui.workbench.panes.tabstrip import TabStrip
from rtui.workbench.recall import targets
from rtui.workbench.screens.dialog import Choose
from rtui.workbench.widgets.status import ConnectionHeader
from tests.protocols.recording import BEGIN, NONE, OUT, SECOND, numbered, record, row
from tests.workbench.conftest import running, until
from tests.workbench.test_desk import toasts

MINUTE = 60 * SECOND
BOTH = (("plant", "mqtt"), ("chat", "websocket"))


@pytest.fixture
async def capture(tmp_path: Path) -> Path:
    """Ten minutes of two connections, a message a minute each."""
    path = tmp_path / "made.rtui"
    rows = [row(1 + n % 2, n // 2 * 60, b"%d" % n, channel="a/b" if n % 2 == 0 else "") for n in range(20)]
    await asyncio.to_thread(record, path, rows, BOTH)
    return path


def urls(path: Path, more: str = "") -> list[str]:
    return [f"replay:{path}#{name}{more}" for name, _ in BOTH]


def playback(bench: Workbench) -> Playback:
    connection = bench.desk.connection
    assert connection is not None
    found = connection.adapter.playback
    assert found is not None
    return found


def bar(bench: Workbench) -> ReplayBar:
    return bench.desk.query_one(ReplayBar)


def shown(bench: Workbench) -> str:
    return bar(bench).render_line(0).text


async def playing(bench: Workbench, pilot: Pilot[Any]) -> Playback:
    await until(pilot, lambda: bench.desk.query(ReplayBar) and "REPLAY" in shown(bench) and playback(bench).begin)
    return playback(bench)


async def test_a_tab_for_each_connection_with_one_clock(journal: Journal, capture: Path) -> None:
    async with running(journal, *urls(capture)) as (bench, pilot):
        played = await playing(bench, pilot)
        strip = bench.desk.query_one(TabStrip)
        assert [tab.name for tab in strip.tabs] == ["REPLAY plant", "REPLAY chat", "timeline"]
        header = bench.desk.query_one("#header", ConnectionHeader)
        await until(pilot, lambda: re.search(r"REPLAY 00:\d\d / 09:00", header.text), "the place above")
        assert "REPLAY 00:" in shown(bench)
        await pilot.press("right_square_bracket")
        assert playback(bench) is played
        assert bench.desk.sure_tree.display
        words = [sheet.connection.adapter.words.channel for sheet in bench.desk.sheets if sheet.connection is not None]
        assert words == ["topic", "type"]


async def test_the_line_is_only_where_something_is_played(journal: Journal, capture: Path, server: Any) -> None:
    async with running(journal, urls(capture)[0], f"{server.url}/echo") as (bench, pilot):
        await playing(bench, pilot)
        await pilot.press("right_square_bracket")
        await until(pilot, lambda: not bar(bench).display)
        await pilot.press("ctrl+t", "plus")
        await pilot.press("left_square_bracket")
        await until(pilot, lambda: bar(bench).display)
        assert (playback(bench).paused, playback(bench).speed) == (False, 1.0)


async def test_what_is_played_tells_when_it_was_recorded(journal: Journal, capture: Path) -> None:
    async with running(journal, urls(capture)[0]) as (bench, pilot):
        await playing(bench, pilot)
        await until(pilot, lambda: bench.desk.log_view.total >= 2)
        record = bench.catalog.record(bench.catalog.last)
        assert record is not None
        assert '"recorded":"2023-11-14T22:13:20.000000Z"' in (record.meta or "")


async def test_it_is_paused_everywhere_and_says_so(journal: Journal, capture: Path) -> None:
    async with running(journal, *urls(capture)) as (bench, pilot):
        await playing(bench, pilot)
        await pilot.press("ctrl+t")
        await until(pilot, lambda: "paused" in shown(bench))
        await pilot.press("right_square_bracket")
        await until(pilot, lambda: "REPLAY paused" in bench.desk.query_one("#header", ConnectionHeader).text)


async def test_a_long_silence_is_no_fault_and_says_so(journal: Journal, capture: Path) -> None:
    async with running(journal, urls(capture)[0]) as (bench, pilot):
        await playing(bench, pilot)
        await until(pilot, lambda: "silence, 00:" in shown(bench), "it lasts until the next message")
        await pilot.press("alt+j")
        await until(pilot, lambda: "silences up to 2s" in shown(bench))
        found = compile_filter('kind:notice "a silence of 01:00 was shortened"')
        await until(pilot, lambda: bench.catalog.reader.count(found), "the next minute is not waited for")
        await pilot.press("alt+j")
        await until(pilot, lambda: "silences" not in shown(bench))


async def test_the_form_asks_only_for_what_a_replay_can_do(journal: Journal, capture: Path) -> None:
    async with running(journal, urls(capture)[0]) as (bench, pilot):
        await playing(bench, pilot)
        await pilot.press("ctrl+e")
        await until(pilot, lambda: bench.screen.query("#option-max_silence"))
        found = {one.id for one in bench.screen.query("*") if (one.id or "").startswith("option-")}
        assert found == {f"option-{key}" for key in ("speed", "begin", "until", "loop", "max_silence", "filter")}


async def test_a_row_is_sent_to_another_connection_that_is_open(
    journal: Journal, tmp_path: Path, server: demo.Server
) -> None:
    said = row(1, 0, b"\xffhello", direction=OUT, meta={"type": "binary"})
    await asyncio.to_thread(record, tmp_path / "said.rtui", [said], [("chat", "websocket")])
    async with running(journal, f"replay:{tmp_path}/said.rtui", f"{server.url}/echo") as (bench, pilot):
        await until(pilot, lambda: bench.desk.log_view.total == 3, "it was played")
        live = bench.hub.connections[1]
        await until(pilot, lambda: live.state is State.OPEN, "the other is open")
        await pilot.press("home", "down", "R")
        await until(pilot, lambda: isinstance(bench.screen, Choose), "where to")
        await pilot.press("enter")
        await until(pilot, lambda: "sent to 1" in toasts(bench), "which is told")
        rows = bench.catalog.records(range(1, bench.catalog.last + 1))
        sent = [one for one in rows if one.link == live.id and one.direction == OUT]
        assert [(one.payload, json.loads(one.meta or "{}")["type"]) for one in sent] == [(b"\xffhello", "binary")]


async def test_the_timeline_is_steered_like_the_tabs(journal: Journal, capture: Path) -> None:
    async with running(journal, *urls(capture)) as (bench, pilot):
        played = await playing(bench, pilot)
        await pilot.press("T")
        await until(pilot, lambda: bench.desk.connection is None and bar(bench).display, "the line is there too")
        await pilot.press("ctrl+t", "plus")
        await until(pilot, lambda: "x2 paused" in shown(bench))
        assert (played.paused, played.speed) == (True, 2.0)
        await pilot.press("exclamation_mark")
        await until(pilot, lambda: played.position >= BEGIN + MINUTE)


async def test_a_click_on_the_line_goes_there(journal: Journal, capture: Path) -> None:
    async with running(journal, urls(capture)[0]) as (bench, pilot):
        await playing(bench, pilot)
        width = bar(bench).size.width
        await pilot.click(bar(bench), offset=(width // 2, 0))
        await until(pilot, lambda: playback(bench).position > BEGIN + 3 * MINUTE)
        assert playback(bench).position < BEGIN + 6 * MINUTE
        await until(pilot, lambda: "━━━" in shown(bench))


async def test_a_click_on_the_sign_pauses(journal: Journal, capture: Path) -> None:
    async with running(journal, urls(capture)[0]) as (bench, pilot):
        await playing(bench, pilot)
        await pilot.click(bar(bench), offset=(1, 0))
        await until(pilot, lambda: playback(bench).paused)
        await pilot.click(bar(bench), offset=(1, 0))
        await until(pilot, lambda: not playback(bench).paused)


async def test_at_its_end_it_can_be_played_again(journal: Journal, capture: Path) -> None:
    async with running(journal, *urls(capture, "?speed=max")) as (bench, pilot):
        await until(pilot, lambda: bench.desk.query(ReplayBar) and "ended" in shown(bench))
        await until(pilot, lambda: all(one.state is State.CLOSED for one in bench.hub.connections), "all of it")
        before = bench.catalog.last
        first = playback(bench)
        await pilot.press("ctrl+t")
        await until(pilot, lambda: playback(bench) is not first and playback(bench).over)
        messages = [one for one in bench.catalog.records(range(before + 1, bench.catalog.last + 1)) if not one.kind]
        assert [one.payload for one in messages] == [b"%d" % n for n in range(20)]


async def test_after_its_end_it_goes_on_from_a_place(journal: Journal, capture: Path) -> None:
    async with running(journal, urls(capture, "?speed=max")[0]) as (bench, pilot):
        await until(pilot, lambda: bench.desk.query(ReplayBar) and "ended" in shown(bench))
        before = bench.catalog.last
        first = playback(bench)
        await pilot.press("at")
        await pilot.press("ctrl+a", "ctrl+k", *"90%", "enter")
        await until(pilot, lambda: playback(bench) is not first and playback(bench).over)
        messages = [one for one in bench.catalog.records(range(before + 1, bench.catalog.last + 1)) if not one.kind]
        assert [one.payload for one in messages] == [b"18"]


@pytest.mark.parametrize("key", ["s", "A", "R"])
async def test_nothing_can_be_sent_and_it_says_why(journal: Journal, capture: Path, key: str) -> None:
    async with running(journal, urls(capture)[0]) as (bench, pilot):
        await playing(bench, pilot)
        await until(pilot, lambda: bench.desk.has_row)
        await pilot.press(key)
        await until(pilot, lambda: "--to TARGET" in toasts(bench))
        assert not bench.desk.is_shown("composer")


async def test_it_is_not_played_at_the_next_start(journal: Journal, capture: Path) -> None:
    async with running(journal, urls(capture)[0]) as (bench, pilot):
        await playing(bench, pilot)
        assert targets(bench.desk.sheets) == []


async def test_an_opened_capture_hands_on_to_its_replay(capture: Path) -> None:
    async with running(None, reader=Salvage(capture)) as (bench, pilot):
        await pilot.press("alt+r")
        await until(pilot, lambda: bench.sequel, "what comes next")
        assert [session.name for session in bench.sequel] == ["plant", "chat"]
        assert all(session.url.startswith("replay:") for session in bench.sequel)


async def test_it_begins_with_the_row_that_is_looked_at(capture: Path) -> None:
    async with running(None, reader=Salvage(capture)) as (bench, pilot):
        await until(pilot, lambda: bench.desk.log_view.total == 20)
        await pilot.press("home", *["down"] * 10)
        await pilot.press("alt+r")
        await until(pilot, lambda: isinstance(bench.screen, Choose))
        await pilot.press("enter")
        await until(pilot, lambda: bench.sequel)
        assert "from=2023-11-14T22:18:20.000000Z" in bench.sequel[0].url


async def test_captures_are_listed_to_choose_from(journal: Journal) -> None:
    folder = captures_folder()
    await asyncio.to_thread(folder.mkdir, parents=True)
    await asyncio.to_thread(record, folder / "old.rtui", numbered(3), BOTH)
    async with running(journal) as (bench, pilot):
        await pilot.press("alt+r")
        await until(pilot, lambda: isinstance(bench.screen, Choose))
        await pilot.press("enter")
        await until(pilot, lambda: len(bench.hub.connections) == 2)
        await until(pilot, lambda: all(one.state is State.CLOSED for one in bench.hub.connections))
        assert bench.hub.connections[0].channels.root.total == 3


async def test_recorded_ends_are_rows_and_no_ends(journal: Journal, tmp_path: Path) -> None:
    rows = [*numbered(1), *(row(1, 60, b"then", kind=kind, direction=NONE) for kind in Kind), row(1, 600, b"last")]
    await asyncio.to_thread(record, tmp_path / "a.rtui", rows)
    async with running(journal, f"replay:{tmp_path}/a.rtui") as (bench, pilot):
        played = await playing(bench, pilot)
        played.seek(BEGIN + MINUTE)

        def told() -> list[int]:
            rows = bench.catalog.records(range(1, bench.catalog.last + 1))
            return [row.kind for row in rows if row.payload == b"then"]

        await until(pilot, lambda: told() == list(Kind), "all of them")
        assert bench.desk.sure.state is State.OPEN


@pytest.mark.parametrize("size", [(60, 20), (80, 24), (20, 5)])
async def test_the_line_fits(journal: Journal, capture: Path, size: tuple[int, int]) -> None:
    async with running(journal, urls(capture)[0], size=size, config=Config(animations=False, ascii=True)) as (
        bench,
        pilot,
    ):
        await until(pilot, lambda: bench.desk.query(ReplayBar))
        strip = bar(bench).render_line(0)
        assert strip.cell_length == bar(bench).size.width
        assert strip.text.isascii()
        assert "REPLAY"[: max(0, size[0] - 4)] in strip.text


@pytest.mark.parametrize("keys", [("ctrl+t",), ("0",)])
async def test_it_plays_again_though_the_file_is_still_checked(
    journal: Journal, capture: Path, monkeypatch: pytest.MonkeyPatch, keys: tuple[str, ...]
) -> None:
    held, check = asyncio.Event(), Deck.verified

    async def late(deck: Deck) -> Any:
        await held.wait()
        return await check(deck)

    monkeypatch.setattr(Deck, "verified", late)
    async with running(journal, *urls(capture, "?speed=max")) as (bench, pilot):
        played = await playing(bench, pilot)
        await until(pilot, lambda: played.over)
        await pilot.press(*keys)
        await until(pilot, lambda: playback(bench) is not played, "another time")
        held.set()
        await until(pilot, lambda: bench.desk.sure.state is State.CLOSED and playback(bench).over, "to the end")
