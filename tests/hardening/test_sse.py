from __future__ import annotations

import asyncio
import gzip
import json
import socket
import time
import zlib
from collections.abc import Iterable
from functools import partial

import pytest

from rtui.core.backoff import Policy
from rtui.core.record import Kind
from rtui.runtime.hub import Connection
from tests.hardening.bench import Watched, connecting, end_of, fault_of, resident, residue
from tests.hardening.peer import Script, answers, linger, listening, request, reset
from tests.hardening.script import CHUNKED, EVENTS, JSON, LAST, chunk, head, header, in_turn, serves, streams, whole
from tests.waiting import eventually, lag

QUICK = Policy(first_delay=0.01, max_delay=0.02)
LIMIT = 1_000
MIB = 1 << 20


def url(port: int, path: str = "/") -> str:
    return f"sse+http://127.0.0.1:{port}{path}"


def meta(record: object) -> dict[str, object]:
    found: dict[str, object] = json.loads(getattr(record, "meta", None) or "{}")
    return found


@pytest.mark.parametrize("size", [LIMIT - 1, LIMIT, LIMIT + 1])
@pytest.mark.parametrize("what", ["line", "event"])
async def test_the_largest_line_and_event(what: str, size: int) -> None:
    # A line counts whole, an event by its data; what joins two lines counts too.
    text = b"data:" + b"x" * (size - 5) + b"\n\n" if what == "line" else lines_of(size)
    with listening(streams(b"data: before\n\n" + text)) as port:
        connection, journal = await end_of(url(port), **{"max_line" if what == "line" else "max_size": LIMIT})
    sizes = [len(payload) for payload in journal.payloads()]
    assert connection.fault is not None
    if size <= LIMIT:
        assert sizes == [6, size - 5 if what == "line" else size]
        assert connection.fault.kind == "closed"
    else:
        assert sizes == [6]
        assert connection.fault.kind == "limit"
        assert str(LIMIT) in connection.fault.cause
        assert ("max_line" if what == "line" else "max_size") in connection.fault.hint


def lines_of(size: int) -> bytes:
    """An event of so many bytes, in two lines."""
    return b"data:" + b"x" * 400 + b"\ndata:" + b"y" * (size - 401) + b"\n\n"


def endless(first: bytes, again: bytes, *headers: str, press: bool = False) -> Script:
    """A chunk that repeats until the client leaves."""

    def script(sock: socket.socket) -> None:
        request(sock)
        squeeze = zlib.compressobj(9, zlib.DEFLATED, 31)
        sock.sendall(head(EVENTS, CHUNKED, *headers))
        sock.sendall(chunk(squeeze.compress(first) + squeeze.flush(zlib.Z_SYNC_FLUSH) if press else first))
        while True:
            piece = squeeze.compress(again) + squeeze.flush(zlib.Z_SYNC_FLUSH) if press else again
            sock.sendall(chunk(piece))

    return script


ENDLESS = {
    "line": endless(b"data: ", b"x" * 60_000),
    "field name": endless(b"x", b"x" * 60_000),
    "comment": endless(b":", b"x" * 60_000),
    "event": endless(b"data: x\n", b"data: yyyyyyyyyy\n" * 4_000),
    "empty lines of data": endless(b"data\n", b"data\n" * 10_000),
    "bomb of a line": endless(b"data: ", b"x" * (16 * MIB), "Content-Encoding: gzip", press=True),
    "bomb of an event": endless(b"data: ", b"data: xx\n" * (2 * MIB), "Content-Encoding: gzip", press=True),
}


@pytest.mark.parametrize("script", ENDLESS.values(), ids=ENDLESS)
async def test_what_never_ends_stays_small(script: Script) -> None:
    before = resident()
    with listening(script) as port:
        fault = await fault_of(url(port), max_size=4 * MIB, max_line=2 * MIB)
    assert fault.kind == "limit"
    assert resident() - before < 64 * MIB


@pytest.mark.parametrize("line", [b"\n", b":\n", b"id: 1\n", b"event: x\n\n", b"retry: 5\n", b"other: x\n"])
async def test_what_says_nothing_for_ever_is_bounded(line: bytes) -> None:
    with listening(endless(b"data: x\n\n", line * (60_000 // len(line)))) as port:
        async with connecting(url(port)) as (connection, journal):
            await eventually(journal.payloads)
            before = resident()
            await asyncio.sleep(0.7)
            assert resident() - before < 16 * MIB
            assert connection.fault is None
            assert len(journal.records) < 5


async def test_a_bomb_in_a_refusal_is_cut() -> None:
    body = gzip.compress(b"x" * (256 * MIB), 9)
    before = resident()
    with listening(answers(whole(body, "Content-Encoding: gzip", "Content-Type: text/html"))) as port:
        fault = await fault_of(url(port))
    assert "text/html" in fault.sentence() + str(fault.meta)
    assert resident() - before < 32 * MIB


REFUSED = {
    "another type": (whole(b'{"a":1}', JSON), "application/json"),
    "almost the type": (whole(b"data: x\n\n", "Content-Type: text/event-stream-x"), "text/event-stream-x"),
    "no type": (whole(b"data: x\n\n"), "data: x"),
    "500 with the right type": (whole(b"data: x\n\n", EVENTS, status="500 Oh No"), "500 Oh No"),
    "404": (whole(b"nothing", status="404 Not Found"), "404 Not Found"),
    "no HTTP": (b"SSH-2.0-OpenSSH_9.2\r\n", "SSH-2.0"),
    "nothing": (b"", "127.0.0.1"),
    "half a head": (b"HTTP/1.1 200 OK\r\nContent-Ty", "127.0.0.1"),
    "a broken chunk size": (head(EVENTS, CHUNKED) + b"zz\r\nhello", ""),
    "an unknown encoding": (head(EVENTS, "Content-Encoding: snappy", CHUNKED) + chunk(b"x"), "snappy"),
    "no gzip": (head(EVENTS, "Content-Encoding: gzip", CHUNKED) + chunk(b"data: x\n\n"), "decompress"),
    "two lengths": (head(EVENTS, "Content-Length: 5", "Content-Length: 6") + b"data: ", ""),
    "a head without end": (b"HTTP/1.1 200 OK\r\nX: " + b"x" * (2 * MIB), ""),
    "very many headers": (head(EVENTS, *[f"X-{n}: {n}" for n in range(40_000)]), ""),
}


@pytest.mark.parametrize(("answer", "said"), REFUSED.values(), ids=REFUSED)
async def test_what_is_no_stream_is_refused_with_what_was_seen(answer: bytes, said: str) -> None:
    with listening(answers(answer)) as port:
        connection, journal = await end_of(url(port))
    assert connection.fault is not None
    assert connection.fault.kind not in {"bug", "closed"}
    assert connection.fault.title
    assert said in f"{connection.fault.sentence()} {connection.fault.meta}"
    assert journal.payloads() == []


@pytest.mark.parametrize("media", ["text/event-stream", "Text/Event-Stream; charset=latin-1", "text/event-stream ;x"])
async def test_what_is_a_stream_opens_whatever_its_parameters(media: str) -> None:
    with listening(streams("data: ž\n\n".encode(), headers=(f"Content-Type: {media}",))) as port:
        _, journal = await end_of(url(port))
    assert journal.payloads() == ["ž".encode()]


CUTS = {
    "in a chunk": chunk(b"data: one\n\n") + b"20\r\ndata: tw",
    "in an event": chunk(b"data: one\n\ndata: tw"),
    "between events": chunk(b"data: one\n\n"),
    "in a chunk size": chunk(b"data: one\n\n") + b"1",
}


@pytest.mark.parametrize("how", ["fin", "rst"])
@pytest.mark.parametrize("data", CUTS.values(), ids=CUTS)
async def test_a_cut_body_is_a_loss_and_its_half_event_is_none(data: bytes, how: str) -> None:
    def script(sock: socket.socket) -> None:
        request(sock)
        sock.sendall(head(EVENTS, CHUNKED) + data)
        if how == "rst":
            reset(sock)

    with listening(script) as port:
        connection, journal = await end_of(url(port))
    assert journal.payloads() == [b"one"]
    assert connection.fault is not None
    assert connection.fault.kind == "lost"


async def test_a_short_body_is_a_loss_too() -> None:
    answer = head(EVENTS, "Content-Length: 100") + b"data: one\n\ndata: tw"
    with listening(answers(answer)) as port:
        connection, journal = await end_of(url(port))
    assert journal.payloads() == [b"one"]
    assert connection.fault is not None
    assert connection.fault.kind == "lost"


@pytest.mark.parametrize(("where", "word"), [("/again", "redirect"), ("/next", "redirect"), ("ftp://x/", "ftp")])
async def test_redirects_that_lead_nowhere(where: str, word: str) -> None:
    count = 0

    def answer(_: bytes) -> bytes:
        nonlocal count
        count += 1
        place = f"{where}{count}" if where == "/next" else where
        return whole(b"", f"Location: {place}", status="302 Found")

    with listening(serves(answer)) as port:
        fault = await fault_of(url(port, "/again"))
    assert fault.kind == "handshake"
    assert word in fault.sentence().lower() + fault.hint.lower()
    assert count <= 11


async def test_bytes_that_are_not_utf8_are_kept() -> None:
    text = b"event: caf\xe9\ndata: caf\xe9 \xff\xfe \xed\xa0\x80\nid: \xff\n\n"
    with listening(streams(text)) as port:
        _, journal = await end_of(url(port))
    assert journal.payloads() == [b"caf\xe9 \xff\xfe \xed\xa0\x80"]
    (row,) = [record for record in journal.records if record.kind == Kind.MESSAGE]
    assert row.channel.startswith("caf")
    row.channel.encode()


async def test_hostile_text_is_kept_as_it_came() -> None:
    hostile = "\x1b]52;c;cm0gLXJmIC8=\x07\x1b[2J\x9b31m\u202e[/]\u2028 end".encode()
    with listening(streams(b"event: " + hostile + b"\nid: " + hostile + b"\ndata: " + hostile + b"\n\n")) as port:
        _, journal = await end_of(url(port))
    assert journal.payloads() == [hostile]


async def test_a_hostile_id_forges_no_header() -> None:
    """What an id may hold by the standard is more than what a header may."""
    heard: list[bytes] = []

    def script(sock: socket.socket) -> None:
        heard.append(request(sock))
        sock.sendall(head(EVENTS, CHUNKED) + chunk("retry: 1\nid: 1\x0b\x1bX: é 🎉\t\ndata: x\n\n".encode()) + LAST)
        linger(sock)

    with listening(script) as port:
        async with connecting(url(port), policy=QUICK) as (connection, _):
            await eventually(lambda: len(heard) >= 2)
            assert connection.opened >= 1
    names = {line.partition(b":")[0].lower() for line in heard[1].split(b"\r\n")[1:]}
    assert b"x" not in names
    assert all(b"\n" not in line for line in heard[1].split(b"\r\n"))


def resumes(heard: list[str], how: str) -> Script:
    """Two events after the last id, then an end of the kind `how`."""

    def script(sock: socket.socket) -> None:
        heard.append(header(request(sock), "last-event-id"))
        first = int(heard[-1] or 0) + 1
        text = b"".join(b"id: %d\ndata: %d\n\n" % (number, number) for number in (first, first + 1))
        sock.sendall(head(EVENTS, CHUNKED) + chunk(b"retry: 5\n\n" + text) + chunk(b"data: half")[:-4])
        if how == "rst":
            reset(sock)

    return script


@pytest.mark.parametrize("how", ["fin", "rst"])
async def test_fifty_restarts_lose_nothing_and_leave_nothing_behind(how: str) -> None:
    heard: list[str] = []
    before, memory = residue(), 0
    with listening(resumes(heard, how)) as port:
        async with connecting(url(port), policy=QUICK) as (connection, journal):
            for round_ in range(1, 51):
                await eventually(partial(opened, connection, round_))
                if round_ == 10:
                    memory = resident()
            await eventually(lambda: len(journal.payloads()) >= 100)
    assert [int(payload) for payload in journal.payloads()[:100]] == list(range(1, 101))
    assert heard[:4] == ["", "2", "4", "6"]
    assert resident() - memory < 24 * MIB
    await eventually(lambda: residue()[0] <= before[0] and residue()[2] <= before[2] + 1)


def opened(connection: Connection, times: int) -> bool:
    return connection.opened >= times


async def test_a_long_stream_leaves_no_trace_in_memory() -> None:
    """Sixty megabytes of events with ids that never repeat, and types that hardly do."""
    count = 4_000

    def script(sock: socket.socket) -> None:
        request(sock)
        sock.sendall(head(EVENTS, CHUNKED))
        for number in range(count):
            data = b"id: %d\nevent: t%d\ndata: %b\n\n" % (number, number % 5, b"x" * 15_000)
            sock.sendall(chunk(data))
        linger(sock)

    with listening(script) as port:
        async with connecting(url(port)) as (_, journal):
            await eventually(partial(forget, journal, 500))
            before = resident()
            await eventually(partial(forget, journal, count))
            assert resident() - before < 24 * MIB


def forget(journal: Watched, wanted: int) -> bool:
    """Whether the `wanted`th message came; keeps none of them."""
    reached = any(record.channel and record.seq > wanted for record in journal.records)
    del journal.records[:]
    return reached


async def test_a_flood_keeps_the_loop_responsive() -> None:
    data = chunk(b"".join(b"id: %d\ndata: {}\n\n" % number for number in range(500)))

    def script(sock: socket.socket) -> None:
        request(sock)
        sock.sendall(head(EVENTS, CHUNKED))
        while True:
            sock.sendall(data * 20)

    with listening(script) as port:
        async with connecting(url(port)) as (_, journal):
            await eventually(journal.payloads)
            waits = [await lag() for _ in range(40)]
            del journal.records[:]
    assert sorted(waits)[len(waits) // 2] < 0.1


def spell(parts: Iterable[bytes]) -> Script:
    """Pieces with a little time between them."""

    def script(sock: socket.socket) -> None:
        request(sock)
        sock.sendall(head(EVENTS, CHUNKED))
        for part in parts:
            sock.sendall(part)
            time.sleep(0.005)
        linger(sock)

    return script


async def test_a_drip_of_bytes_is_an_event_as_soon_as_it_is_one() -> None:
    whole_ = chunk("data: kůň\r\r".encode())
    with listening(spell(bytes((byte,)) for byte in whole_)) as port:
        async with connecting(url(port)) as (_, journal):
            await eventually(lambda: journal.payloads() == ["kůň".encode()])


async def test_a_slow_head_is_a_timeout_of_ours() -> None:
    def script(sock: socket.socket) -> None:
        request(sock)
        for byte in head(EVENTS, CHUNKED):
            sock.sendall(bytes((byte,)))
            time.sleep(0.05)

    with listening(script) as port:
        fault = await fault_of(url(port), timeout=0.4)
    assert fault.kind == "timeout"


async def test_the_next_server_is_judged_as_the_first() -> None:
    """A stream, its end, and something else in its place: told, and not tried for ever."""
    scripts = in_turn(streams(b"retry: 1\n\ndata: x\n\n"), answers(whole(b"login please", status="401 No")))
    with listening(scripts) as port:
        connection, journal = await end_of(url(port), policy=QUICK)
    assert journal.payloads() == [b"x"]
    assert connection.fault is not None
    assert connection.fault.kind == "auth"
