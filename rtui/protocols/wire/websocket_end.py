"""How an open WebSocket ended: who, why, and what to make of it."""

from __future__ import annotations

from typing import Final

from websockets import exceptions as wrong
from websockets.asyncio.messages import MAX_FRAGMENTS
from websockets.frames import CLOSE_CODE_EXPLANATIONS, Close

from rtui.core.event import Closed
from rtui.core.fault import Fault
from rtui.protocols.wire.reach_fault import fault
from rtui.protocols.wire.websocket import BatchConnection, FragmentsTooManyError

POLITE: Final = frozenset({1000, 1005})
"""Normal closure, and a close without any code: the peer is done."""
ABNORMAL: Final = 1006

CODE_HINTS: Final = {
    1001: "The server goes away, or the page was left",
    1002: "The server found our bytes illegal",
    1003: "The server does not take this type of message",
    1007: "The server found our text not to be UTF-8",
    1008: "A rule of the server was broken; the reason may say which",
    1009: "Our message was larger than the server takes",
    1011: "The server failed; its log knows why",
    1012: "The server restarts",
    1013: "The server is overloaded: try later",
}

# websockets' words → the sentence of RFC 6455 that the frame breaks.
RULES: Final = (
    ("reserved bits", "§5.2: reserved bits must be 0 unless an extension gives them a meaning"),
    ("invalid opcode", "§5.2: an unknown opcode fails the connection"),
    ("incorrect masking", "§5.1: a server must not mask its frames"),
    ("control frame too long", "§5.5: control frames carry 125 bytes at most"),
    ("fragmented control frame", "§5.5: control frames must not be fragmented"),
    ("unexpected continuation", "§5.4: a continuation frame needs a message that began"),
    ("expected a continuation", "§5.4: fragments of one message must not be mixed with another"),
    ("incomplete fragmented message", "§5.4: the message was closed before its last fragment"),
    ("invalid status code", "§7.4.1: this close code must not be sent"),
    ("close frame too short", "§5.5.1: a close frame's body begins with a two-byte code"),
    ("decompression failed", "RFC 7692 §7.2.2: the compressed bytes are damaged"),
    ("RSV1 bit set", "RFC 7692 §6.2: only the first fragment carries the compression bit"),
)


def code_words(code: int) -> str:
    """A close code in words (RFC 6455 §7.4.1 and IANA's registry)."""
    if 3000 <= code < 4000:  # noqa: PLR2004 - RFC 6455 §7.4.2
        return "registered for a framework"
    if 4000 <= code < 5000:  # noqa: PLR2004
        return "private to the application"
    return CLOSE_CODE_EXPLANATIONS.get(code, "unknown code")


def ending(connection: BatchConnection) -> Closed:
    """Tell how it ended, once the transport is gone."""
    protocol = connection.protocol
    received, sent = protocol.close_rcvd, protocol.close_sent
    broken = _illegal(protocol.parser_exc)
    if broken is not None:
        code = int(sent.code) if sent else None
        return Closed(by="us", clean=False, code=code, reason=sent.reason if sent else "", fault=illegal(broken))
    if received is None:
        return _cut(connection, sent)
    if sent is not None and not protocol.close_rcvd_then_sent:
        return Closed(by="us", clean=True, code=int(received.code), reason=received.reason)
    return _by_them(received)


def _illegal(error: Exception | None) -> Exception | None:
    return None if error is None or isinstance(error, EOFError) else error


def _by_them(received: Close) -> Closed:
    code, reason = int(received.code), received.reason
    if code in POLITE:
        return Closed(by="them", clean=True, code=code, reason=reason)
    words = code_words(code)
    cause = f"{code} {words}" + (f": {reason}" if reason else "")
    why = fault("closed", "them", "The server closed the connection", cause, CODE_HINTS.get(code, ""), code=code)
    return Closed(by="them", clean=True, code=code, reason=reason, fault=why)


def _cut(connection: BatchConnection, sent: Close | None) -> Closed:
    if sent is not None:
        reason = "the server did not say goodbye"
        return Closed(by="us", clean=False, code=int(sent.code), reason=reason)
    how = _how_cut(connection)
    why = fault("lost", "network", "Connection lost", how, "The server died, or something between cut the line")
    return Closed(by="network", clean=False, code=ABNORMAL, fault=why)


def _how_cut(connection: BatchConnection) -> str:
    inside = " in the middle of a message" if _inside_message(connection) else ""
    if isinstance(connection.lost, ConnectionResetError):
        return f"reset by the peer{inside} (1006, no close frame)"
    if connection.lost is not None:
        return f"{connection.lost}{inside} (1006, no close frame)"
    return f"the stream ended{inside} without a close frame (1006)"


def _inside_message(connection: BatchConnection) -> bool:
    """Whether the stream ended anywhere but between two messages."""
    error = connection.protocol.parser_exc
    # The library's words for an end where a frame would have begun.
    between_frames = not isinstance(error, EOFError) or "unexpected end of stream" in str(error)
    return connection.protocol.current_size is not None or not between_frames


def illegal(error: Exception) -> Fault:
    """Why we failed the connection over what the peer sent."""
    match error:
        case FragmentsTooManyError():
            cause = f"one message in more than {MAX_FRAGMENTS:,} frames"
            return fault("limit", "us", "Message in too many fragments", cause, "The limit protects the memory")
        case wrong.PayloadTooBig():
            return _too_big(error)
        case UnicodeDecodeError():
            cause = f"RFC 6455 §8.1: {error.reason} at byte {error.start}"
            return fault("protocol", "them", "Text that is not UTF-8", cause, "Such data belongs in binary messages")
        case wrong.ProtocolError():
            text = str(error)
            rule = next((rule for words, rule in RULES if words in text), "")
            cause = f"{text} ({rule if rule.startswith('RFC') else f'RFC 6455 {rule}'})" if rule else text
            return fault("protocol", "them", "Illegal frame", cause, "The server breaks the protocol")
    return fault("protocol", "them", "Illegal bytes", f"{type(error).__name__}: {error}")


def _too_big(error: wrong.PayloadTooBig) -> Fault:
    hint = "Raise max_size to accept it"
    limit = error.max_size  # what the fragments before it took is counted in
    if error.size is None:
        cause = f"a compressed message inflates beyond the limit of {limit:,} bytes"
        return fault("limit", "us", "Message too big", cause, f"{hint}, if it is no bomb", limit=limit)
    size = error.size + (error.current_size or 0)
    cause = f"{size:,} bytes, the limit is {limit:,}"
    return fault("limit", "us", "Message too big", cause, hint, size=size, limit=limit)
