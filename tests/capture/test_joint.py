from __future__ import annotations

import math
import re
from collections.abc import Iterator

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from rtui.capture.effort import Measured, TooMuchError
from rtui.capture.joint import BETWEEN, LONGEST, STEPS, Joint, longest

PIECES = r"""
a b . \d \w+ \W \D* \S \s [\s\S] [\Wx] [^a] [^a]+ ^ $ \A \Z \b \B (a|b) (?:ba)? a* .* (?=b) (?!b) (?<=a) (?<!a)
(?s:.) (?m:^) (?m:$) (?-i:a) (?>a*) a++ (b)\1 (?i:S) b{2} (x)?(?(1)a|b)
"""
pieces = st.sampled_from([*PIECES.split(), "[ -\x80]", BETWEEN, f"[{BETWEEN}]", "\n"])
sources = st.builds(
    lambda flag, parts: flag + "".join(parts), st.sampled_from(["", "(?i)"]), st.lists(pieces, min_size=1, max_size=4)
)
texts = st.lists(st.text("ab1 ſxS\n\u212a.é", max_size=5), min_size=1, max_size=6)


@given(sources, texts, st.sampled_from([0, 3, 1000]))
@example(r"\B", ["", "ab", ""], 1000)
@example("a*$", ["a\n", "b", ""], 0)
@example(r"[^,]+,", ["a", "b,", ",", "c"], 1000)
@settings(max_examples=500, deadline=None)
def test_joined_rows_are_found_like_rows_alone(source: str, rows: list[str], span: int) -> None:
    try:
        repeats = Measured(source).repeats
    except (re.error, TooMuchError):
        return
    joined = Joint(source, repeats)
    joined._span = span
    assert joined.finds(BETWEEN.join(rows)) == [at for at, row in enumerate(rows) if re.search(source, row)]


@pytest.mark.parametrize("repeats", range(6))
def test_one_row_cannot_take_long(repeats: int) -> None:
    length = longest(repeats)
    assert 0 < length <= LONGEST
    assert repeats == 0 or math.comb(length + repeats + 1, repeats + 1) <= STEPS


def test_the_engine_is_called_once_for_many_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    searched: list[int] = []
    joined = Joint("q", 0)
    matches = joined._matches

    def counted(rows: str, at: int, stop: int) -> Iterator[re.Match[str]]:
        searched.append(at)
        found: Iterator[re.Match[str]] = matches(rows, at, stop)
        return found

    monkeypatch.setattr(joined, "_matches", counted)
    assert joined.finds(BETWEEN.join(["x" * 100] * 1_000 + ["q"])) == [1_000]
    assert len(searched) <= 2
