"""Exports of MQTTX 1.4 and later as JSON: a list of connections with their subscriptions and messages.

Some versions write TYPE_NULL, EMPTY_STRING and the like for what the other formats cannot hold.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from rtui.core.backoff import Policy
from rtui.settings.files import SettingsError
from rtui.settings.importing.base import MOST_MESSAGES, Gatherer, Harvest, distinct
from rtui.settings.importing.brace import literal
from rtui.settings.importing.document import Node
from rtui.settings.session_model import Reconnect, SavedMessage, Session, SessionSubscription

TITLE: Final = "MQTTX"
_SCHEMES: Final = {"mqtt": "mqtt", "mqtts": "mqtts", "ws": "mqtt+ws", "wss": "mqtt+wss"}
_SPECIAL: Final[Mapping[str, Any]] = {
    "TYPE_NULL": None, "TYPE_UNDEFINED": None, "EMPTY_STRING": "", "EMPTY_ARRAY": [], "EMPTY_OBJECT": {},
}  # fmt: skip
_MADE_UP: Final = re.compile(r"mqttx_[0-9a-f]{8}")
_COLOUR: Final = re.compile(r"#[0-9a-fA-F]{6}")
_WILL: Final = {
    "contentType": "will_content_type", "responseTopic": "will_response_topic",
    "correlationData": "will_correlation_data",
}  # fmt: skip
_OUTGOING: Final = {
    "contentType": "content_type", "responseTopic": "response_topic", "correlationData": "correlation_data",
}  # fmt: skip
_SWITCHES: Final = {"nl": "no_local", "rap": "retain_as_published"}


def claims(document: Node) -> bool:
    """Whether it is a list of MQTTX's connections, or one of them."""
    value = document.value
    first = (value[0] if value else None) if isinstance(value, list) else value
    return isinstance(first, dict) and "clientId" in first and ("mqttVersion" in first or "subscriptions" in first)


def harvest(document: Node) -> Harvest:
    """A session for each connection."""
    gatherer = Gatherer(TITLE)
    whole = Node(_recovered(document.value), document.name)
    for one in whole if isinstance(whole.value, list) else [whole]:
        try:
            gatherer.add(_session(one, gatherer))
        except SettingsError as error:
            gatherer.broken(error)
    return gatherer.harvest()


def _recovered(value: Any) -> Any:
    """No deeper than `document.DEEPEST`."""
    if isinstance(value, str):
        return _SPECIAL.get(value, value)
    if isinstance(value, dict):
        return {key: _recovered(item) for key, item in value.items()}
    return [_recovered(item) for item in value] if isinstance(value, list) else value


def _session(one: Node, gatherer: Gatherer) -> Session:
    protocol = one["protocol"].text("mqtts" if one["ssl"].flag() else "mqtt").lower().removesuffix("://")
    if protocol not in _SCHEMES:
        raise one["protocol"].wrong(f"{protocol!r} is no protocol that MQTTX has")
    host, port = one["host"].text("localhost"), one["port"].text()
    name = one["name"].text() or host
    url = f"{_SCHEMES[protocol]}://{f'[{host}]' if ':' in host else host}{f':{port}' if port else ''}"
    return Session(
        name=literal(name),
        url=literal(url),
        options=_options(one, name, gatherer, socket=protocol in {"ws", "wss"}),
        reconnect=Reconnect(enabled=False) if one["reconnect"].value is False else Policy(),
        subscriptions=tuple(_subscriptions(one)),
        messages=_messages(one, name, gatherer),
    )


def _options(one: Node, name: str, gatherer: Gatherer, *, socket: bool) -> dict[str, Any]:
    options: dict[str, Any] = {"version": "5" if one["mqttVersion"].text("5.0").startswith("5") else "3.1.1"}
    for key in ("username", "password"):
        if text := one[key].text():
            options[key] = literal(text)
    if client := one["clientId"].text():
        if _MADE_UP.fullmatch(client) or one["clientIdWithTime"].value is True:
            gatherer.leave(name, "the client id", "MQTTX made it up: two clients with one id throw each other out")
        else:
            options["client_id"] = literal(client)
    if one["clean"].value is False:
        options["clean_start"] = False
    if one["keepalive"]:
        options["keep_alive"] = f"{one['keepalive'].whole()}s"
    if one["connectTimeout"]:
        options["timeout"] = f"{one['connectTimeout'].whole()}s"
    if socket:
        options["ws_path"] = literal(one["path"].text() or "/mqtt")
    return options | _tls(one) | _properties(one["properties"]) | _will(one["will"])


def _tls(one: Node) -> dict[str, Any]:
    options: dict[str, Any] = {key: literal(text) for key in ("ca", "cert", "key") if (text := one[key].text())}
    if one["rejectUnauthorized"].value is False:
        options["insecure"] = True
    if alpn := one["ALPNProtocols"].text():
        options["alpn"] = [part.strip() for part in alpn.split(",") if part.strip()]
    return options


def _properties(given: Node) -> dict[str, Any]:
    options: dict[str, Any] = {}
    if given["sessionExpiryInterval"]:
        options["session_expiry"] = f"{given['sessionExpiryInterval'].whole()}s"
    if given["receiveMaximum"]:
        options["receive_maximum"] = given["receiveMaximum"].whole()
    if given["maximumPacketSize"]:
        options["max_packet_size"] = given["maximumPacketSize"].whole()
    if pairs := _pairs(given["userProperties"]):
        options["user_properties"] = pairs
    return options


def _pairs(given: Node) -> dict[str, str]:
    """User properties; of a name with several values the last counts, for our tables have each name once."""
    return {
        literal(key): literal([*item][-1].text() if isinstance(item.value, list) and item else item.text())
        for key, item in given.items()
    }


def _will(will: Node) -> dict[str, Any]:
    if not will["lastWillTopic"].text():
        return {}
    options: dict[str, Any] = {
        "will_topic": literal(will["lastWillTopic"].text()),
        "will_payload": literal(will["lastWillPayload"].text()),
        "will_qos": will["lastWillQos"].whole(),
        "will_retain": will["lastWillRetain"].flag(),
    }
    given = will["properties"]
    options |= {key: literal(text) for name, key in _WILL.items() if (text := given[name].text())}
    if given["willDelayInterval"]:
        options["will_delay"] = f"{given['willDelayInterval'].whole()}s"
    if given["messageExpiryInterval"]:
        options["will_expiry"] = f"{given['messageExpiryInterval'].whole()}s"
    if given["payloadFormatIndicator"].value is True:
        options["will_payload_format"] = "text"
    if pairs := _pairs(given["userProperties"]):
        options["will_user_properties"] = pairs
    return options


def _subscriptions(one: Node) -> Iterator[SessionSubscription]:
    seen: set[str] = set()
    for each in one["subscriptions"]:
        topic = literal(each["topic"].text())
        if topic in seen:
            continue
        seen.add(topic)
        options: dict[str, Any] = {"qos": each["qos"].whole()} if each["qos"] else {}
        options |= {key: True for name, key in _SWITCHES.items() if each[name].flag()}
        if each["rh"]:
            options["retain_handling"] = each["rh"].whole()
        if each["subscriptionIdentifier"]:
            options["identifier"] = each["subscriptionIdentifier"].whole()
        colour = each["color"].text()
        yield SessionSubscription(
            channel=topic,
            alias=literal(each["alias"].text()),
            colour=colour if _COLOUR.fullmatch(colour) else "",
            enabled=not each["disabled"].flag(),
            options=options,
        )


def _messages(one: Node, name: str, gatherer: Gatherer) -> tuple[SavedMessage, ...]:
    """What was published, each once; what was received is a capture's business."""
    received, sent = 0, []
    for each in one["messages"]:
        if each["out"].flag():
            sent.append(_message(each))
        else:
            received += 1
    messages = list(distinct(sent))
    if received:
        gatherer.leave(name, f"{received:,} received messages", "a session holds what is sent")
    if len(messages) > MOST_MESSAGES:
        more = f"{len(messages) - MOST_MESSAGES:,} more messages"
        gatherer.leave(name, more, f"{MOST_MESSAGES} are taken for one session")
    return tuple(messages[-MOST_MESSAGES:])


def _message(each: Node) -> SavedMessage:
    topic, given = each["topic"].text(), each["properties"]
    options: dict[str, Any] = {"qos": each["qos"].whole()} if each["qos"] else {}
    if each["retain"].flag():
        options["retain"] = True
    options |= {key: literal(text) for name, key in _OUTGOING.items() if (text := given[name].text())}
    if pairs := _pairs(given["userProperties"]):
        options["user_properties"] = pairs
    return SavedMessage(
        name=topic.rpartition("/")[2] or "message",
        channel=literal(topic),
        payload=literal(each["payload"].text()),
        options=options,
    )
