"""What went wrong with a WebSocket, in words: the only place that knows websockets' exceptions.

`explain_opening` has the whole trip to the peer at hand and may probe it once; `ending` reads how an open connection
ended; `explain` translates what is left.
"""

from __future__ import annotations

import re
import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

import msgspec
from websockets import exceptions as wrong
from websockets.datastructures import Headers
from websockets.http11 import Response
from websockets.uri import WebSocketURI

from rtui.core.fault import Fault, FaultKind, Side
from rtui.protocols.wire.http import first, retry_after, safe_headers, without_userinfo
from rtui.protocols.wire.websocket_tls import explain_certificate, explain_plain, explain_tls, speaks_http, speaks_tls
from rtui.settings.secrets import mask_url

if TYPE_CHECKING:
    from rtui.protocols.wire.websocket import BatchConnection

BODY_SHOWN: Final = 2048
"""Bytes of a refusal's body that a fault carries."""
TRANSIENT_KINDS: Final = frozenset({"refused", "unreachable", "timeout", "busy", "protocol", "closed", "lost"})
TRANSIENT_STATUS: Final = frozenset({408, 425, 429, 500, 502, 503, 504})
BAD_REDIRECT: Final = "A redirect that cannot be followed"
TLS_ALERT: Final = b"\x15\x03"
STAGES: Final = {
    "dns": "looking up the host",
    "tcp": "opening the TCP connection",
    "tls": "the TLS handshake",
    "proxy": "connecting through the proxy",
    "handshake": "waiting for the answer to the WebSocket handshake",
}


class Unopened(Exception):
    """There was no connection; `transient` if another attempt may succeed."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.sentence())
        self.fault = fault
        status = (fault.meta or {}).get("status_code")
        self.transient = is_transient(fault) or status in TRANSIENT_STATUS or fault.kind == "unknown-host"


class RedirectError(wrong.InvalidHandshake):
    """A redirect to where a WebSocket cannot be."""


class Trip:
    """How far an attempt to connect came, and how long each stage took."""

    def __init__(self, *, timeout: float, insecure: bool, has_certificate: bool = False) -> None:
        self.timeout = timeout
        self.has_certificate = has_certificate
        self.insecure = insecure
        self.at = "dns"
        self.timings: dict[str, float] = {}
        """Milliseconds per stage, of the last hop when redirects were followed."""
        self.redirects: list[str] = []
        self.proxy = ""
        self.host = ""
        self.port = 0
        self.secure = False
        self.connection: BatchConnection | None = None
        self._began = time.monotonic()

    def begin(self, uri: WebSocketURI) -> None:
        """One hop starts."""
        self.host, self.port, self.secure = uri.host, uri.port, uri.secure
        self.timings = {}
        self.connection = None

    def left(self) -> float:
        """Seconds until the attempt times out."""
        return max(0.05, self.timeout - (time.monotonic() - self._began))

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time a stage; `at` keeps its name if it fails."""
        self.at = name
        began = time.perf_counter()
        yield
        self.timings[name] = round(self.timings.get(name, 0.0) + (time.perf_counter() - began) * 1000, 3)

    @property
    def place(self) -> str:
        """Who was asked."""
        return f"{self.host}:{self.port}"

    @property
    def head(self) -> bytes:
        """What the peer said first."""
        return self.connection.head if self.connection else b""


def fault(kind: FaultKind, side: Side, title: str, cause: str = "", hint: str = "", **meta: Any) -> Fault:
    """A `Fault` in one line."""
    return Fault(kind=kind, side=side, title=title, cause=cause, hint=hint, meta=meta or None)


def is_transient(why: Fault) -> bool:
    """Whether another attempt may succeed, by the kind alone."""
    return why.kind in TRANSIENT_KINDS


async def explain_opening(error: BaseException, trip: Trip) -> Fault:  # noqa: PLR0911 - one line per cause
    """Why there is no connection. May ask once more to find that a plain URL met a TLS port, or the reverse."""
    found = _opening(error, trip)
    if trip.at == "tls" and isinstance(error, OSError) and not isinstance(error, ssl.SSLError) and not trip.proxy:
        # Nothing in the error says it: a plain server drops, or waits for a line that never ends.
        return explain_plain(trip.place) if await speaks_http(trip.host, trip.port) else found or explain(error)
    if found is not None:
        return found
    if broken := _broken_answer(error, trip):
        return broken
    if not trip.secure and not trip.proxy and await speaks_tls(trip.host, trip.port):
        return _needs_wss(trip)
    said = trip.head
    if said:
        return fault(
            "handshake",
            "them",
            "Not a WebSocket server",
            f"{trip.place} answered with something else than HTTP",
            "Check the port and the protocol",
            head=said[:BODY_SHOWN].decode(errors="backslashreplace"),
        )
    cause = f"{trip.place} ended the connection without an answer to the handshake"
    if trip.secure and not trip.has_certificate:
        # Many servers drop a client that has no certificate without the alert that TLS has for it.
        return fault(
            "tls",
            "them",
            "Closed right after the TLS handshake",
            cause,
            "It may want a client certificate: give cert and key",
        )
    return fault("lost", "network", "Closed during the handshake", cause, "Check the port; a proxy may stand between")


def _opening(error: BaseException, trip: Trip) -> Fault | None:  # noqa: PLR0911 - one line per cause
    if trip.proxy and (found := _proxy(error, trip)):
        return found
    lost = trip.connection.lost if trip.connection else None
    for each in (error, lost):
        if isinstance(each, ssl.SSLCertVerificationError):
            return explain_certificate(each, trip.host)
        if isinstance(each, ssl.SSLError):
            return explain_tls(each, trip.place)
    if trip.head.startswith(TLS_ALERT) and not trip.secure:
        return _needs_wss(trip)
    if isinstance(error, TimeoutError):
        return _late(trip)
    if isinstance(error, wrong.InvalidStatus):
        return _refused_by_status(error.response, trip)
    if isinstance(error, OSError):
        return _network(error, trip)
    if isinstance(error, wrong.InvalidMessage):
        return None
    return explain(error)


def _late(trip: Trip) -> Fault:
    doing = STAGES[trip.at]
    hints = {
        "tls": "If the port does not speak TLS, use ws://",
        "handshake": "The port is open but nothing speaks WebSocket there, or it is overloaded",
        "tcp": "A firewall may drop the packets; check host and port",
    }
    title = f"No answer in {trip.timeout:g} s"
    return fault("timeout", "network", title, f"{doing}, {trip.place}", hints.get(trip.at, ""), stage=trip.at)


def _network(error: OSError, trip: Trip) -> Fault:
    if isinstance(error, socket.gaierror):
        hint = "Check the spelling, the network and the DNS"
        return fault("unknown-host", "network", "Unknown host", f"{trip.host}: {error.strerror}", hint)
    if isinstance(error, ConnectionRefusedError):
        hint = "Is the server running? Check the port"
        return fault("refused", "network", "Connection refused", f"nobody listens on {trip.place}", hint)
    if isinstance(error, ConnectionError):
        if trip.at == "tls":
            cause = f"{trip.place} cut the connection during the TLS handshake"
            return fault("tls", "them", "TLS handshake failed", cause, "If the port does not speak TLS, use ws://")
        return fault("lost", "network", "Connection reset", f"{trip.place}: {error.strerror or error}")
    return fault("unreachable", "network", "Host unreachable", f"{trip.place}: {error.strerror or error}")


def _proxy(error: BaseException, trip: Trip) -> Fault | None:  # noqa: PLR0911 - one line per cause
    via = f"proxy {trip.proxy}"
    hint = "Change the option proxy ('' goes direct) or the proxy variables of the environment"
    if isinstance(error, wrong.InvalidProxyStatus):
        code = error.response.status_code
        if code == HTTPStatus.PROXY_AUTHENTICATION_REQUIRED:
            wanted = "Put user:password@ into the proxy URL"
            return fault(
                "auth", "them", "The proxy wants authentication", f"{via} answered 407", wanted, status_code=code
            )
        return fault("handshake", "them", "The proxy refused", f"{via} answered {code}", hint, status_code=code)
    if isinstance(error, wrong.InvalidProxy):
        return explain(error)
    if isinstance(error, wrong.ProxyError):
        return fault("handshake", "them", "The proxy failed", f"{via}: {error.__cause__ or error}", hint)
    if trip.at != "proxy":
        return None
    if isinstance(error, ConnectionRefusedError) or "refused" in str(error).lower():
        return fault("refused", "network", "The proxy refused the connection", via, hint)
    if isinstance(error, socket.gaierror):
        return fault("unknown-host", "network", "Unknown proxy host", via, hint)
    if isinstance(error, OSError) and not isinstance(error, ssl.SSLError | TimeoutError):
        return fault("unreachable", "network", "The proxy cannot be reached", f"{via}: {error}", hint)
    return None


def _broken_answer(error: BaseException, trip: Trip) -> Fault | None:
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


def _refused_by_status(response: Response, trip: Trip) -> Fault:
    code = response.status_code
    body = bytes(response.body or b"")[:BODY_SHOWN].decode(errors="backslashreplace")
    if code == HTTPStatus.BAD_REQUEST and not trip.secure and "HTTPS port" in body:
        return _needs_wss(trip)
    kind, title, hint = STATUS_WORDS.get(code, _by_class(code, response))
    return Fault(
        kind=kind,
        side="them",
        title=title,
        cause=f"{trip.place} answered HTTP {code} {response.reason_phrase}".rstrip(),
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


def explain(error: BaseException) -> Fault:  # noqa: C901, PLR0911, PLR0912 - a table with one row per exception
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
        case UnicodeError():
            return fault("usage", "us", "Not a usable host name", str(error))
        case TimeoutError():
            return fault("timeout", "network", "No answer in time", str(error))
        case OSError():
            return fault("lost", "network", "Connection lost", error.strerror or str(error))
        case RedirectError():
            hint = "The server names a place that is no WebSocket URL"
            return fault("handshake", "them", BAD_REDIRECT, str(error), hint)
        case wrong.InvalidHandshake():
            return fault("handshake", "them", "Handshake failed", str(error))
        case wrong.ConnectionClosed():
            return fault("lost", "network", "Connection lost", str(error))
    return fault("bug", "us", "Unexpected error", f"{type(error).__name__}: {error}", "Please report it")


def _security_title(text: str) -> str:
    return "Too many redirects" if "redirects" in text else "Refused for safety"


def _needs_wss(trip: Trip) -> Fault:
    cause = f"{trip.place} speaks TLS, the URL says ws://"
    return fault("tls", "us", "This port wants TLS", cause, "Use wss://")
