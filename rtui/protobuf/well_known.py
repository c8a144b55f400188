"""How Timestamp, Duration, FieldMask and bytes stand in JSON: texts, both ways; pure functions.

The rules are those of "ProtoJSON Format" (protobuf.dev/programming-guides/json). What these texts cannot carry (a
Timestamp of the year 10000, a mask path in capitals) gets None here, and is written as a plain object instead.
"""

from __future__ import annotations

import re
from binascii import a2b_base64
from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final

EARLIEST: Final = -62_135_596_800
"""Seconds of 0001-01-01T00:00:00Z."""
LATEST: Final = 253_402_300_799
"""Seconds of 9999-12-31T23:59:59Z."""
LONGEST: Final = 315_576_000_000
"""Seconds of a Duration: about 10,000 years."""
NANOS: Final = 1_000_000_000

_STANDARD: Final = str.maketrans("-_", "+/")
_EPOCH: Final = datetime(1970, 1, 1)  # noqa: DTZ001 - all here is UTC, and written so
_TIMESTAMP: Final = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)", re.ASCII)
_DURATION: Final = re.compile(r"([+-]?)(\d{1,12})(?:\.(\d{0,9}))?s", re.ASCII)
_HUMP: Final = re.compile(r"[A-Z]")
_GAP: Final = re.compile(r"_([a-z])")


def timestamp_text(seconds: int, nanos: int) -> str | None:
    """`2026-11-21T08:55:36.250Z`; None if it is not in the years 1 to 9999."""
    if not (EARLIEST <= seconds <= LATEST and 0 <= nanos < NANOS):
        return None
    return f"{_date(seconds)}{_fraction(nanos)}Z"


@lru_cache(256)
def _date(seconds: int) -> str:
    return (_EPOCH + timedelta(seconds=seconds)).isoformat()


def _fraction(nanos: int) -> str:
    """None, 3, 6 or 9 digits."""
    if not nanos:
        return ""
    if nanos % 1_000_000 == 0:
        return f".{nanos // 1_000_000:03}"
    return f".{nanos // 1000:06}" if nanos % 1000 == 0 else f".{nanos:09}"


def timestamp(text: str) -> tuple[int, int]:
    """Seconds and nanoseconds of an RFC 3339 time with `Z` or an offset.

    Raises:
        ValueError: it is none, or not in the years 1 to 9999.
    """
    found = _TIMESTAMP.fullmatch(text)
    if found is None:
        raise ValueError(text)
    date, fraction, zone = found.groups()
    seconds = _seconds(date)
    if zone != "Z":
        offset = int(zone[1:3]) * 3600 + int(zone[4:]) * 60
        seconds += offset if zone[0] == "-" else -offset
    if not EARLIEST <= seconds <= LATEST:
        raise ValueError(text)
    return seconds, _nanos(fraction)


@lru_cache(256)
def _seconds(date: str) -> int:
    return (datetime.fromisoformat(date) - _EPOCH) // timedelta(seconds=1)


def _nanos(fraction: str | None) -> int:
    return int(fraction.ljust(9, "0")) if fraction else 0


def duration_text(seconds: int, nanos: int) -> str | None:
    """`-1.500s`; None if it is longer than allowed, or of two signs."""
    if abs(seconds) > LONGEST or abs(nanos) >= NANOS or seconds * nanos < 0:
        return None
    sign = "-" if seconds < 0 or nanos < 0 else ""
    return f"{sign}{abs(seconds)}{_fraction(abs(nanos))}s"


def duration(text: str) -> tuple[int, int]:
    """Seconds and nanoseconds, of one sign.

    Raises:
        ValueError: it is no duration, or too long.
    """
    found = _DURATION.fullmatch(text)
    if found is None:
        raise ValueError(text)
    sign, whole, fraction = found.groups()
    seconds, nanos = int(whole), _nanos(fraction)
    if seconds > LONGEST:
        raise ValueError(text)
    return (-seconds, -nanos) if sign == "-" else (seconds, nanos)


def mask_text(paths: Iterable[str]) -> str | None:
    """The paths in lowerCamelCase, with commas; None if they would not come back the same."""
    given = list(paths)
    text = ",".join(_GAP.sub(lambda found: found[1].upper(), path) for path in given)
    return text if "_" not in text and mask(text) == given else None


def mask(text: str) -> list[str]:
    """The paths, in snake_case.

    Raises:
        ValueError: there is an underscore in it, which could not be told from a capital.
    """
    if "_" in text:
        raise ValueError(text)
    return [_HUMP.sub(lambda found: "_" + found[0].lower(), path) for path in text.split(",")] if text else []


def base64_bytes(text: str) -> bytes:
    """The bytes of base64 in either alphabet (RFC 4648 §4, §5), padded or not.

    Raises:
        ValueError: it is none.
    """
    plain = text.translate(_STANDARD).rstrip("=")
    return a2b_base64(plain + "=" * (-len(plain) % 4), strict_mode=True)
