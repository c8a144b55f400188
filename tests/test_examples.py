"""What examples the tests draw does not depend on what else the process has done: see conftest.py."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st


def drawn() -> list[str]:
    seen: list[str] = []

    @settings(max_examples=300)
    @given(st.text(max_size=9))
    def look(text: str) -> None:
        seen.append(text)

    look()
    return seen


def test_a_module_that_is_imported_meanwhile_changes_no_example(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if settings.default is None or not settings.default.derandomize:
        pytest.skip("examples are drawn at random")
    before = drawn()
    (tmp_path / "imported_late.py").write_text("WORDS = ('{{', 'a word', 'not drawn')\n", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    importlib.import_module("imported_late")
    try:
        assert drawn() == before
    finally:
        del sys.modules["imported_late"]
