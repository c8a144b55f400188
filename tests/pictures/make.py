"""The README's pictures, made by the program itself: `python -m tests.pictures.make [NAME ...]`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

from tests.pictures.stage import picture
from tests.pictures.view import VIEWS

FOLDER: Final = Path(__file__).parent


def path_of(name: str) -> Path:
    """Where a picture stands."""
    return FOLDER / f"{name}.svg"


if __name__ == "__main__":
    for name in sys.argv[1:] or VIEWS:
        path_of(name).write_text(picture(VIEWS[name]), encoding="utf-8", newline="\n")
