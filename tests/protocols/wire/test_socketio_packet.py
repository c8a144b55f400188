from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from socketio.packet import Packet as TheirPacket

from rtui.protocols.wire.socketio_packet import (
    ATTACHMENT_LIMIT,
    Assembler,
    Malformed,
    Packet,
    Type,
    arguments,
    event,
    name,
    named,
    outgoing,
    parse,
    place,
    write,
)

ODD_NUMBERS = ["1.50", "1e999", "-0", "0.1000000000000000055511151231257827", "9" * 60, "1E+2"]
_numbers = st.sampled_from(ODD_NUMBERS)
_scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
_values = st.recursive(_scalars, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=8)
_namespaces = st.just("/") | st.text(st.characters(exclude_characters=",?", codec="utf-8")).map(lambda text: "/" + text)
_ids = st.none() | st.integers(0, 10**18 - 1)
_spaces = st.sampled_from(["", " ", "\n\t "])


@st.composite
def _packets(draw: st.DrawFn) -> Packet:
    kind = draw(st.sampled_from(list(Type)))
    namespace = draw(_namespaces)
    attachments: tuple[bytes, ...] = ()
    if kind in {Type.CONNECT, Type.CONNECT_ERROR}:
        data = draw(st.just("") | st.dictionaries(st.text(), _values).map(json.dumps))
        return Packet(kind, namespace, None, data)
    if kind is Type.DISCONNECT:
        return Packet(kind, namespace)
    if kind in {Type.BINARY_EVENT, Type.BINARY_ACK}:
        attachments = tuple(draw(st.lists(st.binary(max_size=8), min_size=1, max_size=3)))
    is_ack = kind in {Type.ACK, Type.BINARY_ACK}
    values: list[Any] = [{"_placeholder": True, "num": number} for number in range(len(attachments))]
    values += draw(st.lists(_values, max_size=3))
    body = values if is_ack else [draw(st.text()), *values]
    number = draw(st.integers(0, 10**9) if is_ack else _ids)
    return Packet(kind, namespace, number, json.dumps(body, ensure_ascii=draw(st.booleans())), attachments)


def _assembled(pieces: list[str | bytes]) -> Packet | None:
    assembler = Assembler()
    *first, last = pieces
    assert all(assembler.feed(piece) is None for piece in first)
    return assembler.feed(last)


@given(_packets())
def test_what_is_written_is_read_back_to_the_byte(packet: Packet) -> None:
    assert _assembled(write(packet)) == packet


@given(_packets())
def test_python_socketio_reads_the_same_packet(packet: Packet) -> None:
    head, *attachments = write(packet)
    theirs = TheirPacket(encoded_packet=head)
    assert theirs.attachment_count == len(attachments)
    assert (theirs.packet_type, theirs.namespace or "/", theirs.id) == (packet.type, packet.namespace, packet.id)
    assert theirs.data == (json.loads(packet.data) if packet.data else None)


@given(st.text(), st.lists(_values | st.binary(max_size=4), max_size=4), _namespaces, _ids)
def test_what_python_socketio_writes_is_read(told: str, values: list[Any], namespace: str, number: int | None) -> None:
    theirs = TheirPacket(Type.EVENT, [told, *values], namespace=namespace, id=number)
    encoded = theirs.encode()
    packet = _assembled(encoded if isinstance(encoded, list) else [encoded])
    assert packet is not None
    assert (packet.type, packet.namespace, packet.id) == (theirs.packet_type, namespace, number)
    assert packet.attachments == tuple(value for value in values if isinstance(value, bytes))
    assert event(packet.data)[0] == told


@given(st.text(), st.lists(_values), _spaces)
def test_an_event_is_its_name_and_its_arguments(told: str, values: list[Any], space: str) -> None:
    data = json.dumps([told, *values], separators=("," + space, ":"))
    heard, rest = event(data)
    assert heard == told
    assert json.loads(rest) == values
    assert event(named(heard, rest)) == (heard, rest)


@given(st.lists(_numbers | _values.map(json.dumps)), _spaces)
def test_arguments_are_slices_of_the_text(sources: list[str], space: str) -> None:
    text = f"{space}[{space}" + f"{space},{space}".join(sources) + f"{space}]{space}"
    assert arguments(text) == sources


@given(st.text() | st.text(st.sampled_from('0123456-/,[]{}"\\x_placeholdernum:tru ')))
def test_no_text_raises_anything_but_malformed(text: str) -> None:
    _try(text)


@given(_packets(), st.data())
def test_no_broken_packet_raises_anything_but_malformed(packet: Packet, data: st.DataObject) -> None:
    head = str(write(packet)[0])
    cut = data.draw(st.integers(0, len(head)))
    _try(head[:cut] + data.draw(st.text(max_size=3)) + head[cut + data.draw(st.integers(0, 3)) :])


def _try(text: str) -> None:
    assembler = Assembler()
    for step in (assembler.feed, parse, arguments, lambda text: event(parse(text)[0].data)):
        try:
            step(text)
        except Malformed:
            continue


def test_arguments_keep_their_digits_and_their_space() -> None:
    assert event('["news",1, 2.50]') == ("news", "[1, 2.50]")
    assert arguments('[1.50,1e999, {"a" : 1} ]') == ["1.50", "1e999", '{"a" : 1}']
    assert event('["news"]') == ("news", "[]")
    assert event(' [ "a\\"b" , 1 ]') == ('a"b', "[1]")
    assert event("[7,true]") == ("7", "[true]")


def test_a_plain_event_and_one_with_everything() -> None:
    assert parse('2["news",1]') == (Packet(Type.EVENT, "/", None, '["news",1]'), 0)
    assert parse('52-/chat,13["x"]') == (Packet(Type.BINARY_EVENT, "/chat", 13, '["x"]'), 2)
    assert parse("1/chat") == parse("1/chat,") == (Packet(Type.DISCONNECT, "/chat"), 0)
    assert parse("0/chat?token=1,") == (Packet(Type.CONNECT, "/chat"), 0)
    assert parse('4"no"') == (Packet(Type.CONNECT_ERROR, "/", None, '"no"'), 0)


@pytest.mark.parametrize("told", ["NaN", "-Infinity", '"\\ud800"', '"line\nbreak"', "[" * 50_000 + "]" * 50_000])
def test_what_servers_send_against_the_grammar_is_read(told: str) -> None:
    packet, _ = parse(f'2["news",{told},1.50]')
    assert event(packet.data) == ("news", f"[{told},1.50]")
    assert arguments(f"[{told},1.50]") == [told, "1.50"]


def test_a_name_that_is_no_text_stays_the_escape_it_came_as() -> None:
    assert event('["a\\ud800",1]') == ("a\\ud800", "[1]")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "7",
        "hello",
        "2",
        '2{"a":1}',
        '2["news"',
        '2["news",]',
        '2["news",01]',
        "3[1]",
        "0[1]",
        '1{"a":1}',
        '21-["news"]',
        '5["news"]',
        f'5{ATTACHMENT_LIMIT + 1}-["news"]',
        '50-["news",{"_placeholder":true,"num":0}]',
        f'2{"1" * 19}["news"]',
    ],
)
def test_what_is_no_packet_is_told_as_such(text: str) -> None:
    with pytest.raises(Malformed):
        Assembler().feed(text)


@pytest.mark.parametrize("data", ["[]", "[true]", "[{}]", "[null,1]", "[[1]]"])
def test_an_event_needs_a_name(data: str) -> None:
    with pytest.raises(Malformed, match="without a name"):
        event(data)


def test_attachments_out_of_place() -> None:
    assembler = Assembler()
    with pytest.raises(Malformed, match="no packet announced"):
        assembler.feed(b"abc")
    assembler.feed('52-["x"]')
    assembler.feed(b"abc")
    assert assembler.waiting == 1
    with pytest.raises(Malformed, match="1 more"):
        assembler.feed('2["news"]')
    assert assembler.feed('2["news"]') == Packet(Type.EVENT, data='["news"]')
    assembler.feed('51-["x",{"num":1,"_placeholder":true}]')
    with pytest.raises(Malformed, match="placeholder 1 without"):
        assembler.feed(b"abc")


def test_an_event_with_attachments_is_written_as_a_binary_one() -> None:
    assert write(Packet(Type.EVENT, "/chat", 3, '["x"]', (b"a",))) == ['51-/chat,3["x"]', b"a"]
    assert write(Packet(Type.ACK, "/", 3, "[]", (b"a",))) == ["61-3[]", b"a"]
    assert write(Packet(Type.CONNECT, "/chat")) == ["0/chat,"]


@given(_namespaces, st.text())
def test_a_channel_names_namespace_and_event(namespace: str, told: str) -> None:
    assert place(name(namespace, told)) == (namespace, told)


def test_a_bare_event_goes_home() -> None:
    assert place("news", "/chat") == ("/chat", "news")
    assert place("/,news", "/chat") == ("/", "news")
    assert place("/news", "/chat") == ("/chat", "/news")
    assert name("/", "/x,y") == "/,/x,y"


@pytest.mark.parametrize(
    ("payload", "sent"),
    [
        (b'[1, {"a":2.50}]', '[1, {"a":2.50}]'),
        (b" [1]\n", "[1]"),
        (b'{"a":1}', '[{"a":1}]'),
        (b"1.50", "[1.50]"),
        (b'"x"', '["x"]'),
        (b"null", "[null]"),
        (b"", "[]"),
        (b"hello", '["hello"]'),
        (b"[1,", '["[1,"]'),
        (b"NaN", '["NaN"]'),
        (b'["\\ud800"]', '["\\ud800"]'),
        ("é".encode(), '["é"]'),
    ],
)
def test_what_is_typed_becomes_arguments(payload: bytes, sent: str) -> None:
    assert outgoing(payload) == (sent, ())


def test_deep_nesting_is_sent_as_it_is() -> None:
    deep = "[" * 50_000 + "]" * 50_000
    assert outgoing(deep.encode()) == (deep, ())


def test_bytes_that_are_no_text_are_an_attachment() -> None:
    assert outgoing(b"\xff\xfe") == ('[{"_placeholder":true,"num":0}]', (b"\xff\xfe",))


def test_attachments_stand_at_their_placeholders_or_at_the_end() -> None:
    there = '{"_placeholder":true,"num":0}'
    assert outgoing(f"[{there}, 1]".encode(), (b"a",)) == (f"[{there}, 1]", (b"a",))
    assert outgoing(b"[1.50]", (b"a",)) == (f"[1.50,{there}]", (b"a",))
    with pytest.raises(Malformed, match="placeholder 3 has no attachment"):
        outgoing(f"[{there.replace('0', '3')}]".encode(), (b"a",))
