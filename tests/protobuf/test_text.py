from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtui.protobuf.text import parsed
from rtui.protobuf.unfit import Unfit

NAMES = st.sampled_from(["a", "b", ":", '"', "\\", " :", 'a":', "é", ""])
VALUES = st.recursive(
    st.none() | NAMES | st.integers(-5, 2**70) | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.lists(st.tuples(NAMES, inner), max_size=3).map(tuple),
    max_leaves=8,
)
SPACES = st.sampled_from(["", " ", "\n", "\t\r "])


@st.composite
def written(draw: st.DrawFn) -> tuple[str, bool]:
    """A text, and whether a key stands twice in it. Objects are tuples of pairs."""
    twice = False

    def write(value: object) -> str:
        nonlocal twice
        if isinstance(value, list):
            return f"[{','.join(map(write, value))}]"
        if not isinstance(value, tuple):
            return json.dumps(value, ensure_ascii=draw(st.booleans()))
        twice |= len({name for name, _ in value}) < len(value)
        return f"{{{','.join(json.dumps(name) + draw(SPACES) + ':' + write(part) for name, part in value)}}}"

    return write(draw(VALUES)), twice


@given(case=written())
def test_it_is_what_the_standard_library_reads_unless_a_key_stands_twice(case: tuple[str, bool]) -> None:
    text, twice = case
    if twice:
        with pytest.raises(Unfit, match="stands twice"):
            parsed(text.encode())
    else:
        assert repr(parsed(text.encode())) == repr(json.loads(text))


@pytest.mark.parametrize(
    "text", ['{"a":1,"a":1}', '{"a" :1,"a":1}', '{"a\\u0062":1,"ab":1}', '[{"x":{"a":":","a":0}}]']
)
def test_a_key_that_stands_twice_is_told(text: str) -> None:
    with pytest.raises(Unfit, match="stands twice in one object"):
        parsed(text.encode())
