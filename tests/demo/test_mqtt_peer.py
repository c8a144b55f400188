"""One connection: how it begins and ends, sizes, aliases, slow readers."""

from __future__ import annotations

import pytest

from rtui.demo.mqtt_broker import Broker
from rtui.demo.mqtt_codec import encode
from rtui.demo.mqtt_packet import (
    V5,
    V311,
    Auth,
    Connack,
    Connect,
    Pingreq,
    Pingresp,
    Publish,
    Suback,
    Unsuback,
    Will,
    Wish,
)
from rtui.demo.mqtt_policy import Access, Limits
from rtui.demo.mqtt_reason import Reason
from rtui.demo.mqtt_topic import valid_name
from tests.demo.mqtt_hand import DAY, VERSIONS, Hand, HandClock, away, joined, persistent

# Connections


@pytest.mark.parametrize("version", VERSIONS)
def test_the_newer_connection_takes_over(broker: Broker, version: int) -> None:
    first = persistent(broker, "same", version)
    first.subscribe("a")
    second = Hand(broker, version)
    assert second.connect("same", clean=False).session_present
    if version == V5:
        first.goodbye(Reason.SESSION_TAKEN_OVER)
    assert first.closed
    second.publish("a")
    assert second.payloads() == [b"x"]
    first.peer.lost()  # the socket closes later than the session moves
    assert broker.connections["same"] is second.peer


def test_an_anonymous_client_gets_a_name(broker: Broker) -> None:
    names = {Hand(broker).connect().properties["assigned_client_identifier"] for _ in range(3)}
    assert len(names) == 3


@pytest.mark.parametrize(("clean", "code"), [(True, 0), (False, 2)])
def test_an_anonymous_client_of_3_1_1_must_start_clean(broker: Broker, clean: bool, code: int) -> None:
    assert Hand(broker, V311).connect("", clean=clean).code == code


@pytest.mark.parametrize(
    ("username", "password", "version", "code"),
    [
        ("demo", b"demo", V5, 0),
        ("demo", b"wrong", V5, Reason.BAD_USER_NAME_OR_PASSWORD),
        ("demo", None, V5, Reason.BAD_USER_NAME_OR_PASSWORD),
        ("nobody", b"", V5, Reason.BAD_USER_NAME_OR_PASSWORD),
        ("demo", b"demo", V311, 0),
        ("demo", b"wrong", V311, 4),
    ],
)
def test_passwords(broker: Broker, username: str, password: bytes | None, version: int, code: int) -> None:
    hand = Hand(broker, version)
    hand.say(Connect(version=version, username=username, password=password))
    assert hand.take(Connack)[0].code == code
    assert hand.closed == bool(code)


@pytest.mark.parametrize(("version", "code"), [(V5, Reason.NOT_AUTHORIZED), (V311, 5)])
def test_a_broker_that_wants_names(version: int, code: int) -> None:
    assert Hand(Broker(HandClock(), access=Access(anonymous=False)), version).connect("a").code == code


def test_enhanced_authentication_is_refused(broker: Broker) -> None:
    hand = Hand(broker)
    answer = hand.connect(properties={"authentication_method": "GS2-KRB5"})
    assert answer.code == Reason.BAD_AUTHENTICATION_METHOD
    hand = joined(broker)
    hand.say(Auth())
    hand.goodbye(Reason.PROTOCOL_ERROR)


def test_a_will_to_a_forbidden_topic_is_refused(broker: Broker) -> None:
    assert Hand(broker).connect(will=Will("$SYS/x")).code == Reason.NOT_AUTHORIZED


def test_response_information(broker: Broker) -> None:
    wanted = [Hand(broker).connect(name, properties={"request_response_information": 1}) for name in ("me", "#", "me")]
    topics = [answer.properties["response_information"] for answer in wanted]
    assert topics[0] == topics[2] != topics[1]
    assert all(valid_name(topic) and topic.startswith("reply/") for topic in topics)
    assert "response_information" not in Hand(broker).connect("you").properties


def test_a_wrong_connect_is_answered_in_its_version(broker: Broker) -> None:
    hand, old = Hand(broker), Hand(broker, V311)
    assert hand.connect(will=Will("a/+")).code == Reason.TOPIC_NAME_INVALID
    old.say(Connect(version=V311, will=Will("a/+")))
    assert not old.heard
    assert hand.closed
    assert old.closed


def test_properties_weigh_too() -> None:
    broker = Broker(HandClock(), Limits(backlog=10_000))
    away(broker, "r", "a")
    joined(broker).publish("a", b"", 1, properties={"user_property": [("k", "v" * 1000)] * 20})
    assert broker.tally.publish_dropped == 1


def test_an_unknown_version_is_told_so(broker: Broker) -> None:
    hand = Hand(broker, V311)
    hand.peer.receive(bytes.fromhex("100e 0006 4d5149736470 03 02 003c 0000"))
    assert hand.heard == [Connack(False, 1)]
    assert hand.closed


@pytest.mark.parametrize("noise", [b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01\x02\x00\x01", b"\xc0\x00", b"\x00"])
def test_strangers_get_no_answer(broker: Broker, noise: bytes) -> None:
    hand = Hand(broker)
    hand.peer.receive(noise)
    assert hand.closed
    assert not hand.heard
    assert not broker.accepted


def test_a_second_connect_is_an_error(broker: Broker) -> None:
    hand = joined(broker)
    hand.say(Connect())
    hand.goodbye(Reason.PROTOCOL_ERROR)


def test_packets_that_only_brokers_send(broker: Broker) -> None:
    for packet in (Connack(), Suback(1, (0,)), Unsuback(1, (0,)), Pingresp()):
        hand = joined(broker)
        hand.say(packet)
        hand.goodbye(Reason.PROTOCOL_ERROR)


def test_what_follows_an_error_is_not_read(broker: Broker) -> None:
    hand, watching = joined(broker), joined(broker)
    watching.subscribe("#")
    hand.peer.receive(b"\xc0\x01\x00" + encode(Publish("a"), V5))
    hand.peer.receive(encode(Publish("a"), V5))
    assert not watching.payloads()


def test_keep_alive(broker: Broker, clock: HandClock) -> None:
    hand = joined(broker, keep_alive=10)
    for _ in range(4):
        clock.advance(14)
        hand.say(Pingreq())
    assert len(hand.take(Pingresp)) == 4
    clock.advance(14.9)
    assert not hand.closed
    clock.advance(0.2)
    hand.goodbye(Reason.KEEP_ALIVE_TIMEOUT)


def test_without_keep_alive_nobody_is_sent_away(broker: Broker, clock: HandClock) -> None:
    hand = joined(broker)
    clock.advance(DAY)
    assert not hand.closed


def test_the_server_keep_alive(clock: HandClock) -> None:
    hand = Hand(Broker(clock, Limits(keep_alive=20)))
    assert hand.connect(keep_alive=1000).properties["server_keep_alive"] == 20
    clock.advance(30.1)
    assert hand.closed


def test_a_connection_that_says_nothing_is_ended(broker: Broker, clock: HandClock) -> None:
    hand = Hand(broker)
    clock.advance(broker.limits.first_wait + 0.1)
    assert hand.closed
    assert not broker.accepted


def test_the_broker_says_goodbye(broker: Broker) -> None:
    watching, hand = joined(broker), joined(broker, will=Will("will", b"gone"))
    watching.subscribe("will")
    broker.close()
    hand.goodbye(Reason.SERVER_SHUTTING_DOWN)
    assert not watching.payloads()


# Packet size and aliases


def test_a_packet_over_the_brokers_limit() -> None:
    hand = Hand(Broker(HandClock(), Limits(packet=100)))
    assert hand.connect().properties["maximum_packet_size"] == 100
    hand.publish("a", bytes(94))
    assert not hand.closed
    hand.publish("a", bytes(95))
    hand.goodbye(Reason.PACKET_TOO_LARGE)


@pytest.mark.parametrize("qos", [0, 1])
def test_a_client_gets_nothing_larger_than_it_takes(broker: Broker, qos: int) -> None:
    hand, sender = joined(broker, "small", properties={"maximum_packet_size": 60}), joined(broker)
    hand.subscribe("a")
    for size in (100, 10, 100, 20):
        sender.publish("a", bytes(size), qos)
    assert [len(each) for each in hand.payloads()] == [10, 20]
    hand.answer()
    assert broker.tally.publish_dropped == 2
    assert not broker.sessions["small"].flights


def test_a_client_may_use_topic_aliases(broker: Broker) -> None:
    receiver, hand = joined(broker), Hand(broker)
    receiver.subscribe("#")
    assert hand.connect().properties["topic_alias_maximum"] == 64
    hand.publish("a/long/topic", b"1", properties={"topic_alias": 1})
    hand.publish("", b"2", properties={"topic_alias": 1})
    hand.publish("b", b"3", properties={"topic_alias": 1})
    hand.publish("", b"4", properties={"topic_alias": 1})
    heard = receiver.take(Publish)
    assert [each.topic for each in heard] == ["a/long/topic", "a/long/topic", "b", "b"]
    assert not any(each.properties for each in heard)


@pytest.mark.parametrize(
    ("alias", "reason"),
    [(0, Reason.TOPIC_ALIAS_INVALID), (65, Reason.TOPIC_ALIAS_INVALID), (7, Reason.PROTOCOL_ERROR)],
)
def test_aliases_out_of_range_or_unknown(broker: Broker, alias: int, reason: Reason) -> None:
    hand = joined(broker)
    hand.publish("", properties={"topic_alias": alias})
    hand.goodbye(reason)


def test_the_broker_uses_aliases_if_the_client_allows(broker: Broker) -> None:
    hand, sender = joined(broker, properties={"topic_alias_maximum": 2}), joined(broker)
    hand.subscribe("#")
    for topic in ("a", "b", "c", "a", "c", "b"):
        sender.publish(topic)
    heard = [(each.topic, each.properties.get("topic_alias", 0)) for each in hand.take(Publish)]
    assert heard == [("a", 1), ("b", 2), ("c", 0), ("", 1), ("c", 0), ("", 2)]


def test_a_publish_with_a_subscription_identifier_is_an_error(broker: Broker) -> None:
    hand = joined(broker)
    hand.publish("a", properties={"subscription_identifier": [1]})
    hand.goodbye(Reason.PROTOCOL_ERROR)


# Slow clients


def test_a_slow_client_waits_and_loses_only_what_does_not_fit() -> None:
    broker = Broker(HandClock(), Limits(backlog=10_000))
    slow, sender = joined(broker, "slow"), joined(broker)
    slow.subscribe(Wish("a", 0))
    slow.peer.pause()
    for number in range(20):
        sender.publish("a", b"%02d" % number + bytes(741))
    assert not slow.payloads()
    assert broker.sessions["slow"].waiting == 10
    slow.peer.resume()
    assert [each[:2] for each in slow.payloads()] == [b"%02d" % number for number in range(10)]
    assert broker.sessions["slow"].dropped == broker.tally.publish_dropped == 10
    sender.publish("a", b"again")
    assert slow.payloads() == [b"again"]


def test_a_client_that_does_not_read_its_answers_is_not_read_either(broker: Broker) -> None:
    hand = joined(broker)
    hand.peer.pause()
    while hand.reading:
        hand.say(*(Pingreq() for _ in range(1000)))
    assert len(hand.take(Pingresp)) < 40_000
    hand.peer.resume()
    assert hand.reading
    hand.peer.pause()
    hand.say(*(Pingreq() for _ in range(1000)))
    assert hand.reading  # each pause is counted anew


def test_a_pause_counts_for_qos_1_too(broker: Broker) -> None:
    slow, sender = joined(broker), joined(broker)
    slow.subscribe("a")
    slow.peer.pause()
    for number in range(5):
        sender.publish("a", b"%d" % number, 1 + number % 2)
    assert not slow.payloads()
    slow.peer.resume()
    slow.answer()
    assert slow.payloads() == [b"0", b"1", b"2", b"3", b"4"]
