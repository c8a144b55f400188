"""The embedded gRPC server, without generated code: all kinds of call, every type, and failures, with reflection."""

from __future__ import annotations

import logging
import os
import socket
import ssl as tls
from collections.abc import Mapping
from typing import Final

from rtui.demo.grpc_about import Health, ServerReflection
from rtui.demo.grpc_chat import Chat
from rtui.demo.grpc_fault import Faults
from rtui.demo.grpc_host import Host
from rtui.demo.grpc_scene import Echo, Telemetry, Types

PATHS: Final[Mapping[str, str]] = {
    "/demo.Echo/Say": "one request, one reply",
    "/demo.Echo/Repeat": "one request, `times` replies, one `every` so often",
    "/demo.Echo/Collect": "many requests, one reply when you have ended your half",
    "/demo.Echo/Talk": "a reply to each request, both ways at once",
    "/demo.Echo/Metadata": "the metadata you sent; sends some before and behind the reply",
    "/demo.Telemetry/Watch": "typed events at a `rate`, the same for the same `seed`; only some `kinds`, only `count`",
    "/demo.Telemetry/Burst": "a flood at a steady rate, up to 50,000 a second; `count` messages of `size`",
    "/demo.Chat/Join": "rooms to talk in: send lines with a name, a room and a text",
    "/demo.Chat/Rooms": "how many people are in each room",
    "/demo.Types/Sample": "a message with a telling value for every type there is",
    "/demo.Types/Mirror": "sends such a message back",
    "/demo.Types/Newer": "a message with fields that its schema does not know",
    "/demo.Faults/Fail": "ends with the `code` and `message` you ask for, with details",
    "/demo.Faults/Cut": "the same `after` some messages",
    "/demo.Faults/Private": "wants the metadata `authorization: Bearer demo`",
    "/demo.Faults/Slow": "answers after `delay`",
    "/demo.Faults/Hang": "never answers",
    "/demo.Faults/Reset": "RST_STREAM instead of a status",
    "/demo.Faults/Leave": "GOAWAY, then the connection ends",
    "/demo.Faults/Drop": "resets the connection",
    "/demo.Faults/Huge": "one message of `size` bytes, up to 64 MiB",
    "/demo.Faults/Hostile": "text that attacks terminals, as status message too",
    "/demo.Faults/Missing": "declared, but not implemented",
}
"""Method → what it shows."""


class Server:
    """A running demo server."""

    def __init__(self, host: Host, address: str, port: int, *, secure: bool) -> None:
        self._host = host
        self.port = port
        name = f"[{address}]" if ":" in address else address
        self.url = f"grpc{'s' if secure else ''}://{name}:{port}"

    async def close(self) -> None:
        """End every call, say goodbye and free the port."""
        await self._host.stop()


async def serve(host: str = "127.0.0.1", port: int = 0, ssl: tls.SSLContext | None = None) -> Server:
    """Start serving `PATHS`, reflection (v1 and v1alpha) and health; port 0 takes a free one."""
    _quiet_logger()
    if ssl is not None:
        ssl.set_alpn_protocols(["h2"])
    faults = Faults()
    services = [Echo(), Telemetry(), Chat(), Types(), faults]
    services.append(Health(services, ill=faults))
    server = Host([*services, *(ServerReflection(version, services) for version in ("v1", "v1alpha"))])
    faults.host = server
    taken = _socket(host)
    try:
        taken.bind((host, port))
        await server.start(sock=taken, ssl=ssl)
    except BaseException:
        taken.close()
        raise
    return Server(server, host, taken.getsockname()[1], secure=ssl is not None)


def _socket(host: str) -> socket.socket:
    """One of our own: the library does not tell which port it took.

    With its protocol named, which accepted sockets inherit: asyncio looks at it before it turns Nagle's algorithm off.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    one = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    if os.name == "posix":
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    return one


def _quiet_logger() -> None:
    """Clients that misbehave make the library complain; nothing of it may reach the terminal."""
    logger = logging.getLogger("grpclib.server")
    if not logger.handlers:
        logger.addHandler(logging.NullHandler())
        logger.setLevel(logging.CRITICAL + 1)
    logger.propagate = False
