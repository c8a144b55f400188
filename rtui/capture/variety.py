"""Which number of a channel's messages is worth drawing first: one that goes up and down, no id and no clock."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from rtui.capture.series import Field

SAMPLE: Final = 200
"""Messages that are looked at."""
_LABEL: Final = re.compile(
    r"(?:.*[_-])?(?:id|ids|seq|sequence|no|nr|num|index|offset|ts|time|timestamp|date|epoch|version|port|code|status)"
    r"|.*(?:Id|ID|Seq|Time|Timestamp|At|Version|Index)"
)
"""Names of numbers that tell messages apart or when they were, and measure nothing."""
_CLOCKS: Final = tuple((low * scale, high * scale) for low, high in [(9.4e8, 4.1e9)] for scale in (1, 1e3, 1e6, 1e9))
"""Seconds, milli-, micro- and nanoseconds since 1970, of the years 2000 to 2100."""


def liveliest(offered: Sequence[Field], numbers: Sequence[Sequence[float]]) -> str | None:
    """The path of the field that varies best; `numbers` are those of each, in the order in which they came.

    The first of equals. None if nothing is offered.
    """
    ranked = [(_liveliness(field, values), field.path) for field, values in zip(offered, numbers, strict=True)]
    return max(ranked, key=lambda pair: pair[0])[1] if ranked else None


def _liveliness(field: Field, values: Sequence[float]) -> tuple[bool, bool, bool, bool]:
    """What speaks for a field, the most important first."""
    ups = sum(later > before for before, later in pairwise(values))
    downs = sum(later < before for before, later in pairwise(values))
    varies = ups + downs > 0 or len(values) < 2  # noqa: PLR2004 - of one nothing can be said
    goes_both_ways = min(ups, downs) > 0
    measured = not (_is_label(field) or _is_clock(values))
    return varies and measured, goes_both_ways, measured, len(set(values)) > 2  # noqa: PLR2004 - no switch


def _is_label(field: Field) -> bool:
    name = next((step for step in reversed(field.steps) if isinstance(step, str)), "")
    return _LABEL.fullmatch(name) is not None


def _is_clock(values: Sequence[float]) -> bool:
    return bool(values) and any(low <= min(values) and max(values) <= high for low, high in _CLOCKS)
