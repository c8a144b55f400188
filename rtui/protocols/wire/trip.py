"""Whom an adapter connects to, and how far an attempt came. No I/O; every protocol over TCP uses it."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import msgspec


class Peer(msgspec.Struct, frozen=True, kw_only=True):
    """What the URL says of the other side."""

    host: str = ""
    port: int = 0
    scheme: str = ""
    secure: bool = False
    """Whether `scheme` means TLS."""
    word: str = "server"
    """What it is called in this protocol (`Words.peer`)."""

    @property
    def place(self) -> str:
        """Host and port."""
        return f"{self.host}:{self.port}"

    @property
    def twin(self) -> str:
        """The scheme with TLS for one without, and the reverse: wss for ws, mqtt for mqtts."""
        return self.scheme.removesuffix("s") if self.secure else f"{self.scheme}s"


class Trip:
    """How far an attempt to connect came, and how long each stage took.

    The stages are dns, tcp, proxy (instead of both), tls, and what the protocol adds: `handshake` for its own greeting.
    """

    def __init__(self, peer: Peer | None = None, *, timeout: float, greeting: str, certified: bool = False) -> None:
        """`timeout` in seconds; `greeting` is what the last stage waits for an answer to: "MQTT handshake"."""
        self.peer = peer or Peer()
        self.timeout = timeout
        self.greeting = greeting
        self.certified = certified
        """Whether we hold a client certificate."""
        self.at = "dns"
        self.timings: dict[str, float] = {}
        """Milliseconds per stage, of the last hop when redirects were followed."""
        self.proxy = ""
        """Its URL without user and password."""
        self.forwarded = False
        """The proxy is handed each request, in the clear, instead of making a tunnel."""
        self.tls: Mapping[str, Any] = {}
        """What `tls.tls_details` found."""
        self.local = self.remote = ""
        """Both ends of the socket, host:port."""
        self.head = b""
        """What the peer said first."""
        self.lost: BaseException | None = None
        """What ended the socket after the stages below, where the library raises something of its own."""
        self._began = time.monotonic()

    def begin(self, peer: Peer) -> None:
        """One hop starts."""
        self.peer = peer
        self.timings = {}
        self.proxy, self.forwarded = "", False
        self.head, self.lost = b"", None

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time a stage; `at` keeps its name if it fails."""
        self.at = name
        began = time.perf_counter()
        yield
        self.timings[name] = round(self.timings.get(name, 0.0) + (time.perf_counter() - began) * 1000, 3)

    def left(self) -> float:
        """Seconds until the attempt times out."""
        return max(0.05, self.timeout - (time.monotonic() - self._began))
