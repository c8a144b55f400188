from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rtui.core.fault import Failure, Fault
from rtui.settings.files import SettingsError, parse_toml
from rtui.settings.session import (
    SavedMessage,
    Session,
    SessionSubscription,
    View,
    connect_options,
    find_session,
    list_sessions,
    load_session,
    parse_session,
    save_session,
    session_from_url,
    session_schema,
)
from rtui.settings.session_model import Reconnect, to_data
from tests.settings.shapes import Options, Shape, find

FILE = """# the plant
[session]
url = "ws://plant/x"   # the real one
name = "plant"

[options]
timeout = "5s"  # patience
future_key_kept = 1
[options.tls]
ca = "ca.pem"
[options.headers]
"X-Site" = "r1"

[reconnect]
first_delay = "250ms"

# topics
[[subscriptions]]
channel = "a/#"
qos = 1       # at least once

[[subscriptions]]
channel = "b"

[[messages]]
name = "hello"
payload = "hi"   # said politely
[messages.options]
frame = "binary"
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "plant.toml"
    path.write_text(FILE.replace("future_key_kept = 1\n", ""))
    return path


def problems_of(text: str, declares_for: Any = find) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        parse_session(parse_toml(text, Path("s.toml")), declares_for)
    return [str(problem).split(" (allowed")[0] for problem in caught.value.problems]


def test_a_whole_file(path: Path) -> None:
    session = load_session(path, find)
    assert (session.name, session.url) == ("plant", "ws://plant/x")
    assert session.options == {"timeout": "5s", "ca": "ca.pem", "headers": {"X-Site": "r1"}}
    assert session.reconnect == Reconnect(first_delay=0.25)
    assert session.subscriptions == (
        SessionSubscription(channel="a/#", options={"qos": 1}),
        SessionSubscription(channel="b"),
    )
    assert session.messages == (SavedMessage(name="hello", payload="hi", options={"frame": "binary"}),)
    built = connect_options(session, Options)
    assert (built.timeout, built.ca) == (5.0, str(path.parent / "ca.pem"))


def test_the_colour_of_a_subscription_is_one() -> None:
    text = '[session]\nurl = "mqtt://x"\n[[subscriptions]]\nchannel = "a"\ncolour = "{}"\n'
    for right in ("#fa0", "#FFAA00", "ansi_cyan", ""):
        session = parse_session(parse_toml(text.format(right), Path("s.toml")), find)
        assert session.subscriptions[0].colour in {"#ffaa00", "ansi_cyan", ""}
    assert problems_of(text.format("reddish")) == [
        "s.toml:5: subscriptions[0].colour: must be a colour such as #5fd7ff or ansi_cyan, not 'reddish'"
    ]


def test_every_mistake_of_a_file_with_its_line() -> None:
    text = """[session]
url = "ws://x"
protokol = "websocket"
[options]
timeout = "5 parsecs"
tls.caa = "x"
[options.headers]
A = "a"
B = 1
[reconect]
[reconnect]
attempts = -1
[[subscriptions]]
channel = "a"
qos = 3
[[subscriptions]]
channel = "a"
qqos = 1
[[messages]]
nam = "a"
[[messages]]
name = "b"
payload = "x"
file = "y"
options.frame = "round"
[variables]
n = 1
env = "x"
[[steps]]
expct = "x"
"""
    assert problems_of(text) == [
        "s.toml:3: session.protokol: unknown key; did you mean 'protocol'?",
        "s.toml:5: options.timeout: must be a duration such as 500ms, 2s or 1m, not '5 parsecs'",
        "s.toml:6: options.tls.caa: unknown key; did you mean 'ca'?",
        "s.toml:9: options.headers.B: must be text, not 1",
        "s.toml:10: reconect: unknown key; did you mean 'reconnect'?",
        "s.toml:12: reconnect.attempts: must be at least 0, not -1",
        "s.toml:15: subscriptions[0].qos: 3 is not allowed",
        "s.toml:17: subscriptions[1].channel: 'a' is given twice",
        "s.toml:18: subscriptions[1].qqos: unknown key; did you mean 'qos'?",
        "s.toml:19: messages[0].name: is missing",
        "s.toml:20: messages[0].nam: unknown key; did you mean 'name'?",
        "s.toml:24: messages[1].file: give either payload or file, not both",
        "s.toml:25: messages[1].options.frame: 'round' is not allowed",
        "s.toml:27: variables.n: must be text (in quotes)",
        "s.toml:28: variables.env: cannot be a variable's name: letters, digits and _ only, not a function",
        "s.toml:29: steps[0]: a step needs exactly one verb; did you mean 'expect'?",
        "s.toml:30: steps[0].expct: unknown key; did you mean 'expect'?",
    ]


def test_a_channel_that_nobody_can_be_asked_for_is_named_with_its_line() -> None:
    text = '[session]\nurl = "ws://a"\n[[subscriptions]]\nchannel = "a b"\n[[subscriptions]]\nchannel = "{{ a b }}"\n'
    assert problems_of(text) == ["s.toml:4: subscriptions[0].channel: no blanks"]


def test_allowed_keys_are_listed() -> None:
    with pytest.raises(SettingsError, match=r"\(allowed: name, url, protocol, description, tags\)"):
        parse_session(parse_toml("[session]\nurl='ws://x'\nx=1", Path("s.toml")), find)


def test_tables_of_the_wrong_shape() -> None:
    assert problems_of("session = 1\nmessages = 2\nsubscriptions = [1]\nview = []") == [
        "s.toml:1: session: must be a table",
        "s.toml:1: session.url: is missing",
        "s.toml:2: messages: must be an array of tables, written [[messages]]",
        "s.toml:3: subscriptions[0]: must be a table",
        "s.toml:3: subscriptions[0].channel: is missing",
        "s.toml:4: view: must be a table",
    ]
    assert problems_of("") == ["s.toml: the table [session] with a url is missing"]


def test_an_unknown_protocol_is_told_where_it_stands() -> None:
    def nobody(url: str, protocol: str) -> type[Shape]:
        raise Failure(Fault(kind="usage", side="us", title="Unknown protocol", cause="'wss0'", hint="Did you mean ws?"))

    text = "[session]\nurl = 'wss0://x'\n[options]\nanything = 1"
    assert problems_of(text, nobody) == ["s.toml:2: session.url: Unknown protocol: 'wss0'. Did you mean ws?"]


def test_templates_wait_until_they_are_rendered() -> None:
    asked: list[str] = []

    def remember(url: str, protocol: str) -> type[Shape]:
        asked.append(url)
        return Shape

    text = "[session]\nurl = 'ws://{{ host }}/x'\n[options]\nmax_size = '{{ n }}'"
    session = parse_session(parse_toml(text, Path("s.toml")), remember)
    assert session.options == {"max_size": "{{ n }}"}
    assert asked == ["ws://x/x"]


TOML_WORDS = """
[session] [options] [[messages]] [[subscriptions]] [[steps]] [variables] [view] [reconnect]
url='ws://x' name='a' channel='b' options={} tags=[1] send=1 capture.id='.x' view=1 timeout='1s'
headers.a='{{b}}' tls={ca=1} x=[{a=1}] every='1x' z=1979-05-27 attempts=nan
"""
toml_words = st.sampled_from(TOML_WORDS.split())


@given(st.lists(toml_words | st.text(max_size=20), max_size=12).map("\n".join))
@settings(max_examples=300)
def test_no_text_raises_anything_but_a_settings_error(text: str) -> None:
    with suppress(SettingsError):
        assert parse_session(parse_toml(text, Path("s.toml")), find).url is not None


def test_an_edit_changes_only_what_changed(path: Path) -> None:
    session = load_session(path, find)
    path.write_text(FILE)  # meanwhile somebody added a key that we do not know
    options = session.options | {"ca": "new.pem", "headers": {"X-New": "2"}}
    edited = msgspec.structs.replace(
        session,
        description="d",
        options=options,
        subscriptions=(*session.subscriptions[:1], SessionSubscription(channel="c", muted=True)),
    )
    save_session(edited, path)
    text = path.read_text()
    for kept in (
        "# the plant",
        "# the real one",
        '"5s"  # patience',
        "future_key_kept = 1",
        "# topics",
        "# at least once",
    ):
        assert kept in text
    assert "# said politely" in text
    assert 'ca = "new.pem"' in text
    data = parse_toml(text, path).data
    assert data["options"]["headers"] == {"X-New": "2"}
    assert data["options"]["tls"] == {"ca": "new.pem"}
    assert [one["channel"] for one in data["subscriptions"]] == ["a/#", "c"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_saving_unchanged_leaves_every_byte(path: Path) -> None:
    before = path.read_bytes()
    save_session(load_session(path, find), path)
    assert path.read_bytes() == before


def test_a_variable_may_be_called_like_a_table(path: Path) -> None:
    path.write_text("[session]\nurl = 'ws://x'\n[variables]\nview = 'v'\n[options]\nheaders.ca = 'h'\n")
    session = load_session(path, find)
    options = session.options | {"ca": "file"}
    save_session(msgspec.structs.replace(session, view=View(follow=False), options=options), path)
    assert load_session(path, find).variables == {"view": "v"}
    assert load_session(path, find).options == {"headers": {"ca": "h"}, "ca": "file"}


def test_a_message_can_be_removed_and_a_table_added(path: Path) -> None:
    session = msgspec.structs.replace(load_session(path, find), messages=(), variables={"a": "b"})
    saved = save_session(session, path).session
    again = load_session(path, find)
    assert again.messages == ()
    assert again.variables == {"a": "b"}
    assert to_data(again) == saved.stored


def test_a_new_file_reads_back_the_same(tmp_path: Path) -> None:
    session = msgspec.structs.replace(
        session_from_url("ws://h:1/x", {"timeout": 2.5, "auth": {"a": None}, "attempts": None}),
        messages=(SavedMessage(name="m", payload="line\nline\r\n\x1b", every=1.5),),
        reconnect=Reconnect(max_delay=60.0),
    )
    path = tmp_path / "sub" / "new.toml"
    save_session(session, path)
    again = load_session(path, find)
    assert again.messages == session.messages
    assert again.reconnect == session.reconnect
    assert connect_options(again, Options).auth == {"a": None}
    assert again.name == "h:1/x"


texts = st.text(st.characters(codec="utf-8"), max_size=12)
sessions = st.builds(
    Session,
    name=texts.filter(bool),
    url=texts.filter(bool).map(lambda text: "ws://h/" + text.replace("{", "")),
    description=texts,
    options=st.fixed_dictionaries(
        {}, optional={"headers": st.dictionaries(texts, texts, max_size=2), "timeout": texts}
    ),
    messages=st.lists(st.builds(SavedMessage, name=texts, payload=texts), max_size=3, unique_by=lambda m: m.name).map(
        tuple
    ),
)


@given(sessions, sessions)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25, deadline=None)
def test_any_session_turns_into_any_other(tmp_path: Path, one: Session, other: Session) -> None:
    def anything(url: str, protocol: str) -> None:
        return None

    path = tmp_path / "x.toml"
    path.unlink(missing_ok=True)
    first = save_session(one, path).session
    wanted = msgspec.structs.replace(other, path=path, stored=first.stored)
    saved = save_session(wanted, path).session
    assert to_data(load_session(path, anything)) == saved.stored


def test_typed_secrets_stay_out_of_the_file(tmp_path: Path) -> None:
    options = {"token": "hunter2", "headers": {"Authorization": "Bearer hunter2", "X-Site": "r1"}}
    saved = save_session(session_from_url("ws://u:hunter2@h/x", options), tmp_path / "plant.toml", Shape)
    text = (tmp_path / "plant.toml").read_text()
    assert "hunter2" not in text
    assert "{{ env.PLANT_TOKEN }}" in text
    assert set(saved.withheld) == {"PLANT_TOKEN", "PLANT_AUTHORIZATION", "PLANT_PASSWORD"}


def test_a_resolved_session_is_never_saved(tmp_path: Path) -> None:
    session = msgspec.structs.replace(session_from_url("ws://x"), resolved=True)
    with pytest.raises(Failure):
        save_session(session, tmp_path / "x.toml")
    assert not list(tmp_path.iterdir())


def test_what_cannot_be_written_is_a_storage_failure(tmp_path: Path) -> None:
    session = session_from_url("ws://x/\ud800")
    with pytest.raises(Failure) as caught:
        save_session(session, tmp_path / "x.toml")
    assert caught.value.fault.kind == "storage"


def test_sessions_are_found_by_name_nearest_folder_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RTUI_CONFIG_HOME", str(tmp_path / "config"))
    for folder in (tmp_path / "sessions", tmp_path / "config" / "sessions" / "work"):
        folder.mkdir(parents=True)
        (folder / "a.toml").write_text("[session]\nurl = 'ws://a'")
    (tmp_path / "sessions" / "bad.toml").write_text("[session\n")
    (tmp_path / "sessions" / "demo").mkdir()
    (tmp_path / "sessions" / "demo" / "echo.toml").write_text("[session]\nurl = 'ws://mine'")
    entries = {entry.name: entry for entry in list_sessions()}
    assert (entries["a"].source, entries["work/a"].source, entries["work/a"].folder) == ("here", "user", "work")
    assert "bad.toml:1: not valid TOML" in entries["bad"].error
    assert entries["demo/echo"].url == "ws://mine"
    assert entries["demo/ticker"].source == "packaged"
    assert find_session("demo/echo") == Path("sessions/demo/echo.toml")
    assert find_session("../config/sessions/work/a") is None
    assert find_session(os.devnull) is None


def test_the_schema_names_the_tables_and_the_protocols() -> None:
    schema = session_schema({"shape": Shape})
    assert schema["properties"]["options"] == {"anyOf": [{"$ref": "#/$defs/shape"}]}
    assert schema["properties"]["session"]["required"] == ["url"]
    assert msgspec.json.encode(schema)


def test_secrets_are_withheld_wherever_they_stand(tmp_path: Path) -> None:
    session = session_from_url(
        "wss://host/feed?room=1&access_token=abcdef12&x=2", {"headers": {"X-Api-Key": "key-1234"}}
    )
    message = SavedMessage(
        name="login",
        payload='{"token": "abcdef12", "name": "bob"}',
        options={"user_properties": {"token": "other-token", "kind": "x"}},
    )
    subscription = SessionSubscription(channel="a/b", options={"properties": {"secret": "sub-secret"}})
    session = msgspec.structs.replace(session, messages=(message,), subscriptions=(subscription,))
    path = tmp_path / "feed.toml"
    saved = save_session(session, path)
    text = path.read_text()
    for secret in ("abcdef12", "key-1234", "other-token", "sub-secret"):
        assert secret not in text
    assert "bob" in text
    assert "room=1&access_token={{ env.FEED_ACCESS_TOKEN }}&x=2" in text
    payload = parse_toml(text, path).data["messages"][0]["payload"]
    assert payload == '{"token": "{{ env.FEED_ACCESS_TOKEN }}", "name": "bob"}'
    assert set(saved.withheld) == {"FEED_ACCESS_TOKEN", "FEED_X_API_KEY", "FEED_TOKEN", "FEED_SECRET"}


def test_two_secrets_of_one_name_get_two_variables(tmp_path: Path) -> None:
    session = session_from_url("wss://host/?token=first-one", {"headers": {"Token": "second-one"}})
    saved = save_session(session, tmp_path / "feed.toml")
    assert set(saved.withheld) == {"FEED_TOKEN", "FEED_TOKEN_2"}


@pytest.mark.parametrize(
    ("payload", "written"),
    [
        ('{\n  "a": "b\\"c\\\\"\n}', '"""\n{\n  "a": "b\\\\"c\\\\\\\\"\n}"""'),
        ('three quotes\n""" end it', None),
        ("a return\r\nis kept", None),
    ],
)
def test_texts_of_several_lines_read_as_they_are(tmp_path: Path, payload: str, written: str | None) -> None:
    path = tmp_path / "s.toml"
    message = SavedMessage(name="m", payload=payload)
    save_session(Session(name="s", url="ws://h/", messages=(message,)), path)
    assert load_session(path, find).messages[0].payload == payload
    assert written is None or written in path.read_text(encoding="utf-8")
