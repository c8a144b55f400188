"""SSE and polling through nginx: what a reverse proxy does to streams."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from rtui.core.backoff import Policy
from rtui.core.fault import Fault
from rtui.core.record import Kind, Record
from tests.hardening.bench import Watched, connecting, end_of, fault_of
from tests.hardening.peer import Script, linger, listening, request
from tests.hardening.script import CHUNKED, EVENTS, JSON, LAST, chunk, head, header, in_turn, streams, whole
from tests.port import reserved
from tests.protocols.nginx import KEPT, PASSWORD, PROGRAM, USER, Nginx, nginx
from tests.waiting import eventually

pytestmark = [pytest.mark.nginx, pytest.mark.skipif(PROGRAM is None, reason="nginx is not installed")]

QUICK = Policy(first_delay=0.01, max_delay=0.02)
PROTOCOLS = ("sse", "poll", "longpoll")


@asynccontextmanager
async def behind(folder: Path, script: Script) -> AsyncIterator[Nginx]:
    """nginx in front of a peer that plays `script`."""
    with listening(script) as port:
        async with nginx(folder, port) as made:
            yield made


def rows(journal: Watched, kind: Kind = Kind.MESSAGE) -> list[Record]:
    return [record for record in journal.records if record.kind == kind]


def meta(record: Record) -> Any:
    return json.loads(record.meta or "{}")


async def shown(journal: Watched, count: int, kind: Kind = Kind.MESSAGE) -> None:
    """Wait for so many rows."""
    await eventually(lambda: len(rows(journal, kind)) >= count)


async def asked(web: Nginx, count: int) -> None:
    """Wait until nginx has given so many answers."""
    await eventually(lambda: len(web.answers) >= count)


def event(number: int) -> bytes:
    return chunk(b"id: %d\ndata: %d\n\n" % (number, number))


def bursts(count: int, heard: list[str]) -> Script:
    """A stream that goes on after the client's last id: `count` events, then silence."""

    def script(sock: socket.socket) -> None:
        heard.append(header(request(sock), "last-event-id"))
        first = int(heard[-1] or 0) + 1
        events = b"".join(event(number) for number in range(first, first + count))
        sock.sendall(head(EVENTS, CHUNKED) + chunk(b"retry: 10\n\n") + events)
        linger(sock)

    return script


def in_steps(step: threading.Semaphore) -> Script:
    """An event for each release of `step`, three in all."""

    def script(sock: socket.socket) -> None:
        request(sock)
        sock.sendall(head(EVENTS, CHUNKED))
        for number in range(1, 4):
            step.acquire()
            sock.sendall(event(number))
        sock.sendall(LAST)
        linger(sock)

    return script


def document(body: bytes = b'{"n":1}') -> Script:
    """One JSON answer."""

    def script(sock: socket.socket) -> None:
        request(sock)
        sock.sendall(whole(body, JSON))
        linger(sock)

    return script


async def faults(web: Nginx, path: str, **options: Any) -> list[Fault]:
    """What each protocol says of `path`."""
    return [await fault_of(web.url(protocol, path), **options) for protocol in PROTOCOLS]


def status(fault: Fault) -> int:
    assert fault.meta is not None
    return int(fault.meta["status_code"])


async def test_an_idle_cut_is_a_loss_and_nothing_is_missed(tmp_path: Path) -> None:
    heard: list[str] = []
    async with (
        behind(tmp_path, bursts(2, heard)) as web,
        connecting(web.url("sse", "/idle/"), policy=QUICK, retry_first=True) as (connection, journal),
    ):
        await shown(journal, 6)
        assert [one.payload for one in rows(journal)[:6]] == [b"1", b"2", b"3", b"4", b"5", b"6"]
        # A peer that is late on a busy machine is cut before it has begun, with a 504, and asked the same again.
        assert list(dict.fromkeys(heard))[:3] == ["", "2", "4"]
        (cut, *_) = [meta(one) for one in rows(journal, Kind.CLOSE) if "504" not in one.payload.decode()]
        assert cut["fault"] == "lost"
        assert connection.opened >= 3


async def test_a_peer_that_says_nothing_at_all_is_a_504(tmp_path: Path) -> None:
    async with behind(tmp_path, linger) as web:
        assert [status(fault) for fault in await faults(web, "/idle/")] == [504, 504, 504]


async def test_what_a_proxy_does_not_buffer_comes_at_once(tmp_path: Path) -> None:
    step = threading.Semaphore(1)
    async with behind(tmp_path, in_steps(step)) as web, connecting(web.url("sse")) as (_, journal):
        for count in (1, 2, 3):
            await shown(journal, count)
            step.release()


async def test_a_buffering_proxy_shows_in_the_ages(tmp_path: Path) -> None:
    """nginx that buffers and compresses keeps everything, the head too, until the peer is done."""
    async with behind(tmp_path, in_turn(slow(3, 0.15), streams(last=b""))) as web:
        buffered, journal = await end_of(web.url("sse", "/buffered/"))
        assert [one.payload for one in rows(journal)] == [b"1", b"2", b"3"]
        assert len({one.time for one in rows(journal)}) == 1, "they came in one piece"
        assert buffered.details["stream"]["first_byte_ms"] > 400


async def test_what_is_not_buffered_has_young_first_bytes(tmp_path: Path) -> None:
    step = threading.Semaphore(1)
    async with behind(tmp_path, in_steps(step)) as web:
        began = time.monotonic()
        async with connecting(web.url("sse")) as (direct, journal):
            await shown(journal, 1)
            seen = time.monotonic() - began
            await asyncio.sleep(0.1)
            for count in (2, 3):
                step.release()
                await shown(journal, count)
            ages = direct.details["stream"]
            assert ages["first_byte_ms"] <= ages["first_event_ms"] <= 1000 * seen


def slow(count: int, every: float) -> Script:
    """An event now and then, and the end."""

    def script(sock: socket.socket) -> None:
        request(sock)
        sock.sendall(head(EVENTS, CHUNKED))
        for number in range(1, count + 1):
            time.sleep(every)
            sock.sendall(event(number))
        sock.sendall(LAST)
        linger(sock)

    return script


async def test_gzip_on_the_way_holds_nothing_back(tmp_path: Path) -> None:
    step = threading.Semaphore(1)
    async with behind(tmp_path, in_steps(step)) as web, connecting(web.url("sse", "/gzip/")) as (connection, journal):
        for count in (1, 2, 3):
            await shown(journal, count)
            step.release()
        assert "gzip" in str(connection.details["headers"])


async def test_the_upstream_is_down(tmp_path: Path) -> None:
    with reserved() as port:
        async with nginx(tmp_path, port) as web:
            for fault in await faults(web, "/"):
                assert status(fault) == 502
                assert fault.meta is not None
                assert "nginx" in str(fault.meta["body"])
                assert fault.hint


async def test_the_upstream_comes_back(tmp_path: Path) -> None:
    with reserved() as port:
        async with nginx(tmp_path, port) as web:
            scripts = {"sse": slow(1, 0), "poll": document(), "longpoll": document()}
            for protocol, script in scripts.items():
                async with connecting(web.url(protocol), policy=QUICK, retry_first=True) as (_, journal):
                    await shown(journal, 2, Kind.RECONNECT)
                    with listening(script, port=port):
                        await shown(journal, 1)


async def test_too_many_polls_are_slowed_down(tmp_path: Path) -> None:
    """One a second is allowed; Retry-After says to wait for one."""
    async with (
        behind(tmp_path, document()) as web,
        connecting(web.url("poll", "/limited/"), every=0.05) as (connection, journal),
    ):
        await shown(journal, 3)
        (first, *_) = rows(journal, Kind.ERROR)
        assert meta(first)["status_code"] == 429
        assert connection.opened == 1
        answers = web.answers
        refused = [number for number, one in enumerate(answers) if one.status == 429]
        assert refused
        assert all(answers[number + 1].time - answers[number].time > 0.9 for number in refused if answers[number + 1 :])


async def test_too_many_streams_are_refused_for_a_while(tmp_path: Path) -> None:
    async with (
        behind(tmp_path, streams(event(1), last=b"")) as web,
        connecting(web.url("sse", "/limited/")) as (one, _),
        connecting(web.url("sse", "/limited/")) as (other, _),  # at once: a second later it would be let in
    ):
        await eventually(lambda: one.fault or other.fault)
        fault = one.fault or other.fault
        assert fault is not None
        assert (fault.kind, status(fault), fault.retry_after) == ("busy", 429, 1.0)
        await (one if other.fault else other).wait_open()


@pytest.mark.parametrize("version", ["auto", "1.1", "2"])
@pytest.mark.parametrize("port", ["https", "mutual"])
async def test_over_tls(tmp_path: Path, port: str, version: str) -> None:
    async with behind(tmp_path, in_turn(slow(3, 0), document())) as web:
        options = {**web.trust, **(web.certificate if port == "mutual" else {}), "http": version}
        stream, journal = await end_of(web.url("sse", port=port), **options)
        assert [one.payload for one in rows(journal)] == [b"1", b"2", b"3"]
        assert str(stream.details["tls"]).startswith("TLS")
        assert ("HTTP/1.1" if version == "1.1" else "HTTP/2") in stream.details["protocol"]
        async with connecting(web.url("poll", port=port), every=0.01, **options) as (_, polled):
            await eventually(lambda: len(rows(polled)) >= 3)
        assert {one.version for one in web.answers} == {"HTTP/1.1" if version == "1.1" else "HTTP/2.0"}


async def test_a_missing_client_certificate(tmp_path: Path) -> None:
    async with behind(tmp_path, document()) as web:
        for protocol in PROTOCOLS:
            fault = await fault_of(web.url(protocol, port="mutual"), **web.trust)
            assert fault.meta is not None
            assert "No required SSL certificate was sent" in str(fault.meta["body"])


@pytest.mark.parametrize("version", ["1.1", "2"])
async def test_a_peer_that_dies_behind_the_proxy_is_a_loss(tmp_path: Path, version: str) -> None:
    def script(sock: socket.socket) -> None:
        request(sock)
        sock.sendall(head(EVENTS, CHUNKED) + event(1) + b"10\r\ndata: cut")
        time.sleep(0.1)

    async with behind(tmp_path, script) as web:
        connection, journal = await end_of(web.url("sse", port="https"), http=version, **web.trust)
        assert [one.payload for one in rows(journal)] == [b"1"]
        assert connection.fault is not None
        assert connection.fault.kind == "lost"


async def test_basic_authentication(tmp_path: Path) -> None:
    async with behind(tmp_path, in_turn(slow(1, 0), document())) as web:
        for fault in await faults(web, "/private/"):
            assert (fault.kind, status(fault)) == ("auth", 401)
            assert fault.meta is not None
            assert "the inner room" in str(fault.meta["headers"])
        wrong = await fault_of(web.url("sse", "/private/", userinfo=f"{USER}:wrong@"))
        assert wrong.kind == "auth"
        _, journal = await end_of(web.url("sse", "/private/"), username=USER, password=PASSWORD)
        assert [one.payload for one in rows(journal)] == [b"1"]
        async with connecting(web.url("poll", "/private/", userinfo=f"{USER}:{PASSWORD}@")) as (_, polled):
            await eventually(lambda: rows(polled))


async def test_redirects(tmp_path: Path) -> None:
    heard: list[bytes] = []

    def script(sock: socket.socket) -> None:
        heard.append(request(sock).split(b" ")[1])
        sock.sendall(head(EVENTS, CHUNKED) + event(1) + LAST)
        linger(sock)

    async with behind(tmp_path, script) as web:
        connection, journal = await end_of(web.url("sse", "/moved"))
        assert [one.payload for one in rows(journal)] == [b"1"]
        assert heard == [b"/there"]
        assert "/there" in str(connection.details["redirects"])
        for fault in await faults(web, "/round"):
            assert "redirect" in fault.title.lower()


async def test_a_file_is_polled_for_its_changes(tmp_path: Path) -> None:
    async with behind(tmp_path, linger) as web:
        file = tmp_path / "files" / "price.json"
        write(file, '{"price":1}')
        url = web.url("poll", "/files/price.json")
        async with connecting(url, every=0.02, only_changes=True) as (_, journal):
            for count in (1, 2, 3):
                await shown(journal, count)
                await asked(web, len(web.answers) + 3)
                assert len(rows(journal)) == count
                write(file, json.dumps({"price": "1" * (count + 1)}))
            assert {one.status for one in web.answers} == {200, 304}


def write(file: Path, text: str) -> None:
    """At once: a reader sees the old text or the new one."""
    fresh = file.with_suffix(".new")
    fresh.write_text(text)
    fresh.rename(file)


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_through_a_forward_proxy(tmp_path: Path, protocol: str) -> None:
    """Requests in the clear are handed to it as they are: it knows no CONNECT."""
    script = slow(3, 0.01) if protocol == "sse" else document()
    with listening(script) as port:
        async with nginx(tmp_path, port) as web:
            proxy = f"http://127.0.0.1:{web.ports['forward']}"
            url = f"{protocol}+http://127.0.0.1:{port}/somewhere"
            async with connecting(url, proxy=proxy) as (connection, journal):
                await shown(journal, 1)
            assert connection.details["proxy"] == proxy
            await asked(web, 1)
            assert {answer.path for answer in web.answers} == {"/somewhere"}


async def test_a_forward_proxy_that_refuses_to_make_a_tunnel(tmp_path: Path) -> None:
    async with behind(tmp_path, document()) as web:
        fault = await fault_of("poll+https://127.0.0.1/", proxy=f"http://127.0.0.1:{web.ports['forward']}")
        assert fault.title == "The proxy refused"


async def test_polls_go_on_after_a_restart_of_the_proxy(tmp_path: Path) -> None:
    async with (
        behind(tmp_path, document()) as web,
        connecting(web.url("poll"), every=0.02, policy=QUICK) as (connection, journal),
    ):
        await shown(journal, 2)
        await web.stop()
        await eventually(lambda: rows(journal, Kind.RECONNECT))
        before = len(rows(journal))
        await web.start()
        await shown(journal, before + 2)
        assert rows(journal, Kind.GAP)
        assert connection.opened == 2


async def test_a_kept_connection_that_the_proxy_closed_is_no_error(tmp_path: Path) -> None:
    async with (
        behind(tmp_path, document()) as web,
        connecting(web.url("poll"), every=KEPT) as (connection, journal),
    ):
        await shown(journal, 8)
        assert not rows(journal, Kind.ERROR)
        assert connection.opened == 1
