from __future__ import annotations

import asyncio
import socket
import time

import pytest

from rtui.core.fault import FaultKind
from tests.hardening.bench import connecting, fault_of
from tests.hardening.peer import Script, answers, frame, hang, listening, refusing, request, sends, switching, upgrade
from tests.waiting import PATIENCE, eventually

ESCAPES = "\x1b\x9b\x07\x00"


def http(status: str, *headers: str, body: bytes = b"") -> bytes:
    return "\r\n".join([f"HTTP/1.1 {status}", *headers, "", ""]).encode("latin-1") + body


def endless(head: bytes, piece: bytes) -> Script:
    def script(sock: socket.socket) -> None:
        request(sock)
        sock.sendall(head)
        while True:
            sock.sendall(piece)

    return script


REFUSALS: list[tuple[str, Script, FaultKind, str, str]] = [
    ("401", answers(http("401 No", "Content-Length: 3", body=b"key")), "auth", "Authentication required", "401"),
    ("403", answers(http("403 No", "Content-Length: 0")), "auth", "Forbidden", "403"),
    ("404", answers(http("404 No", "Content-Length: 0")), "handshake", "Nothing at this path", "404"),
    ("426", answers(http("426 No", "Content-Length: 0")), "handshake", "Another protocol", "426"),
    ("429", answers(http("429 No", "Content-Length: 0")), "busy", "Too many requests", "429"),
    ("503", answers(http("503 No", "Content-Length: 0")), "busy", "Service unavailable", "503"),
    ("cut body", answers(http("403 No", "Content-Length: 9", body=b"hello")), "auth", "Forbidden", "after 5 bytes"),
    ("bad length", answers(http("403 No", "Content-Length: x")), "auth", "Forbidden", "content length"),
    ("coding", answers(http("403 No", "Transfer-Encoding: gzip")), "auth", "Forbidden", "gzip"),
    ("bad header", answers(http("403 No", "X: \x1b[31m")), "auth", "Forbidden", "403"),
    ("http/1.0", answers(b"HTTP/1.0 404 No\r\n\r\nbody"), "handshake", "Nothing at this path", "HTTP/1.0"),
    ("no http", answers(b"SSH-2.0-OpenSSH_9.9\r\n"), "handshake", "Not a WebSocket server", "else than HTTP"),
    ("header flood", endless(http("101 S")[:-2], b"X: y\r\n" * 99), "handshake", "Broken handshake", "128 headers"),
    ("header line", endless(b"HTTP/1.1 101 S\r\nX: ", b"y" * 999), "handshake", "Broken handshake", "8192 bytes"),
    ("status line", endless(b"", b"y" * 999), "handshake", "Refused for safety", "8192 bytes"),
    ("endless body", endless(http("403 No"), b"y" * 999), "auth", "Forbidden", "403"),
    ("endless chunks", endless(http("403 No", "Transfer-Encoding: chunked"), b"1\r\ny\r\n"), "auth", "Forbidden", ""),
    ("nowhere", answers(http("302 F", "Content-Length: 0")), "handshake", "A redirect that cannot", "302"),
    ("ftp", answers(http("302 F", "Location: ftp://x/", "Content-Length: 0")), "handshake", "A redirect that", "ftp"),
    (
        "port",
        answers(http("302 F", "Location: ws://h:99999/", "Content-Length: 0")),
        "handshake",
        "A redirect",
        "99999",
    ),
    ("ipv6", answers(http("302 F", "Location: ws://[::1", "Content-Length: 0")), "handshake", "A redirect", "IPv6"),
    ("loop", answers(http("302 F", "Location: /a", "Content-Length: 0")), "handshake", "Too many redirects", "10"),
    ("twice", answers(http("302 F", "Location: /a", "Location: /b", "Content-Length: 0")), "handshake", "Too many", ""),
    ("extension", sends(headers=("Sec-WebSocket-Extensions: x-no",)), "handshake", "Extension not agreed", "x-no"),
    ("subprotocol", sends(headers=("Sec-WebSocket-Protocol: no",)), "handshake", "Subprotocol not agreed", "no"),
]


@pytest.mark.parametrize(
    ("script", "kind", "title", "cause"), [row[1:] for row in REFUSALS], ids=[r[0] for r in REFUSALS]
)
async def test_a_refusal_is_told_in_words(script: Script, kind: FaultKind, title: str, cause: str) -> None:
    with listening(script) as port:
        fault = await fault_of(f"ws://127.0.0.1:{port}/")
    assert fault.kind == kind, fault
    assert fault.title.startswith(title), fault
    assert cause in fault.cause
    if fault.meta and "body" in fault.meta:
        assert len(fault.meta["body"]) <= 2048


@pytest.mark.parametrize("code", [429, 503])
async def test_retry_after_is_obeyed(code: int) -> None:
    asked: list[float] = []

    def script(sock: socket.socket) -> None:
        request(sock)
        asked.append(time.monotonic())
        sock.sendall(http(f"{code} Wait", "Retry-After: 1", "Retry-After: 9", "Content-Length: 0"))

    from rtui.core.backoff import Policy

    with listening(script) as port:
        policy = Policy(first_delay=0.01, max_delay=0.02)
        async with connecting(f"ws://127.0.0.1:{port}/", policy=policy, retry_first=True):
            await eventually(lambda: len(asked) >= 2)
    assert asked[1] - asked[0] >= 1.0


@pytest.mark.parametrize("code", [401, 403, 404])
async def test_what_will_not_change_is_not_retried(code: int) -> None:
    with listening(answers(http(f"{code} No", "Content-Length: 0"))) as port:
        async with connecting(f"ws://127.0.0.1:{port}/", retry_first=True) as (connection, _):
            await asyncio.wait_for(connection.wait_closed(), PATIENCE)
            assert connection.attempt <= 1


@pytest.mark.parametrize("script", [hang, "drip"])
async def test_an_answer_that_does_not_come_in_time(script: Script | str) -> None:
    def drip(sock: socket.socket) -> None:
        for byte in switching(request(sock)):
            sock.sendall(bytes((byte,)))
            time.sleep(0.1)

    with listening(drip if isinstance(script, str) else script) as port:
        began = time.monotonic()
        fault = await fault_of(f"ws://127.0.0.1:{port}/", timeout=0.5)
        assert time.monotonic() - began < 10, "the drip goes on for longer"
    assert (fault.kind, fault.title) == ("timeout", "No answer in 0.5 s")


async def test_unknown_host_and_refused() -> None:
    with refusing() as port:
        assert (await fault_of(f"ws://127.0.0.1:{port}/")).kind == "refused"
    assert (await fault_of("ws://no-such-host.invalid/")).kind == "unknown-host"


async def test_credentials_do_not_follow_to_another_origin() -> None:
    heads: list[bytes] = []

    def note(sock: socket.socket) -> None:
        heads.append(upgrade(sock))
        sock.sendall(frame(0x8, b"\x03\xe8"))

    secret = {"X-Api-Key": "canary-key", "Authorization": "Bearer canary-auth", "X-Plain": "kept"}
    with listening(note) as other:
        for target, kept in (("/here", True), (f"http://127.0.0.1:{other}/there", False)):
            heads.clear()

            def move(sock: socket.socket, target: str = target) -> None:
                head = request(sock)
                if head.startswith(b"GET /here"):
                    heads.append(head)
                    sock.sendall(switching(head) + frame(0x8, b"\x03\xe8"))
                else:
                    sock.sendall(http("307 Moved", f"Location: {target}?token=canary-query", "Content-Length: 0"))

            with listening(move) as first:
                async with connecting(f"ws://127.0.0.1:{first}/", headers=secret) as (connection, journal):
                    await asyncio.wait_for(connection.wait_closed(), PATIENCE)
                    shown = repr((connection.details, journal.records))
            assert (b"canary-key" in heads[0], b"canary-auth" in heads[0]) == (kept, kept)
            assert b"X-Plain: kept" in heads[0]
            assert "canary-query" not in shown
            assert connection.details["redirects"]


async def test_the_address_that_answers_first_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    loop = asyncio.get_running_loop()

    with socket.create_server(("127.0.0.1", 0), backlog=1) as full, listening(sends(frame(1, b"hi"))) as port:
        # A listener whose queue is full drops what comes, as a firewall does.
        queued = [socket.socket() for _ in range(4)]
        for sock in queued:
            sock.setblocking(False)
            sock.connect_ex(full.getsockname())

        async def two(*_: object, **__: object) -> list[object]:
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", at) for at in (full.getsockname(), ("127.0.0.1", port))]

        monkeypatch.setattr(loop, "getaddrinfo", two)
        async with connecting(f"ws://two.example:{port}/", timeout=10 * PATIENCE) as (connection, _):
            await asyncio.wait_for(connection.wait_open(), PATIENCE)
        for sock in queued:
            sock.close()
