from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtui.core.fault import Failure
from rtui.protocols.grouping import grouping


def group(key: str, payload: bytes) -> str:
    find = grouping(key)
    assert find is not None
    return find(payload)


@pytest.mark.parametrize(
    ("payload", "channel"),
    [
        (b'{"type":"order"}', "order"),
        (b' \n{"event":"tick","type":"trade"}', "trade"),
        (b'{"op":0}', "0"),
        (b'{"type":null,"method":"add"}', "add"),
        (b'{"type":{"a":1}}', ""),
        (b'{"type":true}', ""),
        (b'{"type":""}', ""),
        (b'{"data":{"type":"inner"}}', ""),
        (b'["type","order"]', ""),
        (b'{"type":"order"', ""),
        (b"plain text", ""),
        (b"", ""),
        (b'{"type":"' + b"x" * 201 + b'"}', ""),
        (b'{"type":"a","deep":' + b"[" * 100_000 + b"]" * 100_000 + b"}", ""),
        (b'{"type":' + b"9" * 5000 + b"}", ""),
    ],
)
def test_auto_takes_the_first_key_that_names(payload: bytes, channel: str) -> None:
    assert group("auto", payload) == channel


@pytest.mark.parametrize(
    ("key", "channel"), [(".a.b", "deep"), ("a.b", "deep"), (".n", "7"), (".a", ""), (".a.b.c", ""), (".none.b", "")]
)
def test_a_path_goes_down(key: str, channel: str) -> None:
    assert group(key, b'{"a":{"b":"deep"},"n":7}') == channel


def test_no_key_means_no_grouping() -> None:
    assert grouping("") is None


def test_what_is_no_path_is_refused_with_the_key_s_name() -> None:
    with pytest.raises(Failure) as caught:
        grouping('.a["b"]')
    assert "group_key" in caught.value.fault.title


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["type", "op", "a", "x"]), inner),
    max_leaves=12,
)


@given(value=anything, junk=st.binary(max_size=20))
def test_nothing_makes_it_fail(value: object, junk: bytes) -> None:
    for key in ("auto", ".a.b.c"):
        assert isinstance(group(key, json.dumps(value).encode()), str)
        assert isinstance(group(key, b"{" + junk), str)
