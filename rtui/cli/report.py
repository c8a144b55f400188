"""Errors as sentences on stderr: title, cause, hint, and what the server said."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator
from contextlib import suppress

import click

from rtui.cli.status import Status
from rtui.core.clean import clean, clean_block
from rtui.core.fault import Failure, Fault
from rtui.settings.files import SettingsError
from rtui.settings.option import OptionErrors

BODY_SHOWN = 1_000
"""Characters of a refused handshake's body on stderr."""


def say(text: str) -> None:
    """One line on stderr, safe for a terminal. Where nothing can be said, the exit status must do."""
    with suppress(OSError, ValueError):
        click.echo(clean_block(text), err=True)


def report_usage(error: click.ClickException) -> int:
    """Print what click found wrong: its words quote what the user typed, or what a script put there."""
    text = io.StringIO()
    error.show(file=text)
    say(text.getvalue().rstrip("\n"))
    return Status.USAGE


def report(error: Exception) -> int:
    """Print what went wrong; returns the exit status."""
    if os.environ.get("RTUI_TRACEBACK"):
        raise error
    match error:
        case Failure():
            report_fault(error.fault)
        case SettingsError():
            for problem in error.problems:
                say(str(problem))
        case OptionErrors():
            for one in error.errors:
                say(f"rtui: {one}")
        case OSError():
            say(f"rtui: {_os_sentence(error)}")
            return Status.FAILED
        case _:
            say(f"rtui: unexpected error: {type(error).__name__}: {error}")
            say("This is a bug in rtui. RTUI_TRACEBACK=1 shows where.")
            return Status.FAILED
    return Status.USAGE


def report_fault(fault: Fault) -> None:
    """Title, cause and hint; then status, headers and the beginning of the body, if there was an answer."""
    say(f"rtui: {fault.sentence()}")
    report_details(fault)


def report_details(fault: Fault) -> None:
    """What stands below the sentence."""
    for line in _answer(fault):
        say(f"  {line}")
    if fault.hint:
        say(f"  {fault.hint}")


def _answer(fault: Fault) -> Iterator[str]:
    meta = fault.meta or {}
    if status := meta.get("status"):
        yield clean(f"HTTP {status} {meta.get('reason', '')}".rstrip())
    if body := str(meta.get("body") or "").strip():
        yield from clean_block(body[:BODY_SHOWN]).splitlines()
        if len(body) > BODY_SHOWN:
            yield "…"


def _os_sentence(error: OSError) -> str:
    what = error.strerror or str(error)
    return f"{error.filename}: {what}" if error.filename else what


def note(text: str) -> None:
    """A remark about the connection while it runs: on stderr, and only where somebody may read it."""
    if sys.stderr is not None:
        say(f"rtui: {text}")
