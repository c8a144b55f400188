"""What MQTT makes of peers that are no brokers, or bad ones: each its own sentence, in time."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from rtui.core.command import Break, Hangup, Poke, Send, Subscribe
from rtui.core.event import Acknowledged, Sent, Stalled, Subscribed
from rtui.protocols.mqtt import Mqtt, Options, Outgoing, Subscription
from rtui.protocols.wire import mqtt_session
from tests.conformance.recorder import Recorder, Run
from tests.conformance.suite import fault_of
from tests.protocols.mqtt_attempt import run, says, told
from tests.protocols.mqtt_peer import CONNACK, Client, packet, peer, publish, sized
from tests.waiting import eventually

# While open


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"\x30\xff\xff\xff\xff\x01", "more than four bytes"),
        (b"\x00\x00", "type 0"),
        (b"\x10\x00", "type 1"),
        (b"\x36\x05\x00\x01t\x00\x01", "PUBLISH"),
        (b"\x30\x02\x00\x09", "PUBLISH"),
        (b"\x90\x01\x00", "SUBACK"),
        (b"\xf0\x00", "AUTH"),
        (packet(0x30, sized(b"t") + b"\x05\x99"), "PUBLISH"),
    ],
)
async def test_illegal_packets(data: bytes, words: str) -> None:
    fault, retried = await told(says(data, greet=True, stay=True))
    assert (fault.kind, fault.title) == ("protocol", "Illegal packet")
    assert words in fault.cause
    assert retried


async def test_a_packet_over_the_limit_is_refused_at_its_head() -> None:
    head = b"\x30\xff\xff\x7f"  # announces 2 MiB and sends nothing of it
    fault, retried = await told(says(head, greet=True, stay=True), max_packet_size=100_000)
    assert fault.kind == "limit"
    assert "100,000" in fault.cause
    assert not retried


@pytest.mark.parametrize(
    "topic",
    [b"caf\xe9", b"nul\x00", b"esc\x1b]52;c;eA==\x07", b"\x7f\xc2\x85", b"a/+/#", b"\xed\xa0\x80", b"x" * 65535],
)
@pytest.mark.parametrize("version", ["3.1.1", "5"])
async def test_topics_that_no_broker_may_send_are_shown_and_end_nothing(topic: bytes, version: str) -> None:
    properties = b"" if version == "5" else None
    data = publish(topic, b"x", properties=properties) + publish(b"ok", b"y", properties=properties)
    async with peer(says(data, greet=True, stay=True)) as port, run(port, version=version) as one:
        await one.until(lambda: len(one.link.received) == 2)
        assert [event.channel for event in one.link.received] == [topic.decode("utf-8", "backslashreplace"), "ok"]


@pytest.mark.parametrize(
    ("code", "kind", "words"),
    [
        (0x8B, "closed", "server shutting down (0x8B)"),
        (0x8E, "usage", "session taken over (0x8E)"),
        (0x87, "auth", "not authorized (0x87)"),
        (0x89, "busy", "server busy (0x89)"),
        (0x98, "closed", "administrative action (0x98): because"),
    ],
)
async def test_disconnect_in_words(code: int, kind: str, words: str) -> None:
    data = packet(0xE0, bytes([code]) + b"\x0a\x1f" + sized(b"because"))
    async with peer(says(data, greet=True)) as port, run(port) as one:
        closed = await one.closed()
        assert (closed.by, closed.clean, closed.code, closed.reason) == ("them", True, code, "because")
        assert closed.fault
        assert closed.fault.kind == kind
        assert words in closed.fault.cause


async def test_a_taken_over_client_id_is_not_retried() -> None:
    fault, retried = await told(says(b"\xe0\x02\x8e\x00", greet=True))
    assert fault.title == "Client id taken over"
    assert not retried


@pytest.mark.parametrize("version", ["3.1.1", "5"])
async def test_a_resumed_session_sends_again_what_was_not_confirmed(version: str) -> None:
    seen: list[tuple[int, bytes]] = []

    async def script(client: Client) -> None:
        five = version == "5"
        await client.packet()
        client.write(
            b"\x20\x03\x01\x00\x00" if five and seen else CONNACK[version] if not seen else b"\x20\x02\x01\x00"
        )
        seen.append(await client.packet())
        if len(seen) == 1:
            client.reset()
        client.write(b"\x40\x02\x00\x01")
        await client.serve()

    memory: dict[str, Any] = {}
    options: dict[str, Any] = {"version": version, "clean_start": version == "5"}
    if version == "5":
        options["session_expiry"] = 60.0
    async with peer(script) as port:
        async with run(port, memory=memory, **options) as one:
            await one.opened()
            one.ask(Send(id=7, payload=b"precious", channel="t", outgoing=Outgoing(qos=1)))
            assert (await fault_of(one)).kind == "lost"
        async with run(port, memory=memory, **options) as one:
            await one.until(lambda: one.link.of(Acknowledged))
            assert one.link.of(Acknowledged)[0].command == 7
            assert one.notices()[-1].text.endswith("sent again: 1")
    assert (seen[0][0], seen[1][0]) == (0x32, 0x3A)
    assert seen[0][1] == seen[1][1]


async def test_a_refused_subscription_is_told() -> None:
    async def script(client: Client) -> None:
        await client.greet()
        _, body = await client.packet()
        client.write(packet(0x90, body[:2] + b"\x00\x87"))
        _, body = await client.packet()
        client.write(packet(0x90, body[:2] + b"\x00\x00"))
        await client.serve()

    async with peer(script) as port, run(port) as one:
        await one.opened()
        one.ask(Subscribe(id=1, channel="secret/#"))
        one.ask(Subscribe(id=2, channel="open/#", subscription=Subscription(qos=2)))
        await one.until(lambda: one.link.of(Subscribed))
        notice = one.notices()[0]
        assert (notice.command, notice.level) == (1, "error")
        assert notice.fault
        assert notice.fault.kind == "auth"
        assert "secret/#" in notice.text
        assert one.link.of(Subscribed)[0].meta == {"qos": 0, "requested_qos": 2}


@pytest.mark.parametrize("first", [0x40, 0x50])
async def test_a_denied_publish_is_told_with_its_reason(first: int) -> None:
    async def script(client: Client) -> None:
        await client.greet()
        kind, body = await client.packet()
        topic = int.from_bytes(body[:2], "big")
        assert kind >> 1 & 3 == (1 if first == 0x40 else 2)
        client.write(packet(first, body[2 + topic : 4 + topic] + b"\x97\x0a\x1f" + sized(b"no room")))
        await client.serve(lambda *_: pytest.fail("nothing may follow"))

    async with peer(script) as port, run(port) as one:
        await one.opened()
        one.ask(Send(id=7, payload=b"x", channel="t", outgoing=Outgoing(qos=1 if first == 0x40 else 2)))
        await one.until(one.notices)
        assert one.notices()[0].command == 7
        assert "quota exceeded (0x97): no room" in one.notices()[0].text
        assert not one.link.of(Acknowledged)


@pytest.mark.parametrize("topic", ["", "a/+", "#", "a\x00b", "a\nb", "x" * 65536])
async def test_topics_that_a_broker_would_drop_us_over(topic: str) -> None:
    async def script(client: Client) -> None:
        await client.greet()
        await client.serve(lambda *_: None)

    async with peer(script) as port, run(port) as one:
        await one.opened()
        one.ask(Send(id=1, payload=b"x", channel=topic))
        one.ask(Send(id=2, payload=b"x", channel="fine"))
        await one.until(lambda: one.link.of(Sent))
        assert [event.command for event in one.link.of(Sent)] == [2]
        why = one.notices()[0].fault
        assert why
        assert why.kind == "usage"


@pytest.mark.parametrize(
    "outgoing",
    [
        {"qos": 2},
        {"retain": True},
        {"topic_alias": 11},
    ],
)
async def test_what_the_broker_said_that_it_cannot(outgoing: dict[str, Any]) -> None:
    async def script(client: Client) -> None:
        await client.packet()
        # Maximum QoS 1, no retain, ten topic aliases.
        client.write(packet(0x20, b"\x00\x00" + b"\x07\x24\x01\x25\x00\x22\x00\x0a"))
        await client.serve(lambda *_: None)

    async with peer(script) as port, run(port) as one:
        await one.opened()
        one.ask(Send(id=1, payload=b"x", channel="t", outgoing=Outgoing(**outgoing)))
        await one.until(one.notices)
        assert one.notices()[0].fault
        assert not one.link.of(Sent)


async def test_a_late_answer_is_told() -> None:
    async def script(client: Client) -> None:
        await client.greet()
        await asyncio.Event().wait()

    async with peer(script) as port, run(port) as one:
        await one.opened()
        one.ask(Subscribe(id=1, channel="x"))
        await one.until(lambda: one.link.of(Stalled))
        assert "no SUBACK" in one.link.of(Stalled)[0].text


class Later:
    """Stands in for the module `time` of a session: its clock is put forward at will."""

    def __init__(self) -> None:
        self.forward = 0.0
        self.looks = 0

    def monotonic(self) -> float:
        self.looks += 1
        return time.monotonic() + self.forward


async def test_a_ping_of_the_user_is_not_late_because_nothing_came_before_it(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Later()
    monkeypatch.setattr(mqtt_session, "time", clock)
    monkeypatch.setattr(mqtt_session, "STALL_STEP", 0.005)

    async def script(client: Client) -> None:
        await client.greet()
        await asyncio.Event().wait()

    async with peer(script) as port, run(port) as one:
        await one.opened()
        one.ask(Poke(id=1))
        await one.until(one.sent)
        clock.forward = 15.0
        looks = clock.looks
        await eventually(lambda: clock.looks > looks + 10)
        assert not one.link.of(Stalled)


async def test_keep_alive_pings_and_gives_up() -> None:
    pings = []

    async def script(client: Client) -> None:
        await client.greet()
        while True:
            pings.append((await client.packet())[0])

    async with peer(script) as port, run(port, keep_alive=1.0) as one:
        fault = await fault_of(one)
        assert fault.title == "The broker stopped answering"
        assert "keep-alive is 1 s" in fault.cause
    assert pings[0] == 0xC0


async def test_the_servers_keep_alive_counts() -> None:
    async def script(client: Client) -> None:
        await client.packet()
        client.write(packet(0x20, b"\x00\x00\x03\x13\x00\x01"))
        first, _ = await client.packet()
        assert first == 0xC0
        client.write(publish(b"pinged", b""))
        await client.serve()

    async with peer(script) as port, run(port, keep_alive=600.0) as one:
        await one.until(lambda: one.link.received)
        assert one.link.details["keep_alive"] == 1


async def test_hanging_up_says_disconnect() -> None:
    seen = []

    async def script(client: Client) -> None:
        await client.greet()
        seen.append(await client.packet())

    async with peer(script) as port:
        for command in (Hangup(id=1), Hangup(id=1, code=4, reason="bye")):
            async with run(port) as one:
                await one.opened()
                one.ask(command)
                closed = await one.closed()
                assert (closed.by, closed.clean, closed.fault) == ("us", True, None)
        await eventually(lambda: len(seen) == 2)
    assert seen == [(0xE0, b""), (0xE0, b"\x04\x06\x1f" + sized(b"bye"))]


async def test_a_cancel_says_disconnect_but_a_drop_does_not() -> None:
    seen: list[object] = []

    async def script(client: Client) -> None:
        await client.greet()
        try:
            seen.append((await client.packet())[0])
        except (OSError, asyncio.IncompleteReadError) as error:
            seen.append(type(error))

    async with peer(script) as port:
        async with run(port) as one:
            await one.opened()
        async with run(port) as one:
            await one.opened()
            one.ask(Break(id=1, what="drop"))
            await one.closed()
        await eventually(lambda: len(seen) == 2)
    assert seen[0] == 0xE0
    assert seen[1] != 0xE0


async def test_the_reader_waits_for_the_capture() -> None:
    """Back-pressure: what is not poured yet is bounded, the rest stays with the broker."""
    count = 60_000

    async def script(client: Client) -> None:
        await client.greet()
        for number in range(count):
            client.write(publish(b"t", b"%06d" % number + b"." * 100))
            if number % 100 == 0:
                await client.writer.drain()
        await client.serve()

    class Slow(Recorder):
        async def pour(self, events: Any) -> None:
            self.emit(events)
            await asyncio.sleep(0.01)

    async with peer(script) as port:
        link = Slow(f"mqtt://127.0.0.1:{port}/", Options(proxy=""))
        async with Run(Mqtt(), link) as one:
            await one.until(lambda: len(link.received) == count)
    assert link.longest_batch < 9500
    assert [int(payload[:6]) for payload in link.payloads] == list(range(count))
