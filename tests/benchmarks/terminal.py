"""A pseudo-terminal with a program in it, seen from outside."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Self

from tests.waiting import PATIENCE

_LOOKS = {"TERM": "xterm-256color", "COLORTERM": "truecolor"}
PAINTED = 1_000
"""Bytes after the switch to the alternate screen that make a first picture."""


class Terminal:
    """Runs `command` in a terminal and reads what it draws, so that it never waits for its terminal."""

    def __init__(
        self, command: Sequence[str], environment: Mapping[str, str], size: tuple[int, int] = (140, 40)
    ) -> None:
        """`size` is columns and rows."""
        self.began = self.last = time.monotonic()
        self.drawn = b""
        self.bytes = 0
        self._parent, child = pty.openpty()
        fcntl.ioctl(child, termios.TIOCSWINSZ, struct.pack("HHHH", size[1], size[0], 0, 0))
        self._process = subprocess.Popen(
            command,
            stdin=child,
            stdout=child,
            stderr=child,
            env={**environment, **_LOOKS, "COLUMNS": str(size[0]), "LINES": str(size[1])},
            start_new_session=True,
        )
        os.close(child)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + PATIENCE
        while self._process.poll() is None and time.monotonic() < deadline:
            self.read(0.05)
        self._process.kill()
        self._process.wait()
        os.close(self._parent)

    @property
    def pid(self) -> int:
        """Of the program."""
        return self._process.pid

    def press(self, keys: bytes) -> None:
        """Send `keys` as typed."""
        os.write(self._parent, keys)

    def read(self, seconds: float) -> bool:
        """Take what is drawn within `seconds`, or until something is; whether something was."""
        if not select.select([self._parent], [], [], seconds)[0]:
            return False
        try:
            piece = os.read(self._parent, 65_536)
        except OSError:  # Linux: the program closed its side
            time.sleep(min(seconds, 0.01))
            return False
        self.bytes += len(piece)
        self.last = time.monotonic()
        self.drawn = (self.drawn + piece)[-200_000:]
        return True

    def until(self, reached: Callable[[], bool]) -> float:
        """Read until `reached`; seconds since the start."""
        while not reached():
            if time.monotonic() - self.began > PATIENCE:
                raise TimeoutError(self.drawn[-500:])
            self.read(0.01)
        return time.monotonic() - self.began

    def settle(self, quiet: float = 0.4) -> None:
        """Read until nothing is drawn for `quiet` seconds."""
        while self.read(quiet):
            pass

    def answer(self, keys: bytes, needle: bytes, patience: float) -> float | None:
        """Press `keys`; seconds until `needle` is drawn, None if it is not within `patience`."""
        self.drawn = b""
        sent = time.monotonic()
        self.press(keys)
        while needle not in self.drawn:
            if time.monotonic() - sent > patience:
                return None
            self.read(0.01)
        return self.last - sent

    def shows(self, needle: bytes) -> bool:
        """Whether `needle` was drawn."""
        return needle in self.drawn

    def painted(self) -> bool:
        """Whether a first picture is on the screen."""
        start = self.drawn.find(b"\x1b[?1049h")
        return start >= 0 and len(self.drawn) - start > PAINTED
