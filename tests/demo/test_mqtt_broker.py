"""Who gets which message: routing, subscriptions, shares, retained messages, counters."""

from __future__ import annotations

import pytest

from rtui.demo.mqtt_broker import Broker
from rtui.demo.mqtt_packet import (
    V5,
    V311,
    Disconnect,
    Puback,
    Pubcomp,
    Publish,
    Pubrec,
    Suback,
    Subscribe,
    Unsuback,
    Unsubscribe,
    Wish,
)
from rtui.demo.mqtt_policy import Limits
from rtui.demo.mqtt_reason import Reason
from rtui.demo.mqtt_session import Message
from rtui.demo.mqtt_system import System
from tests.demo.mqtt_hand import VERSIONS, Hand, HandClock, away, joined, persistent

# Publishing


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("sent", [0, 1, 2])
@pytest.mark.parametrize("wanted", [0, 1, 2])
def test_the_lower_quality_of_service_wins(broker: Broker, version: int, sent: int, wanted: int) -> None:
    receiver, sender = joined(broker, version=version), joined(broker, version=version)
    assert receiver.subscribe(Wish("a/+", wanted)) == (wanted,)
    sender.publish("a/b", b"hello", sent)
    (heard,) = receiver.take(Publish)
    assert (heard.topic, heard.payload, heard.qos, heard.retain, heard.dup) == (
        "a/b",
        b"hello",
        min(sent, wanted),
        False,
        False,
    )
    answers = {0: [], 1: [Puback(1)], 2: [Pubrec(1), Pubcomp(1)]}[sent]
    assert [packet for packet in sender.heard if isinstance(packet, (Puback, Pubrec, Pubcomp))] == answers


def test_a_version_5_publisher_learns_that_nobody_listens(broker: Broker) -> None:
    hand = joined(broker)
    hand.publish("a", qos=1)
    hand.publish("a", qos=2, packet_id=2)
    assert [answer.code for answer in hand.take(Puback)] == [Reason.NO_MATCHING_SUBSCRIBERS]
    assert [answer.code for answer in hand.take(Pubrec)] == [Reason.NO_MATCHING_SUBSCRIBERS]


@pytest.mark.parametrize(("sender", "receiver"), [(V5, V311), (V311, V5)])
def test_the_versions_understand_each_other(broker: Broker, sender: int, receiver: int) -> None:
    listening = joined(broker, version=receiver)
    listening.subscribe("#")
    joined(broker, version=sender).publish("a", b"1", 1)
    assert listening.payloads() == [b"1"]


def test_properties_travel(broker: Broker) -> None:
    receiver, sender = joined(broker), joined(broker)
    receiver.subscribe("a")
    properties = {
        "payload_format_indicator": 1,
        "content_type": "text/plain",
        "response_topic": "b/c",
        "correlation_data": b"\0\1",
        "user_property": [("k", "v"), ("k", "w")],
    }
    sender.publish("a", b"x", 1, properties=properties)
    assert receiver.take(Publish)[0].properties == properties


@pytest.mark.parametrize("qos", [1, 2])
def test_a_denied_publish_says_so(broker: Broker, qos: int) -> None:
    watching, hand = joined(broker), joined(broker)
    watching.subscribe("#")
    hand.publish("denied/a", qos=qos)
    (answer,) = hand.take(Puback) if qos == 1 else hand.take(Pubrec)
    assert (answer.code, answer.properties) == (Reason.NOT_AUTHORIZED, {"reason_string": "not authorized"})
    assert not watching.payloads()


def test_clients_do_not_write_the_brokers_own_topics(broker: Broker) -> None:
    hand = joined(broker)
    hand.publish("$SYS/broker/version", b"mine", 1)
    assert hand.take(Puback)[0].code == Reason.NOT_AUTHORIZED


def test_a_payload_that_is_not_the_text_it_claims_to_be(broker: Broker) -> None:
    hand = joined(broker)
    hand.publish("a", b"\xff", 1, properties={"payload_format_indicator": 1})
    assert hand.take(Puback)[0].code == Reason.PAYLOAD_FORMAT_INVALID


def test_reason_strings_are_left_out_on_request(broker: Broker) -> None:
    hand = joined(broker, properties={"request_problem_information": 0})
    hand.publish("denied/a", qos=1)
    assert hand.take(Puback)[0].properties == {}


# Subscriptions


@pytest.mark.parametrize("version", VERSIONS)
def test_each_wish_has_its_own_result(broker: Broker, version: int) -> None:
    hand = joined(broker, version=version)
    codes = hand.subscribe(Wish("a", 0), Wish("b", 1), "c", "d#", "denied/x", "$share/g", "$share/g/x")
    failures = (0x80,) * 3 if version == V311 else (0x8F, 0x87, 0x8F)
    assert codes == (0, 1, 2, *failures, 2)


def test_unsubscribing(broker: Broker) -> None:
    hand, old = joined(broker), joined(broker, version=V311)
    for one in (hand, old):
        one.subscribe("a")
        one.say(Unsubscribe(5, ("a", "b")))
    assert hand.take(Unsuback) == [Unsuback(5, (0, Reason.NO_SUBSCRIPTION_EXISTED))]
    assert old.take(Unsuback) == [Unsuback(5)]
    hand.publish("a")
    assert not hand.payloads() + old.payloads()
    assert broker.subscriptions.count == 0


def test_overlapping_subscriptions_make_one_copy(broker: Broker) -> None:
    hand, sender = joined(broker), joined(broker)
    hand.subscribe(Wish("a/#", 0), identifier=3)
    hand.subscribe(Wish("a/+", 1), identifier=4)
    hand.subscribe(Wish("+/b", 0))
    sender.publish("a/b", b"1", 2)
    (heard,) = hand.take(Publish)
    assert heard.qos == 1
    assert sorted(heard.properties["subscription_identifier"]) == [3, 4]


def test_a_subscription_replaces_the_same_one(broker: Broker) -> None:
    hand, sender = joined(broker), joined(broker)
    hand.subscribe(Wish("a", 2), identifier=1)
    hand.subscribe(Wish("a", 0), identifier=2)
    sender.publish("a", b"1", 2)
    (heard,) = hand.take(Publish)
    assert (heard.qos, heard.properties) == (0, {"subscription_identifier": [2]})
    assert broker.subscriptions.count == 1


def test_no_local(broker: Broker) -> None:
    hand, other = joined(broker), joined(broker)
    hand.subscribe(Wish("a", 1, no_local=True), identifier=1)
    other.subscribe(Wish("a", 1))
    hand.publish("a", b"mine", 1)
    other.publish("a", b"yours", 1)
    assert hand.payloads() == [b"yours"]
    assert other.payloads() == [b"mine", b"yours"]
    hand.subscribe(Wish("#", 0), identifier=2)
    hand.publish("a", b"mine", 1)
    (heard,) = hand.take(Publish)
    assert (heard.qos, heard.properties["subscription_identifier"]) == (0, [2])


def test_wildcards_do_not_reach_the_system_topics(broker: Broker) -> None:
    hand, system = joined(broker), joined(broker)
    hand.subscribe("#", "+/broker/version")
    system.subscribe("$SYS/#")
    System(broker)
    assert not hand.payloads()
    topics = {each.topic for each in system.take(Publish)}
    assert {"$SYS/broker/version", "$SYS/broker/clients/connected"} <= topics


def test_a_session_has_so_many_subscriptions() -> None:
    hand = Hand(Broker(HandClock(), Limits(subscriptions=2)))
    hand.connect()
    assert hand.subscribe("a", "b", "c", "b") == (2, 2, Reason.QUOTA_EXCEEDED, 2)


# Shared subscriptions


def test_members_of_a_group_take_turns(broker: Broker) -> None:
    members = [joined(broker) for _ in range(3)]
    everything, sender = joined(broker), joined(broker)
    for member in members:
        member.subscribe("$share/g/a/#")
    everything.subscribe("a/#")
    for number in range(6):
        sender.publish("a/b", b"%d" % number, 1)
    assert [member.payloads() for member in members] == [[b"0", b"3"], [b"1", b"4"], [b"2", b"5"]]
    assert len(everything.payloads()) == 6


def test_two_groups_get_one_copy_each(broker: Broker) -> None:
    hand, sender = joined(broker), joined(broker)
    hand.subscribe("$share/g/a", "$share/h/a")
    sender.publish("a")
    assert hand.payloads() == [b"x", b"x"]


def test_a_member_that_is_away_gets_its_share_only_if_nobody_is_here(broker: Broker) -> None:
    away(broker, "away", "$share/g/a")
    here, sender = joined(broker), joined(broker)
    here.subscribe("$share/g/a")
    sender.publish("a", b"1", 1)
    sender.publish("a", b"2", 1)
    assert here.payloads() == [b"1", b"2"]
    here.say(Disconnect())
    sender.publish("a", b"3", 1)
    assert persistent(broker, "away").payloads() == [b"3"]


def test_what_a_vanished_member_has_not_acknowledged_goes_to_another(broker: Broker) -> None:
    first, second, sender = Hand(broker, acks=False), joined(broker), joined(broker)
    first.connect()
    first.subscribe(Wish("$share/g/a", 1))
    second.subscribe(Wish("$share/g/a", 1))
    sender.publish("a", b"1", 1)
    sender.publish("a", b"2", 1)
    assert first.payloads() == [b"1"]
    first.peer.lost()
    assert second.payloads() == [b"2", b"1"]


def test_no_local_is_an_error_in_a_shared_subscription(broker: Broker) -> None:
    hand = joined(broker)
    hand.say(Subscribe(1, (Wish("$share/g/a", no_local=True),)))
    hand.goodbye(Reason.PROTOCOL_ERROR)


# Retained messages


@pytest.mark.parametrize("version", VERSIONS)
def test_retained_messages_greet_new_subscribers(broker: Broker, version: int) -> None:
    sender, hand = joined(broker), joined(broker, version=version)
    sender.publish("a/1", b"old", 1, retain=True)
    sender.publish("a/1", b"one", 1, retain=True)
    sender.publish("a/2", b"two", 0, retain=True)
    sender.publish("b", b"other", 0, retain=True)
    hand.subscribe("a/#")
    heard = hand.take(Publish)
    assert sorted((each.payload, each.qos, each.retain) for each in heard) == [(b"one", 1, True), (b"two", 0, True)]
    sender.publish("a/1", b"", retain=True)
    assert [(each.payload, each.retain) for each in hand.take(Publish)] == [(b"", False)]
    hand.subscribe("a/1")
    assert not hand.payloads()
    assert len(broker.retained) == 2


def test_the_suback_comes_before_the_retained_messages(broker: Broker) -> None:
    hand = joined(broker)
    hand.publish("a", b"1", retain=True)
    hand.say(Subscribe(1, (Wish("a"),)))
    assert [type(packet) for packet in hand.heard] == [Suback, Publish]


def test_retain_handling(broker: Broker) -> None:
    hand = joined(broker)
    hand.publish("a", b"1", retain=True)
    got = []
    for handling in (2, 1, 0, 1, 0):
        hand.subscribe(Wish("a", retain_handling=handling))
        got.append(len(hand.payloads()))
    assert got == [0, 0, 1, 0, 1]
    fresh = joined(broker)
    fresh.subscribe(Wish("a", retain_handling=1))
    assert fresh.payloads() == [b"1"]


def test_retain_as_published(broker: Broker) -> None:
    plain, exact, sender = joined(broker), joined(broker), joined(broker)
    plain.subscribe(Wish("a"))
    exact.subscribe(Wish("a", retain_as_published=True))
    sender.publish("a", retain=True)
    sender.publish("a")
    assert [each.retain for each in plain.take(Publish)] == [False, False]
    assert [each.retain for each in exact.take(Publish)] == [True, False]


def test_shared_subscriptions_get_no_retained_messages(broker: Broker) -> None:
    hand = joined(broker)
    hand.publish("a", retain=True)
    hand.subscribe("$share/g/a")
    assert not hand.payloads()


def test_retained_messages_are_bounded() -> None:
    broker = Broker(HandClock(), Limits(retained=3000))
    hand = joined(broker)
    hand.publish("a", bytes(2000), 1, retain=True)
    hand.publish("b", bytes(2000), 1, retain=True)
    assert [answer.code for answer in hand.take(Puback)] == [
        Reason.NO_MATCHING_SUBSCRIBERS,
        Reason.QUOTA_EXCEEDED,
    ]
    hand.publish("a", b"", retain=True)
    hand.publish("b", bytes(2000), 1, retain=True)
    assert len(broker.retained) == 1


# Counters


def test_the_counters_are_retained_and_only_changes_are_published(broker: Broker, clock: HandClock) -> None:
    system = System(broker, every=5)
    hand = joined(broker)
    hand.subscribe("$SYS/broker/clients/connected", "$SYS/broker/version")
    assert len(hand.take(Publish)) == 2
    clock.advance(5)
    assert [(each.topic, each.payload) for each in hand.take(Publish)] == [("$SYS/broker/clients/connected", b"1")]
    clock.advance(5)
    assert not hand.payloads()
    system.close()
    joined(broker)
    clock.advance(50)
    assert not hand.payloads()


def test_the_broker_itself_may_publish_anywhere(broker: Broker) -> None:
    hand = joined(broker)
    hand.subscribe("$SYS/#")
    broker.publish(Message("$SYS/x", b"1"))
    broker.flush()
    assert hand.payloads() == [b"1"]
