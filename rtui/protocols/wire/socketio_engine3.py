"""Engine.IO 3, for servers 2.x: the client of the optional extra `socketio2`."""

from __future__ import annotations

import logging
import signal
from typing import Any

from rtui.core.fault import Failure
from rtui.protocols.wire.reach_fault import usage
from rtui.protocols.wire.socketio_http import Http

try:
    from engineio_v3 import asyncio_client, client, packet, payload
except ImportError as error:
    what = "Servers of Socket.IO 2.x need a library of their own"
    raise Failure(usage(what, str(error), "pip install 'rtui[socketio2]'")) from error

# The answer's size is what is bounded (`Http`): how many packets are in it is the server's choice.
payload.Payload.max_decode_packets = 2**31


class Client(asyncio_client.AsyncClient):  # type: ignore[misc] # the library has no types
    """What differs from the library: messages go to our sink, and pings can be held back."""

    line: Any

    async def _receive_packet(self, pkt: Any) -> None:
        self.line.alive = True
        if pkt.packet_type == packet.MESSAGE:
            await self.line.http.polled(pkt.data)
        else:
            self.line.said_goodbye |= pkt.packet_type == packet.CLOSE
            await super()._receive_packet(pkt)

    def post(self, data: str | bytes) -> None:
        """`send` without a wait."""
        self.queue.put_nowait(packet.Packet(packet.MESSAGE, data))

    async def _send_packet(self, pkt: Any) -> None:
        if not (self.line.muted and pkt.packet_type in {packet.PING, packet.PONG}):
            await super()._send_packet(pkt)

    def _reset(self) -> None:
        # The library would close a session that is not its own.
        self.state, self.sid = "disconnected", None
        if self in client.connected_clients:
            client.connected_clients.remove(self)


def make(logger: logging.Logger, http: Http, timeout: float) -> Client:
    """A client, without the handler of SIGINT that the library would put in the place of ours."""
    client.original_signal_handler = client.original_signal_handler or signal.getsignal(signal.SIGINT)
    asyncio_client.async_signal_handler_set = True
    return Client(logger=logger, http_session=http, request_timeout=timeout)
