"""What `rtui send` does while it is connected: payloads out, replies counted."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import msgspec

from rtui.cli.live import Remarks, beyond_end, until_open, why_not_open
from rtui.cli.printer import Printer
from rtui.cli.report import note
from rtui.cli.status import Status
from rtui.core.fault import Failure, Fault
from rtui.core.record import Direction, Kind, Record
from rtui.runtime.hub import Connection
from rtui.settings.message import written
from rtui.settings.session_model import PayloadFormat
from rtui.settings.template import Renderer

STDIN: Final = "-"
STDIN_DESCRIPTOR: Final = 0
READ_AHEAD: Final = 1 << 20
"""Bytes of stdin that are read before they can be sent; the last line of them may be longer."""
LINE_COST: Final = 1_000
"""Bytes that a line counts besides its own."""
AT_ONCE: Final = 256
"""Messages handed to the connection before their sending is awaited."""


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What to send, how, and what to wait for."""

    data: str | None
    channel: str
    outgoing: Any
    binary: PayloadFormat | None
    protobuf: Callable[[bytes], bytes] | None = None
    """From JSON to the message that it means, where `binary` is protobuf."""
    ack: bool
    wait: int | None
    duration: float | None
    every: float
    times: int | None
    format: str | None
    sent: bool
    calls: bool = False
    """Whether a message opens a call, whose replies are wanted in any case."""

    @property
    def from_stdin(self) -> bool:
        """Whether the messages are the lines of stdin."""
        return self.data is None or self.data == STDIN

    @property
    def replies(self) -> int | None:
        """Most replies to print; None for all, 0 where nobody asked for any."""
        return self.wait if self.calls or self.wait is not None or self.duration is not None else 0


async def payloads(wanted: Wanted, renderer: Renderer) -> AsyncIterator[bytes]:
    """What to send, one by one, paced by `--every`.

    Raises:
        Failure: if DATA is not what it should be.
    """
    if wanted.data is None or wanted.data == STDIN:
        async for line in _lines():
            yield decoded(line, wanted)
        return
    left = wanted.times or (sys.maxsize if wanted.every else 1)
    while left:
        yield _payload(wanted.data, wanted, renderer)
        left -= 1
        if left and wanted.every:
            await asyncio.sleep(wanted.every)


def _payload(data: str, wanted: Wanted, renderer: Renderer) -> bytes:
    if data.startswith("@"):
        try:
            return decoded(Path(data[1:]).read_bytes(), wanted)
        except (OSError, ValueError) as error:
            cause = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
            raise _bad_data(f"{data[1:]}: {cause}") from error
    return decoded(renderer.render(data, "DATA").encode("utf-8", "surrogateescape"), wanted)


def decoded(data: bytes, wanted: Wanted) -> bytes:
    """The bytes that `data` writes, where it writes them as hex, base64 or the JSON of a binary format.

    Raises:
        Failure: if it does not.
    """
    if wanted.binary is None:
        return data
    try:
        return written(data.decode("utf-8", "surrogateescape"), wanted.binary, wanted.protobuf)
    except Failure as failure:
        raise _bad_data(failure.fault.cause) from None


def _bad_data(cause: str) -> Failure:
    return Failure(Fault(kind="usage", side="us", title="DATA cannot be sent", cause=cause))


async def _lines() -> AsyncIterator[bytes]:
    """The lines of stdin without their ends, read as fast as they are taken.

    Raises:
        OSError: stdin cannot be read, such as a folder.
    """
    loop = asyncio.get_running_loop()
    queue: asyncio.Queue[bytes | OSError | None] = asyncio.Queue()
    ahead = _Ahead()

    def put(item: bytes | OSError | None) -> None:
        with suppress(RuntimeError):  # the loop ended meanwhile: nobody wants lines any more
            loop.call_soon_threadsafe(queue.put_nowait, item)

    def read() -> None:
        try:
            # Not sys.stdin: there is none if descriptor 0 was closed when Python started.
            for line in open(STDIN_DESCRIPTOR, "rb", closefd=False):  # noqa: SIM115 - a descriptor
                text = line.removesuffix(b"\n").removesuffix(b"\r")
                ahead.add(text)
                put(text)
        except OSError as error:
            put(OSError(error.errno, error.strerror, "stdin"))
        put(None)

    # A daemon: nothing can end a read of a terminal, and the command must end all the same.
    threading.Thread(target=read, name="stdin", daemon=True).start()
    while (line := await queue.get()) is not None:
        if isinstance(line, OSError):
            raise line
        ahead.take(line)
        yield line


class _Ahead:
    """How far a thread has read ahead of the loop; it stops where that is too far."""

    def __init__(self) -> None:
        self._bytes = 0
        self._moved = threading.Condition()

    def add(self, line: bytes) -> None:
        """Wait for room, and take it. For the thread."""
        with self._moved:
            self._moved.wait_for(lambda: self._bytes < READ_AHEAD)
            self._bytes += len(line) + LINE_COST

    def take(self, line: bytes) -> None:
        """Give it back."""
        with self._moved:
            self._bytes -= len(line) + LINE_COST
            self._moved.notify()


class Replies:
    """Counts and prints what comes back. What came before the first send is no reply.

    What the server says on its own meanwhile cannot be told from one.
    """

    def __init__(self, printer: Printer, limit: int | None) -> None:
        self.printer = printer
        self.count = 0
        self.enough = asyncio.Event()
        """As many came as are waited for."""
        self._limit = limit
        self._listening = False

    def tap(self, records: Sequence[Record]) -> None:
        """Print the replies among `records`, at most as many as are waited for."""
        kept = [record for record in records if self._keep(record)]
        self.printer.print(kept)
        if self._limit is not None and self.count >= self._limit:
            self.enough.set()

    def _keep(self, record: Record) -> bool:
        if record.kind == Kind.MESSAGE:
            if record.direction == Direction.OUT:
                self._listening = True
            elif not self._listening or (self._limit is not None and self.count >= self._limit):
                return False
            else:
                self.count += 1
        return self._listening


class Sending:
    """Waits for the connection, sends, and waits for what is to come back."""

    def __init__(self, connection: Connection, wanted: Wanted, replies: Replies, remarks: Remarks) -> None:
        self.status: int = Status.DONE
        self.timed_out = False
        """Whether `--for` ended the wait for replies."""
        self.complete = False
        """Whether everything was sent and nothing more is waited for."""
        self._connection = connection
        self._wanted = wanted
        self._replies = replies
        self._remarks = remarks

    async def run(self, first: bytes | None, more: AsyncIterator[bytes]) -> None:
        """Do all of it; `status` tells how it went."""
        if not await until_open(self._connection):
            self.status = why_not_open(self._connection)
            return
        if await self._send_all(first, more):
            self.complete = not self._wanted.wait
            await self._await_replies()

    async def _send_all(self, first: bytes | None, more: AsyncIterator[bytes]) -> bool:
        """Whether everything was sent."""
        pending: list[int] = []
        if first is not None:
            pending.append(self._hand_over(first))
        try:
            async with asyncio.timeout(self._wanted.duration if self._wanted.every else None):
                async for payload in more:
                    await self._connection.room(payload, self._wanted.channel)
                    pending.append(self._hand_over(payload))
                    # Whoever paces the messages wants to know of each; stdin is sent in bulk.
                    if self._wanted.every or len(pending) >= AT_ONCE:
                        await self._settle(pending)
        except TimeoutError:
            pass
        await self._settle(pending)
        return self.status == Status.DONE

    def _hand_over(self, payload: bytes) -> int:
        return self._connection.send(payload, self._wanted.channel, self._wanted.outgoing)

    async def _settle(self, pending: list[int]) -> None:
        """Wait until all of `pending` are sent, or acknowledged if that is wanted or comes anyway."""
        outgoing = self._wanted.outgoing
        acked = self._wanted.ack or (outgoing is not None and outgoing.confirmed)
        for command in pending:
            outcome = await self._connection.wait_outcome(command, acked=acked)
            if isinstance(outcome, Fault) and self.status == Status.DONE:
                self.status = await self._failed(outcome, command)
        pending.clear()

    async def _failed(self, fault: Fault, command: int) -> int:
        await beyond_end(self._connection, fault)
        self._remarks.report(fault)
        ours = fault.kind in {"usage", "limit"} and not self._connection.was_sent(command)
        return Status.USAGE if ours else Status.FAILED

    async def _await_replies(self) -> None:
        wait, duration = self._wanted.wait, self._wanted.duration
        if not wait and (duration is None or self._wanted.every):
            return
        try:
            async with asyncio.timeout(duration):
                await (self._replies.enough if wait else asyncio.Event()).wait()
        except TimeoutError:
            self.timed_out = True
            if wait:
                note(f"time ran out after {self._replies.count:,} of {wait:,} replies")
                self.status = Status.EXPIRED
