"""The captures of the user's folder, as a list to choose from."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rtui.capture.prune import list_captures
from rtui.capture.reader import Reader
from rtui.core.clean import clean
from rtui.core.fault import Failure
from rtui.workbench.widgets.figure import size

if TYPE_CHECKING:
    from rtui.workbench.screens.dialog import Choice

LISTED = 200
"""The newest ones: each is opened to see what is in it."""


def listed(folder: Path) -> Sequence[Choice]:
    """When they were recorded, how large they are, and of which connections. It blocks."""
    from rtui.workbench.screens.dialog import Choice

    return [
        Choice(str(one.path), _moment(one.modified), f"{_about(one.path)} · {size(one.size)}")
        for one in list_captures(folder)[:LISTED]
        if not one.in_use
    ]


def _about(path: Path) -> str:
    try:
        reader = Reader(path)
    except Failure as failure:
        return clean(failure.fault.sentence())
    try:
        return clean(", ".join(dict.fromkeys(link.name for link in reader.links()))) or "nothing"
    finally:
        reader.close()


def _moment(seconds: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(seconds))
