"""What a session is: each table of the file as a struct whose fields are declared like protocol options."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Protocol

import msgspec

from rtui.core.backoff import Policy
from rtui.settings.option import declared, format_duration, format_size, option

PayloadFormat = Literal["text", "json", "hex", "base64", "msgpack", "cbor", "protobuf"]
PackedFormat = Literal["msgpack", "cbor", "protobuf"]
"""Binary formats that are written as JSON."""
PACKED: Final[tuple[PackedFormat, ...]] = ("msgpack", "cbor", "protobuf")
FORMATS: Final = ("text", "json", "hex", "base64", "msgpack", "cbor", "protobuf")
_FORMAT_NOTE: Final = "msgpack, cbor and protobuf are written as JSON"
_TYPE_NOTE: Final = "Message type of a protobuf payload: pkg.Type; empty = as [view.protobuf] says"
PAYLOAD_VIEWS: Final = (
    "", "pretty", "raw", "hex", "meta", "diff", "chart", "joined",
    "json", "yaml", "jwt", "xml", "msgpack", "cbor", "protobuf", "base64",
)  # fmt: skip
"""Modes of the message pane, and formats of its pretty one; "" leaves the mode as it is."""
DENSITIES: Final = ("", "compact", "normal", "large")
"""Room for a row of the log; "" is what the user has chosen."""
_DEFAULT_POLICY: Final = Policy()


class Declares(Protocol):
    """The part of a protocol adapter that settings need; an adapter class is one."""

    @property
    def Options(self) -> type[msgspec.Struct]:  # noqa: N802 - the adapter's name for it
        """Connect options."""

    @property
    def Outgoing(self) -> type[msgspec.Struct]:  # noqa: N802
        """Options of one saved message."""

    @property
    def Subscription(self) -> type[msgspec.Struct]:  # noqa: N802
        """Options of one subscription."""

    def channels(self, url: str, /) -> tuple[str, ...]:
        """What the URL itself names."""

    def subscription_flaw(self, wanted: str, /) -> str:
        """Why nobody can be asked for `wanted`; "" if one can."""


class Head(msgspec.Struct, frozen=True, kw_only=True):
    """The table [session]."""

    name: Annotated[str, option("Name shown in tabs and output; the file's name if left out")] = ""
    url: Annotated[str, option("Where to connect")]
    protocol: Annotated[str, option("Protocol, if the URL's scheme does not tell")] = ""
    description: Annotated[str, option("One line about it")] = ""
    tags: Annotated[tuple[str, ...], option("Words to find it by", kind="list")] = ()


class Reconnect(Policy, frozen=True, kw_only=True):
    """The table [reconnect]: core's policy with its TOML declaration."""

    enabled: Annotated[bool, option("Reconnect when the connection is lost", kind="flag")] = _DEFAULT_POLICY.enabled
    first_delay: Annotated[
        float, option("Longest wait before the first attempt", kind="duration", minimum=0.01, maximum=86_400)
    ] = _DEFAULT_POLICY.first_delay
    max_delay: Annotated[
        float, option("Longest wait before any attempt", kind="duration", minimum=0.01, maximum=86_400)
    ] = _DEFAULT_POLICY.max_delay
    attempts: Annotated[
        int, option("Give up after this many failures in a row; 0 = never", kind="integer", minimum=0)
    ] = _DEFAULT_POLICY.attempts


class ProtobufTypes(msgspec.Struct, frozen=True, kw_only=True):
    """The table [view.protobuf]: which messages binary payloads are."""

    descriptor: Annotated[
        str,
        option("File made by protoc --include_imports --descriptor_set_out=FILE, relative to the session", kind="file"),
    ]
    message: Annotated[str, option("Message type of the channels that `channels` does not name: pkg.Type")] = ""
    channels: Annotated[
        dict[str, str],
        option(
            "Message type by channel, empty for none; the first that fits counts: sensors/+/temp, sensors/*",
            kind="pairs",
        ),
    ] = {}


class View(msgspec.Struct, frozen=True, kw_only=True):
    """The table [view]: how the workbench shows the session."""

    filter: Annotated[str, option("Display filter")] = ""
    columns: Annotated[
        tuple[str, ...], option("Columns of the log, in order; empty = the usual ones", kind="list")
    ] = ()
    density: Annotated[str, option("Room for a row of the log; empty = the user's choice", choices=DENSITIES)] = ""
    large_lines: Annotated[
        int, option("Lines of a large row, 2 to 8; 0 = the user's choice", kind="integer", minimum=0, maximum=8)
    ] = 0
    present_every: Annotated[
        float, option("When presented, go on by itself after this long; 0 = by key", kind="duration", maximum=3_600)
    ] = 0.0
    follow: Annotated[bool, option("Follow the newest message", kind="flag")] = True
    payload_view: Annotated[
        str, option("How messages open: a mode of the message pane, or a format", choices=PAYLOAD_VIEWS)
    ] = ""
    group_key: Annotated[str, option("JSON key whose value groups messages in the tree")] = ""
    protobuf: Annotated[ProtobufTypes | None, option("Message types of binary payloads", kind="json")] = None


class SessionSubscription(msgspec.Struct, frozen=True, kw_only=True):
    """One [[subscriptions]]; keys of the protocol (`qos`, …) stand beside these."""

    channel: Annotated[str, option("Topic filter, event or method")]
    colour: Annotated[str, option("Colour of its rows: #5fd7ff, ansi_cyan", kind="colour")] = ""
    alias: Annotated[str, option("Short name, shown with its rows")] = ""
    muted: Annotated[bool, option("Record its messages but hide them", kind="flag")] = False
    enabled: Annotated[bool, option("Subscribe on connect", kind="flag")] = True
    options: Annotated[dict[str, Any], option("Options of the protocol", kind="json")] = {}


class SavedMessage(msgspec.Struct, frozen=True, kw_only=True):
    """One [[messages]]: sent with one key, or on a rhythm."""

    name: Annotated[str, option("Name in the list of saved messages")]
    channel: Annotated[str, option("Topic, event or method to send to")] = ""
    payload: Annotated[str, option("What to send")] = ""
    file: Annotated[str, option("File to send instead, relative to the session file")] = ""
    format: Annotated[PayloadFormat, option(f"How `payload` is written; {_FORMAT_NOTE}", choices=FORMATS)] = "text"
    type: Annotated[str, option(_TYPE_NOTE)] = ""
    options: Annotated[dict[str, Any], option("Options of the protocol for this send", kind="json")] = {}
    every: Annotated[float, option("Repeat after this long; 0 = send once", kind="duration", maximum=86_400 * 30)] = 0.0
    on_connect: Annotated[bool, option("Send it each time the connection opens", kind="flag")] = False


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One [[steps]]: exactly one of the `STEP_VERBS`, and what goes with it."""

    name: Annotated[str, option("What the step is called")] = ""
    caption: Annotated[str, option("What is said while it is presented; its name, if it has none")] = ""
    send: Annotated[str | None, option("Send this payload, or a saved message as @name")] = None
    to: Annotated[str, option("Channel for `send`")] = ""
    format: Annotated[PayloadFormat, option(f"How `send` is written; {_FORMAT_NOTE}", choices=FORMATS)] = "text"
    type: Annotated[str, option(_TYPE_NOTE)] = ""
    options: Annotated[dict[str, Any], option("Options of the protocol for `send`", kind="json")] = {}
    expect: Annotated[str | None, option("Wait for a message that matches this filter")] = None
    within: Annotated[float, option("Longest wait of `expect`", kind="duration")] = 5.0
    capture: Annotated[dict[str, str], option("Variables set from JSON paths of the match", kind="pairs")] = {}
    sleep: Annotated[float | None, option("Wait this long", kind="duration")] = None
    close: Annotated[bool | None, option("Close the connection", kind="flag")] = None
    reconnect: Annotated[bool | None, option("Close and connect again", kind="flag")] = None


STEP_VERBS: Final = ("send", "expect", "sleep", "close", "reconnect")


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """A connection as the user wrote it down. Strings may hold templates until `template.resolve` renders them."""

    name: str
    url: str
    protocol: str = ""
    description: str = ""
    tags: tuple[str, ...] = ()
    options: dict[str, Any] = {}
    """Raw values of the protocol's `Options`, without group tables; `connect_options` builds the instance."""
    reconnect: Policy = Reconnect()
    subscriptions: tuple[SessionSubscription, ...] = ()
    messages: tuple[SavedMessage, ...] = ()
    variables: dict[str, str] = {}
    view: View = View()
    steps: tuple[dict[str, Any], ...] = ()
    path: Path | None = None
    """The file it was loaded from or saved to."""
    stored: dict[str, Any] | None = None
    """`to_data` of what the file held: saving writes only what differs from it."""
    resolved: bool = False
    """Whether templates are rendered. It may then hold secrets in the clear and is refused by `save_session`."""

    @property
    def base(self) -> Path:
        """The folder that relative files are meant from."""
        return self.path.parent if self.path else Path()


def to_data(session: Session) -> dict[str, Any]:
    """The tables of a session file, defaults left out."""
    head = Head(**{one.key: getattr(session, one.key) for one in declared(Head)})
    data = {
        "session": table_data(head),
        "options": writable(session.options),
        "reconnect": table_data(msgspec.convert(session.reconnect, Reconnect, from_attributes=True)),
        "subscriptions": [_inline_options(one) for one in session.subscriptions],
        "messages": [table_data(one) for one in session.messages],
        "variables": dict(session.variables),
        "view": table_data(session.view),
        "steps": [writable(step) for step in session.steps],
    }
    return {key: value for key, value in data.items() if value}


def table_data(struct: msgspec.Struct) -> dict[str, Any]:
    """The TOML table of one struct, defaults left out, durations and sizes with their units."""
    values = ((one, getattr(struct, one.key)) for one in declared(type(struct)))
    return {one.key: _spell(one.kind, value) for one, value in values if value != one.default}


def _inline_options(subscription: SessionSubscription) -> dict[str, Any]:
    data = table_data(subscription)
    options: dict[str, Any] = data.pop("options", {})
    return data | options


def _spell(kind: str, value: Any) -> Any:
    if kind == "duration":
        return format_duration(value)
    if kind == "size":
        return format_size(value)
    if isinstance(value, msgspec.Struct):
        return table_data(value)
    return list(value) if isinstance(value, tuple) else writable(value)


def writable(value: Any) -> Any:
    """`value` without what TOML lacks: no keys without a value; JSON that holds a null as JSON text."""
    if not isinstance(value, Mapping):
        return _without_null(value)
    return {str(key): _without_null(item) for key, item in value.items() if item is not None}


def _without_null(value: Any) -> Any:
    return msgspec.json.encode(value).decode() if _holds_null(value) else value


def _holds_null(value: Any) -> bool:
    if isinstance(value, Mapping):
        return any(_holds_null(item) for item in value.values())
    if isinstance(value, (list, tuple)):
        return any(_holds_null(item) for item in value)
    return value is None
