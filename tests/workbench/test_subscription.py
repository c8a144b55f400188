"""Subscriptions on the desk: listed, added, changed, switched, muted, ended, saved; over the embedded broker."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Input, Select

from rtui.capture.channels import Channels
from rtui.capture.journal import Journal
from rtui.capture.meter import Meter
from rtui.capture.reader import Reader
from rtui.core.fault import Fault
from rtui.core.lifecycle import State
from rtui.core.record import Direction, Kind, Record
from rtui.demo import mqtt
from rtui.protocols.mqtt import Mqtt, Subscription
from rtui.runtime.hub import Connection
from rtui.runtime.ledger import Ticket
from rtui.runtime.link import Link
from rtui.settings.config import Config
from rtui.settings.secrets import Secrets
from rtui.settings.session import Session, SessionSubscription, load_session, session_from_url
from rtui.workbench.actions.session import declares_for
from rtui.workbench.app import Workbench
from rtui.workbench.reading import look_of
from rtui.workbench.screens.help import Help
from rtui.workbench.screens.subscription_form import SubscriptionForm
from rtui.workbench.screens.subscriptions import SubscriptionList, SubscriptionScreen, about, answer_words
from rtui.workbench.sheet import Sheet
from rtui.workbench.widgets.row import PLAIN, Look
from rtui.workbench.widgets.tree import ChannelTree
from tests.workbench.conftest import running, until
from tests.workbench.test_channel import open_tree, publish, select
from tests.workbench.test_desk import toasts


@pytest.fixture
async def broker() -> AsyncIterator[mqtt.Server]:
    one = await mqtt.serve(plant=False)
    yield one
    await one.close()


async def listed(bench: Workbench, pilot: Pilot[Any]) -> SubscriptionList:
    """Connected, the list on the screen."""
    await until(pilot, lambda: bench.desk.connection and bench.desk.connection.state is State.OPEN, "open")
    await pilot.press("S")
    await until(pilot, lambda: isinstance(bench.screen, SubscriptionScreen), "the list")
    return bench.screen.query_one(SubscriptionList)


async def form(bench: Workbench, pilot: Pilot[Any], **values: str) -> None:
    """Fill in the form and accept it."""
    await until(pilot, lambda: isinstance(bench.screen, SubscriptionForm), "the form")
    await pilot.pause()
    for key, value in values.items():
        field = bench.screen.query_one(f"#option-{key}")
        assert isinstance(field, Input | Select)
        field.value = value
    await pilot.press("f10")


def standings(bench: Workbench) -> dict[str, str]:
    connection = bench.desk.sure
    return {one.channel: connection.standing(one) for one in connection.subscriptions}


def shown(rows: SubscriptionList) -> str:
    """The row under the cursor, as text."""
    return "".join(text for _, text in rows.row_pieces(rows.cursor, 100))


async def test_an_empty_tree_says_how_to_subscribe(journal: Journal, broker: mqtt.Server) -> None:
    async with running(journal, broker.url) as (bench, pilot):
        tree = bench.desk.sure_tree
        await until(pilot, lambda: tree.hint == "no topics yet — A asks the broker for a topic", "how")
        bench.desk.sure.subscribe("a/#")
        waiting = "no topics yet — nothing came so far; A asks for another topic"
        await until(pilot, lambda: tree.hint == waiting, "asked")
        await broker.close()
        await until(pilot, lambda: tree.hint == "no topics yet — not connected", "lost")


async def test_the_list_says_what_to_do_when_it_is_empty_and_adds_one(journal: Journal, broker: mqtt.Server) -> None:
    async with running(journal, broker.url) as (bench, pilot):
        rows = await listed(bench, pilot)
        assert "a asks for a topic" in rows.hint
        assert rows.row_count() == 0
        await pilot.press("enter")
        await form(bench, pilot, channel="a/#", alias="all of a", colour="#0f0", qos="2")
        await until(pilot, lambda: standings(bench) == {"a/#": "granted"}, "granted")
        await until(pilot, lambda: "qos 2" in shown(rows), "shown")
        assert "all of a" in shown(rows)
        assert bench.desk.sure.subscriptions.get("a/#").colour == "#00ff00"  # type: ignore[union-attr]
        assert rows.selected is not None
        assert rows.selected.channel == "a/#"


async def test_counts_tick_while_the_list_is_open(journal: Journal, broker: mqtt.Server) -> None:
    async with running(journal, f"{broker.url}/%23") as (bench, pilot):
        rows = await listed(bench, pilot)
        await publish(bench, pilot, False, "a", "b", "c")
        await until(pilot, lambda: any(" 3 " in strip.text for strip in rows.painted._strips.values()), "painted")


async def test_space_switches_off_at_the_broker_and_on_again(journal: Journal, broker: mqtt.Server) -> None:
    async with running(journal, f"{broker.url}/a") as (bench, pilot):
        await listed(bench, pilot)
        await until(pilot, lambda: broker.broker.subscriptions.count == 1, "subscribed")
        await pilot.press("space")
        await until(pilot, lambda: broker.broker.subscriptions.count == 0, "off at the broker")
        assert standings(bench) == {"a": "off"}
        await pilot.press("space")
        await until(pilot, lambda: standings(bench) == {"a": "granted"}, "on")
        assert broker.broker.subscriptions.count == 1


async def test_ending_one_takes_it_out_of_list_and_broker(journal: Journal, broker: mqtt.Server) -> None:
    async with running(journal, broker.url) as (bench, pilot):
        rows = await listed(bench, pilot)
        await pilot.press("a")
        await form(bench, pilot, channel="a")
        await until(pilot, lambda: broker.broker.subscriptions.count == 1, "subscribed")
        await until(pilot, lambda: bench.screen.query(SubscriptionList), "back")
        await pilot.press("d")
        await until(pilot, lambda: broker.broker.subscriptions.count == 0, "unsubscribed")
        assert rows.row_count() == 0
        await pilot.press("escape")
        await until(pilot, lambda: bench.screen is bench.desk, "closed")


async def test_editing_changes_options_and_name_of_the_same_subscription(journal: Journal, broker: mqtt.Server) -> None:
    async with running(journal, f"{broker.url}/a") as (bench, pilot):
        rows = await listed(bench, pilot)
        await publish(bench, pilot, False, "a")
        await pilot.press("enter")
        await form(bench, pilot, qos="1", alias="first")
        await until(pilot, lambda: "qos 1" in shown(rows), "granted anew")
        state = rows.selected
        assert state is not None
        assert (state.alias, state.watch.total) == ("first", 1)
        await pilot.press("enter")
        await form(bench, pilot, channel="b")
        await until(pilot, lambda: standings(bench) == {"b": "granted"}, "another channel")
        assert broker.broker.subscriptions.count == 1


async def test_a_wrong_colour_and_a_missing_channel_are_told_in_the_form(journal: Journal, broker: mqtt.Server) -> None:
    async with running(journal, broker.url) as (bench, pilot):
        await until(pilot, lambda: bench.desk.connection and bench.desk.connection.state is State.OPEN, "open")
        await pilot.press("A")
        await form(bench, pilot, colour="reddish")
        await pilot.pause()
        trouble = str(bench.screen.query_one(".trouble").render())
        assert "topic: is missing" in trouble, "by the name that stands in the form"
        assert any("$share/group/" in field.placeholder for field in bench.screen.query(Input))
        assert "colour: must be a colour such as #5fd7ff" in trouble
        await pilot.press("escape")
        await until(pilot, lambda: bench.screen is bench.desk, "closed")
        assert standings(bench) == {}


async def test_muting_hides_the_rows_and_the_capture_keeps_them(journal: Journal, broker: mqtt.Server) -> None:
    async with running(journal, f"{broker.url}/%23") as (bench, pilot):
        await listed(bench, pilot)
        await publish(bench, pilot, False, "a", "b")
        await until(pilot, lambda: bench.desk.log_view.total == journal.last, "every row is taken in")
        total = bench.desk.log_view.total
        await pilot.press("m")
        await until(pilot, lambda: bench.desk.log_view.total == total - 2, "hidden")
        assert "without 1 muted" in str(bench.desk.log_view._border_title)
        assert "S lists the subscriptions" in bench.desk.log_view.hint
        await publish(bench, pilot, False, "c")
        assert journal.last > total
        node = bench.desk.sure.channels.get("c")
        assert node is not None
        assert node.quiet
        await pilot.press("m")
        await until(pilot, lambda: bench.desk.log_view.total == journal.last, "all of them are back")


async def test_a_refusal_stands_in_the_row_in_words(journal: Journal, broker: mqtt.Server) -> None:
    async with running(journal, broker.url) as (bench, pilot):
        rows = await listed(bench, pilot)
        bench.desk.sure.subscribe("a/#/b")
        await until(pilot, lambda: standings(bench) == {"a/#/b": "refused"}, "refused")
        assert "refused: # stands alone" in shown(rows)


async def test_help_lists_the_keys_of_the_list(journal: Journal, broker: mqtt.Server) -> None:
    async with running(journal, broker.url) as (bench, pilot):
        await listed(bench, pilot)
        await pilot.press("question_mark")
        await until(pilot, lambda: isinstance(bench.screen, Help), "help")
        assert isinstance(bench.screen, Help)
        titles = {title for _, rows in bench.screen._sections for _, title, _ in rows}
        assert {"Add", "Edit", "On/off", "Mute", "Unsubscribe"} <= titles


async def test_the_mouse_switches_on_the_mark(journal: Journal, broker: mqtt.Server) -> None:
    async with running(journal, f"{broker.url}/a") as (bench, pilot):
        await listed(bench, pilot)
        await until(pilot, lambda: standings(bench) == {"a": "granted"}, "granted")
        await pilot.click(SubscriptionList, offset=(0, 0))
        await until(pilot, lambda: standings(bench) == {"a": "off"}, "off")


# In the tree


def row_of(tree: ChannelTree) -> str:
    """The row under the cursor, as text."""
    return "".join(text for _, text in tree.row_pieces(tree.cursor, 60))


async def test_space_in_the_tree_switches_a_subscription_and_mutes_elsewhere(
    journal: Journal, broker: mqtt.Server
) -> None:
    async with running(journal, f"{broker.url}/a/%23") as (bench, pilot):
        tree = await open_tree(bench, pilot)
        await publish(bench, pilot, False, "a/b")
        select(tree, "a")
        await until(pilot, lambda: bench.glyphs.subscribe in row_of(tree), "granted")
        await pilot.press("space")
        await until(pilot, lambda: standings(bench) == {"a/#": "off"}, "off")
        assert bench.glyphs.idle in row_of(tree)
        select(tree, "a/b")
        await pilot.press("space")
        node = bench.desk.sure.channels.get("a/b")
        assert node is not None
        await until(pilot, lambda: node.muted, "muted")
        assert standings(bench) == {"a/#": "off"}


async def test_the_mark_in_the_tree_says_whether_anything_can_come(journal: Journal, broker: mqtt.Server) -> None:
    async with running(journal, f"{broker.url}/a/%23") as (bench, pilot):
        tree = await open_tree(bench, pilot)
        await publish(bench, pilot, False, "a/b")
        select(tree, "a")
        await until(pilot, lambda: bench.glyphs.subscribe in row_of(tree), "granted")
        await broker.close()
        await until(pilot, lambda: standings(bench) == {"a/#": "waiting"}, "lost")
        assert bench.glyphs.idle in row_of(tree)
        assert bench.glyphs.subscribe not in row_of(tree)


async def test_u_in_the_tree_unsubscribes_only_where_a_subscription_stands(
    journal: Journal, broker: mqtt.Server
) -> None:
    async with running(journal, f"{broker.url}/a/%23") as (bench, pilot):
        tree = await open_tree(bench, pilot)
        await publish(bench, pilot, False, "a/b")
        select(tree, "a/b")
        await pilot.press("u")
        await pilot.pause()
        assert set(standings(bench)) == {"a/#"}
        select(tree, "a")
        await pilot.press("u")
        await until(pilot, lambda: not standings(bench), "unsubscribed")
        await until(pilot, lambda: broker.broker.subscriptions.count == 0, "at the broker too")


# Looks


async def test_rows_have_the_colour_and_the_alias_of_what_brought_them(journal: Journal, broker: mqtt.Server) -> None:
    async with running(journal) as (bench, pilot):
        wanted = (
            SessionSubscription(channel="a/+", colour="#ff8800", alias="many"),
            SessionSubscription(channel="b", colour="ansi_cyan", alias="one"),
            SessionSubscription(channel="c"),
        )
        bench.connect(Session(name="s", url=broker.url, subscriptions=wanted))
        await open_tree(bench, pilot)
        await publish(bench, pilot, False, "a/x", "b", "c")
        connection = bench.desk.sure
        assert look_of(connection, "a/x") == Look(colour="#ff8800", badge="many")
        assert look_of(connection, "b") == Look(colour="ansi_cyan", name="one")
        assert look_of(connection, "c") is PLAIN
        log = bench.desk.log_view
        log.tick()
        await until(pilot, lambda: any("a/x" in strip.text for strip in log.painted._strips.values()), "painted")
        colours = {
            segment.text.strip(): segment.style.color.triplet.hex
            for strip in log.painted._strips.values()
            for segment in strip
            if segment.style and segment.style.color and segment.style.color.triplet
        }
        assert colours["a/x"] == colours["many"] == "#ff8800"


@pytest.mark.parametrize("theme", ["monochrome", "light", "high-contrast"])
async def test_colours_can_be_read_in_every_theme(journal: Journal, broker: mqtt.Server, theme: str) -> None:
    from rtui.settings.theme import contrast

    async with running(journal, theme=theme) as (bench, _):
        style = bench.desk.log_view.brush.palette.style("#f8f8f0")
        assert style.color is not None
        assert style.bgcolor is not None
        text, ground = style.color.get_truecolor().hex, style.bgcolor.get_truecolor().hex
        assert contrast(text, ground) >= 3.0
        assert bool(style.bold) == (theme == "monochrome")


# Saved with the session


async def test_what_was_changed_is_saved_and_comments_stay(
    journal: Journal, broker: mqtt.Server, tmp_path: Path
) -> None:
    path = tmp_path / "plant.toml"
    text = f"""\
[session]
url = "{broker.url}"

[variables]
site = "north"

# the whole site
[[subscriptions]]
channel = "{{{{ site }}}}/#"
qos = 1  # at least once

[[subscriptions]]
channel = "gone"
"""
    await asyncio.to_thread(path.write_text, text)
    async with running(journal) as (bench, pilot):
        bench.connect(load_session(path, declares_for))
        await listed(bench, pilot)
        await until(pilot, lambda: standings(bench).keys() == {"north/#", "gone"}, "both")
        await pilot.press("m", "down", "d", "a")
        await form(bench, pilot, channel="new/+", alias="new", qos="2")
        await until(pilot, lambda: standings(bench).get("new/+") == "granted", "added")
        await pilot.press("escape")
        await until(pilot, lambda: bench.screen is bench.desk, "closed")
        assert bench.desk.sheets.current is not None
        assert bench.desk.sheets.current.unsaved
        await pilot.press("w")
        await until(pilot, lambda: "saved to" in toasts(bench), "saved")
    saved = await asyncio.to_thread(path.read_text)
    assert "# the whole site" in saved
    assert 'channel = "{{ site }}/#"' in saved
    assert "qos = 1  # at least once" in saved
    assert load_session(path, declares_for).subscriptions == (
        SessionSubscription(channel="{{ site }}/#", muted=True, options={"qos": 1}),
        SessionSubscription(channel="new/+", alias="new", options={"qos": 2}),
    )


async def test_what_the_url_names_is_saved_as_off(journal: Journal, broker: mqtt.Server) -> None:
    async with running(journal, f"{broker.url}/a") as (bench, pilot):
        await listed(bench, pilot)
        await pilot.press("d")
        await until(pilot, lambda: not standings(bench), "ended")
        session = bench.desk.session
        assert session is not None
        assert session.subscriptions == (SessionSubscription(channel="a", enabled=False),)


# What is said, and how it looks


class Still(Connection):
    """A connection that stands without a peer: what the peer said is written down by the test."""

    @property
    def state(self) -> State:
        return State.OPEN


@pytest.fixture
def still(journal: Journal) -> Still:
    link = Link(
        link_id=1,
        url="mqtt://plant.example",
        options=Mqtt.Options(),
        journal=journal,
        channels=Channels("/"),
        meter=Meter(),
        secrets=Secrets(),
    )
    session = session_from_url("mqtt://plant.example")
    one = Still(session, Mqtt(), link, url=link.url, renderer=None, retry_first=False)
    refused = Fault(kind="auth", side="them", title="The broker refused", cause="not authorized", hint="Ask for access")
    answers: list[tuple[str, int, Ticket]] = [
        ("plant/#", 1, Ticket(outcome="acked", granted={"qos": 1})),
        ("plant/+/+/temperature", 2, Ticket(outcome="acked", granted={"qos": 0, "requested_qos": 2})),
        ("secret/#", 0, Ticket(outcome=refused)),
        ("alarms", 0, Ticket()),
        ("quiet/\x1b[31m", 0, Ticket(outcome="acked", granted={"qos": 0})),
    ]
    for channel, qos, ticket in answers:
        state = one.subscriptions.want(channel, Subscription(qos=qos))
        state.ticket = ticket
    one.subscriptions.want("old/+").enabled = False
    one.label("plant/#", alias="everything", colour="#ff8800")
    one.mute("quiet/\x1b[31m")
    one.channels.tap([Record(1, 1, 1, Kind.MESSAGE, Direction.IN, "plant/a", b"") for _ in range(48_211)])
    return one


def test_answers_are_in_words(still: Still) -> None:
    words = {one.channel: answer_words(still, one) for one in still.subscriptions}
    assert list(words.values()) == ["qos 1", "qos 2→0", "refused: not authorized", "asked", "qos 0", "off"]
    refused = still.subscriptions.get("secret/#")
    assert refused is not None
    assert about(still, refused).splitlines() == ["secret/#", "refused: not authorized. Ask for access"]


def test_nothing_of_a_channel_reaches_the_terminal_raw(still: Still) -> None:
    assert not any("\x1b" in about(still, one) for one in still.subscriptions)


@pytest.fixture
def capture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Reader]:
    monkeypatch.chdir(tmp_path)
    Journal.create(tmp_path / "old.rtui").close()
    reader = Reader(tmp_path / "old.rtui")
    yield reader
    reader.close()


@pytest.mark.parametrize(("theme", "size"), [("dark", (80, 24)), ("monochrome", (60, 20))])
def test_list(
    snap_compare: Callable[..., bool], still: Still, capture: Reader, theme: str, size: tuple[int, int]
) -> None:
    async def settle(pilot: Pilot[Any]) -> None:
        bench = pilot.app
        assert isinstance(bench, Workbench)
        await until(pilot, lambda: bench.desk.picture is not None and bench.pump.running, "ready")
        bench.pump.stop()
        sheet = Sheet(1, "plant", bench.catalog.lens, connection=still)
        bench.push_screen(SubscriptionScreen(sheet, glyphs=bench.glyphs))
        await until(pilot, lambda: bool(bench.screen.query(SubscriptionList)), "the list")
        await pilot.press("down", "down")
        await pilot.pause()

    bench = Workbench(reader=capture, config=Config(theme=theme, animations=False))
    assert snap_compare(bench, terminal_size=size, run_before=settle)


@pytest.mark.parametrize("wanted", ["a/#/b", "a/b+"])
async def test_what_is_no_topic_filter_is_refused_in_the_form(
    journal: Journal, broker: mqtt.Server, wanted: str
) -> None:
    async with running(journal, broker.url) as (bench, pilot):
        await listed(bench, pilot)
        await pilot.press("a")
        await form(bench, pilot, channel=wanted)
        assert isinstance(bench.screen, SubscriptionForm), "it stays"
        assert "not a topic filter" in str(bench.screen.query_one(".trouble").render())
        assert not list(bench.desk.sure.subscriptions)
