"""Asking the terminal what it can do, with a short time-out, and giving it back as it was whatever happens.

Every terminal answers DA1 (`CSI c`), so it is asked last: its answer says that the others have come or never will.
"""

from __future__ import annotations

import os
import re
import select
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import msgspec

PATIENCE: Final = 1.0
"""Seconds for all answers; a line around the world needs some 0.3."""
SYNC, MOUSE = 2026, 1006
QUESTIONS: Final = f"\x1b[?{SYNC}$p\x1b[?{MOUSE}$p\x1b[?u"
"""DECRQM of synchronised output and of SGR mouse reports; the state of Kitty's keyboard protocol."""
SAMPLES: Final = {"wide": ("世", 2), "combined": ("e\u0301", 1), "glyph": ("→", 1), "emoji": ("🚀", 2)}
"""What the width of characters is measured with, and the cells that rtui counts for each."""
_WHERE: Final = "\x1b[6n"
_LAST: Final = "\x1b[c"
_MODE: Final = re.compile(rb"\x1b\[\?(\d+);(\d)\$y")
_COLUMN: Final = re.compile(rb"\x1b\[\d+;(\d+)R")
_KEYS: Final = re.compile(rb"\x1b\[\?\d+u")
_DEVICE: Final = re.compile(rb"\x1b\[\?([\d;]*)c")
_CLIPBOARD: Final = "52"


class Answers(msgspec.Struct, frozen=True, kw_only=True):
    """What a terminal said of itself. None: it did not say."""

    device: bool = False
    """Whether it answered at all."""
    modes: dict[int, bool] = {}
    """Private modes by number: whether it knows them (DECRPM other than 0)."""
    keyboard: bool = False
    """Whether it speaks Kitty's keyboard protocol."""
    clipboard: bool = False
    """Whether its device attributes name OSC 52; most terminals that take it do not say so."""
    widths: dict[str, int] = {}
    """Cells it used for each of `SAMPLES`; empty if it did not say all."""


def question() -> str:
    """All that is asked, in one write. The samples are written over one another and erased."""
    measured = "".join(f"\r{text}{_WHERE}" for text, _ in SAMPLES.values())
    return f"{QUESTIONS}{measured}\r\x1b[K{_LAST}"


def understand(data: bytes) -> Answers:
    """The answers in what a terminal sent; anything else in it, such as keys typed early, is passed over."""
    device = _DEVICE.search(data)
    columns = [int(column) - 1 for column in _COLUMN.findall(data)]
    return Answers(
        device=device is not None,
        modes={int(number): state != b"0" for number, state in _MODE.findall(data)},
        keyboard=_KEYS.search(data) is not None,
        clipboard=device is not None and _CLIPBOARD in device[1].decode().split(";")[1:],
        widths=dict(zip(SAMPLES, columns, strict=True)) if len(columns) == len(SAMPLES) else {},
    )


def interview(source: int = 0, sink: int = 1, patience: float = PATIENCE) -> Answers | None:
    """Ask the terminal behind two descriptors; None where there is none, or it is another job's at the moment."""
    if not (os.isatty(source) and os.isatty(sink)) or sys.platform == "win32":
        return None
    if os.tcgetpgrp(source) != os.getpgrp():
        return None  # in the background: touching the terminal would stop us
    with _quiet(source):
        os.write(sink, question().encode())
        return understand(_listen(source, patience))


def _listen(source: int, patience: float) -> bytes:
    """What comes until the last answer, the time-out, or the end of the terminal."""
    deadline, data = time.monotonic() + patience, b""
    while not _DEVICE.search(data) and (left := deadline - time.monotonic()) > 0:
        if not select.select([source], [], [], left)[0]:
            break
        try:
            got = os.read(source, 1024)
        except OSError:  # it has gone away
            break
        if not got:
            break
        data += got
    return data


@contextmanager
def _quiet(source: int) -> Iterator[None]:
    """No echo and no waiting for Enter. Signals are held back meanwhile: none may end us before all is as it was."""
    import signal
    import termios
    import tty

    held = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGTSTP}
    before = signal.pthread_sigmask(signal.SIG_BLOCK, held)
    kept = termios.tcgetattr(source)
    try:
        tty.setcbreak(source, termios.TCSANOW)
        yield
    finally:
        # FLUSH: an answer that comes in time to be dropped must not reach the shell as if typed.
        termios.tcsetattr(source, termios.TCSAFLUSH, kept)
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
