"""What a terminal of 16 colours is shown: the nearest ones, but never text that does not stand out from its ground.

Left to itself, Rich puts the nearest colour for each. The grounds of dark themes then become grey, and so does text.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from rich.color import Color as RichColour
from rich.color import ColorSystem
from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.filter import LineFilter

from rtui.settings.theme import contrast

DARK: Final = 60
"""Below this brightness (0 to 255) a ground is black: between it and grey there is nothing."""
READABLE: Final = 3.0
"""Contrast (WCAG 2.2, 1.4.3, large text) below which text becomes black or white."""
BLACK, WHITE = RichColour.from_ansi(0), RichColour.from_ansi(15)


class Sixteen(LineFilter):
    """Puts ANSI colours for all others."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:  # noqa: ARG002 - Textual's word
        """The same text in other colours."""
        return [
            Segment(text, _fitted(style) if style is not None else None, control) for text, style, control in segments
        ]


@lru_cache(4096)
def _fitted(style: Style) -> Style:
    if style.color is None or style.bgcolor is None:
        return style
    ground = _ground(style.bgcolor)
    text = style.color.downgrade(ColorSystem.STANDARD)
    if _between(text, ground) < READABLE:
        text = max(BLACK, WHITE, key=lambda one: _between(one, ground))
    return style + Style(color=text, bgcolor=ground)


def _ground(colour: RichColour) -> RichColour:
    red, green, blue = colour.get_truecolor()
    brightness = (299 * red + 587 * green + 114 * blue) / 1000
    return BLACK if brightness < DARK else colour.downgrade(ColorSystem.STANDARD)


def _between(one: RichColour, other: RichColour) -> float:
    return contrast(one.get_truecolor().hex, other.get_truecolor().hex)
