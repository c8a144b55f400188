"""What an adapter is, and what it may use of the link that runs it.

An adapter is one coroutine per attempt to connect. It never builds a Record, sleeps for back-off, reconnects by
itself, touches the workbench or logs a payload. Adding a protocol is one file beside this one.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from enum import Enum
from typing import Annotated, Any, ClassVar, Protocol

import msgspec

from rtui.capture.quote import quoted
from rtui.core.command import Command
from rtui.core.event import Closed, Event
from rtui.core.fault import Failure, Fault
from rtui.core.record import Record
from rtui.protocols.playback import Playback
from rtui.protocols.shell import CommandLine
from rtui.settings.option import option


class Verb(Enum):
    """What a protocol can do; the workbench and the command line offer only these."""

    SEND = "send"
    SUBSCRIBE = "subscribe"
    HALF_CLOSE = "half-close"
    CANCEL = "cancel"
    PING = "ping"
    ACK = "ack"
    BINARY = "binary"
    FRAGMENT = "fragment"
    CLOSE_CODE = "close-code"
    BREAK = "break"


class Words(msgspec.Struct, frozen=True, kw_only=True):
    """What things are called in this protocol."""

    channel: str
    """"topic", "event", "method", "group"."""
    channels: str
    peer: str = "server"
    separator: str = ""
    """What cuts a channel into levels of the tree ("/" for topics); "" = flat."""
    ping: str = "ping"
    """What `Verb.PING` is called: "poll now"."""
    subscription: str = ""
    """What is subscribed to, where that is no channel: "namespace"; "" = `channel`."""
    wanted: str = ""
    """What can be subscribed to, with examples; "" = any channel."""
    answered: str = ""
    """What the peer owes an answer to, as `capture.exchange` reads it; "" = nothing that we send."""

    @property
    def subscribed(self) -> str:
        """The word for what one subscribes to."""
        return self.subscription or self.channel


class CommonOptions(msgspec.Struct, frozen=True, kw_only=True):
    """Connect options that every protocol has."""

    timeout: Annotated[
        float, option("Give up connecting after this long", kind="duration", minimum=0.1, section="Connection")
    ] = 10.0
    proxy: Annotated[
        str,
        option(
            "HTTP or SOCKS proxy URL; 'env' follows the environment, '' goes direct",
            metavar="URL",
            section="Connection",
        ),
    ] = "env"
    headers: Annotated[dict[str, str], option("Extra request headers", kind="pairs", section="Connection")] = {}
    ca: Annotated[str, option("CA bundle to trust instead of the system's", kind="file", section="TLS")] = ""
    cert: Annotated[str, option("Client certificate (PEM)", kind="file", section="TLS")] = ""
    key: Annotated[str, option("Private key of the client certificate (PEM)", kind="file", section="TLS")] = ""
    insecure: Annotated[
        bool, option("Accept any certificate (shown in red while open)", kind="flag", section="TLS")
    ] = False
    server_name: Annotated[str, option("Name to verify and send as SNI", section="TLS")] = ""
    username: Annotated[str, option("User name (basic authentication)", section="Authentication")] = ""
    password: Annotated[str, option("Password", secret=True, section="Authentication")] = ""
    token: Annotated[str, option("Bearer token", secret=True, section="Authentication")] = ""


class Outgoing(msgspec.Struct, frozen=True, kw_only=True):
    """What one send carries besides channel and payload. Adapters subclass it."""

    @property
    def confirmed(self) -> bool:
        """Whether the peer says by itself that it took the message: until then it may still refuse."""
        return False


class Subscription(msgspec.Struct, frozen=True, kw_only=True):
    """What one subscription carries besides its channel. Adapters subclass it."""


class Link(Protocol):
    """The side of a link that an adapter sees."""

    url: str
    options: Any
    """An instance of the adapter's `Options`, validated, templates rendered."""
    memory: dict[str, Any]
    """Survives reconnects: Last-Event-ID, cursors, session ids. The adapter's to use."""

    def emit(self, events: Sequence[Event]) -> None:
        """Report events. Synchronous, never blocks, never raises; library callbacks use it."""

    async def pour(self, events: Sequence[Event]) -> None:
        """Report events, then let the loop breathe if the time slice is spent or the capture is behind."""

    @property
    def commands(self) -> AsyncIterator[Command]:
        """The commands for this attempt, in order. Ends when the attempt is over."""


class Adapter:
    """One attempt to talk one protocol. Subclasses are stateless factories of `run`: state lives in the coroutine."""

    name: ClassVar[str]
    title: ClassVar[str]
    schemes: ClassVar[tuple[str, ...]]
    verbs: ClassVar[frozenset[Verb]]
    words: ClassVar[Words]
    Options: ClassVar[type[msgspec.Struct]]
    """What can be said of a connection; `CommonOptions` and more, where there is a peer on a network."""
    Outgoing: ClassVar[type[Outgoing]] = Outgoing
    Subscription: ClassVar[type[Subscription]] = Subscription
    playback: Playback | None = None
    """What is played, and how far it is, where there is no peer but a recording."""

    @classmethod
    def channels(cls, url: str) -> tuple[str, ...]:  # noqa: ARG003 - most URLs name none
        """The channels that the URL itself names: subscribed to at every open, like those of a session."""
        return ()

    @classmethod
    def subscription_flaw(cls, wanted: str) -> str:  # noqa: ARG003 - most names are for the peer to judge
        """Why no peer can be asked for `wanted`, in a sentence; "" if one can."""
        return ""

    @classmethod
    def matcher(cls, wanted: str) -> Callable[[str], bool]:
        """Tells whether a subscription to `wanted` brings messages on a channel; asked once for each channel."""
        return lambda channel: channel == wanted

    @classmethod
    def expression(cls, wanted: str) -> str:
        """The display filter (capture.query) that matches messages on the channels that `matcher` knows."""
        return f"ch={quoted(wanted)}"

    @classmethod
    def on_wire(cls, record: Record) -> str:  # noqa: ARG003 - most payloads are all there is
        """The packet behind a stored row as text, where the payload is only a part of it; "" = there is no more."""
        return ""

    @classmethod
    def taken_as(cls, payload: bytes) -> str:  # noqa: ARG003 - most payloads go as they are
        """What a payload is for the peer, in a few words, where it does not go as it is; "" elsewhere."""
        return ""

    @classmethod
    def shell(cls, url: str, options: Any, channel: str, payload: bytes, outgoing: Any = None) -> str:  # noqa: ARG003 - few protocols have such a tool
        """The command line of the protocol's usual tool that sends the same; "" = there is none.

        Secrets stand in it as `$NAME`, never as they are.
        """
        return ""

    @classmethod
    def send_commands(
        cls, url: str, options: Any, channel: str, payload: bytes, outgoing: Any = None
    ) -> tuple[CommandLine, ...]:
        """Command lines of usual tools that send the same, the most usual first; empty = there are none."""
        text = cls.shell(url, options, channel, payload, outgoing)
        return (CommandLine(tool=text.split(maxsplit=1)[0], text=text),) if text else ()

    @classmethod
    def listen_commands(cls, url: str, options: Any, subscriptions: Mapping[str, Any]) -> tuple[CommandLine, ...]:  # noqa: ARG003 - few protocols have such a tool
        """Command lines of usual tools that connect likewise and print what comes; empty = there are none.

        `subscriptions`: channel → an instance of the protocol's `Subscription`.
        """
        return ()

    async def run(self, link: Link) -> Closed | None:
        """Connect, emit `Opened`, read until the end.

        Return when it ended politely (with a `Closed` that tells who, code and reason), raise when it failed; a
        cancellation is the user's close: say goodbye within a second, free everything, re-raise.
        """
        raise NotImplementedError

    def retryable(self, error: BaseException) -> bool:
        """Whether another attempt may succeed after `error` (what `run` raised)."""
        return error.transient if isinstance(error, Failure) else self.explain(error).transient

    def explain(self, error: BaseException) -> Fault:
        """Translate what `run` raised. The only place that knows the library's exceptions."""
        raise NotImplementedError
