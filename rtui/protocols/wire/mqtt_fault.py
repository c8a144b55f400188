"""What went wrong with MQTT, in words: reason codes, and why there is no connection."""

from __future__ import annotations

import asyncio
import socket
import ssl
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from rtui.core.clean import decode
from rtui.core.fault import Fault, FaultKind, Side
from rtui.protocols.wire.websocket_tls import PLAIN, explain_certificate, explain_tls, speaks_http, speaks_tls

HEAD_SHOWN: Final = 512
"""Bytes of a foreign answer that a fault carries."""
PROBE_TIME: Final = 1.0
PROBE: Final = b"\x10\x0c\x00\x04MQTT\x04\x02\x00\x05\x00\x00"
"""CONNECT of 3.1.1 without a client id: any broker answers, if only to refuse."""
CONNACK: Final = 0x20
TLS_ALERT: Final = b"\x15\x03"
TRANSIENT_KINDS: Final = frozenset({"refused", "unreachable", "timeout", "busy", "protocol", "closed", "lost"})
STAGES: Final = {
    "dns": "looking up the host",
    "tcp": "opening the TCP connection",
    "proxy": "connecting through the proxy",
    "tls": "the TLS handshake",
    "websocket": "waiting for the answer to the WebSocket handshake",
    "handshake": "waiting for the answer to the MQTT handshake (CONNACK)",
}
SCHEMES: Final = {"mqtt": "mqtts", "mqtt+ws": "mqtt+wss"}

REASONS: Final[dict[int, tuple[str, FaultKind, str]]] = {
    0x00: ("success", "closed", ""),
    0x04: ("disconnect with will message", "closed", ""),
    0x10: ("no matching subscribers", "closed", "Nobody has subscribed to this topic"),
    0x11: ("no subscription existed", "usage", ""),
    0x80: ("unspecified error", "closed", "The broker's log may know why"),
    0x81: ("malformed packet", "protocol", "The broker could not read our packet"),
    0x82: ("protocol error", "protocol", "The broker found our packet against the rules"),
    0x83: ("implementation specific error", "closed", "The broker's documentation may know why"),
    0x84: ("unsupported protocol version", "handshake", "Set version to the other one (3.1.1 or 5)"),
    0x85: ("client identifier not valid", "usage", "Change client_id"),
    0x86: ("bad user name or password", "auth", "Check username and password"),
    0x87: ("not authorized", "auth", "The broker's access list does not allow this"),
    0x88: ("server unavailable", "busy", ""),
    0x89: ("server busy", "busy", "Try later"),
    0x8A: ("banned", "auth", "The broker's administrator banned this client"),
    0x8B: ("server shutting down", "closed", ""),
    0x8C: ("bad authentication method", "auth", "The broker wants another kind of authentication"),
    0x8D: ("keep alive timeout", "lost", "The broker heard nothing from us in time"),
    0x8E: ("session taken over", "usage", "Another client uses this client id; give each its own"),
    0x8F: ("topic filter invalid", "usage", "Check the topic filter"),
    0x90: ("topic name invalid", "usage", "Check the topic"),
    0x91: ("packet identifier in use", "protocol", ""),
    0x92: ("packet identifier not found", "protocol", ""),
    0x93: ("receive maximum exceeded", "protocol", ""),
    0x94: ("topic alias invalid", "usage", "Change topic_alias"),
    0x95: ("packet too large", "limit", "The broker does not take packets of this size"),
    0x96: ("message rate too high", "closed", "Send less often"),
    0x97: ("quota exceeded", "busy", "A limit of the broker is reached"),
    0x98: ("administrative action", "closed", "An administrator of the broker did this"),
    0x99: ("payload format invalid", "usage", "The payload is not UTF-8 as payload_format says"),
    0x9A: ("retain not supported", "usage", "Send without retain"),
    0x9B: ("QoS not supported", "usage", "Use a lower QoS"),
    0x9C: ("use another server", "handshake", "The broker sends its clients elsewhere for now"),
    0x9D: ("server moved", "handshake", "The broker moved for good"),
    0x9E: ("shared subscriptions not supported", "usage", "Subscribe without $share"),
    0x9F: ("connection rate exceeded", "busy", "Connect less often"),
    0xA0: ("maximum connect time", "closed", "The broker limits how long a connection lasts"),
    0xA1: ("subscription identifiers not supported", "usage", "Subscribe without identifier"),
    0xA2: ("wildcard subscriptions not supported", "usage", "Subscribe to whole topics"),
}
"""Reason code (MQTT 5 §2.4) → words, what kind of fault, what to do."""

RETURN_CODES: Final[dict[int, tuple[str, FaultKind, str]]] = {
    1: ("unacceptable protocol version", "handshake", "Set version to the other one (3.1.1 or 5)"),
    2: ("identifier rejected", "usage", "Change client_id; some brokers want 1 to 23 letters and digits"),
    3: ("server unavailable", "busy", "The broker is up but not ready"),
    4: ("bad user name or password", "auth", "Check username and password"),
    5: ("not authorized", "auth", "Check username and password; the broker may not know this client"),
}
"""CONNACK of 3.1.1 (§3.2.2.3) → likewise."""

TITLES: Final[dict[FaultKind, str]] = {
    "auth": "The broker did not let us in",
    "usage": "The broker refused what we asked for",
    "busy": "The broker is not available",
    "limit": "Over a limit of the broker",
}


class Unopened(Exception):
    """There was no connection; `transient` if another attempt may succeed."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.sentence())
        self.fault = fault
        self.transient = is_transient(fault) or fault.kind == "unknown-host"


class Trip:
    """How far an attempt to connect came, and how long each stage took."""

    def __init__(self, host: str, port: int, *, scheme: str, timeout: float) -> None:
        self.host = host
        self.port = port
        self.scheme = scheme
        self.secure = scheme not in SCHEMES
        self.timeout = timeout
        self.at = "dns"
        self.timings: dict[str, float] = {}
        """Milliseconds per stage."""
        self.proxy = ""
        self.tls: Mapping[str, Any] = {}
        self.local = self.remote = ""
        """What `Opened` tells of the socket."""
        self.certified = False
        """Whether we hold a client certificate."""
        self.head = b""
        """What the peer said first."""
        self.lost: BaseException | None = None
        """What ended the socket after the handshakes below."""
        self._began = time.monotonic()

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time a stage; `at` keeps its name if it fails."""
        self.at = name
        began = time.perf_counter()
        yield
        self.timings[name] = round((time.perf_counter() - began) * 1000, 3)

    def left(self) -> float:
        """Seconds until the attempt times out."""
        return max(0.05, self.timeout - (time.monotonic() - self._began))

    @property
    def place(self) -> str:
        """Who was asked."""
        return f"{self.host}:{self.port}"


def fault(kind: FaultKind, side: Side, title: str, cause: str = "", hint: str = "", **meta: Any) -> Fault:
    """A `Fault` in one line."""
    return Fault(kind=kind, side=side, title=title, cause=cause, hint=hint, meta=meta or None)


def usage(title: str, cause: str, hint: str = "") -> Fault:
    """A `Fault` of what the user gave."""
    return fault("usage", "us", title, cause, hint)


def is_transient(why: Fault) -> bool:
    """Whether another attempt may succeed, by the kind alone."""
    return why.kind in TRANSIENT_KINDS


def reason_words(code: int) -> str:
    """A reason code in words: "not authorized (0x87)"."""
    words = REASONS[code][0] if code in REASONS else "unknown reason"
    return f"{words} (0x{code:02X})"


def reason_fault(code: int, title: str, what: Mapping[str, Any], about: str = "") -> Fault:
    """What a reason code of 0x80 or more means; `what` are the packet's properties."""
    _, kind, hint = REASONS.get(code, ("", "closed", ""))
    text = what.get("reason_string", "")
    cause = ": ".join(part for part in (about, reason_words(code), text) if part)
    if reference := what.get("server_reference"):
        hint = f"{hint}: {reference}"
    return fault(kind, "them", title, cause, hint, reason_code=code, **what)


def refused(code: int, what: Mapping[str, Any], *, five: bool) -> Fault:
    """Why CONNACK said no."""
    if five and code >= 0x80:  # noqa: PLR2004 - from here on reason codes are errors (§2.4)
        kind: FaultKind = REASONS.get(code, ("", "handshake", ""))[1]
        return reason_fault(code, TITLES.get(kind, "The broker refused the connection"), what, "CONNACK")
    words, kind, hint = RETURN_CODES.get(code, ("unknown return code", "handshake", ""))
    title = TITLES.get(kind, "The broker refused the connection")
    return fault(kind, "them", title, f"CONNACK: {words} ({code})", hint, reason_code=code)


async def explain_opening(error: BaseException, trip: Trip) -> Fault:
    """Why there is no connection. May ask once more to find what stands at the port instead."""
    if (found := _opening(error, trip)) is not None:
        return found
    if isinstance(error, TimeoutError):
        return late(trip)
    if not trip.proxy and (found := await instead(trip)) is not None:
        return found
    if isinstance(error, OSError) and trip.at not in {"tls", "handshake", "websocket"}:
        return _network(error, trip)
    if trip.at == "tls":
        cause = f"{trip.place} cut the connection during the TLS handshake"
        return fault(
            "tls", "them", "TLS handshake failed", cause, f"If the port does not speak TLS, use {_other(trip)}://"
        )
    return _hung_up(trip)


async def instead(trip: Trip) -> Fault | None:
    """What stands at the port, if it is not what the URL says: asked by connecting once more."""
    if trip.at == "tls":
        plain = await speaks_http(trip.host, trip.port) or await speaks_mqtt(trip.host, trip.port)
        return needs_plain(trip) if plain else None
    if trip.at not in {"handshake", "websocket"}:
        return None
    if not trip.secure and await speaks_tls(trip.host, trip.port):
        return needs_tls(trip)
    if trip.at == "handshake" and not trip.scheme.endswith(("ws", "wss")) and not trip.secure:
        return web_server(trip) if await speaks_http(trip.host, trip.port) else None
    if trip.at == "websocket" and not trip.secure and await speaks_mqtt(trip.host, trip.port):
        cause = f"{trip.place} speaks MQTT itself"
        return fault("handshake", "them", "No WebSocket at this port", cause, "Use mqtt:// instead of mqtt+ws://")
    return None


async def speaks_mqtt(host: str, port: int) -> bool:
    """Whether plain MQTT is answered there."""
    try:
        async with asyncio.timeout(PROBE_TIME):
            reader, writer = await asyncio.open_connection(host, port)
            try:
                writer.write(PROBE)
                return (await reader.read(1))[:1] == bytes([CONNACK])
            finally:
                writer.transport.abort()
    except OSError:
        return False


def needs_tls(trip: Trip) -> Fault:
    """A plain URL met a TLS port."""
    cause = f"{trip.place} speaks TLS, the URL says {trip.scheme}://"
    return fault("tls", "us", "This port wants TLS", cause, f"Use {_other(trip)}://")


def needs_plain(trip: Trip) -> Fault:
    """A TLS URL met a plain port."""
    cause = f"{trip.place} answers without TLS, the URL says {trip.scheme}://"
    return fault("tls", "us", "This port does not speak TLS", cause, f"Use {_other(trip)}://")


def web_server(trip: Trip) -> Fault:
    """MQTT met HTTP."""
    hint = "If the broker is behind it, use mqtt+ws:// (or mqtt+wss://) and ws_path; else check the port (often 1883)"
    head = {"head": decode(trip.head[:HEAD_SHOWN])} if trip.head else {}
    return fault("handshake", "them", "A web server answers here", f"{trip.place} speaks HTTP", hint, **head)


def late(trip: Trip) -> Fault:
    """Time ran out."""
    hints = {
        "tls": f"If the port does not speak TLS, use {_other(trip)}://",
        "handshake": "The port is open but silent: no broker, or it hangs",
        "tcp": "A firewall may drop the packets; check host and port",
    }
    title = f"No answer in {trip.timeout:g} s"
    return fault("timeout", "network", title, f"{STAGES[trip.at]}, {trip.place}", hints.get(trip.at, ""), stage=trip.at)


def explain(error: BaseException) -> Fault:
    """What needs no knowledge of the trip."""
    match error:
        case TimeoutError():
            return fault("timeout", "network", "No answer in time", str(error))
        case OSError():
            return fault("lost", "network", "Connection lost", error.strerror or str(error))
        case UnicodeError():
            return usage("Not a usable host name", str(error))
    return fault("bug", "us", "Unexpected error", f"{type(error).__name__}: {error}", "Please report it")


def _opening(error: BaseException, trip: Trip) -> Fault | None:
    for each in (error, trip.lost):
        if isinstance(each, ssl.SSLCertVerificationError):
            return explain_certificate(each, trip.host)
        if isinstance(each, ssl.SSLError) and not isinstance(each, ssl.SSLEOFError | ssl.SSLZeroReturnError):
            if any(word in (each.reason or "").upper().replace(" ", "_") for word in PLAIN):
                return needs_plain(trip)
            return explain_tls(each, trip.place)
    if trip.head:
        return _foreign(trip)
    if isinstance(error, OSError) and trip.at in {"dns", "tcp", "proxy"}:
        return late(trip) if isinstance(error, TimeoutError) else _network(error, trip)
    return None if isinstance(error, OSError | EOFError) else explain(error)


def _foreign(trip: Trip) -> Fault:
    """The first bytes are not CONNACK."""
    if trip.head.startswith(TLS_ALERT) and not trip.secure:
        return needs_tls(trip)
    if trip.head.startswith(b"HTTP/") or b"<html" in trip.head[:HEAD_SHOWN].lower():
        return web_server(trip)
    cause = f"{trip.place} answered CONNECT with something else than CONNACK"
    head = decode(trip.head[:HEAD_SHOWN])
    return fault("handshake", "them", "Not an MQTT broker", cause, "Check the port and the protocol", head=head)


def _hung_up(trip: Trip) -> Fault:
    layer = "MQTT" if trip.at == "handshake" else "WebSocket"
    cause = f"{trip.place} ended the connection without an answer to the {layer} handshake"
    if trip.secure and not trip.certified:
        return fault(
            "lost",
            "network",
            "Closed during the handshake",
            cause,
            "It may want a client certificate: give cert and key",
        )
    hint = "It may not speak this version (see version), or not MQTT at all"
    return fault("lost", "network", "Closed during the handshake", cause, hint)


def _network(error: OSError, trip: Trip) -> Fault:
    via = f"proxy {trip.proxy}" if trip.at == "proxy" else ""
    if isinstance(error, socket.gaierror):
        hint = "Check the spelling, the network and the DNS"
        return fault("unknown-host", "network", "Unknown host", f"{via or trip.host}: {error.strerror}", hint)
    if isinstance(error, ConnectionRefusedError):
        hint = "Is the broker running? Check the port"
        return fault("refused", "network", "Connection refused", f"nobody listens on {via or trip.place}", hint)
    if via:
        hint = "Change the option proxy ('' goes direct) or the proxy variables of the environment"
        return fault("unreachable", "network", "The proxy cannot be reached", f"{via}: {error}", hint)
    if isinstance(error, ConnectionError):
        return fault("lost", "network", "Connection reset", f"{trip.place}: {error.strerror or error}")
    return fault("unreachable", "network", "Host unreachable", f"{trip.place}: {error.strerror or error}")


def _other(trip: Trip) -> str:
    """The scheme with TLS for one without, and the reverse."""
    return SCHEMES.get(trip.scheme) or next(plain for plain, secure in SCHEMES.items() if secure == trip.scheme)
