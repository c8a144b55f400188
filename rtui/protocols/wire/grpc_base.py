"""The headers that calls begin with: what the options and the URL say of all of them, and what one adds."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Final
from urllib.parse import unquote, urlsplit

from rtui import __version__
from rtui.protocols.grpc import Options
from rtui.protocols.wire.grpc_message import ACCEPTED
from rtui.protocols.wire.grpc_metadata import outgoing as metadata_headers
from rtui.protocols.wire.grpc_status import Fields
from rtui.protocols.wire.trip import Peer

PORTS: Final = {"grpc": 80, "grpcs": 443}
USER_AGENT: Final = f"rtui/{__version__}"
LONGEST_TIMEOUT: Final = 99_999_999
"""grpc-timeout has eight digits."""


def peer_of(url: str) -> Peer:
    """Whom the URL means."""
    parts = urlsplit(url)
    scheme = parts.scheme.lower()
    port = parts.port or PORTS[scheme]
    return Peer(host=parts.hostname or "", port=port, scheme=scheme, secure=scheme == "grpcs")


class Base:
    """What all calls of a connection have in common."""

    def __init__(self, url: str, options: Options, peer: Peer) -> None:
        """Raises Failure if what the user gave cannot be sent."""
        self._secure = peer.secure
        host = f"[{peer.host}]" if ":" in peer.host else peer.host
        default = peer.port == PORTS[peer.scheme]
        self._authority = options.authority or (host if default else f"{host}:{peer.port}")
        self._encoding = options.compression
        pairs = {**options.headers, **options.metadata}
        names = {name.lower() for name in pairs}
        if "authorization" not in names and (credentials := _credentials(url, options)):
            pairs["authorization"] = credentials
        self._metadata = pairs
        self.headers("")

    def headers(
        self, path: str, metadata: dict[str, str] | None = None, *, deadline: float = 0.0, encoding: str = ""
    ) -> Fields:
        """The headers of one call.

        Raises:
            Failure: metadata that cannot be sent.
        """
        own = {name.lower() for name in metadata or ()}
        common = {name: value for name, value in self._metadata.items() if name.lower() not in own}
        return request_headers(
            path,
            self._authority,
            secure=self._secure,
            metadata=metadata_headers({**common, **(metadata or {})}),
            deadline=deadline,
            encoding=encoding or self._encoding,
        )


def _credentials(url: str, options: Options) -> str:
    if options.token:
        return f"Bearer {options.token}"
    parts = urlsplit(url)
    username = options.username or unquote(parts.username or "")
    password = options.password or unquote(parts.password or "")
    if not (username or password):
        return ""
    return "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode("ascii")


def request_headers(
    path: str, authority: str, *, secure: bool, metadata: Sequence[tuple[str, str]], deadline: float, encoding: str
) -> Fields:
    """What a call begins with ("Requests" in PROTOCOL-HTTP2.md); `deadline` in seconds, 0 = none."""
    headers = [
        (":method", "POST"),
        (":scheme", "https" if secure else "http"),
        (":path", f"/{path}"),
        (":authority", authority),
    ]
    if deadline:
        headers.append(("grpc-timeout", timeout(deadline)))
    headers += [("te", "trailers"), ("content-type", "application/grpc"), ("user-agent", USER_AGENT)]
    if encoding != "identity":
        headers.append(("grpc-encoding", encoding))
    return [*headers, ("grpc-accept-encoding", ACCEPTED), *metadata]


def timeout(seconds: float) -> str:
    """`seconds` as grpc-timeout has them: milliseconds as long as they fit, and never nothing."""
    millis = max(1, round(seconds * 1000))
    return f"{millis}m" if millis <= LONGEST_TIMEOUT else f"{min(round(seconds), LONGEST_TIMEOUT)}S"
