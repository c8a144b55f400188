from __future__ import annotations

from rtui.workbench.widgets.empty import line_of

HINT = "no types yet — they appear with the messages"


def said(width: int, height: int) -> list[str]:
    return [line_of(HINT, y, width=width, height=height) for y in range(height)]


def test_a_wide_pane_says_it_in_one_line_in_its_middle() -> None:
    assert said(60, 5) == ["", "", HINT, "", ""]


def test_a_narrow_pane_says_every_word() -> None:
    lines = said(33, 6)
    assert " ".join(line for line in lines if line) == HINT
    assert all(len(line) <= 31 for line in lines)
    assert lines[0] == lines[-1] == ""


def test_a_low_pane_begins_with_the_first_line() -> None:
    assert said(20, 1) == ["no types yet —"]


def test_control_characters_never_reach_the_pane() -> None:
    assert "\x1b" not in line_of("a\x1b]52;c;eA==\x07b", 0, width=40, height=1)
