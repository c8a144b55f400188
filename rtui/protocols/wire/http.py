"""Small pieces of HTTP that every adapter over HTTP shows or obeys; no I/O."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final
from urllib.parse import urlsplit, urlunsplit

LONGEST_WAIT: Final = 3600.0
"""Seconds: a Retry-After beyond this is taken as this."""


def safe_headers(items: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Headers by name, joined, with the values of cookies hidden."""
    found: dict[str, str] = {}
    for name, value in items:
        shown = _masked_cookie(value) if name.lower() in {"set-cookie", "cookie"} else value
        found[name] = f"{found[name]}, {shown}" if name in found else shown
    return found


def _masked_cookie(value: str) -> str:
    name, separator, rest = value.partition("=")
    _, semicolon, attributes = rest.partition(";")
    return f"{name}{separator}•••{semicolon}{attributes}"


def retry_after(value: str, now: datetime | None = None) -> float | None:
    """Seconds asked for by a Retry-After header (RFC 9110 §10.2.3: a number or a date), or None."""
    value = value.strip()
    if value.isascii() and value.isdigit():
        return min(float(value[:9]), LONGEST_WAIT)
    try:
        date = parsedate_to_datetime(value)
    except (TypeError, ValueError):
        return None
    date = date if date.tzinfo else date.replace(tzinfo=UTC)
    seconds = (date - (now or datetime.now(UTC))).total_seconds()
    return max(0.0, min(seconds, LONGEST_WAIT))


def without_userinfo(url: str) -> str:
    """The URL without user and password."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
