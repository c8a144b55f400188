"""gRPC servers that lie, flood, never end or break off: one call suffers, or the connection, never the program."""

from __future__ import annotations

import asyncio
import gc
import json
import socket
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from rtui.core.record import Kind
from rtui.protocols.grpc import Subscription
from tests.hardening.bench import connecting, resident, residue
from tests.hardening.grpc_bench import LIMIT, MIB, QUICK, Bench, bench, first_then_echo, play
from tests.hardening.grpc_script import (
    CONTINUATION,
    DATA,
    HEADERS,
    OK,
    PING,
    SERVICE,
    SETTINGS,
    Asked,
    Field,
    Server,
    bomb,
    frame,
    made,
    prefixed,
    serves,
)
from tests.hardening.peer import Script, linger, listening, reset
from tests.waiting import eventually, lag

# Sizes


@pytest.mark.parametrize("size", [LIMIT - 1, LIMIT, LIMIT + 1])
@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
async def test_the_largest_message(schema: dict[str, Any], size: int, packed: bool) -> None:
    message = made("Note", text="x" * (size - 3))
    assert len(message) == size + 5
    head: tuple[Field, ...] = ()
    if packed:
        import gzip

        message, head = prefixed(gzip.compress(message[5:]), flag=1), (("grpc-encoding", "gzip"),)
    async with bench(play(message, head=head), schema, max_message=LIMIT) as one:
        end = await one.end(one.send("Count"))
        if size <= LIMIT:
            assert end["status"] == "OK"
            assert [len(json.loads(text)["text"]) for text in one.payloads()] == [size - 3]
        else:
            assert end["status"] == "RESOURCE_EXHAUSTED"
            assert str(LIMIT) in json.dumps(end).replace(",", "")
            assert one.payloads() == []
        await one.alive()


ENDLESS = {
    "length of 4 GiB": lambda server, asked: flood(
        server, asked, prefixed(b"x" * 60_000, length=2**32 - 1), b"x" * 60_000
    ),
    "a bomb": lambda server, asked: flood(server, asked, bomb(512 * MIB), b""),
    "a bomb again and again": lambda server, asked: flood(server, asked, b"", bomb(64 * MIB)),
}


def flood(server: Server, asked: Asked, first: bytes, again: bytes) -> None:
    server.head(asked.stream, ("grpc-encoding", "gzip"))
    server.data(asked.stream, first)
    for _ in range(200):
        server.data(asked.stream, again)


@pytest.mark.parametrize("endless", ENDLESS.values(), ids=ENDLESS)
async def test_what_is_too_large_stays_small(schema: dict[str, Any], endless: Callable[[Server, Asked], None]) -> None:
    async with bench(first_then_echo(endless), schema, max_message=4 * MIB) as one:
        before = resident()
        end = await one.end(one.send("Count"))
        assert end["status"] == "RESOURCE_EXHAUSTED"
        assert "max_message" in json.dumps(end)
        assert resident() - before < 64 * MIB


async def test_a_message_that_never_ends_is_bounded_by_the_limit(schema: dict[str, Any]) -> None:
    """Within the limit by its length; then drop by drop, and nothing more. A cancel frees it."""
    async with bench(play(prefixed(b"x" * 100_000, length=3 * MIB), last=None), schema, max_message=4 * MIB) as one:
        command = one.send("Count")
        await eventually(lambda: one.connection.outcome(command) == "sent")
        one.connection.cancel()
        assert (await one.end(command))["status"] == "CANCELLED"
        await one.alive()


def endlessly(data: Callable[[int], bytes]) -> Script:
    """Without heed of windows, until the client leaves; the argument is the stream of the request."""

    def answer(server: Server, asked: Asked) -> None:
        server.head(asked.stream)
        block = data(asked.stream)
        block *= max(1, 60_000 // len(block))
        while True:
            server.raw(block)

    return serves(answer)


CHATTER = {
    "empty DATA": lambda stream: frame(DATA, 0, stream),
    "pings": lambda _: frame(PING, 0, 0, b"12345678"),
    "settings": lambda _: frame(SETTINGS, 0, 0, b"\0\4\0\1\0\0"),
    "unknown frames": lambda stream: frame(0xBE, 0xEF, stream, b"x" * 1000),
    "empty padded DATA": lambda stream: frame(DATA, 8, stream, b"\x05" + bytes(5)),
    "DATA of nobody": lambda _: frame(DATA, 0, 77, b"x" * 1000),
    "continuations": lambda stream: frame(HEADERS, 0, stream, b"") + frame(CONTINUATION, 0, stream, b"\0\1a\1b") * 2000,
    "priorities": lambda stream: frame(2, 0, stream, b"\0\0\0\0\x10"),
    "window updates": lambda _: frame(8, 0, 0, b"\0\0\0\1"),
}


@pytest.mark.parametrize("chatter", CHATTER.values(), ids=CHATTER)
async def test_frames_that_say_nothing_cost_no_memory(schema: dict[str, Any], chatter: Callable[[int], bytes]) -> None:
    """And the loop goes on. Some of it ends the connection, which is right too."""
    async with bench(endlessly(chatter), schema) as one:
        one.send("Count")
        await asyncio.sleep(0.2)
        before = resident()
        waits = [await lag() for _ in range(30)]
        assert sorted(waits)[len(waits) // 2] < 0.15
        assert resident() - before < 24 * MIB
        assert len(one.journal.records) < 20


async def test_messages_without_heed_of_windows_pile_up_nowhere(schema: dict[str, Any]) -> None:
    """A peer that breaks the rules of RFC 9113 §5.2 is stopped, or held back by the socket."""
    block = made("Note", text="x" * 1000) * 14
    async with bench(endlessly(lambda stream: frame(DATA, 0, stream, block)), schema) as one:
        one.send("Count")
        await eventually(one.rows)
        before = resident()
        until = time.monotonic() + 2
        while time.monotonic() < until:
            await asyncio.sleep(0.02)
            del one.journal.records[:]
        assert resident() - before < 48 * MIB


async def test_a_lawless_peer_is_stopped_while_the_capture_lags(schema: dict[str, Any]) -> None:
    stopped = threading.Event()
    block = made("Note", text="x" * 1000) * 14

    def answer(server: Server, asked: Asked) -> None:
        server.head(asked.stream)
        try:
            while True:
                server.raw(frame(DATA, 0, asked.stream, block))
        finally:
            stopped.set()

    async with bench(serves(answer), schema) as one:
        one.journal.brakes.append(lambda: True)
        before = resident()
        one.send("Count")
        await eventually(stopped.is_set)
        assert resident() - before < 32 * MIB
        one.journal.brakes.clear()
        await one.connection.wait_closed()
        assert one.connection.fault is not None
        assert one.connection.fault.side == "them"


async def test_bytes_one_by_one_take_the_room_of_bytes(schema: dict[str, Any]) -> None:
    """Most of a window in frames of one byte, while nobody reads."""
    sent = threading.Event()

    def answer(server: Server, asked: Asked) -> None:
        server.head(asked.stream)
        message = prefixed(b"", length=1_500_000)
        server.raw(b"".join(frame(DATA, 0, asked.stream, message[at : at + 1]) for at in range(len(message))))
        for _ in range(100):
            server.raw(frame(DATA, 0, asked.stream, b"x") * 15_000)
        sent.set()

    async with bench(serves(answer), schema) as one:
        one.journal.brakes.append(lambda: True)
        before = resident()
        one.send("Count")
        await eventually(sent.is_set)
        assert resident() - before < 24 * MIB
        one.journal.brakes.clear()
        one.connection.cancel()
        await eventually(lambda: one.rows(Kind.ERROR))


# Ends


def breaks(how: str, after: int, heard: list[str]) -> Script:
    """`after` messages to a stream, then an end of the kind `how`."""

    def answer(server: Server, asked: Asked) -> None:
        heard.append(asked.method)
        server.head(asked.stream)
        for number in range(after):
            server.data(asked.stream, made("Note", bigNumber=len(heard) * 100 + number))
        server.data(asked.stream, made("Note", text="cut")[:-1])
        match how:
            case "rst":
                reset(server.sock)
            case "goaway":
                server.h2.close_connection(11, b"calm")
                server.flush()
                server.sock.shutdown(socket.SHUT_WR)
                linger(server.sock)
            case _:
                server.sock.shutdown(socket.SHUT_RDWR)

    return serves(answer)


@pytest.mark.parametrize("how", ["fin", "rst", "goaway"])
async def test_fifty_restarts_lose_nothing_and_leave_nothing_behind(schema: dict[str, Any], how: str) -> None:
    heard: list[str] = []
    before, memory = residue(), 0
    with listening(breaks(how, 2, heard)) as port:
        async with connecting(f"grpc://127.0.0.1:{port}", policy=QUICK, **schema) as (connection, journal):
            await connection.wait_open()
            connection.subscribe(f"{SERVICE}/Count", Subscription(data='{"count":2}'))
            for round_ in range(1, 51):
                await eventually(partial(lambda wanted: len(heard) >= wanted, round_))
                if round_ == 10:
                    memory = resident()
            await eventually(lambda: len(Bench(connection, journal).payloads()) >= 100)
            payloads = Bench(connection, journal).payloads()[:100]
    numbers = [int(json.loads(payload)["bigNumber"]) for payload in payloads]
    assert numbers == [round_ * 100 + number for round_ in range(1, 51) for number in (0, 1)]
    assert set(heard) == {"Count"}
    assert resident() - memory < 24 * MIB
    await eventually(lambda: residue()[0] <= before[0] and residue()[2] <= before[2] + 1)


async def test_many_calls_leave_no_trace_in_memory(schema: dict[str, Any]) -> None:
    """Forty megabytes of answers, none of them kept here."""

    async def round_() -> None:
        for _ in range(200):
            one.send("Tell")
        await eventually(lambda: len(one.rows()) >= 200)
        del one.journal.records[:]
        gc.collect()

    async with bench(play(prefixed(b"\xaa\x06\xa0\x9c\x01" + b"x" * 20_000)), schema) as one:
        await round_()
        before = resident()
        for _ in range(10):
            await round_()
        assert resident() - before < 16 * MIB


async def test_a_server_that_takes_one_call_at_a_time(schema: dict[str, Any]) -> None:
    """SETTINGS_MAX_CONCURRENT_STREAMS: the others wait for their turn, and a cancel takes one out of the line."""

    def script(sock: socket.socket) -> None:
        server = Server(sock)
        server.raw(frame(SETTINGS, 0, 0, b"\0\3\0\0\0\1"))
        for asked in server.requests():
            server.head(asked.stream)
            server.data(asked.stream, made("Note", text="x"))
            server.trailers(asked.stream, *OK)

    async with bench(script, schema) as one:
        for _ in range(50):
            one.send("Echo")
        await eventually(lambda: len(one.rows()) == 50)
        assert not one.rows(Kind.ERROR)


async def test_a_flood_keeps_the_loop_responsive(schema: dict[str, Any]) -> None:
    message = made("Note", text="x" * 80, bigNumber=1)

    def answer(server: Server, asked: Asked) -> None:
        """As fast as the windows allow."""
        server.head(asked.stream)
        block = message * 100
        while True:
            while server.h2.local_flow_control_window(asked.stream) < len(block):
                server.h2.receive_data(server.sock.recv(65_536))
            for at in range(0, len(block), len(message)):
                server.h2.send_data(asked.stream, block[at : at + len(message)])
            server.flush()

    async with bench(serves(answer), schema) as one:
        one.send("Count")
        await eventually(one.rows)
        waits = [await lag() for _ in range(40)]
        del one.journal.records[:]
    assert sorted(waits)[len(waits) // 2] < 0.1
