from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from tests.cli.conftest import ROOT, Cli
from tests.waiting import PATIENCE


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    command = [sys.executable, "-m", "tests.cli.socketio_peer"]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield f"socketio+http://127.0.0.1:{int(process.stdout.readline())}/"
        process.communicate(timeout=PATIENCE)


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_the_fragment_is_a_namespace(cli: Cli, url: str) -> None:
    ended = cli.run("tail", f"{url}#/chat", "--count", "3")
    assert (ended.returncode, ended.stderr) == (0, "")
    found = lines(ended.stdout)
    assert [one["channel"] for one in found] == ["/chat,news"] * 3
    assert [one["data"] for one in found] == [[number, {"price": 1.5}] for number in range(3)]


def test_namespaces_are_subscriptions(cli: Cli, url: str) -> None:
    ended = cli.run("tail", url, "--subscribe", "/chat", "--count", "3")
    assert [one["channel"] for one in lines(ended.stdout)] == ["/chat,news"] * 3


def test_a_plain_http_url_needs_the_protocol_s_name(cli: Cli, url: str) -> None:
    plain = url.removeprefix("socketio+")
    ended = cli.run("send", plain, "--protocol", "socketio", "--to", "x", "1", "--wait", "1")
    assert ended.returncode == 0
    assert lines(ended.stdout)[0]["data"] == [1]


@pytest.mark.parametrize("transports", ["auto", "websocket", "polling"])
def test_the_arguments_of_an_acknowledgement_are_printed(cli: Cli, url: str, transports: str) -> None:
    ended = cli.run("send", url, "--to", "sum", "[1, 2.5]", "--ack", "--transports", transports)
    assert (ended.returncode, ended.stderr) == (0, "")
    (ack,) = lines(ended.stdout)
    assert (ack["kind"], ack["data"]) == ("ack", [3.5])


def test_objects_go_as_they_are_typed(cli: Cli, url: str) -> None:
    ended = cli.run("send", f"{url}#/chat", "--to", "say", '[1.50,{"a":12345678901234567890123}]', "--wait", "1")
    assert ended.returncode == 0
    said = [line for line in ended.stdout.splitlines() if "/chat,say" in line]
    assert len(said) == 1
    assert "12345678901234567890123" in said[0]


def test_bytes_are_bytes(cli: Cli, url: str) -> None:
    ended = cli.run("send", url, "--to", "bytes", "--binary", "hex", "ff 00", "--ack")
    assert lines(ended.stdout)[0]["data"] == ["bytes", 2]


def test_an_acknowledgement_that_does_not_come_is_a_failure(cli: Cli, url: str) -> None:
    ended = cli.run("send", url, "--to", "never", "1", "--ack", "--ack-timeout", "200ms")
    assert (ended.returncode, ended.stdout) == (1, "")
    assert "never" in ended.stderr


def test_a_refused_namespace_is_told_with_its_reason(cli: Cli, url: str) -> None:
    ended = cli.run("tail", f"{url}#/admin", "--for", "20s")
    assert ended.returncode == 3
    assert "a token, please" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_auth_opens_it_and_is_shown_nowhere(cli: Cli, url: str) -> None:
    ended = cli.run(
        "send", f"{url}#/admin", "--auth", '{"token": "right"}', "--to", "x", "1", "--ack", "--include-sent"
    )
    assert ended.returncode == 0
    assert lines(ended.stdout)[-1]["data"] == ["taken"]
    assert "right" not in ended.stdout + ended.stderr


def test_a_server_that_is_none_is_told(cli: Cli, server: str) -> None:
    ended = cli.run("tail", server.replace("ws://", "socketio+http://"), "--count", "1")
    assert (ended.returncode, ended.stdout) == (3, "")
    assert "Traceback" not in ended.stderr
    assert ended.stderr.startswith("rtui: ")
