"""Google's servers for Node and for Python in processes of their own, and a talk with either."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rtui.core.command import Cancel, HalfClose, Send
from rtui.core.event import Acknowledged, Notice, Received
from rtui.protocols.grpc import Grpc, Options, Outgoing
from tests.conformance.recorder import Recorder, Run
from tests.waiting import PATIENCE

SERVICE = "foreign.v1.Calls"
MODULES = os.environ.get("RTUI_NODE_MODULES", "")
PROTOS = Path(__file__).parent / "foreign"
NODE = ("node", str(Path(__file__).parent.parent / "node" / "grpc_peer.mjs"))
GRPCIO = (sys.executable, "-m", "tests.protocols.grpcio_peer")


class Foreign:
    """A server in a process of its own."""

    def __init__(self, name: str, process: subprocess.Popen[bytes]) -> None:
        assert process.stdin
        assert process.stdout
        self.name = name
        self._input = process.stdin
        self.port = int(json.loads(process.stdout.readline())["port"])

    def url(self, method: str = "", scheme: str = "grpc") -> str:
        return f"{scheme}://localhost:{self.port}" + (f"/{SERVICE}/{method}" if method else "")

    def talk(self, method: str = "", scheme: str = "grpc", **options: Any) -> Talk:
        return Talk(self.url(method, scheme), **options)

    def shut_down(self) -> None:
        """Ask for a polite end."""
        self._input.write(b"end\n")
        self._input.flush()


@contextmanager
def running(name: str, *flags: str) -> Iterator[Foreign]:
    """The server of that name, until the end of the block."""
    words = (*(NODE if name == "node" else GRPCIO), *flags)
    pipe = subprocess.PIPE
    with subprocess.Popen(words, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL) as process:
        yield Foreign(name, process)
        process.communicate()


class Talk(Run):
    """One attempt against such a server; the methods have short names."""

    def __init__(self, url: str, **options: Any) -> None:
        super().__init__(Grpc(), Recorder(url, Options(**{"proxy": "", "timeout": PATIENCE, **options})))
        self._last = 0

    def send(self, method: str, payload: Any = None, **outgoing: Any) -> int:
        self._last += 1
        text = b"" if payload is None else json.dumps(payload).encode()
        self.ask(Send(id=self._last, channel=f"{SERVICE}/{method}", payload=text, outgoing=Outgoing(**outgoing)))
        return self._last

    def half_close(self, method: str) -> None:
        self._last += 1
        self.ask(HalfClose(id=self._last, channel=f"{SERVICE}/{method}"))

    def cancel(self, method: str) -> None:
        self._last += 1
        self.ask(Cancel(id=self._last, channel=f"{SERVICE}/{method}"))

    def answers(self, method: str) -> list[Received]:
        return [event for event in self.link.received if event.channel == f"{SERVICE}/{method}"]

    def said(self, method: str) -> list[Any]:
        return [json.loads(event.payload) for event in self.answers(method)]

    async def asked(self, method: str, payload: Any = None, **outgoing: Any) -> Received:
        """The one answer to a unary call."""
        before = len(self.answers(method))
        command = self.send(method, payload, **outgoing)
        await self.until(lambda: len(self.answers(method)) > before or self.refused(command))
        assert not self.refused(command), self.refused(command)
        answer = self.answers(method)[-1]
        assert answer.replies_to == command
        return answer

    def refused(self, command: int) -> list[Notice]:
        return [notice for notice in self.notices() if notice.command == command and notice.fault]

    async def failed(self, command: int) -> Notice:
        await self.until(lambda: self.refused(command))
        (notice,) = self.refused(command)
        return notice

    async def ended(self, command: int) -> dict[str, Any]:
        """What an OK said at the end of a stream."""

        def found() -> list[Acknowledged]:
            return [event for event in self.link.of(Acknowledged) if event.command == command]

        await self.until(lambda: found() or self.refused(command))
        assert not self.refused(command), self.refused(command)
        return dict(found()[0].meta or {})
