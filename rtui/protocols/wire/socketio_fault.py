"""What went wrong with Socket.IO, in words: the only place that knows aiohttp's and engineio's exceptions."""

from __future__ import annotations

from typing import Any, Final

import aiohttp
import msgspec

from rtui.core.clean import clean
from rtui.core.event import Closed
from rtui.core.fault import Failure, Fault
from rtui.protocols.wire import reach_fault
from rtui.protocols.wire.http_fault import refused_by_status
from rtui.protocols.wire.probe import speaks_http, speaks_tls
from rtui.protocols.wire.reach_fault import buried, explain_hang_up, explain_network, explain_security, fault
from rtui.protocols.wire.socketio_engine import TRANSPORT_UNKNOWN, VERSION_UNKNOWN, Line, engine_code
from rtui.protocols.wire.socketio_http import Answer, BrokenError, TooBigError
from rtui.protocols.wire.tls_fault import needs_plain, needs_tls
from rtui.protocols.wire.trip import Trip

WORD: Final = "Socket.IO"
SESSION_UNKNOWN: Final = 1
ENGINE_WORDS: Final = {
    TRANSPORT_UNKNOWN: ("The server refuses this transport", "Set transports to auto, or to the other one"),
    VERSION_UNKNOWN: ("The server refuses this version of Engine.IO", "Change the option version"),
}
DROPPED: Final = (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError, aiohttp.ClientResponseError)
"""What a request meets where another protocol is spoken."""
WS_TOO_BIG: Final = 1009
STICKY: Final = "Behind a balancer, polling needs sticky sessions"


async def explain_opening(error: BaseException, line: Line) -> Fault:  # noqa: PLR0911 - one line per cause
    """Why there is no connection. May ask once more to find that a plain URL met a TLS port, or the reverse."""
    trip, http = line.trip, line.http_or_none
    # The library says less than what it met.
    met = error if http is None or http.failure is None or isinstance(error, (Failure, TimeoutError)) else http.failure
    if failure := buried(met, Failure):
        return failure.fault
    if found := explain_security(met, trip):
        return found
    if http and http.refusal:
        return _refused(http.refusal, trip)
    if found := await _other_security(met, trip):
        return found
    if trip.at != "handshake" or isinstance(met, TimeoutError):
        return _unreached(met, trip)
    if http and http.answer and not isinstance(met, (aiohttp.ClientError, OSError)):
        return _refused(http.answer, trip)
    return _unanswered(met, trip)


async def _other_security(met: BaseException, trip: Trip) -> Fault | None:
    """Nothing in the error says it: a plain server drops what it cannot read, and so does one with TLS."""
    peer = trip.peer
    if trip.at == "tls" and isinstance(met, OSError) and await speaks_http(peer.host, peer.port):
        return needs_plain(peer)
    dropped = trip.at == "handshake" and isinstance(met, DROPPED) and not (peer.secure or trip.proxy)
    if dropped and await speaks_tls(peer.host, peer.port):
        return needs_tls(peer)
    return None


def _unreached(met: BaseException, trip: Trip) -> Fault:
    network = buried(met, OSError)
    return reach_fault.explain(met) if network is None else explain_network(_innermost(network), trip)


def _unanswered(met: BaseException, trip: Trip) -> Fault:
    if isinstance(met, (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError)):
        return explain_hang_up(trip, "Check the port; a proxy may stand between")
    if isinstance(met, aiohttp.ClientError):
        cause = f"{trip.peer.place} answered with something else than HTTP"
        return fault(
            "handshake", "them", f"Not a {WORD} server", cause, "Check the port and the protocol", error=clean(str(met))
        )
    return reach_fault.explain(met)


def _innermost(error: OSError) -> OSError:
    return _innermost(error.__cause__) if isinstance(error.__cause__, OSError) else error


def _refused(answer: Answer, trip: Trip) -> Fault:
    """An HTTP answer that opens nothing."""
    found = refused_by_status(answer.status, answer.reason, answer.headers, answer.body, trip, word=WORD)
    code = engine_code(answer)
    if code not in ENGINE_WORDS:
        return found
    title, hint = ENGINE_WORDS[code]
    return msgspec.structs.replace(found, title=title, hint=hint)


# The namespaces


def refused_namespace(namespace: str, data: str) -> Fault:
    """A namespace answered CONNECT with CONNECT_ERROR."""
    reason, details = _reason(data)
    cause = f"{clean(namespace)}: {clean(reason)}" if reason else clean(namespace)
    meta: dict[str, Any] = {"namespace": namespace, **({"data": details} if details is not None else {})}
    if reason.startswith("Invalid namespace"):
        return fault(
            "handshake", "them", "Unknown namespace", cause, "Check its name; the server has none like it", **meta
        )
    return fault("auth", "them", "The namespace refused us", cause, "Check auth, and what the server asks for", **meta)


def _reason(data: str) -> tuple[str, Any]:
    try:
        value = msgspec.json.decode(data)
    except ValueError:
        return data, None
    if isinstance(value, dict) and "message" in value:
        return str(value["message"]), value.get("data")
    if isinstance(value, dict):  # servers 2.x send the data alone
        return "", value
    return str(value), None


def silent_namespace(namespace: str, seconds: float) -> Fault:
    """No answer to CONNECT."""
    cause = f"no answer to CONNECT {clean(namespace)} in {seconds:g} s"
    return fault(
        "timeout", "them", "The namespace does not answer", cause, "Is it a Socket.IO server, or only Engine.IO?"
    )


def left_namespaces() -> Fault:
    """The server sent DISCONNECT to the last namespace."""
    cause = "it disconnected every namespace that we were in"
    return fault("closed", "them", "The server closed the connection", cause, "Its log knows why")


def no_ack(cause: str) -> Fault:
    """An acknowledgement that will not come any more."""
    return fault("lost", "them", "No acknowledgement will come", cause)


def malformed(reason: str) -> Fault:
    """The peer sent no Socket.IO packet."""
    hint = "The server breaks the protocol, or it only speaks Engine.IO"
    return fault("protocol", "them", "Malformed packet", clean(reason), hint)


def too_old(release: str) -> Fault:
    """A server 2.x where another release was expected."""
    cause = f"it speaks Engine.IO 3, the option version says {release}"
    return fault("handshake", "them", "The server is one of Socket.IO 2.x", cause, "Set version to auto or 2")


# The end


def ending(line: Line) -> Closed:
    """How the connection ended, once the library's loops have."""
    socket = line.http.socket
    if found := _broken(line):
        return Closed(by="us", clean=False, fault=found)
    if socket is not None and socket.close_code is not None:
        return _closed_by_frame(socket.close_code, socket.close_reason)
    if line.http.refusal is not None and line.http.failure is None:
        return Closed(by="them", clean=False, fault=_dropped(line.http.refusal, line.trip))
    if line.said_goodbye:
        why = fault("closed", "them", "The server closed the connection", "it sent the CLOSE packet of Engine.IO")
        return Closed(by="them", clean=True, fault=why)
    if line.http.failure is None and line.polling and line.http.answer is not None:
        shown = line.http.answer.body[:40].decode(errors="backslashreplace")
        return Closed(by="us", clean=False, fault=malformed(f"no Engine.IO payload: {shown!r}"))
    return _lost(line.http.failure)


def _broken(line: Line) -> Fault | None:
    """What made us end it."""
    failure, socket, limit = line.http.failure, line.http.socket, line.options.max_size
    if isinstance(failure, TooBigError) or getattr(failure, "code", None) == WS_TOO_BIG:
        cause = f"the limit is {limit:,} bytes"
        return fault("limit", "us", "Message too big", cause, "Raise max_size to accept it", limit=limit)
    if isinstance(failure, BrokenError):
        return malformed(str(failure))
    if isinstance(failure, aiohttp.WebSocketError):
        return fault("protocol", "them", "Illegal frame", clean(str(failure)), "The server breaks RFC 6455")
    if (socket is not None and socket.silent) or isinstance(failure, TimeoutError):
        cause = f"nothing came for {line.patience:g} s, which is its ping_interval and ping_timeout"
        return fault("lost", "network", "The server stopped answering", cause, "It hangs, or the line is dead")
    return None


def _lost(failure: BaseException | None) -> Closed:
    cause = (
        clean(str(failure)) or type(failure).__name__ if failure is not None else "the stream ended without a goodbye"
    )
    hint = "The server died, or something between cut the line"
    return Closed(by="network", clean=False, fault=fault("lost", "network", "Connection lost", cause, hint))


def _closed_by_frame(code: int, reason: str) -> Closed:
    words = f": {clean(reason)}" if reason else ""
    hint = "Our message was larger than the server takes (maxHttpBufferSize)" if code == WS_TOO_BIG else ""
    cause = f"WebSocket close code {code or 'absent'}{words}"
    why = fault("closed", "them", "The server closed the connection", cause, hint)
    return Closed(by="them", clean=True, code=code, reason=reason, fault=why)


def _dropped(answer: Answer, trip: Trip) -> Fault:
    if engine_code(answer) == SESSION_UNKNOWN:
        cause = f"{trip.peer.place} knows our session no more"
        return fault("closed", "them", "The server closed the session", cause, STICKY)
    if answer.status == 413:  # noqa: PLR2004
        cause = f"{trip.peer.place} answered HTTP 413"
        return fault("closed", "them", "Our message was too big", cause, "See maxHttpBufferSize of the server")
    found = refused_by_status(answer.status, answer.reason, answer.headers, answer.body, trip, word=WORD)
    return msgspec.structs.replace(found, kind="closed")
