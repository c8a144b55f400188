"""A bad line, simulated: runs a program in a terminal and passes its bytes on late and slowly.

    python -m tests.benchmarks.line [--delay 50ms] [--rate 1mbit] -- rtui demo

Like a line, it holds only so much: while that is full nothing is read from the program, whose writes then wait. The
program is told that it is reached over SSH.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import pty
import select
import signal
import sys
import termios
import time
import tty
from collections import deque
from collections.abc import Sequence

PACKET = 1_448
"""Bytes that arrive together: what an Ethernet frame carries of TCP."""
BUFFER = 32_768
"""Bytes that wait at most in front of the bottleneck."""
LOOK = 0.05
"""Seconds between two looks at a line with nothing under way, which may have room again."""
SSH = "192.0.2.1 50022 192.0.2.2 22"
"""Addresses for documentation (RFC 5737)."""


class Lane:
    """One direction: `rate` bytes a second, each `delay` seconds under way. No clock of its own."""

    def __init__(self, delay: float, rate: float) -> None:
        self._delay, self._rate = delay, rate
        self._free = 0.0
        """When the bottleneck has passed on all that it was given."""
        self._under_way: deque[tuple[float, bytes]] = deque()

    def put(self, data: bytes, now: float) -> None:
        """Hand `data` to the line."""
        for start in range(0, len(data), PACKET):
            packet = data[start : start + PACKET]
            self._free = max(self._free, now) + len(packet) / self._rate
            self._under_way.append((self._free + self._delay, packet))

    def take(self, now: float) -> bytes:
        """What has arrived."""
        arrived = []
        while self._under_way and self._under_way[0][0] <= now:
            arrived.append(self._under_way.popleft()[1])
        return b"".join(arrived)

    def waiting(self, now: float) -> float:
        """Bytes in front of the bottleneck."""
        return max(0.0, self._free - now) * self._rate

    def patience(self, now: float) -> float:
        """Seconds until something arrives; `LOOK` while nothing is under way."""
        return max(0.0, self._under_way[0][0] - now) if self._under_way else LOOK

    @property
    def empty(self) -> bool:
        """Whether nothing is under way."""
        return not self._under_way


class Relay:
    """The terminal on one side, the program's own on the other, and the line between."""

    def __init__(self, program: int, delay: float, rate: float) -> None:
        self._program = program
        self._keys, self._picture = Lane(delay, rate), Lane(delay, rate)
        self._ours = sys.stdin.fileno()
        self._sources = {self._ours: self._keys, program: self._picture}

    def run(self) -> None:
        """Until the program has closed its terminal and its last byte has arrived."""
        while self._program in self._sources or not self._picture.empty:
            now = time.monotonic()
            _write(sys.stdout.fileno(), self._picture.take(now))
            keys = self._keys.take(now)
            if self._program in self._sources:
                _write(self._program, keys)
            open_ = [source for source, lane in self._sources.items() if lane.waiting(now) < BUFFER]
            for source in select.select(open_, [], [], self._patience(now))[0]:
                self._read(source)

    def _patience(self, now: float) -> float:
        return min(self._keys.patience(now), self._picture.patience(now))

    def _read(self, source: int) -> None:
        try:
            data = os.read(source, 4 * PACKET)
        except OSError:  # Linux: the program has closed its side
            data = b""
        self._sources[source].put(data, time.monotonic())
        if not data:
            del self._sources[source]


def _write(sink: int, data: bytes) -> None:
    while data:
        data = data[os.write(sink, data) :]


def _same_size(program: int) -> None:
    """The program's terminal becomes as large as ours."""
    size = fcntl.ioctl(sys.stdin.fileno(), termios.TIOCGWINSZ, bytes(8))
    fcntl.ioctl(program, termios.TIOCSWINSZ, size)


def run(command: Sequence[str], delay: float, rate: float) -> int:
    """Run `command` behind a line; its exit status."""
    size = fcntl.ioctl(sys.stdin.fileno(), termios.TIOCGWINSZ, bytes(8))
    process, program = pty.fork()
    if not process:
        fcntl.ioctl(0, termios.TIOCSWINSZ, size)  # here, not by us: it may look before we are given the CPU again
        os.execvpe(command[0], list(command), {**os.environ, "SSH_CONNECTION": SSH, "SSH_TTY": os.ttyname(0)})  # noqa: S606
    signal.signal(signal.SIGWINCH, lambda *_: _same_size(program))
    _same_size(program)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, _: os.kill(process, number))
    before = termios.tcgetattr(sys.stdin.fileno())
    tty.setraw(sys.stdin.fileno())
    try:
        Relay(program, delay, rate).run()
    finally:
        termios.tcsetattr(sys.stdin.fileno(), termios.TCSADRAIN, before)
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])


def seconds(text: str) -> float:
    """`50ms` or `1s`."""
    return float(text[:-2]) / 1000 if text.endswith("ms") else float(text.removesuffix("s"))


def bytes_per_second(text: str) -> float:
    """`1mbit` or `56kbit`."""
    for unit, bits in (("mbit", 1e6), ("kbit", 1e3)):
        if text.endswith(unit):
            return float(text.removesuffix(unit)) * bits / 8
    raise argparse.ArgumentTypeError("give 1mbit or 56kbit")


def main(arguments: Sequence[str]) -> int:
    """See the head of this file."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.line")
    parser.add_argument("--delay", type=seconds, default=0.05, help="one way; default 50ms")
    parser.add_argument("--rate", type=bytes_per_second, default=125_000.0, help="each way; default 1mbit")
    parser.add_argument("command", nargs=argparse.REMAINDER, help="-- PROGRAM ARG ...")
    options = parser.parse_args(arguments)
    return run(options.command[options.command[:1] == ["--"] :], options.delay, options.rate)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
