"""The batch reader in front of paho is invisible; topics, properties and packets by themselves."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from typing import Any

import aiomqtt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from websockets.server import ServerProtocol

from rtui.core.event import Event, Received
from rtui.core.fault import Failure
from rtui.protocols.mqtt import Mqtt, Options
from rtui.protocols.wire import mqtt_property
from rtui.protocols.wire.mqtt_client import Wire
from rtui.protocols.wire.mqtt_packet import ILLEGAL, INCOMPLETE, Reader, extent
from rtui.protocols.wire.mqtt_plan import plan
from rtui.protocols.wire.mqtt_topic import filter_flaw, topic_flaw
from rtui.protocols.wire.mqtt_tunnel import Tunnel
from rtui.protocols.wire.mqtt_value import Ending, Pending
from tests.protocols.mqtt_peer import CONNACK, length, packet, publish, sized

LIMIT = 200_000


def heard(stream: bytes, cuts: list[int], *, version: str, batched: bool) -> tuple[list[Event], Any, bytes]:
    """What a connection reports of `stream`, cut into reads, how it ended, and what it answered."""
    return asyncio.run(_heard(stream, cuts, version, batched))


async def _heard(stream: bytes, cuts: list[int], version: str, batched: bool) -> tuple[list[Event], Any, bytes]:
    ours, theirs = socket.socketpair()
    theirs.setblocking(False)
    theirs.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
    ours.setblocking(False)
    five = version == "5"
    reader = Reader(five=five, limit=LIMIT)
    protocol = aiomqtt.ProtocolVersion.V5 if five else aiomqtt.ProtocolVersion.V311
    wire = Wire(ours, reader, limit=LIMIT, batched=batched, hostname="peer", identifier="x", protocol=protocol)
    wire.begin()
    wire.take(CONNACK[version])
    assert wire.accepted
    reader.filters_changed(several=True)
    answered = bytearray(theirs.recv(1 << 16))
    events: list[Event] = []
    for begin, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        if begin < end and wire.ending is None:
            wire.take(stream[begin:end])
        wire.inbox.put([], 0)
    wire.inbox.close()
    events += await wire.inbox.take()
    ending = wire.ending
    try:
        while chunk := theirs.recv(1 << 16):
            answered += chunk
    except BlockingIOError:
        pass
    wire.end(Ending("us"))
    theirs.close()
    told = None if ending is None else (ending.how, ending.code, ending.meta)
    return events, told, bytes(answered)


TOPICS = st.sampled_from([b"a", b"a/b/c", "ž/🎉".encode(), b"bad/\xff", b"long/" * 40, b""])
PAYLOADS = st.one_of(st.binary(max_size=40), st.sampled_from([b"same", b"x" * 130, b"y" * 20_000, b"z" * 70_000]))
PROPERTIES = st.sampled_from(
    [
        b"",
        b"\x01\x01",
        b"\x02\x00\x00\x00\x3c\x03" + sized(b"text/plain"),
        b"\x0b\x07",
        b"\x0b\xe8\x07",
        b"\x0b\xe9\x07",
        b"\x08" + sized(b"re/ply") + b"\x09" + sized(b"\x00\xff"),
        b"\x26" + sized(b"a") + sized(b"1") + b"\x26" + sized(b"a") + sized(b"2"),
    ]
)
OTHERS = st.sampled_from(
    [b"\xd0\x00", packet(0x62, b"\x00\x07"), packet(0x40, b"\x00\x05"), packet(0xB0, b"\x00\x09\x00")]
)
WRONG = st.sampled_from(
    [
        b"\x30\xff\xff\xff\xff\x01",
        b"\x00\x00",
        b"\x30\x00",
        b"\x30\x02\x00\x09",
        b"\xe0\x00",
        b"\xf0\x00",
        b"\x36\x03\x00\x01a",
    ]
)


def streams(version: str) -> st.SearchStrategy[bytes]:
    messages = st.builds(
        publish,
        TOPICS,
        PAYLOADS,
        st.sampled_from([0, 0, 0, 1, 1, 2]),
        st.integers(1, 9),
        PROPERTIES if version == "5" else st.none(),
        st.sampled_from([0, 0, 1, 8, 9]),
    )
    usual = st.lists(st.one_of(messages, messages, messages, OTHERS), max_size=12).map(b"".join)
    return st.builds(lambda good, bad, more: good + bad + more, usual, st.one_of(st.just(b""), WRONG), usual)


@st.composite
def cases(draw: st.DrawFn) -> tuple[str, bytes, list[int]]:
    version = draw(st.sampled_from(["3.1.1", "5"]))
    stream = draw(streams(version))
    cuts = sorted(draw(st.lists(st.integers(0, len(stream)), max_size=8)))
    return version, stream, cuts


@settings(max_examples=150, deadline=None)
@given(cases())
def test_the_batch_lane_is_invisible(case: tuple[str, bytes, list[int]]) -> None:
    version, stream, cuts = case
    plain = heard(stream, [], version=version, batched=False)
    assert heard(stream, cuts, version=version, batched=True) == plain
    assert heard(stream, cuts, version=version, batched=False) == plain


def test_the_batch_lane_is_taken() -> None:
    events: list[Event] = []
    acks = bytearray()
    stream = publish(b"t", b"one") + publish(b"t", b"two", 1, 0x1234) + publish(b"t", b"three", 2)
    end = Reader(five=True, limit=LIMIT).cut(stream, 0, events, acks)
    assert [event.payload for event in events if isinstance(event, Received)] == [b"one", b"two"]
    assert stream[end] == 0x34
    assert acks == b"\x40\x02\x12\x34"


def test_every_byte_by_itself() -> None:
    stream = b"".join(publish(b"t/%d" % n, b"%d" % n, n % 3, n + 1) for n in range(30))
    stream += b"".join(packet(0x62, (n + 1).to_bytes(2, "big")) for n in range(30) if n % 3 == 2)
    whole = heard(stream, [], version="5", batched=True)
    assert heard(stream, list(range(1, len(stream))), version="5", batched=True) == whole
    assert len(whole[0]) == 30


@pytest.mark.parametrize(("size", "ends"), [(LIMIT - 1, False), (LIMIT, False), (LIMIT + 1, True)])
def test_the_largest_packet(size: int, ends: bool) -> None:
    payload = b"x" * (size - 1 - 3 - 2 - 1 - 1)  # first byte, length, topic, properties
    stream = publish(b"t", payload)
    assert len(stream) == size
    for cuts in ([], [5, 100_000]):
        events, ending, _ = heard(stream, cuts, version="5", batched=True)
        assert (ending == ("limit", size, {})) is ends
        assert len(events) == (not ends)


def test_copies_of_one_message_are_shown_once_and_equal_messages_each() -> None:
    def by(identifier: int, payload: bytes = b"on") -> bytes:
        return publish(b"t", payload, properties=b"\x0b" + length(identifier))

    one, two = 1000, 1001
    for order, shown in (
        ([by(one), by(two)], 1),
        ([by(one), by(two), by(one), by(two)], 2),
        ([by(one), by(one), by(two), by(two)], 2),
        ([by(one), by(one, b"off"), by(two, b"off"), by(two)], 2),
        ([by(one), by(one), by(one)], 3),
        ([publish(b"t", b"on"), publish(b"t", b"on")], 2),
    ):
        assert len(heard(b"".join(order), [], version="5", batched=True)[0]) == shown


@given(st.binary(max_size=60))
def test_properties_never_fail_otherwise(data: bytes) -> None:
    with contextlib.suppress(mqtt_property.Malformed):
        mqtt_property.read(data)


@given(st.binary(max_size=40))
def test_binary_data_is_shown_as_it_can_be_given(data: bytes) -> None:
    assert mqtt_property.given(mqtt_property.shown(data)) == data


@given(st.integers(0, 268435455))
def test_an_extent(size: int) -> None:
    head = b"\x30" + length(size)
    assert extent(head, 0) == len(head) + size
    assert all(extent(head[:end], 0) == INCOMPLETE for end in range(1, len(head)))
    assert extent(b"\x30\xff\xff\xff\xff", 0) == ILLEGAL


@pytest.mark.parametrize("topic", ["a", "/", "a//b", " ", "$SYS/x", "ž/🎉", "x" * 65535])
def test_topics_that_are_legal(topic: str) -> None:
    assert topic_flaw(topic) == filter_flaw(topic) == ""


@pytest.mark.parametrize(
    "topic", ["", "a\x00", "a\nb", "\x7f", "\x85", "\ud800", "a/+", "#", "\ufffe", "x" * 65536, "é" * 32768]
)
def test_topics_that_are_not(topic: str) -> None:
    assert topic_flaw(topic)


@pytest.mark.parametrize("wanted", ["#", "+", "a/#", "+/b/+", "/+", "$share/g/a/#", "$share/g//", "$SYS/#"])
def test_filters_that_are_legal(wanted: str) -> None:
    assert filter_flaw(wanted) == ""


@pytest.mark.parametrize(
    "wanted", ["", "a#", "#/a", "a+/b", "a/b+", "$share/g", "$share//a", "$share/+/a", "$share/g/", "a\x00/#"]
)
def test_filters_that_are_not(wanted: str) -> None:
    assert filter_flaw(wanted)


def test_a_url_taken_apart() -> None:
    made = plan("mqtts://al%40ice:s%3Aecret@[::1]/a/%23", Options(), {})
    assert (made.peer.host, made.peer.port) == ("::1", 8883)
    assert (made.username, made.password) == ("al@ice", "s:ecret")
    assert Mqtt.channels("mqtt://host:1/sensors/%23") == ("sensors/#",)
    assert Mqtt.channels("mqtt://host") == ()
    assert Mqtt.channels("mqtt://host//a") == ("/a",)


@pytest.mark.parametrize(
    ("url", "options"),
    [
        ("mqtt://host:0x/", {}),
        ("mqtt://host/a#b", {}),
        ("mqtt://host/", {"token": "x"}),
        ("mqtt://host/", {"headers": {"a": "b"}}),
        ("mqtt://host/", {"will_topic": "a/#"}),
        ("mqtt://host/", {"will_payload": "x"}),
        ("mqtt://host/", {"version": "3.1.1", "session_expiry": 5.0}),
        ("mqtt://host/", {"will_topic": "a", "will_correlation_data": "hex:zz"}),
    ],
)
def test_what_cannot_be_used_is_told_before_connecting(url: str, options: dict[str, Any]) -> None:
    with pytest.raises(Failure) as caught:
        plan(url, Options(**options), {})
    assert caught.value.fault.kind == "usage"
    assert not Mqtt().retryable(caught.value)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=80), st.sampled_from(["3.1.1", "5"]))
def test_no_bytes_make_it_fail_otherwise_than_by_an_ending(stream: bytes, version: str) -> None:
    _, ending, _ = heard(stream, [], version=version, batched=True)
    assert ending is None or ending[0] in {"disconnect", "illegal", "limit"}


async def test_what_comes_after_the_end_is_not_kept_for_the_next_connection() -> None:
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    protocol = aiomqtt.ProtocolVersion.V5
    wire = Wire(ours, Reader(five=True, limit=LIMIT), limit=LIMIT, hostname="peer", identifier="x", protocol=protocol)
    wire.begin()
    wire.take(CONNACK["5"])
    wire.end(Ending("cut"))
    await wire.room(0)  # who waited for room finds out now
    with pytest.raises(ConnectionError):
        wire.publish_now(
            Pending("publish", 1, "a", time.monotonic(), 1), b"told as not sent", retain=False, properties=None
        )
    assert not wire.unfinished().sent
    theirs.close()


class Broken:
    """A socket that still has something to read, and takes nothing any more."""

    def __init__(self) -> None:
        self.server = ServerProtocol(subprotocols=["mqtt"])  # type: ignore[list-item]
        self.broken = False

    def send(self, data: bytes) -> int:
        if self.broken:
            raise ConnectionResetError(104, "Connection reset by peer")
        self.server.receive_data(bytes(data))
        for request in self.server.events_received():
            self.server.send_response(self.server.accept(request))  # type: ignore[arg-type]
        return len(data)

    def recv(self, _: int) -> bytes:
        if data := b"".join(self.server.data_to_send()):
            return data
        raise ConnectionResetError(104, "Connection reset by peer")


def test_the_last_words_in_a_websocket_are_read_though_the_line_is_broken() -> None:
    sock = Broken()
    tunnel = Tunnel(sock, "ws://peer/mqtt", {}, LIMIT)  # type: ignore[arg-type]
    assert tunnel.shake()
    sock.server.send_binary(b"\xe0\x02\x8e\x00")
    sock.server.send_ping(b"")
    sock.broken = True
    assert tunnel.recv(100) == b"\xe0\x02\x8e\x00"
    with pytest.raises(ConnectionResetError):
        tunnel.recv(100)
