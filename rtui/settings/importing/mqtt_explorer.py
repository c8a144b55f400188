"""settings.json of MQTT Explorer 0.3 and 0.4: its connections. It speaks MQTT 3.1.1."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from rtui.settings.files import SettingsError
from rtui.settings.importing.base import Gatherer, Harvest
from rtui.settings.importing.brace import literal
from rtui.settings.importing.document import Node
from rtui.settings.session_model import Session, SessionSubscription

TITLE: Final = "MQTT Explorer"
_STORE: Final = "ConnectionManager_connections"
_MADE_UP: Final = re.compile(r"mqtt-explorer-[0-9a-f]{8}")
_CERTIFICATES: Final = ("selfSignedCertificate", "clientCertificate", "clientKey")


def claims(document: Node) -> bool:
    """Whether it is the file of its settings."""
    return isinstance(document.value, dict) and _STORE in document.value


def harvest(document: Node) -> Harvest:
    """A session for each connection."""
    gatherer = Gatherer(TITLE)
    for one in document[_STORE].values():
        try:
            gatherer.add(_session(one, gatherer))
        except SettingsError as error:
            gatherer.broken(error)
    for key in document.keys():  # noqa: SIM118 - no dictionary
        if key != _STORE:
            gatherer.leave("", key, "settings of the program itself")
    return gatherer.harvest()


def _session(one: Node, gatherer: Gatherer) -> Session:
    protocol = one["protocol"].text("mqtt")
    if protocol not in {"mqtt", "ws"}:
        raise one["protocol"].wrong(f"{protocol!r} is no protocol that MQTT Explorer has")
    host = one["host"].text("localhost")
    name = one["name"].text() or host
    secure = "s" if one["encryption"].flag() else ""
    scheme = f"mqtt{secure}" if protocol == "mqtt" else f"mqtt+ws{secure}"
    port = one["port"].text()
    for key in _CERTIFICATES:
        if one[key]:
            what = f"{key} ({one[key]['name'].text()})"
            gatherer.leave(name, what, "it is kept inside of the file: save it as one and name it in the session")
    return Session(
        name=literal(name),
        url=literal(f"{scheme}://{f'[{host}]' if ':' in host else host}{f':{port}' if port else ''}"),
        options=_options(one, name, gatherer, socket=protocol == "ws"),
        subscriptions=tuple(_subscriptions(one)),
    )


def _options(one: Node, name: str, gatherer: Gatherer, *, socket: bool) -> dict[str, Any]:
    options: dict[str, Any] = {"version": "3.1.1"}
    for key in ("username", "password"):
        if text := one[key].text():
            options[key] = literal(text)
    if client := one["clientId"].text():
        if _MADE_UP.fullmatch(client):
            gatherer.leave(name, "the client id", "it was made up: two clients with one id throw each other out")
        else:
            options["client_id"] = literal(client)
    if one["certValidation"].value is False:
        options["insecure"] = True
    if socket:
        options["ws_path"] = "/" + literal(one["basePath"].text()).lstrip("/")
    return options


def _subscriptions(one: Node) -> Iterator[SessionSubscription]:
    """Topics with their QoS; version 0.3 wrote only topics."""
    seen: set[str] = set()
    for each in one["subscriptions"]:
        plain = isinstance(each.value, str)
        topic = literal(each.text() if plain else each["topic"].text())
        qos = 0 if plain else each["qos"].whole()
        if topic and topic not in seen:
            seen.add(topic)
            yield SessionSubscription(channel=topic, options={"qos": qos} if qos else {})
