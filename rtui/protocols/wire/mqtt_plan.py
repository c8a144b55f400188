"""What the user wants of MQTT: a URL and options, taken apart and checked before anything is sent."""

from __future__ import annotations

import secrets
from typing import Any, Final
from urllib.parse import unquote

import msgspec

from rtui.core.fault import Failure
from rtui.protocols.mqtt import Options
from rtui.protocols.wire import mqtt_property
from rtui.protocols.wire.mqtt_topic import filter_flaw, topic_flaw
from rtui.protocols.wire.reach_fault import usage
from rtui.protocols.wire.trip import Peer

PORTS: Final = {"mqtt": 1883, "mqtts": 8883, "mqtt+ws": 80, "mqtt+wss": 443}


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """A URL and options, taken apart and checked."""

    peer: Peer
    username: str
    password: str
    client_id: str
    clean: bool
    options: Options

    @property
    def five(self) -> bool:
        """Whether MQTT 5 is spoken."""
        return self.options.version == "5"

    @property
    def framed(self) -> bool:
        """Whether WebSocket carries it."""
        return "+" in self.peer.scheme

    @property
    def kept(self) -> bool:
        """Whether the broker keeps the session while we are away."""
        return self.options.session_expiry > 0 if self.five else not self.clean


def plan(url: str, options: Options, memory: dict[str, Any]) -> Plan:
    """What the user wants.

    `memory` keeps the client id that is made up once per link: a reconnect takes over its own session, not another's.

    Raises:
        Failure: if it cannot be.
    """
    scheme, _, rest = url.partition("://")
    authority, _, path = rest.partition("/")
    userinfo, _, place = authority.rpartition("@")
    user, _, password = userinfo.partition(":")
    host, port = _host(place)
    if path and (flaw := filter_flaw(unquote(path, errors="surrogateescape"))):
        raise Failure(usage("Not a usable topic filter", flaw, "Write it after the host, percent-encoded"))
    _check(options, framed="+" in scheme)
    made_up = memory.setdefault("client_id", f"rtui{secrets.token_hex(6)}")
    # A clean start is for the first connect: a session that outlives the connection is taken up again by the next ones.
    clean = options.clean_start and not (options.session_expiry and options.version == "5" and "opened" in memory)
    return Plan(
        peer=Peer(
            host=host,
            port=port or PORTS[scheme],
            scheme=scheme,
            secure=scheme in {"mqtts", "mqtt+wss"},
            word="broker",
        ),
        username=options.username or unquote(user),
        password=options.password or unquote(password),
        client_id=options.client_id or made_up,
        clean=clean,
        options=options,
    )


# What can be wrong with options


FIVE_ONLY: Final = (
    "session_expiry",
    "receive_maximum",
    "user_properties",
    "will_delay",
    "will_expiry",
    "will_content_type",
    "will_response_topic",
    "will_correlation_data",
    "will_user_properties",
)


def _check(options: Options, *, framed: bool) -> None:
    if options.version != "5" and (given := [name for name in FIVE_ONLY if getattr(options, name)]):
        raise Failure(usage(f"{given[0]} needs MQTT 5", f"version is {options.version}", "Set version to 5"))
    if not framed and (options.headers or options.token):
        name = "headers" if options.headers else "token"
        hint = "Give a token as password, or use mqtt+ws://"
        raise Failure(usage(f"MQTT over TCP has no {name}", "only a WebSocket handshake carries them", hint))
    for name in ("will_topic", "will_response_topic"):
        if (topic := getattr(options, name)) and (flaw := topic_flaw(topic)):
            raise Failure(usage(f"{name} cannot be used", flaw))
    if not options.will_topic and (options.will_payload or options.will_retain or options.will_qos):
        raise Failure(usage("A last will needs a topic", "will_topic is empty"))
    try:
        mqtt_property.given(options.will_correlation_data)
    except ValueError as error:
        raise Failure(usage("will_correlation_data cannot be used", str(error))) from error


def _host(place: str) -> tuple[str, int]:
    """Host and port of `host:port` or `[v6]:port`."""
    host, bracket, rest = place.removeprefix("[").partition("]")
    if place.startswith("[") and bracket:
        return host, _port(rest.removeprefix(":"))
    host, _, port = place.partition(":")
    return host, _port(port)


def _port(text: str) -> int:
    if text and not (text.isascii() and text.isdigit() and 0 < int(text) < 0x10000):  # noqa: PLR2004 - 16 bits
        raise Failure(usage("Not a usable URL", f"{text!r} is no port", "Write mqtt://host:port/topic"))
    return int(text or 0)
