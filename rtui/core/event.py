"""What an adapter reports: one small frozen value per thing that happened on the wire.

Events are past participles. An adapter emits lists of them, one list per socket read where its library allows; the
link stamps each with a sequence and a time and stores it as a `Record`. Nothing here knows what happens afterwards.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypeAlias

import msgspec

from rtui.core.fault import Fault
from rtui.core.record import Kind, Record

Meta: TypeAlias = Mapping[str, Any]
"""Protocol details of one event: JSON-encodable, never a secret, empty values left out."""

Party: TypeAlias = Literal["us", "them", "network"]
"""Who did it: this program or its user, the peer, or neither."""


class Opened(msgspec.Struct, frozen=True, kw_only=True):
    """The connection is usable. Fires once per successful attempt, before any `Received`."""

    details: Meta
    """What was negotiated (`protocol`, `tls`, `cipher`, `subprotocol`, `compression`, `session`, `headers`, …) and,
    under `timings`, milliseconds of `dns`, `tcp`, `tls` and `handshake`."""


class Received(msgspec.Struct, frozen=True, gc=False):
    """A message came from the peer."""

    channel: str
    """Topic, event, method or group; "" where the protocol has none."""
    payload: bytes
    kind: Kind = Kind.MESSAGE
    meta: Meta | None = None
    replies_to: int | None = None
    """The id of the command that this message answers, if the protocol tells."""
    settles: bool = False
    """Whether that command is done with it: the answer is the acknowledgement, and no other will come."""


class Sent(msgspec.Struct, frozen=True, gc=False):
    """A message was handed to the operating system for the peer."""

    command: int
    """The id of the command that asked for it; 0 for what the adapter sent on its own (automatic pings)."""
    channel: str
    payload: bytes
    kind: Kind = Kind.MESSAGE
    meta: Meta | None = None
    continues: int = 0
    """The id of the command whose exchange this goes on with; 0 = it begins one of its own."""


class Acknowledged(msgspec.Struct, frozen=True, gc=False):
    """The peer confirmed what a command sent."""

    command: int
    channel: str = ""
    payload: bytes = b""
    meta: Meta | None = None


class Subscribed(msgspec.Struct, frozen=True, gc=False):
    """The peer accepted a subscription."""

    channel: str
    command: int = 0
    meta: Meta | None = None
    stood: bool = False
    """Whether it stood before it was asked for: that is answered, and no row tells it a second time."""


class Unsubscribed(msgspec.Struct, frozen=True, gc=False):
    """A subscription is over: at our request, or since the peer has no more; `command` is what asked for either."""

    channel: str
    command: int = 0
    meta: Meta | None = None


class Offer(msgspec.Struct, frozen=True, kw_only=True):
    """One channel that the peer has, and what is to be known before the first message on it."""

    channel: str
    kind: str
    """How a conversation on it goes: "unary", "server stream", "client stream", "bidi stream"."""
    template: str = ""
    """JSON text of a message with every field, to be filled in; "" = there is none."""
    signature: str = ""
    """What goes in and what comes out: "Echo(EchoRequest) → stream EchoReply"."""
    description: str = ""
    """What the peer's own documentation says of it, on any number of lines."""


class Offered(msgspec.Struct, frozen=True):
    """What the peer has to offer became known, all of it. Not stored: the link keeps the last."""

    channels: tuple[Offer, ...]


class Measured(msgspec.Struct, frozen=True, gc=False):
    """A round trip was timed. Not stored: it only moves the link's RTT figure."""

    rtt: int
    """Nanoseconds."""


class Progressed(msgspec.Struct, frozen=True):
    """How the running attempt is doing. Not stored: it only moves what a header shows of the link."""

    details: Meta
    """What changed: `first_byte_ms` and `first_event_ms` (milliseconds from the request), `last_byte` (monotonic
    nanoseconds), …; kept under `stream` in the details of the link."""


class Stalled(msgspec.Struct, frozen=True, gc=False):
    """The peer is late; the connection still stands. Cleared by the next event from the peer. Not stored."""

    text: str
    """What is missing and for how long: "no pong for 12 s"; empty when it is no longer so."""


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """Something the user should know that is neither a message nor the end."""

    text: str
    level: Literal["info", "warning", "error"] = "info"
    command: int = 0
    """The id of the command that this refuses or comments; 0 for none."""
    channel: str = ""
    """What it is about, where that is one channel: its errors are counted in the tree."""
    fault: Fault | None = None
    meta: Meta | None = None


class Retold(msgspec.Struct, frozen=True):
    """Rows of an earlier capture are told again, in their order: stored as they were, at a place and time of now."""

    rows: Sequence[Record]


class Closed(msgspec.Struct, frozen=True, kw_only=True):
    """The attempt ended. Exactly one per attempt; emitted by the supervisor, never by an adapter."""

    by: Party
    clean: bool
    code: int | None = None
    reason: str = ""
    fault: Fault | None = None
    meta: Meta | None = None


News: TypeAlias = (
    Opened
    | Received
    | Sent
    | Acknowledged
    | Subscribed
    | Unsubscribed
    | Offered
    | Measured
    | Progressed
    | Stalled
    | Notice
)
"""What happened just now."""

Event: TypeAlias = News | Retold
"""What `Link.emit` and `Link.pour` take."""
