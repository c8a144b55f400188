"""The command line of MQTTX (`mqttx conn`, `pub`, `sub`), 1.9 and later."""

from __future__ import annotations

from typing import Any, Final

from rtui.settings.importing.argv import Grammar, Line, names, parse, table
from rtui.settings.importing.base import Gatherer, plain_name
from rtui.settings.importing.brace import filled
from rtui.settings.importing.pipe import piped
from rtui.settings.importing.request import header_of
from rtui.settings.importing.shell import Command
from rtui.settings.session_model import SavedMessage, Session, SessionSubscription

GRAMMAR: Final = Grammar(
    values=table(
        "-t,--topic -m,--message -q,--qos -e,--message-expiry-interval -ta,--topic-alias -rt,--response-topic "
        "-cd,--correlation-data -up,--user-properties -si,--subscription-identifier -ct,--content-type "
        "-V,--mqtt-version -h,--hostname -p,--port -f,--format -i,--client-id -k,--keepalive -u,--username "
        "-P,--password -l,--protocol --path -wh,--ws-headers --key --cert --ca --alpn -rp,--reconnect-period "
        "--maximum-reconnect-times -se,--session-expiry-interval --rcv-max,--receive-maximum --maximum-packet-size "
        "--topic-alias-maximum -Cup,--conn-user-properties -Wt,--will-topic -Wm,--will-message -Wq,--will-qos "
        "-Wd,--will-delay-interval -We,--will-message-expiry-interval -Wct,--will-content-type "
        "-Wrt,--will-response-topic -Wcd,--will-correlation-data -Wup,--will-user-properties -so,--save-options "
        "-lo,--load-options --file-read --file-write --file-save -Pp,--protobuf-path -Pmn,--protobuf-message-name "
        "-Ap,--avsc-path -S,--payload-size -rh,--retain-handling --delimiter --output-mode"
    ),
    switches=table(
        "-r,--retain -d,--dup -s,--stdin -M,--multiline -lm,--line-mode -pf,--payload-format-indicator --no-clean "
        "--insecure --req-response-info --no-req-problem-info -Wr,--will-retain -Wpf,--will-payload-format-indicator "
        "-nl,--no_local -rap,--retain-as-published -v,--verbose --debug"
    ),
    clusters=False,
)
_OPTIONS: Final = {
    "client-id": "client_id", "username": "username", "password": "password", "ca": "ca", "cert": "cert", "key": "key",
    "receive-maximum": "receive_maximum", "maximum-packet-size": "max_packet_size", "will-topic": "will_topic",
    "will-message": "will_payload", "will-qos": "will_qos", "will-content-type": "will_content_type",
    "will-response-topic": "will_response_topic", "will-correlation-data": "will_correlation_data",
}  # fmt: skip
_SECONDS: Final = {
    "keepalive": "keep_alive", "session-expiry-interval": "session_expiry", "will-delay-interval": "will_delay",
    "will-message-expiry-interval": "will_expiry",
}  # fmt: skip
_PAIRS: Final = {"conn-user-properties": "user_properties", "will-user-properties": "will_user_properties"}
_PUBLISH: Final = {
    "topic-alias": "topic_alias", "response-topic": "response_topic", "correlation-data": "correlation_data",
    "content-type": "content_type",
}  # fmt: skip
_TAKEN: Final = frozenset(
    {*_OPTIONS, *_SECONDS, *_PAIRS, *_PUBLISH}
    | names("topic message qos user-properties mqtt-version hostname port protocol path ws-headers alpn retain")
    | names("payload-format-indicator no-clean insecure will-retain no_local retain-as-published verbose")
    | names("retain-handling message-expiry-interval stdin multiline line-mode")
)
_GREETING: Final = "Hello From MQTTX CLI"
"""What it sends unless told otherwise."""
_SWITCHES: Final = {
    "no-clean": ("clean_start", False), "insecure": ("insecure", True), "will-retain": ("will_retain", True),
}  # fmt: skip
_SCHEMES: Final = {"mqtt": "mqtt", "mqtts": "mqtts", "ws": "mqtt+ws", "wss": "mqtt+wss"}


def harvest(command: Command, where: str, gatherer: Gatherer) -> None:
    """The session of one command."""
    verb = command.words[1] if len(command.words) > 1 else ""
    if verb not in {"pub", "sub", "conn"}:
        gatherer.leave(where, f"mqttx {verb}".strip(), "only conn, pub and sub connect to one broker")
        return
    line = parse(command.words[2:], GRAMMAR)
    protocol = line.last("protocol", "mqtt").lower()
    host, port = filled(line.last("hostname", "localhost")), filled(line.last("port"))
    topics = [filled(topic) for topic in line.all("topic")]
    gatherer.add(
        Session(
            name=plain_name(host, *topics[:1]),
            url=f"{_SCHEMES.get(protocol, 'mqtt')}://{host}{f':{port}' if port else ''}",
            options=_options(line, socket=protocol in {"ws", "wss"}),
            subscriptions=_subscriptions(line, topics) if verb == "sub" else (),
            messages=_messages(command, line, topics, where, gatherer) if verb == "pub" else (),
        )
    )
    for one in line.options:
        if one.name not in _TAKEN:
            gatherer.leave(where, one.spelled, "there is no such thing in a session")


def _options(line: Line, *, socket: bool) -> dict[str, Any]:
    options: dict[str, Any] = {"version": "3.1.1"} if line.last("mqtt-version") in {"3.1.1", "3.1", "4"} else {}
    options |= {key: filled(line.last(name)) for name, key in _OPTIONS.items() if line.has(name)}
    options |= {key: f"{filled(line.last(name))}s" for name, key in _SECONDS.items() if line.has(name)}
    options |= {key: _pairs(line, name) for name, key in _PAIRS.items() if line.has(name)}
    options |= dict(value for name, value in _SWITCHES.items() if line.has(name))
    if line.has("alpn"):
        options["alpn"] = [filled(text) for text in line.all("alpn")]
    if socket:
        options |= {"ws_path": filled(line.last("path", "/mqtt"))}
        options |= {"headers": _pairs(line, "ws-headers")} if line.has("ws-headers") else {}
    return options


def _pairs(line: Line, name: str) -> dict[str, str]:
    return {filled(key): filled(value) for key, value in map(header_of, line.all(name))}


def _subscriptions(line: Line, topics: list[str]) -> tuple[SessionSubscription, ...]:
    options: dict[str, Any] = {"qos": int(qos)} if (qos := line.last("qos")) in {"1", "2"} else {}
    if line.has("no_local"):
        options["no_local"] = True
    if line.has("retain-as-published"):
        options["retain_as_published"] = True
    if line.has("retain-handling"):
        options["retain_handling"] = filled(line.last("retain-handling"))
    return tuple(SessionSubscription(channel=topic, options=dict(options)) for topic in dict.fromkeys(topics))


def _messages(
    command: Command, line: Line, topics: list[str], where: str, gatherer: Gatherer
) -> tuple[SavedMessage, ...]:
    options: dict[str, Any] = {"qos": int(qos)} if (qos := line.last("qos")) in {"1", "2"} else {}
    if line.has("retain"):
        options["retain"] = True
    if line.has("payload-format-indicator"):
        options["payload_format"] = "text"
    if line.has("message-expiry-interval"):
        options["message_expiry"] = f"{filled(line.last('message-expiry-interval'))}s"
    if line.has("user-properties"):
        options["user_properties"] = _pairs(line, "user-properties")
    options |= {key: filled(line.last(name)) for name, key in _PUBLISH.items() if line.has(name)}
    channel = topics[-1] if topics else ""
    texts = [filled(text) for text in line.all("message")] or piped(command, where, gatherer) or [_GREETING]
    name = channel.rpartition("/")[2] or "message"
    return (SavedMessage(name=name, channel=channel, payload=texts[-1], options=options),)
