"""WebSocket (RFC 6455) over HTTP/1.1, with permessage-deflate (RFC 7692).

What it can do, in the words that every surface uses. The library is imported when a link opens:
`wire.websocket_dial` connects, `wire.websocket` reads, `wire.websocket_session` obeys, `wire.websocket_fault` explains.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from rtui.core.event import Closed
from rtui.core.fault import Fault
from rtui.protocols import base
from rtui.protocols.base import Adapter, CommonOptions, Link, Verb, Words
from rtui.protocols.shell import CommandLine
from rtui.settings.option import option


class Options(CommonOptions, frozen=True, kw_only=True):
    """Connect options of WebSocket."""

    subprotocols: Annotated[
        list[str], option("Subprotocols to offer, preferred first", kind="list", section="Handshake")
    ] = []  # noqa: RUF012 - msgspec copies defaults
    origin: Annotated[str, option("Origin header", section="Handshake")] = ""
    cookies: Annotated[dict[str, str], option("Cookies to send", kind="pairs", secret=True, section="Handshake")] = {}  # noqa: RUF012
    compression: Annotated[bool, option("Offer permessage-deflate", kind="flag", section="Compression")] = True
    server_no_context_takeover: Annotated[
        bool,
        option("Ask the server to compress each message by itself", kind="flag", flag=False, section="Compression"),
    ] = False
    client_no_context_takeover: Annotated[
        bool, option("Compress each of our messages by itself", kind="flag", flag=False, section="Compression")
    ] = False
    server_max_window_bits: Annotated[
        int,
        option(
            "Ask for a window of 2^N bytes; 0 = the server's choice",
            kind="integer",
            flag=False,
            section="Compression",
            minimum=0,
            maximum=15,
        ),
    ] = 0
    client_max_window_bits: Annotated[
        int,
        option(
            "Window of our messages, 2^N bytes (9-15); 0 = the server's choice",
            kind="integer",
            flag=False,
            section="Compression",
            minimum=0,
            maximum=15,
        ),
    ] = 0
    max_size: Annotated[int, option("Largest message accepted", kind="size", section="Limits", minimum=1)] = (
        16 * 1024**2
    )
    ping_interval: Annotated[
        float, option("Ping this often; 0 = never", kind="duration", section="Keep-alive", minimum=0)
    ] = 20.0
    ping_timeout: Annotated[
        float,
        option(
            "Give up when nothing came for this long after a ping; 0 = never",
            kind="duration",
            section="Keep-alive",
            minimum=0,
        ),
    ] = 20.0
    auto_pong: Annotated[bool, option("Answer the server's pings", kind="flag", flag=False, section="Keep-alive")] = (
        True
    )
    log_pings: Annotated[
        bool, option("Show automatic pings and pongs in the log", kind="flag", flag=False, section="Keep-alive")
    ] = False
    close_timeout: Annotated[
        float,
        option(
            "Wait for the server's goodbye this long",
            kind="duration",
            flag=False,
            section="Connection",
            minimum=0.05,
            maximum=2.0,
        ),
    ] = 2.0
    group_key: Annotated[
        str,
        option(
            "JSON key that names the channel of a message: auto, a path such as .data.type, or nothing",
            section="View",
            metavar="KEY",
        ),
    ] = "auto"


class Outgoing(base.Outgoing, frozen=True, kw_only=True):
    """What one WebSocket message carries besides its payload."""

    type: Annotated[str, option("Frame type; auto = text if it is UTF-8", choices=("auto", "text", "binary"))] = "auto"
    fragment: Annotated[
        int, option("Cut the message into frames of this size; 0 = one frame", kind="size", minimum=0)
    ] = 0


class WebSocket(Adapter):
    """The WebSocket client."""

    name = "websocket"
    title = "WebSocket"
    schemes = ("ws", "wss")
    verbs = frozenset({Verb.SEND, Verb.PING, Verb.BINARY, Verb.FRAGMENT, Verb.CLOSE_CODE, Verb.BREAK})
    words = Words(
        channel="type",
        channels="types",
        answered="pings, calls of JSON-RPC (an id and a method), subscriptions of graphql-transport-ws",
    )
    Options = Options
    Outgoing = Outgoing

    @classmethod
    def send_commands(
        cls,
        url: str,
        options: Any,
        channel: str,  # noqa: ARG003 - nothing is sent to
        payload: bytes,
        outgoing: Any = None,
    ) -> tuple[CommandLine, ...]:
        """See `Adapter.send_commands`: websocat, wscat."""
        from rtui.protocols.wire.websocket_shell import sending

        return sending(url, options, payload, outgoing)

    @classmethod
    def listen_commands(cls, url: str, options: Any, subscriptions: Mapping[str, Any]) -> tuple[CommandLine, ...]:  # noqa: ARG003 - nothing is subscribed to
        """See `Adapter.listen_commands`: websocat, wscat."""
        from rtui.protocols.wire.websocket_shell import listening

        return listening(url, options)

    async def run(self, link: Link) -> Closed | None:
        """See `Adapter.run`."""
        from rtui.protocols.wire.websocket_session import converse

        return await converse(link)

    def explain(self, error: BaseException) -> Fault:
        """See `Adapter.explain`."""
        from rtui.protocols.wire.websocket_fault import explain

        return explain(error)
