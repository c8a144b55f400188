"""The decoder against the examples of WHATWG HTML §9.2 and against a slow reference written from its grammar."""

from __future__ import annotations

import re
import tracemalloc
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import NamedTuple

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rtui.core.event import Event, Notice, Received
from rtui.core.record import Kind
from rtui.protocols.wire.sse_decoder import LONGEST_RETRY, MAX_NAME, MAX_NAMES, Decoder

LARGE = 1024**2


class Message(NamedTuple):
    type: str
    data: bytes
    id: str | None
    """None where the event has no id of its own."""


class Seen(NamedTuple):
    messages: list[Message]
    last_id: str
    retry: int | None


def decoder(*, last_id: str = "", max_line: int = LARGE, max_size: int = LARGE, verbose: bool = False) -> Decoder:
    return Decoder(last_id=last_id, max_line=max_line, max_size=max_size, verbose=verbose)


def messages(events: Iterable[Event]) -> list[Message]:
    return [_message(event) for event in events]


def _message(event: Event) -> Message:
    assert isinstance(event, Received)
    assert event.kind is Kind.MESSAGE
    return Message(event.channel, event.payload, (event.meta or {}).get("id"))


def decoded(*pieces: bytes) -> Seen:
    one = decoder()
    found = [event for piece in pieces for event in one.feed(piece)]
    assert one.fault is None
    return Seen(messages(found), one.last_id, one.retry)


# The reference: event stream = [ bom ] *event; event = *( comment / field ) end-of-line; …


def reference(stream: bytes) -> Seen:
    """All at once, one rule of §9.2.6 after the other; surrogate escapes keep bytes that are not UTF-8."""
    text = stream.removeprefix(b"\xef\xbb\xbf").decode(errors="surrogateescape")
    lines = re.split("\r\n|\r|\n", text)[:-1]
    found: list[Message] = []
    data = type_ = buffer = last_id = ""
    own: str | None = None
    retry: int | None = None
    for line in lines:
        name, colon, value = line.partition(":")
        value = value[1:] if value[:1] == " " else value
        if not line:
            last_id = buffer
            if data:
                found.append(Message(plain(type_) or "message", data[:-1].encode(errors="surrogateescape"), own))
            data, type_, own = "", "", None
        elif colon and not name:
            pass
        elif name == "event":
            type_ = value
        elif name == "data":
            data += value + "\n"
        elif name == "id" and "\0" not in value:
            buffer = own = plain(value)
        elif name == "retry" and re.fullmatch("[0-9]+", value):
            retry = min(int(value), LONGEST_RETRY)
    return Seen(found, last_id, retry)


def plain(text: str) -> str:
    return text.encode(errors="surrogateescape").decode(errors="replace")


# Streams that look like streams, with everything that is odd in them

NAMES = ["data", "event", "id", "retry", "", "Data", "data ", "unknown", "\ufeffdata", "da"]
COLONS = [":", ": ", ":  ", "", ":\t"]
VALUES = [
    "",
    "x",
    "41",
    "tick",
    "a:b",
    "\0",
    "4\x001",
    "+5",
    "-1",
    "007",
    "9" * 40,
    "١",
    "č\u2028🎉",
    "[DONE]",
    "\ufeff",
]
RAW = [
    b"caf\xe9",
    b"\xff\xfe",
    b"\xe2\x82",
    b"\xef\xbb\xbf",
    b"\xef",
    b"data: x\n\n",
    b"id: 7\ndata: y\n\n",
    b"\x0b\x0c",
]
TIDY = [b"id: 41", b"id:7", b"id: ", b"id: 4\x001", b"event: tick", b"event:", b"data: {}", b"data:x"]
ENDS = [b"\n", b"\r", b"\r\n", b"\n\n", b"\r\r", b"\r\n\r\n", b"\n\r", b""]


@st.composite
def line(draw: st.DrawFn) -> bytes:
    name, colon, value = (draw(st.sampled_from(each)) for each in (NAMES, COLONS, VALUES))
    body = draw(st.sampled_from(RAW)) if draw(st.integers(0, 9)) == 0 else (name + colon + value).encode()
    return body + draw(st.sampled_from(ENDS))


@st.composite
def tidy(draw: st.DrawFn) -> bytes:
    """An event as servers write them: what is cut out by the quick way."""
    fields = draw(st.lists(st.sampled_from(TIDY), max_size=4))
    end = draw(st.sampled_from([b"\n", b"\r\n", b"\r"]))
    return end.join([*fields, b"", b""])


STREAM = st.builds(
    lambda bom, parts: bom + b"".join(parts),
    st.sampled_from([b"", b"", b"\xef\xbb\xbf", b"\xef\xbb", b"\xef\xbb\xbf\xef\xbb\xbf"]),
    st.lists(st.one_of(line(), tidy()), max_size=12),
)


@given(stream=STREAM)
def test_whole_streams_are_what_the_reference_says(stream: bytes) -> None:
    assert decoded(stream) == reference(stream)


@given(stream=st.binary(max_size=60))
def test_so_is_any_garbage(stream: bytes) -> None:
    assert decoded(stream) == reference(stream)


@given(stream=STREAM)
@example(stream=b"\xef\xbb\xbfid: 1\r\ndata: x\r\n\r\ndata: \xc4\x8d\r\rdata: y\n\r\n")
def test_every_one_cut_split_says_the_same(stream: bytes) -> None:
    whole = decoded(stream)
    for cut in range(len(stream) + 1):
        assert decoded(stream[:cut], stream[cut:]) == whole


@given(stream=STREAM)
def test_byte_by_byte_nothing_complete_is_held_back(stream: bytes) -> None:
    one = decoder()
    found: list[Event] = []
    for end in range(1, len(stream) + 1):
        found += one.feed(stream[end - 1 : end])
        assert Seen(messages(found), one.last_id, one.retry) == held_bom(stream[:end])


def held_bom(prefix: bytes) -> Seen:
    """The reference, which would take the beginning of a byte order mark for text."""
    return Seen([], "", None) if b"\xef\xbb\xbf".startswith(prefix) else reference(prefix)


@given(stream=STREAM, cuts=st.lists(st.integers(0, 200), max_size=6))
def test_any_cuts_say_the_same(stream: bytes, cuts: list[int]) -> None:
    edges = [0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]
    assert decoded(*(stream[start:end] for start, end in pairwise(edges))) == decoded(stream)


# The examples of §9.2.6 and §9.2.1


def test_three_lines_of_data() -> None:
    stream = b"data: YHOO\ndata: +2\ndata: 10\n\n"
    assert decoded(stream).messages == [Message("message", b"YHOO\n+2\n10", None)]


def test_comments_ids_and_an_unfinished_block() -> None:
    stream = b": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n"
    assert decoded(stream) == Seen(
        [Message("message", b"first event", "1"), Message("message", b"second event", "")], "", None
    )
    assert decoded(stream + b"\n").messages[2:] == [Message("message", b" third event", None)]


def test_data_fields_without_data() -> None:
    stream = b"data\n\ndata\ndata\n\ndata:"
    assert decoded(stream).messages == [Message("message", b"", None), Message("message", b"\n", None)]


def test_one_space_after_the_colon_is_no_data() -> None:
    assert decoded(b"data:test\n\ndata: test\n\n").messages == [Message("message", b"test", None)] * 2


def test_named_events() -> None:
    stream = b"event: add\ndata: 73857293\n\nevent: remove\ndata: 2153\n\nevent: add\ndata: 113411\n\n"
    assert [each.type for each in decoded(stream).messages] == ["add", "remove", "add"]


# What parsers get wrong


@pytest.mark.parametrize(
    ("stream", "expected"),
    [
        (b"\xef\xbb\xbfdata: x\n\n", [Message("message", b"x", None)]),
        (b"\xef\xbb\xbf\xef\xbb\xbfdata: x\n\n", []),
        (b"data: x\n\n\xef\xbb\xbfdata: y\n\n", [Message("message", b"x", None)]),
        ("data: a\u2028b\x85c\x0bd\n\n".encode(), [Message("message", "a\u2028b\x85c\x0bd".encode(), None)]),
        (b"event: x\n\ndata: y\n\n", [Message("message", b"y", None)]),
        (b"event:\ndata: y\n\n", [Message("message", b"y", None)]),
        (b"Data: x\n data: y\n\n", []),
        (b"data : x\n\n", []),
        (b"id: 1\nid: 2\nevent: a\nevent: b\ndata: x\n\n", [Message("b", b"x", "2")]),
        (b"id: 1\nevent: a\nid: 2\ndata: x\n\n", [Message("a", b"x", "2")]),
        (b"data: x\nid: 5\x006\n\n", [Message("message", b"x", None)]),
        (b"data: caf\xe9\n\n", [Message("message", b"caf\xe9", None)]),
        (b"event: caf\xe9\ndata: x\n\n", [Message("caf\ufffd", b"x", None)]),
    ],
)
def test_odd_streams(stream: bytes, expected: list[Message]) -> None:
    assert decoded(stream).messages == expected
    assert decoded(*(stream[index : index + 1] for index in range(len(stream)))).messages == expected


@pytest.mark.parametrize(
    ("value", "retry"),
    [
        (b"3000", 3000),
        (b"0", 0),
        (b"007", 7),
        (b"+5", None),
        (b"-5", None),
        (b"5 ", None),
        (b"", None),
        (b"1e3", None),
        ("٣".encode(), None),
        (b"9" * 5000, LONGEST_RETRY),
        (b"0" * 5000 + b"9", 9),
    ],
)
def test_retry_takes_digits_only_and_at_once(value: bytes, retry: int | None) -> None:
    assert decoded(b"retry: " + value + b"\n").retry == retry


def test_a_carriage_return_at_the_end_of_a_read_ends_the_event() -> None:
    one = decoder()
    assert messages(one.feed(b"data: x\r\r")) == [Message("message", b"x", None)]
    assert one.feed(b"\n") == []
    assert messages(one.feed(b"data: y\r\n\r")) == [Message("message", b"y", None)]
    assert messages(one.feed(b"\ndata: z\n\n")) == [Message("message", b"z", None)]


def test_an_id_without_data_is_kept_and_an_id_without_a_blank_line_is_not() -> None:
    one = decoder()
    assert one.feed(b"id: 5\n\n") == []
    assert one.last_id == "5"
    one.feed(b"id: 6\ndata: x\n")
    assert one.last_id == "5"
    assert one.unfinished == len("x\n")


def test_a_new_stream_goes_on_with_the_id_it_resumed_from() -> None:
    one = decoder(last_id="41")
    assert messages(one.feed(b"data: x\n\n")) == [Message("message", b"x", None)]
    assert one.last_id == "41"


def test_comments_and_retry_are_reported_where_they_stood() -> None:
    stream = b"data: a\n: note\nretry: 1500\n\n:\ndata: b\n\n"
    found = decoder(verbose=True).feed(stream)
    note, wish, first, empty, second = found
    assert isinstance(note, Received)
    assert (note.kind, note.channel, note.payload) == (Kind.PING, "", b"note")
    assert isinstance(wish, Notice)
    assert "1.5 s" in wish.text
    assert isinstance(empty, Received)
    assert (empty.kind, empty.payload) == (Kind.PING, b"")
    assert messages([first, second]) == [Message("message", b"a", None), Message("message", b"b", None)]
    assert len(decoder().feed(stream)) == 2


# Limits


@pytest.mark.parametrize("step", [1, 7, 10_000])
@pytest.mark.parametrize(("length", "passes"), [(99, True), (100, True), (101, False)])
def test_the_line_limit(step: int, length: int, passes: bool) -> None:
    stream = b"data: a\n\n:" + b"x" * (length - 1) + b"\ndata: b\n\n"
    one = decoder(max_line=100)
    found = [event for piece in pieces(stream, step) for event in one.feed(piece)]
    assert messages(found)[0].data == b"a"
    assert (one.fault is None) is passes
    assert len(found) == (2 if passes else 1)
    if one.fault is not None:
        assert (one.fault.kind, one.fault.side) == ("limit", "us")
        assert "max_line" in one.fault.hint


@pytest.mark.parametrize("step", [1, 7, 10_000])
@pytest.mark.parametrize(("length", "passes"), [(99, True), (100, True), (101, False)])
def test_the_event_limit_counts_the_joined_data(step: int, length: int, passes: bool) -> None:
    stream = b"data: a\n\ndata: " + b"x" * 49 + b"\ndata: " + b"y" * (length - 50) + b"\n\n"
    one = decoder(max_size=100)
    found = messages(event for piece in pieces(stream, step) for event in one.feed(piece))
    assert [len(each.data) for each in found] == ([1, length] if passes else [1])
    assert (one.fault is None) is passes
    assert passes or one.feed(b"data: c\n\n") == []


def test_a_type_that_is_no_name_is_cut_and_kept_whole_beside() -> None:
    for length in (MAX_NAME - 1, MAX_NAME, MAX_NAME + 1):
        (event,) = decoder().feed(b"event: " + b"x" * length + b"\ndata: d\n\n")
        assert isinstance(event, Received)
        whole = length <= MAX_NAME
        assert event.channel == "x" * min(length, MAX_NAME) + ("" if whole else "…")
        assert event.meta == (None if whole else {"event": "x" * length})


def test_memory_is_bounded_by_the_limits() -> None:
    line, event = decoder(max_line=10_000), decoder(max_size=10_000)
    names = decoder()
    tracemalloc.start()
    try:
        for number in range(2000):
            line.feed(b":" + b"x" * 1000)
            event.feed(b"data\n" * 200)
            names.feed(b"".join(b"event: %d-%d\ndata\n\n" % (number, each) for each in range(20)))
        held, _peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert line.fault
    assert event.fault
    assert held < 200 * MAX_NAMES


def test_types_are_one_object_each() -> None:
    first, second = decoder().feed(b"event: tick\ndata: 1\n\nevent: tick\ndata: 2\n\n")
    assert isinstance(first, Received)
    assert isinstance(second, Received)
    assert first.channel is second.channel


def test_a_large_event_in_small_pieces_costs_linear_time() -> None:
    one = decoder(max_line=32 * LARGE, max_size=32 * LARGE)
    stream = b"data: " + b"x" * (8 * LARGE) + b"\n\n"
    (message,) = messages(event for piece in pieces(stream, 512) for event in one.feed(piece))
    assert len(message.data) == 8 * LARGE


def pieces(stream: bytes, step: int) -> Iterator[bytes]:
    return (stream[start : start + step] for start in range(0, len(stream), step))
