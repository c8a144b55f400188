from __future__ import annotations

from typing import Any, get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtui.core import command, event
from rtui.core.fault import Failure, Fault, FaultKind
from rtui.core.record import Direction, Kind, Record

FAULT = Fault(kind="refused", side="network", title="Connection refused", cause="127.0.0.1:1 answered RST")
EVENTS: list[Any] = [
    event.Opened(details={}),
    event.Received("", b""),
    event.Sent(1, "", b""),
    event.Acknowledged(1),
    event.Subscribed("a"),
    event.Unsubscribed("a"),
    event.Offered((event.Offer(channel="a.B/C", kind="unary"),)),
    event.Measured(1),
    event.Progressed({"first_byte_ms": 3.5}),
    event.Stalled("no pong for 12 s"),
    event.Notice(text="x"),
    event.Retold(()),
]
COMMANDS: list[Any] = [
    command.Send(id=1, payload=b""),
    command.Subscribe(id=1, channel="a"),
    command.Unsubscribe(id=1, channel="a"),
    command.HalfClose(id=1, channel="a.B/C"),
    command.Cancel(id=1),
    command.Poke(id=1),
    command.Hangup(id=1),
    command.Break(id=1, what="drop"),
]
INT64 = st.integers(-(2**63), 2**63 - 1)


def test_the_samples_are_all_there_is() -> None:
    assert {type(sample) for sample in EVENTS} == set(get_args(event.Event))
    assert {type(sample) for sample in COMMANDS} == set(get_args(command.Command))


@pytest.mark.parametrize(
    "value", [*EVENTS, *COMMANDS, event.Closed(by="us", clean=True), FAULT], ids=lambda v: type(v).__name__
)
def test_values_are_frozen(value: Any) -> None:
    with pytest.raises(AttributeError, match="immutable"):
        setattr(value, value.__struct_fields__[0], None)


def test_the_numbers_in_capture_files_never_change() -> None:
    assert {kind.word: int(kind) for kind in Kind} == {
        "message": 0,
        "open": 1,
        "close": 2,
        "reconnect": 3,
        "gap": 4,
        "subscribe": 5,
        "ack": 6,
        "ping": 7,
        "error": 8,
        "notice": 9,
    }
    assert {direction.word: int(direction) for direction in Direction} == {"": 0, "in": 1, "out": 2}


def test_the_columns_of_a_record_never_move() -> None:
    assert Record.__struct_fields__ == (
        "seq", "time", "link", "kind", "direction", "channel", "payload", "meta", "reply_to", "latency",
    )  # fmt: skip


@given(
    st.builds(
        Record,
        seq=INT64,
        time=INT64,
        link=INT64,
        kind=st.sampled_from(Kind).map(int),
        direction=st.sampled_from(Direction).map(int),
        channel=st.text(),
        payload=st.binary(),
        meta=st.none() | st.text(),
        reply_to=st.none() | INT64,
        latency=st.none() | INT64,
    )
)
def test_a_record_survives_the_writers_wire_format_as_an_array(record: Record) -> None:
    encoded = msgspec.msgpack.encode(record)
    assert msgspec.msgpack.decode(encoded, type=Record) == record
    assert msgspec.msgpack.decode(encoded) == [getattr(record, field) for field in Record.__struct_fields__]


def test_a_fault_speaks_in_one_sentence() -> None:
    assert FAULT.sentence() == "Connection refused: 127.0.0.1:1 answered RST"
    assert Fault(kind="lost", side="network", title="Cut off").sentence() == "Cut off"


def test_a_failure_carries_its_fault_and_says_it() -> None:
    failure = Failure(FAULT)
    assert failure.fault is FAULT
    assert str(failure) == FAULT.sentence()


def test_the_tree_of_faults_in_the_docstring_is_complete() -> None:
    from rtui.core import fault

    drawn = [line.split()[1] for line in (fault.__doc__ or "").splitlines() if line.strip().startswith(("├──", "└──"))]
    assert drawn == list(get_args(FaultKind))
