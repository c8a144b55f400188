"""What goes wrong with gRPC, in words: connections that do not come about, and calls that end badly.

`explain_opening` has the whole trip at hand and may probe the peer once; `explain_ending` reads the end of one call.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from h2.exceptions import ProtocolError

from rtui.core.clean import clean
from rtui.core.fault import Failure, Fault, FaultKind, Side
from rtui.protocols.wire import reach_fault
from rtui.protocols.wire.grpc_status import Ending, Status, reset_name
from rtui.protocols.wire.http_fault import BODY_SHOWN, refused_by_status
from rtui.protocols.wire.probe import speaks_http, speaks_tls
from rtui.protocols.wire.reach_fault import buried, explain_hang_up, explain_network, explain_security, fault
from rtui.protocols.wire.tls_fault import needs_plain, needs_tls
from rtui.protocols.wire.trip import Trip

if TYPE_CHECKING:
    from rtui.protocols.wire.grpc_channel import Channel, Going

WORDS: Final[dict[int, tuple[FaultKind, Side, str, str]]] = {
    Status.CANCELLED: ("closed", "them", "The call was cancelled", "The server, or a proxy between, gave it up"),
    Status.UNKNOWN: ("protocol", "them", "The server failed in an unknown way", "See its log"),
    Status.INVALID_ARGUMENT: ("usage", "us", "The server does not accept the request", "Check its fields"),
    Status.DEADLINE_EXCEEDED: ("timeout", "them", "The deadline passed", "Raise the deadline, or see why it is slow"),
    Status.NOT_FOUND: ("usage", "us", "Not found", "What the request names does not exist"),
    Status.ALREADY_EXISTS: ("usage", "us", "It exists already", "What the request would make is there"),
    Status.PERMISSION_DENIED: ("auth", "them", "Permission denied", "These credentials may not call this method"),
    Status.RESOURCE_EXHAUSTED: (
        "busy",
        "them",
        "A resource is used up",
        "A quota, a rate or a size: wait, or send less",
    ),
    Status.FAILED_PRECONDITION: ("usage", "us", "Not possible in this state", "Something else must be done first"),
    Status.ABORTED: ("busy", "them", "Aborted by a conflict", "Try the whole sequence again"),
    Status.OUT_OF_RANGE: ("usage", "us", "Out of range", "The request points past the end"),
    Status.UNIMPLEMENTED: (
        "usage",
        "us",
        "The server does not have this method",
        "Check its name, and the server's version",
    ),
    Status.INTERNAL: ("protocol", "them", "Internal error of the server", "See its log"),
    Status.UNAVAILABLE: ("busy", "them", "Service unavailable", "It may pass: try again"),
    Status.DATA_LOSS: ("protocol", "them", "Data were lost", "The server cannot recover them"),
    Status.UNAUTHENTICATED: ("auth", "them", "Authentication required", "Give a token, or metadata with credentials"),
}
"""Status → kind, side, what it means, hint."""
PLAIN_HTTP: Final = b"HTTP/"


class Ended(Exception):
    """The connection ended before the peer's settings came."""


def no_alpn(trip: Trip) -> Fault:
    """TLS stands, but the server did not choose HTTP/2."""
    cause = f"{trip.peer.place} does not agree on HTTP/2 (ALPN) and ended the connection"
    hint = "gRPC needs HTTP/2; is this an older web server or proxy?"
    return fault("handshake", "them", "The server does not speak HTTP/2", cause, hint)


async def explain_opening(error: BaseException, trip: Trip) -> Fault:
    """Why there is no connection. May ask once more to find that a plain URL met a TLS port, or the reverse."""
    if failure := buried(error, Failure):
        return failure.fault
    if found := explain_security(error, trip):
        return found
    if trip.at == "tls" and not isinstance(error, TimeoutError) and await speaks_http(trip.peer.host, trip.peer.port):
        return needs_plain(trip.peer)
    if trip.at == "handshake":
        return await _no_settings(error, trip)
    network = buried(error, OSError)
    return explain_network(network, trip) if network else reach_fault.explain(error)


async def _no_settings(error: BaseException, trip: Trip) -> Fault:
    """The socket stands, and no HTTP/2 came out of it."""
    peer = trip.peer
    if trip.head:
        return _strange(error, trip)
    if not peer.secure and not trip.proxy and await speaks_tls(peer.host, peer.port):
        return needs_tls(peer)
    if not isinstance(error, TimeoutError) and not trip.proxy and await speaks_http(peer.host, peer.port):
        return _http1(trip)
    network = buried(error, OSError)
    if isinstance(error, Ended) or (peer.secure and isinstance(network, ConnectionError)):
        return explain_hang_up(trip, "Check the port: gRPC needs HTTP/2 from the first byte")
    return explain_network(network, trip) if network else reach_fault.explain(error)


def _http1(trip: Trip) -> Fault:
    cause = f"{trip.peer.place} answers in HTTP/1.1"
    hint = "A web server or proxy stands there; gRPC often has a port of its own"
    return fault("handshake", "them", "The server does not speak HTTP/2", cause, hint)


def _strange(error: BaseException, trip: Trip) -> Fault:
    if trip.head.startswith(PLAIN_HTTP):
        return _http1(trip)
    shown = trip.head[:BODY_SHOWN].decode(errors="backslashreplace")
    if isinstance(error, ProtocolError):
        cause = f"{trip.peer.place} answers with something else than HTTP/2"
        return fault("handshake", "them", "Not a gRPC server", cause, "Check the port and the protocol", head=shown)
    if isinstance(error, TimeoutError):
        return reach_fault.late(trip)
    return explain_hang_up(trip, "It began to speak HTTP/2, and stopped")


def explain_ending(ending: Ending, trip: Trip) -> Fault:
    """Why a call failed; the status and what came with it stand in its row besides."""
    if ending.why is not None:
        return ending.why
    if ending.http:
        return explain_http(ending, trip)
    if ending.by == "us" and ending.code == Status.CANCELLED:
        return fault("closed", "us", "The call was cancelled by us")
    if ending.by == "network":
        return fault("lost", "network", "Connection lost", ending.message)
    kind, side, words, hint = WORDS.get(ending.code, ("protocol", "them", "The call failed", "gRPC has no such status"))
    if ending.by == "us" and ending.code == Status.DEADLINE_EXCEEDED:
        side = "us"
    # The status comes first: of a row that is cut, and in a list of many, it is what tells one from another.
    if not ending.message:
        return fault(kind, side, ending.status, words, ending.hint or hint)
    return fault(kind, side, ending.status, clean(ending.message), f"{words}. {ending.hint or hint}")


def explain_http(ending: Ending, trip: Trip) -> Fault:
    """A web server or a proxy answered instead."""
    if ending.http != 200:  # noqa: PLR2004
        return refused_by_status(ending.http, "", ending.headers, ending.body, trip, word="gRPC")
    cause = f"{trip.peer.place} answered with {clean(ending.message)}"
    shown = ending.body.decode(errors="backslashreplace")
    hint = "A web server or proxy stands there; check host, port and path"
    return fault("handshake", "them", "Not a gRPC server", cause, hint, body=shown)


def ended(channel: Channel) -> Fault:
    """Why the connection is gone."""
    if channel.going is not None:
        return gone_away(channel.going, channel.trip)
    return _lost(channel.error, channel.trip)


def _lost(error: BaseException | None, trip: Trip) -> Fault:
    """Without a goodbye."""
    place = trip.peer.place
    if isinstance(error, ProtocolError):
        cause = f"{place} broke the rules of HTTP/2: {clean(str(error))}"
        return fault("protocol", "them", "Broken HTTP/2", cause, "The server, or a proxy between, is at fault")
    cause = f"{place}: {error.strerror or error}" if isinstance(error, OSError) else f"{place} cut the connection"
    return fault("lost", "network", "Connection lost", cause, "The server died, or something between cut the line")


def gone_away(going: Going, trip: Trip) -> Fault:
    """The server ended the connection with GOAWAY: politely, or because of us."""
    name, said = reset_name(going.code), clean(going.debug)
    cause = f"{trip.peer.place}: {name}" + (f", {said}" if said else "")
    hint = "Raise keep_alive: it does not like to be pinged so often" if "ping" in said else ""
    return fault("closed", "them", "The server went away", cause, hint)
