from __future__ import annotations

import asyncio
import socket
import struct
import time
import zlib

import pytest

from rtui.core.lifecycle import State
from rtui.core.record import Kind
from tests.hardening.bench import connecting, end_of, fault_of, resident
from tests.hardening.peer import (
    CLOSE,
    PING,
    TEXT,
    Script,
    closing,
    frame,
    linger,
    listening,
    reset,
    sends,
    upgrade,
)
from tests.waiting import PATIENCE, eventually

DEFLATE = "Sec-WebSocket-Extensions: permessage-deflate"
LIMIT = 1_000


def squeezed(size: int) -> bytes:
    press = zlib.compressobj(9, zlib.DEFLATED, -15)
    return frame(TEXT, press.compress(b"x" * size) + press.flush(zlib.Z_SYNC_FLUSH)[:-4], rsv=0x40)


def cut(data: bytes, how: str) -> Script:
    def script(sock: socket.socket) -> None:
        upgrade(sock)
        sock.sendall(data)
        if how == "rst":
            reset(sock)
        elif how == "half-close":
            sock.shutdown(socket.SHUT_WR)
            linger(sock)

    return script


@pytest.mark.parametrize("how", ["rst", "fin", "half-close"])
@pytest.mark.parametrize(("data", "inside"), [(b"", False), (frame(TEXT, b"whole"), False), (b"\x81\x63half", True)])
async def test_a_cut_connection_says_whether_a_message_was_cut(how: str, data: bytes, inside: bool) -> None:
    with listening(cut(data, how)) as port:
        fault = await fault_of(f"ws://127.0.0.1:{port}/")
    assert fault.kind == "lost"
    assert ("middle of a message" in fault.cause) is inside


@pytest.mark.parametrize("code", [*range(1000, 1017), 0, 999, 2999, 3000, 3999, 4000, 4999, 5000, 65535])
async def test_every_close_code_is_told(code: int) -> None:
    def script(sock: socket.socket) -> None:
        upgrade(sock)
        sock.sendall(closing(code, b"why"))

    with listening(script) as port:
        connection, journal = await end_of(f"ws://127.0.0.1:{port}/")
    closed = connection.closed
    assert closed is not None
    if code == 1000:
        assert (closed.by, closed.code, closed.fault) == ("them", 1000, None)
    elif code in {1004, 1005, 1006, 1015} or code < 1000 or 1016 <= code < 3000 or code >= 5000:
        assert closed.fault is not None
        assert (closed.fault.kind, closed.fault.title) == ("protocol", "Illegal frame")
    else:
        assert (closed.by, closed.code, closed.reason) == ("them", code, "why")
        assert closed.fault is not None
        assert str(code) in closed.fault.cause
    assert len(journal.payloads(Kind.CLOSE)) == 1


@pytest.mark.parametrize("way", ["whole", "fragments", "compressed"])
@pytest.mark.parametrize("size", [LIMIT - 1, LIMIT, LIMIT + 1])
async def test_the_largest_message(way: str, size: int) -> None:
    data = {
        "whole": frame(TEXT, b"x" * size),
        "fragments": frame(TEXT, b"x" * 400, fin=False) + frame(0, b"x" * (size - 400)),
        "compressed": squeezed(size),
    }[way]
    headers = (DEFLATE,) if way == "compressed" else ()
    with listening(sends(data, closing(1000), headers=headers)) as port:
        connection, journal = await end_of(f"ws://127.0.0.1:{port}/", max_size=LIMIT, close_timeout=0.1)
    if size <= LIMIT:
        assert journal.payloads() == [b"x" * size]
        assert connection.fault is None
    else:
        assert journal.payloads() == []
        assert connection.fault is not None
        assert (connection.fault.kind, connection.fault.title) == ("limit", "Message too big")
        assert "1,000" in connection.fault.cause
        assert "max_size" in connection.fault.hint


@pytest.mark.parametrize(("count", "passes"), [(4095, True), (4096, True), (4097, False)])
async def test_the_most_fragments(count: int, passes: bool) -> None:
    parts = [frame(TEXT, b"a", fin=False), *[frame(0, b"b", fin=False)] * (count - 2), frame(0, b"c")]
    with listening(sends(*parts, closing(1000))) as port:
        connection, journal = await end_of(f"ws://127.0.0.1:{port}/", close_timeout=0.1)
    assert [len(payload) for payload in journal.payloads()] == ([count] if passes else [])
    assert (connection.fault is None) is passes


@pytest.mark.parametrize("kind", ["message", "frame", "bomb"])
async def test_what_never_ends_stays_small(kind: str) -> None:
    def script(sock: socket.socket) -> None:
        if kind == "bomb":
            upgrade(sock, DEFLATE)
            sock.sendall(squeezed(1 << 28))
            linger(sock)
            return
        upgrade(sock)
        sock.sendall(frame(TEXT, b"x", fin=False) if kind == "message" else b"\x81\x7f" + struct.pack("!Q", 1 << 62))
        while True:
            sock.sendall(frame(0, b"y" * 60_000, fin=False) if kind == "message" else b"y" * 60_000)

    before = resident()
    with listening(script) as port:
        fault = await fault_of(f"ws://127.0.0.1:{port}/", max_size=4 << 20, close_timeout=0.2)
    assert fault.kind == "limit"
    assert "4,194,304" in fault.cause
    assert resident() - before < 64 << 20


async def test_a_flood_of_pings_from_a_peer_that_does_not_read_is_bounded() -> None:
    def script(sock: socket.socket) -> None:
        upgrade(sock)
        data = frame(PING, b"p" * 125) * 1000
        while True:
            sock.sendall(data)

    with listening(script) as port:
        async with connecting(f"ws://127.0.0.1:{port}/") as (connection, _):
            await connection.wait_open()
            await asyncio.sleep(0.5)
            before = resident()
            await asyncio.sleep(1.0)
            assert resident() - before < 8 << 20


async def test_a_slow_drip_arrives() -> None:
    def script(sock: socket.socket) -> None:
        upgrade(sock)
        for byte in frame(TEXT, "trickle é".encode()) + closing(1000):
            sock.sendall(bytes((byte,)))
            time.sleep(0.01)

    with listening(script) as port:
        _, journal = await end_of(f"ws://127.0.0.1:{port}/")
    assert journal.payloads() == ["trickle é".encode()]


ILLEGAL = {
    "opcode": b"\x83\x02hi",
    "reserved": b"\xb1\x02hi",
    "masked": b"\x81\x82\0\0\0\0hi",
    "continuation": frame(0, b"hi"),
    "mixed": frame(TEXT, b"a", fin=False) + frame(TEXT, b"b"),
    "long ping": b"\x89\x7e\x00\x80" + bytes(128),
    "cut ping": b"\x09\x02hi",
    "short close": b"\x88\x01\x03",
    "close text": frame(CLOSE, b"\x0f\xa0\xff\xfe"),
    "text": frame(TEXT, b"caf\xe9"),
    "deflate": b"\xc1\x04\xff\xff\xff\xff",
    "length": b"\x81\x7f" + b"\xff" * 8,
    "noise": bytes(range(255, 0, -1)) * 40,
}


@pytest.mark.parametrize("data", ILLEGAL.values(), ids=ILLEGAL)
async def test_illegal_bytes_are_named_after_what_was_legal(data: bytes) -> None:
    def script(sock: socket.socket) -> None:
        upgrade(sock)
        sock.sendall(frame(TEXT, b"legal") + data)

    with listening(script) as port:
        connection, journal = await end_of(f"ws://127.0.0.1:{port}/", close_timeout=0.2)
    assert journal.payloads()[0] == b"legal"
    assert connection.fault is not None
    assert connection.fault.kind in {"protocol", "limit"}
    assert connection.fault.cause


def deaf(sock: socket.socket) -> None:
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    upgrade(sock)
    time.sleep(10 * PATIENCE)


@pytest.mark.parametrize("how", ["close", "break", "ping", "cancel"])
async def test_a_peer_that_does_not_read_holds_up_nothing_but_messages(how: str) -> None:
    with listening(deaf) as port:
        async with connecting(f"ws://127.0.0.1:{port}/") as (connection, journal):
            await connection.wait_open()
            for _ in range(20):
                connection.send(b"x" * 1_000_000)
            await asyncio.sleep(0.1)
            began = time.monotonic()
            match how:
                case "close":
                    connection.close()
                    await asyncio.wait_for(connection.wait_closed(), PATIENCE)
                case "break":
                    connection.sabotage("drop")
                    await asyncio.wait_for(connection.wait_closed(), PATIENCE)
                case "ping":
                    connection.poke(b"hello")
                    await eventually(lambda: b"hello" in journal.payloads(Kind.PING))
                case "cancel":
                    connection.reconnect()
                    await eventually(lambda: connection.opened == 2)
            assert time.monotonic() - began < 15.0, "before the keep-alive gives the peer up"
            if how in {"close", "break"}:
                assert connection.state is State.CLOSED


async def test_messages_before_a_goodbye_are_sent_first(server: str) -> None:
    async with connecting(f"{server}/echo") as (connection, journal):
        await connection.wait_open()
        for number in range(500):
            connection.send(b"%d" % number)
        connection.close()
        await asyncio.wait_for(connection.wait_closed(), PATIENCE)
        sent = [record.payload for record in journal.records if record.kind == Kind.MESSAGE and record.direction == 2]
    assert sent == [b"%d" % number for number in range(500)]


async def test_a_peer_that_stopped_reading_is_found_out_by_the_keep_alive() -> None:
    with listening(deaf) as port:
        async with connecting(f"ws://127.0.0.1:{port}/", ping_interval=0.3, ping_timeout=2.0) as (connection, _):
            await connection.wait_open()
            for _ in range(20):
                connection.send(b"x" * 1_000_000)
            await eventually(lambda: connection.stalled)
            await asyncio.wait_for(connection.wait_closed(), PATIENCE)
            assert connection.fault is not None
            assert connection.fault.title == "The server stopped answering"
