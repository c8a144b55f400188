"""What an error of ours leaves behind: one sentence for the user and a report that can be sent to somebody.

Textual prints a traceback with the values of all variables: URLs, headers, tokens. The report has the lines of code
and the message only, and what is known to be secret is masked in it.
"""

from __future__ import annotations

import os
import platform
import time
import traceback
from collections.abc import Iterable
from pathlib import Path

from textual.worker import WorkerFailed

from rtui import __version__
from rtui.core.clean import clean, clean_block
from rtui.core.fault import Failure
from rtui.settings.files import write_atomic
from rtui.settings.paths import user_state
from rtui.settings.secrets import Secrets, mask_url

SENTENCE = 200
"""Characters of an error's message in the sentence."""


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
