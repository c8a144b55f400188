"""One message over several connections."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Input, Static

from rtui.capture.journal import Journal
from rtui.core.lifecycle import State
from rtui.core.record import Direction, Kind, Record
from rtui.demo import mqtt, socketio, websocket
from rtui.workbench.app import Workbench
from rtui.workbench.screens.checklist import Checklist
from rtui.workbench.screens.dialog import Choose, Prompt
from rtui.workbench.several import verdict
from rtui.workbench.widgets.safe import Tick
from tests.workbench.conftest import running, until


@pytest.fixture
async def urls() -> AsyncIterator[list[str]]:
    """A broker, a WebSocket echo, and a Socket.IO server."""
    broker, echo, chat = (
        await mqtt.serve(plant=False),
        await websocket.serve("127.0.0.1", 0),
        await socketio.serve("127.0.0.1", 0),
    )
    yield [f"{broker.url}/%23", f"{echo.url}/echo", f"{chat.url}/?rate=0"]
    for server in (broker, echo, chat):
        await server.close()


async def opened(bench: Workbench, pilot: Pilot[Any], count: int) -> None:
    """All connected, the first tab shown, the focus in its composer."""
    sheets = bench.desk.sheets

    def ready() -> bool:
        open_ones = [one for one in sheets if one.connection is not None and one.connection.state is State.OPEN]
        return len(open_ones) == count

    await until(pilot, ready, "open")
    bench.desk.go_to(next(iter(sheets)))
    bench.desk.show_pane("composer")
    await pilot.pause()


def sent(bench: Workbench) -> dict[str, Record]:
    """The message that went out, by the protocol it went over."""
    catalog = bench.catalog
    rows = catalog.records(range(1, catalog.last + 1))
    out = [row for row in rows if row.kind == Kind.MESSAGE and row.direction == Direction.OUT]
    return {catalog.links[row.link].protocol: row for row in out}


async def asked(bench: Workbench, pilot: Pilot[Any]) -> Checklist:
    await pilot.press("alt+s")
    await until(pilot, lambda: isinstance(bench.screen, Checklist), "asked")
    await pilot.pause()
    assert isinstance(bench.screen, Checklist)
    return bench.screen


def told(bench: Workbench) -> str:
    return str(bench.desk.sure_picture.composer.query_one(".check", Static).render())


async def test_it_goes_to_each_with_the_channel_where_there_is_one(journal: Journal, urls: list[str]) -> None:
    async with running(journal, *urls) as (bench, pilot):
        await opened(bench, pilot, 3)
        bench.desk.load_composer(b'{"v":1}', "lamp", {"qos": "1"})
        await pilot.pause()
        screen = await asked(bench, pilot)
        ticks = list(screen.query(Tick))
        assert [tick.value for tick in ticks] == [True, False, False], "this tab, until others are chosen"
        labels = [str(tick.label) for tick in ticks]
        assert "topic lamp" in labels[0]
        assert "without the options" not in labels[0]
        assert "WebSocket · without the options" in labels[1]
        assert "event lamp" in labels[2]
        await pilot.press("down", "space")
        await pilot.click(ticks[2])
        await pilot.press("enter")
        await until(pilot, lambda: told(bench) == "sent to 3", "told")
        rows = sent(bench)
        assert {name: row.payload for name, row in rows.items()} == {
            "mqtt": b'{"v":1}',
            "websocket": b'{"v":1}',
            "socketio": b'[{"v":1}]',
        }
        assert (rows["mqtt"].channel, rows["websocket"].channel, rows["socketio"].channel) == ("lamp", "", "lamp")
        assert json.loads(rows["mqtt"].meta or "{}") == {"qos": 1}
        assert rows["websocket"].meta is None, "options of another protocol are not applied"
        again = await asked(bench, pilot)
        assert [tick.value for tick in again.query(Tick)] == [True, True, True], "remembered with the tab"
        assert bench.desk.sure_picture.composer.history[-1] == '{"v":1}'


async def test_a_refusal_is_told_with_the_name_of_the_connection(journal: Journal, urls: list[str]) -> None:
    async with running(journal, urls[1], urls[0]) as (bench, pilot):
        await opened(bench, pilot, 2)
        bench.desk.load_composer(b"hello", "")
        await asked(bench, pilot)
        await pilot.press("a", "enter")
        name = next(
            one.connection.name for one in bench.desk.sheets if one.connection and one.connection.protocol == "mqtt"
        )
        await until(pilot, lambda: told(bench).startswith(f"sent to 1; {name}: refused: it is empty"), "told")
        assert list(sent(bench)) == ["websocket"]


async def test_without_a_choice_nothing_is_sent(journal: Journal, urls: list[str]) -> None:
    async with running(journal, urls[1]) as (bench, pilot):
        await opened(bench, pilot, 1)
        bench.desk.load_composer(b"hello", "")
        screen = await asked(bench, pilot)
        await pilot.press("a", "enter")
        await until(pilot, lambda: "nothing is ticked" in str(screen.query_one(".trouble").render()), "refused")
        await pilot.press("escape")
        await until(pilot, lambda: bench.screen is bench.desk, "left")
        assert sent(bench) == {}
        assert bench.desk.sure_picture.composer.area.text == "hello"


async def test_what_is_wrong_is_told_before_anyone_is_asked(journal: Journal, urls: list[str]) -> None:
    async with running(journal, urls[1]) as (bench, pilot):
        await opened(bench, pilot, 1)
        bench.desk.load_composer(b"{", "")
        composer = bench.desk.sure_picture.composer
        await pilot.press("alt+f")  # json
        await pilot.press("alt+s")
        await until(pilot, lambda: "not JSON" in told(bench), "told")
        assert bench.screen is bench.desk
        assert composer.history == []


async def test_a_rhythm_goes_to_those_that_were_chosen_together(journal: Journal, urls: list[str]) -> None:
    async with running(journal, urls[1], urls[2]) as (bench, pilot):
        await opened(bench, pilot, 2)
        bench.desk.load_composer(b"beat", "")
        await asked(bench, pilot)
        await pilot.press("a", "enter")
        await until(pilot, lambda: told(bench) == "sent to 2", "told")
        before = bench.catalog.last
        bench.desk.perform("app.repeat")
        await until(pilot, lambda: isinstance(bench.screen, Choose), "what")
        await pilot.press("down", "enter")
        await until(pilot, lambda: isinstance(bench.screen, Prompt), "how often")
        bench.screen.query_one(Input).value = "20ms"
        await pilot.press("enter")
        await until(pilot, lambda: "a message to 2" in str(bench.desk.sure_picture.composer.border_title), "running")

        def beats() -> set[int]:
            rows = bench.catalog.records(range(before + 1, bench.catalog.last + 1))
            return {row.link for row in rows if row.direction == Direction.OUT}

        await until(pilot, lambda: len(beats()) == 2, "to both")
        bench.desk.perform("app.repeat")
        await until(pilot, lambda: bench.desk.repeats.of(bench.desk.sure) is None, "stopped")


def test_the_verdict_is_a_line() -> None:
    assert verdict(3, {}) == "sent to 3"
    assert verdict(3, {"chat": "refused: full"}) == "sent to 2; chat: refused: full"
