"""A socket that carries MQTT in WebSocket frames: what paho reads and writes when the URL says mqtt+ws.

websockets' protocol without I/O does the handshake and the frames (MQTT 5 §6: binary frames, subprotocol `mqtt`,
packets cut anywhere).
"""

from __future__ import annotations

import socket
import ssl
from typing import Any, Final, TypeAlias

from websockets.client import ClientProtocol
from websockets.frames import Frame, Opcode
from websockets.http11 import Response
from websockets.protocol import State
from websockets.typing import Subprotocol
from websockets.uri import parse_uri

RawSocket: TypeAlias = "socket.socket | ssl.SSLSocket"

READ_SIZE: Final = 32 * 1024
GOODBYE: Final = 1000


class Tunnel:
    """Has of a socket what paho and we use. Non-blocking, like the socket beneath."""

    def __init__(self, sock: RawSocket, url: str, headers: dict[str, str], limit: int) -> None:
        """`limit` is the size of the largest frame accepted."""
        self.sock = sock
        self.response: Response | None = None
        self._protocol = ClientProtocol(parse_uri(url), subprotocols=[Subprotocol("mqtt")], max_size=limit)
        request = self._protocol.connect()
        for name, value in headers.items():
            request.headers[name] = value
        self._protocol.send_request(request)
        self._unsent = bytearray()
        self._waiting = bytearray()
        self._ended = False
        self.head = b""

    # The handshake

    @property
    def open(self) -> bool:
        """Whether the handshake is done.

        Raises:
            InvalidHandshake: if the server refused it.
        """
        if self._protocol.handshake_exc is not None:
            raise self._protocol.handshake_exc
        return self._protocol.state is State.OPEN

    def shake(self) -> bool:
        """Go on with the handshake as far as the socket lets; returns whether it is done."""
        self.flush()
        if not self.open:
            self._fill()
        return self.open

    # What paho uses

    def recv(self, size: int) -> bytes:
        """Up to `size` bytes of MQTT; b"" at the end.

        Raises:
            BlockingIOError: if there are none now.
        """
        if not self._waiting and not self._ended:
            self._fill()
            self.flush()
        if not self._waiting and not self._ended:
            raise BlockingIOError
        taken = bytes(self._waiting[:size])
        del self._waiting[:size]
        return taken

    def send(self, data: bytes) -> int:
        """Take all of `data`, once what was taken before is on its way."""
        self.flush()
        if self._unsent:
            raise BlockingIOError
        if self._protocol.state is not State.OPEN:
            raise BrokenPipeError("the WebSocket is closed")
        self._protocol.send_binary(bytes(data))
        self.flush()
        return len(data)

    def flush(self) -> bool:
        """Write what waits; returns whether all of it is gone."""
        for data in self._protocol.data_to_send():
            self._unsent += data
        while self._unsent:
            try:
                sent = self.sock.send(self._unsent)
            except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
                break
            except OSError:  # a broken line is told by the reader, after what the peer still had to say
                self._unsent.clear()
                break
            del self._unsent[:sent]
        return not self._unsent

    def pending(self) -> int:
        """Bytes that can be read without waiting for the socket."""
        beneath = self.sock.pending() if isinstance(self.sock, ssl.SSLSocket) else 0
        return len(self._waiting) + beneath

    def fileno(self) -> int:
        """Of the socket beneath."""
        return self.sock.fileno()

    def setblocking(self, flag: bool) -> None:
        """Of the socket beneath."""
        self.sock.setblocking(flag)

    def say_goodbye(self) -> None:
        """Close in WebSocket's words; the server ends the TCP connection (RFC 6455 §7.1.1)."""
        if self._protocol.state is State.OPEN:
            self._protocol.send_close(GOODBYE)
        self.flush()

    def setsockopt(self, *args: Any) -> None:
        """Of the socket beneath."""
        self.sock.setsockopt(*args)

    def close(self) -> None:
        """Of the socket beneath."""
        self.sock.close()

    def _fill(self) -> None:
        try:
            data = self.sock.recv(READ_SIZE)
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return
        except BlockingIOError:
            return
        if self.response is None and len(self.head) < READ_SIZE:
            self.head += data
        if data:
            self._protocol.receive_data(data)
        else:
            self._protocol.receive_eof()
        for event in self._protocol.events_received():
            self._on(event)
        if not data or self._protocol.parser_exc is not None:
            self._ended = True

    def _on(self, event: Any) -> None:
        if isinstance(event, Response):
            self.response = event
        elif isinstance(event, Frame) and event.opcode in {Opcode.BINARY, Opcode.TEXT, Opcode.CONT}:
            self._waiting += event.data
        elif isinstance(event, Frame) and event.opcode is Opcode.CLOSE:
            self._ended = True
