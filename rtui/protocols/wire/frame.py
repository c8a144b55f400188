"""Cuts WebSocket frames out of bytes; no I/O, no library (RFC 6455 §5.2).

A *simple* frame is a whole message: FIN set, text or binary, no reserved bit, not masked. Servers send little else, so
`cut` takes a run of them in one loop. Everything unusual is only measured here (`extent`) and left to the library.
"""

from __future__ import annotations

from typing import Final

TEXT: Final = 0x81
BINARY: Final = 0x82
LEGAL_OPCODES: Final = frozenset({0x0, 0x1, 0x2, 0x8, 0x9, 0xA})
MASK_BIT: Final = 0x80
SHORT: Final = 125
"""Largest length that fits the second byte; 126 and 127 announce two and eight more bytes."""
TWO_MORE: Final = 126
EIGHT_MORE: Final = 127
ILLEGAL: Final = -1
INCOMPLETE: Final = 0


def cut(buffer: bytes, start: int, limit: int) -> tuple[list[bytes], int]:
    """The payloads of the whole simple frames at `start` that have the same type, and where they end.

    Stops at the first frame that is incomplete, larger than `limit`, or different.
    """
    payloads: list[bytes] = []
    take = payloads.append
    end = len(buffer)
    first = buffer[start]
    position = start
    if first not in {TEXT, BINARY}:
        return payloads, start
    while position + 1 < end and buffer[position] == first:
        size = buffer[position + 1]
        body = position + 2
        if size > SHORT:
            if size > EIGHT_MORE:
                break
            more = 2 if size == TWO_MORE else 8
            if body + more > end:
                break
            size = int.from_bytes(buffer[body : body + more], "big")
            body += more
        stop = body + size
        if stop > end or size > limit:
            break
        take(buffer[body:stop])
        position = stop
    return payloads, position


def extent(buffer: bytes, start: int) -> int:  # noqa: PLR0911 - a header read byte by byte
    """How many bytes the frame at `start` has, header included; ILLEGAL or INCOMPLETE if its header is."""
    available = len(buffer) - start
    if available < 1:
        return INCOMPLETE
    if buffer[start] & 0x0F not in LEGAL_OPCODES:
        return ILLEGAL
    if available < 2:  # noqa: PLR2004 - the header has at least two bytes
        return INCOMPLETE
    size = buffer[start + 1]
    if size & MASK_BIT:
        return ILLEGAL
    if size <= SHORT:
        return 2 + size
    more = 2 if size == TWO_MORE else 8
    if available < 2 + more:
        return INCOMPLETE
    return 2 + more + int.from_bytes(buffer[start + 2 : start + 2 + more], "big")


def invalid_text(payloads: list[bytes]) -> int | None:
    """The index of the first payload that is not UTF-8, or None.

    One check for all: joined with an ASCII byte between them, the whole is valid exactly if each part is.
    """
    joined = payloads[0] if len(payloads) == 1 else b"\n".join(payloads)
    if joined.isascii():
        return None
    try:
        joined.decode()
    except UnicodeDecodeError:
        return _first_invalid(payloads)
    return None


def _first_invalid(payloads: list[bytes]) -> int | None:
    for index, payload in enumerate(payloads):
        try:
            payload.decode()
        except UnicodeDecodeError:
            return index
    return None
