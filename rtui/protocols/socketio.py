"""Socket.IO: protocol 5 over Engine.IO 4 (servers 3.x and 4.x), protocol 4 over Engine.IO 3 (servers 2.x).

What it can do, in the words that every surface uses. The libraries are imported when a link opens:
`wire.socketio_engine` connects and reads (python-engineio), `wire.socketio_packet` knows the packets,
`wire.socketio_session` obeys, `wire.socketio_fault` explains. A channel is an event: `news`, or `/chat,news` in another
namespace than the default one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any
from urllib.parse import unquote, urlsplit

from rtui.core.event import Closed
from rtui.core.fault import Fault
from rtui.core.record import Record
from rtui.protocols import base
from rtui.protocols.base import Adapter, CommonOptions, Link, Verb, Words
from rtui.settings.option import option


class Options(CommonOptions, frozen=True, kw_only=True):
    """Connect options of Socket.IO."""

    version: Annotated[
        str,
        option(
            "Release of the server; auto asks it",
            choices=("auto", "2", "3", "4"),
            section="Handshake",
        ),
    ] = "auto"
    namespaces: Annotated[
        list[str],
        option("Namespaces to connect; events without one go to the first", kind="list", section="Handshake"),
    ] = []  # noqa: RUF012 - msgspec copies defaults
    auth: Annotated[
        Any,
        option(
            "JSON object that a namespace gets without an auth of its own",
            kind="json",
            secret=True,
            section="Handshake",
        ),
    ] = None
    path: Annotated[
        str, option("Path of the Engine.IO endpoint, if the URL has none", metavar="PATH", section="Handshake")
    ] = "/socket.io"
    query: Annotated[
        dict[str, str], option("Query parameters of every request", kind="pairs", section="Handshake")
    ] = {}  # noqa: RUF012
    cookies: Annotated[dict[str, str], option("Cookies to send", kind="pairs", secret=True, section="Handshake")] = {}  # noqa: RUF012
    transports: Annotated[
        str,
        option(
            "auto = polling, then WebSocket where it works",
            choices=("auto", "websocket", "polling"),
            section="Handshake",
        ),
    ] = "auto"
    max_size: Annotated[int, option("Largest message accepted", kind="size", section="Limits", minimum=1)] = (
        16 * 1024**2
    )
    answers: Annotated[
        dict[str, str],
        option(
            "Answer acknowledgements asked by the server: event = JSON array of arguments",
            kind="pairs",
            flag=False,
            section="Acknowledgements",
        ),
    ] = {}  # noqa: RUF012


class Outgoing(base.Outgoing, frozen=True, kw_only=True):
    """What one event carries besides its name and arguments."""

    ack: Annotated[bool, option("Ask for an acknowledgement", kind="flag")] = False
    ack_timeout: Annotated[
        float, option("Give up on the acknowledgement after this long; 0 = never", kind="duration", minimum=0)
    ] = 10.0
    answer: Annotated[
        int | None,
        option(
            "Answer the acknowledgement that the server asked for with this id; empty = none", kind="integer", minimum=0
        ),
    ] = None
    attachments: Annotated[list[str], option("Bytes for the placeholders: hex:…, base64:… or @file", kind="list")] = []  # noqa: RUF012

    @property
    def confirmed(self) -> bool:
        """With an acknowledgement asked for."""
        return self.ack


class Subscription(base.Subscription, frozen=True, kw_only=True):
    """What one namespace gets at its connect."""

    auth: Annotated[Any, option("JSON object for this namespace", kind="json", secret=True)] = None


class SocketIO(Adapter):
    """The Socket.IO client."""

    name = "socketio"
    title = "Socket.IO"
    schemes = ("socketio+http", "socketio+https")
    verbs = frozenset({Verb.SEND, Verb.SUBSCRIBE, Verb.ACK, Verb.BINARY, Verb.BREAK})
    words = Words(
        channel="event",
        channels="events",
        separator=",",
        subscription="namespace",
        wanted="Name of a namespace: /chat",
        answered="events sent with an acknowledgement wanted",
    )
    Options = Options
    Outgoing = Outgoing
    Subscription = Subscription

    @classmethod
    def channels(cls, url: str) -> tuple[str, ...]:
        """The fragment is a namespace."""
        fragment = unquote(urlsplit(url).fragment)
        return (namespace(fragment),) if fragment else ()

    @classmethod
    def matcher(cls, wanted: str) -> Callable[[str], bool]:
        """See `Adapter.matcher`: a namespace brings its events."""
        from rtui.protocols.wire.socketio_channel import matcher

        return matcher(namespace(wanted))

    @classmethod
    def expression(cls, wanted: str) -> str:
        """See `Adapter.expression`."""
        from rtui.protocols.wire.socketio_channel import expression

        return expression(namespace(wanted))

    @classmethod
    def on_wire(cls, record: Record) -> str:
        """See `Adapter.on_wire`."""
        from rtui.protocols.wire.socketio_row import on_wire

        return on_wire(record)

    @classmethod
    def taken_as(cls, payload: bytes) -> str:
        """See `Adapter.taken_as`: its arguments."""
        from rtui.protocols.wire.socketio_value import taken_as

        return taken_as(payload)

    async def run(self, link: Link) -> Closed | None:
        """See `Adapter.run`."""
        from rtui.protocols.wire.socketio_session import converse

        return await converse(link)

    def explain(self, error: BaseException) -> Fault:
        """See `Adapter.explain`."""
        from rtui.protocols.wire.reach_fault import explain

        return explain(error)


def namespace(text: str) -> str:
    """A namespace as the wire writes it: with the slash that users leave out."""
    return text if text.startswith("/") else f"/{text}"
