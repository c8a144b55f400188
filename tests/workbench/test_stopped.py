"""A program that was stopped and goes on: `kill -STOP`, a debugger, a laptop that slept, a shell's job control."""

from __future__ import annotations

import asyncio
import fcntl
import os
import pty
import select
import signal
import subprocess
import sys
import termios
import threading
import time
import tty
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest

from rtui.workbench.terminal import Outlet, driver_class
from tests.waiting import PATIENCE

ON_A_TERMINAL = (
    "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execv(sys.executable, sys.argv[1:])"
)


class Silent:
    """An app that takes every message."""

    async def _post_message(self, message: object) -> None:
        """Nothing."""

    def __getattr__(self, name: str) -> Any:
        return lambda *_args: None


def readers() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "textual-input"]


async def test_only_one_thread_reads_keys_however_often_it_was_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    ours, theirs = pty.openpty()
    made = driver_class()
    assert made is not None
    with os.fdopen(theirs, "w") as terminal, kept_handlers():
        monkeypatch.setattr("sys.__stderr__", terminal)
        monkeypatch.setattr("sys.__stdin__", terminal)
        driver: Any = made(Silent(), size=(80, 24))  # type: ignore[arg-type]
        assert isinstance(driver._file, Outlet)
        driver.start_application_mode()
        try:
            for _ in range(3):
                os.kill(os.getpid(), signal.SIGCONT)
                await asyncio.sleep(0)
            assert len(readers()) == 1
        finally:
            driver.stop_application_mode()
            driver.close()
            driver.exit_event.set()  # one too many would keep the tests from ending
    os.close(ours)


@contextmanager
def kept_handlers() -> Iterator[None]:
    """Leave the signals as they were."""
    numbers = (signal.SIGTSTP, signal.SIGCONT, signal.SIGWINCH, signal.SIGTTIN, signal.SIGTTOU)
    before = {number: signal.getsignal(number) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def read_until(terminal: int, word: bytes) -> None:
    seen, deadline = b"", time.monotonic() + PATIENCE
    while word not in seen:
        assert time.monotonic() < deadline, seen[-500:]
        if select.select([terminal], [], [], 0.1)[0]:
            seen += os.read(terminal, 65_536)


def read_all(terminal: int) -> None:
    """What there is, where nobody writes any more."""
    while select.select([terminal], [], [], 0)[0]:
        os.read(terminal, 65_536)


def read_to_end(terminal: int) -> None:
    """Until nobody has the other side open: Linux says EIO then."""
    with suppress(OSError):
        while select.select([terminal], [], [], PATIENCE)[0] and os.read(terminal, 65_536):
            pass


def cook(terminal: int) -> None:
    """Lines and an echo, as a shell has its terminal while a job of it is stopped."""
    attributes = termios.tcgetattr(terminal)
    attributes[tty.LFLAG] |= termios.ICANON | termios.ECHO
    attributes[tty.IFLAG] |= termios.IXON
    termios.tcsetattr(terminal, termios.TCSANOW, attributes)


def take_raw(terminal: int) -> None:
    """Read on until keys are heard one by one: of a line that is edited, ctrl+q would be XON."""
    deadline = time.monotonic() + PATIENCE
    while termios.tcgetattr(terminal)[tty.LFLAG] & termios.ICANON:
        assert time.monotonic() < deadline
        read_all(terminal)
        time.sleep(0.01)


def test_what_was_stopped_paints_all_and_hears_keys_again() -> None:
    ours, theirs = pty.openpty()
    fcntl.ioctl(ours, termios.TIOCSWINSZ, b"\x18\x00\x50\x00\x00\x00\x00\x00")
    command = [sys.executable, "-m", "rtui", "ws://127.0.0.1:9/none", "--no-capture"]
    environment = {**os.environ, "TERM": "xterm-256color"}
    process = subprocess.Popen(
        [sys.executable, "-c", ON_A_TERMINAL, *command],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=environment,
        start_new_session=True,
    )
    os.close(theirs)
    try:
        read_until(ours, b"9/none")
        for _ in range(2):
            process.send_signal(signal.SIGSTOP)
            os.waitpid(process.pid, os.WUNTRACED)
            read_all(ours)  # what it wrote before: only a new picture counts
            cook(ours)
            process.send_signal(signal.SIGCONT)
            read_until(ours, b"9/none")
            take_raw(ours)
        os.write(ours, b"\x11")
        read_to_end(ours)
        assert process.wait(PATIENCE) == 0
    finally:
        process.kill()
        process.wait()
        os.close(ours)
