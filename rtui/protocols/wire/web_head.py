"""What an answer begins with, and what both versions of HTTP do with a connection."""

from __future__ import annotations

from typing import Protocol

import msgspec

from rtui.protocols.wire.lean_httpx import httpx
from rtui.protocols.wire.web_network import Wire


class Head(msgspec.Struct, frozen=True):
    """Status line and headers."""

    version: str
    """"HTTP/1.1", "HTTP/2"."""
    status: int
    reason: str
    headers: list[tuple[str, str]]


class Line(Protocol):
    """A connection that speaks HTTP, one request at a time."""

    wire: Wire

    @property
    def reusable(self) -> bool:
        """Whether another request can be made."""

    async def ask(self, request: httpx.Request) -> Head:
        """Send the request; the head of its answer."""

    async def read(self) -> bytes:
        """The next piece of the body, b"" at its end."""

    def rest(self) -> None:
        """No request is under way."""

    async def aclose(self) -> None:
        """Leave the answer."""
