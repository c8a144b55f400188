"""gRPC over HTTP/2: unary calls and streams both ways, with a schema that the server or the user gives at run time.

What it can do, in the words that every surface uses. The libraries are imported when a link opens: `wire.grpc_channel`
connects (grpclib on h2), `wire.grpc_call` is one call, `wire.grpc_schema` and `rtui.protobuf` know the messages,
`wire.grpc_session` obeys, `wire.grpc_fault` explains. A channel is a method, `package.Service/Method`; payloads are
protobuf JSON.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import unquote, urlsplit

from rtui.core.event import Closed
from rtui.core.fault import Fault
from rtui.protocols import base
from rtui.protocols.base import Adapter, CommonOptions, Link, Verb, Words
from rtui.protocols.shell import CommandLine, unsaid
from rtui.settings.option import option

COMPRESSIONS = ("identity", "gzip")


class Options(CommonOptions, frozen=True, kw_only=True):
    """Connect options of gRPC."""

    metadata: Annotated[
        dict[str, str],
        option("Metadata of every call; keys that end in -bin have base64 values", kind="pairs", section="Calls"),
    ] = {}  # noqa: RUF012 - msgspec copies defaults
    deadline: Annotated[
        float, option("Give a call up after this long; 0 = never", kind="duration", minimum=0, section="Calls")
    ] = 0.0
    compression: Annotated[str, option("How our messages are compressed", choices=COMPRESSIONS, section="Calls")] = (
        "identity"
    )
    emit_defaults: Annotated[
        bool, option("Show fields that have their default value", kind="flag", section="Calls")
    ] = False
    reflection: Annotated[
        str,
        option(
            "Ask the server for its schema, unless proto or protoset are given",
            choices=("auto", "v1", "v1alpha", "off"),
            section="Schema",
        ),
    ] = "auto"
    proto: Annotated[
        list[str], option("Schema from .proto files (needs the extra protos)", kind="files", section="Schema")
    ] = []  # noqa: RUF012
    import_path: Annotated[
        list[str], option("Where imports of .proto files are looked for", kind="files", section="Schema")
    ] = []  # noqa: RUF012
    protoset: Annotated[
        str,
        option(
            "Schema from a descriptor set (protoc --descriptor_set_out --include_imports)",
            kind="file",
            section="Schema",
        ),
    ] = ""
    health: Annotated[
        bool, option("Ask for the server's health, where its schema has the service", kind="flag", section="Schema")
    ] = True
    authority: Annotated[
        str, option("Name of the server in requests (:authority) instead of the URL's", section="Connection")
    ] = ""
    keep_alive: Annotated[
        float,
        option(
            "Ping the server this often; 0 = never. Many servers hang up below five minutes",
            kind="duration",
            minimum=0,
            section="Connection",
        ),
    ] = 0.0
    keep_alive_timeout: Annotated[
        float,
        option(
            "The connection is lost if a ping is not answered for this long",
            kind="duration",
            minimum=0.1,
            section="Connection",
        ),
    ] = 20.0
    max_message: Annotated[
        int, option("Largest message accepted, after decompression", kind="size", section="Limits", minimum=1)
    ] = 16 * 1024**2


class Outgoing(base.Outgoing, frozen=True, kw_only=True):
    """What one message carries besides its fields; metadata and deadline count where it opens a call."""

    metadata: Annotated[
        dict[str, str],
        option("Metadata of the call; keys that end in -bin have base64 values", kind="pairs"),
    ] = {}  # noqa: RUF012
    deadline: Annotated[
        float, option("Give the call up after this long; 0 = as connected", kind="duration", minimum=0)
    ] = 0.0
    compression: Annotated[
        str, option("How this message is compressed; empty = as connected", choices=("", *COMPRESSIONS))
    ] = ""
    new_call: Annotated[bool, option("Open another call, even if one waits for more messages", kind="flag")] = False
    end: Annotated[bool, option("Half-close: this is the last message of the call", kind="flag")] = False

    @property
    def confirmed(self) -> bool:
        """Every call ends with a status."""
        return True


class Subscription(base.Subscription, frozen=True, kw_only=True):
    """The request of a stream that is asked for at every open."""

    data: Annotated[str, option("Request (JSON)", kind="body", metavar="JSON")] = "{}"
    metadata: Annotated[
        dict[str, str], option("Metadata of the call; keys that end in -bin have base64 values", kind="pairs")
    ] = {}  # noqa: RUF012
    deadline: Annotated[
        float, option("Give the call up after this long; 0 = as connected", kind="duration", minimum=0)
    ] = 0.0


class Grpc(Adapter):
    """The gRPC client."""

    name = "grpc"
    title = "gRPC"
    schemes = ("grpc", "grpcs")
    verbs = frozenset({Verb.SEND, Verb.SUBSCRIBE, Verb.HALF_CLOSE, Verb.CANCEL, Verb.PING, Verb.ACK, Verb.BREAK})
    words = Words(
        channel="method",
        channels="methods",
        separator="/",
        wanted="Method that streams: package.Service/Method",
        answered="calls until their first reply or their status, pings",
    )
    Options = Options
    Outgoing = Outgoing
    Subscription = Subscription

    @classmethod
    def channels(cls, url: str) -> tuple[str, ...]:
        """The method that the path of the URL names."""
        found = method_of(url)
        return (found,) if found else ()

    @classmethod
    def shell(cls, url: str, options: Any, channel: str, payload: bytes, outgoing: Any = None) -> str:
        """See `Adapter.shell`: grpcurl."""
        from rtui.protocols.wire.grpc_shell import grpcurl

        return grpcurl(url, options, channel or method_of(url), payload, outgoing)

    @classmethod
    def listen_commands(cls, url: str, options: Any, subscriptions: Mapping[str, Any]) -> tuple[CommandLine, ...]:
        """See `Adapter.listen_commands`: a call of grpcurl for each method that is subscribed to."""
        wanted = ((method, one.data.encode("utf-8", "surrogateescape")) for method, one in subscriptions.items())
        return tuple(line for method, data in wanted for line in cls.send_commands(url, options, method, data))

    @classmethod
    def send_commands(
        cls, url: str, options: Any, channel: str, payload: bytes, outgoing: Any = None
    ) -> tuple[CommandLine, ...]:
        """See `Adapter.send_commands`: grpcurl."""
        from rtui.protocols.wire.grpc_shell import SAID

        text = cls.shell(url, options, channel, payload, outgoing)
        return (CommandLine(tool="grpcurl", text=text, unsaid=unsaid(options, SAID)),)

    async def run(self, link: Link) -> Closed | None:
        """See `Adapter.run`."""
        from rtui.protocols.wire.grpc_session import converse

        return await converse(link)

    def explain(self, error: BaseException) -> Fault:
        """See `Adapter.explain`."""
        from rtui.protocols.wire.reach_fault import explain

        return explain(error)


def method_of(url: str) -> str:
    """The method in the path of `url`, `package.Service/Method`; "" = there is none."""
    path = unquote(urlsplit(url).path).strip("/")
    return path if path.count("/") == 1 else ""
