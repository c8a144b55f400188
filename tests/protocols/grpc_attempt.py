"""One attempt to connect to a gRPC server that a test has written down."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from rtui.core.command import Send
from rtui.core.event import Notice
from rtui.core.fault import Fault
from rtui.protocols.grpc import Grpc, Options
from tests.conformance.recorder import Recorder, Run
from tests.conformance.suite import fault_of
from tests.protocols.grpc_peer import GrpcPeer, Script, Served, grpc_serving
from tests.waiting import PATIENCE


def attempt(url: str, **options: Any) -> Run:
    return Run(Grpc(), Recorder(url, Options(**{"proxy": "", "timeout": PATIENCE, **options})))


async def fault_at(url: str, **options: Any) -> Fault:
    async with attempt(url, **options) as run:
        return await fault_of(run)


@asynccontextmanager
async def against(script: Script, **options: Any) -> AsyncIterator[tuple[Run, GrpcPeer]]:
    """An open connection to a server whose calls go as `script` says."""
    async with grpc_serving(script) as peer, attempt(peer.url(), **options) as run:
        await run.opened()
        yield run, peer


async def failed(run: Run, command: int = 1) -> Notice:
    """How the call that `command` opened failed."""
    await run.until(lambda: [notice for notice in run.notices() if notice.command == command])
    (notice,) = [notice for notice in run.notices() if notice.command == command]
    assert notice.fault
    return notice


async def asked(script: Script, method: str = "Unary", payload: bytes = b"{}", **options: Any) -> Notice:
    """How one call fails with such a server."""
    async with against(script, **options) as (run, _):
        run.ask(Send(id=1, channel=f"t.Calls/{method}", payload=payload))
        return await failed(run)


async def echo(call: Served) -> None:
    call.head()
    async for message in call.requests():
        call.say(message)
    call.end()
