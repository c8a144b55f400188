"""Colours that users give to subscriptions, on whatever background the theme has."""

from __future__ import annotations

from typing import Final

from rich.color import Color as RichColor
from rich.style import Style
from textual.color import Color

from rtui.settings.theme import contrast

READABLE: Final = 3.0
"""Contrast against the background below which a colour is moved towards that of the text (WCAG 2.2: large text)."""
STEPS: Final = 4


def is_tint(name: str) -> bool:
    """Whether `name` is a colour (settings.colour.parse_colour), and not the name of a style."""
    return name.startswith(("#", "ansi_"))


def tinted(style: Style, colour: str) -> Style:
    """`style` in `colour`; bold instead where the theme has only greys.

    A colour that could hardly be read is moved towards the text's until it can.
    """
    text, ground = _hex(style.color), _hex(style.bgcolor)
    if text and _is_grey(text):
        return style + Style(bold=True)
    if text and ground and colour.startswith("#"):
        colour = _readable(colour, text, ground)
    return style + Style(color=Color.parse(colour).rich_color)


def _readable(colour: str, text: str, ground: str) -> str:
    given, towards = Color.parse(colour), Color.parse(text)
    for step in range(STEPS + 1):
        mixed = given.blend(towards, step / STEPS).hex.lower()
        if contrast(mixed, ground) >= READABLE:
            return mixed
    return text


def _hex(colour: RichColor | None) -> str:
    """As #rrggbb; empty for a colour that only the terminal knows."""
    return colour.triplet.hex if colour is not None and colour.triplet is not None else ""


def _is_grey(colour: str) -> bool:
    return colour[1:3] == colour[3:5] == colour[5:7]
