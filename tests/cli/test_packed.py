"""Binary formats on the command line: JSON goes in, filters and steps see what comes."""

from __future__ import annotations

import base64
import json

import pytest

from tests.cli.conftest import Cli
from tests.protoset import protoset

PLANT = """syntax = "proto3"; package plant;
message Reading { int64 id = 1; double celsius = 2; State state = 3; }
enum State { OK = 0; HOT = 1; }
message Alarm { string text = 1; }
"""
SESSION = """[session]
url = "{url}/echo"

[view.protobuf]
descriptor = "plant.protoset"
message = "plant.Reading"

[variables]
most = "30"

[[messages]]
name = "hot"
format = "protobuf"
payload = '{{"id": 7, "celsius": {{{{ most }}}}.5, "state": "HOT"}}'

[[steps]]
send = "@hot"

[[steps]]
expect = ".celsius>30 .state==HOT .id==7"
capture.id = ".id"

[[steps]]
send = '{{"id": {{{{ id }}}}}}'
format = "protobuf"

[[steps]]
expect = ".celsius==0 .state==OK .id==7"

[[steps]]
send = '{{"v": [1, 2]}}'
format = "cbor"

[[steps]]
expect = ".v[1]==2"

[[steps]]
send = '{{"text": "fire"}}'
format = "protobuf"
type = "plant.Alarm"

[[steps]]
expect = "fire"
"""


@pytest.fixture
def plant(cli: Cli, server: str) -> str:
    """A session with message types."""
    source = cli.folder / "plant.proto"
    source.write_text(PLANT)
    protoset(source, cli.folder / "plant.protoset")
    (cli.folder / "plant.toml").write_text(SESSION.format(url=server))
    return "plant.toml"


def sent_as(cli: Cli, *arguments: str) -> bytes:
    line = json.loads(cli.run("send", *arguments, "--wait", "1").stdout)
    assert line["meta"]["type"] == "binary"
    data: str = line["data"]
    return base64.b64decode(data) if line["encoding"] == "base64" else data.encode()


@pytest.mark.parametrize(("form", "data"), [("msgpack", b"\x81\xa1v\xcc\xc8"), ("cbor", b"\xa1av\x18\xc8")])
def test_json_is_packed(cli: Cli, server: str, form: str, data: bytes) -> None:
    assert sent_as(cli, f"{server}/echo", '{"v": {{ 200 }}}', "--binary", form) == data
    (cli.folder / "v.json").write_text('{"v": 200}')
    assert sent_as(cli, f"{server}/echo", "@v.json", "--binary", form) == data


def test_protobuf_by_the_session_or_by_flags(cli: Cli, server: str, plant: str) -> None:
    assert sent_as(cli, plant, '{"id": "7"}', "--binary", "protobuf") == b"\x08\x07"
    alarm = ("--binary", "protobuf", "--message", "plant.Alarm")
    assert sent_as(cli, plant, '{"text": "x"}', *alarm) == b"\x0a\x01x"
    assert sent_as(cli, f"{server}/echo", '{"text": "x"}', *alarm, "--descriptor", "plant.protoset") == b"\x0a\x01x"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (('{"celcius": 1}', "--binary", "protobuf"), ".celcius: Reading has no such field; did you mean celsius?"),
        (("{}", "--binary", "protobuf", "--message", "plant.Alrm"), "did you mean plant.Alarm?"),
        (("{}", "--binary", "protobuf", "--message", "a.B", "--descriptor", "none"), "none no such file"),
        (('{"v": 99999999999999999999}', "--binary", "msgpack"), ".v: 99999999999999999999 does not fit"),
        (("{}", "--message", "plant.Alarm"), "go with --binary protobuf"),
    ],
)
def test_what_cannot_be_sent_is_refused_with_its_place(
    cli: Cli, plant: str, arguments: tuple[str, ...], told: str
) -> None:
    ended = cli.run("send", plant, *arguments)
    assert ended.returncode == 2
    assert told in ended.stderr
    assert ended.stdout == ""


def test_steps_send_and_expect_binary_formats(cli: Cli, plant: str) -> None:
    ended = cli.run("check", plant)
    assert (ended.returncode, "8 of 8 steps passed" in ended.stderr) == (0, True), ended.stderr


def test_a_filter_of_tail_sees_what_payloads_mean(cli: Cli, server: str) -> None:
    ended = cli.run("tail", f"{server}/binary?rate=50", "--filter", ".number==4", "--count", "1", "--for", "20s")
    assert ended.returncode == 0, ended.stderr
    assert json.loads(ended.stdout)["encoding"] == "base64"


def test_a_filter_of_export_knows_the_types_of_a_session(cli: Cli, plant: str) -> None:
    for celsius in (1, 31):
        sent = ("--binary", "protobuf", "--wait", "1", "--capture", f"{celsius}.rtui")
        assert cli.run("send", plant, f'{{"celsius": {celsius}}}', *sent).returncode == 0
        wanted = ("export", f"{celsius}.rtui", "--messages", "--filter", ".celsius>30")
        assert cli.run(*wanted).stdout == ""
        typed = cli.run(*wanted, "--types", plant)
        assert (typed.returncode, len(typed.stdout.splitlines())) == (0, 2 if celsius > 30 else 0)
    (cli.folder / "bare.toml").write_text('[session]\nurl = "ws://h"\n')
    for target, told in (("bare.toml", "bare.toml has no [view.protobuf]"), ("nothing", "no session or session file")):
        ended = cli.run("export", "1.rtui", "--types", target)
        assert (ended.returncode, told in ended.stderr) == (2, True)


def test_a_filter_of_export_does_too(cli: Cli, server: str) -> None:
    cli.run("send", f"{server}/echo", '{"v": 31}', "--binary", "msgpack", "--wait", "1", "--capture", "c.rtui")
    assert len(cli.run("export", "c.rtui", "--filter", ".v>30").stdout.splitlines()) == 2
    assert cli.run("export", "c.rtui", "--filter", ".v>31").stdout == ""
