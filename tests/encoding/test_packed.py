from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtui.encoding.packed import PACKINGS, Packing, pack, unpack
from rtui.protobuf.unfit import Unfit

both = pytest.mark.parametrize("packing", PACKINGS)


@both
def test_json_goes_in_and_comes_back(packing: Packing) -> None:
    text = '{"ä":[1,-2,2.5,"x",true,null,{"b":18446744073709551615}]}'.encode()
    data = pack(text, packing)
    assert msgspec.json.decode(unpack(data, packing) or b"") == msgspec.json.decode(text)


@both
@pytest.mark.parametrize(
    ("text", "told"),
    [
        (b'{"a":', "a value is missing at line 1, column 6"),
        (b"", "not JSON"),
        (b'{"a":1,"a":2}', 'the key "a" stands twice'),
        (b'{"a":[0,1e999]}', r"\.a\[1\]: a number is beyond the largest double"),
        (b'["\\ud800"]', "lone surrogate"),
        (b"[yes]", "text stands in quotes"),
        (b"[" * 100_000 + b"]" * 100_000, "nested too deeply"),
    ],
)
def test_what_cannot_be_said_is_told_with_its_place(packing: Packing, text: bytes, told: str) -> None:
    with pytest.raises(Unfit, match=told):
        pack(text, packing)


def test_messagepack_has_whole_numbers_of_64_bits_and_cbor_any() -> None:
    with pytest.raises(Unfit, match=r"\.a\.b\[1\]: 18446744073709551616 does not fit"):
        pack(b'{"a":{"b":[18446744073709551615,18446744073709551616]}}', "msgpack")
    assert unpack(pack(b"[18446744073709551616]", "cbor"), "cbor") == b"[18446744073709551616]"


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ("81a161c40200ff", b'{"a":"AP8="}'),
        ("810102", b'{"1":2}'),
        ("81a174d6ff00000001", b'{"t":"1970-01-01T00:00:01Z"}'),
        ("c1", None),
        ("8101", None),
        ("81010203", None),
    ],
)
def test_messagepack_is_read_as_far_as_json_can_say_it(data: str, text: bytes | None) -> None:
    assert unpack(bytes.fromhex(data), "msgpack") == text


@both
@given(data=st.binary())
def test_any_bytes_are_json_or_nothing(packing: Packing, data: bytes) -> None:
    text = unpack(data, packing)
    assert text is None or msgspec.json.decode(text, type=msgspec.Raw)
