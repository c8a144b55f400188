"""`rtui sessions show --as-command`: a session as command lines of other tools."""

from __future__ import annotations

from pathlib import Path

from rtui.cli.output import put
from rtui.cli.report import say
from rtui.core.clean import clean
from rtui.core.fault import Failure
from rtui.protocols.copying import Subject, listening, saved, subject
from rtui.protocols.shell import CommandLine
from rtui.settings.option import OptionErrors
from rtui.settings.session import SavedMessage, Session


def show_commands(session: Session, path: Path, name: str) -> None:
    """Print the lines that connect, then those of each saved message; what no line says, on stderr."""
    one = subject(session, name or str(path))
    _print(listening(one), "")
    for message in session.messages:
        _print_message(one, message)


def _print_message(one: Subject, message: SavedMessage) -> None:
    try:
        _print(saved(one, message), message.name)
    except Failure as failure:
        say(f"{message.name}: {failure.fault.sentence()}")
    except OptionErrors as wrong:
        say(f"{message.name}: {wrong}")


def _print(lines: list[CommandLine], name: str) -> None:
    if name and lines:
        put(f"# {clean(name)}")
    for line in lines:
        put(line.text)
        if line.unsaid:
            say(f"{line.tool} has no words for: {', '.join(line.unsaid)}")
    variables = dict.fromkeys(variable for line in lines for variable in line.variables)
    if variables:
        say(f"{name + ': ' if name else ''}set before: {', '.join(variables)}")
