"""Against npm `ws`: a peer that shares no code with us."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from rtui.core.command import Hangup, Poke, Send
from rtui.core.event import Closed
from rtui.protocols.websocket import Options, Outgoing, WebSocket
from tests.conformance.recorder import Recorder, Run

MODULES = os.environ.get("RTUI_NODE_MODULES", "")
SCRIPT = Path(__file__).parent.parent / "node" / "ws_peer.mjs"

pytestmark = [
    pytest.mark.node,
    pytest.mark.skipif(
        not shutil.which("node") or not MODULES or not Path(MODULES, "ws").is_dir(),
        reason="needs node and RTUI_NODE_MODULES=…/node_modules with the package ws",
    ),
]


@pytest.fixture(params=["plain", "deflate"])
async def url(request: pytest.FixtureRequest) -> AsyncIterator[str]:
    flags = ["--deflate"] if request.param == "deflate" else []
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec("node", str(SCRIPT), *flags, stdin=pipe, stdout=pipe)
    assert process.stdin
    assert process.stdout
    yield f"ws://127.0.0.1:{int(await process.stdout.readline())}"
    process.stdin.close()
    await process.wait()


def run(url: str, **options: object) -> Run:
    return Run(WebSocket(), Recorder(url, Options(proxy="", **options)))  # type: ignore[arg-type]


async def test_echo_of_every_kind(url: str) -> None:
    payloads = [b"text", "čeština 🎉".encode(), b"", b"x" * 1024**2, bytes(range(256)), b"\xff\xfe"]
    async with run(f"{url}/echo", subprotocols=["v1", "v2"]) as attempt:
        await attempt.opened()
        assert attempt.link.details["subprotocol"] == "v2"
        for number, payload in enumerate(payloads, 1):
            attempt.ask(Send(id=number, payload=payload, outgoing=Outgoing(fragment=1000 * (number % 2))))
        await attempt.until(lambda: len(attempt.link.received) == len(payloads))
        assert attempt.link.payloads == payloads
        assert [event.replies_to for event in attempt.link.received] == list(range(1, len(payloads) + 1))


async def test_pings_both_ways_between_fragments(url: str) -> None:
    async with run(f"{url}/fragments", log_pings=True) as attempt:
        await attempt.opened()
        await attempt.until(lambda: b"one two" in attempt.link.payloads)
        assert b"between" in attempt.link.payloads
        attempt.ask(Poke(id=1, payload=b"hello"))
        await attempt.until(lambda: b"pinged:hello" in attempt.link.payloads)
        await attempt.until(lambda: any(event.replies_to == 1 for event in attempt.link.received))


async def test_a_burst_keeps_its_order(url: str) -> None:
    async with run(f"{url}/burst") as attempt:
        await attempt.until(lambda: len(attempt.link.received) == 20_000)
        assert [json.loads(payload)["n"] for payload in attempt.link.payloads] == list(range(20_000))
        assert {event.channel for event in attempt.link.received} == {"burst"}


async def test_closes(url: str) -> None:
    async with run(f"{url}/close") as attempt:
        closed = await attempt.closed()
        assert (closed.by, closed.code, closed.reason) == ("them", 4002, "by node")
    async with run(f"{url}/terminate") as attempt:
        closed = await attempt.closed()
        assert closed.fault
        assert closed.fault.kind == "lost"
    async with run(f"{url}/echo") as attempt:
        await attempt.opened()
        attempt.ask(Hangup(id=1, code=4003, reason="by us"))
        assert await attempt.closed() == Closed(by="us", clean=True, code=4003, reason="by us")
