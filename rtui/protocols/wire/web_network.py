"""One connection for HTTP: small reads through a filter into a short queue, which holds the peer back when it is full.

HTTP/1.1 filters with a parser (`web_http1`), HTTP/2 takes the bytes as they are (`web_http2`).
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Final

from rtui.protocols.wire.http_fault import BODY_SHOWN
from rtui.protocols.wire.trip import Trip

READ: Final = 32 * 1024
"""Bytes of one socket read at most: larger ones keep the keys waiting under a flood."""
HIGH: Final = 4 * READ
"""Bytes that wait to be taken before the peer is held back."""


class Wire(asyncio.BaseProtocol):
    """The bytes of one connection, for one reader at a time. Made as `PlainWire` or `SecureWire`."""

    transport: asyncio.Transport
    trip: Trip
    """On which it was made."""

    def __init__(self) -> None:
        self.filter: Callable[[memoryview], bytes] = bytes
        """What becomes of a read: the bytes for the reader. It must not raise."""
        self.full = False
        """Set by the filter: what the reader waits for is here, or will not come."""
        self.ended = False
        """Nothing comes any more."""
        self.error: BaseException | None = None
        """Why, if the connection was not closed in peace."""
        self.head = b""
        """What the peer said first."""
        self.gone = asyncio.get_running_loop().create_future()
        """Done when the socket is closed."""
        self._pieces: deque[bytes] = deque()
        self._held = 0
        self._paused = self._deaf = False
        self._reader: asyncio.Future[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by the loop."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - TCP or TLS
        self.transport = transport

    def take(self, data: memoryview) -> None:
        """These bytes were read."""
        if len(self.head) < BODY_SHOWN:
            self.head += bytes(data[: BODY_SHOWN - len(self.head)])
        if piece := self.filter(data):
            self._pieces.append(piece)
            self._held += len(piece)
            if self._held >= HIGH:
                self._steer()
        self._wake()

    def eof_received(self) -> None:
        """Called by the loop. The peer has said everything; what it did not take of us it will not take."""
        self.transport.abort()

    def connection_lost(self, exc: BaseException | None) -> None:
        """Called by the loop."""
        self.ended = True
        self.error = exc
        if not self.gone.done():
            self.gone.set_result(None)
        self._wake()

    async def read(self) -> bytes:
        """What came, b"" when `full` or `ended`."""
        while not self._pieces:
            if self.full or self.ended:
                return b""
            self._reader = asyncio.get_running_loop().create_future()
            await self._reader
        piece = self._pieces.popleft()
        self._held -= len(piece)
        if self._paused:
            self._steer()
        return piece

    async def wait(self, ready: Callable[[], bool]) -> None:
        """Until `ready`, `full` or `ended`; asked after each read."""
        while not (ready() or self.full or self.ended):
            self._reader = asyncio.get_running_loop().create_future()
            await self._reader

    def drop(self) -> None:
        """Forget what was not read."""
        self._pieces.clear()
        self._held = 0
        self._steer()

    def hold(self, on: bool) -> None:
        """Stop reading, or go on."""
        self._deaf = on
        self._steer()

    def cut(self) -> None:
        """End the connection without a goodbye."""
        self.transport.abort()

    async def close(self) -> None:
        """End the connection, with the goodbye of TLS but without waiting for the peer's."""
        self.transport.close()
        await asyncio.sleep(0)  # TLS writes its goodbye
        self.transport.abort()
        await asyncio.shield(self.gone)

    def _wake(self) -> None:
        if self._reader is not None and not self._reader.done():
            self._reader.set_result(None)

    def _steer(self) -> None:
        paused = self._deaf or self._held >= HIGH
        if paused != self._paused and not self.transport.is_closing():
            self._paused = paused
            (self.transport.pause_reading if paused else self.transport.resume_reading)()


class PlainWire(Wire, asyncio.BufferedProtocol):
    """Reads into the same buffer again and again."""

    def __init__(self) -> None:
        super().__init__()
        self._buffer = memoryview(bytearray(READ))

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002
        """Called by the loop: where to read to."""
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        """Called by the loop: this much was read."""
        self.take(self._buffer[:nbytes])


class SecureWire(Wire, asyncio.Protocol):
    """Over TLS.

    A buffered protocol would lose bytes: when the peer's FIN is there, asyncio decrypts one buffer more, and not the
    rest of what it has (CPython 3.11 to 3.13, `SSLProtocol._do_flush`). Of this kind, it hands over everything.
    """

    def data_received(self, data: bytes) -> None:
        """Called by the loop: up to 256 KiB were decrypted."""
        view = memoryview(data)
        for start in range(0, len(view), READ):
            self.take(view[start : start + READ])
