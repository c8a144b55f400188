"""`rtui [TARGET ...]`: the workbench."""

from __future__ import annotations

import asyncio
import gc
import os
import sys
import threading
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from rtui.capture.reader import Reader
from rtui.capture.salvage import Salvage
from rtui.cli.flags import Target, TargetCommand, capture_flags, connect_flags, given
from rtui.cli.live import NOT_KEPT, recording
from rtui.cli.look import Look, look_flags, look_of
from rtui.cli.output import HELPLESS
from rtui.cli.report import note, say
from rtui.cli.status import Status
from rtui.cli.target import apart, is_capture, load, resolved
from rtui.core.words import counted
from rtui.settings.files import Problem
from rtui.settings.paths import captures_folder
from rtui.settings.session import Session

if TYPE_CHECKING:
    from rtui.cli.demo import DemoHandle
    from rtui.workbench.app import Workbench

CAPTURE: Final = ".rtui"
"""What is called so is meant as a capture, even if it is none."""


@click.command("open", cls=TargetCommand)
@click.argument("targets", nargs=-1, type=Target(), metavar="[TARGET ...]")
@connect_flags
@capture_flags
@look_flags
@click.pass_context
def open_(ctx: click.Context, /, targets: tuple[str, ...], capture: str | None, no_capture: bool, **more: Any) -> int:
    """Open the workbench on each TARGET, or on the list of sessions.

    TARGET is a URL, the name of a session, a session file or a capture file.
    """
    from rtui.cli.main import SUMMARIES

    request, look = given(ctx), look_of(more)
    if len(targets) == 1 and (Path(targets[0]).suffix == CAPTURE or is_capture(targets[0])):
        require_terminal()
        return show_capture(Path(targets[0]), look)
    sessions = [load(target, request, () if at else SUMMARIES) for at, target in enumerate(targets)]
    for session in sessions:
        apart(resolved(session, request).session, capture)  # what is wrong is said here, on a screen that stays
    require_terminal()
    env_file = Path(request.env_file) if request.env_file else None
    return asyncio.run(record_and_show(sessions, capture, keep=not no_capture, env_file=env_file, look=look))


def require_terminal() -> None:
    """Refuse to draw into a pipe.

    Raises:
        click.UsageError: with what to use instead.
    """
    # Keys come from stdin, the picture goes to stderr (Textual's driver), and a pipe on stdout is a mistake.
    if not all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stdout, sys.stderr)):
        raise click.UsageError("the workbench needs a terminal; in a pipe use `rtui tail` and `rtui send`")
    if os.environ.get("TERM") in HELPLESS:
        raise click.UsageError(
            "the workbench needs a terminal that can move its cursor, and TERM says that this one cannot; "
            "set TERM, or use `rtui tail` and `rtui send`"
        )


async def record_and_show(
    sessions: Sequence[Session],
    capture: str | None,
    *,
    keep: bool,
    env_file: Path | None = None,
    demo: DemoHandle | None = None,
    look: Look | None = None,
) -> int:
    """The workbench over a new recording, until the user leaves.

    Without `demo`, the servers that the samples name can be started from the workbench, and end with it.
    """
    gc.disable()  # imports make no garbage; the workbench enables it when it stands
    # One waits for the processor, the other for the disk: side by side they take less time.
    threading.Thread(target=import_module, args=("rtui.workbench.app",), name="import").start()
    look = look or Look()
    config, problems = look.config()
    with recording(capture, keep=keep) as journal:
        from rtui.cli.demo import DemoHandle
        from rtui.workbench.app import Workbench

        servers = demo or DemoHandle(usual=True)
        reader = Reader(journal.path)
        if keep and journal.temporary:
            problems.append(Problem(str(captures_folder()), 0, "", f"cannot be written: {NOT_KEPT}"))
        try:
            bench = Workbench(
                reader=reader,
                journal=journal,
                targets=sessions,
                config=config,
                problems=problems,
                demo=servers,
                env_file=env_file,
                theme=look.theme,
                present=look.present,
            )
            await bench.run_async(mouse=config.mouse)
            await bench.hub.close_all()  # after a crash: the user's own way out has done so already
        finally:
            reader.close()
            if demo is None:
                await servers.stop()
        status = _ending(bench)
    if not journal.temporary and (rows := journal.stored):
        note(f"{counted(rows, 'row')} recorded in {journal.path}")
    return status


def show_capture(path: Path, look: Look) -> int:
    """The workbench over what was recorded earlier."""
    from rtui.workbench.app import Workbench

    config, problems = look.config()
    reader = Salvage(path)
    try:
        bench = Workbench(reader=reader, config=config, problems=problems, theme=look.theme, present=look.present)
        asyncio.run(bench.run_async(mouse=config.mouse))
    finally:
        reader.close()
    if bench.sequel:
        return asyncio.run(record_and_show(bench.sequel, None, keep=True, look=look))
    return _ending(bench)


def _ending(bench: Workbench) -> int:
    """Tell what the screen no longer can; the status to exit with."""
    if bench.crash:
        say(bench.crash)
    if bench.farewell:
        note(bench.farewell)
    return bench.return_value or bench.return_code or Status.DONE
