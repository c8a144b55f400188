from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtui.capture.pattern import BadPattern, checked, regexp

TEXTS = ("a" * (1 << 20), "ab" * (1 << 19), "x" * 500_000 + "error", "a" * 30_000)


@pytest.mark.parametrize(
    "expression",
    [
        r"(aa|aa)*$",
        r"(a|ab)*c",
        r"(a|a)*$",
        r"^(a|b|ab)*$",
        r"(a|.)+x",
        r"(a?){30}a{30}",
        "a?" * 30 + "a" * 30,
        r"(a{0,9}){0,9}x",
        r"(a+)+b",
        r"(a*)*b",
        "a*" * 7 + "b",
    ],
)
def test_what_may_take_for_ever_is_refused(expression: str) -> None:
    with pytest.raises(BadPattern, match="for ever"):
        checked(expression, "")


@pytest.mark.parametrize(
    "expression",
    [
        r"(foo|bar)+z",
        r"(\d{1,3}\.){3}\d{1,3}",
        r".*error.*code.*\d+",
        r"a.*a.*a.*x",
        r"a.*a.*a.*a$",
        r"a*a*a*a*a*b",
        r"\bfoo\b.*\bbar\b",
        r"(?=a.*a.*a.*x)a",
        r"(a)\1*x",
    ],
)
def test_what_is_let_through_ends_soon(expression: str) -> None:
    source = checked(expression, "")
    for text in TEXTS:
        began = time.thread_time()
        regexp(source, text.encode())
        assert time.thread_time() - began < 2.0


@pytest.mark.parametrize(("expression", "flags"), [(".*error", ""), (".*?ERROR", "i"), ("error$", ""), ("x+error", "")])
def test_a_long_payload_is_searched_to_its_end(expression: str, flags: str) -> None:
    assert regexp(checked(expression, flags), b"-" * 500_000 + b"xxerror")


@given(
    st.sampled_from([r"a.*b", r".*b$", r"^a*b", r"(a|b)+c", r"\ba+\b", r"(?=a*b)a", r".+a", r"a{2,}b", r"(ab)*c"]),
    st.text("abc \n", max_size=400),
)
def test_pieces_find_what_the_whole_finds(expression: str, text: str) -> None:
    assert regexp(checked(expression, ""), text.encode()) == (re.search(expression, text) is not None)
