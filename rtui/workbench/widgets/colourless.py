"""What a terminal without colours is shown: what has a ground of its own there is in reverse, as in its own menus.

A cursor in a list, a chosen button and a selection differ from the rest by nothing but their ground. Such a terminal
leaves colours out, so that nobody could tell which line `enter` is about.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Final

from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.filter import LineFilter

from rtui.settings.theme import contrast
from rtui.workbench.output import has_no_colours
from rtui.workbench.widgets.sixteen import Sixteen

APART: Final = 1.5
"""Contrast with the screen's ground from which one is a cursor; below are fields, the bottom line and notifications."""


class Colourless(LineFilter):
    """Puts reverse for grounds, and leaves all colours out."""

    def __init__(self, ground: Callable[[], str]) -> None:
        """`ground` tells the "#rrggbb" of the screen, which changes with the theme."""
        super().__init__()
        self._ground = ground

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:  # noqa: ARG002 - Textual's word
        """The same text in other styles."""
        ground = self._ground()
        return [
            Segment(text, _plain(style, ground) if style is not None else None, control)
            for text, style, control in segments
        ]


@lru_cache(4096)
def _plain(style: Style, ground: str) -> Style:
    apart = style.bgcolor is not None and contrast(style.bgcolor.get_truecolor().hex, ground) >= APART
    return style.without_color + Style(reverse=apart != bool(style.reverse))


def fewer(term: str, ground: Callable[[], str]) -> LineFilter:
    """For a terminal of 16 colours or of none; `ground` is that of the screen."""
    return Colourless(ground) if has_no_colours(term) else Sixteen()
