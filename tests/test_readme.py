from __future__ import annotations

from pathlib import Path

from tests.pictures.tables import README, TABLES, filled


def test_the_tables_are_what_the_program_says() -> None:
    text = README.read_text(encoding="utf-8")
    assert all(f"<!-- {name}: " in text for name in TABLES)
    assert filled(text) == text, "run: python -m tests.pictures.tables"


def test_ci_runs_the_readmes_test_command() -> None:
    text = README.read_text(encoding="utf-8")
    install, _, test = next(line for line in text.splitlines() if "[test]" in line).strip().partition(" && ")
    script = (Path(README).parent / ".ci" / "run").read_text(encoding="utf-8")
    assert install in script
    assert test in script
