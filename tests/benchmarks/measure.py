"""How figures are made: subject and reference by turns, medians, and what the budget says."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from typing import Literal

import msgspec

from tests.waiting import PATIENCE


class Scale(msgspec.Struct, frozen=True):
    """How much work: the real amounts, or tiny ones that only prove that a benchmark runs."""

    rounds: int = 5
    messages: int = 500_000
    rows: int = 1_000_000
    patience: float = 2.0
    """Seconds after which a key that shows nothing is lost."""
    warm: float = 2.0
    """Seconds that a program runs before it is measured."""
    span: float = 10.0
    """Seconds over which what goes on is measured."""

    def per_round(self, share: float = 1.0) -> int:
        """Messages of one measurement."""
        return max(100, int(self.messages * share))


TINY = Scale(rounds=1, messages=300, rows=2_000, patience=PATIENCE, warm=0.3, span=0.5)


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the table."""

    name: str
    unit: str
    values: tuple[float, ...]
    references: tuple[float, ...] = ()
    against: str = ""
    """What the reference is."""
    budget: float | None = None
    sense: Literal["at least", "at most"] = "at least"
    """Of the ratio if there is a reference, else of the value."""
    n: int = 1
    remark: str = ""

    @property
    def value(self) -> float:
        """The median."""
        return statistics.median(self.values)

    @property
    def reference(self) -> float | None:
        """The median of the reference."""
        return statistics.median(self.references) if self.references else None

    @property
    def ratio(self) -> float | None:
        """The median of the ratios of each round: both drift together."""
        if not self.references:
            return None
        return statistics.median(a / b for a, b in zip(self.values, self.references, strict=True))

    @property
    def spread(self) -> float:
        """(largest - smallest) / median of the values."""
        return (max(self.values) - min(self.values)) / self.value if self.value else 0.0

    @property
    def met(self) -> bool | None:
        """Whether the budget is met; None without one."""
        if self.budget is None:
            return None
        measured = self.value if self.ratio is None else self.ratio
        return measured >= self.budget if self.sense == "at least" else measured <= self.budget

    def row(self) -> tuple[str, ...]:
        """The cells of the table."""
        sign = "≥" if self.sense == "at least" else "≤"
        return (
            f"{self.name} [{self.unit}]",
            f"{self.value:,.4g}" if self.value < 1000 else f"{self.value:,.0f}",
            "" if self.reference is None else f"{self.reference:,.4g} {self.against}",
            "" if self.ratio is None else f"{self.ratio:.2f}",
            "" if self.budget is None else f"{sign} {self.budget:g} {'ok' if self.met else 'MISSED'}",
            f"{self.n:,} × {len(self.values)}",
            f"{self.spread:.0%}",
            self.remark,
        )


HEAD = ("figure", "median", "reference", "ratio", "budget", "n", "spread", "remark")


def by_turns(rounds: int, *subjects: Callable[[], float]) -> list[tuple[float, ...]]:
    """Measure each of `subjects` in turn, `rounds` times; one tuple of values for each subject."""
    found: list[list[float]] = [[] for _ in subjects]
    for _ in range(rounds):
        for values, subject in zip(found, subjects, strict=True):
            values.append(subject())
    return [tuple(values) for values in found]


def table(figures: Sequence[Figure]) -> str:
    """Aligned text."""
    rows = [HEAD, *(figure.row() for figure in figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEAD))]
    return "\n".join("  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip() for row in rows)
