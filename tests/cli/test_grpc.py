from __future__ import annotations

import json
import subprocess
import tomllib
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Cli, serving
from tests.port import reserved
from tests.waiting import PATIENCE

PROTO = str(files("rtui.demo") / "proto" / "health.proto")
"""A schema without imports."""


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serving("grpc", tmp_path_factory.mktemp("serve")) as url:
        yield url


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.split("\n") if line]  # not splitlines: U+2028 is text


def texts(ended: subprocess.CompletedProcess[str]) -> list[str]:
    assert (ended.returncode, ended.stderr) == (0, "")
    return [line["data"]["text"] for line in lines(ended.stdout)]


def test_a_unary_call_prints_its_reply(cli: Cli, url: str) -> None:
    ended = cli.run("send", f"{url}/demo.Echo/Say", '{"text": "hi {{ 1 + 1 }}"}')
    assert texts(ended) == ["hi 2"]
    (line,) = lines(ended.stdout)
    assert (line["protocol"], line["channel"], line["encoding"]) == ("grpc", "demo.Echo/Say", "json")
    assert (line["meta"]["status"], line["meta"]["code"]) == ("OK", 0)
    assert line["latency_ms"] > 0


def test_no_data_is_an_empty_request(cli: Cli, url: str) -> None:
    (line,) = lines(cli.run("send", url, "", "--to", "demo.Types/Sample").stdout)
    assert (line["data"]["int64"], line["data"]["double"]) == ("9223372036854775807", "NaN")


def test_a_server_stream_is_printed_to_its_end(cli: Cli, url: str) -> None:
    assert texts(cli.run("send", f"{url}/demo.Echo/Repeat", '{"text": "x", "times": 3}')) == ["x"] * 3


def test_stdin_is_a_client_stream(cli: Cli, url: str) -> None:
    ended = cli.run("send", f"{url}/demo.Echo/Collect", stdin='{"text": "a"}\n{"text": "bb"}\n')
    (line,) = lines(ended.stdout)
    assert (ended.returncode, line["data"]) == (0, {"texts": ["a", "bb"], "count": 2, "characters": "3"})


def test_a_client_stream_of_more_messages_than_commands_are_remembered(cli: Cli, url: str) -> None:
    ended = cli.run("send", f"{url}/demo.Echo/Collect", "--no-capture", stdin='{"text": "a"}\n' * 12_000)
    assert (ended.returncode, lines(ended.stdout)[0]["data"]["count"]) == (0, 12_000)


def test_one_message_is_a_client_stream_too(cli: Cli, url: str) -> None:
    (line,) = lines(cli.run("send", f"{url}/demo.Echo/Collect", '{"text": "only"}').stdout)
    assert line["data"]["texts"] == ["only"]


def test_stdin_and_replies_go_both_ways_in_one_call(cli: Cli, url: str) -> None:
    process = cli.start("send", f"{url}/demo.Echo/Talk", "-", "--format", "raw", stdin=subprocess.PIPE)
    assert process.stdin is not None
    assert process.stdout is not None
    for number in (1, 2):
        process.stdin.write('{"text": "to and fro"}\n')
        process.stdin.flush()
        assert json.loads(process.stdout.readline())["number"] == number
    output, errors = process.communicate(timeout=PATIENCE)
    assert (process.returncode, output, errors) == (0, "", "")


def test_each_line_is_a_call_where_a_call_has_one_request(cli: Cli, url: str) -> None:
    ended = cli.run("send", f"{url}/demo.Echo/Say", stdin="".join(f'{{"text": "{n}"}}\n' for n in range(50)))
    assert texts(ended) == [str(n) for n in range(50)]
    assert {line["data"]["number"] for line in lines(ended.stdout)} == {1}
    assert [line["meta"]["call"] for line in lines(ended.stdout)] == [*range(1, 51)]


def test_repeated_messages_are_one_stream(cli: Cli, url: str) -> None:
    request = '{"text": "{{ counter() }}"}'
    ended = cli.run("send", f"{url}/demo.Echo/Talk", request, "--times", "3", "--every", "1ms")
    assert texts(ended) == ["1", "2", "3"]
    assert [line["data"]["number"] for line in lines(ended.stdout)] == [1, 2, 3]


def test_an_endless_stream_is_left(cli: Cli, url: str) -> None:
    ended = cli.run("send", f"{url}/demo.Telemetry/Watch", '{"rate": 100}', "--wait", "3")
    assert (ended.returncode, len(lines(ended.stdout))) == (0, 3)
    ended = cli.run("send", f"{url}/demo.Telemetry/Watch", '{"rate": 100}', "--for", "2s")
    assert ended.returncode == 0
    assert len(lines(ended.stdout)) > 3


def test_fewer_replies_than_wanted(cli: Cli, url: str) -> None:
    ended = cli.run("send", f"{url}/demo.Echo/Say", "{}", "--wait", "2")
    assert (ended.returncode, len(lines(ended.stdout))) == (1, 1)
    assert "after 1 of 2 replies" in ended.stderr
    ended = cli.run("send", f"{url}/demo.Faults/Hang", "{}", "--wait", "1", "--for", "300ms")
    assert (ended.returncode, ended.stdout) == (5, "")


def test_a_failure_is_told_with_its_details(cli: Cli, url: str) -> None:
    ended = cli.run("send", f"{url}/demo.Faults/Fail", '{"code": "NOT_FOUND", "message": "no rack r9"}')
    assert (ended.returncode, ended.stdout) == (1, "")
    first, *others = ended.stderr.splitlines()
    assert first.startswith("rtui: NOT_FOUND: no rack r9 (code: you chose it; ")
    assert others[0] == '  BadRequest {"fieldViolations":[{"field":"code","description":"you chose it"}]}'
    assert [line.split()[0] for line in others[1:5]] == ["ErrorInfo", "RetryInfo", "Help", "LocalizedMessage"]
    assert len(others) == 6


def test_messages_before_a_failure_are_printed(cli: Cli, url: str) -> None:
    for command in (("send", '{"after": 2}'), ("tail", "--data", '{"after": 2}')):
        ended = cli.run(command[0], f"{url}/demo.Faults/Cut", *command[1:])
        assert ended.returncode == 1
        assert [line["data"]["number"] for line in lines(ended.stdout)] == ["1", "2"]
        assert "FAILED_PRECONDITION" in ended.stderr


@pytest.mark.parametrize(
    ("call", "status", "words"),
    [
        ("Faults/Hang --deadline 200ms", 1, "DEADLINE_EXCEEDED"),
        ("Faults/Missing", 1, "UNIMPLEMENTED"),
        ("Faults/Reset", 1, "NO_ERROR"),
        ("Faults/Private", 1, "UNAUTHENTICATED"),
        ("Faults/Drop", 4, "Connection lost"),
        ("Faults/Leave", 4, "went away"),
        ("Echo/Sya", 2, "demo.Echo/Say"),
        ("Echo/Say --metadata bad/key:x", 2, "bad/key"),
    ],
)
def test_how_calls_end(cli: Cli, url: str, call: str, status: int, words: str) -> None:
    method, *flags = call.split()
    ended = cli.run("send", f"{url}/demo.{method}", "{}", *flags)
    assert (ended.returncode, ended.stdout) == (status, "")
    assert words in ended.stderr


@pytest.mark.parametrize(
    ("data", "words"),
    [('{"text": 1}', ".text"), ('{"txt": "1"}', "did you mean text?"), ("nope", "JSON"), ('["x"]', "Words")],
)
def test_a_request_that_does_not_fit_is_not_sent(cli: Cli, url: str, data: str, words: str) -> None:
    ended = cli.run("send", f"{url}/demo.Echo/Say", data, "--include-sent")
    assert (ended.returncode, ended.stdout) == (2, "")
    assert words in ended.stderr


def test_half_a_stream_is_no_request(cli: Cli, url: str) -> None:
    ended = cli.run("send", f"{url}/demo.Echo/Collect", stdin='{"text": "a"}\n{"txt": "b"}\n')
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ".txt" in ended.stderr


def test_a_url_without_a_method(cli: Cli, url: str) -> None:
    ended = cli.run("send", url, "{}")
    assert ended.returncode == 2
    assert "--to" in ended.stderr


@pytest.mark.parametrize("prefix", ["http://", ""])
def test_other_ways_to_write_the_url(cli: Cli, url: str, prefix: str) -> None:
    target = prefix + url.removeprefix("grpc://") + "/demo.Echo/Say"
    assert texts(cli.run("send", target, '{"text": "hi"}', "--protocol", "grpc")) == ["hi"]


def test_metadata_and_a_token(cli: Cli, url: str) -> None:
    flags = ("--metadata", "who: me", "--metadata", "key-bin: AP8=")
    (line,) = lines(cli.run("send", f"{url}/demo.Echo/Metadata", "{}", *flags).stdout)
    got = line["data"]["metadata"]
    assert (got["who"], got["key-bin"].rstrip("=")) == ("me", "AP8")
    assert line["meta"]["metadata"]["demo-server"] == "rtui"
    assert "demo-took-ms" in line["meta"]["trailers"]
    ended = cli.run("send", f"{url}/demo.Faults/Private", "{}", env={"RTUI_TOKEN": "demo"})
    assert (ended.returncode, lines(ended.stdout)[0]["data"]) == (0, {"metadata": {"granted": "yes"}})


def test_a_schema_from_a_file(cli: Cli, url: str) -> None:
    flags = ("--proto", PROTO, "--import-path", str(Path(PROTO).parent), "--reflection", "off")
    ended = cli.run("send", f"{url}/grpc.health.v1.Health/Check", '{"service": "demo.Faults"}', *flags)
    assert (ended.returncode, lines(ended.stdout)[0]["data"]) == (0, {"status": "NOT_SERVING"})


def test_a_stream_is_followed(cli: Cli, url: str) -> None:
    ended = cli.run("tail", f"{url}/demo.Telemetry/Watch", "--data", '{"rate": 200}', "--count", "3")
    assert (ended.returncode, [line["data"]["id"] for line in lines(ended.stdout)]) == (0, ["1", "2", "3"])
    request = '{"rate": 500, "count": 4, "kinds": ["TRADE"]}'
    ended = cli.run("tail", url, "--subscribe", "demo.Telemetry/Watch", "--data", request)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert [list(line["data"])[2] for line in lines(ended.stdout)] == ["trade"] * 4


def test_a_stream_that_ends_too_early(cli: Cli, url: str) -> None:
    request = '{"rate": 500, "count": 3}'
    ended = cli.run("tail", f"{url}/demo.Telemetry/Watch", "--data", request, "--count", "5")
    assert (ended.returncode, len(lines(ended.stdout))) == (4, 3)
    assert "after 3 of 5 messages" in ended.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("/demo.Echo/Say",), "rtui send"),
        (("/demo.Telemetry/Watch", "--data", '{"rat": 1}'), "did you mean rate?"),
        (("", "--subscribe", "demo.Telemetry/Wotch"), "demo.Telemetry/Watch"),
    ],
)
def test_what_is_no_stream(cli: Cli, url: str, arguments: tuple[str, ...], words: str) -> None:
    ended = cli.run("tail", url + arguments[0], *arguments[1:])
    assert (ended.returncode, ended.stdout) == (2, "")
    assert words in ended.stderr


def test_a_stream_is_asked_for_again_after_a_cut(cli: Cli) -> None:
    session = '[session]\nname = "s"\nurl = "{url}"\n[reconnect]\nfirst_delay = "10ms"\nmax_delay = "50ms"\n'
    wanted = '[[subscriptions]]\nchannel = "demo.Telemetry/Watch"\ndata = \'{"rate": 50}\'\n'
    with reserved() as port:
        with serving("grpc", cli.folder, port) as url:
            (cli.folder / "s.toml").write_text(session.format(url=url) + wanted, encoding="utf-8")
            process = cli.start("tail", "s.toml", "--format", "raw")
            assert process.stdout is not None
            assert json.loads(process.stdout.readline())["id"] == "1"
        with serving("grpc", cli.folder, port):
            seen = 1
            while (number := int(json.loads(process.stdout.readline())["id"])) > seen:
                seen = number
            assert number == 1  # the story from its beginning: a new call
            process.terminate()
            _, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130
    assert "went away" in errors or "lost" in errors


def test_a_session_from_what_the_server_tells(cli: Cli, url: str) -> None:
    made = cli.run("sessions", "new", "mine", url, "--from-reflection")
    assert made.returncode == 0
    saved = tomllib.loads((cli.folder / "config" / "sessions" / "mine.toml").read_text(encoding="utf-8"))
    messages = {one["name"]: one for one in saved["messages"]}
    assert len(messages) == len(saved["messages"]) >= 25
    assert messages["Echo/Say"] == {
        "name": "Echo/Say",
        "channel": "demo.Echo/Say",
        "payload": '{\n  "text": ""\n}',
        "format": "json",
    }
    assert set(json.loads(messages["Types/Mirror"]["payload"])) >= {"int64", "timestamp", "any", "shelves"}
    assert cli.run("sessions", "lint", "mine").returncode == 0
    assert texts(cli.run("send", "mine", '{"text": "hi"}', "--to", "demo.Echo/Say")) == ["hi"]


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (("grpc://127.0.0.1:1",), 3, "refused"),
        (("ws://127.0.0.1:1",), 2, "no reflection"),
        (("{url}", "--reflection", "off"), 2, "--proto"),
    ],
)
def test_a_server_that_tells_nothing(cli: Cli, url: str, arguments: tuple[str, ...], status: int, words: str) -> None:
    ended = cli.run("sessions", "new", "mine", "--from-reflection", *(one.format(url=url) for one in arguments))
    assert (ended.returncode, ended.stdout) == (status, "")
    assert words in ended.stderr
    assert not (cli.folder / "config" / "sessions" / "mine.toml").exists()
