"""Server-sent events over scripted servers: what is asked, what opens, what comes, what an end means."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import brotli
import pytest

from rtui.core.command import Break, Hangup
from rtui.core.event import Closed, Notice, Progressed, Received, Stalled
from rtui.core.fault import Failure
from rtui.core.record import Kind
from rtui.protocols.sse import Sse
from rtui.protocols.wire.reach_fault import Unopened
from tests.conformance.recorder import Recorder, Run
from tests.protocols.http2_peer import Stream, serving2
from tests.protocols.http_peer import Client, Peer, Script, answering, chunked, serving, whole
from tests.waiting import PATIENCE, at_rest

STREAM = "Content-Type: text/event-stream"


def run(peer: Peer, path: str = "/", memory: dict[str, Any] | None = None, **options: Any) -> Run:
    options = {"proxy": "", "timeout": PATIENCE, **options}
    return Run(Sse(), Recorder(peer.url("sse+http", path), Sse.Options(**options), memory))


@asynccontextmanager
async def attempt(
    script: Script, path: str = "/", memory: dict[str, Any] | None = None, **options: Any
) -> AsyncIterator[tuple[Run, Peer]]:
    async with serving(script) as peer, run(peer, path, memory, **options) as one:
        yield one, peer


def stream(*chunks: bytes) -> Script:
    return answering(chunked(*chunks, headers=[STREAM]))


async def ended(*chunks: bytes, memory: dict[str, Any] | None = None, **options: Any) -> tuple[Closed, Recorder]:
    async with attempt(stream(*chunks), memory=memory, **options) as (one, _):
        return await one.closed(), one.link


# The request


async def test_what_is_asked_for() -> None:
    async with attempt(stream(), "/news?x=1") as (one, peer):
        await one.closed()
    (asked,) = peer.requests
    assert (asked.method, asked.target) == ("GET", "/news?x=1")
    assert asked.headers["accept"] == "text/event-stream"
    assert asked.headers["cache-control"] == "no-store"
    assert "last-event-id" not in asked.headers


async def test_the_id_to_resume_from_is_sent_and_shown() -> None:
    async with attempt(stream(), last_event_id="41") as (one, peer):
        await one.closed()
        assert one.link.details["last_event_id"] == "41"
    assert peer.requests[0].headers["last-event-id"] == "41"


async def test_an_id_that_is_no_ascii_is_sent_as_utf8() -> None:
    memory: dict[str, Any] = {}
    await ended("id: č 7 \ndata: x\n\n".encode(), memory=memory)
    async with attempt(stream(), memory=memory) as (one, peer):
        await one.closed()
    assert peer.requests[0].head.count("Last-Event-ID: č 7\r\n".encode()) == 1


async def test_a_body_makes_it_a_post() -> None:
    async with attempt(stream(b"data: [DONE]\n\n"), data='{"stream": true}') as (one, peer):
        await one.closed()
    (asked,) = peer.requests
    assert (asked.method, asked.body) == ("POST", b'{"stream": true}')
    assert asked.headers["content-type"] == "application/json"


# What opens


@pytest.mark.parametrize(
    "media_type", ["text/event-stream", "Text/Event-Stream", "text/event-stream; charset=utf-8", "text/event-stream ;x"]
)
async def test_media_types_that_open(media_type: str) -> None:
    script = answering(chunked(b"data: x\n\n", headers=[f"Content-Type: {media_type}"]))
    async with attempt(script) as (one, _):
        await one.closed()
        assert one.link.payloads == [b"x"]
        assert one.link.details["protocol"] == "SSE over HTTP/1.1"


@pytest.mark.parametrize("media_type", ["text/event-stream-x", "application/json", "text/plain", ""])
async def test_media_types_that_do_not(media_type: str) -> None:
    answer = whole(b'{"error": "no stream"}', *([f"Content-Type: {media_type}"] if media_type else []))
    async with attempt(answering(answer)) as (one, _):
        error = await one.error()
        assert isinstance(error, Unopened)
        assert (error.fault.title, error.fault.kind) == ("Not an event stream", "handshake")
        assert (media_type or "no Content-Type") in error.fault.cause
        assert error.fault.meta
        assert error.fault.meta["body"] == '{"error": "no stream"}'
        assert not one.adapter.retryable(error)


@pytest.mark.parametrize(
    ("status", "kind", "retried"),
    [
        (401, "auth", False),
        (404, "handshake", False),
        (429, "busy", True),
        (500, "handshake", True),
        (503, "busy", True),
    ],
)
async def test_a_status_that_opens_nothing_whatever_its_type(status: int, kind: str, retried: bool) -> None:
    answer = whole(b"data: not for you\n\n", STREAM, "Retry-After: 7", status=status, reason="No")
    async with attempt(answering(answer)) as (one, _):
        error = await one.error()
        fault = one.adapter.explain(error)
        assert (fault.kind, fault.retry_after) == (kind, 7)
        assert fault.meta
        assert fault.meta["body"] == "data: not for you\n\n"
        assert one.adapter.retryable(error) is retried
        assert not one.link.events


async def test_no_content_ends_it_for_good() -> None:
    async with attempt(answering(b"HTTP/1.1 204 No Content\r\n\r\n")) as (one, _):
        closed = await one.closed()
    assert (closed.by, closed.clean, closed.code, closed.fault) == ("them", True, 204, None)


async def test_headers_that_are_no_ascii_do_no_harm() -> None:
    script = answering(chunked(b"data: x\n\n", headers=[STREAM, "X-Town: Český"]))
    async with attempt(script) as (one, _):
        await one.closed()
        assert one.link.payloads == [b"x"]


async def test_redirects_are_followed() -> None:
    async def script(client: Client) -> None:
        asked = await client.asked()
        if asked.target == "/old":
            client.answer(b"", 307, "", "Location: /new")
        else:
            client.write(chunked(b"data: here\n\n", headers=[STREAM]))

    async with attempt(script, "/old") as (one, peer):
        await one.closed()
        assert one.link.payloads == [b"here"]
        assert [asked.target for asked in peer.requests] == ["/old", "/new"]
        assert one.link.details["redirects"]


async def test_over_http_2() -> None:
    async def script(stream: Stream) -> None:
        stream.head()
        await stream.send(b"id: 1\ndata: two\n\n")
        await stream.send(b"data: [DONE]\n\n", last=True)

    async with serving2(script) as peer, run(peer, http="2") as one:
        assert (await one.closed()).reason == "[DONE]"
        assert one.link.details["protocol"] == "SSE over HTTP/2"
        assert one.link.payloads == [b"two", b"[DONE]"]


async def test_a_stream_of_http_2_that_is_reset_is_lost() -> None:
    async def script(stream: Stream) -> None:
        stream.head()
        await stream.send(b"id: 1\ndata: two\n\n")
        stream.reset()

    async with serving2(script) as peer, run(peer, http="2") as one:
        assert one.adapter.explain(await one.error()).kind == "lost"
        assert one.link.payloads == [b"two"]
        assert one.link.memory["last_event_id"] == "1"


# What comes


async def test_events_with_type_id_and_bytes_as_they_came() -> None:
    _, link = await ended(b"event: add\nid: 1\ndata: caf\xe9\n\n", b"data: x\n\ndata", b": y\r", b"\r")
    assert [(event.channel, event.payload, event.meta) for event in link.received] == [
        ("add", b"caf\xe9", {"id": "1"}),
        ("message", b"x", None),
        ("message", b"y", None),
    ]


async def test_a_carriage_return_at_the_end_of_what_was_written_is_not_held_back() -> None:
    async def script(client: Client) -> None:
        await client.asked()
        client.head(chunked=True)
        client.chunk(b"data: now\r\r")
        await client.gone()

    async with attempt(script) as (one, _):
        await one.until(lambda: one.link.payloads == [b"now"])


@pytest.mark.parametrize("encoding", ["gzip", "br"])
async def test_compressed_events_appear_before_the_end(encoding: str) -> None:
    class Packer:
        def __init__(self) -> None:
            self.brotli = brotli.Compressor()

        def __call__(self, data: bytes) -> bytes:
            if encoding == "gzip":
                return gzip.compress(data)
            packed: bytes = self.brotli.process(data) + self.brotli.flush()
            return packed

    async def script(client: Client) -> None:
        pack = Packer()
        await client.asked()
        client.head(200, "text/event-stream", f"Content-Encoding: {encoding}", chunked=True)
        client.chunk(pack(b"data: first\n\n"))
        client.chunk(pack(b"data: second\n\n"))
        await client.gone()

    async with attempt(script) as (one, _):
        await one.until(lambda: one.link.payloads == [b"first", b"second"])
        assert one.link.details["compression"] == encoding


async def test_comments_and_retry_are_shown_when_wanted() -> None:
    _, link = await ended(b": hello\nretry: 250\n\ndata: x\n\n", log_comments=True)
    assert [(event.kind, event.payload) for event in link.received] == [(Kind.PING, b"hello"), (Kind.MESSAGE, b"x")]
    assert [notice.text for notice in link.of(Notice)] == ["the server wants 0.25 s between connects"]
    _, link = await ended(b": hello\nretry: 250\n\ndata: x\n\n")
    assert len(link.received) == 1
    assert not link.of(Notice)


async def test_gaps_are_told_over_connections_too() -> None:
    memory: dict[str, Any] = {}
    await ended(b"".join(b"id: %d\ndata: x\n\n" % number for number in (1, 2, 3)), memory=memory)
    _, link = await ended(b"id: 6\ndata: x\n\n", memory=memory)
    assert [notice.text for notice in link.of(Notice)] == ["ids 3 → 6: 2 missing"]


async def test_limits_keep_what_came_before() -> None:
    async with attempt(stream(b"data: fits\n\ndata: 12345678901\n\n"), max_size=10) as (one, _):
        error = await one.error()
        assert one.link.payloads == [b"fits"]
        assert isinstance(error, Failure)
        assert (error.fault.kind, error.fault.title) == ("limit", "The event is too long")
        assert not one.adapter.retryable(error)


# The end


async def test_the_end_of_a_stream_asks_to_come_back_as_the_server_wants() -> None:
    memory: dict[str, Any] = {}
    closed, _ = await ended(b"retry: 1500\nid: 9\ndata: x\n\n", memory=memory)
    assert (closed.by, closed.clean) == ("them", True)
    assert closed.fault
    assert (closed.fault.kind, closed.fault.retry_after) == ("closed", 1.5)
    assert memory["last_event_id"] == "9"
    closed, _ = await ended(b"data: y\n\n", memory=memory)
    assert closed.fault
    assert closed.fault.retry_after == 1.5


async def test_until_the_server_says_so_it_is_the_options_time() -> None:
    closed, _ = await ended(b"data: x\n\n", reconnection_time=0.7)
    assert closed.fault
    assert closed.fault.retry_after == 0.7


async def test_a_stream_that_is_done_or_was_posted_is_not_repeated() -> None:
    closed, _ = await ended(b"data: x\n\n", b"data: [DO", b"NE]\n\n: bye\n\n", log_comments=True)
    assert (closed.clean, closed.fault, closed.reason) == (True, None, "[DONE]")
    closed, _ = await ended(b"data: x\n\n", method="POST")
    assert (closed.clean, closed.fault) == (True, None)
    closed, _ = await ended(b"data: [DONE]\n\ndata: x\n\n")
    assert closed.fault


async def test_what_is_left_of_an_event_is_dropped_and_told() -> None:
    closed, link = await ended(b"data: whole\n\nid: 7\ndata: half")
    assert link.payloads == [b"whole"]
    assert link.memory["last_event_id"] == ""
    assert closed.fault
    (notice,) = link.of(Notice)
    assert "inside an event" in notice.text


@pytest.mark.parametrize(("method", "final"), [("GET", False), ("POST", True)])
async def test_a_cut_keeps_the_last_whole_event_and_repeats_only_what_is_safe(method: str, final: bool) -> None:
    memory: dict[str, Any] = {}
    script = answering(chunked(b"retry: 40\nid: 3\ndata: x\n\nid: 4\ndata: y\n", end=b"", headers=[STREAM]))
    async with attempt(script, memory=memory, method=method) as (one, _):
        error = await one.error()
        fault = one.adapter.explain(error)
        assert (fault.kind, fault.retry_after, fault.final) == ("lost", 0.04, final)
        assert one.adapter.retryable(error) is not final
    assert memory["last_event_id"] == "3"


# While it is open


async def quiet(client: Client) -> None:
    await client.asked()
    client.head(chunked=True)
    client.chunk(b": opened\n\n")
    await client.reader.read(1)


async def test_ages_tell_first_byte_and_first_event() -> None:
    _, link = await ended(b": proxy says hello\n\n", b"data: x\n\n")
    ages = link.of(Progressed)[-1].details
    assert 0 < ages["first_byte_ms"] <= ages["first_event_ms"]
    assert ages["last_byte"] > 0


async def test_silence_is_told_and_taken_back() -> None:
    async def script(client: Client) -> None:
        await client.asked()
        client.head(chunked=True)
        await speak.wait()
        client.chunk(b": still here\n\n")
        await client.gone()

    speak = asyncio.Event()
    async with attempt(script, stall_after=0.05) as (one, _):
        await one.until(lambda: one.link.of(Stalled))
        assert one.link.of(Stalled)[0].text.startswith("nothing for ")
        speak.set()
        await one.until(lambda: any(not stalled.text for stalled in one.link.of(Stalled)))


async def test_a_silence_is_taken_back_though_we_did_not_read_meanwhile() -> None:
    async def script(client: Client) -> None:
        await client.asked()
        client.head(chunked=True)
        await speak.wait()
        client.chunk(b": still here\n\n")
        await client.gone()

    speak = asyncio.Event()
    async with attempt(script, stall_after=0.05) as (one, _):
        await one.until(lambda: one.link.of(Stalled))
        one.ask(Break(id=1, what="stop-reading"))
        await one.until(one.notices)
        await at_rest(lambda: len(one.link.of(Stalled)), 0.2)
        speak.set()
        one.ask(Break(id=2, what="stop-reading", on=False))
        await one.until(lambda: any(not stalled.text for stalled in one.link.of(Stalled)))


async def test_the_user_hangs_up() -> None:
    async with attempt(quiet) as (one, peer):
        await one.opened()
        one.ask(Hangup(id=1))
        closed = await one.closed()
        assert (closed.by, closed.clean, closed.fault) == ("us", True, None)
        await peer.quiet()


async def test_dropped_on_purpose() -> None:
    async with attempt(quiet) as (one, peer):
        await one.opened()
        one.ask(Break(id=1, what="drop"))
        closed = await one.closed()
        assert closed.fault
        assert (closed.by, closed.fault.kind) == ("us", "lost")
        await peer.quiet()


async def test_reading_is_stopped_and_taken_up_again() -> None:
    async def script(client: Client) -> None:
        await client.asked()
        client.head(chunked=True)
        await speak.wait()
        client.chunk(b"data: x\n\n")
        await client.gone()

    speak = asyncio.Event()
    async with attempt(script, stall_after=0.02) as (one, _):
        await one.opened()
        one.ask(Break(id=1, what="stop-reading"))
        await one.until(one.notices)
        told = len(one.link.of(Stalled))
        speak.set()
        await asyncio.sleep(0.1)  # what must not happen needs a time
        assert not one.link.received
        assert len(one.link.of(Stalled)) == told
        one.ask(Break(id=2, what="stop-reading", on=False))
        await one.until(lambda: [event for event in one.link.events if isinstance(event, Received)])
