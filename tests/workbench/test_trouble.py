from __future__ import annotations

from rtui.settings.files import Problem
from rtui.workbench.trouble import SHOWN, texts


def test_one_text_for_each_file_and_each_problem_once() -> None:
    problems = [Problem("a.toml", line, "", "wrong") for line in range(1, SHOWN + 3)]
    first, second = texts([problems[0], Problem("b.toml", 7, "x", "odd"), *problems])
    assert first.splitlines()[:2] == ["a.toml:1: wrong", "a.toml:2: wrong"]
    assert first.splitlines()[SHOWN:] == ["… and 2 more: `rtui doctor` lists them"]
    assert second.splitlines() == ["b.toml:7: x: odd", "2 files are wrong: `rtui doctor` lists them"]
    assert list(texts(problems[:1])) == ["a.toml:1: wrong"]
