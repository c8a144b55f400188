"""MQTT connections that do not come about: each in one clear sentence."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.conformance.suite import fault_of
from tests.port import reserved
from tests.protocols.mqtt_attempt import PAGE, run, says, told
from tests.protocols.mqtt_peer import Client, packet, peer, sized

# Instead of CONNACK


async def test_a_web_page() -> None:
    fault, retried = await told(says(PAGE))
    assert fault.title == "A web server answers here"
    assert "mqtt+ws://" in fault.hint
    assert not retried


async def test_a_web_server_that_waits_for_the_end_of_a_line() -> None:
    async def script(client: Client) -> None:
        await client.reader.readuntil(b"\r\n\r\n")
        client.write(PAGE)

    fault, _ = await told(script)
    assert fault.title == "A web server answers here"


@pytest.mark.parametrize("garbage", [b"SSH-2.0-OpenSSH_9.2\r\n", b"\x00" * 40, b"\xff\xfe", b"\x1b]52;c;eA==\x07"])
async def test_garbage(garbage: bytes) -> None:
    fault, retried = await told(says(garbage))
    assert fault.title == "Not an MQTT broker"
    assert not retried


async def test_a_broker_that_never_answers_within_the_stated_time() -> None:
    async def script(client: Client) -> None:
        await client.packet()
        await asyncio.Event().wait()

    fault, retried = await told(script, timeout=2.0, within=20)
    assert (fault.kind, fault.title) == ("timeout", "No answer in 2 s")
    assert "CONNACK" in fault.cause
    assert retried


async def test_a_broker_that_hangs_up() -> None:
    fault, retried = await told(says(b""))
    assert (fault.kind, fault.title) == ("lost", "Closed during the handshake")
    assert retried


@pytest.mark.parametrize(
    ("answer", "version", "kind", "words"),
    [
        (b"\x20\x02\x00\x01", "3.1.1", "handshake", "unacceptable protocol version"),
        (b"\x20\x02\x00\x01", "5", "handshake", "unacceptable protocol version"),
        (b"\x20\x02\x00\x02", "3.1.1", "usage", "identifier rejected"),
        (b"\x20\x02\x00\x03", "3.1.1", "busy", "server unavailable"),
        (b"\x20\x02\x00\x04", "3.1.1", "auth", "bad user name or password"),
        (b"\x20\x02\x00\x05", "3.1.1", "auth", "not authorized"),
        (b"\x20\x03\x00\x84\x00", "5", "handshake", "unsupported protocol version (0x84)"),
        (b"\x20\x03\x00\x86\x00", "5", "auth", "bad user name or password (0x86)"),
        (b"\x20\x03\x00\x89\x00", "5", "busy", "server busy (0x89)"),
        (packet(0x20, b"\x00\x87" + b"\x07\x1f" + sized(b"nope")), "5", "auth", "not authorized (0x87): nope"),
        (packet(0x20, b"\x00\x9d" + b"\x07\x1c" + sized(b"else")), "5", "handshake", "server moved (0x9D)"),
    ],
)
async def test_connack_that_refuses(answer: bytes, version: str, kind: str, words: str) -> None:
    fault, retried = await told(says(answer, stay=True), version=version)
    assert fault.kind == kind, fault
    assert words in fault.cause
    assert retried is (kind == "busy")


@pytest.mark.parametrize(("answer", "version"), [(b"\x20\x02\x00\x05", "3.1.1"), (b"\x20\x03\x00\x87\x00", "5")])
@pytest.mark.parametrize(
    ("options", "hint"),
    [({}, "Set username and password"), ({"username": "alice", "password": "x"}, "Check username and password")],
)
async def test_who_was_not_let_in_is_told_whether_a_user_was_named(
    answer: bytes, version: str, options: dict[str, Any], hint: str
) -> None:
    fault, _ = await told(says(answer, stay=True), version=version, **options)
    assert fault.hint.startswith(hint)


@pytest.mark.parametrize("said", [b"not authorized", b"Not authorized."])
async def test_a_reason_string_that_repeats_the_code_is_told_once(said: bytes) -> None:
    text = b"\x1f" + sized(said)
    fault, _ = await told(says(packet(0x20, b"\x00\x87" + bytes([len(text)]) + text), stay=True))
    assert fault.cause == "CONNACK: not authorized (0x87)"


async def test_a_server_that_moved_is_named() -> None:
    fault, _ = await told(says(packet(0x20, b"\x00\x9d" + b"\x07\x1c" + sized(b"else"))))
    assert "else" in fault.hint


@pytest.mark.parametrize("answer", [b"\x20\xff\xff\xff\xff\x01", b"\x20\x00", b"\x20\x05\x00\x00\x09"])
async def test_a_bad_connack(answer: bytes) -> None:
    fault, _ = await told(says(answer))
    assert fault.kind in {"handshake", "lost", "protocol"}
    assert fault.title


# The socket


async def test_a_websocket_that_is_refused_shows_the_answer() -> None:
    async def script(client: Client) -> None:
        await client.reader.readuntil(b"\r\n\r\n")
        client.write(b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 6\r\n\r\nno way")

    fault, retried = await told(script, "mqtt+ws")
    assert fault.kind == "auth"
    assert fault.meta
    assert (fault.meta["status"], fault.meta["body"]) == ("401 Unauthorized", "no way")
    assert not retried


async def test_a_silent_port_that_should_speak_tls() -> None:
    async def script(_: Client) -> None:
        await asyncio.Event().wait()

    fault, _ = await told(script, "mqtts", timeout=2.0, within=20)
    assert (fault.kind, fault.meta) == ("timeout", {"stage": "tls"})


async def test_nobody_listens() -> None:
    with reserved() as port:
        async with run(port) as one:
            assert (await fault_of(one)).kind == "refused"


async def test_through_a_proxy() -> None:
    asked = []

    async def broker(client: Client) -> None:
        await client.greet()
        await client.serve()

    async with peer(broker) as port:

        async def proxy(client: Client) -> None:
            head = await client.reader.readuntil(b"\r\n\r\n")
            asked.append(head.split()[1])
            if b"Authorization: Basic" not in head:
                client.write(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n")
                return
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            client.write(b"HTTP/1.1 200 OK\r\n\r\n")
            try:
                await asyncio.gather(_pump(reader, client.writer), _pump(client.reader, writer))
            finally:
                writer.close()

        async with peer(proxy) as at:
            async with run(port, proxy=f"http://user:pass-word@127.0.0.1:{at}") as one:
                await one.opened()
                assert one.link.details["proxy"] == f"http://127.0.0.1:{at}"
                assert "pass-word" not in repr(one.link.events)
            async with run(port, proxy=f"http://127.0.0.1:{at}") as one:
                fault = await fault_of(one)
                assert "407" in fault.cause
    assert asked == [b"127.0.0.1:%d" % port] * 2


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(4096):
        writer.write(data)
    writer.close()


async def test_a_proxy_that_is_not_there() -> None:
    with reserved() as port:
        async with run(1, proxy=f"socks5h://127.0.0.1:{port}") as one:
            fault = await fault_of(one)
    assert fault.kind == "refused"
    assert f"proxy socks5h://127.0.0.1:{port}" in fault.cause
