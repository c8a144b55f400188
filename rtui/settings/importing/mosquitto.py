"""mosquitto_pub and mosquitto_sub 1.6 to 2.0."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import unquote, urlsplit

import msgspec

from rtui.settings.importing.argv import Grammar, Line, names, parse, table
from rtui.settings.importing.base import Gatherer, plain_name
from rtui.settings.importing.brace import filled, is_substituted
from rtui.settings.importing.pipe import piped
from rtui.settings.importing.shell import Command
from rtui.settings.session_model import SavedMessage, Session, SessionSubscription

GRAMMAR: Final = Grammar(
    values=table(
        "-h,--host -p,--port -u,--username -P,--pw -t,--topic -m,--message -f,--file -q,--qos -i,--id -I,--id-prefix "
        "-k,--keepalive -V,--protocol-version -L,--url --cafile --capath --cert --key --tls-alpn --tls-version "
        "--ciphers --psk --psk-identity --will-topic --will-payload --will-qos -x,--session-expiry-interval -A "
        "-C -F -T,--filter-out -U,--unsubscribe -W --proxy --repeat --repeat-delay --tls-engine --keyform "
        "--tls-engine-kpass-sha1 --unix -M,--max-inflight"
    ),
    switches=table(
        "-r,--retain -n,--null-message -l,--stdin-line -s,--stdin-file -c,--disable-clean-session -d,--debug "
        "-N,--no-line-end --quiet -v,--verbose -E -R --retained-only --remove-retained --insecure --will-retain "
        "--nodelay --tls-use-os-certs -S"
    ),
)
_TAKEN: Final = names(
    "host port username pw topic message file qos id keepalive protocol-version url cafile cert key tls-alpn "
    "will-topic will-payload will-qos will-retain session-expiry-interval proxy retain null-message "
    "stdin-line stdin-file disable-clean-session insecure tls-use-os-certs C F W E v verbose no-line-end quiet debug "
    "tls-version nodelay"
)
_WHY: Final = {
    "capath": "one file of certificates is taken: --ca",
    "id-prefix": "an id is made up for each connection",
    "R": "retained messages are shown with a mark; `rtui tail --no-retained` leaves them out",
    "filter-out": "a display filter does it: not ch:…",
    "max-inflight": "there is no such thing in a session",
}
_VERSIONS: Final = {"5": "5", "mqttv5": "5", "311": "3.1.1", "mqttv311": "3.1.1", "3.1.1": "3.1.1"}
_TLS_PORT: Final = 8883
_CONNECT: Final = {"session-expiry-interval": "session_expiry", "receive-maximum": "receive_maximum"}
_PUBLISH: Final = {
    "content-type": "content_type",
    "response-topic": "response_topic",
    "correlation-data": "correlation_data",
    "message-expiry-interval": "message_expiry",
    "topic-alias": "topic_alias",
}
_WILL: Final = {
    "content-type": "will_content_type",
    "response-topic": "will_response_topic",
    "correlation-data": "will_correlation_data",
    "message-expiry-interval": "will_expiry",
    "will-delay-interval": "will_delay",
}
_SECONDS: Final = frozenset({"session_expiry", "message_expiry", "will_expiry", "will_delay"})


class Property(msgspec.Struct, frozen=True):
    """One `-D packet property value [value]`."""

    packet: str
    name: str
    values: tuple[str, ...]


def harvest(command: Command, where: str, gatherer: Gatherer) -> None:
    """The session of one command: a subscriber's subscriptions, or a publisher's message."""
    words, properties = _without_properties(command.words[1:])
    line = parse(words, GRAMMAR)
    publishes = command.words[0].endswith("pub")
    parts = urlsplit(line.last("url")) if line.has("url") else None
    topics = [filled(topic) for topic in line.all("topic")]
    if parts is not None and len(parts.path) > 1:
        topics.insert(0, filled(unquote(parts.path[1:])))
    options: dict[str, Any] = {"version": _VERSIONS.get(line.last("protocol-version", "311").lower(), "3.1.1")}
    secure = _security(line, options, parts.scheme == "mqtts" if parts else False)
    _identity(line, options, parts)
    _will(line, options)
    _properties(properties, options, where, gatherer)
    host = (parts.hostname if parts else None) or line.last("host", "localhost")
    port = (parts.port if parts else None) or line.last("port")
    url = f"{'mqtts' if secure else 'mqtt'}://{_bracketed(filled(host))}{f':{filled(str(port))}' if port else ''}"
    gatherer.add(
        Session(
            name=plain_name(host, *topics[:1]),
            url=url,
            options=options,
            subscriptions=() if publishes else _subscriptions(topics, line),
            messages=_messages(command, line, topics, properties, where=where, gatherer=gatherer) if publishes else (),
        )
    )
    _leave(line, where, gatherer)


def _without_properties(words: list[str]) -> tuple[list[str], list[Property]]:
    """`-D` takes three words, and four for a user property."""
    kept: list[str] = []
    found: list[Property] = []
    at = 0
    while at < len(words):
        if words[at] in {"-D", "--property"}:
            packet, name, *_ = [*words[at + 1 : at + 3], "", ""]
            many = 4 if name == "user-property" else 3
            found.append(Property(packet.lower(), name.lower(), tuple(words[at + 3 : at + 1 + many])))
            at += 1 + many
        else:
            kept.append(words[at])
            at += 1
    return kept, found


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host and not host.startswith("{") else host


def _security(line: Line, options: dict[str, Any], secure: bool) -> bool:
    for name, key in (("cafile", "ca"), ("cert", "cert"), ("key", "key")):
        if value := line.last(name):
            options[key] = filled(value)
            secure = True
    if line.has("insecure"):
        options["insecure"] = secure = True
    if line.has("tls-alpn"):
        options["alpn"] = [filled(line.last("tls-alpn"))]
        secure = True
    if proxy := line.last("proxy"):
        options["proxy"] = filled(proxy)
    return secure or line.has("tls-use-os-certs") or line.last("port") == str(_TLS_PORT)


def _identity(line: Line, options: dict[str, Any], parts: Any) -> None:
    user = line.last("username") or (unquote(parts.username or "") if parts else "")
    password = line.last("pw") or (unquote(parts.password or "") if parts else "")
    given = {"username": user, "password": password, "client_id": line.last("id")}
    options |= {key: filled(value) for key, value in given.items() if value}
    if value := line.last("keepalive"):
        options["keep_alive"] = f"{filled(value)}s"
    if line.has("disable-clean-session"):
        options["clean_start"] = False
    if line.has("session-expiry-interval"):
        value = line.last("session-expiry-interval")
        options["session_expiry"] = "4294967295s" if value in {"-1", "∞"} else f"{filled(value)}s"


def _will(line: Line, options: dict[str, Any]) -> None:
    for name in ("topic", "payload", "qos"):
        if line.has(f"will-{name}"):
            options[f"will_{name}"] = filled(line.last(f"will-{name}"))
    if line.has("will-retain"):
        options["will_retain"] = True


def _properties(properties: list[Property], options: dict[str, Any], where: str, gatherer: Gatherer) -> None:
    for one in properties:
        if one.packet == "publish":
            continue
        known = {"connect": _CONNECT, "will": _WILL}.get(one.packet, {})
        users = {"connect": "user_properties", "will": "will_user_properties"}.get(one.packet)
        if not _put(options, one, known, users):
            gatherer.leave(where, f"-D {one.packet} {one.name}", "there is no such thing in a session")


def _put(options: dict[str, Any], one: Property, known: dict[str, str], users: str | None) -> bool:
    """Set what one property says; False if there is no option for it."""
    if one.name == "user-property" and users and len(one.values) > 1:
        options[users] = options.get(users, {}) | {filled(one.values[0]): filled(one.values[1])}
        return True
    key = known.get(one.name)
    if key and one.values:
        options[key] = filled(one.values[0]) + ("s" if key in _SECONDS else "")
    return key is not None


def _subscriptions(topics: list[str], line: Line) -> tuple[SessionSubscription, ...]:
    options = {"qos": int(qos)} if (qos := line.last("qos")) in {"1", "2"} else {}
    return tuple(SessionSubscription(channel=topic, options=dict(options)) for topic in dict.fromkeys(topics))


def _messages(
    command: Command, line: Line, topics: list[str], properties: list[Property], *, where: str, gatherer: Gatherer
) -> tuple[SavedMessage, ...]:
    options: dict[str, Any] = {"qos": int(qos)} if (qos := line.last("qos")) in {"1", "2"} else {}
    if line.has("retain"):
        options["retain"] = True
    for one in properties:
        if one.packet != "publish":
            continue
        if one.name == "payload-format-indicator":
            options["payload_format"] = "text" if one.values == ("1",) else "bytes"
        elif not _put(options, one, _PUBLISH, "user_properties"):
            gatherer.leave(where, f"-D publish {one.name}", "there is no such thing in a session")
    channel = topics[-1] if topics else ""
    name = channel.rpartition("/")[2] or "message"
    if line.has("file"):
        return (SavedMessage(name=name, channel=channel, file=filled(line.last("file")), options=options),)
    payloads = _payloads(command, line, where, gatherer)
    names = [name, *(f"{name}-{number}" for number in range(2, len(payloads) + 1))]
    return tuple(
        SavedMessage(name=each, channel=channel, payload=payload, options=dict(options))
        for each, payload in zip(names, payloads, strict=False)
    )


def _payloads(command: Command, line: Line, where: str, gatherer: Gatherer) -> list[str]:
    if line.has("message"):
        if not is_substituted(line.last("message")):
            return [filled(line.last("message"))]
        gatherer.leave(where, "-m", "the message comes from another command")
    if line.has("null-message"):
        return [""]
    read = piped(command, where, gatherer)
    return [text for one in read for text in (one.split("\n") if line.has("stdin-line") else [one])]


def _leave(line: Line, where: str, gatherer: Gatherer) -> None:
    for one in line.options:
        if one.name not in _TAKEN:
            gatherer.leave(where, one.spelled, _WHY.get(one.name, "there is no such thing in a session"))
    for word in line.arguments:
        gatherer.leave(where, word, "not an option")
