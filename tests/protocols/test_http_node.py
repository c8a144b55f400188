"""SSE and polling against Node's own HTTP server: a peer that shares no code with us."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from urllib.request import Request, urlopen

import pytest

from rtui.core.backoff import Policy
from rtui.core.record import Kind, Record
from tests.hardening.bench import Watched, connecting, end_of
from tests.waiting import PATIENCE, eventually

SCRIPT = Path(__file__).parent.parent / "node" / "http_peer.mjs"
QUICK = Policy(first_delay=0.01, max_delay=0.02)

pytestmark = [pytest.mark.node, pytest.mark.skipif(not shutil.which("node"), reason="needs node")]


@contextmanager
def serving(*keep: str) -> Iterator[tuple[int, int]]:
    """Ports of HTTP/1.1 and of HTTP/2 without TLS; `keep`: the ms that a connection of the first outlives an answer."""
    command, pipe = ("node", str(SCRIPT), *keep), subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe) as process:
        assert process.stdout
        report = json.loads(process.stdout.readline())
        yield report["port"], report["port2"]
        process.communicate()


@pytest.fixture(scope="module")
def ports() -> Iterator[tuple[int, int]]:
    with serving() as found:
        yield found


class Peer(NamedTuple):
    """Where it is, the options that go with it, and where the test itself may ask."""

    base: str
    options: dict[str, Any]
    side: str

    async def ask(self, path: str, method: str = "GET") -> None:
        request = Request(self.side + path, method=method)  # noqa: S310 - loopback
        await asyncio.to_thread(lambda: urlopen(request).read())  # noqa: S310 - loopback


@pytest.fixture(params=["1.1", "2"])
def peer(request: pytest.FixtureRequest, ports: tuple[int, int]) -> Peer:
    first, second = (f"http://127.0.0.1:{port}" for port in ports)
    return Peer(second if request.param == "2" else first, {"http": request.param}, first)


def messages(journal: Watched) -> list[tuple[str, bytes]]:
    return [(one.channel, one.payload) for one in rows(journal)]


def rows(journal: Watched, kind: Kind = Kind.MESSAGE) -> list[Record]:
    return [record for record in journal.records if record.kind == kind]


def meta(record: Record) -> Any:
    return json.loads(record.meta or "{}")


async def test_a_stream_that_ends_goes_on_after_its_last_id(peer: Peer) -> None:
    base, options, _ = peer
    async with connecting(f"sse+{base}/count?n=3", policy=QUICK, **options) as (connection, journal):
        await eventually(lambda: len(rows(journal)) >= 9)
        assert [json.loads(payload)["n"] for _, payload in messages(journal)[:9]] == list(range(1, 10))
        assert [meta(one)["id"] for one in rows(journal)[:9]] == [str(n) for n in range(1, 10)]
        assert connection.opened >= 3
        assert f"HTTP/{options['http']}" in str(connection.details)


async def test_a_count_of_zero_is_no_error(peer: Peer) -> None:
    base, options, _ = peer
    async with connecting(f"sse+{base}/count?n=0", policy=QUICK, **options) as (connection, journal):
        await eventually(lambda: connection.opened >= 3)
        assert not rows(journal)
        assert not rows(journal, Kind.ERROR)


@pytest.mark.parametrize("press", ["gzip", "deflate", "br"])
async def test_compression_does_not_hold_events_back(peer: Peer, press: str) -> None:
    base, options, _ = peer
    async with connecting(f"sse+{base}/pressed?with={press}", **options) as (_, journal):
        await eventually(lambda: messages(journal) == [("message", b"first")])
        await peer.ask("/more")
        await eventually(lambda: len(messages(journal)) == 2)


async def test_byte_by_byte(peer: Peer) -> None:
    base, options, _ = peer
    _, journal = await end_of(f"sse+{base}/bytes", **options)
    assert messages(journal) == [("český", "🎉 one\n\n two".encode()), ("message", b"last")]
    assert [meta(one).get("id") for one in rows(journal)] == ["7", None]


async def test_hints_before_and_trailers_behind(ports: tuple[int, int]) -> None:
    connection, journal = await end_of(f"sse+http://127.0.0.1:{ports[0]}/hints")
    assert messages(journal) == [("message", b"after hints")]
    assert connection.fault is not None
    assert connection.fault.kind == "closed"


async def test_a_destroyed_socket_is_a_loss(peer: Peer) -> None:
    base, options, _ = peer
    connection, journal = await end_of(f"sse+{base}/destroy", **options)
    assert messages(journal) == [("message", b"whole")]
    assert connection.fault is not None
    assert connection.fault.kind == "lost"


async def test_what_is_asked_for_arrives(peer: Peer) -> None:
    base, options, _ = peer
    _, journal = await end_of(
        f"sse+{base}/echo?a=1",
        method="POST",
        data='{"stream": true}',
        headers={"X-Mine": "yes"},
        query={"b": "2 +"},
        cookies={"sid": "s3"},
        token="t0ken",
        last_event_id="41",
        **options,
    )
    ((_, payload),) = messages(journal)
    heard = json.loads(payload)
    assert (heard["method"], heard["body"]) == ("POST", '{"stream": true}')
    assert heard["url"] in {"/echo?a=1&b=2+%2B", "/echo?a=1&b=2%20%2B"}
    wanted = {
        "x-mine": "yes",
        "last-event-id": "41",
        "accept": "text/event-stream",
        "content-type": "application/json",
        "content-length": "16",
    }
    assert {name: heard["headers"].get(name) for name in wanted} == wanted
    assert "sid" in heard["headers"]["cookie"]


async def test_204_ends_for_good(peer: Peer) -> None:
    base, options, _ = peer
    async with connecting(f"sse+{base}/gone", policy=QUICK, retry_first=True, **options) as (connection, journal):
        async with asyncio.timeout(PATIENCE):
            await connection.wait_closed()
        assert connection.fault is None
        assert not rows(journal, Kind.RECONNECT)


async def test_a_resource_is_asked_for_by_its_tag(peer: Peer) -> None:
    base, options, _ = peer
    changes = {"every": 0.02, "only_changes": True, **options}
    async with connecting(f"poll+{base}/resource", **changes) as (_, journal):
        await eventually(lambda: rows(journal))
        await peer.ask("/resource", "PUT")
        await eventually(lambda: len(rows(journal)) == 2)
        first, second = (json.loads(payload)["version"] for _, payload in messages(journal))
        assert second == first + 1
        assert meta(rows(journal)[0])["status"] == 200
        assert not rows(journal, Kind.ERROR)


async def test_unchanged_answers_are_rows_unless_only_changes_are_wanted(peer: Peer) -> None:
    base, options, _ = peer
    async with connecting(f"poll+{base}/resource", every=0.01, **options) as (_, journal):
        await eventually(lambda: len(rows(journal)) >= 4)
        assert [meta(one)["status"] for one in rows(journal)[:4]] == [200, 304, 304, 304]
        assert {one.payload for one in rows(journal)[1:4]} == {b""}


async def test_one_connection_is_kept_for_the_polls(peer: Peer) -> None:
    base, options, _ = peer
    async with connecting(f"poll+{base}/resource", every=0.01, **options) as (_, journal):
        await eventually(lambda: len(rows(journal)) >= 5)
        assert len({place_of(one) for one in rows(journal)[:5]}) == 1


async def test_a_kept_connection_that_the_server_closed_is_no_error() -> None:
    """Node ends a connection just as we are about to use it."""
    with serving("50") as (port, _):
        async with connecting(f"poll+http://127.0.0.1:{port}/resource", every=0.05) as (connection, journal):
            await eventually(lambda: len({place_of(one) for one in rows(journal)}) >= 8)
            assert not rows(journal, Kind.ERROR)
            assert connection.opened == 1


def place_of(record: Record) -> str:
    """The number of the connection that the server saw."""
    headers = {name.lower(): value for name, value in meta(record)["headers"].items()}
    return str(headers["x-connection"])


async def test_a_queue_is_followed_by_its_cursor(peer: Peer) -> None:
    base, options, _ = peer
    follow = {"cursor": ".next", "cursor_to": "query:cursor", "items": ".items", **options}
    async with connecting(f"longpoll+{base}/queue", **follow) as (_, journal):
        await eventually(lambda: len(rows(journal)) >= 8)
        assert [json.loads(payload)["id"] for _, payload in messages(journal)[:8]] == list(range(1, 9))
        assert len({channel for channel, _ in messages(journal)}) == 1


async def test_nothing_there(peer: Peer) -> None:
    base, options, _ = peer
    for protocol in ("sse", "poll", "longpoll"):
        connection, _ = await end_of(f"{protocol}+{base}/nowhere", **options)
        assert connection.fault is not None
        assert connection.fault.meta is not None
        assert connection.fault.meta["status_code"] == 404
        assert connection.fault.meta["body"] == "nothing here\n"
