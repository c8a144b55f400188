"""MQTT against mosquitto."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from rtui.core.command import Break, Hangup, Poke, Send, Subscribe, Unsubscribe
from rtui.core.event import Acknowledged, Measured, Notice, Received, Sent, Stalled, Subscribed, Unsubscribed
from rtui.core.fault import Fault
from rtui.core.record import Kind
from rtui.protocols.mqtt import Mqtt, Options, Outgoing, Subscription
from tests.conformance.recorder import Recorder, Run
from tests.conformance.suite import fault_of
from tests.protocols.mosquitto import PASSWORD, PROGRAM, USER, Broker, broker
from tests.waiting import PATIENCE, eventually

pytestmark = [pytest.mark.mosquitto, pytest.mark.skipif(PROGRAM is None, reason="mosquitto is not installed")]

VERSIONS = ("3.1.1", "5")
SCHEMES = ("mqtt", "mqtts", "mqtt+ws", "mqtt+wss")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def mosquitto(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Broker]:
    async with broker(tmp_path_factory.mktemp("mosquitto")) as made:
        yield made


@pytest_asyncio.fixture
async def own(tmp_path: Path) -> AsyncIterator[Broker]:
    """One that a test may stop."""
    async with broker(tmp_path) as made:
        yield made


def run(url: str, memory: dict[str, Any] | None = None, **options: Any) -> Run:
    return Run(Mqtt(), Recorder(url, Options(**{"proxy": "", **options}), memory))


def send(number: int, payload: bytes, topic: str, **outgoing: Any) -> Send:
    return Send(id=number, payload=payload, channel=topic, outgoing=Outgoing(**outgoing))


def subscribe(number: int, channel: str, **subscription: Any) -> Subscribe:
    return Subscribe(id=number, channel=channel, subscription=Subscription(**subscription))


async def subscribed(run: Run, *channels: str, **subscription: Any) -> None:
    for number, channel in enumerate(channels, 900):
        run.ask(subscribe(number, channel, **subscription))
    await run.until(lambda: {event.channel for event in run.link.of(Subscribed)} >= set(channels))


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("version", VERSIONS)
async def test_every_qos_goes_round(mosquitto: Broker, version: str, scheme: str) -> None:
    topic = f"round/{version}/{scheme.replace('+', '-')}"
    # Small over WebSocket: this broker sends a message there in pieces of 4 KiB, ten a second, whoever reads.
    payloads = [b"zero", b"", bytes(range(256)) * (100 if "ws" in scheme else 300)]
    async with run(mosquitto.url(scheme), version=version, ca=mosquitto.ca) as one:
        await one.opened()
        await subscribed(one, f"{topic}/+", qos=2)
        for qos, payload in enumerate(payloads):
            one.ask(send(qos + 1, payload, f"{topic}/{qos}", qos=qos))
        await one.until(lambda: len(one.link.payloads) == 3 and len(one.link.of(Acknowledged)) == 2)
        found = {(event.channel, event.payload, (event.meta or {}).get("qos", 0)) for event in one.link.received}
        assert found == {(f"{topic}/{qos}", payload, qos) for qos, payload in enumerate(payloads)}
        assert [event.command for event in one.link.of(Sent)] == [1, 2, 3]
        assert {event.command for event in one.link.of(Acknowledged)} == {2, 3}
        details = one.link.details
        assert details["protocol"] == f"MQTT {version}"
        assert details["transport"] == ("WebSocket" if "ws" in scheme else "TCP")
        assert ("tls" in details) is (scheme in {"mqtts", "mqtt+wss"})
        one.ask(Hangup(id=9))
        closed = await one.closed()
        assert (closed.by, closed.fault) == ("us", None)


async def test_a_large_message_comes_whole_over_a_websocket(mosquitto: Broker) -> None:
    payload = bytes(range(256)) * 400
    async with run(mosquitto.url("mqtt+ws")) as one:
        await one.opened()
        await subscribed(one, "large")
        one.ask(send(1, payload, "large"))
        await one.until(lambda: one.link.payloads == [payload])


@pytest.mark.parametrize("version", VERSIONS)
async def test_the_path_is_the_first_topic_filter(mosquitto: Broker, version: str) -> None:
    async with run(mosquitto.url(topic="first/%2B/a%20b/%23"), version=version) as one:
        await one.until(lambda: one.link.of(Subscribed))
        assert one.link.of(Subscribed)[0].channel == "first/+/a b/#"
        one.ask(send(1, b"x", "first/y/a b/c"))
        await one.until(lambda: one.link.payloads == [b"x"])


@pytest.mark.parametrize("version", VERSIONS)
async def test_a_message_of_several_subscriptions_is_shown_once(mosquitto: Broker, version: str) -> None:
    async with run(mosquitto.url(), version=version) as one:
        await one.opened()
        await subscribed(one, f"several/{version}/#", f"several/{version}/+", "several/#", qos=2)
        for number in range(40):
            one.ask(send(number + 1, b"same" if number % 2 else b"%d" % number, f"several/{version}/x", qos=number % 3))
        one.ask(send(99, b"last", f"several/{version}/end", qos=2))
        await one.until(lambda: b"last" in one.link.payloads)
        await one.until(lambda: len(one.link.payloads) == 41)
        await asyncio.sleep(0.2)  # copies would come now
        assert len(one.link.payloads) == 41
        assert one.link.payloads.count(b"same") == 20


async def test_retained(mosquitto: Broker) -> None:
    async with run(mosquitto.url()) as one:
        await one.opened()
        one.ask(send(1, b"kept", "retained/a", qos=1, retain=True))
        await one.until(lambda: one.link.of(Acknowledged))
        await subscribed(one, "retained/#")
        await one.until(lambda: one.link.received)
        assert one.link.received[0].meta == {"retain": True}
        await subscribed(one, "retained/+", retain_handling=2)
        one.ask(send(2, b"", "retained/a", qos=1, retain=True))
        await one.until(lambda: len(one.link.received) == 2)
        assert [event.payload for event in one.link.received] == [b"kept", b""]


async def test_properties_go_round(mosquitto: Broker) -> None:
    outgoing = {
        "content_type": "application/json",
        "response_topic": "properties/answer",
        "correlation_data": "hex:00ff10",
        "message_expiry": 60.0,
        "payload_format": "text",
        "user_properties": {"a": "1", "ключ": "значение"},
    }
    async with run(mosquitto.url()) as one:
        await one.opened()
        await subscribed(one, "properties/ask", qos=1, identifier=7)
        one.ask(send(1, b"{}", "properties/ask", qos=1, **outgoing))
        await one.until(lambda: one.link.received)
        expected = {**outgoing, "message_expiry": 60, "payload_format": 1, "qos": 1, "subscription_identifier": 7}
        assert one.link.received[0].meta == expected


async def test_a_reply_is_paired_with_its_request(mosquitto: Broker) -> None:
    async with run(mosquitto.url()) as asker, run(mosquitto.url()) as answerer:
        await asker.opened()
        await answerer.opened()
        await subscribed(asker, "pair/answer")
        await subscribed(answerer, "pair/ask")
        for number in (1, 2):
            asker.ask(send(number, b"?", "pair/ask", response_topic="pair/answer", correlation_data=f"mark-{number}"))
        await answerer.until(lambda: len(answerer.link.received) == 2)
        for request in reversed(answerer.link.received):
            assert request.meta
            answerer.ask(
                send(5, b"!", request.meta["response_topic"], correlation_data=request.meta["correlation_data"])
            )
        answerer.ask(send(6, b"other", "pair/answer"))
        await asker.until(lambda: len(asker.link.received) == 3)
        assert [event.replies_to for event in asker.link.received] == [2, 1, None]


async def test_no_local_and_retain_as_published(mosquitto: Broker) -> None:
    async with run(mosquitto.url()) as one, run(mosquitto.url()) as other:
        await one.opened()
        await other.opened()
        await subscribed(one, "local/#", no_local=True)
        await subscribed(other, "local/#", retain_as_published=True)
        one.ask(send(1, b"mine", "local/x", retain=True))
        one.ask(send(2, b"", "local/x", retain=True))
        await other.until(lambda: len(other.link.received) == 2)
        assert other.link.received[0].meta == {"retain": True}
        assert one.link.received == []


@pytest.mark.parametrize("version", VERSIONS)
async def test_unsubscribing(mosquitto: Broker, version: str) -> None:
    async with run(mosquitto.url(), version=version) as one:
        await one.opened()
        await subscribed(one, f"leave/{version}")
        one.ask(Unsubscribe(id=5, channel=f"leave/{version}"))
        await one.until(lambda: one.link.of(Unsubscribed))
        assert one.link.of(Unsubscribed)[0].command == 5
        one.ask(send(6, b"unheard", f"leave/{version}", qos=1))
        await one.until(lambda: one.link.of(Acknowledged))
        assert one.link.received == []


@pytest.mark.parametrize("version", VERSIONS)
async def test_a_session_keeps_messages_while_away(mosquitto: Broker, version: str) -> None:
    memory: dict[str, Any] = {}
    keep: dict[str, Any] = {"version": version, "clean_start": version == "5"}
    if version == "5":
        keep["session_expiry"] = 60.0
    async with run(mosquitto.url(), memory, **keep) as one:
        await one.opened()
        assert one.link.details["session"] == "new"
        await subscribed(one, f"away/{version}", qos=1)
        one.ask(Hangup(id=1))
        await one.closed()
    async with run(mosquitto.url()) as other:
        await other.opened()
        for number in range(20):
            other.ask(send(number + 1, b"%d" % number, f"away/{version}", qos=1))
        await other.until(lambda: len(other.link.of(Acknowledged)) == 20)
    async with run(mosquitto.url(), memory, **keep) as one:
        await one.opened()
        assert one.link.details["session"] == "resumed"
        assert "session resumed" in one.link.of(Notice)[0].text
        await one.until(lambda: len(one.link.payloads) == 20)
        assert one.link.payloads == [b"%d" % number for number in range(20)]


async def test_a_generated_client_id_stays(mosquitto: Broker) -> None:
    memory: dict[str, Any] = {}
    names = []
    for _ in range(2):
        async with run(mosquitto.url(), memory) as one:
            await one.opened()
            names.append(one.link.details["client_id"])
    assert names[0] == names[1]


WILL = """
import asyncio
from rtui.protocols.mqtt import Mqtt, Options
from tests.conformance.recorder import Recorder, Run
async def main():
    will = dict(will_topic="will/{name}", will_payload="gone", will_qos=1, will_user_properties={{"why": "test"}})
    async with Run(Mqtt(), Recorder({url!r}, Options(proxy="", **will))) as run:
        await run.opened()
        print("open", flush=True)
        await asyncio.to_thread(input)
asyncio.run(main())
"""


@pytest.mark.parametrize("killed", [True, False])
async def test_the_will_fires_on_kill_and_not_on_quit(mosquitto: Broker, killed: bool) -> None:
    name = "killed" if killed else "quit"
    async with run(mosquitto.url(topic="will/%23")) as watcher:
        await watcher.until(lambda: watcher.link.of(Subscribed))
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            WILL.format(url=mosquitto.url(), name=name),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        )
        assert process.stdin
        assert process.stdout
        assert await asyncio.wait_for(process.stdout.readline(), PATIENCE) == b"open\n"
        if killed:
            process.kill()
            await process.wait()
            await watcher.until(lambda: watcher.link.received)
            assert watcher.link.payloads == [b"gone"]
            assert watcher.link.received[0].meta == {"user_properties": {"why": "test"}}
        else:
            process.stdin.write(b"\n")
            await process.stdin.drain()
            assert await process.wait() == 0
            watcher.ask(send(1, b"after", "will/end", qos=1))
            await watcher.until(lambda: watcher.link.received)
            assert watcher.link.payloads == [b"after"]


async def test_a_drop_fires_the_will_too(mosquitto: Broker) -> None:
    async with run(mosquitto.url(topic="will2/%23")) as watcher:
        await watcher.until(lambda: watcher.link.of(Subscribed))
        async with run(mosquitto.url(), will_topic="will2/x", will_payload="dropped") as one:
            await one.opened()
            one.ask(Break(id=1, what="drop"))
            closed = await one.closed()
            assert closed.fault
            assert closed.fault.kind == "lost"
        await watcher.until(lambda: watcher.link.payloads == [b"dropped"])


@pytest.mark.parametrize("version", VERSIONS)
async def test_a_shared_subscription_is_shared(mosquitto: Broker, version: str) -> None:
    channel = f"$share/group/shared/{version}"
    async with run(mosquitto.url(), version=version) as one, run(mosquitto.url(), version=version) as other:
        for each in (one, other):
            await each.opened()
            await subscribed(each, channel)
        for number in range(20):
            one.ask(send(number + 1, b"same", f"shared/{version}", qos=1))
        await eventually(lambda: len(one.link.payloads) + len(other.link.payloads) == 20)
        assert len(one.link.payloads) == len(other.link.payloads) == 10


# Denials


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("credentials", [{}, {"username": USER, "password": "wrong-secret"}])
async def test_a_wrong_password(mosquitto: Broker, version: str, credentials: dict[str, Any]) -> None:
    async with run(mosquitto.url(port="password"), version=version, **credentials) as one:
        error = await one.error()
        fault = one.adapter.explain(error)
        assert fault.kind == "auth"
        assert "not authorized" in fault.cause.lower() or "bad user name" in fault.cause.lower()
        assert "wrong-secret" not in repr(fault)
        assert not one.adapter.retryable(error)


async def test_credentials_in_the_url(mosquitto: Broker) -> None:
    url = mosquitto.url(port="password").replace("://", f"://{USER}:{PASSWORD}@")
    async with run(url) as one:
        await one.opened()
        assert PASSWORD not in repr(one.link.events)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("qos", [1, 2])
async def test_a_denied_publish_is_no_success(mosquitto: Broker, version: str, qos: int) -> None:
    async with run(mosquitto.url(port="password"), version=version, username=USER, password=PASSWORD) as one:
        await one.opened()
        one.ask(send(1, b"x", "secret/plan", qos=qos))
        one.ask(send(2, b"x", "open/plan", qos=qos))
        await one.until(lambda: any(event.command == 2 for event in one.link.of(Acknowledged)))
        if version == "5":
            assert [event.command for event in one.link.of(Acknowledged)] == [2]
            notice = one.notices()[0]
            assert notice.command == 1
            assert notice.fault
            assert notice.fault.kind == "auth"
            assert "not authorized (0x87)" in notice.text
            assert "secret/plan" in notice.text


# Faults


@pytest.mark.parametrize("version", VERSIONS)
async def test_a_client_id_that_is_taken_over(mosquitto: Broker, version: str) -> None:
    async with run(mosquitto.url(), version=version, client_id="twin") as first:
        await first.opened()
        async with run(mosquitto.url(), version=version, client_id="twin") as second:
            await second.opened()
            fault = await fault_of(first)
            # This broker drops the first one without a word, in either version.
            assert fault.kind == "lost"
            assert "client id" in fault.hint


async def test_two_clients_of_one_id_do_not_fight_for_ever(mosquitto: Broker) -> None:
    memories: list[dict[str, Any]] = [{}, {}]
    kinds: list[str] = []
    async with AsyncExitStack() as stack:
        standing = await stack.enter_async_context(run(mosquitto.url(), memories[0], client_id="rivals"))
        await standing.opened()
        while len(kinds) < 10 and "usage" not in kinds:
            memory = memories[(len(kinds) + 1) % 2]
            rival = await stack.enter_async_context(run(mosquitto.url(), memory, client_id="rivals"))
            await rival.opened()
            kinds.append((await fault_of(standing)).kind)
            standing = rival
    assert kinds[-1] == "usage"


async def test_tls_mistakes_have_their_own_sentences(mosquitto: Broker) -> None:
    ports = mosquitto.ports
    asked = {
        f"mqtts://localhost:{ports['mqtt']}": "This port does not speak TLS",
        f"mqtt://localhost:{ports['mqtts']}": "This port wants TLS",
        f"mqtt+wss://localhost:{ports['mqtt+ws']}": "This port does not speak TLS",
        f"mqtt+ws://localhost:{ports['mqtt+wss']}": "This port wants TLS",
        f"mqtts://localhost:{ports['mutual']}": "The server wants a client certificate",
        f"mqtt+ws://localhost:{ports['mqtt']}": "No WebSocket at this port",
        f"mqtt://localhost:{ports['mqtt+ws']}": "A web server answers here",
    }
    for url, title in asked.items():
        fault = await told(url, ca=mosquitto.ca)
        assert fault.title == title, (url, fault)


async def told(url: str, within: float = 9.0, **options: Any) -> Fault:
    began = time.monotonic()
    async with run(url, **options) as one:
        fault = await fault_of(one)
    assert time.monotonic() - began < within, fault
    return fault


async def test_mutual_tls(mosquitto: Broker) -> None:
    async with run(mosquitto.url("mqtts", "mutual"), ca=mosquitto.ca, **mosquitto.certificate) as one:
        await one.opened()
        assert one.link.details["tls"].startswith("TLS 1.")


async def test_a_broker_that_stops_is_told_before_it_is_given_up(own: Broker) -> None:
    async with run(own.url(topic="x"), keep_alive=3.0) as one:
        await one.until(lambda: one.link.of(Measured))
        own.send_signal(signal.SIGSTOP)
        await one.until(lambda: one.link.of(Stalled))
        assert "PINGRESP" in one.link.of(Stalled)[0].text
        fault = await fault_of(one)
        assert (fault.kind, fault.title) == ("lost", "The broker stopped answering")


async def test_a_broker_that_stops_for_a_moment_is_kept(own: Broker) -> None:
    async with run(own.url(topic="x"), keep_alive=4.0) as one:
        await one.until(lambda: one.link.of(Measured))
        own.send_signal(signal.SIGSTOP)
        await one.until(lambda: one.link.of(Stalled))
        own.send_signal(signal.SIGCONT)
        one.ask(Poke(id=1))
        await one.until(lambda: any(event.kind is Kind.PING for event in one.link.of(Received)))


@pytest.mark.parametrize("version", VERSIONS)
async def test_a_broker_that_is_killed_or_shut_down(own: Broker, version: str) -> None:
    async with run(own.url(), version=version) as one:
        await one.opened()
        await own.stop(signal.SIGKILL)
        began = time.monotonic()
        assert (await fault_of(one)).kind == "lost"
        assert time.monotonic() - began < 20.0
    await own.start()
    async with run(own.url(), version=version) as one:
        await one.opened()
        await own.stop()
        assert (await fault_of(one)).kind in {"lost", "closed"}


async def test_held_acknowledgements(mosquitto: Broker) -> None:
    async with run(mosquitto.url(), receive_maximum=5) as one:
        await one.opened()
        await subscribed(one, "held", qos=1)
        one.ask(Break(id=1, what="hold-acks"))
        for number in range(10):
            one.ask(send(number + 10, b"%d" % number, "held", qos=1))
        await one.until(lambda: len(one.link.of(Acknowledged)) == 10)
        assert len(one.link.payloads) == 5
        one.ask(Break(id=2, what="hold-acks", on=False))
        await one.until(lambda: len(one.link.payloads) == 10)
        assert one.link.payloads == [b"%d" % number for number in range(10)]


@pytest.mark.parametrize("qos", [0, 1, 2])
async def test_nothing_is_lost_over_ten_thousand(mosquitto: Broker, qos: int) -> None:
    count = 10_000
    async with run(mosquitto.url()) as one:
        await one.opened()
        await subscribed(one, f"many/{qos}", qos=qos)
        for number in range(count):
            one.ask(send(number + 1, b"%d" % number, f"many/{qos}", qos=qos))
        await one.until(lambda: len(one.link.payloads) == count)
        assert one.link.payloads == [b"%d" % number for number in range(count)]
        if qos:
            await one.until(lambda: len(one.link.of(Acknowledged)) == count)
