from __future__ import annotations

import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtui.core.clean import MARKS, cell_width, clean, clean_block, clean_bytes, clip, clip_middle, decode, reach

ANY_TEXT = st.text(st.characters(exclude_categories=()))


def harmless(text: str, *, also: str = "") -> bool:
    return all(char.isprintable() or char in also for char in text)


def test_every_code_point_alone_becomes_printable() -> None:
    for code in range(sys.maxunicode + 1):
        char = chr(code)
        assert harmless(clean(f"a{char}b")), hex(code)
        assert harmless(clean_block(f"a{char}b"), also="\n\t"), hex(code)


def test_no_invisible_character_stays_between_letters() -> None:
    for code in range(sys.maxunicode + 1):
        shown = clean(f"a{chr(code)}b")
        visible = shown if unicodedata.category(chr(code)) in {"Mn", "Me", "Zs"} else shown.replace(" ", "")
        assert len(visible) >= 3 or chr(code) == " ", hex(code)
        assert cell_width(shown) >= 2


@given(ANY_TEXT)
def test_any_text_is_harmless_after_cleaning(text: str) -> None:
    assert harmless(clean(text), also="\u200d")
    assert harmless(clean_block(text), also="\u200d\n\t")


@given(st.binary())
def test_any_bytes_are_harmless_after_cleaning(data: bytes) -> None:
    assert harmless(clean_bytes(data), also="\u200d")


@given(ANY_TEXT)
def test_cleaning_twice_changes_nothing(text: str) -> None:
    assert clean(clean(text)) == clean(text)
    assert clean_block(clean_block(text)) == clean_block(text)


@given(st.text(st.sampled_from("ae\u0301\u0302\u093f\u20dd\u1161 \n\t日"), max_size=60))
def test_marks_on_one_base_are_bounded(text: str) -> None:
    for line in clean_block(text).replace("\t", "\n").split("\n"):
        run = MARKS
        for char in line:
            run = run + 1 if cell_width("a" + char) == 1 else 0
            assert run <= MARKS


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b]52;c;aGk=\x07", "␛]52;c;aGk=␇"),
        ("\x9b31m", "\\x9b31m"),
        ("\x7f", "␡"),
        ("a\r\nb\tc", "a␍␊b␉c"),
        ("\u202egnp.exe", "\\u202egnp.exe"),
        ("pay\u200bpal", "pay\\u200bpal"),
        ("pay\u200dpal", "pay\\u200dpal"),
        ("a\ufe0fb", "a\\ufe0fb"),
        ("x\U000e0041", "x\\U000e0041"),
        ("a\u2028b", "a\\u2028b"),
        ("\ud800", "\\ud800"),
        ("\u3164", "\\u3164"),
        ("a\xa0b\u3000c", "a b  c"),
        ("naïve 日本語 Ελληνικά", "naïve 日本語 Ελληνικά"),
        ("👩\u200d👩\u200d👧 1\ufe0f\u20e3 ❤\ufe0f", "👩\u200d👩\u200d👧 1\ufe0f\u20e3 ❤\ufe0f"),
        ("\u0301x", "\\u0301x"),
    ],
)
def test_stand_ins(text: str, shown: str) -> None:
    assert clean(text) == shown


def test_a_block_keeps_newlines_and_tabs() -> None:
    assert clean_block("a\n\tb\x00") == "a\n\tb␀"


def test_bytes_that_are_not_utf8_show_their_value() -> None:
    assert clean_bytes(b"a\xffb\xc3") == "a\\xffb\\xc3"


@given(st.text(), st.integers(0, 40))
def test_a_limit_never_shows_half_a_character(text: str, limit: int) -> None:
    assert text.startswith(decode(text.encode("utf-8"), limit))
    assert len(decode(text.encode("utf-8"), limit).encode()) <= limit


@given(st.text(), st.integers(0, 40))
def test_clipped_text_fits(text: str, cells: int) -> None:
    safe = clean(text)
    clipped = clip(safe, cells)
    assert cell_width(clipped) <= cells
    assert clipped == safe or (cell_width(safe) > cells and clipped.rstrip("…") == safe[: len(clipped.rstrip("…"))])


@pytest.mark.parametrize(
    ("text", "cells", "clipped"),
    [
        ("abc", 3, "abc"),
        ("abcd", 3, "ab…"),
        ("日本語", 6, "日本語"),
        ("日本語", 5, "日本…"),
        ("日本語", 4, "日…"),
        ("👩\u200d👩\u200d👧abc", 4, "👩\u200d👩\u200d👧a…"),
        ("é", 0, ""),
    ],
)
def test_clip(text: str, cells: int, clipped: str) -> None:
    assert clip(text, cells) == clipped


@pytest.mark.parametrize(
    ("text", "width"),
    [("", 0), ("abc", 3), ("日本", 4), ("e\u0301", 1), ("👩\u200d👧", 2), ("👍🏽", 2), ("❤\ufe0f", 2)],
)
def test_cell_width(text: str, width: int) -> None:
    assert cell_width(text) == width


@given(ANY_TEXT, st.integers(0, 30))
def test_text_clipped_in_its_middle_fits_and_keeps_both_ends(text: str, cells: int) -> None:
    safe = clean(text)
    clipped = clip_middle(safe, cells)
    assert cell_width(clipped) <= cells
    if cell_width(safe) <= cells:
        assert clipped == safe
    elif cells >= 3:
        head, _, tail = clipped.partition("…") if "…" not in safe else ("", "", "")
        assert safe.startswith(head)
        assert safe.endswith(tail)


@given(ANY_TEXT, st.integers(0, 5), st.integers(1, 30))
def test_a_row_ends_where_it_is_full_and_never_where_it_began(text: str, start: int, cells: int) -> None:
    safe = clean(text)
    if start >= len(safe):
        return
    end = reach(safe, start, cells)
    assert start < end <= len(safe)
    assert cell_width(safe[start:end]) <= cells or end == start + 1


@pytest.mark.parametrize(
    ("text", "cells", "end"),
    [("abcdef", 4, 4), ("日本語", 4, 2), ("日本語", 1, 1), ("e\u0301e\u0301e", 2, 4), ("ab", 9, 2)],
)
def test_reach(text: str, cells: int, end: int) -> None:
    assert reach(text, 0, cells) == end


@pytest.mark.parametrize(
    ("text", "cells", "clipped"),
    [
        ("factory/site-1/machine-00012/power", 20, "factor…e-00012/power"),
        ("factory/power", 13, "factory/power"),
        ("工場/機械/温度", 9, "工…/温度"),
        ("abcdef", 2, "a…"),
        ("abcdef", 0, ""),
    ],
)
def test_clip_middle(text: str, cells: int, clipped: str) -> None:
    assert clip_middle(text, cells) == clipped
