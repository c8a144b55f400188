from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from rtui.core.backoff import Policy
from rtui.core.lifecycle import State
from rtui.core.record import Kind
from rtui.demo import websocket as demo
from rtui.runtime.hub import Connection
from tests.cli.conftest import Cli
from tests.hardening.bench import connecting, resident, residue
from tests.hardening.peer import refusing
from tests.port import reserved
from tests.waiting import PATIENCE, eventually

QUICK = Policy(first_delay=0.01, max_delay=0.02)


@pytest.fixture
def victim(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A server of its own, to be stopped and killed."""
    process = Cli(tmp_path).start("serve", "websocket", "--port-base", "0", "--with-parent", stdin=subprocess.PIPE)
    assert process.stdout is not None
    yield process, json.loads(process.stdout.readline())["url"]
    if process.poll() is None:
        os.kill(process.pid, signal.SIGCONT)
        process.kill()
    process.communicate()


async def test_a_killed_server_is_noticed_at_once(victim: tuple[subprocess.Popen[str], str]) -> None:
    process, url = victim
    async with connecting(f"{url}/ticker?rate=100", policy=QUICK) as (connection, _):
        await connection.wait_open()
        process.kill()
        await eventually(lambda: connection.state is State.WAITING or connection.fault)
        assert connection.opened == 1


async def test_a_stopped_server_is_stale_before_it_is_lost(victim: tuple[subprocess.Popen[str], str]) -> None:
    process, url = victim
    async with connecting(f"{url}/echo", ping_interval=0.3, ping_timeout=3.0) as (connection, journal):
        await connection.wait_open()
        os.kill(process.pid, signal.SIGSTOP)
        await eventually(lambda: connection.stalled)
        assert connection.state is State.OPEN
        assert "no pong for" in connection.stalled
        await asyncio.wait_for(connection.wait_closed(), PATIENCE)
        assert connection.fault is not None
        assert connection.fault.title == "The server stopped answering"
        assert any(b"stopped answering" in text for text in journal.payloads(Kind.CLOSE))


async def test_a_server_that_goes_on_in_time_is_not_lost(victim: tuple[subprocess.Popen[str], str]) -> None:
    process, url = victim
    async with connecting(f"{url}/ticker?rate=100", ping_interval=0.2, ping_timeout=8.0) as (connection, _):
        await connection.wait_open()
        os.kill(process.pid, signal.SIGSTOP)
        await eventually(lambda: connection.stalled)
        os.kill(process.pid, signal.SIGCONT)
        await eventually(lambda: not connection.stalled)
        assert (connection.state, connection.opened) == (State.OPEN, 1)


async def test_fifty_restarts_leave_nothing_behind() -> None:
    with reserved() as port:
        before, memory = residue(), 0
        async with connecting(f"ws://127.0.0.1:{port}/ticker?rate=500", policy=QUICK, retry_first=True) as (
            connection,
            journal,
        ):
            for round_ in range(1, 51):
                server = await demo.serve(port=port)
                await eventually(partial(opened, connection, round_))
                await server.close()
                if round_ == 10:
                    memory = resident()
            await eventually(lambda: connection.state is not State.OPEN)
            kinds = [record.kind for record in journal.records]
            assert kinds.count(Kind.OPEN) == kinds.count(Kind.CLOSE) - connection_refusals(journal) == 50
            assert kinds.count(Kind.GAP) == 49
        assert resident() - memory < 24 << 20
        await eventually(lambda: residue() <= before)


def opened(connection: Connection, times: int) -> bool:
    return connection.opened == times


def connection_refusals(journal: Any) -> int:
    return sum(b"refused" in text for text in journal.payloads(Kind.CLOSE))


async def test_a_port_that_is_taken_by_nobody_costs_nothing() -> None:
    """Attempt after attempt is refused: no descriptor, task or thread may stay."""
    with refusing() as port:
        before = residue()
        async with connecting(f"ws://127.0.0.1:{port}/", policy=QUICK, retry_first=True) as (_, journal):
            await eventually(lambda: len(journal.payloads(Kind.RECONNECT)) > 50)
        await eventually(lambda: residue() <= before)
