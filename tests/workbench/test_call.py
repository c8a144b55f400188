"""Calls on the desk, over the embedded gRPC server: choose, fill in, stream, end, cancel, follow one exchange."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from functools import partial
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Input, OptionList, TextArea

from rtui.capture.journal import Journal
from rtui.core.lifecycle import State
from rtui.core.record import Direction, Kind, Record
from rtui.demo import grpc
from rtui.workbench.actions.call import open_calls
from rtui.workbench.app import Workbench
from rtui.workbench.bindings import ACTIONS
from rtui.workbench.screens.dialog import Choose, Note
from rtui.workbench.screens.subscription_form import SubscriptionForm
from rtui.workbench.widgets.composer import Composer
from rtui.workbench.widgets.footer import KeyLine
from rtui.workbench.widgets.message import MessageView
from rtui.workbench.widgets.status import ConnectionHeader
from tests.workbench.conftest import running, until
from tests.workbench.test_channel import drawn, open_tree, select
from tests.workbench.test_desk import SIZES


@pytest.fixture
async def server() -> AsyncIterator[grpc.Server]:
    one = await grpc.serve()
    yield one
    await one.close()


async def opened(bench: Workbench, pilot: Pilot[Any]) -> Composer:
    """Connected, and the peer told what it has."""
    await until(pilot, lambda: bench.desk.connection and bench.desk.connection.state is State.OPEN, "open")
    await until(pilot, lambda: bench.desk.sure_tree.offered, "offered")
    return bench.desk.query_one(Composer)


async def call(bench: Workbench, pilot: Pilot[Any], method: str, request: object) -> None:
    """Write a request and send it."""
    composer = bench.desk.query_one(Composer)
    if not composer.has_focus_within:
        bench.desk.show_pane("composer")
    composer.aim(method)
    composer.set_text(json.dumps(request))
    await pilot.press("ctrl+s")


def rows(bench: Workbench) -> list[Record]:
    sheet = bench.desk.sheets.current
    assert sheet is not None
    sheet.lens.refresh()
    return list(sheet.lens.rows(0, len(sheet.lens.seqs)))


def messages(bench: Workbench, direction: Direction) -> list[Record]:
    return [one for one in rows(bench) if one.kind == Kind.MESSAGE and one.direction == direction]


def of_kind(bench: Workbench, kind: Kind) -> list[Record]:
    return [one for one in rows(bench) if one.kind == kind]


def stands_on(bench: Workbench, seq: int) -> bool:
    return bench.desk.log_view.cursor_seq == seq


def keys(bench: Workbench) -> set[str]:
    return {hint.title for hint in bench.desk.query_one(KeyLine).hints}


@SIZES
async def test_a_method_is_found_by_a_part_of_its_name_filled_in_and_called(
    journal: Journal, server: grpc.Server, size: tuple[int, int]
) -> None:
    async with running(journal, server.url, size=size) as (bench, pilot):
        composer = await opened(bench, pilot)
        await until(pilot, lambda: "none used yet" in bench.desk.query_one(ConnectionHeader).text, "it says so")
        await pilot.press("O")
        await until(pilot, lambda: isinstance(bench.screen, Choose), "the list")
        await pilot.press(*"say", "enter")
        await until(pilot, lambda: composer.draft.channel == "demo.Echo/Say", "chosen")
        assert bench.desk.focused is composer.area
        assert json.loads(composer.draft.payload) == {"text": ""}
        composer.set_text('{"text": "hi"}')
        await pilot.press("ctrl+s")
        await until(pilot, lambda: messages(bench, Direction.IN), "answered")
        sent, answer = messages(bench, Direction.OUT)[-1], messages(bench, Direction.IN)[-1]
        assert json.loads(answer.payload)["text"] == "hi"
        assert answer.reply_to == sent.seq
        assert json.loads(answer.meta or "{}")["status"] == "OK"
        await until(pilot, lambda: str(composer.query_one(".check").render()).startswith("answered in "), "told below")
        await until(pilot, lambda: "none used yet" not in bench.desk.query_one(ConnectionHeader).text, "one is")


async def test_services_and_methods_stand_in_the_tree_before_any_call(journal: Journal, server: grpc.Server) -> None:
    async with running(journal, server.url) as (bench, pilot):
        await opened(bench, pilot)
        tree = await open_tree(bench, pilot)
        select(tree, "demo.Echo/Talk")
        assert "Talk bidi" in "".join(text for _, text in tree.row_pieces(tree.cursor, 36))
        await pilot.press("enter")
        composer = bench.desk.query_one(Composer)
        await until(pilot, lambda: composer.draft.channel == "demo.Echo/Talk", "it is written to")
        assert json.loads(composer.draft.payload) == {"text": ""}
        await pilot.press("ctrl+s")
        node = bench.desk.sure.channels.get("demo.Echo/Talk")
        assert node is not None
        await until(pilot, lambda: node.count_in == 1, "answered")
        bench.desk.show_pane("tree")
        await pilot.press("enter")
        await until(pilot, lambda: bench.desk.has_filter, "now it filters")
        await until(pilot, lambda: {one.channel for one in rows(bench)} == {"demo.Echo/Talk"}, "its rows alone")


@SIZES
async def test_a_stream_both_ways_is_ended_by_a_key_that_is_there_only_then(
    journal: Journal, server: grpc.Server, size: tuple[int, int]
) -> None:
    async with running(journal, server.url, size=size) as (bench, pilot):
        await opened(bench, pilot)
        assert not ACTIONS["app.half-close"].when(bench.desk)
        assert not ACTIONS["app.cancel"].when(bench.desk)
        await call(bench, pilot, "demo.Echo/Talk", {"text": "one"})
        await call(bench, pilot, "demo.Echo/Talk", {"text": "two"})
        await until(pilot, lambda: len(messages(bench, Direction.IN)) == 2, "two answers")
        await until(pilot, lambda: open_calls(bench.desk.sure) == (1, 1), "one call is open")
        await until(pilot, lambda: "1 call open" in bench.desk.query_one(ConnectionHeader).text, "told above")
        await until(pilot, lambda: {"End sending", "Cancel call"} <= keys(bench), "the keys are shown")
        await pilot.press("alt+h")
        await until(pilot, lambda: of_kind(bench, Kind.ACK), "the end")
        await until(pilot, lambda: open_calls(bench.desk.sure) == (0, 0), "none is open")
        await until(pilot, lambda: not {"End sending", "Cancel call"} & keys(bench), "the keys are gone")
        first = messages(bench, Direction.OUT)[0]
        assert {one.reply_to for one in rows(bench) if one.channel and one.seq != first.seq} == {first.seq}
        assert [one.reply_to for one in messages(bench, Direction.OUT)] == [None, first.seq]
        assert json.loads(of_kind(bench, Kind.ACK)[0].meta or "{}")["status"] == "OK"


async def test_a_call_is_cancelled_from_the_log(journal: Journal, server: grpc.Server) -> None:
    async with running(journal, server.url) as (bench, pilot):
        await opened(bench, pilot)
        await call(bench, pilot, "demo.Echo/Repeat", {"text": "x", "times": 100_000, "every": "0.01s"})
        await until(pilot, lambda: len(messages(bench, Direction.IN)) > 2, "it runs")
        assert not ACTIONS["app.half-close"].when(bench.desk)
        bench.desk.show_pane("log")
        await until(pilot, lambda: ACTIONS["app.cancel"].when(bench.desk), "it can be cancelled")
        await pilot.press("Q")
        await until(pilot, lambda: open_calls(bench.desk.sure) == (0, 0), "it ended")
        await until(pilot, lambda: of_kind(bench, Kind.ERROR), "told")
        assert json.loads(of_kind(bench, Kind.ERROR)[0].meta or "{}")["status"] == "CANCELLED"


async def test_one_exchange_is_followed_and_shown_alone(journal: Journal, server: grpc.Server) -> None:
    async with running(journal, server.url) as (bench, pilot):
        await opened(bench, pilot)
        await call(bench, pilot, "demo.Echo/Talk", {"text": "one"})
        await until(pilot, lambda: len(messages(bench, Direction.IN)) == 1, "answered")
        await call(bench, pilot, "demo.Echo/Say", {"text": "between"})
        await until(pilot, lambda: len(messages(bench, Direction.IN)) == 2, "answered")
        await call(bench, pilot, "demo.Echo/Talk", {"text": "two"})
        await until(pilot, lambda: len(messages(bench, Direction.IN)) == 3, "answered")
        bench.desk.show_pane("log")
        log = bench.desk.log_view
        talk = [one.seq for one in rows(bench) if one.channel == "demo.Echo/Talk"]
        log.go_to(talk[0])
        for seq in talk[1:]:
            await pilot.press("right_parenthesis")
            await until(pilot, partial(stands_on, bench, seq), "the next of the call")
        await pilot.press("left_parenthesis")
        await until(pilot, lambda: log.cursor_seq == talk[-2], "one back")
        await pilot.press("percent_sign")
        await until(pilot, lambda: log.cursor_seq == talk[0], "its request")
        await pilot.press("equals_sign")
        await until(pilot, lambda: bench.desk.has_filter and [one.seq for one in rows(bench)] == talk, "alone")
        await pilot.press("equals_sign")
        await until(pilot, lambda: not bench.desk.has_filter, "everything again")


async def test_a_failure_tells_its_status_and_details(journal: Journal, server: grpc.Server) -> None:
    async with running(journal, server.url) as (bench, pilot):
        composer = await opened(bench, pilot)
        await call(bench, pilot, "demo.Faults/Fail", {"code": "INVALID_ARGUMENT", "message": "no such rack"})
        await until(pilot, lambda: of_kind(bench, Kind.ERROR), "failed")
        await until(
            pilot, lambda: "no such rack" in str(composer.query_one(".check").render()), "told where it is sent"
        )
        view = bench.desk.query_one(MessageView)
        bench.desk.show_pane("log")
        bench.desk.log_view.go_to(of_kind(bench, Kind.ERROR)[0].seq)
        await until(pilot, lambda: "INVALID_ARGUMENT" in drawn(view), "the status")
        assert "[0].field" in drawn(view)


async def test_a_request_that_does_not_fit_is_refused_with_the_place(journal: Journal, server: grpc.Server) -> None:
    async with running(journal, server.url) as (bench, pilot):
        composer = await opened(bench, pilot)
        await call(bench, pilot, "demo.Echo/Repeat", {"text": "x", "times": "many"})
        await until(pilot, lambda: "times" in str(composer.query_one(".check").render()), "the field is named")
        assert not messages(bench, Direction.OUT)
        assert json.loads(composer.draft.payload)["times"] == "many"


async def test_the_command_line_that_does_the_same_is_copied(
    journal: Journal, server: grpc.Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    copied: list[str] = []
    async with running(journal, server.url) as (bench, pilot):
        monkeypatch.setattr(bench, "copy", lambda text, _what: copied.append(text))
        await opened(bench, pilot)
        await call(bench, pilot, "demo.Echo/Say", {"text": "it's"})
        await until(pilot, lambda: messages(bench, Direction.IN), "answered")
        await pilot.press("alt+y")
        bench.desk.show_pane("log")
        bench.desk.log_view.go_to(messages(bench, Direction.IN)[0].seq)
        await pilot.press("ctrl+y")
        assert len(copied) == 2
        for text in copied:
            assert text.startswith("grpcurl ")
            assert "demo.Echo/Say" in text
        bench.desk.log_view.go_to(of_kind(bench, Kind.OPEN)[0].seq)
        await pilot.press("ctrl+y")
        await until(pilot, lambda: len(copied) == 3, "the connection, where no request stands")
        assert copied[2] == f"rtui tail {server.url}"


async def test_the_command_of_a_row_has_its_own_metadata_and_no_secret(
    journal: Journal, server: grpc.Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    copied: list[str] = []
    async with running(journal, server.url) as (bench, pilot):
        monkeypatch.setattr(bench, "copy", lambda text, _what: copied.append(text))
        await opened(bench, pilot)
        metadata = {"trace": "it's 7", "x-api-key": "s3cret"}
        bench.desk.send(b"{}", "demo.Echo/Metadata", {"metadata": metadata})
        await until(pilot, lambda: messages(bench, Direction.IN), "answered")
        bench.desk.show_pane("log")
        bench.desk.log_view.go_to(messages(bench, Direction.IN)[0].seq)
        await pilot.press("ctrl+y")
        await until(pilot, lambda: copied, "copied")
    assert """-H 'trace: it'"'"'s 7'""" in copied[0]
    assert "s3cret" not in copied[0]
    assert "•••" not in copied[0]


async def test_a_stream_under_the_cursor_is_subscribed_to_with_its_template(
    journal: Journal, server: grpc.Server
) -> None:
    async with running(journal, server.url) as (bench, pilot):
        await opened(bench, pilot)
        tree = await open_tree(bench, pilot)
        select(tree, "demo.Telemetry/Watch")
        await pilot.press("A")
        await until(pilot, lambda: isinstance(bench.screen, SubscriptionForm), "the form")
        area = bench.screen.query_one("#option-data", TextArea)
        await until(pilot, lambda: "rate" in area.text, "its template")
        assert bench.screen.query_one("#option-channel", Input).value == "demo.Telemetry/Watch"
        area.text = '{"rate": 200}'
        await pilot.press("f10")
        node = bench.desk.sure.channels.get("demo.Telemetry/Watch")
        assert node is not None
        await until(pilot, lambda: node.count_in > 3, "it streams")
        await pilot.press("space")
        await until(pilot, lambda: open_calls(bench.desk.sure) == (0, 0), "switched off")


async def test_what_the_peer_says_of_a_method_is_shown(journal: Journal, server: grpc.Server) -> None:
    async with running(journal, server.url) as (bench, pilot):
        await opened(bench, pilot)
        tree = await open_tree(bench, pilot)
        select(tree, "demo.Telemetry/Watch")
        await pilot.press("I")
        await until(pilot, lambda: isinstance(bench.screen, Note), "shown")
        assert isinstance(bench.screen, Note)
        assert "server stream: " in bench.screen.text
        assert '"rate"' in bench.screen.text


async def test_a_part_of_a_name_is_completed_in_the_form_too(journal: Journal, server: grpc.Server) -> None:
    async with running(journal, server.url) as (bench, pilot):
        await opened(bench, pilot)
        await pilot.press("A")
        await until(pilot, lambda: isinstance(bench.screen, SubscriptionForm), "the form")
        await pilot.press(*"burst", "enter")
        channel = bench.screen.query_one("#option-channel", Input)
        await until(pilot, lambda: channel.value == "demo.Telemetry/Burst", "completed")
        area = bench.screen.query_one("#option-data", TextArea)
        await until(pilot, lambda: "size" in area.text, "its template")
        area.text = '{"rate": 50, "count": 3}'
        await pilot.press("enter")
        await until(pilot, lambda: bench.screen is bench.desk, "accepted")
        await until(pilot, lambda: len(messages(bench, Direction.IN)) == 3, "it came")
        state = bench.desk.sure.subscriptions.get("demo.Telemetry/Burst")
        assert state is not None
        await until(pilot, lambda: bench.desk.sure.standing(state) == "ended", "the server had no more")


async def test_a_method_is_chosen_and_a_call_is_ended_by_mouse(journal: Journal, server: grpc.Server) -> None:
    async with running(journal, server.url) as (bench, pilot):
        composer = await opened(bench, pilot)
        tree = bench.desk.sure_tree
        select(tree, "demo.Echo/Talk")
        await pilot.click(tree, offset=(6, tree.cursor + 1), times=2)
        await until(pilot, lambda: composer.draft.channel == "demo.Echo/Talk", "written to")
        await pilot.press("ctrl+s")
        await until(pilot, lambda: messages(bench, Direction.IN), "answered")
        await until(pilot, lambda: "End sending" in keys(bench), "the key is shown")
        line = bench.desk.query_one(KeyLine)
        start = next(start for hint, start in line._placed() if hint.title == "End sending")
        await pilot.click(line, offset=(start + 1, 0))
        await until(pilot, lambda: of_kind(bench, Kind.ACK), "ended")
        await pilot.click("#composer .channel-label")
        await until(pilot, lambda: isinstance(bench.screen, Choose), "the list")


async def test_the_list_is_narrowed_by_what_stands_in_the_field(journal: Journal, server: grpc.Server) -> None:
    async with running(journal, server.url) as (bench, pilot):
        composer = await opened(bench, pilot)
        bench.desk.show_pane("composer")
        field = composer.query_one("#channel", Input)
        field.value = "tele"
        field.focus()
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(bench.screen, Choose), "the list")
        assert bench.screen.query_one(OptionList).option_count == 2
        await pilot.press("down", "enter")
        await until(pilot, lambda: composer.draft.channel.startswith("demo.Telemetry/"), "chosen")


async def test_the_method_of_the_url_is_ready_to_be_called(journal: Journal, server: grpc.Server) -> None:
    async with running(journal, f"{server.url}/demo.Echo/Say") as (bench, pilot):
        composer = await opened(bench, pilot)
        await until(pilot, lambda: composer.draft.channel == "demo.Echo/Say", "in the composer")
        assert json.loads(composer.draft.payload) == {"text": ""}


async def test_offers_are_there_again_after_a_cut(journal: Journal, server: grpc.Server) -> None:
    async with running(journal, server.url) as (bench, pilot):
        await opened(bench, pilot)
        await call(bench, pilot, "demo.Echo/Talk", {"text": "one"})
        await until(pilot, lambda: open_calls(bench.desk.sure) == (1, 1), "open")
        bench.desk.sure.sabotage("drop")
        await until(pilot, lambda: bench.desk.sure.opened == 2, "back")
        assert open_calls(bench.desk.sure) == (0, 0)
        assert not ACTIONS["app.cancel"].when(bench.desk)
        assert ACTIONS["app.offered"].when(bench.desk)
