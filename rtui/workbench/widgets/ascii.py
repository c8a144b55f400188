"""What a terminal without our signs is shown: every line, also Textual's own, goes through here on its way out.

Cell by cell, so that nothing moves. What a peer wrote in its own script stays: there is no ASCII for it.
"""

from __future__ import annotations

from typing import Final

from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter


def _table() -> dict[int, str]:
    lines = dict.fromkeys(range(9472, 9600), "+")
    lines |= dict.fromkeys(map(ord, "─━┄┅┈┉╌╍╴╶╸╺╼╾"), "-") | dict.fromkeys(map(ord, "│┃┆┇┊┋╎╏║╵╷╹╻╽╿"), "|")
    lines[ord("═")] = "="
    blocks = dict.fromkeys(range(9600, 9632), "#")
    blocks |= dict.fromkeys(map(ord, "▎▏▍▌▋▊▉▐▕"), "|") | dict.fromkeys(map(ord, "▔▀"), "-")
    blocks |= dict.fromkeys(map(ord, "▁▂▃▄"), "_")
    pictures = dict.fromkeys(range(9216, 9255), ".")
    braille = dict.fromkeys(range(0x2801, 0x2900), ":") | {0x2800: " "}
    signs = "…~ ·| —- –- −- →> ←< ↑^ ↓v ›> ‹< ⏎< ↵< •* ●o ○. ◌c ✖x ✓v ↻@ ⋯: ◎s ◇p ◆* ▪+ ⊘m ↩< ®R ▴^ ≡= ×x ≥> ≤<"
    arrows = "▾v ▼v ▽v ▸> ▶> ▹> ◀< ◂< ▲^ △^ �? “\" ”\" ‘' ’' ✔v ☰= ⭘o ⌫<"
    pairs = {ord(pair[0]): pair[1] for pair in f"{signs} {arrows}".split()}
    return lines | blocks | pictures | braille | pairs


TABLE: Final = _table()


class Ascii(LineFilter):
    """Puts ASCII for the signs, lines and arrows that screens are drawn with."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:  # noqa: ARG002 - Textual's word
        """The same cells, other characters."""
        return [
            Segment(text, style, control) if text.isascii() else Segment(text.translate(TABLE), style, control)
            for text, style, control in segments
        ]
