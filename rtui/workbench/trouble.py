"""What is wrong in the user's files, as notifications tell it: one for each file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from rtui.settings.files import Problem

SHOWN: Final = 4
"""Problems of one file: a notification is small."""


def texts(problems: Iterable[Problem]) -> Iterator[str]:
    """The text of each notification; a small screen shows the last alone, which tells that there are others."""
    by_file: dict[str, list[Problem]] = {}
    for problem in dict.fromkeys(problems):
        by_file.setdefault(problem.file, []).append(problem)
    for left, found in zip(range(len(by_file), 0, -1), by_file.values(), strict=True):
        lines = [str(problem) for problem in found[:SHOWN]]
        if len(found) > SHOWN:
            lines.append(f"… and {len(found) - SHOWN} more: `rtui doctor` lists them")
        elif left == 1 and len(by_file) > 1:
            lines.append(f"{len(by_file)} files are wrong: `rtui doctor` lists them")
        yield "\n".join(lines)
