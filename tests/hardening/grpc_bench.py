"""A connection to a gRPC server that a test has written down, frame by frame."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from rtui.core.backoff import Policy
from rtui.core.record import Direction, Kind, Record
from rtui.protocols.grpc import Outgoing
from rtui.runtime.hub import Connection
from tests.hardening.bench import Watched, connecting
from tests.hardening.grpc_script import (
    OK,
    PROTO,
    SERVICE,
    Asked,
    Field,
    Server,
    prefixed,
    serves,
)
from tests.hardening.peer import Script, listening
from tests.protoset import protoset
from tests.waiting import PATIENCE, eventually

QUICK = Policy(first_delay=0.01, max_delay=0.02)
MIB = 1 << 20
LIMIT = 1_000
HOSTILE = "\x1b]52;c;cm0gLXJmIC8=\x07\x1b[2J\x9b31m\u202e[/]\u2028\x00 end"


@pytest.fixture(scope="module")
def schema(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Options: no server here can be asked."""
    compiled = protoset(PROTO, tmp_path_factory.mktemp("schema") / "calls.protoset")
    return {"protoset": str(compiled), "reflection": "off", "health": False}


class Bench:
    """A connection to a script, and what came of it."""

    def __init__(self, connection: Connection, journal: Watched) -> None:
        self.connection = connection
        self.journal = journal

    def send(self, method: str, payload: bytes = b"{}", **outgoing: Any) -> int:
        return self.connection.send(payload, f"{SERVICE}/{method}", Outgoing(**outgoing))

    def rows(self, kind: Kind = Kind.MESSAGE) -> list[Record]:
        return [row for row in self.journal.records if row.kind == kind and row.direction != Direction.OUT]

    def payloads(self) -> list[bytes]:
        return [row.payload for row in self.rows()]

    async def end(self, command: int) -> dict[str, Any]:
        """The meta of the row that ends a call."""
        async with asyncio.timeout(PATIENCE):
            await self.connection.wait_outcome(command, acked=True)
        rows = [row for row in self.journal.records if row.meta and '"status"' in row.meta]
        return dict(json.loads(rows[-1].meta or ""))

    async def alive(self) -> None:
        """The connection still serves."""
        before = len(self.rows())
        self.send("Echo")
        await eventually(lambda: len(self.rows()) > before)


@asynccontextmanager
async def bench(script: Script, options: dict[str, Any], **more: Any) -> AsyncIterator[Bench]:
    with listening(script) as port:
        async with connecting(f"grpc://127.0.0.1:{port}", **options, **more) as (connection, journal):
            await connection.wait_open()
            yield Bench(connection, journal)


def first_then_echo(play: Callable[[Server, Asked], None]) -> Script:
    """`play` for every call but of Echo."""

    def answer(server: Server, asked: Asked) -> None:
        if asked.method != "Echo":
            play(server, asked)
            return
        server.head(asked.stream)
        server.data(asked.stream, prefixed(b""))
        server.trailers(asked.stream, *OK)

    return serves(answer)


def play(*data: bytes, head: tuple[Field, ...] = (), last: tuple[Field, ...] | None = OK) -> Script:
    def answer(server: Server, asked: Asked) -> None:
        server.head(asked.stream, *head)
        for one in data:
            server.data(asked.stream, one)
        if last is not None:
            server.trailers(asked.stream, *last)

    return first_then_echo(answer)
