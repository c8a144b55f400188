"""A text that is looked for in the bytes of a payload."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Final

WINDOW: Final = 1 << 16
"""Bytes in which hits are listed at once on the way back: a needle may be everywhere."""

_SPACED: Final = re.compile(r"([:,])\s+")
_SPACE: Final = "\x00"
"""Stands for blanks that the source may have or not, until the pattern is made."""
_HEX: Final = re.compile(r"[0-9a-f]{2}(?:\s*[0-9a-f]{2})*", re.IGNORECASE)


def pattern(needle: str) -> re.Pattern[bytes]:
    r"""What finds `needle` in lower-case UTF-8, and also where JSON has escaped it. For `hits`.

    Blanks behind a colon or a comma need not be there: rows show them where the source has none.
    """
    loose = _SPACED.sub(rf"\1{_SPACE}", needle)
    forms = (form for one in (loose, loose.lower(), loose.upper()) for form in (one, _in_json(one)))
    return re.compile(b"|".join(dict.fromkeys(map(_written, forms))))


def digits(needle: str) -> bytes | None:
    """The bytes that `needle` is in hexadecimal, `de ad be`; None if it is not."""
    return bytes.fromhex(needle) if _HEX.fullmatch(needle.strip()) else None


def _in_json(text: str) -> str:
    return _SPACE.join(json.dumps(part)[1:-1] for part in text.split(_SPACE))


def _written(form: str) -> bytes:
    parts = form.encode(errors="surrogatepass").lower().split(_SPACE.encode())
    return rb"\s*".join(map(re.escape, parts))


def hits(wanted: re.Pattern[bytes], data: bytes, at: int, step: int) -> Iterator[re.Match[bytes]]:
    """From `at` on, or (`step` < 0) backwards those that end before it; ASCII letters of either case.

    Ten times as fast as by an expression that ignores the case: 16 MiB in 20 ms.
    """
    lower = data.lower()
    return wanted.finditer(lower, at) if step > 0 else _backwards(wanted, lower, at)


def _backwards(wanted: re.Pattern[bytes], data: bytes, at: int) -> Iterator[re.Match[bytes]]:
    size = WINDOW
    while at > 0:
        start = max(0, at - size)
        found = list(wanted.finditer(data, start, at))
        yield from reversed(found)
        if found:
            at, size = found[0].start(), WINDOW
        elif start:
            size *= 4  # from the same end: one may begin before the window
        else:
            return
