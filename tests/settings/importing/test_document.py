"""Files of other tools, in the form that each writes."""

from __future__ import annotations

import json
from typing import Any

import pytest

from rtui.cli.target import declares_for
from rtui.settings.files import SettingsError
from rtui.settings.importing.base import Harvest
from rtui.settings.importing.document import DEEPEST
from rtui.settings.importing.registry import import_text


def read(document: Any) -> Harvest:
    return import_text(document if isinstance(document, str) else json.dumps(document), "export", declares_for)


def told(harvest: Harvest) -> str:
    return "\n".join(map(str, harvest.left))


def har(*entries: dict[str, Any]) -> dict[str, Any]:
    return {"log": {"version": "1.2", "creator": {"name": "WebInspector"}, "entries": list(entries)}}


def entry(url: str, *headers: tuple[str, str], **more: Any) -> dict[str, Any]:
    request = {"method": "GET", "url": url, "headers": [{"name": name, "value": value} for name, value in headers]}
    return {"request": request | more.pop("request", {}), "response": {"status": 200, "content": {}}} | more


FRAMES = [
    {"type": "send", "time": 1.0, "opcode": 1, "data": '{"op":"sub"}'},
    {"type": "receive", "time": 2.0, "opcode": 1, "data": "x"},
    {"type": "send", "time": 3.0, "opcode": 1, "data": '{"op":"sub"}'},
    {"type": "send", "time": 4.0, "opcode": 2, "data": "3q2+7w=="},
]


def test_har_of_chrome() -> None:
    harvest = read(
        har(
            entry(
                "wss://h/ws?a=1",
                ("Host", "h"), ("Upgrade", "websocket"), ("Sec-WebSocket-Key", "x=="), ("Sec-WebSocket-Protocol", "v1"),
                ("Origin", "https://o"), ("Sec-Fetch-Mode", "websocket"), ("Cookie", "sid=1"), ("X-A", "{{ b }}"),
                _resourceType="websocket", _webSocketMessages=FRAMES,
            ),
            entry("https://h/events", ("accept", "text/event-stream"), _resourceType="eventsource"),
            entry("https://h/app.js", _resourceType="script"),
        )
    )  # fmt: skip
    socket, stream = (found.session for found in harvest.found)
    assert harvest.title == "HAR 1.2"
    assert (socket.url, stream.url) == ("wss://h/ws?a=1", "sse+https://h/events")
    assert socket.options == {
        "subprotocols": ["v1"], "origin": "https://o", "cookies": {"sid": "1"}, "headers": {"X-A": "{{ '{' }}{ b }}"},
    }  # fmt: skip
    assert [(one.payload, one.format) for one in socket.messages] == [('{"op":"sub"}', "text"), ("3q2+7w==", "base64")]
    assert stream.options == {}
    assert "1 × script" in told(harvest)
    assert "Sec-Fetch-Mode: of the browser's own" in told(harvest)


def test_har_of_firefox_tells_by_status_and_content() -> None:
    upgraded = entry("https://h/ws", ("Upgrade", "websocket")) | {"response": {"status": 101, "content": {}}}
    streamed = entry("https://h/chat", request={"method": "POST", "postData": {"text": '{"stream":true}'}}) | {
        "response": {"status": 200, "content": {"mimeType": "text/event-stream; charset=utf-8"}}
    }
    socket, stream = (found.session for found in read(har(upgraded, streamed)).found)
    assert socket.url == "wss://h/ws"
    assert (stream.url, stream.options) == ("sse+https://h/chat", {"data": '{"stream":true}'})


def test_the_same_connection_is_taken_once() -> None:
    harvest = read(har(*[entry("wss://h/ws")] * 3))
    assert len(harvest.found) == 1
    assert "the same connection was there already" in told(harvest)


MQTTX = {
    "clientId": "mqttx_0a1b2c3d", "name": "plant", "clean": False, "protocol": "wss", "host": "broker", "port": 8084,
    "path": "/mqtt", "keepalive": 30, "connectTimeout": 5, "reconnect": False, "username": "me", "password": "pw",
    "mqttVersion": "5.0", "ssl": True, "rejectUnauthorized": False, "ca": "EMPTY_STRING", "cert": "", "key": "",
    "will": {"lastWillTopic": "gone", "lastWillPayload": "x", "lastWillQos": 1, "lastWillRetain": True},
    "properties": {"sessionExpiryInterval": 60, "userProperties": {"a": ["b", "c"]}, "receiveMaximum": "TYPE_NULL"},
    "subscriptions": [
        {"topic": "a/#", "qos": 1, "disabled": False, "alias": "all", "color": "#AE76F1", "nl": True},
        {"topic": "b", "qos": 0, "disabled": True},
    ],
    "messages": [
        {"out": True, "topic": "x/y", "payload": '{"v":1}', "qos": 1, "retain": True,
         "properties": {"contentType": "application/json"}},
        {"out": False, "topic": "z", "payload": "no", "qos": 0, "retain": False},
    ],
}  # fmt: skip


def test_mqttx() -> None:
    harvest = read([MQTTX])
    session = harvest.found[0].session
    assert (session.name, session.url, session.reconnect.enabled) == ("plant", "mqtt+wss://broker:8084", False)
    assert session.options == {
        "version": "5", "username": "me", "password": "pw", "clean_start": False, "keep_alive": "30s", "timeout": "5s",
        "ws_path": "/mqtt", "insecure": True, "session_expiry": "60s", "user_properties": {"a": "c"},
        "will_topic": "gone", "will_payload": "x", "will_qos": 1, "will_retain": True,
    }  # fmt: skip
    first, second = session.subscriptions
    assert (first.alias, first.colour, first.options) == ("all", "#AE76F1", {"qos": 1, "no_local": True})
    assert not second.enabled
    (message,) = session.messages
    assert (message.channel, message.options) == (
        "x/y", {"qos": 1, "retain": True, "content_type": "application/json"},
    )  # fmt: skip
    assert "the client id" in told(harvest)
    assert "1 received messages" in told(harvest)


def test_mqtt_explorer() -> None:
    harvest = read(
        {
            "ConnectionManager_connections": {
                "a": {
                    "configVersion": 1, "type": "mqtt", "id": "a", "host": "h", "protocol": "ws", "port": 443,
                    "basePath": "ws", "name": "mine", "username": "me", "password": "pw", "encryption": True,
                    "certValidation": False, "clientId": "mqtt-explorer-0a1b2c3d",
                    "clientCertificate": {"name": "me.pem", "data": "AAAA"},
                    "subscriptions": [{"topic": "#", "qos": 1}, "$SYS/#"],
                },
                "b": {"host": "h", "protocol": "tcp", "name": "old"},
            },
            "Settings": {},
        }
    )  # fmt: skip
    session = harvest.found[0].session
    assert (session.url, session.options) == (
        "mqtt+wss://h:443",
        {"version": "3.1.1", "username": "me", "password": "pw", "insecure": True, "ws_path": "/ws"},
    )
    assert [(one.channel, one.options) for one in session.subscriptions] == [("#", {"qos": 1}), ("$SYS/#", {})]
    assert "clientCertificate (me.pem)" in told(harvest)
    assert "ConnectionManager_connections.b.protocol: 'tcp' is no protocol" in told(harvest)


INSOMNIA_4 = {
    "_type": "export",
    "__export_format": 4,
    "resources": [
        {"_id": "wrk_1", "_type": "workspace", "parentId": None, "name": "W"},
        {
            "_id": "fld_1",
            "_type": "request_group",
            "parentId": "wrk_1",
            "name": "Live",
            "environment": {"room": "lobby"},
        },
        {
            "_id": "env_1",
            "_type": "environment",
            "parentId": "wrk_1",
            "name": "Base",
            "data": {"host": "h:8080", "auth": {"token": "t0k3n"}},
        },
        {"_id": "env_2", "_type": "environment", "parentId": "env_1", "name": "Staging", "data": {"host": "s"}},
        {
            "_id": "ws-req_1",
            "_type": "websocket_request",
            "parentId": "fld_1",
            "name": "chat",
            "url": "ws://{{ _.host }}/chat",
            "headers": [{"name": "A", "value": "b"}, {"name": "C", "value": "d", "disabled": True}],
            "parameters": [{"name": "room", "value": "{{ _.room }}"}],
            "authentication": {"type": "bearer", "token": "{{ _.auth.token }}"},
        },
        {
            "_id": "ws-payload_1",
            "_type": "websocket_payload",
            "parentId": "ws-req_1",
            "name": "hi",
            "value": '{"n":{{ _.nobody }}}',
        },
        {
            "_id": "greq_1",
            "_type": "grpc_request",
            "parentId": "fld_1",
            "name": "say",
            "url": "grpcs://h:50051",
            "protoMethodName": "/p.S/M",
            "metadata": [{"name": "X-A", "value": "b"}],
            "body": {"text": "{}"},
            "protoFileId": "pf_1",
        },
        {
            "_id": "req_1",
            "_type": "request",
            "parentId": "wrk_1",
            "name": "events",
            "url": "https://h/e",
            "method": "POST",
            "headers": [{"name": "Accept", "value": "text/event-stream"}],
            "body": {
                "mimeType": "application/json",
                "text": '{"id":"{% uuid \'v4\' %}","x":"{% response \'body\' %}"}',
            },
        },
        {
            "_id": "req_2",
            "_type": "request",
            "parentId": "wrk_1",
            "name": "plain",
            "url": "https://h/e",
            "method": "GET",
        },
    ],
}


def test_insomnia_4() -> None:
    harvest = read(INSOMNIA_4)
    chat, say, events = (found for found in harvest.found)
    assert (chat.folder, chat.session.url) == ("Live", "ws://{{ host }}/chat?room={{ room }}")
    assert chat.session.options == {"headers": {"A": "b"}, "token": "{{ auth_token }}"}
    assert chat.session.variables == {"host": "h:8080", "room": "lobby", "auth_token": "t0k3n"}
    assert [(one.name, one.payload) for one in chat.session.messages] == [("hi", '{"n":{{ nobody }}}')]
    assert (say.session.url, say.session.options) == ("grpcs://h:50051", {"metadata": {"x-a": "b"}})
    assert say.session.messages[0].channel == "p.S/M"
    assert events.session.options["data"] == '{"id":"{{ uuid() }}","x":"{{ \'{\' }}% response \'body\' %}"}'
    words = told(harvest)
    for wanted in ("Staging", "the variable nobody", "the tag response", "its .proto file", "1 × HTTP request"):
        assert wanted in words


INSOMNIA_5 = """
type: collection.insomnia.rest/5.0
name: Weather
collection:
  - name: Forecasts
    meta: {id: fld_1}
    children:
      - name: Today
        url: "{{ _.host }}/today"
        method: GET
        headers: [{name: Accept, value: text/event-stream}]
        authentication: {type: basic, username: ada, password: secret}
        meta: {id: req_1}
  - name: Live
    url: wss://weather.test/live
    meta: {id: ws-req_1, description: all of it}
environments:
  name: Base Environment
  data: {host: https://weather.test}
  subEnvironments: [{name: Staging, data: {host: x}}]
"""


def test_insomnia_5() -> None:
    harvest = read(INSOMNIA_5)
    today, live = harvest.found
    assert harvest.title == "Insomnia 5.0"
    assert (today.folder, today.session.url, today.session.protocol) == ("Forecasts", "{{ host }}/today", "sse")
    assert today.session.options == {"username": "ada", "password": "secret"}
    assert (live.session.url, live.session.description) == ("wss://weather.test/live", "all of it")


POSTMAN = {
    "info": {"name": "C", "schema": "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"},
    "auth": {"type": "bearer", "bearer": [{"key": "token", "value": "{{token}}", "type": "string"}]},
    "variable": [{"key": "token", "value": "t0k3n"}, {"key": "base-url", "value": "wss://h"}],
    "item": [
        {
            "name": "Folder",
            "item": [
                {
                    "name": "live",
                    "request": {
                        "method": "GET",
                        "url": {"raw": "wss://h/:room?x={{$guid}}", "variable": [{"key": "room", "value": "lobby"}]},
                        "header": [{"key": "A", "value": "b"}],
                    },
                }
            ],
        },
        {
            "name": "events",
            "event": [{"listen": "test"}],
            "request": {
                "method": "POST",
                "url": "https://h/e",
                "header": [{"key": "Accept", "value": "text/event-stream"}],
                "auth": {"type": "noauth"},
                "body": {"mode": "raw", "raw": "{}"},
            },
        },
        {"name": "plain", "request": {"method": "GET", "url": "https://h"}},
    ],
}


def test_postman() -> None:
    harvest = read(POSTMAN)
    live, events = harvest.found
    assert (live.folder, live.session.url) == ("Folder", "wss://h/lobby?x={{ uuid() }}")
    assert live.session.options == {"headers": {"A": "b"}, "token": "{{ token }}"}
    assert live.session.variables == {"token": "t0k3n"}
    assert (events.session.url, events.session.options) == ("sse+https://h/e", {"data": "{}"})
    assert "its scripts: nothing of a source is run" in told(harvest)
    assert "1 × HTTP request" in told(harvest)


@pytest.mark.parametrize(
    ("document", "line", "words"),
    [
        ('{\n "log": {"entries": [}\n', 2, "(column 22, offset 23)"),
        ("_type: export\nresources: [\n", 3, "not valid YAML"),
        ("_type: export\na: &x [1]\nb: *x\n", 3, "an alias (*name) is not read"),
        ("[" * 100_000, 0, "nested too deeply"),
        ('{"a":' * (DEEPEST + 2) + "1" + "}" * (DEEPEST + 2), 0, f"more than {DEEPEST} levels"),
        ({"_type": "export", "__export_format": 3}, 0, "format 3 is not read"),
        ({"info": {"schema": "https://schema.getpostman.com/json/collection/v2.0.0/"}}, 0, "only format 2.1"),
        ({"log": {"entries": {}}}, 0, "must be a list, not a table"),
        ({"some": "thing"}, 0, "of an unknown kind"),
        ("", 0, "is empty"),
        ("hello\n", 0, "nothing that can be imported"),
    ],
    ids=["json", "yaml", "alias", "brackets", "deep", "insomnia-3", "postman-2.0", "har", "unknown", "empty", "text"],
)
def test_a_broken_file_is_named_with_its_place(document: Any, line: int, words: str) -> None:
    with pytest.raises(SettingsError) as caught:
        read(document)
    (problem,) = caught.value.problems
    assert (problem.file, problem.line) == ("export", line)
    assert words in str(problem)


def test_one_broken_entry_leaves_the_others() -> None:
    harvest = read(har({"request": {"url": 5.5, "headers": 1}}, {"request": [1]}, entry("wss://h")))
    assert len(harvest.found) == 1
    assert "log.entries[1].request: must be an object, not a list" in told(harvest)
