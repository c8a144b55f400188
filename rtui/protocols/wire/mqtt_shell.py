"""MQTT as commands of mosquitto_pub and mosquitto_sub; over WebSocket, which they cannot, of mqttx."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

import msgspec

from rtui.protocols.shell import CommandLine, address, fits, flags, hidden, names, number, printed, tls, unsaid, word

if TYPE_CHECKING:
    from rtui.protocols.mqtt import Options, Outgoing, Subscription

_SAID = names(
    "version client_id clean_start session_expiry keep_alive receive_maximum user_properties will_topic will_payload "
    "will_qos will_retain ca cert key insecure username password alpn proxy timeout max_packet_size ws_path"
)
_WILL = {
    "will_content_type": "content-type",
    "will_response_topic": "response-topic",
    "will_correlation_data": "correlation-data",
    "will_delay": "will-delay-interval",
    "will_expiry": "message-expiry-interval",
}
_PUBLISH = {
    "content_type": "content-type",
    "response_topic": "response-topic",
    "correlation_data": "correlation-data",
    "message_expiry": "message-expiry-interval",
    "topic_alias": "topic-alias",
}
_MQTTX_UNSAID = frozenset({"proxy"})


def subscribing(url: str, options: Options, subscriptions: Mapping[str, Subscription]) -> tuple[CommandLine, ...]:
    """The command that prints what comes with its topic. One QoS holds for all: the highest."""
    qos = max((int(one.qos) for one in subscriptions.values()), default=0)
    topics = [part for topic in subscriptions for part in ("-t", word(topic))]
    own = {"-q": qos or ""}
    if _is_socket(url):
        return (_mqttx("sub", url, options, [*flags(own), *topics]),)
    text = " ".join(["mosquitto_sub", "-v", *_connection(url, options), *flags(own), *topics])
    found = _line("mosquitto_sub", text, options)
    more = dict.fromkeys(key for one in subscriptions.values() for key in unsaid(one, {"qos"}))
    mixed = ["qos of each subscription"] if len({int(one.qos) for one in subscriptions.values()}) > 1 else []
    return (msgspec.structs.replace(found, unsaid=(*found.unsaid, *more, *mixed)),) if topics else ()


def publishing(
    url: str, options: Options, topic: str, payload: bytes, outgoing: Outgoing | None
) -> tuple[CommandLine, ...]:
    """The command that publishes once."""
    own: dict[str, object] = {
        "-t": topic,
        "-q": outgoing.qos if outgoing and str(outgoing.qos) != "0" else "",
        "-r": bool(outgoing and outgoing.retain),
    }
    text = _text(payload)
    pipe = "" if text is not None else f"{printed(payload)} | "
    if _is_socket(url):
        data = ["-m", word(text)] if text is not None else ["-s"]
        properties = [*_mqttx_properties(outgoing)]
        return (_mqttx("pub", url, options, [*flags(own), *properties, *data], pipe),)
    data = ["-s"] if text is None else (["-m", word(text)] if text else ["-n"])
    words = [*_connection(url, options), *flags(own), *_message_properties(outgoing), *data]
    return (_line("mosquitto_pub", pipe + " ".join(["mosquitto_pub", *words]), options),)


def _text(payload: bytes) -> str | None:
    """The payload as an argument; None if it cannot be one."""
    try:
        text = payload.decode()
    except UnicodeDecodeError:
        return None
    return text if fits(text) else None


def _is_socket(url: str) -> bool:
    return "+ws" in url.partition("://")[0]


def _line(tool: str, text: str, options: Options) -> CommandLine:
    said = _SAID | set(_WILL) | {"will_payload_format", "will_user_properties"}
    return CommandLine(tool=tool, text=text, unsaid=unsaid(options, said))


def _place(url: str) -> tuple[str, str, str, str]:
    """Host, port, user, password. The host is taken as it is written: it may be a variable."""
    parts = urlsplit(url)
    user, _, place = parts.netloc.rpartition("@")
    name, _, password = user.partition(":")
    host, colon, port = place.rpartition(":") if not place.endswith("]") else (place, "", "")
    return (host if colon else place).strip("[]"), port, unquote(name), unquote(password)


def _connection(url: str, options: Options) -> Iterator[str]:
    host, port, name, secret = _place(url)
    secure = url.startswith("mqtts")
    user, password = options.username or name, options.password or secret
    yield from flags(
        {
            "-h": host,
            "-p": port or ("8883" if secure else ""),
            "-V": "5" if options.version == "5" else "",
            "-i": options.client_id,
            "-u": user,
            "-P": hidden("password", password) if password else "",
            "-k": number(options.keep_alive) if options.keep_alive != type(options)().keep_alive else "",
            "-c": not options.clean_start,
            "-x": number(options.session_expiry),
            "--tls-alpn": ",".join(options.alpn),
            "--proxy": address(options.proxy) if options.proxy not in {"", "env"} else "",
            "--will-topic": options.will_topic,
            "--will-payload": options.will_payload,
            "--will-qos": options.will_qos or "",
            "--will-retain": bool(options.will_retain),
            **tls(options, "--cafile", "--cert", "--key", "--insecure"),
            "--tls-use-os-certs": secure and not options.ca,
        }
    )
    yield from _properties("connect", {"receive-maximum": options.receive_maximum or ""}, options.user_properties)
    if options.will_topic:
        will = {name: _plain(getattr(options, key)) for key, name in _WILL.items()}
        if options.will_payload_format == "text":
            will["payload-format-indicator"] = "1"
        yield from _properties("will", will, options.will_user_properties)


def _message_properties(outgoing: Outgoing | None) -> Iterator[str]:
    if outgoing is None:
        return
    given = {name: _plain(getattr(outgoing, key)) for key, name in _PUBLISH.items()}
    if outgoing.payload_format == "text":
        given["payload-format-indicator"] = "1"
    yield from _properties("publish", given, outgoing.user_properties)


def _properties(packet: str, given: Mapping[str, object], users: Mapping[str, str]) -> Iterator[str]:
    for name, value in given.items():
        if value:
            yield f"-D {packet} {name} {word(str(value))}"
    for name, value in users.items():
        yield f"-D {packet} user-property {word(name)} {word(value)}"


def _plain(value: Any) -> str:
    return number(value) if isinstance(value, float) else str(value or "")


def _mqttx(verb: str, url: str, options: Options, own: list[str], before: str = "") -> CommandLine:
    host, port, name, secret = _place(url)
    password = options.password or secret
    given: dict[str, object] = {
        "-h": host,
        "-p": port or ("443" if url.startswith("mqtt+wss") else "80"),
        "-l": "wss" if url.startswith("mqtt+wss") else "ws",
        "--path": options.ws_path,
        "-V": "5.0" if options.version == "5" else "3.1.1",
        "-i": options.client_id,
        "-u": options.username or name,
        "-P": hidden("password", password) if password else "",
        "-k": number(options.keep_alive) if options.keep_alive != type(options)().keep_alive else "",
        "--no-clean": not options.clean_start,
        "-se": number(options.session_expiry),
        "--rcv-max": options.receive_maximum or "",
        "-Wt": options.will_topic,
        "-Wm": options.will_payload,
        "-Wq": options.will_qos or "",
        "-Wr": bool(options.will_retain),
        **tls(options, "--ca", "--cert", "--key", "--insecure"),
    }
    pairs = [f"-wh {word(f'{key}: {value}')}" for key, value in options.headers.items()]
    pairs += [f"-Cup {word(f'{key}: {value}')}" for key, value in options.user_properties.items()]
    text = " ".join([f"mqttx {verb}", *flags(given), *pairs, *own])
    said = (_SAID | {"headers"}) - _MQTTX_UNSAID
    return CommandLine(tool="mqttx", text=before + text, unsaid=unsaid(options, said))


def _mqttx_properties(outgoing: Outgoing | None) -> Iterator[str]:
    if outgoing is None:
        return
    yield from flags(
        {
            "-ct": outgoing.content_type,
            "-rt": outgoing.response_topic,
            "-cd": outgoing.correlation_data,
            "-e": number(outgoing.message_expiry),
            "-ta": outgoing.topic_alias or "",
            "-pf": outgoing.payload_format == "text",
        }
    )
    for name, value in outgoing.user_properties.items():
        yield f"-up {word(f'{name}: {value}')}"
