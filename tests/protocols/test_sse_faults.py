"""Bad peers of event streams: each ends in one clear sentence, with bounded memory and nothing left behind."""

from __future__ import annotations

import asyncio
import gzip
import time
import tracemalloc
from typing import Any

import pytest

from rtui.core.event import Notice, Opened
from rtui.core.fault import Fault
from rtui.protocols.sse import Sse
from tests.conformance.recorder import Recorder, Run
from tests.conformance.suite import fault_of, residue
from tests.protocols.http_peer import Client, Peer, Script, answering, chunked, serving, whole
from tests.waiting import PATIENCE, eventually

STREAM = "Content-Type: text/event-stream"
MEGA = 1024**2


def run(peer: Peer, path: str = "/", **options: Any) -> Run:
    options = {"proxy": "", "timeout": PATIENCE, **options}
    return Run(Sse(), Recorder(peer.url("sse+http", path), Sse.Options(**options)))


async def told(script: Script, **options: Any) -> tuple[Fault, Recorder]:
    async with serving(script) as peer, run(peer, **options) as one:
        fault = await fault_of(one)
        assert fault.title
        assert "\n" not in fault.sentence()
        await peer.quiet()
        return fault, one.link


def endless(piece: bytes, *headers: str) -> Script:
    async def script(client: Client) -> None:
        await client.asked()
        client.head(200, "text/event-stream", *headers)
        while True:
            await client.send(piece)

    return script


@pytest.mark.parametrize(
    ("piece", "title"),
    [
        (b"x" * 65536, "The line is too long"),
        (b":" + b"x" * 65536, "The line is too long"),
        (b"data: " + b"x" * 1000 + b"\n", "The event is too long"),
        (b"data\n" * 1000, "The event is too long"),
    ],
    ids=["no line end", "comment", "no blank line", "empty data"],
)
async def test_endless_lines_and_events(piece: bytes, title: str) -> None:
    tracemalloc.start()
    try:
        fault, link = await told(endless(piece), max_line=2 * MEGA, max_size=MEGA // 16)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (fault.kind, fault.title) == ("limit", title)
    assert peak < 24 * MEGA
    assert not link.received


async def test_fields_without_an_end_need_no_memory() -> None:
    async def script(client: Client) -> None:
        await client.asked()
        client.head(chunked=True)
        for _ in range(200):
            client.chunk(b"event: x\nid: 1\nretry: 5\nunknown: y\n" * 500)
            await client.writer.drain()
        client.chunk(b"data: end\n\n")
        await client.gone()

    async with serving(script) as peer, run(peer) as one:
        await one.until(lambda: one.link.payloads == [b"end"])


async def test_a_gzip_bomb_is_cut_at_the_limit() -> None:
    bomb = gzip.compress(b"data: " + b"0" * (64 * MEGA))
    script = answering(whole(bomb, STREAM, "Content-Encoding: gzip"))
    tracemalloc.start()
    try:
        fault, _ = await told(script, max_line=2 * MEGA)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (fault.kind, fault.title) == ("limit", "The line is too long")
    assert peak < 24 * MEGA


async def test_an_unknown_encoding_is_named() -> None:
    fault, _ = await told(answering(whole(b"data: x\n\n", STREAM, "Content-Encoding: rot13")))
    assert "rot13" in fault.sentence()


@pytest.mark.parametrize(
    "answer",
    [
        chunked(b"data: x\n\n", end=b"", headers=[STREAM]),
        chunked(b"data: x\n\n", end=b"ff\r\nid: 7\ndata: half", headers=[STREAM]),
        chunked(b"data: x\n\n", end=b"no number\r\n", headers=[STREAM]),
        b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: 99\r\n\r\ndata: x\n\n",
    ],
    ids=["between chunks", "inside a chunk", "no chunk size", "short of its length"],
)
async def test_cut_in_the_middle(answer: bytes) -> None:
    fault, link = await told(answering(answer))
    assert fault.kind == "lost"
    assert link.payloads == [b"x"]
    assert link.memory["last_event_id"] == ""


async def test_a_reset() -> None:
    async def script(client: Client) -> None:
        await client.asked()
        client.head(chunked=True)
        client.chunk(b"data: x\n\n")
        await client.writer.drain()
        await heard.wait()
        client.reset()

    heard = asyncio.Event()
    async with serving(script) as peer, run(peer) as one:
        await one.until(lambda: one.link.payloads)
        heard.set()
        assert (await fault_of(one)).kind == "lost"


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (b"", "lost"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "handshake"),
        (b"HTTP/1.1 200 OK\r\nContent-Type: text/event-str", "protocol"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"x" * 200_000, "protocol"),
        (whole(b"", "Location: /", status=302, reason="Found"), "handshake"),
        (whole(b"", "Location: http://[::bad/", status=302, reason="Found"), "handshake"),
        (whole(b"<html>", "Content-Type: text/html"), "handshake"),
    ],
    ids=["nothing", "ssh", "half a head", "endless header", "circle", "bad redirect", "page"],
)
async def test_answers_that_are_no_stream(answer: bytes, kind: str) -> None:
    fault, link = await told(answering(answer))
    assert fault.kind == kind, fault
    assert not link.events


async def test_a_head_that_drips_is_late() -> None:
    async def script(client: Client) -> None:
        await client.asked()
        while True:
            await client.send(b"H")
            await asyncio.sleep(0.01)

    fault, _ = await told(script, timeout=0.3)
    assert fault.kind in {"timeout", "handshake", "protocol"}, fault


async def test_no_read_timeout_ends_a_quiet_stream() -> None:
    async def script(client: Client) -> None:
        await client.asked()
        client.head(chunked=True)
        await later.wait()
        client.chunk(b"data: late\n\n")
        await client.gone()

    later = asyncio.Event()
    async with serving(script) as peer, run(peer, timeout=1.0, stall_after=0.15) as one:
        await one.opened()
        began = time.monotonic()
        await eventually(lambda: len(one.link.events) > 3 and time.monotonic() - began > 1.5)
        later.set()
        await one.until(lambda: one.link.payloads == [b"late"])


async def test_hostile_text_stays_in_its_place() -> None:
    nasty = b"event: \x1b]52;c;AAAA\x07\nid: \x1b[2J\x85\ndata: \x1b[31m\x00\xff\n\n: \x1b]0;x\x07\n\n"
    async with serving(answering(chunked(nasty, headers=[STREAM]))) as peer, run(peer, log_comments=True) as one:
        await one.closed()
        assert one.link.payloads == [b"\x1b[31m\x00\xff", b"\x1b]0;x\x07"]
        assert one.link.memory["last_event_id"] == "\x1b[2J\ufffd"


async def test_a_thousand_ids_that_go_back_warn_a_few_times() -> None:
    ids = [*range(100), *(number for _ in range(500) for number in (7, 3))]
    events = b"".join(b"id: %d\ndata: x\n\n" % number for number in ids)
    async with serving(answering(chunked(events, headers=[STREAM]))) as peer, run(peer) as one:
        await one.closed()
        assert len(one.link.payloads) == len(ids)
        assert 1 <= len(one.link.of(Notice)) <= 6


async def test_twenty_attempts_leave_nothing() -> None:
    before = residue()
    async with serving(answering(chunked(b"data: x\n\n", end=b"", headers=[STREAM]))) as peer:
        for _ in range(20):
            async with run(peer) as one:
                await fault_of(one)
                assert one.link.of(Opened)
        await peer.quiet()
    await eventually(lambda: residue() <= before)
    assert not [task for task in asyncio.all_tasks() if task.get_name().startswith("sse")]
