from __future__ import annotations

import asyncio

import pytest
from msgspec import msgpack

from rtui.capture.journal import Journal
from rtui.core.lifecycle import State
from rtui.core.record import Direction, Kind, Record
from rtui.demo import websocket as demo
from rtui.payloads.registry import VIEWS
from rtui.settings.session import Session
from rtui.settings.session_model import PAYLOAD_VIEWS, View
from rtui.workbench.widgets.chart import Chart
from rtui.workbench.widgets.message import MODES, MessageView
from tests.waiting import PATIENCE
from tests.workbench.conftest import running, until
from tests.workbench.test_desk import toasts
from tests.workbench.widgets.fake import Host, row, screen_text


def test_a_session_may_name_every_mode_and_format() -> None:
    formats = {known.name for known in VIEWS} - {"arguments", "raw", "hex"}
    assert set(PAYLOAD_VIEWS) == {"", *MODES, *formats}


async def test_pretty_again_goes_through_the_formats_that_it_could_be() -> None:
    view = MessageView()
    async with Host(view).run_test(size=(100, 24)) as pilot:
        view.focus()
        view.show(row(1, msgpack.encode({"a": [1, 2]})), None)
        assert view.problem == "MessagePack"
        assert "▾" in screen_text(view)[0]
        await pilot.press("p")
        assert view.problem.startswith("not CBOR")
        await pilot.press("p")
        assert view.problem.startswith("not protobuf")
        await pilot.press("p")
        assert view.problem == "MessagePack"
        await pilot.press("Y", "space")
        assert view.row_count() == 1


async def test_a_large_binary_message_is_read_in_a_thread() -> None:
    view = MessageView()
    async with Host(view).run_test(size=(80, 24)):
        view.show(row(1, msgpack.encode([{"id": each, "v": "x" * 8} for each in range(50_000)])), None)
        assert view.problem == "reading…"
        async with asyncio.timeout(PATIENCE):
            while view.problem == "reading…":  # noqa: ASYNC110 - the pane has no event for it
                await asyncio.sleep(0.02)
        assert view.problem == "MessagePack"


def _is_echo(record: Record) -> bool:
    return record.kind == Kind.MESSAGE and record.direction == Direction.IN and record.payload.startswith(b'{"a"')


async def test_the_filter_goes_on_with_the_value_of_a_row(journal: Journal, server: demo.Server) -> None:
    async with running(journal, f"{server.url}/echo") as (bench, pilot):
        desk = bench.desk
        await until(pilot, lambda: desk.connection and desk.connection.state is State.OPEN, "open")
        view = desk.query_one(MessageView)
        desk.put_filter("in or out")
        desk.send(b'{"a":{"b":"x \\"y\\""},"n":2.50}', "", {})
        desk.show_pane("message")
        await until(pilot, lambda: view.record is not None and _is_echo(view.record), "the echo")
        view.focus()
        assert view.row_count() > 4
        await pilot.press("f")
        await until(pilot, lambda: "the filter compares" in toasts(bench), "an object is refused")
        await pilot.press("down", "down", "f")
        await until(pilot, lambda: desk.sheets.current.filter_text.endswith('and .a.b=="x \\"y\\""'), "narrowed")  # type: ignore[union-attr]
        assert desk.sheets.current.filter_text.startswith("(in or out)")  # type: ignore[union-attr]
        assert desk.sheets.current.filter is not None  # type: ignore[union-attr]


@pytest.mark.parametrize(("asked", "mode"), [("hex", "hex"), ("cbor", "pretty"), ("", "pretty")])
async def test_a_session_tells_how_its_messages_open(
    journal: Journal, server: demo.Server, asked: str, mode: str
) -> None:
    session = Session(name="mine", url=f"{server.url}/echo", view=View(payload_view=asked))
    async with running(journal) as (bench, pilot):
        view = bench.desk.query_one(MessageView)
        bench.connect(session)
        await until(pilot, lambda: view.mode == mode, "the mode of the session")
        view.show(row(1, b"\xa1\x61a\x01"), None)
        assert view.problem == ("" if mode == "hex" else "CBOR")


async def test_what_the_user_chose_in_a_tab_holds_there() -> None:
    view = MessageView()
    async with Host(view).run_test(size=(100, 24)) as pilot:
        view.focus()
        view.show(row(1, b"{}"), None)
        view.enter(1, "hex")
        assert view.mode == "hex"
        await pilot.press("r")
        modes = []
        for tab, asked in ((2, "meta"), (1, "hex"), (2, "meta")):
            view.enter(tab, asked)
            modes.append(view.mode)
        assert modes == ["meta", "raw", "meta"]


async def test_the_chart_goes_on_while_other_channels_come_and_changes_with_the_tab(
    journal: Journal, server: demo.Server
) -> None:
    url = f"{server.url}/ticker?rate=50"
    async with running(journal, url, f"{url}&seed=2") as (bench, pilot):
        await until(pilot, lambda: bench.desk.log_view.total > 5, "rows")
        view = bench.desk.sure_picture.view
        await pilot.press("f5", "v")
        await until(pilot, lambda: isinstance(view._document, Chart) and view._document.offered, "a chart")
        chart = view._document
        assert isinstance(chart, Chart)
        seen: set[str] = set()

        def others_came() -> bool:
            seen.add(view.record.channel if view.record is not None else "")
            return len(seen - {chart.key.channel}) > 1

        await until(pilot, others_came, "messages of other channels")
        assert view._document is chart
        await pilot.press("right_square_bracket")
        await until(pilot, lambda: isinstance(view._document, Chart) and view._document.key.link == 2, "its own chart")
