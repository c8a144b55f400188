"""What all that begin with an HTTP request have in common: headers, credentials, cookies, URLs."""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Callable, Iterable
from typing import Any, Final, TypeAlias
from urllib.parse import quote, urlsplit

from rtui.settings.importing.argv import names
from rtui.settings.importing.base import plain_name
from rtui.settings.importing.brace import filled, literal

Ours: TypeAlias = Callable[[str], str]

EVENT_STREAM: Final = "text/event-stream"
_OURS: Final = names(
    "host connection content-length transfer-encoding upgrade expect sec-websocket-key sec-websocket-version "
    "sec-websocket-accept sec-websocket-extensions accept-encoding te keep-alive proxy-connection"
)
"""Headers that rtui makes itself for each request: they go without saying."""
_BROWSER: Final = re.compile(
    r"sec-(?:fetch|ch|gpc)\b.*|dnt|priority|pragma|cache-control|upgrade-insecure-requests", re.IGNORECASE
)
"""Headers that a browser sends with everything."""
_SCHEME: Final = {"http": "ws", "https": "wss"}
_UNSAFE: Final = re.compile(r"[\x00-\x20\x7f\"<>^`]|[^\x00-\x7f\ufdd0\ufdd1]")


def headers_into(
    options: dict[str, Any],
    pairs: Iterable[tuple[str, str]],
    ours: Ours = filled,
    *,
    socket: bool,
    browser: bool = False,
) -> list[str]:
    """Sort headers into the options that have a name of their own, and `headers`; returns those that are left out.

    `ours` makes a text of the session out of one of the source. `browser`: headers that only a browser means are left
    out too.
    """
    left: list[str] = []
    kept: dict[str, str] = {}
    for name, value in pairs:
        low = name.strip().lower()
        if low in _OURS or low.startswith(":") or (low == "accept" and value.strip().lower() == EVENT_STREAM):
            continue
        if browser and _BROWSER.fullmatch(low):
            left.append(name)
        elif low == "cookie":
            options["cookies"] = options.get("cookies", {}) | cookies(value, ours)
            left += ["a cookie without a name"] * any("=" not in part for part in value.split(";") if part.strip())
        elif socket and low == "sec-websocket-protocol":
            options["subprotocols"] = [ours(part.strip()) for part in value.split(",") if part.strip()]
        elif socket and low == "origin":
            options["origin"] = ours(value)
        elif not (low == "authorization" and credentials_into(options, value, ours)):
            kept[ours(name.strip())] = ours(value.strip())
    if kept:
        options["headers"] = options.get("headers", {}) | kept
    return left


def credentials_into(options: dict[str, Any], value: str, ours: Ours = filled) -> bool:
    """An Authorization that rtui can make itself; False for others."""
    scheme, _, rest = value.strip().partition(" ")
    if scheme.lower() == "bearer" and rest.strip():
        options["token"] = ours(rest.strip())
        return True
    if scheme.lower() != "basic":
        return False
    try:
        user, colon, password = b64decode(rest.strip(), validate=True).decode().partition(":")
    except ValueError:  # a variable, or no base64
        return False
    if colon:
        options |= {"username": literal(user), "password": literal(password)}
    return bool(colon)


def user_into(options: dict[str, Any], text: str) -> None:
    """`user:password`, as command lines have it."""
    user, colon, password = text.partition(":")
    options["username"] = filled(user)
    if colon:
        options["password"] = filled(password)


def cookies(value: str, ours: Ours = filled) -> dict[str, str]:
    """The header Cookie as names and values."""
    pairs = (part.strip().partition("=") for part in value.split(";"))
    return {ours(name): ours(text) for name, equals, text in pairs if equals and name}


def header_of(line: str) -> tuple[str, str]:
    """`Name: value`."""
    name, _, value = line.partition(":")
    return name.strip(), value.strip()


def proxy_of(text: str) -> str:
    """A proxy as curl takes it: without a scheme, it speaks HTTP."""
    return filled(text if "://" in text else f"http://{text}")


def pluses(url: str, kind: str) -> str:
    """`https://h` as `sse+https://h`."""
    return f"{kind}+{url}"


def socket_url(url: str) -> str:
    """`https://h` as `wss://h`; others as they are."""
    scheme, separator, rest = url.partition("://")
    return f"{_SCHEME.get(scheme.lower(), scheme)}{separator}{rest}"


def safe_url(url: str) -> str:
    """`url` with what no URL may hold written as `%XX`."""
    return _UNSAFE.sub(lambda found: quote(found[0]), url.strip())


def name_of(url: str) -> str:
    """A name for a session that has none: host and the end of the path."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or "session"
    except ValueError:
        return "session"
    tail = [part for part in parts.path.split("/") if part]
    return plain_name(host, *tail[-1:])
