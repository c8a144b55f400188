"""How the app ends, and what an error of ours leaves behind: a sentence for the user, a report for whoever mends it.

Textual prints a traceback with the values of all variables: URLs, headers, tokens. The report has the lines of code
and the message only, and what is known to be secret is masked in it.
"""

from __future__ import annotations

import os
import platform
import time
import traceback
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Final

from textual.app import ScreenError
from textual.dom import DOMError
from textual.worker import WorkerFailed

from rtui import __version__
from rtui.core.clean import clean, clean_block
from rtui.core.fault import Failure
from rtui.settings.files import write_atomic
from rtui.settings.paths import user_state
from rtui.settings.secrets import Secrets, mask_url
from rtui.workbench.typeahead import Patient

SENTENCE: Final = 200
"""Characters of an error's message in the sentence."""
GONE: Final = (DOMError, ScreenError)
"""What Textual says to who asks for a widget or a screen that is not there, or not there any more."""


class Mortal(Patient):
    """An app that ends properly, also over an error of ours."""

    def __init__(self) -> None:
        super().__init__()
        self.crash = ""
        """What to tell on the terminal after an error of ours ended the app."""
        self.secrets: dict[int, Secrets] = {}
        """What must not be shown, by connection."""
        self._ends = False
        """Whether screens and widgets are being taken away."""

    def keep(self) -> None:
        """Keep what is kept between runs."""

    def end_with(self, error: Exception) -> None:
        """End over an error of ours."""
        self._handle_exception(error)

    def _handle_exception(self, error: Exception) -> None:
        """An error of ours ends the app with a sentence; Textual would print a traceback with all variables."""
        if self._ends and isinstance(error, GONE):
            return
        self._return_code = 1
        if self._exception is None:
            self._exception = error
            self._exception_event.set()
            self.crash = leave_report(error, self.secrets.values(), crash_file())
            with suppress(Exception):  # what was typed is worth a try, whatever is broken
                self.keep()
        self._close_messages_no_wait()

    async def _shutdown(self) -> None:
        """Nothing works on a desk that is taken away: Textual's own `_shutdown` leaves the workers to whoever calls it.

        What is still on its way then, a message or a timer, finds nothing there, and that is no error.
        """
        self._ends = True
        self.workers.cancel_all()
        await super()._shutdown()


def crash_file() -> Path:
    """Where the report of a crash now goes."""
    return user_state() / "crashes" / time.strftime(f"%Y-%m-%d_%H%M%S-{os.getpid()}.txt")


def leave_report(error: BaseException, secrets: Iterable[Secrets], path: Path) -> str:
    """Write the report of `error` to `path`; returns the sentence that tells of it. Never raises."""
    error = error.error if isinstance(error, WorkerFailed) else error
    hidden = list(secrets)
    what = clean(_masked(f"{type(error).__name__}: {error}", hidden))[:SENTENCE]
    try:
        write_atomic(path, _masked(_report(error), hidden).encode("utf-8", "replace"))
    except Failure as failure:
        return f"rtui stopped over an error of its own: {what} (no report: {failure.fault.sentence()})"
    return f"rtui stopped over an error of its own: {what}\nThe report, without secrets: {path}"


def _report(error: BaseException) -> str:
    from textual import __version__ as textual_version  # a look into the package's metadata: 10 ms

    head = (
        f"rtui {__version__} · Textual {textual_version} · Python {platform.python_version()} · {platform.platform()}",
        " ".join(f"{name}={os.environ.get(name, '')}" for name in ("TERM", "COLORTERM", "LANG", "LC_ALL")),
    )
    return clean_block("\n".join((*head, "", *traceback.format_exception(error))))


def _masked(text: str, secrets: Iterable[Secrets]) -> str:
    for one in secrets:
        text = one.mask(text)
    return mask_url(text)
