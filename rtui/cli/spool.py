"""stdout for a running connection: what is printed waits here for its reader, not in the event loop.

A reader that stops must hold up neither pings nor `--for` nor signals. So a thread does the writing, and what waits
for it is bounded: `full` tells the receiver to wait, which slows the peer down to the reader's pace.
"""

from __future__ import annotations

import asyncio
import os
import stat
import threading
import time
from collections import deque
from types import TracebackType
from typing import Final, Self

from rtui.cli.output import STDOUT, for_terminal

MOST: Final = 4 << 20
"""Bytes that may wait for the reader."""
POLL: Final = 0.005
"""Seconds between looks at a reader that is behind."""
GRACE: Final = 2.0
"""Seconds without any progress after which a reader counts as stopped."""


class Spool:
    """Takes whole lines at once and hands them to stdout in order; an async context manager."""

    def __init__(self, descriptor: int = STDOUT) -> None:
        self.terminal = os.isatty(descriptor)
        self.ended = False
        """The reader is gone, or cannot be written to: `error` says why. Writing does nothing any more."""
        self.error: OSError | None = None
        """What went wrong, other than that the reader left."""
        self._descriptor = descriptor
        # A file takes what it is given: no thread is needed, and none of its switches.
        self._direct = stat.S_ISREG(os.fstat(descriptor).st_mode)
        self._chunks: deque[bytes] = deque()
        self._taken = self._written = 0
        self._moved_at = time.monotonic()
        self._wake = threading.Event()
        self._closing = False
        self._gone = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._thread: threading.Thread | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # The thread may be inside a write that never returns; it is a daemon and ends with the process.
        self._closing = True
        self._wake.set()

    def write(self, data: bytes) -> None:
        """Print `data` whole, now or when the reader has room. What goes to a terminal is made safe for it first."""
        if self.ended or not data:
            return
        if self.terminal:
            data = for_terminal(data)
        if not self.waiting:
            self._moved_at = time.monotonic()
        self._taken += len(data)
        if self._direct:
            self._put(data)
            return
        self._chunks.append(data)
        if not self._wake.is_set():
            self._wake.set()
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="stdout", daemon=True)
            self._thread.start()

    @property
    def waiting(self) -> int:
        """Bytes that the reader has not taken."""
        return 0 if self.ended else self._taken - self._written

    @property
    def full(self) -> bool:
        """Whether whoever prints should wait."""
        return self.waiting > MOST

    @property
    def stopped(self) -> bool:
        """Whether the reader takes nothing any more."""
        return self.silent_for > GRACE

    @property
    def silent_for(self) -> float:
        """Seconds since the reader took anything of what waits for it."""
        return time.monotonic() - self._moved_at if self.waiting else 0.0

    async def gone(self) -> None:
        """Until the reader is gone."""
        await self._gone.wait()

    async def room(self) -> None:
        """Until there is room for more."""
        while self.full:  # noqa: ASYNC110 - the thread sets no event for each write
            await asyncio.sleep(POLL)

    async def drained(self, grace: float | None) -> None:
        """Until the reader took everything, or nothing for `grace` seconds; None waits for as long as it takes.

        Raises:
            OSError: stdout cannot be written to.
        """
        while self.waiting and (grace is None or self.silent_for < grace):  # noqa: ASYNC110 - as above
            await asyncio.sleep(POLL)
        if self.error is not None:
            raise self.error

    def _run(self) -> None:
        chunks = self._chunks
        while not self.ended:
            self._wake.wait()
            self._wake.clear()
            while chunks and not self.ended:
                some = [chunks.popleft() for _ in range(len(chunks))]
                self._put(some[0] if len(some) == 1 else b"".join(some))
            if self._closing:
                return

    def _put(self, data: bytes) -> None:
        view = memoryview(data)
        try:
            while view:
                count = os.write(self._descriptor, view[:65_536] if self._thread else view)
                view = view[count:]
                self._written += count
                self._moved_at = time.monotonic()
        except OSError as error:
            self._end(error)

    def _end(self, error: OSError) -> None:
        if not isinstance(error, BrokenPipeError):
            self.error = OSError(error.errno, error.strerror, "stdout")
        self.ended = True
        try:
            self._loop.call_soon_threadsafe(self._gone.set)
        except RuntimeError:
            return  # the loop is over, and with it everybody who could wait
