"""The samples in a run that is not the demonstration: their servers are a key away."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec
from textual.pilot import Pilot

from rtui.capture.journal import Journal
from rtui.cli.target import declares_for
from rtui.core.lifecycle import State
from rtui.demo import websocket as demo
from rtui.runtime.hub import Connection
from rtui.settings.paths import packaged
from rtui.settings.session import Session, load_session
from rtui.workbench.app import Workbench
from rtui.workbench.widgets.footer import KeyLine
from tests.workbench.conftest import running, until


class Servers:
    """What `rtui` hands to the workbench, with one server in this process."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._server: demo.Server | None = None

    @property
    def running(self) -> bool:
        return self._server is not None

    async def start(self) -> None:
        self._server = await demo.serve("127.0.0.1", self.port)

    async def stop(self) -> None:
        if self._server is not None:
            await self._server.close()
            self._server = None


@asynccontextmanager
async def bench_beside(journal: Journal, servers: Servers) -> AsyncIterator[tuple[Workbench, Pilot[Any]]]:
    """A workbench whose samples find nobody at first."""
    try:
        async with running(journal, demo=servers) as (bench, pilot):
            yield bench, pilot
    finally:
        await servers.stop()


def sample(port: int) -> Session:
    session = load_session(packaged("sessions") / "demo" / "echo.toml", declares_for)
    return msgspec.structs.replace(session, url=f"ws://127.0.0.1:{port}/echo")


def opened(bench: Workbench, session: Session) -> Connection:
    bench.connect(session)
    return bench.desk.sure


def footer(bench: Workbench) -> list[str]:
    return [hint.title for hint in bench.desk.query_one(KeyLine).hints]


async def test_a_sample_without_its_server_says_which_key_starts_it(journal: Journal, port: int) -> None:
    servers = Servers(port)
    async with bench_beside(journal, servers) as (bench, pilot):
        connection = opened(bench, sample(port))
        await until(pilot, lambda: connection.state is State.WAITING, "refused")
        await until(pilot, lambda: "Start servers" in footer(bench), "offered")
        await pilot.press("D")
        await until(pilot, lambda: connection.state is State.OPEN, "connected")
        await until(pilot, lambda: "Start servers" not in footer(bench), "taken away")
        assert bench.live, "this is no demonstration: its tabs are kept"


async def test_what_is_no_sample_is_not_offered_the_servers(journal: Journal, port: int) -> None:
    servers = Servers(port)
    async with bench_beside(journal, servers) as (bench, pilot):
        connection = opened(bench, msgspec.structs.replace(sample(port), path=None))
        await until(pilot, lambda: connection.state is State.WAITING, "refused")
        await pilot.pause(0.1)
        assert "Start servers" not in footer(bench)
