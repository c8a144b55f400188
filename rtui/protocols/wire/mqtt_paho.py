"""paho's value types, made from our options and read back in our names."""

from __future__ import annotations

from typing import Any

import aiomqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

from rtui.protocols.mqtt import Options, Outgoing, Subscription
from rtui.protocols.wire import mqtt_property


def blank(packet: int) -> Properties:
    """No properties yet, for a type of packet."""
    return Properties(packet)  # type: ignore[no-untyped-call] # paho's are not annotated


def packed(properties: Properties | None) -> bytes:
    """A list of properties as it goes over the wire, without the length before it."""
    if properties is None or properties.isEmpty():  # type: ignore[no-untyped-call]
        return b""
    data: bytes = properties.pack()  # type: ignore[no-untyped-call]
    return data[mqtt_property.integer(data, 0)[1] :]


def shown(properties: Properties | None) -> dict[str, Any]:
    """A packet's properties in our names."""
    found = mqtt_property.read(packed(properties)).meta
    found.pop("authentication_data", None)
    return found


def subscribe_options(wanted: Subscription) -> SubscribeOptions:
    """The byte that follows a topic filter."""
    return SubscribeOptions(wanted.qos, wanted.no_local, wanted.retain_as_published, wanted.retain_handling)


def subscribe_properties(identifier: int) -> Properties:
    """Of SUBSCRIBE; 0 for no identifier."""
    found = blank(PacketTypes.SUBSCRIBE)
    if identifier:
        found.SubscriptionIdentifier = identifier
    return found


def disconnect_body(code: int, reason: str) -> bytes:
    """Of DISCONNECT, after its length."""
    properties = blank(PacketTypes.DISCONNECT)
    if reason:
        properties.ReasonString = reason
    return bytes([code]) + bytes(properties.pack())  # type: ignore[no-untyped-call]


def connect_properties(options: Options) -> Properties:
    """Of CONNECT."""
    found = blank(PacketTypes.CONNECT)
    found.MaximumPacketSize = options.max_packet_size
    if options.session_expiry:
        found.SessionExpiryInterval = int(options.session_expiry)
    if options.receive_maximum:
        found.ReceiveMaximum = options.receive_maximum
    if options.user_properties:
        found.UserProperty = list(options.user_properties.items())
    return found


def will(options: Options) -> aiomqtt.Will | None:
    """The last will, if one is wanted."""
    if not options.will_topic:
        return None
    properties = _will_properties(options) if options.version == "5" else None
    payload = options.will_payload.encode()
    return aiomqtt.Will(options.will_topic, payload, options.will_qos, options.will_retain, properties)


def _will_properties(options: Options) -> Properties:
    found = blank(PacketTypes.WILLMESSAGE)
    if options.will_delay:
        found.WillDelayInterval = int(options.will_delay)
    if options.will_expiry:
        found.MessageExpiryInterval = int(options.will_expiry)
    if options.will_content_type:
        found.ContentType = options.will_content_type
    if options.will_response_topic:
        found.ResponseTopic = options.will_response_topic
    if options.will_correlation_data:
        found.CorrelationData = mqtt_property.given(options.will_correlation_data)
    if options.will_payload_format == "text":
        found.PayloadFormatIndicator = 1
    if options.will_user_properties:
        found.UserProperty = list(options.will_user_properties.items())
    return found


def publish_properties(outgoing: Outgoing) -> Properties | None:
    """Of PUBLISH; None for none."""
    found = blank(PacketTypes.PUBLISH)
    if outgoing.content_type:
        found.ContentType = outgoing.content_type
    if outgoing.response_topic:
        found.ResponseTopic = outgoing.response_topic
    if outgoing.correlation_data:
        found.CorrelationData = mqtt_property.given(outgoing.correlation_data)
    if outgoing.message_expiry:
        found.MessageExpiryInterval = max(1, int(outgoing.message_expiry))
    if outgoing.topic_alias:
        found.TopicAlias = outgoing.topic_alias
    if outgoing.payload_format == "text":
        found.PayloadFormatIndicator = 1
    if outgoing.user_properties:
        found.UserProperty = list(outgoing.user_properties.items())
    return found if packed(found) else None
