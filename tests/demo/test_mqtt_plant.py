from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from rtui.demo.mqtt_broker import Broker
from rtui.demo.mqtt_packet import Publish, Wish
from rtui.demo.mqtt_plant import DOWN, FLAKY, SITES, UP, Plant
from tests.demo.mqtt_hand import Hand, HandClock


@pytest.fixture
def plant(broker: Broker, clock: HandClock) -> Iterator[Plant]:
    plant = Plant(broker)
    clock.advance(0)
    yield plant
    plant.close()


@pytest.fixture
def visitor(broker: Broker, plant: Plant) -> Hand:
    hand = Hand(broker)
    hand.connect("visitor")
    return hand


def test_three_sites_report_numbers_and_json(visitor: Hand, clock: HandClock) -> None:
    visitor.subscribe("plant/#")
    clock.advance(8)
    heard = visitor.take(Publish)
    assert {each.topic.split("/")[1] for each in heard} == set(SITES)
    last = {each.topic.rpartition("/")[2]: each.payload for each in heard}
    assert json.loads(last["telemetry"])["pressure"] > 0
    assert float(last["power"]) > 0
    assert last["rpm"].isdigit()
    assert json.loads(last["event"])["event"] in ("opened", "closed")
    assert {each.qos for each in heard} == {0, 1}


def test_every_device_has_a_retained_status(visitor: Hand) -> None:
    visitor.subscribe("plant/+/+/status")
    heard = visitor.take(Publish)
    assert len(heard) == sum(map(len, SITES.values()))
    assert all(each.retain and each.payload == b"online" for each in heard)


def test_a_device_vanishes_and_comes_back(visitor: Hand, clock: HandClock) -> None:
    visitor.subscribe(Wish(f"plant/{FLAKY}/status", 1, retain_handling=2))
    clock.advance(UP + 1)
    assert [(each.payload, each.properties.get("content_type")) for each in visitor.take(Publish)] == [
        (b"offline", "text/plain")
    ]
    clock.advance(DOWN)
    assert visitor.payloads() == [b"online"]


def test_a_command_is_confirmed(visitor: Hand, clock: HandClock) -> None:
    visitor.subscribe("plant/aachen/pump-1/setpoint", "plant/aachen/pump-1/error")
    visitor.publish("plant/aachen/pump-1/set", b"12.5", 1)
    clock.advance(0)
    assert visitor.payloads() == [b"12.5"]
    for nonsense in (b"much", b"nan", b"\xff", b""):
        visitor.publish("plant/aachen/pump-1/set", nonsense, 1)
    clock.advance(0)
    assert visitor.payloads() == [b'{"error": "a set-point is a number"}'] * 4
    again = visitor.subscribe("plant/aachen/pump-1/setpoint")
    assert again == (2,)
    assert visitor.payloads() == [b"12.5"]


def test_the_responder_answers_with_the_correlation_data(visitor: Hand, clock: HandClock) -> None:
    visitor.subscribe("reply/visitor")
    properties = {"response_topic": "reply/visitor", "correlation_data": b"\0\x07"}
    for method in ("echo", "devices", "nonsense"):
        visitor.publish(f"plant/request/{method}", b"hello", 1, properties=properties)
    clock.advance(0)
    heard = visitor.take(Publish)
    assert {each.properties["correlation_data"] for each in heard} == {b"\0\x07"}
    assert heard[0].payload == b"hello"
    assert json.loads(heard[1].payload)[FLAKY] == "online"
    assert "no method nonsense" in json.loads(heard[2].payload)["error"]


def test_a_request_without_response_topic_is_answered_in_public(visitor: Hand, clock: HandClock) -> None:
    visitor.subscribe("plant/reply/#")
    visitor.publish("plant/request/echo", b"hello")
    clock.advance(0)
    assert [(each.topic, each.payload) for each in visitor.take(Publish)] == [("plant/reply/echo", b"hello")]


def test_the_same_seed_tells_the_same_story() -> None:
    stories = []
    for _ in range(2):
        clock = HandClock()
        broker = Broker(clock)
        hand = Hand(broker)
        hand.connect()
        hand.subscribe("plant/#")
        plant = Plant(broker, seed=3)
        clock.advance(30)
        stories.append([(each.topic, each.payload) for each in hand.take(Publish)])
        plant.close()
    assert stories[0] == stories[1]
    assert len(stories[0]) > 300


def test_a_closed_plant_is_silent_and_leaves_no_wills(broker: Broker, clock: HandClock) -> None:
    plant = Plant(broker)
    clock.advance(1)
    plant.close()
    clock.advance(100)
    assert not broker.connections
    assert broker.tally.wills_sent == 0
