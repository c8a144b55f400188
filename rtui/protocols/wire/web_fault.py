"""What goes wrong with an HTTP answer, in words: the only place that knows what the HTTP libraries raise.

`explain_opening` has the whole trip at hand and may probe the peer once; what happens later is raised as a `Failure`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from rtui.core.clean import clean
from rtui.core.fault import Failure, Fault
from rtui.protocols.wire import reach_fault
from rtui.protocols.wire.http_fault import BAD_REDIRECT, BODY_SHOWN, refused_by_status
from rtui.protocols.wire.probe import speaks_http, speaks_tls
from rtui.protocols.wire.reach_fault import buried, explain_hang_up, explain_network, explain_security, fault
from rtui.protocols.wire.tls_fault import needs_plain, needs_tls
from rtui.protocols.wire.trip import Trip

if TYPE_CHECKING:
    from rtui.protocols.wire.web_exchange import Exchange

HTTP1: Final = "HTTP/1.1"
HTTP2: Final = "HTTP/2"
STATUS_LINE: Final = re.compile(rb"HTTP/[0-9.]+ +[0-9]{3}(?![0-9])")
HTTP2_FRAME: Final = re.compile(rb"\0..[\0-\x09]", re.DOTALL)
"""The head of a frame of HTTP/2 that is not too long (RFC 9113 §4.1, §6)."""


class Ended(Exception):
    """The connection ended before the head of the answer."""


class BrokenAnswer(Exception):
    """What came is no HTTP, or not as the RFCs have it: what is wrong, for us who spoke `version`."""

    def __init__(self, cause: str, version: str) -> None:
        super().__init__(cause)
        self.version = version


class RedirectError(Exception):
    """A redirect that leads nowhere; its title and its cause."""


class CutShort(Failure):
    """The body ended in the middle."""

    def __init__(self, cause: str) -> None:
        hint = "The server died, or something between cut the line"
        super().__init__(fault("lost", "network", "Connection lost", cause, hint))


class TooLarge(Failure):
    """The body has more bytes than allowed."""

    def __init__(self, limit: int) -> None:
        cause = f"more than {limit:,} bytes after decompression"
        hint = "Raise max_size to accept it"
        super().__init__(fault("limit", "us", "Answer too big", cause, hint, limit=limit))


def corrupt(text: str) -> Fault:
    """A body that cannot be decompressed."""
    cause = f"the answer cannot be decompressed: {clean(text)}"
    return fault("protocol", "them", "Corrupt compression", cause, "The server, or a proxy, breaks its own encoding")


def refused(exchange: Exchange, body: bytes, word: str) -> Fault:
    """The fault for a status that opens nothing; `word` names the protocol, `body` is what it began with."""
    return refused_by_status(
        exchange.status, exchange.reason, exchange.headers, body, exchange.trip, word=word, redirects=exchange.redirects
    )


async def explain_opening(error: BaseException, trip: Trip) -> Fault:
    """Why there is no answer. May ask once more to find that a plain URL met a TLS port, or the reverse."""
    if failure := buried(error, Failure):
        return failure.fault
    if found := explain_security(error, trip):
        return found
    if isinstance(error, RedirectError):
        title, cause = error.args
        return fault("handshake", "them", title, cause, "See where the server points to")
    if trip.at != "handshake" or isinstance(error, TimeoutError):
        return await _unreached(error, trip)
    return await _unanswered(error, trip)


async def _unreached(error: BaseException, trip: Trip) -> Fault:
    network, peer = buried(error, OSError), trip.peer
    if network is None:
        return reach_fault.explain(error)
    if trip.at == "tls" and await speaks_http(peer.host, peer.port):
        return needs_plain(peer)
    return explain_network(network, trip)


async def _unanswered(error: BaseException, trip: Trip) -> Fault:
    peer = trip.peer
    if trip.head:
        return _strange(error, trip)
    if not peer.secure and not trip.proxy and await speaks_tls(peer.host, peer.port):
        return needs_tls(peer)
    network = buried(error, OSError)
    if isinstance(error, Ended) or (peer.secure and isinstance(network, ConnectionError)):
        return explain_hang_up(trip, "Check the port; a proxy may stand between")
    return explain_network(network, trip) if network else reach_fault.explain(error)


def _strange(error: BaseException, trip: Trip) -> Fault:
    """Something came, but no head of an answer."""
    place, shown = trip.peer.place, trip.head[:BODY_SHOWN].decode(errors="backslashreplace")
    version = error.version if isinstance(error, BrokenAnswer) else ""
    frames, status = HTTP2_FRAME.match(trip.head), STATUS_LINE.match(trip.head)
    if frames and version == HTTP1:
        cause = f"{place} speaks HTTP/2 from the first byte"
        return fault("handshake", "them", "The server speaks HTTP/2 only", cause, "Set http to 2")
    if status and version == HTTP2:
        cause = f"{place} answered in HTTP/1"
        return fault("handshake", "them", "The server does not speak HTTP/2", cause, "Set http to auto", head=shown)
    if not status and not frames:
        hint = "Check the port and the protocol"
        cause = f"{place} answered with something else than HTTP"
        return fault("handshake", "them", f"Not an HTTP {trip.peer.word}", cause, hint, head=shown)
    why = clean(str(error)) if version else "the connection ended in it"
    return fault("protocol", "them", "Broken answer", f"{place} answered, but the head is broken: {why}", head=shown)


def bad_redirect(cause: str) -> RedirectError:
    """A redirect that cannot be followed."""
    return RedirectError(BAD_REDIRECT, cause)
