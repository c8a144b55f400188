"""Numbers as people read them in a narrow column."""

# ruff: noqa: PLR2004 - the numbers are the units themselves

from __future__ import annotations

import time
from functools import lru_cache


def size(count: int) -> str:
    """Bytes in at most five characters: 999, 1.2k, 16M."""
    if count < 1000:
        return str(count)
    value = float(count)
    for unit in "kMGT":
        value /= 1024
        if value < 999.5:
            return f"{value:.1f}{unit}" if value < 9.95 else f"{value:.0f}{unit}"
    return f"{value:.0f}T"


def amount(value: float) -> str:
    """A count or rate in at most five characters: 12, 0.5, 1.2k, 250k."""
    if value < 10 and value != int(value):
        return f"{value:.1f}"
    if value < 999.5:
        return f"{value:.0f}"
    for unit in "kMG":
        value /= 1000
        if value < 999.5:
            return f"{value:.1f}{unit}" if value < 9.95 else f"{value:.0f}{unit}"
    return f"{value:.0f}G"


def latency(nanoseconds: int) -> str:
    """A round trip: 0.4 ms, 12 ms, 3.1 s."""
    if nanoseconds >= 1_000_000_000:
        return f"{nanoseconds / 1e9:.1f} s"
    milliseconds = nanoseconds / 1e6
    return f"{milliseconds:.1f} ms" if milliseconds < 9.95 else f"{milliseconds:.0f} ms"


def elapsed(seconds: float) -> str:
    """How long: 00:01:23, 2d 03:00:00."""
    whole = int(seconds)
    days, rest = divmod(whole, 86_400)
    clock = f"{rest // 3600:02}:{rest // 60 % 60:02}:{rest % 60:02}"
    return f"{days}d {clock}" if days else clock


def ago(seconds: float) -> str:
    """A short age: now, 5s, 3m, 2h, 4d."""
    if seconds < 1:
        return "now"
    for limit, divisor, unit in ((60, 1, "s"), (3600, 60, "m"), (86_400, 3600, "h")):
        if seconds < limit:
            return f"{int(seconds // divisor)}{unit}"
    return f"{int(seconds // 86_400)}d"


def span(nanoseconds: int) -> str:
    """A signed distance in time, at most ten characters: +0.004, +83.120, +1h02m03."""
    sign, value = ("-", -nanoseconds) if nanoseconds < 0 else ("+", nanoseconds)
    seconds = value // 1_000_000_000
    if seconds < 3600:
        return f"{sign}{seconds}.{value // 1_000_000 % 1000:03}"
    if seconds < 360_000:
        return f"{sign}{seconds // 3600}h{seconds // 60 % 60:02}m{seconds % 60:02}"
    return f"{sign}{seconds // 86_400}d{seconds // 3600 % 24:02}h"


@lru_cache(maxsize=4096)
def _clock(second: int) -> str:
    return time.strftime("%H:%M:%S", time.localtime(second))


def clock(nanoseconds: int) -> str:
    """Local wall time with milliseconds: 12:01:02.123."""
    second, rest = divmod(nanoseconds, 1_000_000_000)
    return f"{_clock(second)}.{rest // 1_000_000:03}"


def date(nanoseconds: int) -> str:
    """Local date and time with microseconds and the offset from UTC."""
    second, rest = divmod(nanoseconds, 1_000_000_000)
    local = time.localtime(second)
    return f"{time.strftime('%Y-%m-%d %H:%M:%S', local)}.{rest // 1000:06} {time.strftime('%z', local)}"


def stretch(first: int, last: int) -> str:
    """From when to when, of nanoseconds since the epoch: 2026-11-20 17:02:31 to 17:19:10, local."""
    begin, end = (time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(at // 1_000_000_000)) for at in (first, last))
    day = begin.partition(" ")[0]
    return begin if begin == end else f"{begin} to {end.removeprefix(f'{day} ')}"
