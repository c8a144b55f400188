"""The buttons of a mouse, as Textual numbers them."""

from __future__ import annotations

from typing import Final

LEFT: Final = 1
MIDDLE: Final = 2
RIGHT: Final = 3
