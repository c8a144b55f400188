"""`rtui sessions import`: what other tools wrote, as sessions."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rtui.cli.output import put
from rtui.cli.report import say
from rtui.cli.status import Status
from rtui.cli.target import declares_for
from rtui.core.clean import clean
from rtui.core.words import counted
from rtui.settings.files import SettingsError
from rtui.settings.paths import user_sessions

if TYPE_CHECKING:
    from rtui.settings.importing.store import Plan, Planned


@click.command("import")
@click.argument("source", nargs=-1, required=True)
@click.option("--name", default="", metavar="NAME", help="Call the session NAME; several are numbered.")
@click.option("--folder", default="", metavar="FOLDER", help="Below your own sessions: work/staging.")
@click.option("--env", "env", is_flag=True, help="Write the secrets into a .env file beside the sessions.")
@click.option("--dry-run", is_flag=True, help="Say what would be written, and write nothing.")
@click.option("--print", "print_", is_flag=True, help="Print the session files instead of writing them.")
def import_(source: tuple[str, ...], **wanted: Any) -> int:
    """Make sessions out of each SOURCE: a file, `-` for stdin, or a command line in quotes.

    Command lines: curl (as browsers copy it too), websocat, wscat, mosquitto_pub, mosquitto_sub, mqttx, grpcurl, rtui;
    a file may hold many. Files: HAR of browsers, MQTTX (JSON), MQTT Explorer (settings.json), Insomnia 4 and 5,
    Postman 2.1.

    The names of the new sessions go to stdout; what was not taken over, and why, to stderr. No file is overwritten. A
    secret becomes {{ env.NAME }}: set the variable, or have it written into .env with --env.
    """
    from rtui.settings.importing.registry import import_source
    from rtui.settings.importing.store import plan

    wrong = made = 0
    for one in source:
        try:
            harvest = import_source(one, declares_for)
            found = plan(harvest, user_sessions(), declares_for, folder=wanted["folder"], name=wanted["name"])
        except SettingsError as error:
            wrong += 1
            for problem in error.problems:
                say(str(problem))
            continue
        made += _carry_out(found, **wanted)
        _tell(found)
    if not made and not wrong:
        say("Nothing was found that could be a session.")
    return Status.USAGE if wrong or not made else Status.DONE


def _carry_out(found: Plan, *, env: bool, dry_run: bool, print_: bool, **_: Any) -> int:
    """Write, print or name the sessions; returns how many they are."""
    from rtui.settings.importing.store import text_of, write

    for one in found.planned:
        if print_:
            put(f"# {one.path}\n{text_of(one)}")
        elif dry_run:
            put(_name(one.path))
        else:
            path = write(one)
            put(_name(path))
            if env:
                _write_secrets(one, path)
        if one.withheld and not (env and not dry_run and not print_):
            _tell_secrets(one.path, one.withheld.items())
    return len(found.planned)


def _write_secrets(one: Planned, path: Path) -> None:
    from rtui.settings.importing.store import write_secrets

    for name in write_secrets(one, path):
        say(f"{path.parent / '.env'}: {name} stands for something else there, and was left so")


def _name(path: Path) -> str:
    """What `rtui NAME` takes."""
    root = user_sessions()
    return clean(path.relative_to(root).with_suffix("").as_posix() if path.is_relative_to(root) else str(path))


def _tell_secrets(path: Path, withheld: Iterable[tuple[str, str]]) -> None:
    for variable, what in withheld:
        say(f"{path.stem}: {what} is a secret and was not written: set {variable}, or use --env")


def _tell(found: Plan) -> None:
    for one in found.left:
        say(f"not taken over: {one}")
    say(f"{found.title}: {counted(len(found.planned), 'session')}")
