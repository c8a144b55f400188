"""What can be done with a channel, on the desk, over the embedded broker and servers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from rtui.capture.journal import Journal
from rtui.capture.reader import Reader
from rtui.core.lifecycle import State
from rtui.core.record import Record
from rtui.demo import mqtt
from rtui.demo import websocket as demo
from rtui.workbench.app import Workbench
from rtui.workbench.bindings import ACTIONS
from rtui.workbench.screens.dialog import Confirm
from rtui.workbench.widgets.composer import Composer
from rtui.workbench.widgets.message import MessageView
from rtui.workbench.widgets.tree import ChannelTree
from tests.workbench.conftest import running, until

NOON = 1_767_268_800_000_000_000


@pytest.fixture
async def broker() -> AsyncIterator[mqtt.Server]:
    one = await mqtt.serve(plant=False)
    yield one
    await one.close()


async def open_tree(bench: Workbench, pilot: Pilot[Any]) -> ChannelTree:
    """Connected, and the keys go to the tree."""
    await until(pilot, lambda: bench.desk.connection and bench.desk.connection.state is State.OPEN, "open")
    bench.desk.show_pane("tree")
    await pilot.pause()
    return bench.desk.sure_tree


async def publish(bench: Workbench, pilot: Pilot[Any], retain: bool, *channels: str) -> None:
    """Send, and see it come back."""
    connection = bench.desk.sure
    outgoing = connection.adapter.Outgoing(retain=retain)
    for channel in channels:
        connection.send(b'{"v":1}', channel, outgoing)
    received: Callable[[], bool] = lambda: all(  # noqa: E731
        (node := connection.channels.get(channel)) is not None and node.count_in for channel in channels
    )
    await until(pilot, received, "received")


def select(tree: ChannelTree, channel: str) -> None:
    for index in range(tree.row_count()):
        tree.go_to_row(index)
        if tree.selected is not None and tree.selected.full == channel:
            return
    raise AssertionError(f"no row for {channel}")


def kept(server: mqtt.Server) -> set[str]:
    return {message.topic for message in server.broker.retained.matching("#", 0.0)}


async def test_a_retained_message_is_cleared_at_once_and_more_after_a_question(
    journal: Journal, broker: mqtt.Server
) -> None:
    async with running(journal, f"{broker.url}/%23") as (bench, pilot):
        tree = await open_tree(bench, pilot)
        await publish(bench, pilot, True, "a/b/c", "a/b/d", "a/e", "z")
        await publish(bench, pilot, False, "a/plain")
        assert kept(broker) == {"a/b/c", "a/b/d", "a/e", "z"}
        select(tree, "z")
        await pilot.press("delete")
        await until(pilot, lambda: kept(broker) == {"a/b/c", "a/b/d", "a/e"}, "one is cleared")
        select(tree, "a")
        await pilot.press("delete")
        await until(pilot, lambda: isinstance(bench.screen, Confirm), "a question")
        assert isinstance(bench.screen, Confirm)
        assert "3 retained messages" in bench.screen.detail
        await pilot.press("n")
        await until(pilot, lambda: bench.screen is bench.desk, "answered")
        assert len(kept(broker)) == 3
        await pilot.press("delete")
        await until(pilot, lambda: isinstance(bench.screen, Confirm), "a question")
        await pilot.press("y")
        await until(pilot, lambda: not kept(broker), "all are cleared")
        await until(pilot, lambda: not any(node.retained for node in bench.desk.sure.channels), "no marks")


async def test_a_message_is_written_to_the_channel_under_the_cursor(journal: Journal, broker: mqtt.Server) -> None:
    async with running(journal, f"{broker.url}/%23") as (bench, pilot):
        tree = await open_tree(bench, pilot)
        await publish(bench, pilot, False, "plant/set")
        select(tree, "plant/set")
        await pilot.press("s", *"20", "ctrl+s")
        node = bench.desk.sure.channels.get("plant/set")
        assert node is not None
        await until(pilot, lambda: node.last == b"20", "it came back")
        assert bench.desk.query_one(Composer).draft.channel == "plant/set"


async def test_a_branch_is_muted_with_everything_below(journal: Journal, broker: mqtt.Server) -> None:
    async with running(journal, f"{broker.url}/%23") as (bench, pilot):
        tree = await open_tree(bench, pilot)
        await publish(bench, pilot, False, "a/b/c", "a/d", "z")
        select(tree, "a")
        await pilot.press("space")
        await publish(bench, pilot, False, "a/new")
        assert {node.full: node.muted for node in bench.desk.sure.channels} == {
            "a/b/c": True, "a/d": True, "z": False, "a/new": True,
        }  # fmt: skip
        await pilot.press("space")
        assert not any(node.muted for node in bench.desk.sure.channels)


async def test_where_nothing_is_retained_nothing_can_be_cleared(journal: Journal, server: demo.Server) -> None:
    async with running(journal, f"{server.url}/ticker?rate=50") as (bench, pilot):
        tree = await open_tree(bench, pilot)
        await until(pilot, lambda: tree.row_count() > 1, "groups")
        assert not ACTIONS["app.clear-retained"].when(bench.desk)
        await pilot.press("delete")
        await pilot.pause()
        assert bench.screen is bench.desk
        assert not bench._notifications


async def test_every_action_is_in_the_palette_too(journal: Journal, broker: mqtt.Server) -> None:
    async with running(journal, f"{broker.url}/%23") as (bench, pilot):
        tree = await open_tree(bench, pilot)
        await publish(bench, pilot, True, "a/b", "a/c")
        select(tree, "a/b")
        bench.desk.perform("app.channel-history")
        await until(pilot, lambda: bench.desk.sheets.current.filter_text == "ch=a/b", "exactly")  # type: ignore[union-attr]
        bench.desk.perform("app.channel-branch")
        await until(pilot, lambda: bench.desk.sheets.current.filter_text == "ch:a/b", "the branch")  # type: ignore[union-attr]
        bench.desk.perform("app.channel-copy")
        await until(pilot, lambda: any("name" in note.message for note in bench._notifications), "copied")
        bench.desk.perform("app.channel-compose")
        await until(pilot, lambda: bench.desk.query_one(Composer).draft.channel == "a/b", "aimed")
        bench.desk.perform("app.clear-retained")
        await until(pilot, lambda: kept(broker) == {"a/c"}, "cleared")


async def test_diff_and_chart_of_a_group_of_a_websocket(journal: Journal, server: demo.Server) -> None:
    async with running(journal, f"{server.url}/ticker?rate=100") as (bench, pilot):
        view = bench.desk.query_one(MessageView)
        bench.desk.put_filter("ch:trade")
        await until(pilot, lambda: bench.desk.has_filter and bench.desk.log_view.total > 5, "rows")
        await pilot.press("up")
        bench.desk.perform("app.diff")
        await until(pilot, lambda: view.mode == "diff" and "removed" in drawn(view), "a diff")
        await pilot.press("v")
        await until(pilot, lambda: "points" in drawn(view) and view.row_count() > 3, "a chart")
        before = drawn(view)
        await until(pilot, lambda: drawn(view) != before, "it goes on")


def drawn(view: MessageView) -> str:
    return "".join(text for row in range(view.row_count()) for _, text in view.row_pieces(row, 100))


async def test_an_opened_capture_knows_the_levels_of_its_protocol(tmp_path: Path) -> None:
    journal = Journal.create(tmp_path / "old.rtui")
    link = journal.add_link("plant", "mqtt", "mqtt://plant.example")
    names = ["a/b", "a/c", "$SYS/x"]
    journal.append([Record(seq, NOON + seq, link, 0, 1, name, b"2") for seq, name in enumerate(names, 1)])
    journal.close()
    async with running(None, reader=Reader(tmp_path / "old.rtui")) as (bench, pilot):
        tree = bench.desk.sure_tree
        await until(pilot, lambda: tree.row_count() == 4, "two levels, and one folded")
        assert tree.title == "topics"
        bench.desk.perform("app.channel-compose")
        await pilot.pause()
        assert bench.screen is bench.desk
