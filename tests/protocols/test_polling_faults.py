"""Polling against servers that are slow, broken, overloaded, hostile or gone."""

from __future__ import annotations

import asyncio
import gzip
import random
import re
import time
import tracemalloc
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from rtui.capture.journal import Journal
from rtui.core.backoff import Policy
from rtui.core.event import Opened, Received, Stalled
from rtui.core.fault import Failure, Fault
from rtui.core.lifecycle import State
from rtui.core.record import Kind, Record
from rtui.protocols.wire import poll_schedule, poll_session
from rtui.runtime.hub import Hub
from rtui.settings.secrets import Secrets
from rtui.settings.session import Session
from tests.conformance.recorder import Run
from tests.port import reserved
from tests.protocols.http_peer import Client, answering, chunked, repeating, serving, whole
from tests.protocols.test_polling import channels, counting, longpoll, notices, polling, skips
from tests.waiting import PATIENCE, eventually

OK = whole(b"fine")


def failing(status: int, *headers: str) -> bytes:
    return whole(b"because", *headers, status=status, reason="Because")


def faults(run: Run) -> list[Fault]:
    return [notice.fault for notice in run.notices() if notice.fault]


async def fault_of(run: Run) -> Fault:
    error = await run.error()
    assert isinstance(error, Failure)
    return error.fault


@pytest.fixture
def quick_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waits after errors are those of the interval, without a floor."""
    monkeypatch.setattr(poll_schedule, "FIRST_RETRY", 0.0)
    monkeypatch.setattr(poll_schedule, "SLOWEST_RETRY", 0.0)


# Errors of the server


@pytest.mark.parametrize(("status", "kind"), [(401, "auth"), (403, "auth"), (404, "handshake"), (500, "handshake")])
async def test_a_first_answer_that_is_an_error_is_the_fault(status: int, kind: str) -> None:
    async with serving(repeating(failing(status))) as peer, polling(peer, "/x") as run:
        fault = await fault_of(run)
        assert fault.kind == kind
        assert fault.meta
        assert (fault.meta["status_code"], fault.meta["body"]) == (status, "because")
        assert not run.link.of(Opened)


async def test_a_first_answer_that_is_busy_tells_when_to_come_back() -> None:
    async with serving(repeating(failing(503, "Retry-After: 7"))) as peer, polling(peer) as run:
        fault = await fault_of(run)
        assert (fault.kind, fault.retry_after) == ("busy", 7.0)


@pytest.mark.usefixtures("quick_retries")
@pytest.mark.parametrize("status", [404, 429, 500, 502, 503])
async def test_an_error_after_a_success_is_a_row_and_the_polls_go_on(status: int) -> None:
    answers = (OK, failing(status, "X-A: 1"), failing(status), OK)
    async with serving(repeating(*answers)) as peer, polling(peer, "/a") as run:
        await run.until(lambda: len(run.link.received) >= 2)
        errors = [notice for notice in run.notices() if notice.fault]
        assert [(notice.level, notice.channel) for notice in errors] == [("error", f"/a {status}")] * 2
        meta = errors[0].fault and errors[0].fault.meta
        assert meta
        assert (meta["status_code"], meta["body"], meta["headers"]["X-A"]) == (status, "because", "1")
        assert notices(run)[-1] == "200 again, after 2 errors"
        assert run.link.of(Stalled)[0].text == f"{status} Because, next poll in 0 s"
        assert run.link.of(Stalled)[-1].text == ""
        assert len(run.link.of(Opened)) == 1


@pytest.mark.parametrize("status", [429, 503])
async def test_retry_after_is_obeyed(status: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(poll_session, "STEP", 0.1)  # looks a second apart may all miss the second that is looked for
    times: list[float] = []

    async def script(client: Client) -> None:
        while True:
            await client.asked()
            times.append(time.monotonic())
            await client.send(failing(status, "Retry-After: 2") if len(times) == 2 else OK)

    async with serving(script) as peer, polling(peer) as run:
        await run.until(lambda: len(run.link.received) >= 2)
        assert times[2] - times[1] >= 2.0
        told = [one.text for one in run.link.of(Stalled) if "next poll" in one.text]
        assert told[0] == f"{status} Because, next poll in 2 s"
        assert f"{status} Because, next poll in 1 s" in told, "the countdown is shown"


async def test_a_date_in_retry_after_is_one_of_the_servers_clock() -> None:
    dates = ("Date: Fri, 01 Jan 2010 12:00:00 GMT", "Retry-After: Fri, 01 Jan 2010 12:02:00 GMT")
    async with serving(repeating(OK, failing(429, *dates))) as peer, polling(peer) as run:
        await run.until(lambda: faults(run))
        assert faults(run)[0].retry_after == 120.0
        assert run.link.of(Stalled)[0].text == "429 Because, next poll in 120 s"


async def test_errors_without_retry_after_are_answered_by_a_growing_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(poll_schedule, "FIRST_RETRY", 0.05)
    monkeypatch.setattr(random, "random", lambda: 0.99)
    async with serving(repeating(OK, failing(503))) as peer, polling(peer, every=0.01) as run:
        began = time.monotonic()
        await run.until(lambda: len(faults(run)) >= 4)
        assert time.monotonic() - began >= 0.05 + 0.1 + 0.2


async def test_401_after_a_success_ends_it() -> None:
    async with serving(repeating(OK, failing(401))) as peer, polling(peer) as run:
        fault = await fault_of(run)
        assert fault.kind == "auth"
        assert run.link.payloads == [b"fine"]
        assert not fault.transient


async def test_after_a_reconnect_an_error_does_not_end_it() -> None:
    memory: dict[str, Any] = {}
    async with serving(repeating(OK, failing(502), OK)) as peer:
        async with polling(peer, memory=memory, every=3600.0) as run:
            await run.until(lambda: run.link.received)
        async with polling(peer, memory=memory) as run:
            await run.until(lambda: run.link.received)
            assert [type(event) for event in run.link.events[:1]] == [Opened]
            assert faults(run)[0].kind == "handshake"


@pytest.mark.usefixtures("quick_retries")
async def test_redirects_are_followed_and_a_circle_is_an_error_row() -> None:
    async def script(client: Client) -> None:
        while True:
            asked = await client.asked()
            if asked.target == "/new":
                await client.send(OK)
            elif client.peer.requests[2:]:
                await client.send(whole(b"", "Location: /old", status=302, reason="Found"))
            else:
                await client.send(whole(b"", "Location: /new", status=302, reason="Found"))

    async with serving(script) as peer, polling(peer, "/old") as run:
        await run.until(lambda: faults(run))
        first = run.link.received[0]
        assert first.channel == "/old 200"
        assert first.meta
        assert first.meta["redirects"] == [peer.url(path="/new")]
        assert faults(run)[0].title == "Redirected in a circle"


# Time


async def test_a_server_that_is_slower_than_the_interval_is_asked_once_at_a_time_and_told_once() -> None:
    async def script(client: Client) -> None:
        while True:
            await client.asked()
            assert client.peer.open == 1
            await asyncio.sleep(0.12)
            await client.send(OK)

    began = time.monotonic()
    async with serving(script) as peer, polling(peer, every=0.05) as run:
        await run.until(lambda: skips(run))
        passed = time.monotonic() - began
        await run.until(lambda: len(run.link.received) >= 5)
        (told,) = skips(run)
        found = re.fullmatch(r"(\d+) ticks skipped: the answer took ([\d.]+) s", told)
        assert found
        ticks, took = int(found[1]), float(found[2])
        assert took >= 0.1
        assert 2 <= ticks <= passed / 0.05


async def test_a_schedule_keeps_its_grid() -> None:
    times: list[float] = []

    async def script(client: Client) -> None:
        while True:
            await client.asked()
            times.append(time.monotonic())
            await asyncio.sleep(0.02)
            await client.send(OK)

    began = time.monotonic()
    async with serving(script) as peer, polling(peer, every=0.05) as run:
        # A wait of 0.05 s after each answer would bring no two requests nearer than 0.07 s, however late it all is.
        await run.until(lambda: len(times) > 10 and any(late - early < 0.065 for early, late in pairwise(times)))
        assert times[-1] - began >= 0.05 * (len(times) - 1), "nor sooner"


async def test_a_clock_that_jumps_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the monotonic clock is used: the wall clock leaps by a day, forwards and back, at each look."""
    real, leap = time.time, [0.0]

    def jumping() -> float:
        leap[0] = 86400.0 if leap[0] <= 0 else -86400.0
        return real() + leap[0]

    monkeypatch.setattr(time, "time", jumping)
    monkeypatch.setattr(time, "time_ns", lambda: int(jumping() * 1e9))
    async with serving(counting()) as peer, polling(peer, every=0.05) as run:
        began = time.monotonic()
        await run.until(lambda: len(run.link.received) >= 11)
        assert time.monotonic() - began > 0.45
        assert all(0 < (event.meta or {})["latency_ms"] < 1000 * PATIENCE for event in run.link.received)
    for name in ("schedule", "session", "request", "answer", "cursor", "item", "validator"):
        source = Path(poll_session.__file__).with_name(f"poll_{name}.py").read_text()
        assert "time.time" not in source
        assert "datetime" not in source


async def test_no_answer_is_a_fault_after_the_timeout_and_told_before() -> None:
    async def script(client: Client) -> None:
        await client.asked()
        await client.send(OK)
        await client.asked()
        await client.gone()

    async with serving(script) as peer, polling(peer, timeout=2.3) as run:
        fault = await fault_of(run)
        assert (fault.kind, fault.transient) == ("timeout", True)
        assert run.link.of(Stalled)[0].text.startswith("no answer for ")


async def test_a_body_that_stops_is_a_fault_and_one_that_drips_is_not() -> None:
    async def dripping(client: Client) -> None:
        await client.asked()
        client.head(200, "text/plain", length=6)
        for byte in b"slowly":
            await client.send(bytes([byte]))
            await asyncio.sleep(0.25)
        await client.asked()
        client.head(200, "text/plain", length=6)
        await client.send(b"slow")
        await client.gone()

    async with serving(dripping) as peer, polling(peer, timeout=1.3) as run:
        fault = await fault_of(run)
        assert run.link.payloads == [b"slowly"]
        assert (fault.kind, fault.title) == ("timeout", "The answer stopped")


# What comes is not what was promised


@pytest.mark.parametrize(
    "broken",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf",
        chunked(b"half", end=b""),
        chunked(b"half", end=b"5\r\nxx"),
    ],
)
async def test_an_answer_that_is_cut_in_the_middle_is_lost_not_shown(broken: bytes) -> None:
    async with serving(answering(broken)) as peer, polling(peer) as run:
        fault = await fault_of(run)
        assert (fault.kind, fault.transient) == ("lost", True)
        assert not run.link.received


@pytest.mark.usefixtures("quick_retries")
async def test_the_size_is_judged_after_decompression_at_the_limit() -> None:
    def packed(size: int) -> bytes:
        return whole(gzip.compress(b"x" * size), "Content-Encoding: gzip")

    answers = (packed(9_999), packed(10_000), packed(10_001), OK)
    async with serving(repeating(*answers)) as peer, polling(peer, max_size=10_000) as run:
        await run.until(lambda: len(run.link.received) >= 3)
        assert [len(payload) for payload in run.link.payloads[:3]] == [9_999, 10_000, 4]
        (fault,) = faults(run)
        assert fault.kind == "limit"
        assert "10,000" in fault.cause


async def test_a_bomb_is_not_inflated() -> None:
    bomb = whole(gzip.compress(bytes(64 * 1024**2), 6), "Content-Encoding: gzip")
    async with serving(repeating(OK, bomb)) as peer, polling(peer, max_size=1024**2) as run:
        await run.until(lambda: run.link.received)
        tracemalloc.start()
        try:
            await run.until(lambda: faults(run))
            assert tracemalloc.get_traced_memory()[1] < 8 * 1024**2
        finally:
            tracemalloc.stop()
        assert faults(run)[0].kind == "limit"


@pytest.mark.usefixtures("quick_retries")
async def test_corrupt_compression_is_an_error_row() -> None:
    corrupt = whole(b"not gzip at all", "Content-Encoding: gzip")
    async with serving(repeating(OK, corrupt, OK)) as peer, polling(peer) as run:
        await run.until(lambda: len(run.link.received) >= 2)
        assert [fault.kind for fault in faults(run)] == ["protocol"]


async def test_no_answer_can_write_a_header_of_the_next_request() -> None:
    body = whole(rb'{"c":"x\r\nX-Admin: 1"}')
    async with serving(repeating(body)) as peer, polling(peer, cursor=".c", cursor_to="header:X-After") as run:
        await run.until(lambda: len(peer.requests) >= 3)
        assert all("x-admin" not in asked.headers and "x-after" not in asked.headers for asked in peer.requests)
        assert notices(run) == ["the cursor at .c cannot stand in a header"]


async def test_memory_stays_flat_over_many_items() -> None:
    memory: dict[str, Any] = {}
    rows = b",".join(b'{"id":"%032d"}' % n for n in range(20_000))
    options = {"items": ".", "item_key": ".id"}
    async with serving(repeating(whole(b"[" + rows + b"]"))) as peer, polling(peer, memory=memory, **options) as run:
        await run.until(lambda: len(peer.requests) >= 4)
        assert len(run.link.received) == 20_000
        assert run.link.longest_batch <= 1_000
        assert len(memory["items"]) == 20_000


# The line


async def test_an_idle_connection_that_the_server_closed_is_made_anew() -> None:
    async with serving(answering(OK)) as peer, polling(peer) as run:
        await run.until(lambda: len(run.link.received) >= 4)
        assert peer.connections >= 4
        assert channels(run)[:4] == ["/ 200"] * 4
        assert not notices(run)


async def test_a_reset_while_held_is_lost() -> None:
    async def script(client: Client) -> None:
        await client.asked()
        await client.send(OK)
        await client.asked()
        client.reset()

    async with serving(script) as peer, longpoll(peer, method="POST") as run:
        assert (await fault_of(run)).kind == "lost"


async def test_a_server_that_was_killed_and_started_again_is_polled_on(tmp_path: Path) -> None:
    journal = Journal.create(tmp_path / "capture.rtui")
    records: list[Record] = []
    journal.taps.append(records.extend)
    hub = Hub(journal)

    def of(kind: Kind) -> list[Record]:
        return [record for record in records if record.kind == kind]

    options = {"proxy": "", "every": 0.02, "cursor": ".n", "cursor_to": "query:after"}
    policy = Policy(first_delay=0.01, max_delay=0.05)
    try:
        with reserved() as port:
            url = f"poll+http://127.0.0.1:{port}/a"
            async with serving(counting(), port=port):
                link = hub.open(Session(name="p", url=url, options=options, reconnect=policy), Secrets())
                await eventually(lambda: len(of(Kind.MESSAGE)) >= 3)
            await eventually(lambda: link.state is State.WAITING)
            seen = len(of(Kind.MESSAGE))
            async with serving(counting(), port=port) as peer:
                await eventually(lambda: len(of(Kind.MESSAGE)) > seen)
                assert peer.requests[0].target == f"/a?after={seen}", "the cursor is kept"
                assert (len(of(Kind.OPEN)), len(of(Kind.GAP))) == (2, 1)
                assert [node.full for node in link.channels.root.walk() if node.full] == ["/a", "/a 200"]
                await hub.close_all(1.0)
    finally:
        await hub.close_all(1.0)
        journal.close()


@pytest.mark.usefixtures("quick_retries")
async def test_the_tree_counts_every_status_of_a_url(tmp_path: Path) -> None:
    journal = Journal.create(tmp_path / "capture.rtui")
    hub = Hub(journal)
    try:
        async with serving(repeating(OK, failing(503), failing(503), OK, failing(404))) as peer:
            options = {"proxy": "", "every": 0.02}
            link = hub.open(Session(name="p", url=peer.url("poll+http", "/a"), options=options), Secrets())
            counted: dict[str, int] = {}
            async with asyncio.timeout(PATIENCE):
                while counted.get("/a 404", 0) < 1:
                    counted = {node.full: node.count for node in link.channels.root.walk()}
                    await asyncio.sleep(0.005)
            assert {name: count for name, count in counted.items() if count} == {
                "/a 200": 2,
                "/a 503": 2,
                "/a 404": counted["/a 404"],
            }
            await hub.close_all(1.0)
    finally:
        await hub.close_all(1.0)
        journal.close()


async def test_a_body_of_any_bytes_is_kept_as_it_came() -> None:
    body = bytes(range(256)) * 4
    async with serving(repeating(whole(body))) as peer, polling(peer) as run:
        await run.until(lambda: run.link.received)
        assert isinstance(run.link.received[0], Received)
        assert run.link.payloads[0] == body
