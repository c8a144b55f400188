"""Durations and sizes as people write them: `500ms 2s 1m30s` and `64k 16M`."""

from __future__ import annotations

import math
import re
from typing import Final

_NUMBER: Final = r"\d{1,18}(?:\.\d{1,24})?(?:e[+-]?\d{1,3})?"
_PART: Final = re.compile(rf"({_NUMBER})\s*(us|µs|ms|s|m|h|d)\s*", re.IGNORECASE)
_BARE: Final = re.compile(_NUMBER, re.IGNORECASE)
_SIZE: Final = re.compile(r"(\d{1,19}(?:\.\d{1,18})?)\s*([kmgt]?)(?:i?b)?", re.IGNORECASE)

_SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_PER_SECOND: Final = {"ms": 1000, "us": 1_000_000, "µs": 1_000_000}
_LONGEST: Final = 1e9
"""Seconds from which a duration is not worth a unit."""
_BYTES: Final = {"": 1, "k": 1024, "m": 1024**2, "g": 1024**3, "t": 1024**4}
LARGEST_SIZE: Final = 2**63 - 1

DURATION_HINT: Final = "a duration such as 500ms, 2s or 1m"
SIZE_HINT: Final = "a size such as 4096, 64k or 16M"


def parse_duration(text: str) -> float:
    """Seconds in `text`; a bare number means seconds, parts add up ("1m30s").

    Raises:
        ValueError: if it is not a duration.
    """
    text = text.strip()
    if _BARE.fullmatch(text):
        return _finite(float(text), text)
    total, position = 0.0, 0
    while part := _PART.match(text, position):
        total += _part_seconds(float(part[1]), part[2].lower())
        position = part.end()
    if not text or position != len(text):
        raise ValueError(f"must be {DURATION_HINT}, not {clip(text)!r}")
    return _finite(total, text)


def _part_seconds(number: float, unit: str) -> float:
    # Dividing keeps 500ms == 0.5 and 100ms == 0.1 to the last bit; multiplying by 0.001 does not.
    return number / _PER_SECOND[unit] if unit in _PER_SECOND else number * _SECONDS[unit]


def _finite(seconds: float, text: str) -> float:
    if not math.isfinite(seconds):
        raise ValueError(f"must be {DURATION_HINT}; {clip(text)!r} is too long")
    return seconds


def format_duration(seconds: float) -> str:
    """The shortest text that `parse_duration` reads back as exactly `seconds` (not negative, finite)."""
    for text in _whole_units(seconds):
        if parse_duration(text) == seconds:
            return text
    return f"{seconds!r}s"


def _whole_units(seconds: float) -> list[str]:
    if seconds == 0:
        return ["0s"]
    coarse = [
        f"{int(seconds // size)}{unit}" for unit, size in reversed(_SECONDS.items()) if size <= seconds < _LONGEST
    ]
    fine = [f"{round(seconds * _PER_SECOND[unit])}{unit}" for unit in ("ms", "us") if seconds < 1]
    return coarse + fine


def parse_size(text: str) -> int:
    """Bytes in `text`; k, M, G and T are powers of 1024, a trailing B or iB changes nothing.

    Raises:
        ValueError: if it is not a whole number of bytes below 2**63.
    """
    found = _SIZE.fullmatch(text.strip())
    if not found:
        raise ValueError(f"must be {SIZE_HINT}, not {clip(text)!r}")
    unit = _BYTES[found[2].lower()]
    whole, _, fraction = found[1].partition(".")
    scale: int = 10 ** len(fraction)
    size, rest = divmod(int(whole + fraction) * unit, scale)
    if rest:
        raise ValueError(f"must be a whole number of bytes; {clip(text)!r} is not")
    if size > LARGEST_SIZE:
        raise ValueError(f"must be {SIZE_HINT}; {clip(text)!r} is too large")
    return size


def format_size(size: int) -> str:
    """The shortest text that `parse_size` reads back as exactly `size` (not negative)."""
    for suffix, unit in (("T", 1024**4), ("G", 1024**3), ("M", 1024**2), ("k", 1024)):
        if size and size % unit == 0:
            return f"{size // unit}{suffix}"
    return str(size)


def clip(text: str, length: int = 40) -> str:
    """`text` short enough for an error message."""
    return text if len(text) <= length else f"{text[: length - 1]}…"
