"""Bytes as they are: offset, hexadecimal, ASCII."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Final

from rtui.payloads.base import NOTHING, Document, Line, View, content_type, is_text
from rtui.payloads.needle import digits, hits, pattern

_ASCII: Final = "".join(
    char if char.isascii() and char.isprintable() else "." for char in map(chr, range(256))
).encode()
_SIZES: Final = (16, 8, 4)


class HexDocument(Document):
    """Rows of 16 bytes, or fewer where the pane is narrow. Nothing is computed before it is shown."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self._size = _SIZES[0]

    @property
    def height(self) -> int:
        """Rows; an empty payload has one."""
        return max(-(-len(self.data) // self._size), 1)

    def lines(self, first: int, count: int) -> list[Line]:
        """Rows `first` to `first + count - 1`."""
        first = max(first, 0)
        return [self._line(row) for row in range(first, min(first + count, self.height))]

    def _line(self, row: int) -> Line:
        data = self.value(row)
        pairs = data.hex(" ")
        half = 3 * (self._size // 2)
        spaced = f"{pairs[:half]:{half}} {pairs[half:]:{half}}"
        return [
            ("dim", f"{row * self._size:08x}  "),
            ("hex", spaced),
            ("punct", "│"),
            ("text", data.translate(_ASCII).decode("ascii")),
        ]

    def reflow(self, width: int) -> bool:
        """Take as many bytes a row as fit."""
        # 8 digits and 2 spaces; 3 cells and 1 character a byte; the gap in the middle and the bar.
        size = next((size for size in _SIZES if 12 + 4 * size <= width), _SIZES[-1])
        changed = size != self._size
        self._size = size
        return changed

    def path(self, row: int) -> str | None:
        """The offset of the row's first byte."""
        return f"0x{row * self._size:x}"

    def find(self, needle: str, row: int, step: int) -> int | None:
        """See `Document`: a text, or bytes in hexadecimal. It may begin in one row and end in the next."""
        at = min(max(row + (step > 0), 0) * self._size, len(self.data))
        text = next(hits(pattern(needle), self.data, at, step), None)
        places = [] if text is None else [text.start()]
        if (wanted := digits(needle)) is not None:
            place = self.data.find(wanted, at) if step > 0 else self.data.rfind(wanted, 0, at)
            places += [place] if place >= 0 else []
        return min(places, key=lambda place: place * step) // self._size if places else None

    def value(self, row: int) -> bytes:
        """The bytes of the row."""
        return self.data[row * self._size : (row + 1) * self._size]


class HexView(View):
    """Hexadecimal."""

    name: ClassVar[str] = "hex"
    title = "hex"

    def claim(self, data: bytes, meta: Mapping[str, Any]) -> float:
        """Best for what is not text."""
        if content_type(meta) == "application/octet-stream":
            return 0.5
        return 0.2 if is_text(data) else 0.4

    def open(self, data: bytes, meta: Mapping[str, Any] = NOTHING) -> HexDocument:  # noqa: ARG002 - the bytes tell all
        """Never fails."""
        return HexDocument(data)
