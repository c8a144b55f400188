from __future__ import annotations

import asyncio
import time

import pytest

from rtui.core.backoff import Policy
from rtui.core.event import Closed, Offer, Offered, Opened, Progressed, Received, Stalled
from rtui.core.fault import Failure, Fault
from rtui.core.lifecycle import State
from rtui.core.record import Direction, Kind, Record
from rtui.protocols.base import Link
from rtui.runtime.hub import Connection
from rtui.runtime.link import closed_row
from rtui.runtime.tasks import spawn
from rtui.settings.session import SavedMessage, Session, SessionSubscription
from tests.runtime.conftest import QUICK, Stage
from tests.runtime.scripted import LOST, deaf, echo, hang, open_then, refuse
from tests.waiting import PATIENCE, eventually


async def until(connection: Connection, *states: State) -> None:
    await eventually(lambda: connection.state in states)


def lost() -> Closed:
    return Closed(by="network", clean=False, fault=LOST)


def done() -> Closed:
    return Closed(by="them", clean=True, code=1000)


async def test_a_polite_life_is_open_then_close(stage: Stage) -> None:
    connection = stage.play(echo)
    await connection.wait_open()
    connection.close(1000, "bye")
    await connection.wait_closed()
    assert stage.words == ["open", "close"]
    assert connection.closed == Closed(by="us", clean=True, code=1000, reason="bye")
    assert connection.state is State.CLOSED


async def test_what_is_sent_and_its_answer_are_linked_with_a_latency(stage: Stage) -> None:
    connection = stage.play(echo)
    await connection.wait_open()
    command = connection.send(b"hello", "room")
    assert await connection.wait_outcome(command) == "sent"
    await eventually(lambda: len(stage.records) == 3)
    sent, answer = stage.records[1:3]
    assert (sent.direction, sent.payload, sent.channel) == (Direction.OUT, b"hello", "room")
    assert (answer.direction, answer.reply_to) == (Direction.IN, sent.seq)
    assert answer.latency is not None
    assert 0 < answer.latency < PATIENCE * 10**9


async def test_a_first_connect_that_fails_is_final_when_asked(stage: Stage) -> None:
    connection = stage.play(refuse, retry_first=False)
    with pytest.raises(Failure) as raised:
        await connection.wait_open()
    assert raised.value.fault.kind == "refused"
    assert stage.words == ["close"]


async def test_a_first_connect_is_retried_otherwise(stage: Stage) -> None:
    connection = stage.play(refuse, refuse, echo)
    await connection.wait_open()
    assert stage.words == ["close", "reconnect", "close", "reconnect", "open"]
    assert connection.opened == 1


async def test_attempts_are_limited_by_the_policy(stage: Stage) -> None:
    connection = stage.play(refuse, policy=Policy(first_delay=0.001, max_delay=0.002, attempts=2))
    await connection.wait_closed()
    assert stage.adapters[0].runs == 3
    assert connection.fault is not None
    assert connection.fault.kind == "refused"


async def test_a_lost_connection_comes_back_with_a_gap(stage: Stage) -> None:
    connection = stage.play(open_then(lost, b"1"), echo)
    await until(connection, State.WAITING, State.OPEN)
    await eventually(lambda: "gap" in stage.words)
    assert stage.words == ["open", "message", "close", "reconnect", "open", "gap"]
    assert b"away for" in stage.records[-1].payload


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        (LOST, "connection lost"),
        (Fault(kind="lost", side="network", title="Connection lost", cause="reset"), "connection lost · reset"),
        (Fault(kind="lost", side="network", title="No pong", cause="for 9 s"), "connection lost · No pong: for 9 s"),
    ],
)
def test_how_it_ended_is_told_once(fault: Fault, sentence: str) -> None:
    assert closed_row(Closed(by="network", clean=False, fault=fault))[0] == sentence


async def test_a_polite_end_by_the_peer_is_not_retried(stage: Stage) -> None:
    connection = stage.play(open_then(done, b"1"))
    await connection.wait_closed()
    assert stage.words == ["open", "message", "close"]
    assert connection.fault is None


async def test_waiting_can_be_cut_short_and_shows_a_countdown(stage: Stage) -> None:
    connection = stage.play(refuse, echo, policy=Policy(first_delay=3600, max_delay=3600))
    await until(connection, State.WAITING)
    left = connection.retry_in
    assert left is not None
    assert 360 - PATIENCE < left <= 3600
    connection.reconnect()
    await connection.wait_open()
    assert connection.retry_in is None


async def test_closing_while_waiting_ends_at_once(stage: Stage) -> None:
    connection = stage.play(refuse, policy=Policy(first_delay=3600, max_delay=3600))
    await until(connection, State.WAITING)
    connection.close()
    async with asyncio.timeout(PATIENCE):
        await connection.wait_closed()


async def test_closing_while_connecting_ends_at_once(stage: Stage) -> None:
    connection = stage.play(hang)
    await until(connection, State.CONNECTING)
    connection.close()
    async with asyncio.timeout(PATIENCE):
        await connection.wait_closed()
    assert stage.words == ["close"]


async def test_a_peer_that_ignores_the_goodbye_is_left_at_the_deadline(stage: Stage) -> None:
    connection = stage.play(deaf)
    await connection.wait_open()
    async with asyncio.timeout(PATIENCE):
        await stage.hub.close_all(0.05)
    assert connection.state is State.CLOSED
    assert connection.closed is not None
    assert connection.closed.by == "us"


async def test_aborting_twice_is_aborting_once(stage: Stage) -> None:
    connection = stage.play(deaf)
    await connection.wait_open()
    connection.abort()
    await asyncio.sleep(0)
    connection.abort()
    await connection.wait_closed()
    assert connection.state is State.CLOSED


async def test_reconnect_on_an_open_link_makes_a_new_attempt(stage: Stage) -> None:
    connection = stage.play(echo)
    await connection.wait_open()
    connection.reconnect()
    await eventually(lambda: connection.opened == 2)
    assert stage.adapters[0].runs == 2
    ends = [bytes(record.payload) for record in stage.records if record.kind == Kind.CLOSE]
    assert ends == ["closed by us · reconnect asked by the user".encode()]


async def test_reconnect_after_the_end_begins_again(stage: Stage) -> None:
    connection = stage.play(open_then(done), echo)
    await connection.wait_closed()
    connection.reconnect()
    await connection.wait_open()
    assert connection.state is State.OPEN


async def test_wanted_subscriptions_are_sent_exactly_once_per_open(stage: Stage) -> None:
    session = Session(
        name="s",
        url="scripted://x",
        reconnect=QUICK,
        subscriptions=(SessionSubscription(channel="a/#"), SessionSubscription(channel="off", enabled=False)),
    )
    connection = stage.play(echo, session=session)
    await connection.wait_open()
    connection.subscribe("b")
    connection.reconnect()
    await eventually(lambda: stage.words.count("subscribe") == 4)
    channels = [record.channel for record in stage.records if record.kind == Kind.SUBSCRIBE]
    assert channels == ["a/#", "b", "a/#", "b"]


async def test_sending_while_not_open_is_refused_in_words(stage: Stage) -> None:
    connection = stage.play(refuse, policy=Policy(first_delay=3600, max_delay=3600))
    await until(connection, State.WAITING)
    outcome = connection.outcome(connection.send(b"x"))
    assert isinstance(outcome, Fault)
    assert "waiting" in outcome.cause
    assert stage.records[-1].kind == Kind.ERROR


async def test_a_verb_the_protocol_lacks_is_refused(stage: Stage) -> None:
    connection = stage.play(echo)
    await connection.wait_open()
    outcome = connection.outcome(connection.sabotage("drop"))
    assert isinstance(outcome, Fault)
    assert "no break" in outcome.cause


async def test_an_adapter_may_refuse_a_command(stage: Stage) -> None:
    connection = stage.play(echo)
    await connection.wait_open()
    outcome = await connection.wait_outcome(connection.poke())
    assert isinstance(outcome, Fault)
    assert outcome.title == "Too long"


async def test_a_call_can_be_half_closed_and_cancelled_by_its_method(stage: Stage) -> None:
    connection = stage.play(echo)
    await connection.wait_open()
    assert await connection.wait_outcome(connection.half_close("a.B/C"), acked=True) == "acked"
    assert await connection.wait_outcome(connection.cancel(), acked=True) == "acked"
    assert [record.payload for record in stage.records if record.channel == "end"] == [b"HalfClose a.B/C", b"Cancel "]


async def test_an_answer_settles_only_when_it_says_so(stage: Stage) -> None:
    connection = stage.play(echo)
    await connection.wait_open()
    command = connection.send(b"hello")
    await eventually(lambda: len(stage.records) == 3)
    assert connection.outcome(command) == "sent"


async def test_what_the_peer_offers_is_kept_and_makes_no_row(stage: Stage) -> None:
    offer = Offer(channel="a.B/C", kind="unary", template="{}", signature="C(X) → Y")

    async def offers(link: Link) -> Closed | None:
        link.emit([Offered((offer,)), Opened(details={})])
        return done()

    connection = stage.play(offers)
    before = connection.revision
    await connection.wait_closed()
    assert connection.offered == (offer,)
    assert connection.revision > before
    assert stage.words == ["open", "close"]


async def test_pending_commands_fail_when_the_link_drops(stage: Stage) -> None:
    connection = stage.play(deaf)
    await connection.wait_open()
    waiting = spawn(connection.wait_outcome(connection.send(b"x")), "waiting")
    await asyncio.sleep(0)
    connection.abort()
    assert isinstance(await waiting, Fault)


async def test_an_exception_group_is_flattened_to_its_cause(stage: Stage) -> None:
    async def groups(link: Link) -> Closed | None:
        raise ExceptionGroup("outer", [ExceptionGroup("inner", [OSError("the cause")])])

    connection = stage.play(groups, retry_first=False)
    await connection.wait_closed()
    assert connection.fault is not None
    assert "the cause" in connection.fault.title


async def test_an_unknown_exception_is_a_bug_and_not_retried(stage: Stage) -> None:
    async def breaks(link: Link) -> Closed | None:
        raise ZeroDivisionError

    connection = stage.play(breaks)
    await connection.wait_closed()
    assert connection.fault is not None
    assert connection.fault.kind == "bug"
    assert stage.adapters[0].runs == 1


async def test_the_peer_s_own_wish_to_wait_is_honoured(stage: Stage) -> None:
    busy = Fault(kind="busy", side="them", title="Too many requests", retry_after=3600.0)
    connection = stage.play(open_then(lambda: Closed(by="them", clean=True, fault=busy)))
    await until(connection, State.WAITING)
    assert connection.retry_in is not None
    assert connection.retry_in > 3600 - PATIENCE


async def test_a_peer_that_ends_in_peace_and_says_when_to_come_back_did_not_fail(stage: Stage) -> None:
    again = Fault(kind="closed", side="them", title="The stream ended", retry_after=0.02)
    ends = open_then(lambda: Closed(by="them", clean=True, fault=again), b"news")
    connection = stage.play(ends, ends, ends, open_then(done), policy=Policy(first_delay=0.1, attempts=1))
    await connection.wait_closed()
    assert stage.adapters[0].runs == 4
    waits = [record.meta for record in stage.records if record.kind == Kind.RECONNECT]
    assert waits == ['{"delay":0.02}'] * 3


async def test_a_peer_that_ends_in_peace_and_brings_nothing_is_given_up_after_the_attempts(stage: Stage) -> None:
    again = Fault(kind="closed", side="them", title="The stream ended", retry_after=0.02)
    empty = open_then(lambda: Closed(by="them", clean=True, fault=again))
    brings = open_then(lambda: Closed(by="them", clean=True, fault=again), b"news")
    connection = stage.play(empty, empty, brings, empty, policy=Policy(first_delay=0.01, attempts=2))
    await connection.wait_closed()
    assert stage.adapters[0].runs == 5
    waits = [record.meta for record in stage.records if record.kind == Kind.RECONNECT]
    assert waits == ['{"delay":0.02}'] * 4
    assert connection.fault == again


async def test_what_could_be_done_twice_is_not_repeated(stage: Stage) -> None:
    once = Fault(kind="lost", side="network", title="Connection lost", final=True)

    async def cut(link: Link) -> Closed | None:
        link.emit([Opened(details={})])
        raise Failure(once)

    connection = stage.play(cut)
    await connection.wait_closed()
    assert stage.adapters[0].runs == 1
    assert not once.transient


async def test_progress_moves_the_details_and_makes_no_row(stage: Stage) -> None:
    async def streams(link: Link) -> Closed | None:
        link.emit([Opened(details={"protocol": "Script 1"})])
        link.emit([Progressed({"first_byte_ms": 3.0}), Progressed({"last_byte": 7})])
        await asyncio.Event().wait()
        return None

    connection = stage.play(streams)
    await connection.wait_open()
    expected = {"protocol": "Script 1", "stream": {"first_byte_ms": 3.0, "last_byte": 7}}
    await eventually(lambda: connection.details == expected)
    assert stage.words == ["open"]


async def test_details_of_messages_are_stored_with_them(stage: Stage) -> None:
    same = {"id": "2"}

    async def streams(link: Link) -> Closed | None:
        link.emit([Opened(details={})])
        metas = [{"id": "1"}, same, same, None, {}, same]
        link.emit([Received("news", b"x", Kind.MESSAGE, meta) for meta in metas])
        return done()

    connection = stage.play(streams)
    await connection.wait_closed()
    metas = [record.meta for record in stage.records if record.kind == Kind.MESSAGE]
    assert metas == ['{"id":"1"}', '{"id":"2"}', '{"id":"2"}', None, None, '{"id":"2"}']


async def test_an_unknown_host_is_not_retried_before_a_first_success(stage: Stage) -> None:
    async def nowhere(link: Link) -> Closed | None:
        raise Failure(Fault(kind="unknown-host", side="network", title="No such host"))

    connection = stage.play(nowhere)
    await connection.wait_closed()
    assert stage.adapters[0].runs == 1


async def test_a_cancelled_worker_closes_and_says_so(stage: Stage) -> None:
    connection = stage.play(deaf)
    await connection.wait_open()
    worker = connection._worker
    assert worker is not None
    worker.cancel()
    await connection.wait_closed()
    assert connection.state is State.CLOSED
    assert stage.words == ["open", "close"]


async def test_sequences_are_one_order_over_all_links(stage: Stage) -> None:
    first, second = stage.play(echo), stage.play(echo)
    await first.wait_open()
    await second.wait_open()
    for connection in (first, second, first):
        await connection.wait_outcome(connection.send(b"x"))
    assert [record.seq for record in stage.records] == list(range(1, len(stage.records) + 1))
    assert {record.link for record in stage.records} == {first.id, second.id}


async def test_a_stall_is_shown_until_the_peer_speaks(stage: Stage) -> None:
    speak = asyncio.Event()

    async def stalls(link: Link) -> Closed | None:
        link.emit([Opened(details={})])
        link.emit([Stalled("no pong for 12 s")])
        await speak.wait()
        link.emit([Received("", b"hello")])
        await asyncio.Event().wait()
        return None

    connection = stage.play(stalls)
    await connection.wait_open()
    assert connection.stalled == "no pong for 12 s"
    speak.set()
    await eventually(lambda: not connection.stalled)


async def test_secrets_never_reach_the_capture(stage: Stage) -> None:
    stage.secrets.add("hunter2-canary")

    async def leaks(link: Link) -> Closed | None:
        link.emit([Opened(details={"headers": {"x": "hunter2-canary"}})])
        link.emit([Received("c", b"echo hunter2-canary")])
        raise ConnectionResetError("hunter2-canary")

    connection = stage.play(leaks, echo)
    await connection.wait_open()
    await until(connection, State.OPEN)
    await connection.wait_outcome(connection.send(b"say hunter2-canary", "to/hunter2-canary"))
    text = "\n".join(map(repr, stage.records))
    assert "hunter2-canary" not in text
    assert "•••" in text


async def test_a_pouring_adapter_leaves_the_loop_room(stage: Stage) -> None:
    stop = asyncio.Event()

    async def floods(link: Link) -> Closed | None:
        link.emit([Opened(details={})])
        batch = [Received("flood", b"x" * 100)] * 250
        while not stop.is_set():
            await link.pour(batch)
        return Closed(by="them", clean=True)

    connection = stage.play(floods)
    await connection.wait_open()
    worst = 0.0
    for _ in range(20):
        began = time.thread_time()
        await asyncio.sleep(0.001)
        worst = max(worst, time.thread_time() - began)
    stop.set()
    await connection.wait_closed()
    assert len(stage.records) > 250
    assert worst < 0.5


async def test_messages_that_greet_are_sent_at_every_open(stage: Stage) -> None:
    greeting = SavedMessage(name="hello", payload='{"n":{{ counter() }}}', format="json", on_connect=True)
    broken = SavedMessage(name="broken", payload="zz", format="hex", on_connect=True)
    session = Session(name="s", url="scripted://x", reconnect=QUICK, messages=(greeting, broken))
    connection = stage.play(echo, session=session)
    await connection.wait_open()
    connection.reconnect()
    await eventually(lambda: len(outs(stage)) == 2)
    assert [record.payload for record in outs(stage)] == [b'{"n":1}', b'{"n":2}']
    errors = [record.payload for record in stage.records if record.kind == Kind.ERROR]
    assert len(errors) == 2
    assert b"'broken' was not sent" in errors[0]


def outs(stage: Stage) -> list[Record]:
    return [record for record in stage.records if record.direction == Direction.OUT]


async def test_an_attempt_that_never_opened_lost_nothing(stage: Stage) -> None:
    connection = stage.play(refuse, retry_first=False)
    await connection.wait_closed()
    assert stage.records[-1].payload.startswith(b"not connected")


async def test_reopened_it_follows_the_session_as_it_is_now(stage: Stage) -> None:
    def session(url: str, *channels: str) -> Session:
        wanted = tuple(SessionSubscription(channel=channel) for channel in channels)
        return Session(name="stage", url=url, reconnect=QUICK, subscriptions=wanted)

    connection = stage.play(echo, echo, echo, session=session("scripted://peer/a?n=1", "kept", "gone"))
    await connection.wait_open()
    connection.subscribe("by-hand")
    connection.link.memory["cursor"] = 7
    assert stage.hub.reopen(connection, session("scripted://peer/a?n=2", "kept", "new"), stage.secrets)
    await eventually(lambda: connection.opened == 2)
    assert connection.link.url == "scripted://peer/a?n=2"
    assert [one.channel for one in connection.subscriptions] == ["kept", "by-hand", "new"]
    assert connection.link.memory == {"cursor": 7}, "the same place of the same peer"
    assert stage.hub.reopen(connection, session("scripted://other/a"), stage.secrets)
    await eventually(lambda: connection.opened == 3)
    assert connection.link.memory == {}
    assert [one.channel for one in connection.subscriptions] == ["by-hand"]
    assert stage.hub.connections == [connection]
