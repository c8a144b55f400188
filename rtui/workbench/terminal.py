"""The terminal itself, as something that may go away under a running app."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import IO, TYPE_CHECKING, Any, Protocol, cast

if TYPE_CHECKING:
    from textual.driver import Driver


class Outlet:
    """The terminal to write to. Once it is gone, what is written is dropped.

    Textual's writer is a thread with a short queue: an error would end the thread, and the loop would then wait for
    ever for room in the queue, with every connection standing still and no signal heeded.
    """

    def __init__(self, file: IO[str], on_gone: Callable[[], object] = lambda: None) -> None:
        self._file = file
        self._on_gone = on_gone
        self.gone = False

    def write(self, text: str) -> int:
        """Write, or drop."""
        return self._tried(self._file.write, text) or 0

    def flush(self) -> None:
        """Flush, if there is still somebody."""
        self._tried(self._file.flush)

    def fileno(self) -> int:
        """The descriptor."""
        return self._file.fileno()

    def isatty(self) -> bool:
        """Whether it is a terminal."""
        return self._file.isatty()

    def _tried(self, call: Any, *arguments: Any) -> Any:
        if not self.gone:
            try:
                return call(*arguments)
            except (OSError, ValueError):
                self.gone = True
                self._on_gone()
        return None


class Leaves(Protocol):
    """What an app does when its terminal or its driver fails."""

    def leave_at_once(self) -> None:
        """Close everything and end."""

    def end_with(self, error: Exception) -> None:
        """End over an error of ours."""

    def repaint(self) -> None:
        """All of it."""


def driver_class() -> type[Driver] | None:
    """The driver for this system, of an app that `Leaves`; None leaves the choice to Textual."""
    if sys.platform == "win32":
        return None
    import termios
    import tty

    from textual.drivers import linux_driver
    from textual.drivers.linux_driver import LinuxDriver

    from rtui.workbench.paste import PasteParser

    linux_driver.XTermParser = PasteParser  # type: ignore[attr-defined]  # its input loop makes the parser, and leaves no choice

    class TerminalDriver(LinuxDriver):
        """Textual's driver over an `Outlet`; a terminal that cannot be read any more is a user who left."""

        def __init__(self, app: Any, **more: Any) -> None:
            super().__init__(app, **more)
            # A terminal that hangs up reads as an empty one: only writing tells.
            self._file: Any = Outlet(self._file, lambda: app.call_later(app.leave_at_once))

        def _sigcont_application(self, *_: Any) -> None:
            """Go on, also where it was not ctrl+z that stopped it.

            SIGSTOP cannot be heard, and a hang-up brings a SIGCONT of its own. Textual would begin a second time then,
            with another thread that reads the keys and that nobody ends.
            """
            if self._must_signal_resume or not self._auto_restart:
                super()._sigcont_application()
                return
            with suppress(OSError, termios.error):
                if self._key_thread is not None and os.tcgetpgrp(self.fileno) == os.getpgrp():
                    self._take_keys()
                    self._app.call_later(cast("Leaves", self._app).repaint)

        def _take_keys(self) -> None:
            """Each key as it is pressed, unechoed: a shell has its own way while a job of it is stopped."""
            attributes = termios.tcgetattr(self.fileno)
            attributes[tty.LFLAG] = self._patch_lflag(attributes[tty.LFLAG])
            attributes[tty.IFLAG] = self._patch_iflag(attributes[tty.IFLAG])
            attributes[tty.CC][termios.VMIN] = 1
            termios.tcsetattr(self.fileno, termios.TCSANOW, attributes)

        def _run_input_thread(self) -> None:
            app = cast("Leaves", self._app)
            try:
                self.run_input_thread()
            except OSError:
                self._app.call_later(app.leave_at_once)
            except Exception as error:  # noqa: BLE001 - a thread has nobody above it
                self._app.call_later(app.end_with, error)

    return TerminalDriver
