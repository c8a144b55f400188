"""What only WebSocket has: frames, codes, pings, options, and every mistake in its own words."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import trustme

from rtui.core.command import Break, Hangup, Poke, Send
from rtui.core.event import Closed, Measured, Sent, Stalled
from rtui.core.fault import Fault
from rtui.core.record import Kind
from rtui.demo import websocket as demo
from rtui.demo.websocket_scene import BAD_FRAMES
from rtui.protocols.websocket import Options, Outgoing, WebSocket
from rtui.protocols.wire import websocket_session
from tests.certificate import server_context
from tests.conformance.recorder import Recorder, Run
from tests.conformance.suite import expect_fault, fault_of
from tests.conformance.test_websocket import SUBJECT
from tests.port import reserved
from tests.waiting import at_rest


@pytest.fixture
async def url() -> AsyncIterator[str]:
    server = await demo.serve()
    yield server.url
    await server.close()


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


def run(url: str, **options: Any) -> Run:
    return Run(WebSocket(), Recorder(url, Options(**{"proxy": "", **options})))


Answer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Any]


@asynccontextmanager
async def answering(answer: bytes | Answer, context: ssl.SSLContext | None = None) -> AsyncIterator[str]:
    """A server that reads a request's head, writes `answer` and closes."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if isinstance(answer, bytes):
                await reader.readuntil(b"\r\n\r\n")
                writer.write(answer)
                await writer.drain()
            else:
                await answer(reader, writer)
        except (OSError, EOFError, asyncio.LimitOverrunError):
            pass
        finally:
            writer.transport.abort() if answer == b"" else writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    try:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        await server.wait_closed()


# Talking


async def test_ping_has_its_round_trip_and_names_its_command(url: str) -> None:
    async with run(f"{url}/echo") as attempt:
        await attempt.opened()
        attempt.ask(Poke(id=5, payload=b"knock"))
        await attempt.until(lambda: attempt.link.received)
        sent, pong = attempt.link.of(Sent)[0], attempt.link.received[0]
        assert (sent.command, sent.kind, sent.payload) == (5, Kind.PING, b"knock")
        assert (pong.replies_to, pong.kind, pong.payload) == (5, Kind.PING, b"knock")
        assert attempt.link.of(Measured)[0].rtt > 0


async def test_a_long_ping_is_refused(url: str) -> None:
    async with run(f"{url}/echo") as attempt:
        await attempt.opened()
        attempt.ask(Poke(id=1, payload=bytes(126)))
        await attempt.until(attempt.notices)
        assert "125" in attempt.notices()[0].text


async def test_fragments_and_types(url: str) -> None:
    async with run(f"{url}/echo") as attempt:
        await attempt.opened()
        attempt.ask(Send(id=1, payload=b"0123456789", outgoing=Outgoing(fragment=3)))
        attempt.ask(Send(id=2, payload=b"text sent as binary", outgoing=Outgoing(type="binary", fragment=100)))
        await attempt.until(lambda: len(attempt.link.received) == 2)
        assert attempt.sent()[0].meta == {"fragments": 4}
        assert [event.payload for event in attempt.link.received] == [b"0123456789", b"text sent as binary"]
        assert [event.meta for event in attempt.link.received] == [None, {"type": "binary"}]
        assert [event.replies_to for event in attempt.link.received] == [1, 2]


async def test_json_rpc_answers_name_their_call(url: str) -> None:
    async with run(f"{url}/jsonrpc") as attempt:
        await attempt.opened()
        attempt.ask(Send(id=1, payload=b'{"jsonrpc":"2.0","id":"slow","method":"sleep","params":[60]}'))
        attempt.ask(Send(id=2, payload=b'{"jsonrpc":"2.0","id":"fast","method":"add","params":[1,2]}'))
        await attempt.until(lambda: attempt.link.received)
        attempt.ask(Send(id=3, payload=b'{"jsonrpc":"2.0","id":"last","method":"sleep","params":[0]}'))
        await attempt.until(lambda: len(attempt.link.received) == 2)
        assert [event.replies_to for event in attempt.link.received] == [2, 3]


async def test_opened_tells_what_was_negotiated(url: str) -> None:
    async with run(f"{url}/redirect?to=/echo", subprotocols=["v2", "v1"], compression=False) as attempt:
        await attempt.opened()
        details = attempt.link.details
        assert details["subprotocol"] == "v2"
        assert details["compression"] == "none"
        assert details["status"].startswith("101")
        assert details["redirects"] == [f"{url}/echo"]
        assert set(details["timings"]) == {"dns", "tcp", "handshake"}
        assert details["remote"] in url


async def test_an_unaccepted_subprotocol_is_noticed() -> None:
    from websockets.asyncio.server import serve

    async with serve(lambda connection: connection.wait_closed(), "127.0.0.1", 0) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        async with run(f"ws://127.0.0.1:{port}", subprotocols=["v1"]) as attempt:
            await attempt.until(attempt.notices)
            assert "v1" in attempt.notices()[0].text


# Closing


@pytest.mark.parametrize("code", [1000, 1001, 1008, 1011, 1013, 3000, 4999])
async def test_the_server_s_close_is_told_in_words(url: str, code: int) -> None:
    async with run(f"{url}/close?code={code}&reason=because") as attempt:
        closed = await attempt.closed()
        assert (closed.by, closed.clean, closed.code, closed.reason) == ("them", True, code, "because")
        if code == 1000:
            assert closed.fault is None
        else:
            assert closed.fault
            assert closed.fault.kind == "closed"
            assert "because" in closed.fault.cause


@pytest.mark.parametrize("code", [None, 1000, 1001, 1011, 3000, 4321])
async def test_hangup_with_a_legal_code(url: str, code: int | None) -> None:
    async with run(f"{url}/echo") as attempt:
        await attempt.opened()
        attempt.ask(Hangup(id=1, code=code, reason="done"))
        assert await attempt.closed() == Closed(by="us", clean=True, code=code or 1000, reason="done")


@pytest.mark.parametrize("code", [0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, -1])
async def test_hangup_with_an_illegal_code_is_refused(url: str, code: int) -> None:
    async with run(f"{url}/echo") as attempt:
        await attempt.opened()
        attempt.ask(Hangup(id=1, code=code))
        attempt.ask(Hangup(id=2, reason="x" * 124))
        attempt.ask(Send(id=3, payload=b"still here"))
        await attempt.until(lambda: attempt.link.payloads)
        assert [notice.command for notice in attempt.notices()] == [1, 2]


async def test_a_peer_that_does_not_say_goodbye_is_left(url: str) -> None:
    async with run(f"{url}/silent", close_timeout=0.2) as attempt:
        await attempt.opened()
        attempt.ask(Hangup(id=1))
        closed = await attempt.closed()
        assert (closed.by, closed.clean) == ("us", False)


# Mistakes of the peer


@pytest.mark.parametrize("kind", BAD_FRAMES)
async def test_an_illegal_frame_names_its_rule(url: str, kind: str) -> None:
    async with run(f"{url}/bad-frame?kind={kind}") as attempt:
        fault = await fault_of(attempt)
        assert (fault.kind, fault.side) == ("protocol", "them")
        assert "RFC " in fault.cause


@pytest.mark.parametrize(("size", "passes"), [(1999, True), (2000, True), (2001, False)])
@pytest.mark.parametrize("compression", [True, False])
async def test_the_size_limit(url: str, size: int, passes: bool, compression: bool) -> None:
    async with run(f"{url}/huge?size={size}", max_size=2000, compression=compression) as attempt:
        if passes:
            await attempt.until(lambda: [len(payload) for payload in attempt.link.payloads] == [size])
            return
        fault = await fault_of(attempt)
        assert fault.kind == "limit"
        assert "2,000" in fault.cause
        assert compression or "2,001" in fault.cause


async def test_a_bomb_is_defused(url: str) -> None:
    async with run(f"{url}/bomb?size=8388608", max_size=1024**2) as attempt:
        assert "inflates" in (await fault_of(attempt)).cause


async def test_too_many_fragments(url: str) -> None:
    async with run(f"{url}/fragments?n=5000") as attempt:
        fault = await fault_of(attempt)
        assert (fault.kind, fault.title) == ("limit", "Message in too many fragments")


async def test_bad_text_closes_with_1007_and_is_shown(url: str) -> None:
    async with run(f"{url}/bad-utf8") as attempt:
        closed = await attempt.closed()
        assert closed.code == 1007
        assert attempt.link.payloads == [b'{"text": "caf\xe9 \xff"}']


async def test_a_dead_peer_is_told_before_it_is_left(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(websocket_session, "STALL_STEP", 0.02)
    async with run(f"{url}/silent", ping_interval=0.05, ping_timeout=1.5) as attempt:
        closed = await attempt.closed()
        assert attempt.link.of(Stalled)[0].text.startswith("no pong for ")
        assert closed.fault
        assert closed.fault.kind == "lost"
        assert "no pong" in closed.fault.cause


# Misbehaviour on purpose


async def test_drop_and_corrupt_and_delay(url: str) -> None:
    async with run(f"{url}/echo") as attempt:
        await attempt.opened()
        attempt.ask(Break(id=1, what="corrupt-next"))
        attempt.ask(Break(id=2, what="delay-next", seconds=0.05))
        attempt.ask(Send(id=3, payload=b"hello"))
        await attempt.until(lambda: attempt.link.payloads)
        assert attempt.link.payloads == [b"hemlo"]
        assert attempt.sent()[0].meta == {"delayed": 0.05, "corrupted": True}
        attempt.ask(Break(id=4, what="drop"))
        closed = await attempt.closed()
        assert closed.fault
        assert (closed.by, closed.clean, closed.fault.kind) == ("us", False, "lost")


async def test_pongs_can_be_held_back_and_pings_logged(url: str) -> None:
    async with run(f"{url}/pings?every=0.02", log_pings=True) as attempt:
        await attempt.until(lambda: any(b'"pong"' in payload for payload in attempt.link.payloads))
        assert any(sent.meta and sent.meta["type"] == "pong" for sent in attempt.sent())
        attempt.ask(Break(id=1, what="stop-pongs"))
        await attempt.until(lambda: any(b"no-pong" in payload for payload in attempt.link.payloads))


async def test_stop_reading_stops_and_resumes(url: str) -> None:
    async with run(f"{url}/burst?rate=1000") as attempt:
        await attempt.until(lambda: attempt.link.payloads)
        attempt.ask(Break(id=1, what="stop-reading"))
        await attempt.until(lambda: len(attempt.notices()) == 1)
        count = await at_rest(lambda: len(attempt.link.payloads))
        attempt.ask(Break(id=2, what="stop-reading", on=False))
        await attempt.until(lambda: len(attempt.link.payloads) > count)


# Options


async def test_headers_cookies_and_authentication_arrive() -> None:
    seen = b""

    async def remember(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal seen
        seen = await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")

    async with answering(remember) as place:
        options = {"headers": {"X-Key": "v"}, "cookies": {"a": "1", "b": "2"}, "origin": "https://o.example"}
        async with run(f"ws://user:pass@{place}/p?api_key=k", token="t0ken", **options) as attempt:
            await attempt.error()
    for line in (b"GET /p?api_key=k ", b"X-Key: v", b"Cookie: a=1; b=2", b"Origin: https://o.example"):
        assert line in seen
    assert seen.count(b"Authorization:") == 1
    assert b"Authorization: Bearer t0ken" in seen


@pytest.mark.parametrize(
    "options",
    [
        {"headers": {"Sec-WebSocket-Key": "x"}},
        {"headers": {"upgrade": "h2c"}},
        {"headers": {"X": "a\r\nY: b"}},
        {"headers": {"bad name": "x"}},
        {"token": "a", "username": "b"},
        {"client_max_window_bits": 3},
        {"group_key": "a b"},
        {"proxy": "gopher://x:1"},
    ],
)
async def test_unusable_options_are_usage_faults(options: dict[str, Any]) -> None:
    fault = await expect_fault(SUBJECT, "ws://127.0.0.1:1/", "usage", **options)
    assert fault.hint


@pytest.mark.parametrize("key", ["ca", "cert"])
async def test_a_missing_certificate_file_names_its_option(key: str) -> None:
    fault = await expect_fault(SUBJECT, "wss://127.0.0.1:1/", "usage", **{key: "/nowhere.pem"})
    assert key in fault.hint


# Handshakes that fail


@pytest.mark.parametrize(
    ("code", "kind", "retried"),
    [
        (400, "handshake", False),
        (401, "auth", False),
        (403, "auth", False),
        (404, "handshake", False),
        (426, "handshake", False),
        (429, "busy", True),
        (500, "handshake", True),
        (503, "busy", True),
    ],
)
async def test_refusals_by_status(url: str, code: int, kind: str, retried: bool) -> None:
    async with run(f"{url}/status?code={code}") as attempt:
        error = await attempt.error()
        fault = attempt.adapter.explain(error)
        assert (fault.kind, attempt.adapter.retryable(error)) == (kind, retried)
        assert fault.meta
        assert str(code) in fault.meta["body"]
        assert fault.retry_after == (3.0 if code in {429, 503} else None)


async def said(answer: bytes) -> Fault:
    async with answering(answer) as place, run(f"ws://{place}/") as attempt:
        return attempt.adapter.explain(await attempt.error())


SWITCH = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"


@pytest.mark.parametrize(
    ("answer", "title"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", "Not a WebSocket server"),
        (b"SSH-2.0-OpenSSH_9.6\r\n", "Not a WebSocket server"),
        (SWITCH + b"Sec-WebSocket-Accept: AAAA\r\n\r\n", "Wrong Sec-WebSocket-Accept"),
        (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n", "Not a WebSocket server"),
        (b"HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n", "Too many redirects"),
        (b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n", "A redirect that cannot be followed"),
        (
            b"HTTP/1.1 400 Bad Request\r\nContent-Length: 45\r\n\r\nThe plain HTTP request was sent to HTTPS port",
            "This port wants TLS",
        ),
        (b"", "Closed during the handshake"),
    ],
)
async def test_what_is_no_websocket_is_named(answer: bytes, title: str) -> None:
    assert (await said(answer)).title == title


async def test_plain_url_to_a_tls_port(authority: trustme.CA) -> None:
    server = await demo.serve(ssl=server_context(authority))
    try:
        fault = await expect_fault(SUBJECT, server.url.replace("wss", "ws"), "tls")
        assert fault.hint == "Use wss://"
    finally:
        await server.close()


async def test_tls_url_to_a_plain_port(url: str) -> None:
    fault = await expect_fault(SUBJECT, url.replace("ws://", "wss://"), "tls")
    assert fault.hint == "Use ws://"


async def test_certificates_fail_each_in_its_own_words(authority: trustme.CA, tmp_path: Path) -> None:
    from datetime import UTC, datetime

    ca = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(ca))
    expired = authority.issue_cert(
        "127.0.0.1", not_before=datetime(2001, 1, 1, tzinfo=UTC), not_after=datetime(2002, 1, 1, tzinfo=UTC)
    )
    other = authority.issue_cert("other.example")
    for certificate, title in ((expired, "The certificate is expired"), (other, "The certificate is for another host")):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        certificate.configure_cert(context)
        async with answering(b"x", context) as place:
            assert (await expect_fault(SUBJECT, f"wss://{place}/", "tls", ca=str(ca))).title == title


async def test_a_redirect_to_tls_is_followed(authority: trustme.CA, tmp_path: Path) -> None:
    ca = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(ca))
    server = await demo.serve(ssl=server_context(authority))
    head = f"HTTP/1.1 302 Found\r\nLocation: {server.url}/echo\r\nContent-Length: 0\r\n\r\n"
    try:
        async with answering(head.encode()) as place, run(f"ws://{place}/", ca=str(ca)) as attempt:
            await attempt.opened()
            assert attempt.link.details["tls"].startswith("TLS 1.")
            assert attempt.link.details["redirects"] == [f"{server.url}/echo"]
    finally:
        await server.close()


async def test_a_client_certificate_that_is_wanted(authority: trustme.CA, tmp_path: Path) -> None:
    ca, cert = tmp_path / "ca.pem", tmp_path / "client.pem"
    authority.cert_pem.write_to_path(str(ca))
    authority.issue_cert("client").private_key_and_cert_chain_pem.write_to_path(str(cert))
    context = server_context(authority)
    context.verify_mode = ssl.CERT_REQUIRED
    authority.configure_trust(context)
    server = await demo.serve(ssl=context)
    try:
        fault = await expect_fault(SUBJECT, server.url, "tls", ca=str(ca))
        assert "client certificate" in fault.hint
        async with run(f"{server.url}/echo", ca=str(ca), cert=str(cert)) as attempt:
            await attempt.opened()
            assert attempt.link.details["tls"].startswith("TLS 1.")
    finally:
        await server.close()


@pytest.mark.parametrize(
    ("alert", "title"),
    [
        ("TLSV13_ALERT_CERTIFICATE_REQUIRED", "The server wants a client certificate"),
        ("TLSV1_ALERT_UNKNOWN_CA", "The server does not trust our client certificate"),
        ("TLSV1_ALERT_PROTOCOL_VERSION", "No TLS version in common"),
        ("WRONG_VERSION_NUMBER", "This port does not speak TLS"),
        ("SOMETHING_NEW", "TLS handshake failed"),
    ],
)
def test_tls_alerts_have_their_words(alert: str, title: str) -> None:
    from rtui.protocols.wire.tls_fault import explain_tls
    from rtui.protocols.wire.trip import Peer

    peer = Peer(host="host", port=1, scheme="wss", secure=True)
    assert explain_tls(ssl.SSLError(1, f"[SSL: {alert}] words"), peer).title == title


async def test_proxies(url: str) -> None:
    with reserved() as port:
        fault = await expect_fault(SUBJECT, url, "refused", proxy=f"http://127.0.0.1:{port}")
    assert fault.title == "The proxy refused the connection"
    async with answering(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n") as place:
        fault = await expect_fault(SUBJECT, url, "auth", proxy=f"http://user:s3cret@{place}")
        assert "s3cret" not in repr(fault)


async def test_through_an_http_proxy(url: str) -> None:
    asked = b""

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal asked
        asked = await reader.readuntil(b"\r\n\r\n")
        host, port = asked.split()[1].decode().rsplit(":", 1)
        far_reader, far_writer = await asyncio.open_connection(host, int(port))
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(pump(reader, far_writer))
                group.create_task(pump(far_reader, writer))
        finally:
            far_writer.close()

    async with answering(relay) as place, run(f"{url}/echo", proxy=f"http://user:s3cret@{place}") as attempt:
        await attempt.opened()
        assert attempt.link.details["proxy"] == f"http://{place}"
        assert set(attempt.link.details["timings"]) == {"proxy", "handshake"}
        attempt.ask(Send(id=1, payload=b"around"))
        await attempt.until(lambda: attempt.link.payloads == [b"around"])
        attempt.ask(Hangup(id=2))
        await attempt.closed()
    assert asked.startswith(b"CONNECT 127.0.0.1:")
    assert b"Proxy-Authorization: Basic " in asked


async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
    writer.write_eof()
