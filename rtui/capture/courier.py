"""Hands batches to the writer process and learns what is stored.

Three threads meet here, without locks:

    loop      post() appends to two deques
    feeder    takes from the outbox and writes to the child; starts the child again when it died
    listener  reads the child's reports and drops what is stored

Each counter is written by one thread only; appending to and taking from a deque is atomic.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Final, NamedTuple

from rtui.capture.writer import HEADER, LINKS, RECORDS, REPORT

GATHER: Final = 0.010
"""Seconds that batches are gathered before they are handed over."""
LAG_BYTES: Final = 16 << 20
"""Unstored bytes above which receivers should wait."""
MAX_BYTES: Final = 64 << 20
"""Unstored bytes above which the oldest are given up."""
_OVERHEAD: Final = 200
"""Bytes that keeping one frame costs besides its data."""
_BOOT: Final = """
import sys
sys.path[:] = sys.argv[3:]
from rtui.capture.writer import main
main(sys.argv[1], int(sys.argv[2]))
"""
"""The child gets our module path: it finds what we found, however rtui was installed, and starts without `site`."""


class Frame(NamedTuple):
    """One batch on its way."""

    number: int
    first: int
    last: int
    records: int
    """How many; 0 when it carries a row of the table of links."""
    link: int
    """The link of every record in it, if their sequences have no gaps either; else 0."""
    kind: int
    data: bytes


class Courier:
    """The parent's end of the writer process."""

    def __init__(self, path: Path, committed: int, lock: int | None = None, max_pages: int = 0) -> None:
        """`lock`: a descriptor that the child holds too, so that the file stays locked until it has ended."""
        self.committed = committed
        self.lost = 0
        self.starts = 0
        self.child: subprocess.Popen[bytes] | None = None
        self._path = path
        self._lock = lock
        self._max_pages = max_pages
        self._frames: deque[Frame] = deque()
        self._outbox: deque[Frame] = deque()
        self._number = 0
        self._sent = 0
        self._posted_bytes = self._stored_bytes = self._shed_bytes = 0
        self._posted = self._stored = 0
        self._why = ""
        self._why_lost = ""
        self._wake = threading.Event()
        self._closing = False
        self._abandoned = threading.Event()
        self._broken = False
        self._listener: threading.Thread | None = None
        self._spawn()
        self._feeder = threading.Thread(target=self._feed, name="capture-feeder", daemon=True)
        self._feeder.start()

    # The loop's side

    def post(self, first: int, last: int, count: int, link: int, data: bytes) -> None:
        """Hand over `count` records between the sequences `first` and `last`, encoded."""
        self._posted += count
        self._post(Frame(self._number + 1, first, last, count, link, RECORDS, data))
        if self._posted_bytes - self._stored_bytes - self._shed_bytes > MAX_BYTES:
            self._shed()

    def post_link(self, data: bytes) -> None:
        """Hand over a row of the table of links, encoded."""
        self._post(Frame(self._number + 1, 0, 0, 0, 0, LINKS, data))

    @property
    def waiting_bytes(self) -> int:
        """Size of what is not stored yet."""
        return self._posted_bytes - self._stored_bytes - self._shed_bytes

    @property
    def backlog(self) -> int:
        """Records not stored yet, and not given up."""
        return self._posted - self._stored - self.lost

    @property
    def stuck(self) -> bool:
        """Whether nothing can be stored at the moment."""
        return bool(self._why)

    @property
    def trouble(self) -> str:
        """Empty, or what stands in the way and how many messages it concerns."""
        if self._why:
            missing = self.backlog + self.lost
            return f"{self._why}: {missing:,} messages not stored" if missing else self._why
        return f"{self.lost:,} messages not stored: {self._why_lost}" if self.lost else ""

    @property
    def unstored(self) -> tuple[Frame, ...]:
        """What is not known to be stored, oldest first."""
        return tuple(self._frames)

    def close(self, deadline: float) -> None:
        """Store everything, end the child; after `deadline` seconds give up what is left."""
        self._closing = True
        self._wake.set()
        self._feeder.join(deadline)
        why = self._why  # before the end of the child overwrites it
        if self._feeder.is_alive():
            self._abandoned.set()
            if self.child is not None:
                self.child.kill()
            self._feeder.join(2.0)
            self._end_child()
        if left := self.backlog:
            self._why_lost = why or "the writer did not finish in time"
            self.lost += left
        self._why = ""

    def _post(self, frame: Frame) -> None:
        self._number = frame.number
        self._posted_bytes += len(frame.data) + _OVERHEAD
        self._frames.append(frame)
        self._outbox.append(frame)
        if not self._wake.is_set():
            self._wake.set()

    def _shed(self) -> None:
        """Give up the oldest records that are not yet on their way."""
        self._why_lost = self._why or "the writer was too slow"
        kept: list[Frame] = []
        while self._outbox and self.waiting_bytes > MAX_BYTES * 3 // 4:
            try:
                frame = self._outbox.popleft()
            except IndexError:  # the feeder took it in this moment
                break
            if frame.kind == LINKS:
                kept.append(frame)
                continue
            self._frames.remove(frame)
            self._shed_bytes += len(frame.data) + _OVERHEAD
            self.lost += frame.records
        self._outbox.extendleft(reversed(kept))

    # The feeder's side

    def _feed(self) -> None:
        while not self._abandoned.is_set():
            self._wake.wait()
            if not self._closing:
                time.sleep(GATHER)
            self._wake.clear()
            try:
                self._deliver()
            except OSError:
                self._broken = True
            if self._broken:
                self._revive()
            elif self._closing and self._finish():
                return

    def _deliver(self) -> None:
        outbox = self._outbox
        while outbox and not self._broken:
            frames: list[Frame] = []
            size = 0
            while outbox and size < 1 << 20:
                try:
                    frame = outbox.popleft()
                except IndexError:  # the loop gave it up in this moment
                    break
                frames.append(frame)
                size += len(frame.data)
            self._send(frames)

    def _send(self, frames: Sequence[Frame]) -> None:
        if not frames or self.child is None or self.child.stdin is None:
            return
        # Marked before it is written: what a dying child may have got is sent again, and ignored if stored.
        self._sent = max(self._sent, frames[-1].number)
        parts = [part for f in frames for part in (HEADER.pack(len(f.data), f.number, f.kind), f.data)]
        view = memoryview(b"".join(parts))
        while view:
            view = view[os.write(self.child.stdin.fileno(), view) :]

    def _finish(self) -> bool:
        """Close the child's input and wait for its last report; False if it died before all was stored."""
        child = self.child
        if child is None or child.stdin is None:
            return True
        child.stdin.close()
        if self._listener is not None:
            self._listener.join()
        child.wait()
        if child.stdout is not None:
            child.stdout.close()
        if self._frames and not self._abandoned.is_set():
            self._revive()
            return False
        return True

    def _revive(self) -> None:
        """Start the child again and send what it had not confirmed."""
        self._end_child()
        # The first restart is immediate; a child that dies at once is not started more than twice a second.
        if self._abandoned.wait(0.5 if self.starts > 1 else 0.0):
            return
        try:
            self._spawn()
            self._send([frame for frame in self.unstored if frame.number <= self._sent])
        except OSError as error:
            self._why = f"the capture writer cannot run: {error.strerror}"
            self._broken = True
        self._wake.set()

    def _spawn(self) -> None:
        arguments = [str(self._path), str(self._max_pages), *sys.path]
        self.child = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", _BOOT, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
            pass_fds=() if self._lock is None else (self._lock,),
            # Out of the terminal's reach: Ctrl-C must not end it before it has stored everything.
            start_new_session=True,
            creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
        )
        self.starts += 1
        self._broken = False
        self._listener = threading.Thread(target=self._listen, args=(self.child,), name="capture-listener", daemon=True)
        self._listener.start()

    def _end_child(self) -> None:
        child = self.child
        if child is None:
            return
        child.kill()
        child.wait()
        for pipe in (child.stdin, child.stdout):
            if pipe is not None:
                _close(pipe)
        if self._listener is not None:
            self._listener.join()

    # The listener's side

    def _listen(self, child: subprocess.Popen[bytes]) -> None:
        source = child.stdout
        assert source is not None  # noqa: S101 - a pipe was asked for
        while head := _read(source, REPORT.size):
            number, length = REPORT.unpack(head)
            self._take_report(number, _read(source, length).decode() if length else "")
        if not self._closing or self._frames:
            self._why = "the capture writer stopped and is started again"
            self._broken = True
            self._wake.set()

    def _take_report(self, number: int, text: str) -> None:
        self._why = text
        frames = self._frames
        while frames and frames[0].number <= number:
            frame = frames[0]
            if frame.kind == RECORDS:
                self.committed = max(self.committed, frame.last)
                self._stored += frame.records
            self._stored_bytes += len(frame.data) + _OVERHEAD
            frames.popleft()


def _read(source: IO[bytes], size: int) -> bytes:
    """Exactly `size` bytes, or b"" at the end."""
    data = b""
    while len(data) < size:
        try:
            part = source.read(size - len(data))
        except (OSError, ValueError):
            return b""
        if not part:
            return b""
        data += part
    return data


def _close(pipe: IO[bytes]) -> None:
    try:
        pipe.close()
    except OSError:
        return
