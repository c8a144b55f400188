"""Command lines as people keep them: what each tool's options become, and what is said of the rest."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtui.cli.target import declares_for
from rtui.settings.files import SettingsError
from rtui.settings.importing.base import Harvest
from rtui.settings.importing.command_line import LARGEST
from rtui.settings.importing.registry import import_text
from rtui.settings.importing.shell import commands
from rtui.settings.session import Session


def read(text: str) -> Harvest:
    return import_text(text, "notes.sh", declares_for)


def one(text: str) -> Session:
    harvest = read(text)
    assert len(harvest.found) == 1, harvest
    return harvest.found[0].session


def told(text: str) -> str:
    return "\n".join(map(str, read(text).left))


CHROME = r"""
curl 'https://api.example.org/v1/stream?x=1' \
  -H 'accept: text/event-stream' \
  -H 'authorization: Bearer abc' \
  -b 'sid=1; theme=dark' \
  --data-raw $'{"q":"it\'s \ud83d\ude00 \u00e9 \x41"}' \
  --compressed
"""


def test_a_browsers_copy_is_a_stream() -> None:
    session = one(CHROME)
    assert session.url == "sse+https://api.example.org/v1/stream?x=1"
    assert session.options == {
        "token": "abc",
        "cookies": {"sid": "1", "theme": "dark"},
        "data": '{"q":"it\'s 😀 é A"}',
        "headers": {"Content-Type": "application/x-www-form-urlencoded"},
    }


@pytest.mark.parametrize(
    ("text", "url", "options"),
    [
        ("curl h:8080/x", "poll+http://h:8080/x", {}),
        ("curl -N https://h/x", "sse+https://h/x", {}),
        ("curl -sN -XPOST https://h/x", "sse+https://h/x", {"method": "POST"}),
        ("curl wss://h/x -H 'Sec-WebSocket-Protocol: a, b'", "wss://h/x", {"subprotocols": ["a", "b"]}),
        ("curl -u me:pw -k --cacert c.pem -E cl.pem --key k.pem https://h", "poll+https://h",
         {"username": "me", "password": "pw", "insecure": True, "ca": "c.pem", "cert": "cl.pem", "key": "k.pem"}),
        ("curl -G -d 'a=b c' --data-urlencode 'q=x y&z' http://h/p?o=1", "poll+http://h/p?o=1&a=b%20c&q=x+y%26z", {}),
        ("curl -d @body.json -H 'content-type: a/b' http://h", "poll+http://h",
         {"data": "@body.json", "headers": {"content-type": "a/b"}}),
        ("curl --json '{}' http://h", "poll+http://h",
         {"data": "{}", "headers": {"Content-Type": "application/json", "Accept": "application/json"}}),
        ("curl -x proxy:3128 --connect-timeout 3 http://h", "poll+http://h",
         {"proxy": "http://proxy:3128", "timeout": "3"}),
        ("curl -H \"X-Key: $KEY\" -H 'Authorization: Basic bWU6cHc=' http://h", "poll+http://h",
         {"headers": {"X-Key": "{{ env.KEY }}"}, "username": "me", "password": "pw"}),
        ("curl -H 'X: {{ a }}' http://h", "poll+http://h", {"headers": {"X": "{{ '{' }}{ a }}"}}),
    ],
)  # fmt: skip
def test_curl(text: str, url: str, options: dict[str, Any]) -> None:
    session = one(text)
    assert (session.url, session.options) == (url, options)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("curl --retry 3 http://h", "--retry: reconnecting"),
        ("curl -F a=b http://h", "-F: multipart"),
        ("curl -sS -o file http://h", "-s -S -o: about curl's own output"),
        ("curl -H 'Cookie: a=b; c' http://h", "a cookie without a name"),
        ("curl -b jar.txt http://h", "-b: files that a command names are not read"),
        ("curl -H @file http://h", "files that a command names are not read"),
        ('curl -H "A: $(cat token)" http://h', "the header A: its value comes from another command"),
        ("curl http://h/[1-9]", "one URL is one session"),
        ("curl http://h > file", ">: output is not redirected"),
        ("curl http://h?a=1&b=2", "&: the command ends here"),
        ("curl --no-such-thing http://h", "--no-such-thing: there is no such thing"),
        ("curl ftp://h", "ftp://: no protocol of rtui"),
        ("curl http://h; rm -rf x", "rm: not a command that rtui can read"),
        ("cat x | websocat ws://h", "cat | …: what a program prints is not known"),
    ],
)
def test_nothing_is_dropped_in_silence(text: str, words: str) -> None:
    assert words in told(text)


def test_websocat() -> None:
    session = one(
        "echo '{\"a\":1}' | websocat -n1 -H='Authorization: Bearer x' -H 'A: b' --protocol v1,v2 "
        "--origin https://o --ping-interval 5 -k wss://h/ws"
    )
    assert session.url == "wss://h/ws"
    assert [message.payload for message in session.messages] == ['{"a":1}']
    assert session.options == {
        "token": "x", "headers": {"A": "b"}, "subprotocols": ["v1", "v2"], "origin": "https://o",
        "ping_interval": "5s", "insecure": True,
    }  # fmt: skip


def test_wscat() -> None:
    session = one("wscat -c h:8080/ws -s v1 -s v2 --auth me:pw -n -x '{\"a\":1}' -P --ca ca.pem")
    assert session.url == "ws://h:8080/ws"
    assert session.messages[0].payload == '{"a":1}'
    assert session.options == {
        "subprotocols": ["v1", "v2"], "username": "me", "password": "pw", "ca": "ca.pem", "insecure": True,
        "log_pings": True,
    }  # fmt: skip


def test_mosquitto_sub() -> None:
    session = one(
        "mosquitto_sub -h b -p 8883 -t 'a/+' -t c -q 1 -u me -P pw -V 5 -i id -k 30 -c -x 60 -v -C 5 "
        "--will-topic gone --will-retain -D connect user-property k v -D will content-type a/b"
    )
    assert session.url == "mqtts://b:8883"
    assert [(sub.channel, sub.options) for sub in session.subscriptions] == [("a/+", {"qos": 1}), ("c", {"qos": 1})]
    assert session.options == {
        "version": "5", "username": "me", "password": "pw", "client_id": "id", "keep_alive": "30s",
        "clean_start": False, "session_expiry": "60s", "will_topic": "gone", "will_retain": True,
        "user_properties": {"k": "v"}, "will_content_type": "a/b",
    }  # fmt: skip


def test_mosquitto_pub() -> None:
    session = one("mosquitto_pub -L mqtt://me:pw@b:1/x/y -m '{\"v\":1}' -q 1 -r -D publish response-topic a")
    (message,) = session.messages
    assert session.url == "mqtt://b:1"
    assert session.options == {"version": "3.1.1", "username": "me", "password": "pw"}
    assert (message.channel, message.payload) == ("x/y", '{"v":1}')
    assert message.options == {"qos": 1, "retain": True, "response_topic": "a"}
    assert not session.subscriptions


def test_mqttx() -> None:
    session = one("mqttx sub -h b -p 8084 -l wss --path /m -t a/# -q 2 -V 3.1.1 -wh 'A: b' -nl --no-clean")
    assert session.url == "mqtt+wss://b:8084"
    assert session.options == {
        "version": "3.1.1", "clean_start": False, "ws_path": "/m", "headers": {"A": "b"},
    }  # fmt: skip
    assert session.subscriptions[0].options == {"qos": 2, "no_local": True}


def test_grpcurl() -> None:
    session = one(
        "grpcurl -plaintext -H \"authorization: Bearer $T\" -H 'X-A: b' -max-time 2 -proto a.proto -import-path p "
        "-d @ h:50051 p.S/M <<'EOF'\n{\"a\":\n1}\nEOF\n"
    )
    (message,) = session.messages
    assert session.url == "grpc://h:50051"
    assert (message.channel, message.payload) == ("p.S/M", '{"a":\n1}')
    assert session.options == {
        "deadline": "2s", "proto": ["a.proto"], "import_path": ["p"], "token": "{{ env.T }}", "metadata": {"x-a": "b"},
    }  # fmt: skip


@pytest.mark.parametrize("size", [LARGEST - 1, LARGEST])
def test_notes_have_a_limit(size: int) -> None:
    start = "wscat -c ws://b #"
    assert len(read(start + "x" * (size - len(start))).found) == 1
    with pytest.raises(SettingsError, match="larger than 4 MiB of commands"):
        read(start + "x" * (LARGEST + 1 - len(start)))


def test_a_file_with_the_line_ends_of_windows() -> None:
    harvest = read("curl -N \\\r\n  http://a/s\r\ngrpcurl -d @ h:1 p.S/M <<E\r\n{}\r\nE\r\nwscat -c ws://b\r\n")
    assert [found.session.url for found in harvest.found] == ["sse+http://a/s", "grpcs://h:1", "ws://b"]
    assert harvest.found[1].session.messages[0].payload == "{}"


def test_notes_with_prompts_comments_and_several_commands() -> None:
    harvest = read("# my notes\n$ TOKEN=x curl -N http://a/s\n\n$ wscat -c ws://b # live\nmosquitto_sub -h c -t t\n")
    assert [found.session.url for found in harvest.found] == ["sse+http://a/s", "ws://b", "mqtt://c"]
    assert harvest.left == ()


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("\ncurl 'http://h", 2, "a quote does not end"),
        ("curl -d @- http://h <<EOF\n{}\n", 2, "the here document does not end with EOF"),
        ('Invoke-WebRequest -Uri "http://h"\ncurl http://h', 0, "PowerShell"),
        ('curl "http://h" ^\n -H ^"a: b^"', 0, "cmd.exe"),
    ],
)
def test_what_is_wrong_has_a_place(text: str, line: int, words: str) -> None:
    with pytest.raises(SettingsError) as caught:
        read(text)
    (problem,) = caught.value.problems
    assert (problem.file, problem.line) == ("notes.sh", line)
    assert words in problem.message


@given(st.text(max_size=80))
def test_no_text_breaks_it(text: str) -> None:
    for start in ("curl ", "mosquitto_pub -h ", "grpcurl ", ""):
        with suppress(SettingsError):
            read(start + text)


@given(
    st.lists(
        st.text(st.characters(exclude_characters="\ufdd0\ufdd1\ufdd2\ufdd3", exclude_categories=["Cs"]), min_size=1),
        min_size=1,
    )
)
def test_words_are_what_shlex_quotes(words: list[str]) -> None:
    import shlex

    (command,) = commands("x " + shlex.join(words), "t")
    assert command.words[1:] == words
