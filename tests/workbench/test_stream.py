"""Protocols that only receive: server-sent events and HTTP polling."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Input, TextArea

from rtui.capture.journal import Journal
from rtui.core.lifecycle import State
from rtui.core.record import Kind
from rtui.demo import http, polling, sse, websocket
from rtui.workbench.app import Workbench
from rtui.workbench.bindings import ACTIONS
from rtui.workbench.screens.form import SessionForm
from rtui.workbench.screens.help import Help
from rtui.workbench.widgets.composer import Composer
from rtui.workbench.widgets.footer import KeyLine
from rtui.workbench.widgets.message import MessageView
from tests.workbench.conftest import running, until
from tests.workbench.test_desk import payloads, toasts
from tests.workbench.widgets.fake import screen_text

SENDING = ("resend", "edit-resend", "answer", "replay-history", "send-saved", "repeat", "keep-message")
"""Actions that make no sense where nothing can be sent."""


@pytest.fixture
async def events() -> AsyncIterator[http.Server]:
    one = await sse.serve("127.0.0.1", 0)
    yield one
    await one.close()


@pytest.fixture
async def polled() -> AsyncIterator[http.Server]:
    one = await polling.serve("127.0.0.1", 0)
    yield one
    await one.close()


def shown(bench: Workbench) -> list[str]:
    """The rows of the message pane below its title."""
    return [line.rstrip() for line in screen_text(bench.desk.query_one(MessageView))[1:] if line.strip()] or [""]


def hints(bench: Workbench) -> dict[str, str]:
    return {hint.shown: hint.title for hint in bench.desk.query_one(KeyLine).hints}


async def opened(bench: Workbench, pilot: Pilot[Any], rows: Kind = Kind.MESSAGE) -> None:
    await until(pilot, lambda: bench.desk.connection and bench.desk.connection.state is State.OPEN, "open")
    await until(pilot, lambda: payloads(bench, rows), "rows")


@pytest.mark.parametrize("size", [(80, 24), (140, 40)])
async def test_a_token_stream_is_read_as_markdown_while_it_comes(
    journal: Journal, events: http.Server, size: tuple[int, int]
) -> None:
    async with running(journal, f"{events.url}/tokens?rate=200", size=size) as (bench, pilot):
        await opened(bench, pilot)
        await pilot.press("f5", "t")
        await until(pilot, lambda: " · done · " in shown(bench)[0], "the end")
        await pilot.press("home")
        assert " · first after " in shown(bench)[0]
        assert "# Server-sent events" in shown(bench)
        assert any("│ says" in line for line in shown(bench))


async def test_where_nothing_can_be_sent_it_is_said_what_can_be_done(journal: Journal, polled: http.Server) -> None:
    async with running(journal, f"{polled.url}/price") as (bench, pilot):
        await opened(bench, pilot)
        assert not bench.desk.query_one(Composer).region
        assert hints(bench)["p"] == "Poll now"
        assert "s" not in hints(bench)
        for name in SENDING:
            assert not ACTIONS[f"app.{name}"].when(bench.desk), name
        await pilot.press("s")
        assert "HTTP polling only receives." in toasts(bench)
        assert "^e edits its request" in toasts(bench)
        assert "p: poll now" in toasts(bench)
        bench.clear_notifications()
        await pilot.press("f6")
        assert "only receives" in toasts(bench)
        assert not bench.desk.query_one(Composer).region
        await pilot.press("f3", "s")
        assert bench.desk.is_current
        await pilot.press("f4", "question_mark")
        assert isinstance(bench.screen, Help)
        assert ("p", "Poll now") in {(keys, title) for _, rows in bench.screen._sections for keys, title, _ in rows}
        await pilot.press("escape")
        polls = len(payloads(bench))
        await pilot.press("f4", "p")
        await until(pilot, lambda: len(payloads(bench)) > polls, "an answer")


async def test_after_the_end_of_a_stream_it_is_said_too(journal: Journal, events: http.Server) -> None:
    async with running(journal, f"{events.url}/gone") as (bench, pilot):
        await until(pilot, lambda: payloads(bench, Kind.CLOSE), "the end")
        await pilot.press("s")
        assert "SSE only receives." in toasts(bench)
        assert "p:" not in toasts(bench)


async def test_polled_urls_stand_in_the_tree_with_their_statuses(journal: Journal, polled: http.Server) -> None:
    async with running(journal, f"{polled.url}/price?every=1") as (bench, pilot):
        await opened(bench, pilot)
        tree = bench.desk.sure_tree
        assert tree.title == "URLs"
        rows = [line.split() for line in screen_text(tree)[1:] if line.strip()]
        assert rows[0][1] == "/price?every=1"
        assert "200" in {row[0] for row in rows[1:]}
        await pilot.press("f3", "home", "enter")
        await until(pilot, lambda: payloads(bench), "what the filter lets through")


async def test_the_form_offers_the_request_first_and_a_body_of_several_lines(
    journal: Journal, polled: http.Server
) -> None:
    async with running(journal) as (bench, pilot):
        await pilot.press("ctrl+n")
        await until(pilot, lambda: isinstance(bench.screen, SessionForm), "the form")
        form = bench.screen
        url = form.query_one("#url", Input)
        await until(pilot, lambda: bench.focused is url, "the first field")
        url.value = f"{polled.url}/echo"
        await pilot.press("tab")
        await until(pilot, lambda: form.query("#option-method"), "the fields")
        fields = [field.id for field in form.query("#options Input, #options TextArea, #options Select")]
        assert fields[:2] == ["option-method", "option-data"]
        assert fields.index("option-every") < fields.index("option-timeout")
        form.query_one("#option-data", TextArea).text = '{"a": 1,\n  "b": 2}\n'
        await pilot.press("f10")
        await until(pilot, lambda: bench.desk.connection is not None, "a connection")
        assert bench.desk.sure.link.options.data == '{"a": 1,\n  "b": 2}\n'


async def test_a_zoomed_composer_gives_way_to_a_tab_that_cannot_send(
    journal: Journal, server: websocket.Server, events: http.Server
) -> None:
    async with running(journal, f"{server.url}/echo", f"{events.url}/news") as (bench, pilot):
        await opened(bench, pilot, rows=Kind.OPEN)
        await pilot.press("s")
        bench.desk.zoom()
        assert bench.desk.panes.zoomed == "composer"
        bench.desk.go_beside(1)
        await pilot.pause()
        assert bench.desk.log_view.region
