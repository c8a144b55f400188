"""What the services of the embedded gRPC server share: how methods are found, limits, the connections themselves."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, TypeAlias

from google.protobuf.message import DecodeError
from google.protobuf.message_factory import GetMessageClass
from grpclib import GRPCError, Status
from grpclib import server as library
from grpclib.const import Cardinality, Handler
from grpclib.protocol import H2Protocol

from rtui.demo import grpc_proto

Call: TypeAlias = "library.Stream[Any, Any]"

LONGEST: Final = 600.0
"""Seconds of any wait."""
TOP_RATE: Final = 50_000.0
"""Messages a second of one stream."""


class Service:
    """A service of `proto/`; its methods are those of its subclass, in lower case."""

    package = "demo"

    @property
    def name(self) -> str:
        """With the package."""
        return f"{self.package}.{type(self).__name__}"

    def __mapping__(self) -> Mapping[str, Handler]:
        """Path → handler, as the library asks for it."""
        service = grpc_proto.pool().FindServiceByName(self.name)
        return {
            f"/{service.full_name}/{method.name}": Handler(
                _careful(getattr(self, method.name.lower(), unimplemented)),
                Cardinality((method.client_streaming, method.server_streaming)),  # type: ignore[call-arg]
                GetMessageClass(method.input_type),
                GetMessageClass(method.output_type),
            )
            for method in service.methods
        }


def _careful(handler: Callable[[Call], Awaitable[None]]) -> Callable[[Call], Awaitable[None]]:
    """Tell a client what the library cannot read of it, where that would answer "Internal Server Error"."""

    async def handle(call: Call) -> None:
        try:
            await handler(call)
        except NotImplementedError:
            raise GRPCError(Status.UNIMPLEMENTED, "this server takes no compressed messages") from None
        except DecodeError:
            raise GRPCError(Status.INVALID_ARGUMENT, "not a message of this type") from None

    return handle


async def unimplemented(_: Call) -> None:
    """What is declared but not there."""
    raise GRPCError(Status.UNIMPLEMENTED, "declared in demo.proto, but not implemented")


async def asked(call: Call) -> Any:
    """The one request of a call."""
    if (request := await call.recv_message()) is None:
        raise GRPCError(Status.INVALID_ARGUMENT, "the call ended without a request")
    return request


def bounded(value: float, default: float, most: float) -> float:
    """A number of a request: the default for 0, at most `most`; INVALID_ARGUMENT if it is below 0 or none."""
    if not value >= 0:
        raise GRPCError(Status.INVALID_ARGUMENT, f"{value} is not a number from 0 to {most:g}")
    return min(most, value or default)


class Host(library.Server):
    """The library's server, which knows its connections: it would leave them open when it is closed."""

    def __init__(self, services: Any) -> None:
        super().__init__(services)
        self._protocols: list[H2Protocol] = []

    def _protocol_factory(self) -> H2Protocol:
        self._protocols = [one for one in self._protocols if not _past(one)]
        protocol = super()._protocol_factory()
        self._protocols.append(protocol)
        return protocol

    async def stop(self) -> None:
        """End every call, say goodbye on every connection, free the port."""
        self.close()
        for transport in [_said_goodbye(one) for one in self._protocols if _alive(one)]:
            transport.abort()  # what a client that does not read was still to get is not waited for
        await self.wait_closed()

    def connection_of(self, call: Call) -> H2Protocol:
        """The connection that a call came over."""
        peer = call.peer.addr()
        alive = (one for one in self._protocols if _alive(one))
        return next(one for one in alive if _transport(one).get_extra_info("peername") == peer)


def _past(protocol: H2Protocol) -> bool:
    """Whether a connection is gone. One that was only just made has no state yet."""
    return hasattr(protocol, "connection") and protocol.connection.is_closing()


def _alive(protocol: H2Protocol) -> bool:
    return hasattr(protocol, "connection") and not protocol.connection.is_closing()


def _transport(protocol: H2Protocol) -> asyncio.Transport:
    """Of a connection that has not ended; the library offers no other way to it."""
    return protocol.connection._transport  # noqa: SLF001


def _said_goodbye(protocol: H2Protocol) -> asyncio.Transport:
    """Send GOAWAY (RFC 9113 §6.8)."""
    protocol.connection._connection.close_connection(additional_data=b"the demo ends")  # noqa: SLF001 - as above
    protocol.connection.flush()
    return _transport(protocol)


def leave(protocol: H2Protocol) -> None:
    """Send GOAWAY and close."""
    _said_goodbye(protocol).close()


def drop(protocol: H2Protocol) -> None:
    """End the connection without a goodbye."""
    transport = _transport(protocol)
    # A linger time of zero turns close() into a reset: the peer gets RST, not FIN.
    if (wire := transport.get_extra_info("socket")) is not None:
        wire.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()
