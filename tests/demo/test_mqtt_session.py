"""What outlives a packet or a connection: flights, sessions, expiry, wills."""

from __future__ import annotations

import pytest

from rtui.demo.mqtt_broker import Broker
from rtui.demo.mqtt_field import Properties
from rtui.demo.mqtt_packet import (
    V5,
    V311,
    Disconnect,
    Puback,
    Pubcomp,
    Publish,
    Pubrec,
    Pubrel,
    Will,
    Wish,
)
from rtui.demo.mqtt_policy import Limits
from rtui.demo.mqtt_reason import Reason
from tests.demo.mqtt_hand import DAY, VERSIONS, Hand, HandClock, away, joined, persistent

# QoS 2 and packets in flight


def test_a_repeated_message_of_qos_2_is_handed_out_once(broker: Broker) -> None:
    receiver, sender = joined(broker), Hand(broker, acks=False)
    receiver.subscribe("a")
    sender.connect()
    sender.publish("a", b"1", 2, packet_id=7)
    sender.publish("a", b"1", 2, packet_id=7, dup=True)
    assert [answer.packet_id for answer in sender.take(Pubrec)] == [7, 7]
    assert receiver.payloads() == [b"1"]
    sender.say(Pubrel(7), Pubrel(7))
    assert [answer.code for answer in sender.take(Pubcomp)] == [0, Reason.PACKET_IDENTIFIER_NOT_FOUND]
    sender.publish("a", b"2", 2, packet_id=7)
    assert receiver.payloads() == [b"2"]


def test_the_receive_maximum_of_the_client_is_kept(broker: Broker) -> None:
    receiver, sender = Hand(broker, acks=False), joined(broker)
    receiver.connect(properties={"receive_maximum": 2})
    receiver.subscribe(Wish("a", 1))
    for number in range(5):
        sender.publish("a", b"%d" % number, 1)
    first = receiver.take(Publish)
    assert [packet.payload for packet in first] == [b"0", b"1"]
    receiver.say(Puback(first[1].packet_id))
    assert receiver.payloads() == [b"2"]
    sender.publish("a", b"at once", 0)
    assert receiver.payloads() == [b"at once"]  # QoS 0 has no window


def test_the_receive_maximum_of_the_broker_is_kept() -> None:
    hand = Hand(Broker(HandClock(), Limits(receive_maximum=2)), acks=False)
    assert hand.connect().properties["receive_maximum"] == 2
    for number in (1, 2, 3):
        hand.publish("a", qos=2, packet_id=number)
    hand.goodbye(Reason.RECEIVE_MAXIMUM_EXCEEDED)


@pytest.mark.parametrize("version", VERSIONS)
def test_redelivery_after_a_reconnect(broker: Broker, version: int) -> None:
    hand = Hand(broker, version, acks=False)
    hand.connect("r", clean=False, properties={"session_expiry_interval": DAY} if version == V5 else {})
    hand.subscribe("a")
    sender = joined(broker)
    for number in range(4):
        sender.publish("a", b"%d" % number, 1 + number % 2)
    sent = hand.take(Publish)
    hand.say(Puback(sent[0].packet_id), Pubrec(sent[1].packet_id))
    hand.peer.lost()
    sender.publish("a", b"while away", 1)

    again = Hand(broker, version, acks=False)
    assert again.connect("r", clean=False).session_present
    assert [packet.packet_id for packet in again.take(Pubrel)] == [sent[1].packet_id]
    heard = again.take(Publish)
    assert [(each.payload, each.dup) for each in heard] == [(b"2", True), (b"3", True), (b"while away", False)]
    assert [each.packet_id for each in heard[:2]] == [each.packet_id for each in sent[2:]]
    again.say(Pubcomp(sent[1].packet_id), *(Puback(each.packet_id) for each in heard if each.qos == 1))
    again.say(Pubrec(sent[3].packet_id), Pubcomp(sent[3].packet_id))
    assert not broker.sessions["r"].flights
    assert not broker.sessions["r"].waiting


def test_redelivery_keeps_to_a_smaller_window(broker: Broker) -> None:
    hand = Hand(broker, acks=False)
    hand.connect("r", clean=False, properties={"session_expiry_interval": DAY})
    hand.subscribe(Wish("a", 1))
    sender = joined(broker)
    for number in range(6):
        sender.publish("a", b"%d" % number, 1)
    hand.peer.lost()
    properties: Properties = {"receive_maximum": 2, "session_expiry_interval": DAY}
    cut = Hand(broker, acks=False)
    cut.connect("r", clean=False, properties=properties)
    cut.peer.lost()  # while some of it waits that was sent before
    again = Hand(broker, acks=False)
    again.connect("r", clean=False, properties=properties)
    heard = again.take(Publish)
    assert [each.payload for each in heard] == [b"0", b"1"]
    for _ in range(4):
        again.say(Puback(heard.pop(0).packet_id))
        heard += again.take(Publish)
    assert [each.payload for each in heard] == [b"4", b"5"]
    assert all(each.dup for each in heard)
    again.say(*(Puback(each.packet_id) for each in heard))
    assert not again.take(Publish)
    assert not broker.sessions["r"].waiting


def test_a_denied_pubrec_ends_the_exchange(broker: Broker) -> None:
    hand, sender = Hand(broker, acks=False), joined(broker)
    hand.connect("r")
    hand.subscribe("a")
    sender.publish("a", b"1", 2)
    hand.say(Pubrec(hand.take(Publish)[0].packet_id, Reason.QUOTA_EXCEEDED))
    assert not broker.sessions["r"].flights
    assert not hand.take(Pubrel)


def test_acknowledgements_of_nothing_do_no_harm(broker: Broker) -> None:
    hand = joined(broker)
    hand.say(Puback(9), Pubcomp(9))
    hand.acks = False
    hand.say(Pubrec(9))
    assert hand.take(Pubrel)[0].code == Reason.PACKET_IDENTIFIER_NOT_FOUND
    assert not hand.closed


# Expiry


def test_messages_expire(broker: Broker, clock: HandClock) -> None:
    away(broker, "r", "a")
    sender = joined(broker)
    for seconds in (10, 100):
        sender.publish("a", b"%d" % seconds, 1, retain=True, properties={"message_expiry_interval": seconds})
    clock.advance(40)
    (heard,) = persistent(broker, "r").take(Publish)
    assert (heard.payload, heard.properties) == (b"100", {"message_expiry_interval": 60})
    sender.subscribe("a")
    assert sender.payloads() == [b"100"]
    clock.advance(60)
    joined(broker).subscribe("a")
    assert not sender.payloads()
    assert broker.retained.sweep(clock.time()) == 1
    assert len(broker.retained) == 0
    assert broker.tally.publish_expired == 1


def test_a_message_that_was_sent_once_expires_no_more(broker: Broker, clock: HandClock) -> None:
    hand = Hand(broker, acks=False)
    hand.connect("r", properties={"session_expiry_interval": DAY})
    hand.subscribe("a")
    joined(broker).publish("a", b"1", 1, properties={"message_expiry_interval": 10})
    hand.peer.lost()
    clock.advance(20)
    assert [(each.payload, each.dup) for each in persistent(broker, "r").take(Publish)] == [(b"1", True)]


@pytest.mark.parametrize("version", VERSIONS)
def test_a_session_waits_for_its_client(broker: Broker, version: int) -> None:
    away(broker, "r", "a", version=version)
    sender = joined(broker)
    for number in range(20):
        sender.publish("a", b"%d" % number, number % 3)
    hand = Hand(broker, version)
    assert hand.connect("r", clean=False).session_present
    assert hand.payloads() == [b"%d" % number for number in range(20) if number % 3]  # QoS 0 does not wait


def test_a_session_expires(broker: Broker, clock: HandClock) -> None:
    away(broker, "r", "a")
    clock.advance(DAY - 1)
    hand = Hand(broker)
    assert hand.connect("r", clean=False, properties={"session_expiry_interval": 5}).session_present
    hand.peer.lost()
    clock.advance(5)
    assert not broker.sessions
    assert broker.subscriptions.count == 0
    assert not Hand(broker).connect("r", clean=False).session_present
    assert broker.tally.sessions_expired == 1


def test_a_clean_start_forgets(broker: Broker) -> None:
    away(broker, "r", "a")
    assert not Hand(broker).connect("r").session_present
    assert broker.subscriptions.count == 0


def test_disconnect_may_shorten_the_session_but_not_create_one(broker: Broker) -> None:
    hand = persistent(broker, "r")
    hand.say(Disconnect(0, {"session_expiry_interval": 0}))
    assert "r" not in broker.sessions
    hand = joined(broker, "r")
    hand.say(Disconnect(0, {"session_expiry_interval": 5}))
    hand.goodbye(Reason.PROTOCOL_ERROR)


def test_the_broker_tells_a_session_expiry_it_shortened() -> None:
    hand = Hand(Broker(HandClock(), Limits(session_expiry=60)))
    assert hand.connect("r", properties={"session_expiry_interval": 0xFFFFFFFF}).properties[
        "session_expiry_interval"
    ] == 60  # fmt: skip


def test_messages_that_wait_are_bounded_and_counted() -> None:
    broker = Broker(HandClock(), Limits(backlog=10_000))
    away(broker, "r", "a")
    sender = joined(broker)
    for number in range(20):
        sender.publish("a", b"%02d" % number + bytes(741), 1)  # 1,000 with its overhead
    assert broker.tally.publish_dropped == 10
    assert [each[:2] for each in persistent(broker, "r").payloads()] == [b"%02d" % number for number in range(10)]


def test_sessions_are_bounded() -> None:
    broker = Broker(HandClock(), Limits(sessions=1))
    joined(broker, "a")
    hand = Hand(broker)
    assert hand.connect("b").code == Reason.QUOTA_EXCEEDED
    old = Hand(broker, V311)
    assert old.connect("c").code == 3
    assert hand.closed
    assert old.closed


# Wills

WILL = Will("will", b"gone", 1, properties={"content_type": "text/plain", "user_property": [("a", "b")]})


@pytest.mark.parametrize("version", VERSIONS)
def test_a_will_is_sent_for_those_who_vanish(broker: Broker, version: int) -> None:
    watching = joined(broker)
    watching.subscribe("will")
    hand = joined(broker, "w", version, will=Will("will", b"gone", 1) if version == V311 else WILL)
    hand.peer.lost()
    (heard,) = watching.take(Publish)
    assert (heard.payload, heard.qos) == (b"gone", 1)
    assert heard.properties == ({} if version == V311 else WILL.properties)


@pytest.mark.parametrize(
    ("version", "code", "sent"),
    [(V311, 0, False), (V5, 0, False), (V5, Reason.DISCONNECT_WITH_WILL, True), (V5, Reason.UNSPECIFIED_ERROR, True)],
)
def test_a_goodbye_decides_on_the_will(broker: Broker, version: int, code: int, sent: bool) -> None:
    watching = joined(broker)
    watching.subscribe("will")
    joined(broker, "w", version, will=Will("will", b"gone")).say(Disconnect(code))
    assert watching.payloads() == [b"gone"] * sent


def test_a_protocol_error_sends_the_will(broker: Broker) -> None:
    watching = joined(broker)
    watching.subscribe("will")
    joined(broker, will=WILL).peer.receive(b"\x00\x00")
    assert watching.payloads() == [b"gone"]


def test_a_retained_will(broker: Broker) -> None:
    joined(broker, will=Will("will", b"gone", retain=True)).peer.lost()
    hand = joined(broker)
    hand.subscribe("will")
    assert hand.payloads() == [b"gone"]


def delayed(broker: Broker, seconds: int, expiry: int) -> Hand:
    will = Will("will", b"gone", properties={"will_delay_interval": seconds})
    return joined(broker, "w", clean=False, will=will, properties={"session_expiry_interval": expiry})


@pytest.mark.parametrize(("delay", "expiry", "at"), [(5, 60, 5), (60, 5, 5), (5, 0, 0)])
def test_a_delayed_will(broker: Broker, clock: HandClock, delay: int, expiry: int, at: int) -> None:
    watching = joined(broker)
    watching.subscribe("will")
    delayed(broker, delay, expiry).peer.lost()
    if at:
        clock.advance(at - 0.1)
        assert not watching.payloads()
        clock.advance(0.2)
    assert watching.payloads() == [b"gone"]
    clock.advance(100)
    assert not watching.payloads()


def test_who_comes_back_in_time_takes_the_will_back(broker: Broker, clock: HandClock) -> None:
    watching = joined(broker)
    watching.subscribe("will")
    delayed(broker, 5, 60).peer.lost()
    clock.advance(4)
    back = persistent(broker, "w")
    clock.advance(100)
    assert "w" in broker.sessions
    back.peer.lost()
    assert not watching.payloads()


def test_a_clean_start_ends_the_session_and_so_sends_the_will(broker: Broker) -> None:
    watching = joined(broker)
    watching.subscribe("will")
    delayed(broker, 5, 60).peer.lost()
    joined(broker, "w")
    assert watching.payloads() == [b"gone"]
