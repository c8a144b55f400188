"""Secrets of requests, against a server that says everything again that it is told."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote_plus

import pytest

from tests.cli.conftest import Cli
from tests.hardening.peer import listening, request
from tests.hardening.script import CHUNKED, EVENTS, JSON, LAST, chunk, head, header, whole
from tests.hardening.test_secrets import CANARY, ENCODED, assert_absent, everything
from tests.hardening.test_terminal import Terminal

PROTOCOLS = ("sse", "poll", "longpoll")


def parrot(sock: socket.socket) -> None:
    """What was asked, in the body, in headers, and where it redirects to; a refusal and a cut if the path says so."""
    while True:
        asked = request(sock)
        body = asked.partition(b"\r\n\r\n")[2]
        while len(body) < int(header(asked, "content-length") or 0):
            body += sock.recv(65_536)
        place = asked.split(b" ")[1].decode()
        sock.sendall(answer(asked, body, place))
        if place.startswith("/cut"):
            return


def answer(asked: bytes, body: bytes, place: str) -> bytes:
    said = json.dumps({"heard": asked.decode() + body.decode(), "place": unquote_plus(place)})
    again = (f"X-Heard: {place}", f"Set-Cookie: sid={CANARY}; Path=/", f"Link: <{place}>")
    event = chunk(f"data: {said}\nid: {place}\n\n".encode())
    if place.startswith("/moved"):
        return whole(b"", f"Location: {place[6:]}", *again, status="302 Found")
    if place.startswith("/no"):
        return whole(said.encode(), JSON, *again, status="403 Forbidden")
    if place.startswith("/cut"):
        return head(EVENTS, CHUNKED, *again) + event[:-1]
    if "event-stream" in header(asked, "accept"):
        return head(EVENTS, CHUNKED, *again) + event + LAST
    return whole(said.encode(), JSON, *again)


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with listening(parrot) as found:
        yield found


WAYS: dict[str, tuple[str, str, list[str], dict[str, str]]] = {
    "userinfo": (f"user:{ENCODED}@", "", [], {}),
    "query in the URL": ("", f"?access_token={ENCODED}&page=1", [], {}),
    "query": ("", "", ["--query", f"api_key: {CANARY}"], {}),
    "header": ("", "", ["--header", f"Authorization: Bearer {CANARY}"], {}),
    "key header": ("", "", ["--header", f"X-Api-Key: {CANARY}"], {}),
    "cookie": ("", "", ["--cookie", f"sid: {CANARY}"], {}),
    "token": ("", "", ["--token", CANARY], {}),
    "password": ("", "", ["--username", "user", "--password", CANARY], {}),
    "environment": ("", "", [], {"RTUI_TOKEN": CANARY}),
}


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("way", WAYS)
def test_a_secret_appears_nowhere(cli: Cli, port: int, way: str, protocol: str) -> None:
    userinfo, query, flags, env = WAYS[way]
    run = cli.folder / "run"
    run.mkdir()
    common = (*flags, "--capture", str(run / "a.rtui"), "--no-reconnect", "--events")

    def tail(path: str, *more: str) -> list[str]:
        return ["tail", f"{protocol}+http://{userinfo}127.0.0.1:{port}{path}{query}", *common, *more]

    once = ("--count", "1")
    tails = (tail("/all", *once), tail("/moved/all", *once), tail("/no"), tail("/cut"))
    statuses, heard = cli.run_all(*tails, env=env)
    assert statuses[:2] == [0, 0], heard.stderr
    assert set(statuses[2:]) <= {3, 4}, heard.stderr
    assert "•••" in heard.stdout
    # A process that knows no secret.
    statuses, shown = cli.run_all(*([*words, str(run / "a.rtui")] for words in (("captures", "show"), ("export",))))
    assert statuses == [0, 0], shown.stderr
    assert_absent(everything(cli, *(one.stdout + one.stderr for one in (heard, shown))))


def write_session(folder: Path, url: str) -> None:
    """Everything from a variable of the environment."""
    secret = "{{ env.PLANT }}"
    (folder / ".env").write_text(f"PLANT='{CANARY}'\n")
    (folder / "s.toml").write_text(
        f'[session]\nurl = "{url}"\n[options]\nmethod = "POST"\ndata = \'{{"password": "{secret}"}}\'\n'
        f'token = "{secret}"\n[options.query]\nplain = "{secret}"\n[options.cookies]\nsid = "{secret}"\n'
        f'[options.headers]\nX-Plain = "{secret}"\n'
    )


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_secret_of_the_environment_appears_nowhere(cli: Cli, port: int, protocol: str) -> None:
    run = cli.folder / "run"
    run.mkdir()
    write_session(cli.folder, f"{protocol}+http://127.0.0.1:{port}/all")
    ended = cli.run("tail", "s.toml", "--events", "--count", "1", "--no-reconnect", "--capture", str(run / "a.rtui"))
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.count("•••") >= 5
    shown = cli.run("sessions", "show", "s.toml")
    assert_absent(everything(cli, ended.stdout, ended.stderr, shown.stdout, shown.stderr))


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_secret_is_not_on_the_screen(cli: Cli, port: int, protocol: str) -> None:
    write_session(cli.folder, f"{protocol}+http://127.0.0.1:{port}/all")
    terminal = Terminal(cli, ("--no-capture", "s.toml"), (160, 40))
    try:
        terminal.until("heard", "•••")
    finally:
        terminal.process.terminate()
        shown = terminal.rest()
    assert_absent(shown.encode())


def test_a_body_that_cannot_be_read_is_told_without_its_secret(cli: Cli, port: int) -> None:
    (cli.folder / ".env").write_text(f"PLANT='{CANARY}'\n")
    (cli.folder / "s.toml").write_text(
        f'[session]\nurl = "sse+http://127.0.0.1:{port}/"\n[options]\ndata = "@{{{{ env.PLANT }}}}"\n'
    )
    ended = cli.run("tail", "s.toml", "--no-reconnect", "--no-capture")
    assert ended.returncode in {2, 3}
    assert "unexpected" not in ended.stderr.lower()
    assert_absent((ended.stdout + ended.stderr).encode())
