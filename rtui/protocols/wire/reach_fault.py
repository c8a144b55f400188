"""Why a peer was not reached, in words that are the same for every protocol.

An adapter's own `explain_opening` asks in this order, and keeps for itself what its library and its peer say:

1. `explain_security(error, trip)`: TLS, certificates, a plain URL at a TLS port and the reverse;
2. what its library raised, and what the first bytes (`trip.head`) look like;
3. `explain_network(error, trip)`: names, addresses, proxy, time;
4. `explain_hang_up(trip, hint)`: the peer ended it without an answer.

Libraries that wrap what they met (httpx, socketio, python-socks) are unwrapped with `buried`.
"""

from __future__ import annotations

import socket
import ssl
from http import HTTPStatus
from typing import Any, Final, TypeVar

from rtui.core.fault import Failure, Fault, FaultKind, Side
from rtui.protocols.wire.tls_fault import explain_tls, needs_tls
from rtui.protocols.wire.trip import Peer, Trip

E = TypeVar("E", bound=BaseException)

TLS_ALERT: Final = b"\x15\x03"
TRANSIENT_STATUS: Final = frozenset({408, 425, 429, 500, 502, 503, 504})
STAGES: Final = {
    "dns": "looking up the host",
    "tcp": "opening the TCP connection",
    "proxy": "connecting through the proxy",
    "tls": "the TLS handshake",
    "websocket": "waiting for the answer to the WebSocket handshake",
}
OTHER_PROXY: Final = "Change the option proxy ('' goes direct) or the proxy variables of the environment"
HTTPS_PORT: Final = 443
CUT: Final = (ssl.SSLEOFError, ssl.SSLZeroReturnError)
"""Called errors of TLS, but they say only that the stream ended."""


class Unopened(Failure):
    """There was no connection."""

    @property
    def transient(self) -> bool:
        """Whether another attempt may succeed."""
        status = (self.fault.meta or {}).get("status_code")
        return self.fault.transient or status in TRANSIENT_STATUS or self.fault.kind == "unknown-host"


def fault(kind: FaultKind, side: Side, title: str, cause: str = "", hint: str = "", **meta: Any) -> Fault:
    """A `Fault` in one line."""
    return Fault(kind=kind, side=side, title=title, cause=cause, hint=hint, meta=meta or None)


def closing() -> Fault:
    """Why a command comes too late."""
    return fault("lost", "us", "The connection is closing", "nothing more can be sent")


def usage(title: str, cause: str, hint: str = "", *, key: str = "") -> Fault:
    """A `Fault` of what the user gave, in the option `key` if one is named."""
    hint = hint or (f"Change the option {key}" if key else "")
    return Fault(kind="usage", side="us", title=title, cause=cause, hint=hint, meta={"key": key} if key else None)


def buried(error: BaseException | None, kind: type[E]) -> E | None:
    """The first of `error`, its cause, the cause's cause … that is a `kind`."""
    while error is not None and not isinstance(error, kind):
        error = error.__cause__  # a context may be a read that had to wait
    return error


def explain_security(error: BaseException, trip: Trip) -> Fault | None:
    """What TLS has against it; None if the reason is another."""
    for each in (buried(error, ssl.SSLError), trip.lost):
        if isinstance(each, ssl.SSLError) and not isinstance(each, CUT):
            return explain_tls(each, trip.peer)
    if trip.head.startswith(TLS_ALERT) and not trip.peer.secure:
        return needs_tls(trip.peer)
    return None


def explain_network(error: OSError, trip: Trip) -> Fault:
    """Names, addresses and time."""
    peer = trip.peer
    if isinstance(error, TimeoutError):
        return late(trip)
    if trip.at == "proxy":
        return _explain_proxy(error, trip)
    if isinstance(error, socket.gaierror):
        hint = "Check the spelling, the network and the DNS"
        return fault("unknown-host", "network", "Unknown host", f"{peer.host}: {error.strerror}", hint)
    if isinstance(error, ConnectionRefusedError):
        hint = f"Is the {peer.word} running? Check the port"
        return fault("refused", "network", "Connection refused", f"nobody listens on {peer.place}", hint)
    if trip.at == "tls":
        cause = f"{peer.place} cut the connection during the TLS handshake"
        return fault("tls", "them", "TLS handshake failed", cause, _without_tls(peer))
    title = "Connection reset" if isinstance(error, ConnectionError) else "Host unreachable"
    kind: FaultKind = "lost" if isinstance(error, ConnectionError) else "unreachable"
    return fault(kind, "network", title, f"{peer.place}: {error.strerror or error}")


def late(trip: Trip) -> Fault:
    """Time ran out."""
    hints = {
        "tls": _without_tls(trip.peer),
        "handshake": f"The port is open but silent: no {trip.peer.word} of this protocol, or it hangs",
        "tcp": "A firewall may drop the packets; check host and port",
    }
    doing = STAGES.get(trip.at, f"waiting for the answer to the {trip.greeting}")
    title = f"No answer in {trip.timeout:g} s"
    return fault("timeout", "network", title, f"{doing}, {trip.peer.place}", hints.get(trip.at, ""), stage=trip.at)


def explain_hang_up(trip: Trip, hint: str) -> Fault:
    """The peer ended the connection where it should have answered; `hint` where no certificate can be missing."""
    greeting = STAGES["websocket"].partition("to the ")[2] if trip.at == "websocket" else trip.greeting
    cause = f"{trip.peer.place} ended the connection without an answer to the {greeting}"
    if trip.peer.secure and not trip.certified:
        # Many servers drop a client that has no certificate without the alert that TLS has for it.
        hint = "It may want a client certificate: give cert and key"
        return fault("tls", "them", "Closed right after the TLS handshake", cause, hint)
    return fault("lost", "network", "Closed during the handshake", cause, hint)


def explain(error: BaseException) -> Fault:
    """What needs no knowledge of the trip, nor of the protocol."""
    match error:
        case Failure():
            return error.fault
        case TimeoutError():
            return fault("timeout", "network", "No answer in time", str(error))
        case OSError():
            return fault("lost", "network", "Connection lost", error.strerror or str(error))
        case UnicodeError():
            return usage("Not a usable host name", str(error))
    return fault("bug", "us", "Unexpected error", f"{type(error).__name__}: {error}", "Please report it")


def _without_tls(peer: Peer) -> str:
    return f"If the port does not speak TLS, use {peer.twin}://"


# The proxy


def refused_by_proxy(code: int, trip: Trip) -> Fault:
    """An HTTP proxy answered CONNECT with this status."""
    via = f"proxy {trip.proxy} answered {code}"
    if code == HTTPStatus.PROXY_AUTHENTICATION_REQUIRED:
        hint = "Put user:password@ into the proxy URL"
        return fault("auth", "them", "The proxy wants authentication", via, hint, status_code=code)
    hint = OTHER_PROXY if trip.peer.port == HTTPS_PORT else f"Many let through to port {HTTPS_PORT} only. {OTHER_PROXY}"
    return fault("handshake", "them", "The proxy refused", via, hint, status_code=code)


def failed_proxy(error: BaseException, trip: Trip) -> Fault:
    """A proxy was there but did not do it, or not in its protocol's words."""
    return fault("handshake", "them", "The proxy failed", f"proxy {trip.proxy}: {error}", OTHER_PROXY)


def _explain_proxy(error: OSError, trip: Trip) -> Fault:
    via = f"proxy {trip.proxy}"
    if buried(error, ConnectionRefusedError) or "refused" in str(error).lower():
        return fault("refused", "network", "The proxy refused the connection", via, OTHER_PROXY)
    if buried(error, socket.gaierror):
        return fault("unknown-host", "network", "Unknown proxy host", via, OTHER_PROXY)
    return fault("unreachable", "network", "The proxy cannot be reached", f"{via}: {error}", OTHER_PROXY)
