r"""Bytes as text: UTF-8 where valid, `\xff` where not, in rows that fit the pane."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Mapping
from typing import Any, ClassVar, Final

from rtui.core.clean import clean, decode
from rtui.payloads.base import NOTHING, Document, Line, View, content_type, is_text
from rtui.payloads.needle import hits, pattern

ROW_LIMIT: Final = 200_000
"""Rows listed; hex shows what is behind them."""
WIDTH: Final = 4096
"""Bytes per row before the first `reflow`."""
_CONTINUED: Final = 0xC0
_CONTINUATION: Final = 0x80


class TextDocument(Document):
    """Lines, the long ones cut into rows of at most `width` bytes."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self._width = WIDTH
        self._starts = self._cut()

    def _cut(self) -> array[int]:
        """Where each row starts, and at the end where the last one stops."""
        data, width, length = self.data, self._width, len(self.data)
        starts = array("q", [0])
        position = 0
        while position < length and len(starts) <= ROW_LIMIT:
            end = data.find(b"\n", position, position + width) + 1
            position = end or self._whole(position, min(position + width, length))
            starts.append(position)
        return starts

    def _whole(self, start: int, end: int) -> int:
        """`end`, moved back where it would cut a UTF-8 sequence in two."""
        data = self.data
        if end == len(data):
            return end
        if data[end] == ord("\n"):
            return end + 1
        for cut in range(end, max(end - 4, start), -1):
            if data[cut] & _CONTINUED != _CONTINUATION:
                return cut
        return end

    @property
    def height(self) -> int:
        """Rows, and one that tells of bytes not listed."""
        return max(len(self._starts) - 1, 1) + (1 if self._unread else 0)

    @property
    def _unread(self) -> int:
        return len(self.data) - self._starts[-1]

    def lines(self, first: int, count: int) -> list[Line]:
        """Rows `first` to `first + count - 1`."""
        first = max(first, 0)
        listed = len(self._starts) - 1
        shown: list[Line] = [[("text", self._text(row))] for row in range(first, min(first + count, listed))]
        if not listed and first == 0 < count:
            return [[("dim", "(empty)")]]
        if self._unread and first <= listed < first + count:
            shown.append([("dim", f"… {self._unread:,} bytes more: hex shows them")])
        return shown

    def _text(self, row: int) -> str:
        data = self.value(row)
        return clean(decode(data).expandtabs(4))

    def reflow(self, width: int) -> bool:
        """Cut anew, `width` bytes a row: for ASCII exactly what fits."""
        width = max(width, 8)
        if width == self._width:
            return False
        self._width = width
        self._starts = self._cut()
        return True

    def find(self, needle: str, row: int, step: int) -> int | None:
        """See `Document`: it may begin in one row and end in the next."""
        at = self._starts[min(max(row + (step > 0), 0), len(self._starts) - 1)]
        if step > 0 and row >= len(self._starts) - 1:
            return None  # that row stands for all that is not listed
        found = next(hits(pattern(needle), self.data, at, step), None)
        return bisect_right(self._starts, found.start()) - 1 if found is not None else None

    def value(self, row: int) -> bytes:
        """The bytes of the row, its newline left out."""
        if not 0 <= row < len(self._starts) - 1:
            return b""
        return self.data[self._starts[row] : self._starts[row + 1]].removesuffix(b"\n").removesuffix(b"\r")


class TextView(View):
    """Raw text."""

    name: ClassVar[str] = "raw"
    title = "raw"

    def claim(self, data: bytes, meta: Mapping[str, Any]) -> float:
        """Everything can be shown; text well."""
        if content_type(meta).startswith("text/"):
            return 0.6
        return 0.4 if is_text(data) else 0.1

    def open(self, data: bytes, meta: Mapping[str, Any] = NOTHING) -> TextDocument:  # noqa: ARG002 - the bytes tell all
        """Never fails."""
        return TextDocument(data)
