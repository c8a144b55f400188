"""Text in rows that fit a width: broken at blanks, or inside a word that is longer than a row."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar

from rtui.core.clean import reach

Style = TypeVar("Style", bound=str)


def wrapped(spans: Sequence[tuple[Style, str]], width: int, *, anywhere: bool = False) -> list[list[tuple[Style, str]]]:
    """Rows of at most `width` cells; `anywhere` keeps every blank and breaks where a row is full, as code wants it."""
    text = "".join([text for _, text in spans])
    return list(_sliced(spans, _full(text, width) if anywhere else _broken(text, width)))


def _full(text: str, width: int) -> Iterator[tuple[int, int]]:
    """Begin and end of each row."""
    start = 0
    while start < len(text):
        end = reach(text, start, width)
        yield start, end
        start = end


def _broken(text: str, width: int) -> Iterator[tuple[int, int]]:
    """Begin and end of each row, the blank between two rows in neither."""
    start = 0
    while start < len(text):
        end = reach(text, start, width)
        if end == len(text):
            yield start, end
            return
        blank = text.rfind(" ", start, end + 1)
        # Scripts without blanks between words: one far to the left is no place to break.
        if blank <= start or (blank < start + (end - start) // 3 and not text[end].isascii()):
            yield start, end
            start = end
        else:
            yield start, blank
            start = blank + 1


def _sliced(spans: Sequence[tuple[Style, str]], bounds: Iterable[tuple[int, int]]) -> Iterator[list[tuple[Style, str]]]:
    """The parts of `spans` between ascending bounds in their joined text."""
    at, before = 0, 0
    for start, end in bounds:
        row: list[tuple[Style, str]] = []
        while at < len(spans):
            style, text = spans[at]
            if part := text[max(start - before, 0) : end - before]:
                row.append((style, part))
            if before + len(text) > end:
                break
            before += len(text)
            at += 1
        yield row
