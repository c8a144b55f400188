from __future__ import annotations

import asyncio
import gzip
import json
import socket
import time
from functools import partial
from itertools import count
from typing import Any

import pytest

from rtui.core.backoff import Policy
from rtui.core.record import Kind, Record
from rtui.protocols.wire import poll_schedule
from rtui.runtime.hub import Connection
from tests.hardening.bench import Watched, connecting, fault_of, resident, residue
from tests.hardening.peer import Script, answers, linger, listening, request
from tests.hardening.script import CHUNKED, JSON, LAST, chunk, head, in_turn, serves, whole
from tests.waiting import PATIENCE, eventually

QUICK = Policy(first_delay=0.01, max_delay=0.02)
LIMIT = 1_000
MIB = 1 << 20
PROTOCOLS = ("poll", "longpoll")


def url(port: int, protocol: str = "poll", path: str = "/") -> str:
    return f"{protocol}+http://127.0.0.1:{port}{path}"


def rows(journal: Watched, kind: Kind = Kind.MESSAGE) -> list[Record]:
    return [record for record in journal.records if record.kind == kind]


def meta(record: Record) -> Any:
    return json.loads(record.meta or "{}")


@pytest.mark.parametrize("size", [LIMIT - 1, LIMIT, LIMIT + 1])
@pytest.mark.parametrize("way", ["whole", "chunked", "gzip"])
async def test_the_largest_answer(way: str, size: int) -> None:
    body = b"x" * size
    answer = {
        "whole": whole(body),
        "chunked": head(CHUNKED) + chunk(body[:400]) + chunk(body[400:]) + LAST,
        "gzip": whole(gzip.compress(body), "Content-Encoding: gzip"),
    }[way]
    with listening(answers(answer)) as port:
        async with connecting(url(port), max_size=LIMIT) as (connection, journal):
            await eventually(lambda: rows(journal) or connection.fault or rows(journal, Kind.ERROR))
    if size <= LIMIT:
        assert [len(payload) for payload in journal.payloads()] == [size]
    else:
        assert not rows(journal)
        (error,) = rows(journal, Kind.ERROR)
        assert meta(error)["fault"] == "limit"
        assert f"{LIMIT:,}" in meta(error)["cause"]
        assert "max_size" in meta(error)["hint"]
        assert connection.opened == 1, "the next answer may be smaller"


def bomb() -> bytes:
    return whole(gzip.compress(b"x" * (256 * MIB), 9), "Content-Encoding: gzip", JSON)


def layered() -> bytes:
    inside = gzip.compress(gzip.compress(b"x" * (128 * MIB), 9), 9)
    return whole(inside, "Content-Encoding: gzip, gzip", JSON)


def endless_body(sock: socket.socket) -> None:
    request(sock)
    sock.sendall(head(CHUNKED, JSON))
    while True:
        sock.sendall(chunk(b"[" * 60_000))


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("what", ["bomb", "bomb in a bomb", "endless"])
async def test_what_is_too_large_stays_small(protocol: str, what: str) -> None:
    script = endless_body if what == "endless" else answers(bomb() if what == "bomb" else layered())
    before = resident()
    with listening(script) as port:
        async with connecting(url(port, protocol), max_size=4 * MIB) as (_, journal):
            await eventually(lambda: rows(journal, Kind.ERROR))
            assert meta(rows(journal, Kind.ERROR)[0])["fault"] == "limit"
            assert resident() - before < 48 * MIB


SICK = {
    "no HTTP": b"220 mail.example ESMTP\r\n",
    "nothing": b"",
    "half a head": b"HTTP/1.1 200 OK\r\nContent-Ty",
    "half a body": head(JSON, "Content-Length: 100") + b"{",
    "half a chunk": head(JSON, CHUNKED) + b"20\r\n{",
    "no gzip": whole(b"{}", JSON, "Content-Encoding: gzip"),
    "half a gzip": whole(gzip.compress(b"x" * 10_000)[:20], JSON, "Content-Encoding: gzip"),
    "a head without end": b"HTTP/1.1 200 OK\r\nX: " + b"x" * (2 * MIB),
    "half a brotli": whole(b"\x1b", JSON, "Content-Encoding: br"),
}


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("answer", SICK.values(), ids=SICK)
async def test_a_sick_answer_is_named_and_is_no_message(protocol: str, answer: bytes) -> None:
    with listening(answers(answer)) as port:
        async with connecting(url(port, protocol)) as (_, journal):
            await eventually(lambda: rows(journal, Kind.ERROR) or rows(journal, Kind.CLOSE))
    (told,) = [*rows(journal, Kind.ERROR), *[one for one in rows(journal, Kind.CLOSE) if "fault" in meta(one)]]
    assert meta(told)["fault"] != "bug"
    assert meta(told)["cause"]
    assert not rows(journal)


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_a_sick_answer_later_does_not_end_the_polls(protocol: str) -> None:
    """However it is sick: the next attempt or the next poll is well again."""
    well = answers(whole(b'{"n":1}', JSON, "Connection: close"))
    sick = [answers(each) for name, each in SICK.items() if name != "a head without end"]
    script = in_turn(*[each for one in sick for each in (well, one)], well)
    with listening(script) as port:
        async with connecting(url(port, protocol), policy=QUICK, every=0.01) as (_, journal):
            await eventually(lambda: len(rows(journal)) >= len(sick) + 3)
    assert {one.payload for one in rows(journal)} == {b'{"n":1}'}


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_redirects_in_a_circle(protocol: str) -> None:
    with listening(serves(lambda _: whole(b"", "Location: /", status="307 Round"))) as port:
        fault = await fault_of(url(port, protocol))
    assert "redirect" in fault.sentence().lower()


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_bytes_are_kept_whatever_they_are(protocol: str) -> None:
    hostile = bytes(range(256)) + "\x1b]52;c;cm0gLXJmIC8=\x07\u202e[/]".encode()
    evil = ("Content-Type: application/\xff\x9b31m", 'ETag: "\x9b2J\'"', "X-Evil: \xe9\u00ad")
    answer = whole(hostile, *evil)
    with listening(serves(lambda _: answer)) as port:
        async with connecting(url(port, protocol), every=0.01) as (_, journal):
            await eventually(lambda: rows(journal))
    assert rows(journal)[0].payload == hostile


NOT_JSON = {
    "not JSON": b"<html>",
    "half": b'{"items":[{"id":1},',
    "deep": b"[" * 100_000 + b"]" * 100_000,
    "not UTF-8": b'{"items":["\xff"]}',
    "empty": b"",
    "no such path": b'{"other":[]}',
    "not a list": b'{"items":{"id":1}}',
    "null": b'{"items":null,"next":null}',
}


@pytest.mark.parametrize("body", NOT_JSON.values(), ids=NOT_JSON)
async def test_a_body_that_does_not_fit_the_paths_is_said_once_and_polls_go_on(body: bytes) -> None:
    asked: list[bytes] = []

    def answer(head: bytes) -> bytes:
        asked.append(head)
        return whole(body, JSON)

    with listening(serves(answer)) as port:
        async with connecting(url(port), items=".items", item_key=".id", cursor=".next", every=0.01) as (
            connection,
            journal,
        ):
            await eventually(lambda: len(asked) >= 8)
            assert connection.fault is None
            assert connection.opened == 1
            told = [*rows(journal, Kind.NOTICE), *rows(journal, Kind.ERROR)]
            said = [one.payload for one in told if b"skipped" not in one.payload]  # a busy machine is late
            assert len(set(said)) == len(said) <= 2, "each is said once"


async def test_digits_and_items_come_out_as_they_went_in() -> None:
    items = b'{"items":[{"id":12345678901234567890,"v":1.10e+1},  {"id":1e999},{"id":"\\u00e9"}]}'
    with listening(serves(lambda _: whole(items, JSON))) as port:
        async with connecting(url(port), items=".items", item_key=".id", every=0.01) as (_, journal):
            await eventually(lambda: rows(journal))
            await asyncio.sleep(0.1)
    wanted = [b'{"id":12345678901234567890,"v":1.10e+1}', b'{"id":1e999}', b'{"id":"\\u00e9"}']
    assert journal.payloads() == wanted


async def test_a_cursor_that_vanishes_is_kept() -> None:
    asked: list[str] = []
    bodies = iter([b'{"next":"a b&c"}', b'{"next":"d"}', b"{}"])

    def answer(head: bytes) -> bytes:
        asked.append(head.split(b" ")[1].decode())
        return whole(next(bodies, b"{}"), JSON)

    with listening(serves(answer)) as port:
        async with connecting(url(port, "longpoll"), cursor=".next", every=0.01) as (_, journal):
            await eventually(lambda: len(asked) >= 6)
            warnings = [one for one in rows(journal, Kind.NOTICE) if b"cursor" in one.payload]
    assert asked[1] in {"/?cursor=a+b%26c", "/?cursor=a%20b%26c"}
    assert set(asked[2:]) == {"/?cursor=d"}
    assert len(warnings) == 1


async def test_a_hostile_cursor_forges_no_header() -> None:
    heard: list[bytes] = []

    def answer(head: bytes) -> bytes:
        heard.append(head)
        return whole(b'{"next":"1\\r\\nX-Forged: yes\\u0000"}', JSON)

    with listening(serves(answer)) as port:
        async with connecting(url(port), cursor=".next", cursor_to="header:X-Cursor", every=0.01) as (
            connection,
            journal,
        ):
            await eventually(lambda: len(heard) >= 3 or connection.fault or rows(journal, Kind.ERROR))
    assert all(b"x-forged:" not in line.lower()[:9] for each in heard for line in each.split(b"\n"))


async def test_a_server_slower_than_the_interval_skips_ticks_and_says_so() -> None:
    begun: list[float] = []
    ended: list[float] = []

    def answer(_: bytes) -> bytes:
        begun.append(time.monotonic())
        time.sleep(0.12)
        ended.append(time.monotonic())
        return whole(b"{}", JSON)

    with listening(serves(answer)) as port:
        async with connecting(url(port), every=0.05) as (_, journal):
            await eventually(lambda: len(begun) >= 6)
    assert all(after >= before for before, after in zip(ended, begun[1:], strict=False)), "never two at once"
    assert any(b"skipped" in one.payload for one in rows(journal, Kind.NOTICE))
    assert len(rows(journal, Kind.NOTICE)) == 1, "once per run of them"


async def test_an_empty_long_poll_is_not_a_flood(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(poll_schedule, "QUICK", PATIENCE)  # what a busy machine holds up is not held
    asked = count()
    total = 0

    def answer(_: bytes) -> bytes:
        nonlocal total
        total = next(asked)
        return head("Content-Length: 0", status="204 No Content")

    with listening(serves(answer)) as port:
        async with connecting(url(port, "longpoll")) as (_, journal):
            await eventually(lambda: rows(journal, Kind.NOTICE))
            await asyncio.sleep(1.5)
    assert total <= 12
    assert len(rows(journal, Kind.NOTICE)) == 1


@pytest.mark.parametrize("status", ["500 Oh No", "503 Busy", "404 Gone Missing", "418 Teapot"])
async def test_errors_slow_the_polls_down_and_do_not_end_them(status: str) -> None:
    asked: list[float] = []

    def answer(_: bytes) -> bytes:
        asked.append(time.monotonic())
        return whole(b"trouble", status=status) if 2 <= len(asked) <= 4 else whole(b"{}", JSON)

    with listening(serves(answer)) as port:
        async with connecting(url(port), every=0.05) as (connection, journal):
            await eventually(lambda: len(rows(journal)) >= 2)
            assert connection.opened == 1
    errors = rows(journal, Kind.ERROR)
    assert [meta(one)["status_code"] for one in errors] == [int(status[:3])] * 3
    assert meta(errors[0])["body"] == "trouble"
    assert asked[4] - asked[1] > 3 * 0.05


@pytest.mark.parametrize("status", ["401 Who", "403 No"])
async def test_a_closed_door_ends_the_polls(status: str) -> None:
    bodies = iter([whole(b"{}", JSON)])
    with listening(serves(lambda _: next(bodies, whole(b"", status=status)))) as port:
        async with connecting(url(port), every=0.01, policy=QUICK) as (connection, _):
            async with asyncio.timeout(PATIENCE):
                await connection.wait_closed()
            assert connection.fault is not None
            assert connection.fault.kind == "auth"


async def test_fifty_restarts_keep_the_cursor_and_leave_nothing_behind() -> None:
    before, memory = residue(), 0
    asked: list[bytes] = []
    with listening(one_by_one(asked)) as port:
        async with connecting(url(port, "longpoll"), policy=QUICK, cursor=".next") as (connection, journal):
            for round_ in range(1, 51):
                await eventually(partial(opened, connection, round_))
                if round_ == 10:
                    memory = resident()
    numbers = [int(json.loads(payload)["next"]) for payload in journal.payloads()]
    assert numbers == list(range(1, len(numbers) + 1))
    assert resident() - memory < 24 * MIB
    await eventually(lambda: residue()[0] <= before[0] and residue()[2] <= before[2] + 1)


def one_by_one(asked: list[bytes]) -> Script:
    """The number after the cursor, twice; then the connection is cut in the middle of an answer."""

    def script(sock: socket.socket) -> None:
        for _ in range(2):
            place = request(sock).split(b" ")[1]
            asked.append(place)
            number = int(place.partition(b"cursor=")[2] or 0) + 1
            sock.sendall(whole(b'{"next":%d}' % number, JSON))
        request(sock)
        sock.sendall(head(JSON, "Content-Length: 100") + b'{"next":')

    return script


def opened(connection: Connection, times: int) -> bool:
    return connection.opened >= times


async def test_many_keys_leave_memory_bounded() -> None:
    """Every item is new, for ever: what was seen must be forgotten some day."""
    numbers = count()

    def answer(_: bytes) -> bytes:
        items = ",".join(f'{{"id":"{next(numbers):0200}"}}' for _ in range(2_000))
        return whole(f"[{items}]".encode(), JSON)

    with listening(serves(answer)) as port:
        async with connecting(url(port), items=".", item_key=".id", every=0.01) as (_, journal):
            await eventually(partial(forget, journal, 120_000))
            before = resident()
            await eventually(partial(forget, journal, 240_000))
            assert resident() - before < 24 * MIB


def forget(journal: Watched, wanted: int) -> bool:
    """Whether the `wanted`th row came; keeps none of them."""
    reached = any(record.seq > wanted for record in journal.records)
    del journal.records[:]
    return reached


async def test_a_server_that_never_answers_is_a_timeout() -> None:
    with listening(linger) as port:
        fault = await fault_of(url(port), timeout=0.3)
    assert fault.kind == "timeout"


async def test_a_server_that_never_answers_a_long_poll_is_holding_it() -> None:
    with listening(linger) as port:
        async with connecting(url(port, "longpoll"), timeout=0.3) as (connection, _):
            await connection.wait_open()
            assert connection.fault is None
