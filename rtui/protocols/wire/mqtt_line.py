"""The socket of a connection and whether the loop watches it: reads are held, writes wait for room."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import struct
from collections.abc import Callable
from typing import Any, Final

from rtui.protocols.wire.mqtt_value import Framed

READ_SIZE: Final = 32 * 1024
"""Bytes per socket read: keys stay quick under a flood."""
NOT_YET: Final = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


class Line:
    """A non-blocking socket: plain, of TLS, or `Framed`."""

    def __init__(self, sock: Any, *, readable: Callable[[], None], writable: Callable[[], None]) -> None:
        """`readable` is called when there may be something to `receive`, `writable` when a late `send` can go on."""
        self.socket = sock
        self.deaf = False
        self.blocked = False
        """Whether the socket takes no more for now."""
        self._full = False
        self._readable = readable
        self._writable = writable

    def receive(self) -> bytes:
        """One read; TLS and WebSocket may hold more than the socket tells, so they are emptied.

        Raises:
            BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError: there is nothing yet (`NOT_YET`).
            OSError: the line broke.
        """
        data: bytes = self.socket.recv(READ_SIZE)
        while data and hasattr(self.socket, "pending") and self.socket.pending():
            try:
                more: bytes = self.socket.recv(READ_SIZE)
            except NOT_YET:
                break
            if not more:
                break
            data += more
        return data

    def send(self, data: bytes) -> int:
        """Write what the socket takes. A broken line is told by the reader, after what the peer still had to say.

        Raises:
            BlockingIOError: it takes nothing; `writable` is called when it does again.
        """
        try:
            sent: int = self.socket.send(data)
        except NOT_YET:
            self._await_room()
            raise BlockingIOError from None
        except OSError:
            return len(data)
        if isinstance(self.socket, Framed) and not self.socket.flush():
            self._await_room()
        return sent

    @property
    def listening(self) -> bool:
        """Whether what the peer says is read: not on purpose, and not while there is no room."""
        return not (self._full or self.deaf)

    def hold(self, on: bool) -> None:
        """Stop reading because there is no room, or go on."""
        if on is not self._full:
            self._full = on
            self.watch()

    def deafen(self, on: bool) -> None:
        """Stop reading on purpose, or go on."""
        self.deaf = on
        self.watch()

    def watch(self) -> None:
        """Have the loop tell what comes, unless nothing is to be read."""
        if self.socket.fileno() < 0:
            return
        loop = asyncio.get_running_loop()
        if self.listening:
            loop.add_reader(self.socket.fileno(), self._readable)
        else:
            loop.remove_reader(self.socket.fileno())

    def unwatch(self) -> None:
        """The loop lets go of the socket."""
        if self.socket.fileno() >= 0:
            loop = asyncio.get_running_loop()
            loop.remove_reader(self.socket.fileno())
            loop.remove_writer(self.socket.fileno())

    def say_goodbye(self) -> None:
        """In the words of what carries the stream, if it has any."""
        if isinstance(self.socket, Framed):
            self.socket.say_goodbye()

    def close_by_reset(self) -> None:
        """When it is closed, the peer gets a reset."""
        with contextlib.suppress(OSError):
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def _await_room(self) -> None:
        if not self.blocked and self.socket.fileno() >= 0:
            self.blocked = True
            asyncio.get_running_loop().add_writer(self.socket.fileno(), self._on_writable)

    def _on_writable(self) -> None:
        if not isinstance(self.socket, Framed) or self.socket.flush():
            self.blocked = False
            asyncio.get_running_loop().remove_writer(self.socket.fileno())
            self._writable()
