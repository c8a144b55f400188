"""Acknowledgements at the desk, over the embedded Socket.IO server."""

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
from rtui.demo import socketio as demo
from rtui.workbench.app import Workbench
from rtui.workbench.bindings import ACTIONS
from rtui.workbench.screens.subscription_form import SubscriptionForm
from rtui.workbench.screens.subscriptions import SubscriptionList
from rtui.workbench.widgets.composer import Composer
from rtui.workbench.widgets.message import MessageView
from rtui.workbench.widgets.row import badges
from tests.workbench.conftest import running, until
from tests.workbench.test_desk import toasts
from tests.workbench.test_footer_keys import footer
from tests.workbench.widgets.fake import screen_text


@pytest.fixture
async def server() -> AsyncIterator[demo.Server]:
    one = await demo.serve("127.0.0.1", 0)
    yield one
    await one.close()


async def opened(bench: Workbench, pilot: Pilot[Any]) -> None:
    await until(pilot, lambda: bench.desk.connection and bench.desk.connection.state is State.OPEN, "open")


def rows(bench: Workbench) -> list[Record]:
    catalog = bench.catalog
    return catalog.records(range(1, catalog.last + 1))


def found(
    bench: Workbench, channel: str, kind: Kind = Kind.MESSAGE, direction: Direction = Direction.IN
) -> Record | None:
    for record in rows(bench):
        if (record.channel, record.kind, record.direction) == (channel, kind, direction):
            return record
    return None


async def emit(bench: Workbench, pilot: Pilot[Any], event: str, payload: bytes, **outgoing: Any) -> None:
    bench.desk.send(payload, event, outgoing)
    await until(pilot, lambda: found(bench, event, direction=Direction.OUT), "sent")


async def go_to(bench: Workbench, pilot: Pilot[Any], record: Record) -> None:
    log = bench.desk.log_view

    def reached() -> bool:
        log.go_to(record.seq)
        return log.cursor_seq == record.seq

    await until(pilot, reached, "in the log")
    log.focus()


async def test_the_user_answers_what_the_server_asks(journal: Journal, server: demo.Server) -> None:
    async with running(journal, f"{server.url}/?rate=0") as (bench, pilot):
        await opened(bench, pilot)
        await emit(bench, pilot, "question", b"[]")
        await until(pilot, lambda: found(bench, "question"), "asked")
        asked = found(bench, "question")
        assert asked is not None
        assert "ack?" in badges(asked)
        await go_to(bench, pilot, asked)
        await until(pilot, lambda: "Answer" in footer(bench), "the key for it stands below")
        await pilot.press("home")
        await until(pilot, lambda: "Answer" not in footer(bench), "no other row asks for an answer")
        await go_to(bench, pilot, asked)
        await pilot.press("K")
        composer = bench.desk.query_one(Composer)
        number = json.loads(asked.meta or "{}")["ack"]
        assert composer.query_one("#out-answer", Input).value == str(number)
        assert composer.query_one("#channel", Input).value == "question"
        assert f"answers {number} of question" in str(composer.query_one(".check", Static).render())
        await pilot.press("4", "2", "ctrl+s")
        await until(pilot, lambda: found(bench, "verdict"), "judged")
        verdict = found(bench, "verdict")
        assert verdict is not None
        assert json.loads(verdict.payload)[0]["right"] is True
        assert composer.query_one("#out-answer", Input).value == "", "only the next message answers"


async def test_a_row_that_asks_for_nothing_is_refused_in_words(journal: Journal, server: demo.Server) -> None:
    async with running(journal, f"{server.url}/?rate=0") as (bench, pilot):
        await opened(bench, pilot)
        await emit(bench, pilot, "echo", b"[1]")
        sent = found(bench, "echo", direction=Direction.OUT)
        assert sent is not None
        await go_to(bench, pilot, sent)
        await pilot.press("K")
        await until(pilot, lambda: "asks for no acknowledgement" in toasts(bench), "told")
        assert ACTIONS["app.answer"].help


async def test_an_acknowledgement_is_linked_and_shown_argument_by_argument(
    journal: Journal, server: demo.Server
) -> None:
    async with running(journal, f"{server.url}/?rate=0") as (bench, pilot):
        await opened(bench, pilot)
        await emit(bench, pilot, "echo", b'[1.50,{"a":2}]', ack=True)
        await until(pilot, lambda: found(bench, "echo", Kind.ACK), "acknowledged")
        sent, acked = found(bench, "echo", direction=Direction.OUT), found(bench, "echo", Kind.ACK)
        assert sent is not None
        assert acked is not None
        assert acked.reply_to == sent.seq
        assert acked.latency is not None
        assert any("ms" in badge or "µs" in badge for badge in badges(acked))
        await go_to(bench, pilot, acked)
        bench.desk.show_pane("message")
        await pilot.pause()
        text = "\n".join(screen_text(bench.desk.query_one(MessageView)))
        assert 'wire 430[1.5,{"a":2}]' in text


async def test_binary_arguments_are_shown_as_bytes(journal: Journal, server: demo.Server) -> None:
    async with running(journal, f"{server.url}/?rate=0") as (bench, pilot):
        await opened(bench, pilot)
        await emit(bench, pilot, "binary", b"[]")
        await until(pilot, lambda: found(bench, "image"), "came")
        image = found(bench, "image")
        assert image is not None
        await go_to(bench, pilot, image)
        bench.desk.show_pane("message")
        await pilot.pause()
        text = "\n".join(screen_text(bench.desk.query_one(MessageView)))
        assert 'wire 452-["image"' in text
        assert "89 50 4e 47" in text


async def test_the_composer_completes_events_seen_since_it_was_shown(journal: Journal, server: demo.Server) -> None:
    async with running(journal, f"{server.url}/?rate=0") as (bench, pilot):
        await opened(bench, pilot)
        await emit(bench, pilot, "question", b"[]")
        await until(pilot, lambda: found(bench, "question"), "asked")
        bench.desk.show_pane("composer")
        channel = bench.desk.query_one("#channel", Input)
        channel.focus()
        await pilot.press("q", "u")
        await until(pilot, lambda: channel._suggestion == "question", "offered")
        await pilot.press("right")
        assert channel.value == "question"


async def test_what_is_sent_again_takes_its_attachments_along(journal: Journal, server: demo.Server) -> None:
    async with running(journal, f"{server.url}/?rate=0") as (bench, pilot):
        await opened(bench, pilot)
        await emit(bench, pilot, "binary", b"[]", attachments=["hex:0102"], ack=True)
        await until(pilot, lambda: found(bench, "binary", Kind.ACK), "acknowledged")
        sent = found(bench, "binary", direction=Direction.OUT)
        assert sent is not None
        await go_to(bench, pilot, sent)
        await pilot.press("ctrl+r")
        assert bench.desk.query_one("#out-attachments", Input).value == "base64:AQI="
        await pilot.press("ctrl+s")
        await until(pilot, lambda: len(attached(bench)) == 2, "sent again")
        assert attached(bench) == [["AQI="], ["AQI="]]


def attached(bench: Workbench) -> list[list[str]]:
    """The attachments of what was sent."""
    sent = [record for record in rows(bench) if record.kind == Kind.MESSAGE and record.direction == Direction.OUT]
    return [json.loads(record.meta or "{}")["attachments"] for record in sent]


async def test_namespaces_are_what_is_subscribed_to(journal: Journal, server: demo.Server) -> None:
    async with running(journal, f"{server.url}/?rate=0") as (bench, pilot):
        await opened(bench, pilot)
        await pilot.press("S")
        await until(pilot, lambda: bench.screen.query(SubscriptionList), "listed")
        assert "a asks for a namespace" in bench.screen.query_one(SubscriptionList).hint
        await pilot.press("a")
        await until(pilot, lambda: bench.screen.query("#option-channel"), "the form")
        assert isinstance(bench.screen, SubscriptionForm)
        assert bench.screen.heading == "subscribe to a namespace"
        bench.screen.query_one("#option-channel", Input).value = "/chat"
        await pilot.press("f10")
        await until(pilot, lambda: bench.desk.sure.subscriptions.get("/chat"), "asked")
        state = bench.desk.sure.subscriptions.get("/chat")
        assert state is not None
        await until(pilot, lambda: bench.desk.sure.standing(state) == "granted", "granted")
