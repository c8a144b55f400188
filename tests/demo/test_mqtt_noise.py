"""Whatever clients say, in whatever order: the broker serves the others and its books stay right."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from rtui.demo.mqtt_broker import Broker
from rtui.demo.mqtt_codec import encode
from rtui.demo.mqtt_field import Properties
from rtui.demo.mqtt_packet import V5, V311, Connect, Packet, Publish, Subscribe, Wish
from rtui.demo.mqtt_policy import Limits
from tests.demo.mqtt_hand import Hand, HandClock
from tests.demo.test_mqtt_codec import connects, packets

patterns = st.sampled_from(["a", "a/+", "#", "$share/g/a", "$share/g/#", "+", "$SYS/#", "denied"])
wishes = st.builds(Wish, patterns, st.integers(0, 2), st.booleans(), st.booleans(), st.integers(0, 2))
LIMITS = Limits(backlog=5_000, retained=3_000, sessions=6, subscriptions=4, receive_maximum=3, window=3)


def busy(version: int) -> st.SearchStrategy[Packet]:
    """Packets that have much to do with each other."""
    plain = wishes if version == V5 else st.builds(Wish, patterns, st.integers(0, 2))
    return st.one_of(
        st.builds(Subscribe, st.just(1), st.lists(plain, min_size=1, max_size=3).map(tuple)),
        st.integers(0, 2).flatmap(
            lambda qos: st.builds(
                Publish,
                st.sampled_from(["a", "a/b", "b"]),
                st.binary(max_size=400),
                st.just(qos),
                st.booleans(),
                packet_id=st.integers(1, 4) if qos else st.just(0),
            )
        ),
    )


Step = tuple[int, str, Packet | bytes | float | bool]
"""Version, client, and a packet, noise, seconds that pass, or whether the client keeps up from now on."""


def steps() -> st.SearchStrategy[list[Step]]:
    def step(version: int) -> st.SearchStrategy[Step]:
        odd = (packets(version), connects(version), st.binary(min_size=1, max_size=20), st.floats(0, 60), st.booleans())
        # Drawn by hand: `one_of` would flatten the kinds of packets and hardly ever choose the busy ones.
        actions = st.integers(0, 3 * len(odd)).flatmap(lambda at: odd[at] if at < len(odd) else busy(version))
        return st.tuples(st.just(version), st.sampled_from("xyz"), actions)

    return st.lists(st.sampled_from([V311, V5]).flatmap(step), min_size=5, max_size=40)


def sleeper(name: str, version: int) -> Connect:
    """Two of three come back to a session, which clients of both versions share."""
    properties: Properties = {"session_expiry_interval": 50} if version == V5 else {}
    return Connect(client_id=name, version=version, clean_start=name == "y", properties=properties)


def check_books(broker: Broker) -> None:
    written = sum(len(session.subscriptions) for session in broker.sessions.values())
    assert broker.subscriptions.count == written
    assert len(broker.sessions) <= LIMITS.sessions
    for session in broker.sessions.values():
        queued = [*session._waiting, *session._spilled]
        assert session._weight == sum(flight.message.weight for flight in queued)
        assert session._weight <= LIMITS.backlog + LIMITS.window * 1_000  # those in flight return on top
        assert all(number == flight.packet_id for number, flight in session.flights.items())
        if session.line:
            assert session._open == sum(flight.sent for flight in session.flights.values()) <= LIMITS.window
            assert id(broker.connections[session.client_id]) == id(session.line)
    assert set(broker.connections.values()) <= broker.accepted


@settings(max_examples=60, deadline=None)
@given(steps())
def test_the_broker_survives(story: list[Step]) -> None:
    clock = HandClock()
    broker = Broker(clock, LIMITS)
    bystander = Hand(broker)
    bystander.connect("bystander")
    bystander.subscribe("bystander/topic")
    hands: dict[tuple[int, str], Hand] = {}
    for version, name, action in story:
        hand = hands.get((version, name))
        if hand is None or hand.closed:
            hand = hands[version, name] = Hand(broker, version, acks=name != "z")
            if not isinstance(action, (bytes, Connect)):
                hand.peer.receive(encode(sleeper(name, version), version))
        if isinstance(action, bool):
            (hand.peer.resume if action else hand.peer.pause)()
        elif isinstance(action, float):
            clock.advance(action)
        elif isinstance(action, bytes):
            hand.peer.receive(action)
        else:
            hand.peer.receive(encode(action, version))
        for each in hands.values():
            each.answer()
        check_books(broker)
    bystander.publish("bystander/topic", b"still here", 1)
    assert bystander.payloads()[-1] == b"still here"
    for hand in hands.values():
        hand.peer.lost()
    clock.advance(LIMITS.session_expiry + 1)
    assert list(broker.sessions) == ["bystander"]
    check_books(broker)
