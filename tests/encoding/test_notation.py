from __future__ import annotations

import math
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtui.encoding.diagnostic import Misspelt
from rtui.encoding.packed import PACKINGS, Packing, noted, pack, unpack
from rtui.protobuf.unfit import Unfit

both = pytest.mark.parametrize("packing", PACKINGS)

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(1 << 63), (1 << 64) - 1)
    | st.floats(allow_nan=False)
    | st.text(st.characters(codec="utf-8"))
    | st.binary()
)
VALUES: st.SearchStrategy[Any] = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=20) | st.dictionaries(st.integers(0, 1 << 63) | st.text() | st.binary(), inner)
    ),
    max_leaves=20,
)


@pytest.mark.parametrize(
    ("text", "data"),
    [
        # RFC 8949, appendix A
        ("h'01020304'", "4401020304"), ("h''", "40"), ("NaN", "f97e00"), ("-Infinity", "f9fc00"),
        ("undefined", "f7"), ("simple(16)", "f0"), ("simple(255)", "f8ff"), ("1(1363896240)", "c11a514b67b0"),
        ('0("2013-03-21T20:04:00Z")', "c074323031332d30332d32315432303a30343a30305a"), ("1.5_3", "fb3ff8000000000000"),
        ("24(h'6449455446')", "d818456449455446"), ("{1: 2, 3: 4}", "a201020304"), ("[_ 1, [2, 3]]", "9f01820203ff"),
        ('{_ "a": 1, "b": [_ 2, 3]}', "bf61610161629f0203ffff"), ("1_0", "1801"), ("-1_3", "3b0000000000000000"),
        ("18446744073709551616", "c249010000000000000000"), ("h'0 1 \n ff'", "4201ff"), ("b64'Af8='", "4201ff"),
        ("[[], {}]", "8280a0"), ("{[1]: {h'00': null}}", "a18101a14100f6"),
    ],
)  # fmt: skip
def test_cbor_is_written_as_the_standard_writes_its_examples(text: str, data: str) -> None:
    assert pack(text.encode(), "cbor").hex() == data


@pytest.mark.parametrize(
    ("text", "data"),
    [
        ("h'01ff'", "c40201ff"), ("ext(5, h'aa')", "d405aa"), ("ext(-2, h'0102030405')", "c705fe0102030405"),
        ('timestamp("1970-01-01T00:00:01Z")', "d6ff00000001"), ("{1: [true, nil()]}", None), ("1.5_2", "ca3fc00000"),
        ('timestamp("1970-01-01T02:00:01+02:00")', "d6ff00000001"), ("{1: 2}", "810102"), ("7_1", "cd0007"),
        ("-7_2", "d2fffffff9"), ("[NaN, -Infinity]", "92cb7ff8000000000000cbfff0000000000000"),
        ("{[1]: h''}", "819101c400"), ("simple(9)", None), ("37(h'00')", None), ("[_ 1]", None), ("1.5_1", None),
        ("ext(128, h'')", None), ('timestamp("soon")', None), ('timestamp("2026-11-21T18:00:00")', None),
    ],
)  # fmt: skip
def test_messagepack_is_written_with_its_own_words(text: str, data: str | None) -> None:
    if data is None:
        with pytest.raises(Unfit):
            pack(text.encode(), "msgpack")
    else:
        assert pack(text.encode(), "msgpack").hex() == data


@both
@given(value=VALUES)
def test_what_is_read_is_written_back_to_the_same_bytes(packing: Packing, value: Any) -> None:
    data = pack(_spelt(value).encode(), packing)
    text = noted(data, packing)
    assert text is not None
    assert pack(text.encode(), packing) == data


def _spelt(value: Any) -> str:
    """The notation, with white space here and there."""
    match value:
        case dict():
            return "{ " + " , ".join(f"{_spelt(key)} :{_spelt(one)}" for key, one in value.items()) + "}"
        case list():
            return "[" + ",\n".join(map(_spelt, value)) + " ]"
        case bytes():
            return f"h'{value.hex(' ')}'"
        case float() if math.isinf(value):
            return "Infinity" if value > 0 else "-Infinity"
        case _:
            return msgspec.json.encode(value).decode()


@given(VALUES)
def test_what_another_library_packs_can_be_written_here(value: Any) -> None:
    data = msgspec.msgpack.encode(value)
    text = noted(data, "msgpack")
    assert text is not None
    assert pack(text.encode(), "msgpack") == data


@both
@given(data=st.binary())
def test_any_bytes_have_a_notation_that_gives_them_back_or_none(packing: Packing, data: bytes) -> None:
    text = noted(data, packing)
    assert text is None or pack(text.encode(), packing) == data


@pytest.mark.parametrize(
    ("data", "packing", "text"),
    [
        ("82a161c40201ffa16292ca3fc00000d40500", "msgpack",
         '{\n  "a": h\'01ff\',\n  "b": [\n    1.5_2,\n    ext(5, h\'00\')\n  ]\n}'),
        ("81d6ff0000000190", "msgpack", '{\n  timestamp("1970-01-01T00:00:01Z"): []\n}'),
        ("d7ffffffffff00000000", "msgpack", "ext(-1, h'ffffffff00000000')"),
        ("bfd825500102030405060708090a0b0c0d0e0f10a0ff", "cbor",
         "{_\n  37(h'0102030405060708090a0b0c0d0e0f10'): {}\n}"),
        ("9f f7 f6 f8ff ff", "cbor", "[_\n  undefined,\n  null,\n  simple(255)\n]"),
        ("5f4101ff", "cbor", None),
        ("d10007", "msgpack", None),
        ("c1", "msgpack", None),
        ("8101", "cbor", "[\n  1\n]"),
        ("8201", "cbor", None),
    ],
)  # fmt: skip
def test_how_bytes_are_spelt(data: str, packing: Packing, text: str | None) -> None:
    assert noted(bytes.fromhex(data), packing) == text


@both
@pytest.mark.parametrize(
    ("text", "told", "place"),
    [
        ("[1 2]", ", or ] is missing at line 1, column 4", 3),
        ('{"a" 1}', ": is missing", 5),
        ('{\n "a":1,\n 1:2, 1:3}', "the key 1 stands twice at line 3, column 7", 16),
        ("[hello]", 'text stands in quotes: "hello"', 1),
        ("[h'0']", "no hex between the quotes", 4),
        ("[h'0", "bytes are written h'01 ff'", 1),
        ('["a]', "a string without its end", 1),
        ("[1] 2", "nothing may follow the value", 4),
        ("[1.5e999, h'']", "beyond the largest double", 1),
        ("[-0_9]", '"_" means nothing here', 3),
        ("[ext(1.5, h'')]", "a whole number belongs here", 5),
        ("[ext(1, 5)]", "bytes belong here: h'01 ff'", 8),
        ("[256_0, h'']", "256 does not fit into 8 bits", 1),
        ("[" * 500 + "h''" + "]" * 500, "nested too deeply", 200),
    ],
)
def test_what_is_misspelt_is_told_with_its_place(packing: Packing, text: str, told: str, place: int) -> None:
    with pytest.raises(Misspelt) as caught:
        pack(text.encode(), packing)
    assert told in str(caught.value)
    assert caught.value.place == place


@both
@given(text=st.text() | st.text("[]{}(),:_'\"hb64extimsapul0123456789.-eENaInfy \n\\"))
def test_any_text_is_written_or_told_to_be_wrong(packing: Packing, text: str) -> None:
    place, data = 0, b""
    try:
        data = pack(text.encode("utf-8", "replace"), packing)
    except Misspelt as wrong:
        place = wrong.place
    except Unfit:
        pass
    assert 0 <= place <= len(text)
    assert not data or noted(data, packing) is not None


def test_a_message_with_an_extension_is_json_for_filters() -> None:
    assert unpack(bytes.fromhex("82a161d40500a16201"), "msgpack") == b'{"a":"ext(5, h\'00\')","b":1}'
