"""Keys that the bottom line shows only where they matter, and a click on each there."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from textual.pilot import Pilot

from rtui.capture.journal import Journal
from rtui.demo import http, mqtt, polling
from rtui.demo import websocket as demo
from rtui.settings.session import session_from_url
from rtui.workbench.app import Workbench
from rtui.workbench.screens.subscription_form import SubscriptionForm
from rtui.workbench.widgets.footer import KeyLine
from tests.workbench.conftest import running, until
from tests.workbench.scene import Servers

WIDE = (200, 40)
"""Room for every hint."""


@pytest.fixture
async def polled() -> AsyncIterator[http.Server]:
    one = await polling.serve("127.0.0.1", 0)
    yield one
    await one.close()


@pytest.fixture
async def broker() -> AsyncIterator[mqtt.Server]:
    one = await mqtt.serve(plant=False)
    yield one
    await one.close()


def place(bench: Workbench, title: str) -> int | None:
    """The cell of the bottom line that the hint `title` begins at."""
    line = bench.desk.query_one(KeyLine)
    return next((start for hint, start in line._placed() if hint.title == title and hint.enabled), None)


async def click(bench: Workbench, pilot: Pilot[Any], title: str) -> None:
    await until(pilot, lambda: place(bench, title) is not None, f"{title} is offered")
    await pilot.click("#keys", offset=(place(bench, title) or 0, 0))


async def test_where_a_ping_asks_for_news_its_key_is_shown(journal: Journal, polled: http.Server) -> None:
    async with running(journal, size=WIDE) as (bench, pilot):
        bench.connect(session_from_url(f"{polled.url}/clock", {"every": "1h"}))
        log = bench.desk.log_view
        await until(pilot, lambda: log.total == 2, "open, and the first answer")
        await click(bench, pilot, "Poll now")
        await until(pilot, lambda: log.total > 2, "another answer")


async def test_a_plain_websocket_has_no_hint_for_its_ping(journal: Journal, server: demo.Server) -> None:
    async with running(journal, f"{server.url}/echo", size=WIDE) as (bench, pilot):
        await until(pilot, lambda: place(bench, "Send") is not None, "open")
        assert place(bench, "Ping") is None


async def test_the_servers_of_the_demonstration_are_stopped_and_started(journal: Journal, server: demo.Server) -> None:
    servers = Servers()
    async with running(journal, f"{server.url}/echo", size=WIDE, demo=servers) as (bench, pilot):
        await click(bench, pilot, "Stop servers")
        await until(pilot, lambda: not servers.running, "stopped")
        await click(bench, pilot, "Start servers")
        await until(pilot, lambda: servers.running, "started")


async def test_a_broker_that_nothing_was_asked_of_is_asked_by_a_click(journal: Journal, broker: mqtt.Server) -> None:
    async with running(journal, broker.url, size=WIDE) as (bench, pilot):
        await click(bench, pilot, "Subscribe…")
        await until(pilot, lambda: isinstance(bench.screen, SubscriptionForm), "the form")
        await pilot.press("escape")
        await until(pilot, lambda: bench.screen is bench.desk, "back")
        bench.desk.sure.subscribe("a/#")
        await until(pilot, lambda: place(bench, "Subscribe…") is None, "it is not pressing any more")
