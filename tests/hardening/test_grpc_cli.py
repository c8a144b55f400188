"""Secrets and hostile text of gRPC on the surfaces: command line, capture, workbench."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from google.rpc import error_details_pb2, status_pb2

from rtui.protocols.grpc import Grpc, Options, Outgoing
from tests.cli.conftest import Cli
from tests.hardening.grpc_script import OK, PROTO, SERVICE, Asked, Server, made, serves
from tests.hardening.peer import Script, listening
from tests.hardening.test_secrets import CANARY, assert_absent, everything
from tests.hardening.test_secrets import ENCODED as PERCENT
from tests.hardening.test_terminal import ATTACKS, CARRIES, Terminal, assert_harmless
from tests.hardening.test_terminal import CANARY as MARK
from tests.protoset import protoset

ENCODED = base64.b64encode(CANARY.encode()).decode()


@pytest.fixture(scope="module")
def schema(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return protoset(PROTO, tmp_path_factory.mktemp("schema") / "calls.protoset")


def parrot(server: Server, asked: Asked) -> None:
    """What was heard, in a message, in metadata, in the status and in its details."""
    said = json.dumps(asked.metadata)
    server.head(asked.stream, ("x-heard", said))
    server.data(asked.stream, made("Note", text=said))
    if asked.method == "Echo":
        server.trailers(asked.stream, *OK, ("x-heard", said))
        return
    server.trailers(asked.stream, *failed(said))


def failed(text: str) -> tuple[tuple[str, str], ...]:
    """Trailers that say `text` wherever they can."""
    status = status_pb2.Status(code=7, message=text)
    status.details.add().Pack(error_details_pb2.ErrorInfo(reason=text, metadata={text: text}))
    details = base64.b64encode(status.SerializeToString()).decode()
    return (("grpc-status", "7"), ("grpc-message", quote(text)), ("grpc-status-details-bin", details))


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with listening(serves(parrot)) as found:
        yield found


WAYS: dict[str, tuple[list[str], dict[str, str]]] = {
    "authorization": (["--metadata", f"authorization: Bearer {CANARY}"], {}),
    "key": (["--metadata", f"x-api-key: {CANARY}"], {}),
    "binary key": (["--metadata", f"x-token-bin: {ENCODED}"], {}),
    "token": (["--token", CANARY], {}),
    "password": (["--username", "user", "--password", CANARY], {}),
    "environment": ([], {"RTUI_TOKEN": CANARY}),
}


@pytest.mark.parametrize("way", WAYS)
def test_a_secret_appears_nowhere(cli: Cli, port: int, schema: Path, way: str) -> None:
    flags, env = WAYS[way]
    run = cli.folder / "run"
    run.mkdir()
    base = ("--protoset", str(schema), "--capture", str(run / "a.rtui"), "--no-reconnect")
    url = f"grpc://127.0.0.1:{port}/{SERVICE}"
    statuses, ended = cli.run_all(
        ["send", f"{url}/Echo", "{}", "--include-sent", *base, *flags],
        ["send", f"{url}/Count", "{}", *base, *flags],
        ["tail", f"{url}/Count", "--events", *base, *flags],
        env=env,
    )
    assert statuses == [0, 1, 1], ended.stderr
    assert "•••" in ended.stdout, ended
    assert ended.stderr.count("PERMISSION_DENIED") == 2, ended
    # A process that knows no secret.
    statuses, shown = cli.run_all(*([*words, str(run / "a.rtui")] for words in (("captures", "show"), ("export",))))
    assert statuses == [0, 0], shown.stderr
    found = everything(cli, *(one.stdout + one.stderr for one in (ended, shown)))
    assert_absent(found)
    assert ENCODED.encode() not in found


def write_session(folder: Path, port: int, schema: Path) -> None:
    """Everything from a variable of the environment."""
    (folder / ".env").write_text(f"PLANT='{CANARY}'\n")
    (folder / "s.toml").write_text(
        f'[session]\nurl = "grpc://127.0.0.1:{port}/"\n[options]\nprotoset = "{schema}"\nreflection = "off"\n'
        'token = "{{ env.PLANT }}"\n[options.metadata]\nx-plain = "{{ env.PLANT }}"\n'
        f'[[messages]]\nname = "hello"\nchannel = "{SERVICE}/Count"\npayload = \'{{"count": 1}}\'\non_connect = true\n'
    )


def test_a_secret_is_not_on_the_screen(cli: Cli, port: int, schema: Path) -> None:
    write_session(cli.folder, port, schema)
    terminal = Terminal(cli, ("--no-capture", "s.toml"), (160, 40))
    try:
        terminal.until("PERMISSION_DENIED")
        for keys in ("\x1b[A", "\r", "1", "2", "3", "4"):
            terminal.press(keys)
            terminal.read(0.3)
    finally:
        terminal.process.terminate()
        shown = terminal.rest()
    assert_absent(shown.encode())


def test_a_secret_is_not_in_the_command_that_is_copied() -> None:
    options = Options(
        token=CANARY, metadata={"x-api-key": CANARY, "x-token-bin": ENCODED, "x-plain": "seen"}, password=CANARY
    )
    outgoing = Outgoing(metadata={"authorization": f"Bearer {CANARY}"})
    text = Grpc.shell(f"grpc://user:{PERCENT}@localhost:1/", options, f"{SERVICE}/Echo", b"{}", outgoing)
    assert "grpcurl" in text
    assert "seen" in text
    assert "$" in text
    assert_absent(text.encode())
    assert ENCODED.rstrip("=") not in text


def evil() -> Script:
    """Hostile text in everything that a server says."""

    def answer(server: Server, asked: Asked) -> None:
        text = "".join(ATTACKS)
        server.head(
            asked.stream, ("x-evil", f"\x9d0;{MARK}\x9c"), ("x-evil-bin", base64.b64encode(b"\x1b]0;x").decode())
        )
        for attack in ATTACKS:
            server.data(asked.stream, made("Note", text=attack, extra={attack: attack}))
        server.trailers(asked.stream, *failed(text), ("x-last", f"\x9b{MARK}m"))

    return serves(answer)


@pytest.mark.parametrize("words", [(), ("tail", "--events", "--format", "text")], ids=["workbench", "tail"])
def test_what_a_server_says_lets_nothing_through(cli: Cli, schema: Path, words: tuple[str, ...]) -> None:
    with listening(evil()) as port:
        url = f"grpc://127.0.0.1:{port}/{SERVICE}/Count"
        (cli.folder / "s.toml").write_text(
            f'[session]\nurl = "{url}"\n[options]\nprotoset = "{schema}"\nreflection = "off"\n', encoding="utf-8"
        )
        terminal = Terminal(cli, (*words, "--no-capture", "--no-reconnect", "s.toml"), (140, 40))
        try:
            terminal.until("PERMISSION_DENIED", MARK)
            for keys in () if words else ("\x1b[A", "\x1b[A", "\r", "1", "2", "3", "4", "5", "6", "\x1b", "T"):
                terminal.press(keys)
                terminal.read(0.3)
            assert_harmless(terminal.text)
        finally:
            terminal.close()
        assert_harmless(terminal.text)
        assert not words or not CARRIES.search(terminal.text)


def test_nothing_on_stderr_but_ours(cli: Cli, schema: Path) -> None:
    """A server that fails each call in another way."""
    with listening(evil()) as port:
        ended = cli.run(
            "send", f"grpc://127.0.0.1:{port}/{SERVICE}/Echo", "{}", "--protoset", str(schema), "--no-capture"
        )
    assert ended.returncode == 1
    assert len(ended.stderr.splitlines()) <= 4, ended.stderr
    assert "\x1b" not in ended.stderr
    assert "Traceback" not in ended.stderr
