"""What went wrong with a WebSocket, in words: the only place that knows websockets' exceptions.

`explain_opening` has the whole trip to the peer at hand and may probe it once; `ending` reads how an open connection
ended; `explain` translates what is left. What every protocol meets stands in `wire.reach_fault`.
"""

from __future__ import annotations

import re
import ssl
from contextlib import suppress
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

import msgspec
from websockets import exceptions as wrong
from websockets.datastructures import Headers
from websockets.http11 import Response

from rtui.core.fault import Fault, FaultKind
from rtui.protocols.wire import reach_fault
from rtui.protocols.wire.http import first, retry_after, safe_headers, without_userinfo
from rtui.protocols.wire.probe import speaks_http, speaks_tls
from rtui.protocols.wire.reach_fault import (
    explain_hang_up,
    explain_network,
    explain_security,
    failed_proxy,
    fault,
    refused_by_proxy,
)
from rtui.protocols.wire.tls_fault import needs_plain, needs_tls
from rtui.protocols.wire.trip import Peer, Trip
from rtui.settings.secrets import mask_url

if TYPE_CHECKING:
    from rtui.protocols.wire.websocket import BatchConnection

BODY_SHOWN: Final = 2048
"""Bytes of a refusal's body that a fault carries."""
BAD_REDIRECT: Final = "A redirect that cannot be followed"


class RedirectError(wrong.InvalidHandshake):
    """A redirect to where a WebSocket cannot be."""


class WebSocketTrip(Trip):
    """A trip that may be redirected."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.redirects: list[str] = []
        self.connection: BatchConnection | None = None

    def begin(self, peer: Peer) -> None:
        """One hop starts."""
        super().begin(peer)
        self.connection = None

    def note(self) -> None:
        """Keep what the connection saw of the peer until it failed."""
        if self.connection is not None:
            self.head, self.lost = self.connection.head, self.connection.lost


async def explain_opening(error: BaseException, trip: WebSocketTrip) -> Fault:
    """Why there is no connection. May ask once more to find that a plain URL met a TLS port, or the reverse."""
    trip.note()
    peer = trip.peer
    found = _opening(error, trip)
    if trip.at == "tls" and isinstance(error, OSError) and not isinstance(error, ssl.SSLError):
        # Nothing in the error says it: a plain server drops, or waits for a line that never ends.
        found = needs_plain(peer) if await speaks_http(peer.host, peer.port) else found
    found = found or _broken_answer(error, trip)
    if found is not None:
        return found
    if not peer.secure and not trip.proxy and await speaks_tls(peer.host, peer.port):
        return needs_tls(peer)
    if trip.head:
        cause = f"{peer.place} answered with something else than HTTP"
        head = trip.head[:BODY_SHOWN].decode(errors="backslashreplace")
        return fault("handshake", "them", "Not a WebSocket server", cause, "Check the port and the protocol", head=head)
    return explain_hang_up(trip, "Check the port; a proxy may stand between")


def _opening(error: BaseException, trip: WebSocketTrip) -> Fault | None:  # noqa: PLR0911 - one line per cause
    if found := explain_security(error, trip):
        return found
    match error:
        case wrong.InvalidProxyStatus():
            return refused_by_proxy(error.response.status_code, trip)
        case wrong.ProxyError():
            return failed_proxy(error.__cause__ or error, trip)
        case wrong.InvalidStatus():
            return _refused_by_status(error.response, trip)
        case wrong.InvalidMessage():
            return None
        case OSError():
            return explain_network(error, trip)
    return explain(error)


def _broken_answer(error: BaseException, trip: WebSocketTrip) -> Fault | None:
    """HTTP that websockets could not read to its end: the status still says more than "no valid response"."""
    said = STATUS_LINE.match(trip.head)
    if said is None:
        return None
    code, reason = int(said[1]), said[2].decode("latin-1").strip()
    head, _, body = trip.head.partition(b"\r\n\r\n")
    headers = Headers()
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        # Names and values that are illegal are what broke the answer, or may be.
        with suppress(wrong.InvalidHeader):
            headers[name.decode("latin-1")] = value.decode("latin-1").strip()
    found = _refused_by_status(Response(code, reason, headers, body), trip)
    broken = f"{found.cause}, and the answer is broken: {_what_broke(error)}"
    return msgspec.structs.replace(found, cause=broken)


def _what_broke(error: BaseException) -> str:
    cause = error.__cause__ or error
    return str(cause) or type(cause).__name__


STATUS_LINE: Final = re.compile(rb"HTTP/[0-9.]+ +([0-9]{3})(?![0-9])([^\r\n]*)")
STATUS_WORDS: Final[dict[int, tuple[FaultKind, str, str]]] = {
    400: ("handshake", "Bad request", "The server did not accept the handshake; see its answer"),
    401: ("auth", "Authentication required", "Give a token, or a user name and password"),
    403: ("auth", "Forbidden", "These credentials, this origin or this address may not connect"),
    404: ("handshake", "Nothing at this path", "Check the path of the URL"),
    405: ("handshake", "Not a WebSocket path", "Check the path of the URL"),
    407: ("auth", "The proxy wants authentication", "Put user:password@ into the proxy URL"),
    410: ("handshake", "Gone", "The path exists no more"),
    426: ("handshake", "Another protocol or version is required", "See the Upgrade header of the answer"),
    429: ("busy", "Too many requests", "Wait, or connect less often"),
    503: ("busy", "Service unavailable", "The server is overloaded or down for maintenance"),
}


def _refused_by_status(response: Response, trip: WebSocketTrip) -> Fault:
    code = response.status_code
    body = bytes(response.body or b"")[:BODY_SHOWN].decode(errors="backslashreplace")
    if code == HTTPStatus.BAD_REQUEST and not trip.peer.secure and "HTTPS port" in body:
        return needs_tls(trip.peer)
    kind, title, hint = STATUS_WORDS.get(code, _by_class(code, response))
    return Fault(
        kind=kind,
        side="them",
        title=title,
        cause=f"{trip.peer.place} answered HTTP {code} {response.reason_phrase}".rstrip(),
        hint=hint,
        retry_after=retry_after(first(response.headers, "Retry-After")),
        meta={
            "status_code": code,
            "status": f"{code} {response.reason_phrase}".rstrip(),
            "headers": safe_headers(response.headers.raw_items()),
            **({"body": body} if body else {}),
            **({"redirects": trip.redirects} if trip.redirects else {}),
        },
    )


def _by_class(code: int, response: Response) -> tuple[FaultKind, str, str]:
    if code == HTTPStatus.SWITCHING_PROTOCOLS:
        return "handshake", "Broken handshake", "A proxy or a broken server answered"
    if code < 300:  # noqa: PLR2004 - the classes of status codes
        return "handshake", "Not a WebSocket server", "It answers as a plain web server; check the path of the URL"
    if code < 400:  # noqa: PLR2004
        where = mask_url(first(response.headers, "Location") or "nowhere")
        return "handshake", BAD_REDIRECT, f"It points to {where}"
    if code < 500:  # noqa: PLR2004
        return "handshake", "The server refused the handshake", "See its answer"
    return "handshake", "The server failed", "An error of the server; see its answer"


def explain(error: BaseException) -> Fault:  # noqa: C901, PLR0911 - a table with one row per exception
    """What needs no knowledge of the trip."""
    match error:
        case wrong.InvalidURI():
            return fault("usage", "us", "Not a usable URL", error.msg, "Write ws://host:port/path or wss://…")
        case wrong.InvalidProxy():
            hint = "Write http://host:port, https://… or socks5h://…"
            return fault("usage", "us", "Not a usable proxy URL", f"{without_userinfo(error.proxy)}: {error.msg}", hint)
        case ImportError():
            return fault("usage", "us", "SOCKS proxies need python-socks", str(error))
        case wrong.SecurityError():
            return fault("handshake", "them", _security_title(str(error)), str(error))
        case wrong.InvalidUpgrade():
            hint = "It is a web server, or a proxy removed the upgrade"
            return fault("handshake", "them", "Not a WebSocket server", str(error), hint)
        case wrong.InvalidHeader() if error.name == "Sec-WebSocket-Accept":
            cause = f"RFC 6455 §4.1: the key's hash does not match ({error})"
            return fault(
                "handshake", "them", "Wrong Sec-WebSocket-Accept", cause, "A cache or a broken server answered"
            )
        case wrong.NegotiationError() | wrong.InvalidHeader():
            title = "Subprotocol not agreed" if "subprotocol" in str(error).lower() else "Extension not agreed"
            return fault("handshake", "them", title, f"RFC 6455 §4.1: {error}", "Change subprotocols or compression")
        case RedirectError():
            hint = "The server names a place that is no WebSocket URL"
            return fault("handshake", "them", BAD_REDIRECT, str(error), hint)
        case wrong.InvalidHandshake():
            return fault("handshake", "them", "Handshake failed", str(error))
        case wrong.ConnectionClosed():
            return fault("lost", "network", "Connection lost", str(error))
    return reach_fault.explain(error)


def _security_title(text: str) -> str:
    return "Too many redirects" if "redirects" in text else "Refused for safety"
