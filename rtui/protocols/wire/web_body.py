"""Content encodings (RFC 9110 §8.4.1) undone as the bytes come, in pieces: a bomb never becomes one large object."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from typing import Final, Protocol

import brotli

from rtui.core.fault import Failure
from rtui.protocols.wire.reach_fault import fault
from rtui.protocols.wire.web_fault import CutShort, corrupt

PIECE: Final = 64 * 1024
"""Bytes of one piece at most."""
ACCEPTED: Final = "gzip, deflate, br"
MOST_LAYERS: Final = 3
GZIP: Final = zlib.MAX_WBITS | 16
_CORRUPT: Final = (zlib.error, brotli.error)


class Decoder(Protocol):
    """Undoes one encoding. Its errors are those of its library."""

    def feed(self, data: bytes) -> Iterator[bytes]:
        """What `data` adds, in pieces of at most PIECE."""

    @property
    def whole(self) -> bool:
        """Whether the data may end here."""


class Body:
    """The encodings of one body, the outermost first."""

    def __init__(self, encodings: Sequence[str]) -> None:
        """`encodings` as in Content-Encoding: in the order in which they were applied.

        Raises:
            Failure: one of them is not known.
        """
        if len(encodings) > MOST_LAYERS:
            cause = f"{len(encodings)} layers, at most {MOST_LAYERS} are undone"
            raise Failure(fault("limit", "us", "Too many content encodings", cause, limit=MOST_LAYERS))
        self._layers = [_decoder(name) for name in reversed(encodings)]

    def __bool__(self) -> bool:
        return bool(self._layers)

    def feed(self, data: bytes) -> Iterator[bytes]:
        """What `data` adds, decoded.

        Raises:
            Failure: it is corrupt.
        """
        try:
            yield from _through(self._layers, data)
        except _CORRUPT as error:
            raise Failure(corrupt(str(error))) from error

    def end(self) -> None:
        """No more comes.

        Raises:
            CutShort: more was promised.
        """
        if not all(layer.whole for layer in self._layers):
            raise CutShort("the compressed data ends in the middle")


def _through(layers: Sequence[Decoder], data: bytes) -> Iterator[bytes]:
    if not layers:
        yield data
        return
    for piece in layers[0].feed(data):
        yield from _through(layers[1:], piece)


def encodings(headers: Sequence[tuple[str, str]]) -> list[str]:
    """The encodings that Content-Encoding names, in lower case, without those that change nothing."""
    named = ",".join(value for name, value in headers if name.lower() == "content-encoding")
    return [each for name in named.split(",") if (each := name.strip().lower()) not in {"", "identity"}]


def _decoder(name: str) -> Decoder:
    make = _DECODERS.get(name)
    if make is None:
        hint = "Do not ask for it: remove Accept-Encoding from the headers"
        raise Failure(fault("handshake", "them", "Unknown content encoding", f"Content-Encoding is {name!r}", hint))
    return make()


class Gzip:
    """gzip (RFC 1952), of several members if need be; padding with zeros is no member."""

    def __init__(self) -> None:
        self.whole = True
        self._inflater = zlib.decompressobj(GZIP)

    def feed(self, data: bytes) -> Iterator[bytes]:
        """See `Decoder`."""
        while True:
            if self.whole:  # between two members
                data = data.lstrip(b"\0")
                if not data:
                    return
                self.whole, self._inflater = False, zlib.decompressobj(GZIP)
            yield from _inflated(self._inflater, data)
            if not self._inflater.eof:
                return
            self.whole, data = True, self._inflater.unused_data


class Deflate:
    """deflate: the zlib format (RFC 1950), or the bare one (RFC 1951) that some servers send instead."""

    def __init__(self) -> None:
        self._begin = b""
        self._inflater: zlib._Decompress | None = None

    @property
    def whole(self) -> bool:
        """See `Decoder`."""
        return self._inflater.eof if self._inflater else not self._begin

    def feed(self, data: bytes) -> Iterator[bytes]:
        """See `Decoder`."""
        if self._inflater is None:
            self._begin += data
            if len(self._begin) < 2:  # noqa: PLR2004 - CMF and FLG
                return
            data = self._begin
            first, second = data[:2]
            framed = first & 0x0F == zlib.DEFLATED and (first << 8 | second) % 31 == 0
            self._inflater = zlib.decompressobj(zlib.MAX_WBITS if framed else -zlib.MAX_WBITS)
        if not self._inflater.eof:
            yield from _inflated(self._inflater, data)


class Brotli:
    """br (RFC 7932)."""

    def __init__(self) -> None:
        self._decompressor = brotli.Decompressor()
        self._fed = False

    @property
    def whole(self) -> bool:
        """See `Decoder`."""
        return not self._fed or self._decompressor.is_finished()

    def feed(self, data: bytes) -> Iterator[bytes]:
        """See `Decoder`."""
        self._fed = True
        while True:
            piece = self._decompressor.process(data, output_buffer_limit=PIECE)
            # The limit is a wish: the library gives what its ring buffer holds.
            for start in range(0, len(piece), PIECE):
                yield piece[start : start + PIECE]
            # A full piece may have left some of it inside, even where more input is accepted.
            if len(piece) < PIECE and self._decompressor.can_accept_more_data():
                return
            data = b""


_DECODERS: Final[dict[str, type[Gzip | Deflate | Brotli]]] = {
    "gzip": Gzip,
    "x-gzip": Gzip,
    "deflate": Deflate,
    "br": Brotli,
}


def _inflated(inflater: zlib._Decompress, data: bytes) -> Iterator[bytes]:
    """Until zlib has given everything: a full piece may have left some of it inside."""
    while piece := inflater.decompress(data, PIECE):
        yield piece
        if len(piece) < PIECE or inflater.eof:
            return
        data = inflater.unconsumed_tail
