"""What went wrong with a WebSocket, in words: the only place that knows websockets' exceptions.

`explain_opening` has the whole trip to the peer at hand and may probe it once; `ending` reads how an open connection
ended; `explain` translates what is left. What every protocol meets stands in `wire.reach_fault`.
"""

from __future__ import annotations

import re
import ssl
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

import msgspec
from websockets import exceptions as wrong
from websockets.datastructures import Headers
from websockets.http11 import Response

from rtui.core.fault import Fault
from rtui.protocols.wire import reach_fault
from rtui.protocols.wire.http import without_userinfo
from rtui.protocols.wire.http_fault import BAD_REDIRECT, BODY_SHOWN, refused_by_status
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

if TYPE_CHECKING:
    from rtui.protocols.wire.websocket import BatchConnection


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


def _refused_by_status(response: Response, trip: WebSocketTrip) -> Fault:
    headers = list(response.headers.raw_items())
    body = bytes(response.body or b"")
    code, reason = response.status_code, response.reason_phrase
    return refused_by_status(code, reason, headers, body, trip, word="WebSocket", redirects=trip.redirects)


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
