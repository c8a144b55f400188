"""What went wrong with MQTT, in words: reason codes, and why there is no connection."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from msgspec.structs import replace

from rtui.core.clean import decode
from rtui.core.fault import Fault, FaultKind
from rtui.protocols.wire.probe import answer, speaks_http, speaks_tls
from rtui.protocols.wire.reach_fault import explain, explain_hang_up, explain_network, explain_security, fault
from rtui.protocols.wire.tls_fault import needs_plain, needs_tls
from rtui.protocols.wire.trip import Trip

HEAD_SHOWN: Final = 512
"""Bytes of a foreign answer that a fault carries."""
PROBE: Final = b"\x10\x0c\x00\x04MQTT\x04\x02\x00\x05\x00\x00"
"""CONNECT of 3.1.1 without a client id: any broker answers, if only to refuse."""
CONNACK: Final = b"\x20"
GREETING: Final = frozenset({"websocket", "handshake"})
"""The stages in which a peer answers as what it is."""

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

WHO_ARE_WE: Final[dict[tuple[int, bool], str]] = {
    **dict.fromkeys(
        ((4, False), (5, False), (0x86, False), (0x87, False)), "Set username and password: none were given"
    ),
    (0x87, True): "Check username and password; the broker may not let this user in",
}
"""What a refused CONNECT asks for, by its code and whether we gave a user name."""

TITLES: Final[dict[FaultKind, str]] = {
    "auth": "The broker did not let us in",
    "usage": "The broker refused what we asked for",
    "busy": "The broker is not available",
    "limit": "Over a limit of the broker",
}


def reason_words(code: int) -> str:
    """A reason code in words: "not authorized (0x87)"."""
    words = REASONS[code][0] if code in REASONS else "unknown reason"
    return f"{words} (0x{code:02X})"


def reason_fault(code: int, title: str, what: Mapping[str, Any], about: str = "") -> Fault:
    """What a reason code of 0x80 or more means; `what` are the packet's properties."""
    words, kind, hint = REASONS.get(code, ("", "closed", ""))
    text = what.get("reason_string", "")
    if text.lower().rstrip(".") == words.lower():  # as many brokers fill it in
        text = ""
    cause = ": ".join(part for part in (about, reason_words(code), text) if part)
    if reference := what.get("server_reference"):
        hint = f"{hint}: {reference}"
    return fault(kind, "them", title, cause, hint, reason_code=code, **what)


def refused(code: int, what: Mapping[str, Any], *, five: bool, named: bool) -> Fault:
    """Why CONNACK said no; `named`: we gave a user name."""
    if five and code >= 0x80:  # noqa: PLR2004 - from here on reason codes are errors (§2.4)
        kind: FaultKind = REASONS.get(code, ("", "handshake", ""))[1]
        why = reason_fault(code, TITLES.get(kind, "The broker refused the connection"), what, "CONNACK")
    else:
        words, kind, hint = RETURN_CODES.get(code, ("unknown return code", "handshake", ""))
        title = TITLES.get(kind, "The broker refused the connection")
        why = fault(kind, "them", title, f"CONNACK: {words} ({code})", hint, reason_code=code)
    hint = WHO_ARE_WE.get((code, named), "")
    return replace(why, hint=hint) if hint else why


async def explain_opening(error: BaseException, trip: Trip) -> Fault:
    """Why there is no connection. May ask once more to find what stands at the port instead."""
    if (found := explain_security(error, trip)) is not None:
        return found
    if trip.head:
        return _foreign(trip)
    if not isinstance(error, OSError | EOFError):
        return explain(error)
    late = isinstance(error, TimeoutError)
    if not late and not trip.proxy and (found := await instead(trip)) is not None:
        return found
    if isinstance(error, OSError) and (late or trip.at not in GREETING):
        return explain_network(error, trip)
    return explain_hang_up(trip, "It may not speak this version (see version), or not MQTT at all")


async def instead(trip: Trip) -> Fault | None:
    """What stands at the port, if it is not what the URL says: asked by connecting once more."""
    host, port, secure = trip.peer.host, trip.peer.port, trip.peer.secure
    if trip.at == "tls":
        return needs_plain(trip.peer) if await speaks_http(host, port) or await speaks_mqtt(host, port) else None
    if trip.at not in GREETING or secure:
        return None
    if await speaks_tls(host, port):
        return needs_tls(trip.peer)
    if trip.at == "websocket" and await speaks_mqtt(host, port):
        cause = f"{trip.peer.place} speaks MQTT itself"
        return fault("handshake", "them", "No WebSocket at this port", cause, "Use mqtt:// instead of mqtt+ws://")
    if trip.peer.scheme == "mqtt" and await speaks_http(host, port):
        return web_server(trip)
    return None


async def speaks_mqtt(host: str, port: int) -> bool:
    """Whether plain MQTT is answered there."""
    return await answer(host, port, PROBE, 1) == CONNACK


def web_server(trip: Trip) -> Fault:
    """MQTT met HTTP."""
    hint = "If the broker is behind it, use mqtt+ws:// (or mqtt+wss://) and ws_path; else check the port (often 1883)"
    head = {"head": decode(trip.head[:HEAD_SHOWN])} if trip.head else {}
    return fault("handshake", "them", "A web server answers here", f"{trip.peer.place} speaks HTTP", hint, **head)


def _foreign(trip: Trip) -> Fault:
    """The first bytes are not CONNACK."""
    if trip.head.startswith(b"HTTP/") or b"<html" in trip.head[:HEAD_SHOWN].lower():
        return web_server(trip)
    cause = f"{trip.peer.place} answered CONNECT with something else than CONNACK"
    head = decode(trip.head[:HEAD_SHOWN])
    return fault("handshake", "them", "Not an MQTT broker", cause, "Check the port and the protocol", head=head)
