"""Hub, supervisor and adapter as in the program, around one connection to a raw peer."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

from rtui.capture.journal import Journal
from rtui.cli.unstored import Unstored
from rtui.core.backoff import Policy
from rtui.core.fault import Fault
from rtui.core.record import Kind, Record
from rtui.runtime.hub import Connection, Hub
from rtui.settings.secrets import Secrets
from rtui.settings.session import Session
from tests.waiting import PATIENCE


class Watched(Unstored):
    """A journal that keeps what passes."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[Record] = []
        self.taps.append(self._keep)

    def _keep(self, records: Sequence[Record]) -> None:
        self.records += records

    def payloads(self, kind: Kind = Kind.MESSAGE) -> list[bytes]:
        return [record.payload for record in self.records if record.kind == kind]


@asynccontextmanager
async def connecting(
    url: str, *, policy: Policy | None = None, retry_first: bool = False, **options: Any
) -> AsyncIterator[tuple[Connection, Watched]]:
    """A connection that the hub is opening; by default, one attempt."""
    journal = Watched()
    hub = Hub(cast("Journal", journal))
    session = Session(
        name="peer",
        url=url,
        options={"proxy": "", **options},
        reconnect=policy or Policy(enabled=False),
    )
    try:
        yield hub.open(session, Secrets(), retry_first=retry_first), journal
    finally:
        await hub.close_all()


async def end_of(url: str, **options: Any) -> tuple[Connection, Watched]:
    """How one attempt ends by itself."""
    async with connecting(url, **options) as (connection, journal):
        async with asyncio.timeout(PATIENCE):
            await connection.wait_closed()
        return connection, journal


async def fault_of(url: str, **options: Any) -> Fault:
    connection, _ = await end_of(url, **options)
    assert connection.fault is not None
    assert connection.fault.title
    assert "report" not in connection.fault.hint, connection.fault
    return connection.fault


def residue() -> tuple[int, int, int]:
    """Tasks, descriptors and threads of this process; asyncio keeps its few threads for name look-ups."""
    threads = [thread for thread in threading.enumerate() if not thread.name.startswith("asyncio_")]
    return len(asyncio.all_tasks()), len(list(Path("/proc/self/fd").iterdir())), len(threads)


def resident() -> int:
    """Bytes of memory in use."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")
