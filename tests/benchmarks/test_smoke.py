"""The benchmarks run: tiny amounts, no judgement about speed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.benchmarks.__main__ import main
from tests.benchmarks.measure import Figure, by_turns, table
from tests.benchmarks.suite import BENCHMARKS


@pytest.mark.parametrize("name", BENCHMARKS)
def test_every_benchmark_runs(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    figures = main([name, "--tiny", "--json", str(tmp_path / "out.json")])
    assert all(figure.value > 0 for figure in figures if figure.unit != "MiB")
    assert all(figure.remark in {"", "0 missing"} or "peak" in figure.remark for figure in figures)
    shown = capsys.readouterr().out
    stored = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))["figures"]
    assert [row["name"] for row in stored] == [figure.name for figure in figures]
    assert all(figure.name in shown for figure in figures)


def test_a_figure_is_judged_by_its_ratio_round_by_round() -> None:
    drifting = Figure(name="x", unit="s", values=(1.0, 10.0, 100.0), references=(2.0, 20.0, 200.0), budget=0.6)
    assert drifting.ratio == 0.5
    assert drifting.met is False
    assert Figure(name="x", unit="s", values=(1.0,), budget=2, sense="at most").met is True
    assert "MISSED" in table([drifting])


def test_subject_and_reference_take_turns() -> None:
    numbers = iter(range(4))
    assert by_turns(2, lambda: next(numbers), lambda: next(numbers)) == [(0, 2), (1, 3)]
