"""JSON Web Tokens: header, claims and times in words. RFC 7519; the signature is not verified, and the view says so."""

from __future__ import annotations

import base64
import re
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, ClassVar, Final

import msgspec

from rtui.core.clean import decode
from rtui.core.words import counted
from rtui.payloads.arguments import ArgumentsDocument, Part, RowDocument
from rtui.payloads.base import NOTHING, Unreadable, View, content_type
from rtui.payloads.json import JsonTree

SIZE_LIMIT: Final = 64 * 1024
"""Longer texts are no tokens."""
TIMES: Final = {
    "iat": "issued", "nbf": "valid from", "exp": "valid until", "auth_time": "signed in", "updated_at": "updated",
}  # fmt: skip
"""Claims that are seconds since 1970 (RFC 7519, 4.1; OpenID Connect Core, 2)."""
# A header is a JSON object, so its first byte is `{` and its text begins with `e`.
_TOKEN: Final = re.compile(rb"\s*(?:Bearer\s+)?(e[\w-]{2,})\.(e[\w-]{1,})\.([\w-]*)\s*", re.ASCII | re.IGNORECASE)
_UNITS: Final = ((86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second"))


class JwtView(View):
    """A token in its three parts."""

    name: ClassVar[str] = "jwt"
    title = "JWT"

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        """`clock` tells the seconds since 1970 that "ago" and "in" are about."""
        self._clock = clock

    def claim(self, data: bytes, meta: Mapping[str, Any]) -> float:
        """By the told type, or the shape of the whole."""
        if len(data) > SIZE_LIMIT:
            return 0.0
        if content_type(meta) == "application/jwt":
            return 0.97
        return 0.92 if _TOKEN.fullmatch(data) else 0.0

    def open(self, data: bytes, meta: Mapping[str, Any] = NOTHING) -> ArgumentsDocument:  # noqa: ARG002
        """Header and claims as trees, then the times and what is said of the signature."""
        found = _TOKEN.fullmatch(data) if len(data) <= SIZE_LIMIT else None
        if found is None:
            raise Unreadable("not a JWT: three parts of base64url with dots between them")
        header, claims, signature = (_decoded(part) for part in found.groups())
        parts = [Part("header", JsonTree(header), None), Part("claims", JsonTree(claims), None)]
        parts += [Part(label, RowDocument(text, text.encode()), None) for label, text in self._times(claims)]
        size = counted(len(signature), "byte") if signature else "none"
        return ArgumentsDocument([*parts, Part("signature", RowDocument(f"{size}, not verified", signature), None)])

    def _times(self, claims: bytes) -> Iterator[tuple[str, str]]:
        """For each claim that is a time its meaning, and the time in words."""
        try:
            known = msgspec.json.decode(claims, type=dict[str, Any])
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return  # the tree shows what a stricter reader refuses
        for claim, meaning in TIMES.items():
            value = known.get(claim)
            if isinstance(value, int | float) and not isinstance(value, bool) and (words := self._words(value)):
                yield meaning, words

    def _words(self, seconds: float) -> str:
        """A time as a date and its distance from now; "" beyond the years 1 to 9999."""
        try:
            date = datetime.fromtimestamp(seconds, UTC)
        except (OverflowError, ValueError, OSError):
            return ""
        return f"{date:%Y-%m-%d %H:%M:%S} UTC, {_distance(seconds - self._clock())}"


def _distance(seconds: float) -> str:
    """How far from now, in the largest unit that fits: "3 days ago", "in 1 hour"."""
    for length, unit in _UNITS:
        if abs(seconds) >= length:
            words = counted(int(abs(seconds) // length), unit)
            return f"in {words}" if seconds > 0 else f"{words} ago"
    return "now"


def _decoded(part: bytes) -> bytes:
    """The bytes of one part: base64url without padding (RFC 7515, 2)."""
    try:
        return base64.b64decode(part + b"=" * (-len(part) % 4), altchars=b"-_", validate=True)
    except ValueError as error:
        raise Unreadable(f"not a JWT: {error}: {decode(part[:20])}") from None
