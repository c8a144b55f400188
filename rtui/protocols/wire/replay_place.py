"""Places in a recording and its speed, as people write and read them."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime, timedelta
from typing import Final

from rtui.settings.quantity import parse_duration

SECOND: Final = 1_000_000_000
SPEEDS: Final = (0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 50.0, 100.0, math.inf)
"""What "faster" and "slower" go through."""
SLOWEST: Final = 0.001
PLACE_HINT: Final = "+10s or +1:40 from the beginning, -10s from the end, 50%, or the time of then, such as 12:01:02"
SPEED_HINT: Final = "a number such as 2 or 0.5, or max"
_EPOCH: Final = datetime.fromtimestamp(0, UTC)
_CLOCK: Final = re.compile(r"(\d{1,2}):(\d\d)(?::(\d\d(?:\.\d{1,9})?))?")
_LENGTH: Final = re.compile(r"(?:(\d{1,5}):)?(\d{1,2}):(\d\d(?:\.\d{1,9})?)")


def parse_place(text: str, begin: int, end: int) -> int:
    """The time that `text` means in a recording from `begin` to `end`, all in nanoseconds since the epoch.

    Raises:
        ValueError: if it is no place.
    """
    text = text.strip()
    if text.endswith("%"):
        return begin + int((end - begin) * _percent(text[:-1]))
    if text[:1] in {"+", "-"}:
        length = int(_seconds(text[1:]) * SECOND)
        return begin + length if text[0] == "+" else end - length
    if found := _CLOCK.fullmatch(text):
        return _at_clock(found, begin, end)
    try:
        return _since_epoch(datetime.fromisoformat(text))
    except (ValueError, OverflowError):
        raise ValueError(f"must be {PLACE_HINT}") from None


def parse_speed(text: str) -> float:
    """How many seconds of then go into one of now; "max" is without end.

    Raises:
        ValueError: if it is no speed.
    """
    word = text.strip().lower()
    if word == "max":
        return math.inf
    try:
        speed = float(word.removeprefix("×").removesuffix("x"))
    except ValueError:
        raise ValueError(f"must be {SPEED_HINT}") from None
    if not SLOWEST <= speed < math.inf:
        raise ValueError(f"must be {SPEED_HINT}, at least {SLOWEST:g}")
    return speed


def speed_word(speed: float) -> str:
    """`max`, `2`, `0.5`: what `parse_speed` reads back."""
    return "max" if speed == math.inf else f"{speed:g}"


def next_speed(speed: float, step: int) -> float:
    """The speed of `SPEEDS` above (1) or below (-1) the present one; the last stays."""
    if step > 0:
        return next((one for one in SPEEDS if one > speed), speed)
    return next((one for one in reversed(SPEEDS) if one < speed), speed)


def elapsed(nanoseconds: int) -> str:
    """`00:12`, `1:02:03`."""
    minutes, seconds = divmod(max(0, nanoseconds) // SECOND, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes:02d}:{seconds:02d}"


def span(nanoseconds: int) -> str:
    """`0.7 s`, `12:34`: a length, where it is told in a sentence."""
    return f"{nanoseconds / SECOND:.1f} s" if nanoseconds < 10 * SECOND else elapsed(nanoseconds)


def clock(time: int) -> str:
    """The time of day where the user is, as the log writes it."""
    moment = datetime.fromtimestamp(time // SECOND, UTC).astimezone()
    return f"{moment:%H:%M:%S}.{time % SECOND // 1_000_000:03d}"


def _percent(text: str) -> float:
    if not re.fullmatch(r"\d{1,3}(\.\d{1,9})?", text) or float(text) > 100:  # noqa: PLR2004 - per cent
        raise ValueError("must be from 0% to 100%")
    return float(text) / 100


def _seconds(text: str) -> float:
    if length := _LENGTH.fullmatch(text):
        return int(length[1] or 0) * 3600 + int(length[2]) * 60 + float(length[3])
    return parse_duration(text)


def _at_clock(found: re.Match[str], begin: int, end: int) -> int:
    """When a clock showed this on the day of the beginning, or past midnight if that is still in the recording."""
    hours, minutes, seconds = int(found[1]), int(found[2]), float(found[3] or 0)
    if hours > 23 or minutes > 59 or seconds >= 60:  # noqa: PLR2004 - a clock
        raise ValueError(f"there is no such time of day: {found[0]}")
    day = datetime.fromtimestamp(begin / SECOND, UTC).astimezone().replace(hour=0, minute=0, second=0, microsecond=0)
    moment = day + timedelta(hours=hours, minutes=minutes, seconds=seconds)
    tomorrow = moment + timedelta(days=1)
    past_midnight = _since_epoch(moment) // SECOND < begin // SECOND and _since_epoch(tomorrow) <= end
    return _since_epoch(tomorrow if past_midnight else moment)


def _since_epoch(moment: datetime) -> int:
    """Nanoseconds, to the microsecond exact: a float would be up to 256 away."""
    return (moment.astimezone(UTC) - _EPOCH) // timedelta(microseconds=1) * 1000
