from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rtui.demo import mqtt_codec, mqtt_field
from rtui.demo.mqtt_codec import Decoder, encode
from rtui.demo.mqtt_packet import (
    V5,
    V311,
    Auth,
    Connack,
    Connect,
    Disconnect,
    Packet,
    Pingreq,
    Pingresp,
    Puback,
    Pubcomp,
    Publish,
    Pubrec,
    Pubrel,
    Suback,
    Subscribe,
    Unsuback,
    Unsubscribe,
    Will,
    Wish,
)
from rtui.demo.mqtt_reason import ProtocolError, Reason

words = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20)
topics = words.map(lambda text: text.replace("+", "p").replace("#", "h")).filter(bool)
payloads = st.binary(max_size=300)
ids = st.integers(1, 0xFFFF)
qos = st.integers(0, 2)

VALUES: dict[str, st.SearchStrategy[Any]] = {
    **{kind.name: st.integers(kind.least, min(kind.most, 0xFF)) for kind in mqtt_field.KINDS},
    "content_type": words,
    "response_topic": topics,
    "correlation_data": payloads,
    "subscription_identifier": st.lists(st.integers(1, mqtt_field.VARINT_LIMIT), min_size=1, max_size=1),
    "assigned_client_identifier": words,
    "authentication_method": words,
    "authentication_data": payloads,
    "response_information": words,
    "server_reference": words,
    "reason_string": words,
    "user_property": st.lists(st.tuples(words, words), min_size=1, max_size=3),
    "session_expiry_interval": st.integers(0, 0xFFFFFFFF),
    "topic_alias": st.integers(1, 0xFFFF),
}


def properties(place: int, version: int) -> st.SearchStrategy[Any]:
    if version == V311:
        return st.just({})
    names = [kind.name for kind in mqtt_field.KINDS if place in kind.places]
    return st.fixed_dictionaries({}, optional={name: VALUES[name] for name in names})


def codes(kind: int, version: int) -> st.SearchStrategy[int]:
    allowed = mqtt_codec._CODES[kind] if version == V5 else mqtt_codec._OLD_CODES.get(kind, frozenset({0}))
    return st.sampled_from(sorted(allowed))


def wills(version: int) -> st.SearchStrategy[Will]:
    return st.builds(Will, topics, payloads, qos, st.booleans(), properties(mqtt_field.WILL, version))


def connects(version: int) -> st.SearchStrategy[Connect]:
    name = st.none() | words
    packets = st.builds(
        Connect,
        client_id=words,
        version=st.just(version),
        clean_start=st.booleans(),
        keep_alive=st.integers(0, 0xFFFF),
        username=name,
        password=st.none() | payloads,
        will=st.none() | wills(version),
        properties=properties(mqtt_field.CONNECT, version),
    )
    return packets.filter(lambda one: version == V5 or one.username is not None or one.password is None)


@st.composite
def publishes(draw: Callable[..., Any], version: int) -> Publish:
    level = draw(qos)
    return Publish(
        draw(topics),
        draw(payloads),
        level,
        draw(st.booleans()),
        dup=bool(level) and draw(st.booleans()),
        packet_id=draw(ids) if level else 0,
        properties=draw(properties(mqtt_field.PUBLISH, version)),
    )


def wishes(version: int) -> st.SearchStrategy[Wish]:
    if version == V311:
        return st.builds(Wish, words, qos)
    return st.builds(Wish, words, qos, st.booleans(), st.booleans(), st.integers(0, 2))


def packets(version: int) -> st.SearchStrategy[Packet]:
    def ending(packet: type[Packet], *before: st.SearchStrategy[Any]) -> st.SearchStrategy[Packet]:
        code = codes(packet.kind, version) if version == V5 else st.just(0)
        return st.builds(packet, *before, code, properties(packet.kind, version))

    def lists(packet: type[Packet], items: st.SearchStrategy[Any], most: int = 4) -> st.SearchStrategy[Packet]:
        many = st.lists(items, min_size=min(1, most), max_size=most).map(tuple)
        return st.builds(packet, ids, many, properties(packet.kind, version))

    every = [
        publishes(version),
        st.builds(Connack, st.booleans(), codes(mqtt_field.CONNACK, version), properties(mqtt_field.CONNACK, version)),
        *(ending(answer, ids) for answer in (Puback, Pubrec, Pubrel, Pubcomp)),
        lists(Subscribe, wishes(version)),
        lists(Suback, codes(mqtt_field.SUBACK, version)),
        lists(Unsubscribe, words),
        lists(Unsuback, codes(mqtt_field.UNSUBACK, version), 4 if version == V5 else 0),
        st.just(Pingreq()),
        st.just(Pingresp()),
        ending(Disconnect),
    ]
    return st.one_of(every + ([ending(Auth)] if version == V5 else []))


versions = st.sampled_from([V311, V5])


@st.composite
def streams(draw: Callable[..., Any]) -> tuple[int, list[Packet]]:
    version = draw(versions)
    return version, [draw(connects(version)), *draw(st.lists(packets(version), max_size=8))]


@settings(max_examples=60)
@given(streams(), st.lists(st.integers(1, 40), max_size=60))
def test_what_is_written_is_read_however_the_stream_is_cut(stream: tuple[int, list[Packet]], cuts: list[int]) -> None:
    version, sent = stream
    data = b"".join(encode(packet, version) for packet in sent)
    heard: list[Packet] = []
    decoder, at = Decoder(), 0
    for cut in [*cuts, len(data)]:
        heard += decoder.feed(data[at : at + cut])
        at += cut
    assert heard == sent
    assert decoder.version == version


@settings(max_examples=40)
@given(streams())
def test_byte_by_byte(stream: tuple[int, list[Packet]]) -> None:
    version, sent = stream
    data = b"".join(encode(packet, version) for packet in sent)
    decoder = Decoder()
    assert [packet for byte in data for packet in decoder.feed(bytes((byte,)))] == sent


def outcome(version: int, pieces: list[bytes]) -> tuple[list[Packet], object]:
    heard: list[Packet] = []
    decoder = Decoder(version)
    try:
        for piece in pieces:
            for packet in decoder.feed(piece):
                heard.append(packet)  # noqa: PERF402 - what came before the error counts
    except ProtocolError as error:
        return heard, (error.reason, str(error))
    return heard, None


@settings(max_examples=200)
@given(st.sampled_from([0, V311, V5]), st.binary(max_size=80), st.integers(1, 10))
def test_noise_is_packets_or_a_protocol_error_and_never_depends_on_the_cut(
    version: int, data: bytes, step: int
) -> None:
    whole = outcome(version, [data])
    assert outcome(version, [data[at : at + step] for at in range(0, len(data), step)]) == whole


@settings(max_examples=200)
@given(streams(), st.data())
def test_a_damaged_stream_is_packets_or_a_protocol_error(stream: tuple[int, list[Packet]], data: st.DataObject) -> None:
    version, sent = stream
    raw = bytearray(b"".join(encode(packet, version) for packet in sent))
    for _ in range(data.draw(st.integers(1, 4))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    outcome(0, [bytes(raw)])


@settings(max_examples=40)
@given(streams())
def test_a_truncated_packet_is_waited_for(stream: tuple[int, list[Packet]]) -> None:
    version, sent = stream
    data = b"".join(encode(packet, version) for packet in sent)
    heard, error = outcome(0, [data[:-1]])
    assert error is None
    assert heard == sent[:-1]


@settings(max_examples=40)
@given(streams())
def test_what_is_read_is_written_the_same_again(stream: tuple[int, list[Packet]]) -> None:
    version, sent = stream
    for packet in sent:
        data = encode(packet, version)
        (read,) = Decoder(version if not isinstance(packet, Connect) else 0).feed(data)
        assert encode(read, version) == data


def reason(data: str, version: int = V5, limit: int = mqtt_codec.LARGEST) -> Reason | None:
    with contextlib.suppress(StopIteration):
        try:
            list(Decoder(version, limit).feed(bytes.fromhex(data)))
        except ProtocolError as error:
            return error.reason
    return None


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ("00 00", Reason.MALFORMED_PACKET),  # no such type
        ("36 05 0001 61 0001", Reason.MALFORMED_PACKET),  # QoS 3
        ("38 03 0001 61", Reason.MALFORMED_PACKET),  # DUP at QoS 0
        ("32 06 0001 61 0000 00", Reason.PROTOCOL_ERROR),  # packet identifier 0
        ("30 04 0001 2b 00", Reason.TOPIC_NAME_INVALID),  # publish to +
        ("30 04 0001 23 00", Reason.TOPIC_NAME_INVALID),  # publish to #
        ("30 04 0001 00 00", Reason.MALFORMED_PACKET),  # U+0000
        ("30 04 0001 ff 00", Reason.MALFORMED_PACKET),  # not UTF-8
        ("30 06 0003 eda080 00", Reason.MALFORMED_PACKET),  # a surrogate
        ("30 03 0000 00", Reason.PROTOCOL_ERROR),  # neither topic nor alias
        ("30 02 0005", Reason.MALFORMED_PACKET),  # text past the end
        ("30 ffffffff 01", Reason.MALFORMED_PACKET),  # a length of five bytes
        ("c0 8000", Reason.MALFORMED_PACKET),  # a length longer than needed
        ("30 06 0001 61 02 01 02", Reason.PROTOCOL_ERROR),  # payload format 2
        ("30 08 0001 61 04 0101 0101", Reason.PROTOCOL_ERROR),  # the same property twice
        ("30 05 0001 61 01 7f", Reason.MALFORMED_PACKET),  # no such property
        ("30 07 0001 61 03 130001", Reason.PROTOCOL_ERROR),  # a property of CONNACK
        ("30 06 0001 61 02 0b 00", Reason.PROTOCOL_ERROR),  # subscription identifier 0
        ("30 07 0001 61 03 08 0000", Reason.PROTOCOL_ERROR),  # empty response topic
        ("40 03 0001 01", Reason.PROTOCOL_ERROR),  # PUBACK with a code of SUBACK
        ("40 01 00", Reason.MALFORMED_PACKET),
        ("42 02 0001", Reason.MALFORMED_PACKET),  # flags
        ("60 02 0001", Reason.MALFORMED_PACKET),  # PUBREL without its flags
        ("80 07 0001 00 0001 61 00", Reason.MALFORMED_PACKET),  # SUBSCRIBE without its flags
        ("82 03 0001 00", Reason.PROTOCOL_ERROR),  # SUBSCRIBE without filter
        ("82 07 0001 00 0001 61 03", Reason.PROTOCOL_ERROR),  # QoS 3
        ("82 07 0001 00 0001 61 30", Reason.PROTOCOL_ERROR),  # retain handling 3
        ("82 07 0001 00 0001 61 40", Reason.MALFORMED_PACKET),  # reserved bits
        ("82 0b 0001 04 0b010b02 0001 61 00", Reason.PROTOCOL_ERROR),  # two identifiers
        ("a2 03 0001 00", Reason.PROTOCOL_ERROR),  # UNSUBSCRIBE without filter
        ("c0 01 00", Reason.MALFORMED_PACKET),  # PINGREQ with a body
        ("e0 01 05", Reason.PROTOCOL_ERROR),  # DISCONNECT with a code that is not its
        ("e0 02 00 01", Reason.MALFORMED_PACKET),  # properties past the end
        ("10 0d 0004 4d515454 05 02 003c 00 0000", Reason.PROTOCOL_ERROR),  # a second CONNECT
    ],
)
def test_version_5_is_strict(data: str, expected: Reason) -> None:
    assert reason(data) is expected


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ("c0 00", Reason.PROTOCOL_ERROR),  # PINGREQ first
        ("47 45 54 20 2f", Reason.PROTOCOL_ERROR),  # an HTTP client
        ("10 0c 0004 4d515454 03 02 003c 0000", Reason.UNSUPPORTED_PROTOCOL_VERSION),
        ("10 0e 0006 4d5149736470 03 02 003c 0000", Reason.UNSUPPORTED_PROTOCOL_VERSION),
        ("10 0c 0004 48545450 04 02 003c 0000", Reason.UNSUPPORTED_PROTOCOL_VERSION),
        ("10 0c 0004 4d515454 04 03 003c 0000", Reason.MALFORMED_PACKET),  # reserved flag
        ("10 0c 0004 4d515454 04 0a 003c 0000", Reason.MALFORMED_PACKET),  # will QoS without will
        ("10 10 0004 4d515454 04 1e 003c 0000 0000 0000", Reason.MALFORMED_PACKET),  # will QoS 3
        ("10 0e 0004 4d515454 04 42 003c 0000 0000", Reason.MALFORMED_PACKET),  # password without name
        ("10 0d 0004 4d515454 04 02 003c 0000 00", Reason.MALFORMED_PACKET),  # a byte too many
        ("10 10 0004 4d515454 04 06 003c 0000 0000 0000", Reason.TOPIC_NAME_INVALID),  # a will to nowhere
    ],
)
def test_the_first_packet_is_a_sound_connect(data: str, expected: Reason) -> None:
    assert reason(data, version=0) is expected


@pytest.mark.parametrize(
    "data",
    [
        "82 06 0001 0001 61 04",  # no-local does not exist
        "40 03 0001 10",  # reason codes do not exist
        "e0 01 00",
        "f0 00",  # AUTH does not exist
    ],
)
def test_version_3_1_1_knows_nothing_of_5(data: str) -> None:
    assert reason(data, V311) is Reason.MALFORMED_PACKET


def test_the_limit_counts_the_whole_packet() -> None:
    data = encode(Publish("a", b"x" * 95), V311)
    assert list(Decoder(V311, len(data)).feed(data))
    decoder = Decoder(V311, len(data) - 1)
    with pytest.raises(ProtocolError) as caught:
        list(decoder.feed(data[:4]))  # told by the length, before the body has come
    assert caught.value.reason is Reason.PACKET_TOO_LARGE


def test_packets_before_the_bad_one_are_delivered() -> None:
    heard, error = outcome(V5, [encode(Pingreq(), V5) + b"\x00\x00" + encode(Pingreq(), V5)])
    assert heard == [Pingreq()]
    assert error


@pytest.mark.parametrize("value", [0, 127, 128, 16_383, 16_384, 2_097_151, 2_097_152, mqtt_field.VARINT_LIMIT])
def test_variable_byte_integers(value: int) -> None:
    data = mqtt_field.varint(value)
    assert mqtt_field.Cursor(data, 0, len(data)).varint() == value


def test_what_does_not_fit_is_not_written() -> None:
    with pytest.raises(ValueError, match="variable byte integer"):
        mqtt_field.varint(mqtt_field.VARINT_LIMIT + 1)
    with pytest.raises(ValueError, match="65536 bytes"):
        encode(Subscribe(1, (Wish("x" * 65_536),)), V5)


def test_every_property_is_in_the_table_and_the_type() -> None:
    assert {kind.name for kind in mqtt_field.KINDS} == set(mqtt_field.Properties.__annotations__)
    assert len({kind.code for kind in mqtt_field.KINDS}) == len(mqtt_field.KINDS)


def test_packets_are_values() -> None:
    with pytest.raises(AttributeError):
        Pingreq().kind = 1  # type: ignore[misc]
    assert msgspec.structs.replace(Publish("a"), topic="b") == Publish("b")
