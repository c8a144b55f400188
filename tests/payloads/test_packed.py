from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import msgpack

from rtui.payloads.base import Document, Unreadable
from rtui.payloads.cbor import CborView
from rtui.payloads.msgpack import MsgpackView
from rtui.payloads.registry import open_as, open_best
from rtui.payloads.tree import NODE_LIMIT
from tests.payloads.test_view import shown

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(), inner, max_size=5),
)


def counted(value: object) -> int:
    """How many values are in `value`, itself included."""
    if isinstance(value, dict):
        return 1 + sum(map(counted, value.values()))
    return 1 + sum(map(counted, value)) if isinstance(value, list) else 1


@given(VALUES)
def test_every_messagepack_value_is_a_row_that_can_be_copied_exactly(value: object) -> None:
    data = msgpack.encode(value)
    tree = MsgpackView().open(data)
    assert tree.height == counted(value)
    assert tree.value(0) == data
    for row in range(tree.height):
        MsgpackView().open(tree.value(row))


@given(VALUES, st.data())
def test_what_is_cut_or_goes_on_is_not_messagepack(value: object, draw: st.DataObject) -> None:
    data = msgpack.encode(value)
    end = draw.draw(st.integers(0, len(data) - 1))
    with pytest.raises(Unreadable, match="not MessagePack"):
        MsgpackView().open(data[:end])
    with pytest.raises(Unreadable, match="behind the value"):
        MsgpackView().open(data + b"\x00")


def test_a_messagepack_tree_folds_and_tells_paths() -> None:
    tree = MsgpackView().open(msgpack.encode({"a": {"b": [1, b"\x00\xff"]}, "c d": "x\x1b"}))
    assert shown(tree) == [
        "▾ { 2 pairs }",
        '  ▾ "a": { 1 pair }',
        '    ▾ "b": [ 2 items ]',
        "        0: 1",
        "        1: 2 bytes · h'00 ff'",
        '    "c d": "x␛"',
    ]
    assert [tree.path(row) for row in range(6)] == [".", ".a", ".a.b", ".a.b[0]", ".a.b[1]", '.["c d"]']
    assert tree.parent(4) == 2
    assert tree.toggle(1)
    assert tree.height == 3
    assert tree.path(2) == '.["c d"]'
    assert tree.toggle(1)
    assert tree.height == 6
    assert tree.fold_below(1)
    assert tree.height == 3


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ("d6ff 00000000", "1970-01-01 00:00:00 UTC"),
        ("d7ff 0000000400000001", "1970-01-01 00:00:01.000000001 UTC"),
        ("c70cff 00000001 ffffffffffffffff", "1969-12-31 23:59:59.000000001 UTC"),
        ("c70cff 00000001 7fffffffffffffff", "12 bytes · ext(-1, h'00 00 00 01 7f ff ff ff ff ff ff ff')"),
        ("d405 aa", "1 byte · ext(5, h'aa')"),
    ],
)
def test_messagepack_extensions(data: str, text: str) -> None:
    assert shown(MsgpackView().open(bytes.fromhex(data))) == ["  " + text]


@pytest.mark.parametrize(
    ("data", "text"),
    [  # RFC 8949, appendix A
        ("1bffffffffffffffff", "18446744073709551615"),
        ("3bffffffffffffffff", "-18446744073709551616"),
        ("f93c00", "1.0"),
        ("f97e00", "nan"),
        ("fb3ff199999999999a", "1.1"),
        ("f4", "false"),
        ("f6", "null"),
        ("f7", "undefined"),
        ("f8ff", "simple(255)"),
        ("c11a514b67b0", "time(1) 1363896240"),
        ("d74401020304", "tag(23) 4 bytes · h'01 02 03 04'"),
        ("6449455446", '"IETF"'),
        ("5f42010243030405ff", "5 bytes · h'01 02 03 04 05'"),
        ("7f657374726561646d696e67ff", '"streaming"'),
        ("40", "0 bytes · h''"),
        ("80", "[ 0 items ]"),
        ("9fff", "[…]"),
    ],
)
def test_cbor_values(data: str, text: str) -> None:
    assert shown(CborView().open(bytes.fromhex(data))) == ["  " + text]


def test_cbor_containers_without_a_length() -> None:
    tree = CborView().open(bytes.fromhex("bf61610161629f0203ffff"))
    assert [tree.path(row) for row in range(tree.height)] == [".", ".a", ".b", ".b[0]", ".b[1]"]
    assert tree.value(2).hex() == "9f0203ff"
    assert tree.value(0) == tree.data


@pytest.mark.parametrize("data", ["ff", "81ff", "a1ff", "bf01ff", "1c", "5f6161ff", "c1", "9f", "a1", "c1" * 20 + "01"])
def test_what_is_not_cbor(data: str) -> None:
    with pytest.raises(Unreadable):
        CborView().open(bytes.fromhex(data))


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    for view in (MsgpackView(), CborView()):
        try:
            document: Document = view.open(data)
        except Unreadable:
            continue
        assert document.value(0) == data


def test_containers_as_keys_are_passed_over() -> None:
    # A map of two: the array of 1 and a map to 4, and 5 to 6.
    tree = MsgpackView().open(bytes.fromhex("82 9201810203 04 05 06"))
    assert shown(tree)[1:] == ["    (array): 4", "    5: 6"]


def test_depth_and_size_are_bounded() -> None:
    deep = MsgpackView().open(b"\x91" * 100_000 + b"\xc0")
    assert deep.height == 100_001
    assert deep.path(3) == ".[0][0][0]"
    long = MsgpackView().open(b"\xdd" + struct.pack(">I", NODE_LIMIT + 9) + b"\x01" * (NODE_LIMIT + 9))
    assert long.height == NODE_LIMIT + 1
    assert shown(long)[-1] == "… 10 bytes more: hex shows them"
    with pytest.raises(Unreadable):
        MsgpackView().open(b"\xdf\xff\xff\xff\xff")


@pytest.mark.parametrize(
    ("data", "told", "best"),
    [
        (msgpack.encode({"a": 1}), "", "msgpack"),
        (bytes.fromhex("820102"), "", "cbor"),
        (bytes.fromhex("a1616101"), "", "cbor"),
        (b"\x01", "application/msgpack", "msgpack"),
        (b"\x01", "application/senml+cbor", "cbor"),
        (b"\xc1\x00", "application/msgpack", "hex"),
        (b"\x82\xff\xff", "", "hex"),
    ],
)
def test_the_best_view_of_bytes(data: bytes, told: str, best: str) -> None:
    assert open_best(data, {"content_type": told}).view.name == best


def test_a_view_that_was_asked_for_says_why_it_cannot() -> None:
    opening = open_best(b'{"a":1}', asked="cbor")
    assert opening.view.name == "json"
    assert opening.problem.startswith("not CBOR")
    assert open_as("cbor", b"\x01").view.name == "cbor"
