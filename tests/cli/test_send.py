from __future__ import annotations

import base64
import json
import os
import pty
import socket
import sys
import threading

import pytest
from websockets.utils import accept_key

from tests.cli.conftest import Cli
from tests.waiting import PATIENCE

CLOSE_4001 = b"\x88\x06" + (4001).to_bytes(2) + b"gone"


def test_a_line_of_stdin_is_echoed(cli: Cli, server: str) -> None:
    ended = cli.run("send", f"{server}/echo", "-", "--wait", "1", stdin='{"a":1}\n')
    line = json.loads(ended.stdout)
    assert (ended.returncode, line["data"], line["direction"]) == (0, {"a": 1}, "in")


def test_who_types_the_messages_is_told_how(cli: Cli, server: str) -> None:
    terminal, ours = pty.openpty()
    process = cli.start("send", f"{server}/echo", "--wait", "1", stdin=ours)
    os.close(ours)
    os.write(terminal, b"hello\n\x04")
    printed, said = process.communicate(timeout=PATIENCE)
    os.close(terminal)
    assert json.loads(printed)["data"] == "hello"
    assert said.splitlines()[0] == "rtui: each line is a message; ctrl+d ends"
    assert said.splitlines()[1].startswith("rtui: open · WebSocket 13")


def test_every_line_is_sent_in_order(cli: Cli, server: str) -> None:
    text = "".join(f"{n}\n" for n in range(2000))
    ended = cli.run("send", f"{server}/echo", "--wait", "2000", "--format", "raw", stdin=text)
    assert ended.stdout == text


def test_a_file_is_sent_as_it_is(cli: Cli, server: str) -> None:
    (cli.folder / "f").write_bytes(b"\x00\xff{{ not a template\n")
    ended = cli.run("send", f"{server}/echo", "@f", "--wait", "1")
    assert base64.b64decode(json.loads(ended.stdout)["data"]) == b"\x00\xff{{ not a template\n"


@pytest.mark.parametrize(("form", "text"), [("hex", "68 69"), ("base64", "aGk=")])
def test_binary(cli: Cli, server: str, form: str, text: str) -> None:
    line = json.loads(cli.run("send", f"{server}/echo", text, "--binary", form, "--wait", "1").stdout)
    assert (line["data"], line["meta"]["type"]) == ("hi", "binary")


def test_repeated_with_a_counter(cli: Cli, server: str) -> None:
    ended = cli.run(
        "send",
        f"{server}/echo",
        "n {{ counter() }}",
        "--times",
        "3",
        "--every",
        "1ms",
        "--wait",
        "3",
        "--format",
        "raw",
    )
    assert ended.stdout.splitlines() == ["n 1", "n 2", "n 3"]


def test_include_sent(cli: Cli, server: str) -> None:
    ended = cli.run("send", f"{server}/echo", "x", "--wait", "1", "--include-sent")
    assert [json.loads(line)["direction"] for line in ended.stdout.splitlines()] == ["out", "in"]


def test_without_waiting_nothing_is_printed(cli: Cli, server: str) -> None:
    ended = cli.run("send", f"{server}/slow?every=60", "x")
    assert (ended.returncode, ended.stdout) == (0, "")


def test_a_reply_that_does_not_come(cli: Cli, server: str) -> None:
    ended = cli.run("send", f"{server}/close?after=60", "x", "--wait", "1", "--for", "200ms")
    assert (ended.returncode, ended.stdout) == (5, "")


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("zz", "--binary", "hex"), "hex"),
        (("@nosuch",), "nosuch"),
        (("{{ nosuch }}",), "nosuch"),
        (("x", "--ack"), "acknowledgements"),
        (("-", "--times", "3"), "stdin"),
        (("x", "--type", "odd"), "binary"),
        (("x", "--to", "y"), "Leave --to out"),
    ],
)
def test_refused_before_anything_is_connected(cli: Cli, arguments: tuple[str, ...], word: str) -> None:
    ended = cli.run("send", "ws://127.0.0.1:1", *arguments)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert word in ended.stderr


def test_nobody_there(cli: Cli) -> None:
    assert cli.run("send", "ws://127.0.0.1:1", "x").returncode == 3


def test_the_server_leaves_before_the_reply(cli: Cli, server: str) -> None:
    assert cli.run("send", f"{server}/close?code=4001&after=0.2", "x", "--wait", "9").returncode == 4


def test_a_server_that_leaves_in_one_piece_with_its_greeting(cli: Cli) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def greet_and_leave() -> None:
            with server.accept()[0] as line:
                head = line.recv(65_536)
                key = next(one for one in head.split(b"\r\n") if one.lower().startswith(b"sec-websocket-key"))
                answer = accept_key(key.split(b": ")[1].decode())
                line.sendall(
                    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                    b"Sec-WebSocket-Accept: " + answer.encode() + b"\r\n\r\n" + CLOSE_4001
                )
                while line.recv(65_536):
                    pass

        peer = threading.Thread(target=greet_and_leave)
        peer.start()
        ended = cli.run("send", f"ws://127.0.0.1:{server.getsockname()[1]}/", "x", "--wait", "9")
        peer.join(PATIENCE)
    assert ended.returncode == 4
    assert "4001" in ended.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="the masks are POSIX's")
def test_secrets_appear_nowhere(cli: Cli, server: str) -> None:
    ended = cli.run("send", f"{server}/echo?token=canary-1", "x", "--wait", "1", "--token", "canary-2")
    stored = b"".join(path.read_bytes() for path in (cli.folder / "state").rglob("*.rtui"))
    assert ended.returncode == 0
    assert "canary" not in ended.stdout + ended.stderr
    assert stored
    assert b"canary" not in stored
