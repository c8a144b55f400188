"""Wishes of a connection: asked for once per connect, switched off and on, muted, counted; over scripted peers."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from rtui.capture.channels import Channels, Watch
from rtui.capture.journal import Journal
from rtui.capture.query import compile_filter, without
from rtui.capture.reader import Reader
from rtui.core.command import Hangup, Send, Subscribe, Unsubscribe
from rtui.core.event import Closed, Notice, Opened, Received, Sent, Subscribed, Unsubscribed
from rtui.core.fault import Failure, Fault
from rtui.core.lifecycle import State
from rtui.core.record import Direction, Kind, Record
from rtui.demo import mqtt
from rtui.protocols.base import Link
from rtui.protocols.mqtt import Mqtt
from rtui.runtime.hub import Connection, Hub
from rtui.runtime.subscription import SubscriptionState
from rtui.settings.session import Session, SessionSubscription
from tests.runtime.conftest import QUICK, Stage
from tests.runtime.scripted import Attempt
from tests.waiting import PATIENCE, eventually

DENIED = Fault(kind="auth", side="them", title="The peer refused", cause="not authorized")


class Peer:
    """Notes what it is asked, grants what is not `denied`, and may keep a session from the second connect on."""

    def __init__(self, *, resumes: bool = False) -> None:
        self.asked: list[str] = []
        self.denied = {"secret"}
        self.resumes = resumes
        self.connects = 0

    @property
    def attempt(self) -> Attempt:
        return self._serve

    async def _serve(self, link: Link) -> Closed | None:
        self.connects += 1
        resumed = self.resumes and self.connects > 1
        link.emit([Opened(details={"session": "resumed" if resumed else "new"})])
        async for command in link.commands:
            match command:
                case Hangup():
                    return Closed(by="us", clean=True)
                case Subscribe(channel=channel) if channel in self.denied:
                    self.asked.append(f"+{channel}")
                    link.emit([Notice(text="no", level="error", command=command.id, fault=DENIED)])
                case Subscribe():
                    self.asked.append(f"+{command.channel}")
                    link.emit([Subscribed(command.channel, command.id, {"qos": 0})])
                case Unsubscribe():
                    self.asked.append(f"-{command.channel}")
                    link.emit([Unsubscribed(command.channel, command.id)])
                case Send():
                    link.emit([Sent(command.id, command.channel, command.payload)])
                    await link.pour([Received(command.channel, command.payload)])
                case _:
                    pass
        return None


class GivesUp:
    """Grants what is asked for, and ends it by our own will or by its own."""

    def __init__(self, why: Fault) -> None:
        self.why = why

    async def __call__(self, link: Link) -> Closed | None:
        link.emit([Opened(details={})])
        async for command in link.commands:
            match command:
                case Hangup():
                    return Closed(by="us", clean=True)
                case Subscribe(channel=channel):
                    over = Notice(text="over", level="error", command=command.id, fault=self.why)
                    link.emit([Subscribed(channel, command.id), over, Unsubscribed(channel, command.id)])
        return None


@pytest.mark.parametrize(
    ("why", "standing"), [(Fault(kind="closed", side="us", title="Cancelled by us"), "ended"), (DENIED, "refused")]
)
async def test_what_the_user_gave_up_was_not_refused(stage: Stage, why: Fault, standing: str) -> None:
    connection = stage.play(GivesUp(why))
    await connection.wait_open()
    command = connection.subscribe("a")
    assert await connection.wait_outcome(command, acked=True) is not None
    await eventually(lambda: state_of(connection, "a").ended)
    assert connection.standing(state_of(connection, "a")) == standing


def state_of(connection: Connection, channel: str) -> SubscriptionState:
    state = connection.subscriptions.get(channel)
    assert state is not None
    return state


def standings(connection: Connection) -> dict[str, str]:
    return {one.channel: connection.standing(one) for one in connection.subscriptions}


async def again(connection: Connection) -> None:
    """Closed, then open once more."""
    opened = connection.opened
    connection.reconnect()
    await eventually(lambda: connection.opened > opened)


async def test_the_answer_of_the_peer_is_kept_for_each_subscription(stage: Stage) -> None:
    connection = stage.play(Peer().attempt)
    connection.subscribe("news")
    assert standings(connection) == {"news": "waiting"}
    await connection.wait_open()
    connection.subscribe("secret")
    await eventually(lambda: standings(connection) == {"news": "granted", "secret": "refused"})
    assert state_of(connection, "news").granted == {"qos": 0}
    assert state_of(connection, "secret").refusal == DENIED


async def joined(link: Link) -> Closed | None:
    """Brings a subscription by itself, and grants it again to who asks."""
    link.emit([Opened(details={}), Subscribed("/chat")])
    async for command in link.commands:
        match command:
            case Hangup():
                return Closed(by="us", clean=True)
            case Subscribe():
                link.emit([Subscribed(command.channel, command.id, {"sid": "x"}, stood=True)])
    return None


async def test_what_stood_already_is_granted_without_being_told_twice(stage: Stage) -> None:
    connection = stage.play(joined)
    connection.subscribe("/chat")
    await eventually(lambda: standings(connection) == {"/chat": "granted"})
    assert state_of(connection, "/chat").granted == {"sid": "x"}
    assert stage.words == ["open", "subscribe"]


async def test_answers_are_of_the_connection_that_stands(stage: Stage) -> None:
    peer = Peer()
    connection = stage.play(peer.attempt)
    connection.subscribe("secret")
    await eventually(lambda: standings(connection) == {"secret": "refused"})
    connection.close()
    await connection.wait_closed()
    assert standings(connection) == {"secret": "waiting"}
    peer.denied.clear()
    connection.reconnect()
    await eventually(lambda: standings(connection) == {"secret": "granted"})
    assert state_of(connection, "secret").refusal is None


async def test_one_that_is_off_is_not_asked_for_again_and_the_wish_stays(stage: Stage) -> None:
    peer = Peer()
    connection = stage.play(peer.attempt)
    await connection.wait_open()
    connection.subscribe("a")
    connection.subscribe("b")
    connection.enable("b", on=False)
    await eventually(lambda: peer.asked == ["+a", "+b", "-b"])
    await again(connection)
    await eventually(lambda: peer.asked == ["+a", "+b", "-b", "+a"])
    assert standings(connection) == {"a": "granted", "b": "off"}
    connection.enable("b")
    await eventually(lambda: standings(connection)["b"] == "granted")
    assert peer.asked.count("+b") == 2


async def test_ending_one_that_is_off_asks_nothing_of_the_peer(stage: Stage) -> None:
    peer = Peer()
    connection = stage.play(peer.attempt)
    await connection.wait_open()
    connection.subscribe("a")
    connection.enable("a", on=False)
    command = connection.unsubscribe("a")
    assert await connection.wait_outcome(command, acked=True) == "acked"
    connection.subscribe("b")
    await eventually(lambda: "+b" in peer.asked)
    assert peer.asked == ["+a", "-a", "+b"]
    assert standings(connection) == {"b": "granted"}


async def test_a_peer_that_kept_the_session_is_told_what_was_dropped_meanwhile(stage: Stage) -> None:
    peer = Peer(resumes=True)
    connection = stage.play(peer.attempt)
    await connection.wait_open()
    for channel in ("a", "b", "c"):
        connection.subscribe(channel)
    await eventually(lambda: len(peer.asked) == 3)
    connection.close()
    await connection.wait_closed()
    connection.unsubscribe("a")
    connection.enable("b", on=False)
    peer.asked.clear()
    connection.reconnect()
    await eventually(lambda: len(peer.asked) == 3)
    assert peer.asked == ["-a", "-b", "+c"]
    await again(connection)
    await eventually(lambda: len(peer.asked) == 5)
    assert peer.asked[3:] == ["-b", "+c"]


async def test_subscribing_anew_changes_the_options_and_goes_on_counting(stage: Stage) -> None:
    peer = Peer()
    connection = stage.play(peer.attempt)
    await connection.wait_open()
    connection.subscribe("a", "first")
    connection.label("a", alias="mine", colour="#00ff00")
    connection.send(b"1", "a")
    await eventually(lambda: state_of(connection, "a").watch.total == 1)
    connection.subscribe("a", "second")
    connection.send(b"2", "a")
    await eventually(lambda: state_of(connection, "a").watch.total == 2)
    state = state_of(connection, "a")
    assert (state.subscription, state.alias, state.colour) == ("second", "mine", "#00ff00")
    assert peer.asked == ["+a", "+a"]


async def test_counts_begin_with_the_subscription_and_leave_out_what_was_sent(stage: Stage) -> None:
    connection = stage.play(Peer().attempt)
    await connection.wait_open()
    connection.subscribe("a")
    connection.send(b"1", "a")
    await eventually(lambda: state_of(connection, "a").watch.total == 1)
    connection.unsubscribe("a")
    connection.subscribe("a")
    assert state_of(connection, "a").watch.total == 0
    connection.send(b"2", "a")
    connection.send(b"2", "b")
    await eventually(lambda: connection.channels.get("b") is not None)
    assert state_of(connection, "a").watch.total == 1


async def test_muting_loses_nothing_and_marks_the_channels(stage: Stage) -> None:
    connection = stage.play(Peer().attempt)
    await connection.wait_open()
    connection.subscribe("a")
    connection.mute("a")
    connection.send(b"1", "a")
    await eventually(lambda: connection.channels.get("a") is not None)
    node = connection.channels.get("a")
    assert node is not None
    assert node.quiet
    assert [record.payload for record in stage.records if record.direction == Direction.IN] == [b"1"]
    connection.mute("a", on=False)
    assert not node.quiet


async def test_a_channel_that_nobody_asked_for_cannot_be_switched(stage: Stage) -> None:
    connection = stage.play(Peer().attempt)
    with pytest.raises(Failure, match="Not subscribed"):
        connection.enable("a")


async def test_a_session_says_how_each_is_shown(stage: Stage) -> None:
    peer = Peer()
    wanted = (
        SessionSubscription(channel="a", alias="first", colour="#ff0000", muted=True),
        SessionSubscription(channel="b", enabled=False),
    )
    session = Session(name="s", url="scripted://x", reconnect=QUICK, subscriptions=wanted)
    connection = stage.play(peer.attempt, session=session)
    await connection.wait_open()
    await eventually(lambda: peer.asked == ["+a"])
    first = state_of(connection, "a")
    assert (first.alias, first.colour, first.muted) == ("first", "#ff0000", True)
    assert standings(connection)["b"] == "off"


# What covers what


@pytest.mark.parametrize(
    ("wanted", "topic", "covered"),
    [
        ("a/b", "a/b", True),
        ("a/b", "a/b/c", False),
        ("a/+", "a/b", True),
        ("a/+", "a/b/c", False),
        ("a/#", "a", True),
        ("a/#", "a/b/c", True),
        ("#", "a/b", True),
        ("#", "$SYS/x", False),
        ("+/x", "$SYS/x", False),
        ("$SYS/#", "$SYS/x", True),
        ("$share/group/a/+", "a/b", True),
        ("$share/group/#", "$SYS/x", False),
        ("a/*", "a/b", False),
    ],
)
def test_filters_cover_topics_and_the_display_filter_says_the_same(
    wanted: str, topic: str, covered: bool, tmp_path: Path
) -> None:
    assert Mqtt.matcher(wanted)(topic) is covered
    journal = Journal.create(tmp_path / "one.rtui")
    link = journal.add_link("x", "mqtt", "mqtt://x", {})
    journal.append([Record(1, 1, link, Kind.MESSAGE, Direction.IN, topic, b"")])
    journal.close()
    reader = Reader(tmp_path / "one.rtui")
    found = compile_filter(Mqtt.expression(wanted))
    assert reader.count(found) == covered
    assert reader.count(without(None, [(link, found)])) == (not covered)
    assert reader.count(without(None, [(link + 1, found)])) == 1
    reader.close()


def arrived(channels: Channels, *names: str) -> None:
    channels.tap([Record(1, 1, 1, Kind.MESSAGE, Direction.IN, name, b"x") for name in names])


def test_a_watch_is_asked_once_for_each_channel_and_not_for_each_message() -> None:
    channels, asked = Channels("/"), list[str]()

    def covers(name: str) -> bool:
        asked.append(name)
        return name.startswith("a/")

    watch = channels.watch(covers)
    for _ in range(100):
        arrived(channels, "a/b", "c", "a/b")
    assert watch.total == 200
    assert sorted(asked) == ["", "a", "a/b", "c"]


def test_channels_beyond_the_limit_are_counted_too() -> None:
    channels = Channels("/", limit=1)
    watch: Watch = channels.watch(lambda name: name == "b")
    arrived(channels, "a", "b", "c", "b")
    assert watch.total == 2


# Over the broker


@pytest.mark.parametrize("version", ["3.1.1", "5"])
async def test_a_broker_grants_counts_and_ends(stage: Stage, version: str) -> None:
    broker = await mqtt.serve(plant=False)
    hub = Hub(stage.journal)
    try:
        session = Session(name="b", url=broker.url, options={"version": version})
        connection = hub.open(session, stage.secrets)
        await connection.wait_open()
        connection.subscribe("$share/us/a/+", Mqtt.Subscription(qos=1))
        connection.subscribe("a/#")
        await eventually(lambda: set(standings(connection).values()) == {"granted"})
        granted = state_of(connection, "$share/us/a/+").granted
        assert granted is not None
        assert granted["qos"] == 1
        connection.send(b"x", "a/b")
        await eventually(lambda: connection.channels.get("a/b") is not None)
        await eventually(lambda: state_of(connection, "$share/us/a/+").watch.total >= 1)
        ended = connection.unsubscribe("a/#")
        connection.unsubscribe("$share/us/a/+")
        assert await connection.wait_outcome(ended, acked=True) == "acked"
        await eventually(lambda: broker.broker.subscriptions.count == 0)
        assert connection.state is State.OPEN
    finally:
        async with asyncio.timeout(PATIENCE):
            await hub.close_all(1.0)
        await broker.close()
