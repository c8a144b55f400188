"""Small pieces of HTTP that every adapter over HTTP shows or obeys; no I/O."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final, Protocol
from urllib.parse import urlsplit, urlunsplit

from rtui.settings.secrets import is_secret_header, mask_headers, mask_url

LONGEST_WAIT: Final = 3600.0
"""Seconds: a Retry-After beyond this is taken as this."""


class Headers(Protocol):
    """What HTTP libraries have in common."""

    def get_all(self, key: str, /) -> list[str]:
        """Every value of a header."""


def first(headers: Headers, name: str) -> str:
    """The first value of a header, which may stand there twice, or empty."""
    return next(iter(headers.get_all(name)), "")


def safe_headers(items: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Headers by name, joined, with cookies, credentials and what URLs give away hidden."""
    found: dict[str, str] = {}
    for name, value in items:
        shown = _masked(name, value)
        found[name] = f"{found[name]}, {shown}" if name in found else shown
    return found


def _masked(name: str, value: str) -> str:
    if name.lower() in {"set-cookie", "cookie"}:
        return _masked_cookie(value)
    # The answer to our random key is no secret, whatever its name looks like.
    if is_secret_header(name) and not name.lower().startswith("sec-websocket-"):
        return mask_headers({name: value})[name]
    return mask_url(value) if "://" in value or "?" in value else value


def _masked_cookie(value: str) -> str:
    name, separator, rest = value.partition("=")
    _, semicolon, attributes = rest.partition(";")
    return f"{name}{separator}•••{semicolon}{attributes}"


def retry_after(value: str, date: str = "") -> float | None:
    """Seconds asked for by a Retry-After header (RFC 9110 §10.2.3: a number or a date), or None.

    `date` is the Date header of the same answer: a date is meant on the server's clock, whatever ours says.
    """
    value = value.strip()
    if value.isascii() and value.isdigit():
        return min(float(value[:9]), LONGEST_WAIT)
    until = _date(value)
    if until is None:
        return None
    seconds = (until - (_date(date) or datetime.now(UTC))).total_seconds()
    return max(0.0, min(seconds, LONGEST_WAIT))


def _date(value: str) -> datetime | None:
    try:
        date = parsedate_to_datetime(value)
    except (TypeError, ValueError):
        return None
    return date if date.tzinfo else date.replace(tzinfo=UTC)


def without_userinfo(url: str) -> str:
    """The URL without user and password."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
