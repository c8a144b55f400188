"""JSON that does not fit a message type, said so that a user finds the place."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from rtui.core.json_path import Step, write

_LONGEST = 40
_MOST = 12


class Unfit(ValueError):
    """`.items[2].price: "dear" does not fit: a number belongs here`; the steps to it are added on the way out."""

    def __init__(self, trouble: str, hint: str = "") -> None:
        super().__init__(trouble)
        self.trouble = trouble
        """What was found and what is allowed, without the place."""
        self.hint = hint
        """What was probably meant; may be empty."""
        self._steps: list[Step] = []

    @property
    def path(self) -> str:
        """Where, as the filter language writes it; `.` is the whole document."""
        return write(reversed(self._steps))

    def under(self, step: Step) -> Unfit:
        """The same, one level further out."""
        self._steps.append(step)
        return self

    def __str__(self) -> str:
        place = f"{self.path}: " if self._steps else ""
        return f"{place}{self.trouble}" + (f"; {self.hint}" if self.hint else "")


class Unusable(ValueError):
    """A file that gives no types, or a type that cannot be used; the text goes on from its name."""


def wrong(found: Any, allowed: str) -> Unfit:
    """`found` stands where only `allowed` may."""
    return Unfit(f"{shown(found)} does not fit: {allowed} belongs here")


def shown(found: Any) -> str:
    """A value as it stands in JSON, cut short."""
    if isinstance(found, dict):
        return "an object"
    if isinstance(found, list):
        return "an array"
    text = json.dumps(found[: _LONGEST + 1] if isinstance(found, str) else found, ensure_ascii=False)
    text = text.encode(errors="backslashreplace").decode()
    return text if len(text) <= _LONGEST else text[:_LONGEST] + "…"


def nearest(given: str, known: Iterable[str]) -> str:
    """A hint at what was meant, or at what there is."""
    from difflib import get_close_matches

    names = {_simple(name): name for name in known}
    near = get_close_matches(_simple(given[:_LONGEST]), names, n=1)
    if near:
        return f"did you mean {names[near[0]]}?"
    more = f", … ({len(names)} in all)" if len(names) > _MOST else ""
    return f"there are {', '.join(list(names.values())[:_MOST])}{more}" if names else ""


def _simple(name: str) -> str:
    return name.lower().replace("_", "")
