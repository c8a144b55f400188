"""Messages of gRPC on a stream of bytes: one flag, four bytes of length, the message ("Length-Prefixed-Message").

Pure: bytes in, messages out, as many as are whole. Compression is per message.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from struct import Struct
from typing import Final

from rtui.core.fault import Failure
from rtui.protocols.wire.reach_fault import fault

PREFIX: Final = Struct(">BI")
GZIP: Final = 31
"""zlib's "wbits" for gzip."""
ENCODINGS: Final = {"gzip": GZIP, "deflate": zlib.MAX_WBITS}
"""Those that we read, by their wbits; gRPC's deflate is zlib's format."""
ACCEPTED: Final = "identity,gzip,deflate"


def packed(message: bytes, *, gzip: bool) -> bytes:
    """A message as it goes out."""
    if gzip:
        squeezer = zlib.compressobj(wbits=GZIP)
        message = squeezer.compress(message) + squeezer.flush()
    return PREFIX.pack(gzip, len(message)) + message


class Messages:
    """Cuts what comes on one stream."""

    def __init__(self, limit: int) -> None:
        """`limit`: the largest message allowed, in bytes after decompression."""
        self.encoding = ""
        """Of the answer: grpc-encoding."""
        self._limit = limit
        self._parts: list[bytes] = []
        self._held = 0
        self._wanted = PREFIX.size
        """Bytes without which there is no next step."""

    @property
    def unfinished(self) -> int:
        """Bytes of a message that is not whole."""
        return self._held

    def feed(self, pieces: Sequence[bytes]) -> Iterator[bytes]:
        """The messages that are whole now, decompressed.

        Raises:
            Failure: one is too large, or cannot be decompressed.
        """
        self._parts += pieces
        self._held += sum(map(len, pieces))
        if self._held < self._wanted:
            return
        data = self._parts[0] if len(self._parts) == 1 else b"".join(self._parts)
        at, size, prefix, unpack, limit = 0, len(data), PREFIX.size, PREFIX.unpack_from, self._limit
        self._wanted = prefix
        while size - at >= prefix:
            flag, length = unpack(data, at)
            if length > limit:
                raise too_large(f"{length:,} bytes", limit)
            end = at + prefix + length
            if end > size:
                self._wanted = prefix + length
                break
            yield data[at + prefix : end] if not flag else self._inflated(data[at + prefix : end], flag)
            at = end
        rest = data[at:]
        self._parts, self._held = [rest] if rest else [], len(rest)

    def _inflated(self, message: bytes, flag: int) -> bytes:
        if flag != 1:
            raise _corrupt(f"a message begins with the flag {flag}, which gRPC does not know")
        if (wbits := ENCODINGS.get(self.encoding)) is None:
            cause = f"a message is compressed with {self.encoding or 'nothing that the server names'}"
            raise Failure(fault("protocol", "them", "Unknown compression", cause, f"We asked for {ACCEPTED}"))
        inflater = zlib.decompressobj(wbits=wbits)
        try:
            found = inflater.decompress(message, self._limit + 1)
        except zlib.error as error:
            raise _corrupt(f"a message cannot be decompressed: {error}") from error
        if len(found) > self._limit:
            raise too_large(f"more than {self._limit:,} bytes after decompression", self._limit)
        if not inflater.eof:
            raise _corrupt("a compressed message ends too early")
        return found


def too_large(what: str, limit: int) -> Failure:
    """A message over the limit."""
    cause = f"a message has {what}, the limit is {limit:,}"
    return Failure(fault("limit", "us", "Message too big", cause, "Raise max_message to accept it", limit=limit))


def _corrupt(cause: str) -> Failure:
    hint = "The server, or a proxy between, breaks its own messages"
    return Failure(fault("protocol", "them", "Broken message", cause, hint))
