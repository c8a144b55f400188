from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtui.payloads.base import Unreadable
from rtui.payloads.protobuf import ProtobufView
from rtui.payloads.registry import next_format, open_best
from tests.payloads.test_view import shown

MESSAGE = bytes.fromhex(
    "089601 1207 74657374696e67 1a03 089601 2d 0000803f 31 000000000000f03f 38 ffffffffffffffffff01 4202 fffe"
)


def test_fields_by_number_and_wire_type() -> None:
    tree = ProtobufView().open(MESSAGE)
    assert shown(tree) == [
        "  1: 150",
        '  2: "testing"',
        "▾ 3: {…}",
        "    1: 150",
        "  5: 1065353216 (float 1.0)",
        "  6: 4607182418800017408 (double 1.0)",
        "  7: 18446744073709551615 (-1)",
        "  8: 2 bytes ff fe",
    ]
    assert tree.path(3) == ".3.1"
    assert tree.value(2).hex() == "1a03089601"
    assert tree.toggle(2)
    assert tree.height == 7


@pytest.mark.parametrize("data", ["", "00", "08", "0b", "0a05 61", "09 00", "08 ffffffffffffffffffff01", "0f"])
def test_what_is_no_message(data: str) -> None:
    with pytest.raises(Unreadable, match="not protobuf"):
        ProtobufView().open(bytes.fromhex(data))


@given(st.binary(min_size=1, max_size=300))
def test_the_top_fields_are_the_bytes(data: bytes) -> None:
    try:
        tree = ProtobufView().open(data)
    except Unreadable:
        return
    tops = [tree.value(row) for row in range(tree.height) if tree.parent(row) is None]
    assert b"".join(tops) == data


def test_it_is_a_guess_unless_the_type_says_so() -> None:
    assert open_best(MESSAGE).view.name == "hex"
    assert next_format(MESSAGE, {}, "") == "protobuf"
    assert open_best(MESSAGE, {"content_type": "application/x-protobuf"}).view.name == "protobuf"


def test_depth_is_bounded() -> None:
    data = b"\x08\x01"
    for _ in range(60):
        data = b"\x0a" + bytes([len(data)]) + data if len(data) < 128 else data
    assert ProtobufView().open(data).height <= 33
