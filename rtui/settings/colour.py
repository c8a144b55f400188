"""Colours as users write them: "#rgb", "#rrggbb" or an ANSI name."""

from __future__ import annotations

import re
from typing import Final

_ANSI_HUES: Final = ("black", "red", "green", "yellow", "blue", "magenta", "cyan", "white")
ANSI_COLOURS: Final = ("ansi_default", *(f"ansi_{bright}{hue}" for bright in ("", "bright_") for hue in _ANSI_HUES))
_HEX: Final = re.compile(r"#(?:[0-9a-f]{3}|[0-9a-f]{6})", re.IGNORECASE)


def parse_colour(text: str) -> str:
    """`text` as "#rrggbb" or as an ANSI name.

    Raises:
        ValueError: with a message that goes on from the key ("must be …").
    """
    colour = text.strip().lower()
    if _HEX.fullmatch(colour):
        return colour if len(colour) == len("#rrggbb") else "#" + "".join(digit * 2 for digit in colour[1:])
    if colour in ANSI_COLOURS:
        return colour
    raise ValueError(f"must be a colour such as #5fd7ff or ansi_cyan, not {text[:40]!r}")
