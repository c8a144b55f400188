"""A session as command lines, read back: by a real shell, and by the import."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from rtui.cli.target import declares_for
from rtui.protocols.copying import listening, saved, subject
from rtui.protocols.shell import OPENING, CommandLine, marked, printed, quoted, word
from rtui.settings.importing.brace import literal
from rtui.settings.importing.registry import import_text
from rtui.settings.importing.store import plan
from rtui.settings.secrets import Secrets
from rtui.settings.session import SavedMessage, Session, SessionSubscription
from rtui.settings.template import Renderer
from tests.waiting import PATIENCE

BASH = shutil.which("bash")
needs_bash = pytest.mark.skipif(not BASH, reason="needs bash")
CANARY = "canary-4711"

ANY = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=30).filter(
    lambda text: OPENING not in text
)
PLAIN = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc", "Cn", "Co"]), min_size=1, max_size=20)
VALUE = PLAIN.map(str.strip).filter(bool)
NAME = st.from_regex(r"x-[a-z]{1,8}-y", fullmatch=True)
SECRET = st.sampled_from(["{{ env.TOKEN }}", "{{ env.PASS_2 }}"])
TOPIC = st.from_regex(r"[a-z]{1,5}(/[a-z$ é+]{1,5}){0,2}", fullmatch=True).filter(
    lambda text: all(part == "+" or "+" not in part for part in text.split("/"))
)


def bash(script: str, environment: dict[str, str] | None = None) -> bytes:
    assert BASH
    command = [BASH, "-c", script]
    done = subprocess.run(command, env=environment or {}, capture_output=True, check=True, timeout=PATIENCE)
    assert done.stderr == b""
    return done.stdout


@needs_bash
@settings(max_examples=60, deadline=None)
@given(ANY)
def test_bash_gives_the_same_bytes_back(text: str) -> None:
    assert bash(f"printf %s {quoted(text)}") == text.encode("utf-8", "surrogateescape")


@needs_bash
@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=40))
@example(b"-\0")
def test_bash_prints_any_payload(payload: bytes) -> None:
    assert bash(printed(payload)) == payload


@needs_bash
@settings(max_examples=40, deadline=None)
@given(ANY, ANY)
def test_variables_stand_where_they_are_marked(before: str, after: str) -> None:
    text = f"{before}{marked('NAME')}{after}"
    assert bash(f"printf %s {word(text)}", {"NAME": "$(x) 'y'"}) == f"{before}$(x) 'y'{after}".encode()


@settings(max_examples=60)
@given(ANY)
def test_no_line_holds_what_a_terminal_obeys(text: str) -> None:
    assert quoted(text).replace("\n", "").isprintable()


def lines(session: Session) -> list[CommandLine]:
    one = subject(session)
    return [*(line for message in session.messages for line in saved(one, message)), *listening(one)]


def of(tool: str, session: Session) -> CommandLine:
    return next(line for line in lines(session) if line.tool == tool)


def back(line: CommandLine) -> Session:
    """The session that the line is imported as."""
    found = plan(import_text(line.text, "x", declares_for), Path("/nowhere"), declares_for)
    assert len(found.planned) == 1, found.left
    return found.planned[0].session


def same(one: Session, other: Session, *, messages: bool = True) -> None:
    assert (one.url, one.options) == (other.url, other.options)
    if messages:
        assert [(m.channel, m.payload, m.options) for m in one.messages] == [
            (m.channel, m.payload, m.options) for m in other.messages
        ]


def present(**given: Any) -> st.SearchStrategy[dict[str, Any]]:
    """A table with some of these keys."""
    return st.fixed_dictionaries({}, optional=given)


HEADERS = st.dictionaries(NAME, VALUE.map(literal), min_size=1, max_size=2)
AUTHORIZED: st.SearchStrategy[dict[str, Any]] = st.one_of(
    st.just({}),
    st.fixed_dictionaries({"token": SECRET}),
    st.fixed_dictionaries({"username": st.from_regex(r"[a-z]{1,6}", fullmatch=True), "password": SECRET}),
)


@settings(max_examples=60, deadline=None)
@given(
    present(
        headers=HEADERS,
        subprotocols=st.lists(st.from_regex(r"[a-z0-9.]{1,6}", fullmatch=True), min_size=1, max_size=2),
        origin=st.just("https://example.org"),
        insecure=st.just(True),
        cookies=st.fixed_dictionaries({"sid": SECRET}),
    ),
    AUTHORIZED,
    PLAIN,
    st.sampled_from(["websocat", "wscat"]),
)
def test_websocket_there_and_back(options: dict[str, Any], who: dict[str, Any], payload: str, tool: str) -> None:
    session = Session(
        name="x",
        url="wss://h:1/p?a=b",
        options=options | who,
        messages=(SavedMessage(name="m", payload=literal(payload)),),
    )
    same(back(of(tool, session)), session)


@settings(max_examples=60, deadline=None)
@given(
    present(headers=HEADERS, insecure=st.just(True), http=st.sampled_from(["1.1"]), ca=st.just("/x y/ca.pem")),
    AUTHORIZED,
    st.booleans(),
)
def test_requests_there_and_back(options: dict[str, Any], who: dict[str, Any], stream: bool) -> None:
    session = Session(name="x", url=f"{'sse' if stream else 'poll'}+https://h/p?a=b&c=d", options=options | who)
    same(back(of("curl", session)), session)


@settings(max_examples=40, deadline=None)
@given(PLAIN.filter(lambda text: not text.startswith("@")), HEADERS)
def test_bodies_there_and_back(data: str, headers: dict[str, str]) -> None:
    options = {"data": literal(data), "headers": {"Content-Type": "text/x-y"} | headers}
    session = Session(name="x", url="sse+http://h/p", options=options)
    same(back(of("curl", session)), session)


@settings(max_examples=60, deadline=None)
@given(
    present(
        client_id=VALUE.map(literal),
        keep_alive=st.just("15s"),
        clean_start=st.just(False),
        session_expiry=st.just("60s"),
        version=st.just("3.1.1"),
        user_properties=st.just({"a": "b c"}),
        insecure=st.just(True),
        will_topic=st.just("gone"),
        username=st.just("me"),
        password=SECRET,
    ),
    st.lists(TOPIC, min_size=1, max_size=3, unique=True),
    present(
        qos=st.sampled_from([1, 2]), retain=st.just(True), content_type=st.just("a/b"), message_expiry=st.just("5s")
    ),
    PLAIN,
)
def test_mqtt_there_and_back(options: dict[str, Any], topics: list[str], how: dict[str, Any], payload: str) -> None:
    topic = topics[0].replace("+", "p")
    session = Session(
        name="x",
        url="mqtts://h:1883",
        options=options,
        subscriptions=tuple(SessionSubscription(channel=each) for each in topics),
        messages=(SavedMessage(name="m", channel=topic, payload=literal(payload), options=how),),
    )
    same(back(of("mosquitto_pub", session)), session)
    again = back(of("mosquitto_sub", session))
    same(again, session, messages=False)
    assert [one.channel for one in again.subscriptions] == topics
    over = msgspec.structs.replace(session, url="mqtt+wss://h:1883")
    assert back(of("mqttx", over)).options == options


@settings(max_examples=40, deadline=None)
@given(present(metadata=HEADERS, deadline=st.just("2s"), insecure=st.just(True)), st.just('{"a":1}'))
def test_grpc_there_and_back(options: dict[str, Any], payload: str) -> None:
    message = SavedMessage(name="m", channel="p.S/M", payload=payload)
    session = Session(name="x", url="grpcs://h:5000", options=options, messages=(message,))
    same(back(of("grpcurl", session)), session)


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(["ws", "socketio+http", "sse+http", "mqtt", "poll+https", "grpcs"]),
    present(headers=HEADERS, insecure=st.just(True), timeout=st.just("5s"), ca=st.just("/x y/ca.pem")),
    AUTHORIZED,
    st.lists(TOPIC, max_size=3, unique=True),
    PLAIN,
)
def test_its_own_commands_there_and_back(
    scheme: str, options: dict[str, Any], who: dict[str, Any], topics: list[str], payload: str
) -> None:
    session = Session(name="x", url=f"{scheme}://h:1", options=options | who)
    if scheme in {"mqtt", "socketio+http", "grpcs"}:
        wanted = tuple(SessionSubscription(channel=topic) for topic in topics if scheme == "mqtt")
        message = SavedMessage(name="m", channel="p.S/M", payload=literal(payload))
        session = msgspec.structs.replace(session, subscriptions=wanted, messages=(message,))
        same(sent_back(session), session)
    again = back(of("rtui tail", session))
    same(again, session, messages=False)
    assert [one.channel for one in again.subscriptions] == [one.channel for one in session.subscriptions]


def test_a_message_of_a_websocket_goes_to_no_channel_whatever_its_group() -> None:
    message = SavedMessage(name="m", channel="greeting", payload="hi")
    assert of("rtui send", Session(name="x", url="ws://h:1", messages=(message,))).text == "rtui send ws://h:1 hi"
    assert "--to greeting" in of("rtui send", Session(name="x", url="mqtt://h:1", messages=(message,))).text


def sent_back(session: Session) -> Session:
    """Payloads are compared as they go out: another way to write the same template is no difference."""
    found = back(of("rtui send", session))
    sent = [Renderer({}, {}, Secrets()).render(one.payload, "payload") for one in found.messages]
    return msgspec.structs.replace(
        found,
        messages=tuple(
            msgspec.structs.replace(one, payload=literal(text)) for one, text in zip(found.messages, sent, strict=True)
        ),
    )


@pytest.mark.parametrize(
    ("tool", "url", "options", "unsaid"),
    [
        ("websocat", "ws://h", {"proxy": "http://p:1", "max_size": "1M"}, ("proxy",)),
        ("wscat", "ws://h", {"proxy": "http://p:1", "ping_interval": "5s"}, ("ping_interval",)),
        ("curl", "sse+http://h", {"server_name": "x", "joined": ".a"}, ("server_name",)),
        ("mosquitto_sub", "mqtt://h/a", {"server_name": "x", "keep_alive": "5s"}, ("server_name",)),
        ("grpcurl", "grpc://h/p.S/M", {"compression": "gzip", "deadline": "1s"}, ("compression",)),
        ("rtui tail", "ws://h", {"proxy": "http://p:1", "server_name": "x", "log_pings": True}, ()),
    ],
)
def test_what_a_tool_has_no_words_for_is_told(
    tool: str, url: str, options: dict[str, Any], unsaid: tuple[str, ...]
) -> None:
    assert of(tool, Session(name="x", url=url, options=options)).unsaid == unsaid


@pytest.mark.parametrize(
    ("url", "options"),
    [
        ("wss://u:canary-4711@h/p?token=canary-4711", {"headers": {"X-Api-Key": CANARY}, "cookies": {"a": CANARY}}),
        ("wss://canary-4711@h", {"token": CANARY, "proxy": "http://u:canary-4711@p:1"}),
        ("sse+https://h?api_key=canary-4711", {"username": "u", "password": CANARY, "cookies": {"a": CANARY}}),
        ("mqtts://u:canary-4711@h/t", {}),
        ("mqtt+wss://h/t", {"username": "u", "password": CANARY}),
        ("socketio+https://h", {"auth": {"token": CANARY}, "headers": {"Authorization": f"Bearer {CANARY}"}}),
    ],
)
def test_no_secret_is_in_any_line(url: str, options: dict[str, Any]) -> None:
    found = lines(Session(name="x", url=url, options=options, messages=(SavedMessage(name="m", channel="t"),)))
    assert found
    for line in found:
        assert CANARY not in line.text
        assert line.variables


def test_rtui_is_given_the_session_or_all_of_its_options() -> None:
    session = Session(name="x", url="mqtt://h/a", options={"keep_alive": "5s", "client_id": "it's"})
    assert listening(subject(session))[-1].text == """rtui tail --client-id 'it'"'"'s' --keep-alive 5s mqtt://h/a"""
    assert listening(subject(session, "work/plant"))[-1].text == "rtui tail work/plant"
