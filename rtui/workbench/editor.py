"""Editing text in $EDITOR while connections go on.

`App.suspend` gives the terminal away; a blocking call inside it would stop the loop and with it every socket, so the
editor runs as a subprocess that is awaited.
"""

from __future__ import annotations

import asyncio
import os
import shlex
import tempfile
from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from textual.app import SuspendNotSupported


class Suspends(Protocol):
    """The part of an app that is needed here."""

    def suspend(self) -> AbstractContextManager[None]:
        """Give the terminal to another program."""


def command(editor: str = "", environment: Mapping[str, str] = os.environ) -> list[str]:
    """The user's editor: as configured, else $VISUAL, $EDITOR, vi."""
    wish = editor or environment.get("VISUAL") or environment.get("EDITOR") or "vi"
    return shlex.split(wish) or ["vi"]


async def edit_file(app: Suspends, path: Path, *, editor: str = "") -> str:
    """Open `path` in the editor and wait; returns what went wrong, or nothing."""
    program = command(editor)
    try:
        with app.suspend():
            process = await asyncio.create_subprocess_exec(*program, str(path))
            status = await process.wait()
    except OSError as error:
        return f"{program[0]} cannot be started: {error.strerror or error}; set EDITOR"
    except SuspendNotSupported:
        return "this terminal cannot be given to an editor"
    return f"{program[0]} ended with status {status}" if status else ""


async def edit_text(app: Suspends, text: str, *, suffix: str = ".json", editor: str = "") -> tuple[str, str]:
    """Let the user edit `text` in a private temporary file; returns (text, what went wrong)."""
    descriptor, name = tempfile.mkstemp(prefix="rtui-", suffix=suffix)
    path = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(text.encode("utf-8", "surrogatepass"))
        trouble = await edit_file(app, path, editor=editor)
        edited = path.read_bytes()  # noqa: ASYNC240 - before the next key: that is for the edited text
    finally:
        path.unlink(missing_ok=True)  # noqa: ASYNC240 - also when cancelled
    return edited.decode("utf-8", "replace"), trouble
