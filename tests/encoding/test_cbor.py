from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtui.encoding.cbor import DEEPEST, NotCbor, decode, encode
from rtui.payloads.base import Unreadable
from rtui.payloads.cbor import CborView

VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(1 << 200), 1 << 200)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8")),
    lambda inner: st.lists(inner, max_size=30) | st.dictionaries(st.text(st.characters(codec="utf-8")), inner),
    max_leaves=20,
)


@given(VALUES)
def test_what_is_written_is_read_back_and_the_message_pane_reads_it_too(value: Any) -> None:
    data = encode(value)
    assert decode(data) == value
    CborView().open(data)


@pytest.mark.parametrize(
    ("value", "data"),
    [
        # RFC 8949, appendix A
        (0, "00"), (23, "17"), (24, "1818"), (100, "1864"), (1000, "1903e8"), (1000000, "1a000f4240"),
        (1000000000000, "1b000000e8d4a51000"), (18446744073709551615, "1bffffffffffffffff"),
        (18446744073709551616, "c249010000000000000000"), (-18446744073709551616, "3bffffffffffffffff"),
        (-18446744073709551617, "c349010000000000000000"), (-1, "20"), (-1000, "3903e7"),
        (0.0, "f90000"), (-0.0, "f98000"), (1.5, "f93e00"), (65504.0, "f97bff"), (100000.0, "fa47c35000"),
        (1.1, "fb3ff199999999999a"), (5.960464477539063e-8, "f90001"), (-4.1, "fbc010666666666666"),
        (False, "f4"), (True, "f5"), (None, "f6"), ("", "60"), ("ü", "62c3bc"),
        ([1, [2, 3]], "8201820203"), ({"a": 1, "b": [2, 3]}, "a26161016162820203"),
    ],
)  # fmt: skip
def test_examples_of_the_standard(value: Any, data: str) -> None:
    assert encode(value).hex() == data
    assert decode(bytes.fromhex(data)) == value


@pytest.mark.parametrize(
    ("data", "value"),
    [
        ("f97e00", "NaN"), ("f97c00", "Infinity"), ("fbfff0000000000000", "-Infinity"), ("f7", None),
        ("f0", "simple(16)"),
        ("c11a514b67b0", 1363896240), ("d9d9f7820102", [1, 2]), ("4401020304", "AQIDBA=="),
        ("5f42010243030405ff", "AQIDBAU="), ("7f657374726561646d696e67ff", "streaming"),
        ("9f018202039f0405ffff", [1, [2, 3], [4, 5]]), ("bf61610161629f0203ffff", {"a": 1, "b": [2, 3]}),
        ("a201020304", {"1": 2, "3": 4}), ("a1f501", {"true": 1}), ("a1820102f6", {"[1,2]": None}),
    ],
)  # fmt: skip
def test_what_json_has_no_words_for_is_said_in_others(data: str, value: Any) -> None:
    assert decode(bytes.fromhex(data)) == value


@given(st.binary())
def test_any_bytes_are_a_value_or_told_to_be_none(data: bytes) -> None:
    try:
        decode(data)
    except NotCbor:
        pass
    else:
        CborView().open(data)


@pytest.mark.parametrize(
    "data", ["", "18", "6261", "8201", "0000", "ff", "1c", "5f01ff", "9f", "a101", "d9d9f7", "c24102ff"]
)
def test_what_is_cut_off_or_goes_on_is_none(data: str) -> None:
    with pytest.raises(NotCbor):
        decode(bytes.fromhex(data))
    with pytest.raises(Unreadable):
        CborView().open(bytes.fromhex(data))


def test_the_depth_is_bounded() -> None:
    assert decode(b"\x81" * (DEEPEST - 1) + b"\x00")
    with pytest.raises(NotCbor, match="too deeply"):
        decode(b"\x81" * 100_000 + b"\x00")


def test_minus_zero_keeps_its_sign() -> None:
    assert math.copysign(1.0, decode(encode(-0.0))) == -1.0
