"""What a refusal by HTTP status means, for every adapter that begins with a request."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any, Final

from rtui.core.fault import Fault, FaultKind
from rtui.protocols.wire.http import retry_after, safe_headers
from rtui.protocols.wire.tls_fault import needs_tls
from rtui.protocols.wire.trip import Trip
from rtui.settings.secrets import mask_url

BODY_SHOWN: Final = 2048
"""Bytes of a refusal's body that a fault carries."""
BAD_REDIRECT: Final = "A redirect that cannot be followed"
STATUS_WORDS: Final[dict[int, tuple[FaultKind, str, str]]] = {
    400: ("handshake", "Bad request", "The server did not accept the handshake; see its answer"),
    401: ("auth", "Authentication required", "Give a token, or a user name and password"),
    403: ("auth", "Forbidden", "These credentials, this origin or this address may not connect"),
    404: ("handshake", "Nothing at this path", "Check the path of the URL"),
    405: ("handshake", "Not a {word} path", "Check the path of the URL"),
    407: ("auth", "The proxy wants authentication", "Put user:password@ into the proxy URL"),
    410: ("handshake", "Gone", "The path exists no more"),
    426: ("handshake", "Another protocol or version is required", "See the Upgrade header of the answer"),
    429: ("busy", "Too many requests", "Wait, or connect less often"),
    503: ("busy", "Service unavailable", "The server is overloaded or down for maintenance"),
}


def refused_by_status(
    code: int, reason: str, headers: Sequence[tuple[str, str]], body: bytes, trip: Trip, *, word: str, **meta: Any
) -> Fault:
    """The fault for an answer that opens nothing; `word` names the protocol, `meta` is shown where not empty."""
    shown = body[:BODY_SHOWN].decode(errors="backslashreplace")
    if code == HTTPStatus.BAD_REQUEST and not trip.peer.secure and "HTTPS port" in shown:
        return needs_tls(trip.peer)
    kind, title, hint = STATUS_WORDS.get(code) or _by_class(code, headers, word)
    status = f"{code} {reason}".rstrip()
    optional = {"body": shown, **meta}
    return Fault(
        kind=kind,
        side="them",
        title=title.format(word=word),
        cause=f"{_who(trip)} answered HTTP {status}",
        hint=hint,
        retry_after=retry_after(_first(headers, "retry-after"), _first(headers, "date")),
        meta={
            "status_code": code,
            "status": status,
            "headers": safe_headers(headers),
            **{key: value for key, value in optional.items() if value},
        },
    )


def _who(trip: Trip) -> str:
    """A proxy that hands requests on answers in the server's place where it cannot."""
    return f"{trip.peer.place}, or proxy {trip.proxy} before it," if trip.forwarded else trip.peer.place


def _by_class(code: int, headers: Sequence[tuple[str, str]], word: str) -> tuple[FaultKind, str, str]:
    if code == HTTPStatus.SWITCHING_PROTOCOLS:
        return "handshake", "Broken handshake", "A proxy or a broken server answered"
    if code < 300:  # noqa: PLR2004 - the classes of status codes
        return "handshake", f"Not a {word} server", "It answers as a plain web server; check the path of the URL"
    if code < 400:  # noqa: PLR2004
        where = mask_url(_first(headers, "location") or "nowhere")
        return "handshake", BAD_REDIRECT, f"It points to {where}"
    if code < 500:  # noqa: PLR2004
        return "handshake", "The server refused the handshake", "See its answer"
    return "handshake", "The server failed", "An error of the server; see its answer"


def _first(headers: Sequence[tuple[str, str]], name: str) -> str:
    return next((value for each, value in headers if each.lower() == name), "")
