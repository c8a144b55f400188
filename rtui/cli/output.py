"""stdout: messages and nothing else. One write per batch, partial writes finished, a closed pipe taken quietly."""

from __future__ import annotations

import os
from typing import Final

from rtui.core.clean import clean_block, decode

STDOUT: Final = 1


class Interrupted(Exception):
    """A signal came while a write waited for its reader."""


class Output:
    """Where messages are printed.

    A reader that is slow makes `write` wait, and with it the event loop and the socket: the peer is slowed down to
    the reader's pace and nothing piles up in memory. Once the reader is gone, or a signal ended the wait, `ended`
    tells so and writing does nothing.
    """

    def __init__(self, descriptor: int = STDOUT) -> None:
        self.ended = False
        self.waiting = False
        """Whether a write is under way; a signal handler must then raise `Interrupted`, or it would not be heard."""
        self._descriptor = descriptor
        self.terminal = os.isatty(descriptor)

    def write(self, data: bytes) -> None:
        """Print `data` whole. What goes to a terminal is made safe for it first."""
        if self.ended or not data:
            return
        if self.terminal:
            data = clean_block(decode(data)).encode("utf-8", "backslashreplace")
        try:
            self.waiting = True
            self._write_all(data)
        except (BrokenPipeError, Interrupted):
            self.ended = True
        finally:
            self.waiting = False

    def _write_all(self, data: bytes) -> None:
        written = os.write(self._descriptor, data)
        if written == len(data):
            return
        rest = memoryview(data)[written:]
        while rest:
            rest = rest[os.write(self._descriptor, rest) :]


def put(text: str) -> None:
    """Print lines of a listing.

    Raises:
        BrokenPipeError: if the reader is gone; `main` ends the command quietly.
    """
    output = Output()
    output.write(text.encode("utf-8", "backslashreplace") + b"\n")
    if output.ended:
        raise BrokenPipeError
