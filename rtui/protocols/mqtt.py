"""MQTT 3.1.1 and 5, over TCP, TLS and WebSocket.

    mqtt:// mqtts:// mqtt+ws:// mqtt+wss://user:password@host:port/first/topic/filter/#

The path is the first topic filter, percent-decoded; there is no query. What it can do stands here, in the words that
every surface uses. The libraries (aiomqtt, paho) are imported when a link opens: `wire.mqtt_dial` connects,
`wire.mqtt_client` reads, `wire.mqtt_session` obeys, `wire.mqtt_fault` explains.

paho reads and writes a plain socket when the loop says that it can. On Windows this needs a selector event loop
(`asyncio.SelectorEventLoop`), not the default proactor one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any
from urllib.parse import unquote

from rtui.core.event import Closed
from rtui.core.fault import Fault
from rtui.protocols import base
from rtui.protocols.base import Adapter, CommonOptions, Link, Verb, Words
from rtui.protocols.shell import CommandLine
from rtui.settings.option import option

QOS = ("0", "1", "2")
FOREVER = 0xFFFFFFFF
"""A session expiry that never ends (MQTT 5 §3.1.2.11.2)."""


class Options(CommonOptions, frozen=True, kw_only=True):
    """Connect options of MQTT."""

    version: Annotated[str, option("Version of the protocol", choices=("3.1.1", "5"), section="MQTT")] = "5"
    client_id: Annotated[str, option("Client identifier; '' = made up once per connection", section="MQTT")] = ""
    clean_start: Annotated[
        bool, option("Begin without what the broker kept of an earlier session", kind="flag", section="MQTT")
    ] = True
    session_expiry: Annotated[
        float,
        option(
            "How long the broker keeps the session when we are away (5)",
            kind="duration",
            section="MQTT",
            minimum=0,
            maximum=FOREVER,
        ),
    ] = 0.0
    keep_alive: Annotated[
        float,
        option("Longest silence before either side gives up; 0 = never", kind="duration", minimum=0, maximum=65535),
    ] = 60.0
    receive_maximum: Annotated[
        int,
        option(
            "QoS 1 and 2 messages the broker may have under way to us; 0 = 65535 (5)",
            kind="integer",
            section="Limits",
            minimum=0,
            maximum=65535,
        ),
    ] = 0
    max_packet_size: Annotated[
        int, option("Largest packet accepted", kind="size", section="Limits", minimum=16, maximum=268435460)
    ] = 16 * 1024**2
    user_properties: Annotated[
        dict[str, str], option("User properties of CONNECT (5)", kind="pairs", flag=False, section="MQTT")
    ] = {}  # noqa: RUF012 - msgspec copies defaults
    will_topic: Annotated[str, option("Topic of the last will; '' = none", section="Will")] = ""
    will_payload: Annotated[str, option("Payload of the last will", section="Will")] = ""
    will_qos: Annotated[int, option("QoS of the last will", kind="integer", choices=QOS, section="Will")] = 0
    will_retain: Annotated[bool, option("Whether the broker keeps the last will", kind="flag", section="Will")] = False
    will_delay: Annotated[
        float,
        option("How long the broker waits before it sends the will (5)", kind="duration", section="Will", minimum=0),
    ] = 0.0
    will_expiry: Annotated[
        float,
        option("Life of the will once it is sent; 0 = for ever (5)", kind="duration", section="Will", minimum=0),
    ] = 0.0
    will_content_type: Annotated[str, option("Content type of the will (5)", flag=False, section="Will")] = ""
    will_response_topic: Annotated[str, option("Response topic of the will (5)", flag=False, section="Will")] = ""
    will_correlation_data: Annotated[
        str, option("Correlation data of the will, text or hex:… (5)", flag=False, section="Will")
    ] = ""
    will_payload_format: Annotated[
        str,
        option("What the will's payload is said to be (5)", choices=("bytes", "text"), flag=False, section="Will"),
    ] = "bytes"
    will_user_properties: Annotated[
        dict[str, str], option("User properties of the will (5)", kind="pairs", flag=False, section="Will")
    ] = {}  # noqa: RUF012
    alpn: Annotated[list[str], option("Protocols to offer in the TLS handshake", kind="list", section="TLS")] = []  # noqa: RUF012
    ws_path: Annotated[str, option("Path of the WebSocket (mqtt+ws, mqtt+wss)", section="WebSocket")] = "/mqtt"


class Outgoing(base.Outgoing, frozen=True, kw_only=True):
    """What one PUBLISH carries besides topic and payload."""

    qos: Annotated[int, option("0 = at most once, 1 = at least once, 2 = once", kind="integer", choices=QOS)] = 0
    retain: Annotated[bool, option("The broker keeps it for later subscribers", kind="flag")] = False
    content_type: Annotated[str, option("Content type (5)")] = ""
    response_topic: Annotated[str, option("Topic for the answer (5)")] = ""
    correlation_data: Annotated[str, option("Mark that the answer repeats, text or hex:… (5)")] = ""
    message_expiry: Annotated[
        float,
        option("Dropped by the broker when older; 0 = never (5)", kind="duration", minimum=0, maximum=FOREVER),
    ] = 0.0
    topic_alias: Annotated[
        int, option("Number that stands for the topic; 0 = none (5)", kind="integer", minimum=0, maximum=65535)
    ] = 0
    payload_format: Annotated[str, option("What the payload is said to be (5)", choices=("bytes", "text"))] = "bytes"
    user_properties: Annotated[dict[str, str], option("User properties (5)", kind="pairs")] = {}  # noqa: RUF012

    @property
    def confirmed(self) -> bool:
        """See `base.Outgoing`."""
        return self.qos > 0


class Subscription(base.Subscription, frozen=True, kw_only=True):
    """What one SUBSCRIBE carries besides its topic filter."""

    qos: Annotated[int, option("Highest QoS wanted", kind="integer", choices=QOS)] = 0
    no_local: Annotated[bool, option("Not what we publish ourselves (5)", kind="flag")] = False
    retain_as_published: Annotated[bool, option("Keep the publisher's retain flag (5)", kind="flag")] = False
    retain_handling: Annotated[
        int,
        option(
            "Retained messages: 0 = send, 1 = only if new, 2 = do not send (5)",
            kind="integer",
            choices=("0", "1", "2"),
        ),
    ] = 0
    identifier: Annotated[
        int,
        option("Number that each matching message carries; 0 = ours (5)", kind="integer", minimum=0, maximum=268435455),
    ] = 0


class Mqtt(Adapter):
    """The MQTT client."""

    name = "mqtt"
    title = "MQTT"
    schemes = ("mqtt", "mqtts", "mqtt+ws", "mqtt+wss")
    verbs = frozenset({Verb.SEND, Verb.SUBSCRIBE, Verb.PING, Verb.ACK, Verb.BINARY, Verb.BREAK})
    words = Words(
        channel="topic",
        channels="topics",
        peer="broker",
        separator="/",
        wanted="Topic filter: plant/+/temp, alarms/#, $share/group/jobs/#",
        answered="QoS 1 and 2 until it is confirmed, a response topic until a message comes there, pings",
    )
    Options = Options
    Outgoing = Outgoing
    Subscription = Subscription

    @classmethod
    def channels(cls, url: str) -> tuple[str, ...]:
        """The path is a topic filter."""
        topic = unquote(url.partition("://")[2].partition("/")[2], errors="surrogateescape")
        return (topic,) if topic else ()

    @classmethod
    def subscription_flaw(cls, wanted: str) -> str:
        """See `Adapter.subscription_flaw`: it has to be a topic filter."""
        from rtui.protocols.wire.mqtt_topic import filter_flaw

        flaw = filter_flaw(wanted)
        return f"not a topic filter: {flaw}" if flaw else ""

    @classmethod
    def matcher(cls, wanted: str) -> Callable[[str], bool]:
        """See `Adapter.matcher`."""
        from rtui.protocols.wire.mqtt_topic import matcher

        return matcher(wanted)

    @classmethod
    def expression(cls, wanted: str) -> str:
        """See `Adapter.expression`."""
        from rtui.protocols.wire.mqtt_topic import expression

        return expression(wanted)

    @classmethod
    def send_commands(
        cls, url: str, options: Any, channel: str, payload: bytes, outgoing: Any = None
    ) -> tuple[CommandLine, ...]:
        """See `Adapter.send_commands`: mosquitto_pub; mqttx over WebSocket."""
        from rtui.protocols.wire.mqtt_shell import publishing

        return publishing(url, options, channel, payload, outgoing)

    @classmethod
    def listen_commands(cls, url: str, options: Any, subscriptions: Mapping[str, Any]) -> tuple[CommandLine, ...]:
        """See `Adapter.listen_commands`: mosquitto_sub; mqttx over WebSocket."""
        from rtui.protocols.wire.mqtt_shell import subscribing

        return subscribing(url, options, subscriptions)

    async def run(self, link: Link) -> Closed | None:
        """See `Adapter.run`."""
        from rtui.protocols.wire.mqtt_session import converse

        return await converse(link)

    def explain(self, error: BaseException) -> Fault:
        """See `Adapter.explain`."""
        from rtui.protocols.wire.reach_fault import explain

        return explain(error)
