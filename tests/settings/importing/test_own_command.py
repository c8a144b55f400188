"""rtui's own commands: read back as what they were written from."""

from __future__ import annotations

from typing import Any

import click
import pytest

from rtui.cli.main import SUMMARIES, root
from rtui.cli.target import declares_for
from rtui.settings.importing import own_command
from rtui.settings.importing.base import Harvest
from rtui.settings.importing.registry import import_text
from rtui.settings.session import Session


def read(text: str) -> Harvest:
    return import_text(text, "notes.sh", declares_for)


def one(text: str) -> Session:
    harvest = read(text)
    assert len(harvest.found) == 1, harvest.left
    assert not harvest.left
    return harvest.found[0].session


def left(text: str) -> str:
    harvest = read(text)
    assert not harvest.found
    return "\n".join(map(str, harvest.left))


def test_every_flag_of_these_commands_is_known() -> None:
    for name in own_command.COMMANDS:
        command = root.get_command(click.Context(root), name)
        assert command is not None
        own = click.Command.get_params(command, click.Context(command))
        flags = {flag for each in own for flag in (*each.opts, *each.secondary_opts) if flag.startswith("-")}
        assert flags <= {*own_command.VALUES, *own_command.SWITCHES}
        switches = {flag for each in own if getattr(each, "is_flag", False) for flag in each.opts}
        assert {flag for flag in switches if flag.startswith("-")} <= set(own_command.SWITCHES)


def test_every_command_is_known() -> None:
    assert set(SUMMARIES) == own_command.COMMANDS | own_command.OTHERS


@pytest.mark.parametrize("command", ["rtui", "rtui open", "rtui tail", "$ rtui tail", "/usr/bin/rtui tail"])
def test_what_connects_is_a_session(command: str) -> None:
    found = one(f"{command} wss://h:1/p?a=b --header 'X-A: b c' --header 'X-B: d' --insecure --max-size=4M")
    assert (found.name, found.url) == ("h-p", "wss://h:1/p?a=b")
    assert found.options == {"headers": {"X-A": "b c", "X-B": "d"}, "insecure": True, "max_size": "4M"}


def test_several_targets_are_several_sessions() -> None:
    found = read("rtui ws://a ws://b work/plant")
    assert [each.session.url for each in found.found] == ["ws://a", "ws://b"]
    assert [str(each) for each in found.left] == [
        "line 1: work/plant: a session that is written down already, or a file"
    ]


def test_subscriptions_filter_and_variables() -> None:
    found = one(
        "rtui tail mqtt://h --subscribe 'a/#' --subscribe b --qos 1 --no-local --filter '.v>3' "
        "--var room=lobby --set keep_alive=5s --no-reconnect --count 3 --format raw --capture x.rtui"
    )
    assert [(each.channel, each.options) for each in found.subscriptions] == [
        ("a/#", {"qos": 1, "no_local": True}),
        ("b", {"qos": 1, "no_local": True}),
    ]
    assert (found.view.filter, found.variables, found.options) == (".v>3", {"room": "lobby"}, {"keep_alive": "5s"})
    assert not found.reconnect.enabled


def test_a_plain_address_has_its_protocol_from_the_flag() -> None:
    found = one("rtui tail https://h/x --protocol sse --joined .a")
    assert (found.url, found.protocol, found.options) == ("https://h/x", "sse", {"joined": ".a"})
    found = one("rtui tail h:1883 --protocol mqtt --keep-alive 5s --proxy http://p:1")
    assert (found.url, found.protocol, found.options) == ("h:1883", "mqtt", {"keep_alive": "5s", "proxy": "http://p:1"})
    assert one("rtui localhost:8080/x --origin https://a --max-size 4M").url == "localhost:8080/x"


def test_what_the_shell_fills_in_comes_from_the_environment_and_templates_stay() -> None:
    found = one("""rtui tail "wss://h/$ROOM" --token "$TOKEN" --header 'X-A: {{ uuid() }}'""")
    assert found.url == "wss://h/{{ env.ROOM }}"
    assert found.options == {"token": "{{ env.TOKEN }}", "headers": {"X-A": "{{ uuid() }}"}}


def test_defaults_before_the_command_are_options() -> None:
    assert one("RTUI_TOKEN=abc RTUI_QOS=1 HOME=/ rtui tail wss://h").options == {"token": "abc"}


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("rtui send ws://h/echo '{\"a\": {{ n }}}'", {"name": "message", "payload": '{"a": {{ n }}}'}),
        ("rtui send ws://h/echo 'de ad' --binary hex", {"name": "message", "payload": "de ad", "format": "hex"}),
        ("rtui send ws://h x --every 1m30s", {"name": "message", "payload": "x", "every": 90}),
        ("rtui send ws://h @a.json", {"name": "message", "file": "a.json"}),
        ("echo '{{1}}' | rtui send ws://h -", {"name": "message", "payload": "{{ '{' }}{1}}"}),
        ("printf %s x | rtui send ws://h @/dev/stdin", {"name": "message", "payload": "x"}),
        (
            "rtui send mqtt://h --to a/b '{}' --qos 1 --retain --ack",
            {"name": "b", "channel": "a/b", "payload": "{}", "options": {"qos": 1, "retain": True}},
        ),
        ("rtui send mqtt://h --to a -- -5", {"name": "a", "channel": "a", "payload": "-5"}),
        (
            "rtui send socketio+http://h --to echo '[1]' --ack",
            {"name": "echo", "channel": "echo", "payload": "[1]", "options": {"ack": True}},
        ),
    ],
)
def test_what_is_sent_is_a_saved_message(command: str, message: dict[str, Any]) -> None:
    (found,) = one(command).messages
    assert {key: getattr(found, key) for key in ("name", *message)} == message


def test_a_method_in_the_url_is_called_and_not_listened_to() -> None:
    found = one("rtui send grpc://h:1/p.S/M '{}' --deadline 2s --metadata 'x-a: b'")
    assert [(each.channel, each.payload) for each in found.messages] == [("p.S/M", "{}")]
    assert [(each.channel, each.enabled) for each in found.subscriptions] == [("p.S/M", False)]
    assert found.options == {"deadline": "2s", "metadata": {"x-a": "b"}}


@pytest.mark.parametrize(
    ("command", "told"),
    [
        ("rtui replay x.rtui", "rtui replay"),
        ("rtui", "there is no URL"),
        ("rtui tail plant", "plant: a session that is written down already"),
        ("rtui 1234", "1234: a session that is written down already"),
        ("rtui tail $(cat url)", "comes from another command"),
    ],
)
def test_what_is_no_connection_is_told(command: str, told: str) -> None:
    assert told in left(command)


def test_flags_that_there_are_not_are_told() -> None:
    found = read("rtui tail ws://h --colour red")
    assert "--colour" in str(found.left[0])


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("rtui plant", ["plant"]),
        ("$ rtui work/plant chat", ["work/plant", "chat"]),
        ("rtui tail plant --count 3 --format raw", ["plant"]),
        ("rtui tail plant --subscribe a", []),
        ("rtui tail plant --qos 1", []),
        ("RTUI_TOKEN=a rtui plant", []),
        ("rtui send plant x", []),
        ("curl plant", []),
        ("rtui plant\ncurl http://h", []),
    ],
)
def test_what_only_names_sessions(text: str, names: list[str]) -> None:
    assert own_command.named(text) == names
