"""stdout: messages and nothing else. One write per batch, partial writes finished, a closed pipe taken quietly."""

from __future__ import annotations

import os
from typing import Final

from rtui.core.clean import clean_block, decode

HELPLESS: Final = frozenset({"dumb", "unknown"})
"""TERM of terminals that cannot move their cursor."""
STDOUT: Final = 1


class Output:
    """Where a listing or an export is printed; writing waits for the reader. A running connection uses a `Spool`."""

    def __init__(self, descriptor: int = STDOUT) -> None:
        self.ended = False
        """The reader is gone; writing does nothing any more."""
        self.terminal = os.isatty(descriptor)
        self._descriptor = descriptor

    def write(self, data: bytes) -> None:
        """Print `data` whole. What goes to a terminal is made safe for it first."""
        if self.ended or not data:
            return
        view = memoryview(for_terminal(data) if self.terminal else data)
        try:
            while view:
                view = view[os.write(self._descriptor, view) :]
        except BrokenPipeError:
            self.ended = True
        except OSError as error:
            error.filename = "stdout"
            raise


def for_terminal(data: bytes) -> bytes:
    """`data` without anything that a terminal interprets, but for the ends of lines."""
    return clean_block(decode(data)).encode("utf-8", "backslashreplace")


def put(text: str) -> None:
    """Print lines of a listing.

    Raises:
        BrokenPipeError: if the reader is gone; `main` ends the command quietly.
    """
    output = Output()
    output.write(text.encode("utf-8", "backslashreplace") + b"\n")
    if output.ended:
        raise BrokenPipeError
