"""Importing sessions from what other tools wrote, and connecting what a pasted command line says."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from rtui.core.words import counted
from rtui.settings.files import SettingsError
from rtui.settings.paths import user_sessions
from rtui.settings.session import load_session
from rtui.workbench.action import Book
from rtui.workbench.actions.session import declares_for

if TYPE_CHECKING:
    from rtui.settings.importing.base import Left
    from rtui.settings.importing.store import Plan, Planned
    from rtui.workbench.screens.desk import Desk
    from rtui.workbench.screens.progress import Job

BOOK = Book("Session")
_action = BOOK.action

KINDS: Final = "a HAR file; an export of MQTTX, MQTT Explorer, Insomnia, Postman; commands"
SHOWN: Final = 6
"""Names in the question before the sessions are written."""


@_action("import", "alt+i", "Import sessions…", menu=("sessions", "bottom"))
async def import_sessions(desk: Desk) -> None:
    """Make sessions out of a HAR file, an export of MQTTX, MQTT Explorer, Insomnia or Postman, or of command lines."""
    from rtui.workbench.screens.address import ask_until_taken

    hint, take = "a file, or a command: curl …", partial(_import, desk)
    await ask_until_taken(desk, take, "import sessions", hint=hint, detail=KINDS, check=_source_trouble)


def _source_trouble(source: str) -> str:
    """Why it cannot be a source here: the standard input is the keyboard's."""
    return "the path of a file, or a command line" if source in {"", "-"} else ""


async def connect_command(desk: Desk, text: str) -> bool:
    """Connect what a command line says, each session in a tab of its own, without a file, or by the file it names.

    Returns whether there was something; if not, why is told.
    """
    from rtui.settings.importing.registry import import_text

    try:
        if files := _named_files(text):
            for path in files:
                if not desk.go_to_session(path):
                    desk.connect(load_session(path, declares_for))
            return True
        harvest = import_text(text, "command", declares_for)
    except SettingsError as error:
        desk.tell_error(error)
        return False
    for found in harvest.found:
        desk.connect(found.session)
    if not harvest.found:
        desk.say(_told(harvest.left) or "nothing to connect to", severity="warning")
    elif harvest.left:
        desk.say(f"not taken over:\n{_told(harvest.left)}", severity="warning")
    return bool(harvest.found)


def _named_files(text: str) -> list[Path]:
    """The session files of `rtui tail NAME`; none, unless all that the text says is such names."""
    from rtui.settings.importing.own_command import named
    from rtui.workbench.screens.address import session_file

    files = [session_file(name) for name in named(text)]
    return [path for path in files if path is not None] if None not in files else []


async def _import(desk: Desk, source: str) -> bool:
    """Whether `source` could be read."""
    from rtui.workbench.screens.dialog import Confirm, Note

    plans: list[Plan] = []
    if not await _worked(desk, "read", _reading(source, plans.append)):
        return False
    plan = plans[0]
    if not plan.planned:
        await desk.ask(Note(f"{plan.title}: no session", _told(plan.left) or "There is nothing in it that stays open."))
        return True
    title = f"import {counted(len(plan.planned), 'session')}"
    names = _names([one.path for one in plan.planned])
    if not await desk.ask(Confirm(title, names, yes="Import", harmless=True)):
        return True
    env = await _wants_secrets(desk, plan.planned)
    written: list[Path] = []
    clashes: list[str] = []
    await _worked(desk, "import", _writing(plan.planned, written, clashes if env else None))
    desk.reload_sessions()
    desk.say(f"imported: {_names(written)}" if written else "nothing was imported")
    if clashes:
        desk.say(f"stand for something else in .env, and were left so: {', '.join(clashes)}", severity="warning")
    if plan.left:
        await desk.ask(Note("not taken over", _told(plan.left)))
    return True


async def _worked(desk: Desk, title: str, job: Job) -> bool:
    """Do long work behind a bar; False if it was cancelled or failed, which is told."""
    from rtui.workbench.screens.progress import Progress

    return await desk.ask(Progress(title, job)) is not None


def _reading(source: str, done: Callable[[Plan], None]) -> Job:
    from rtui.settings.importing.command_line import is_command
    from rtui.settings.importing.registry import import_source
    from rtui.settings.importing.store import plan

    yield 0, 2
    harvest = import_source(source if is_command(source) else str(Path(source).expanduser()), declares_for)
    yield 1, 2
    done(plan(harvest, user_sessions(), declares_for))
    yield 2, 2


def _writing(planned: Sequence[Planned], written: list[Path], clashes: list[str] | None) -> Iterator[tuple[int, int]]:
    """Write the sessions and, unless `clashes` is None, their secrets. Cancelled, it ends between two files."""
    from rtui.settings.importing.store import write, write_secrets

    yield 0, len(planned)
    for count, one in enumerate(planned, start=1):
        path = write(one)
        written.append(path)
        if clashes is not None:
            clashes += write_secrets(one, path)
        yield count, len(planned)


async def _wants_secrets(desk: Desk, planned: Sequence[Planned]) -> bool:
    """Whether the secrets go into `.env`. They are named, never shown."""
    from rtui.workbench.screens.dialog import Confirm

    names = [name for one in planned for name in one.withheld]
    if not names:
        return False
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    detail = (
        f"The sessions read them from the environment: {', '.join(names[:SHOWN])}{more}. "
        "Write them into a .env file beside the sessions too?"
    )
    answer = await desk.ask(Confirm(counted(len(names), "secret"), detail, yes="Write .env", no="No"))
    return answer is True


def _names(paths: Sequence[Path]) -> str:
    root = user_sessions()
    names = [path.relative_to(root).with_suffix("").as_posix() for path in paths]
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return f"{', '.join(names[:SHOWN])}{more}, in {root}"


def _told(left: Sequence[Left]) -> str:
    return "\n".join(map(str, left))
