"""`rtui sessions`: the session files, and whether they are right."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path

import click
import msgspec

from rtui.cli.flags import Target, TargetCommand, connect_flags, given
from rtui.cli.output import put
from rtui.cli.report import say
from rtui.cli.sessions_import import import_
from rtui.cli.status import Status
from rtui.cli.target import adapter_of, declares_for, load, resolved
from rtui.core.clean import clean
from rtui.core.fault import Failure, Fault
from rtui.protocols import registry
from rtui.settings.files import SettingsError
from rtui.settings.paths import user_sessions
from rtui.settings.secrets import mask_url
from rtui.settings.session import (
    SessionEntry,
    find_session,
    list_sessions,
    load_session,
    save_session,
    session_schema,
)


@click.group(invoke_without_command=True)
@click.pass_context
def sessions(ctx: click.Context) -> int | None:
    """List, show, create, import and check session files.

    They are looked for in ./sessions, in the user's folder, and among the samples that came with rtui.
    """
    if ctx.invoked_subcommand is None:
        return _list(as_json=False)
    return None


sessions.add_command(import_)


@sessions.command("list")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def list_(as_json: bool) -> int:
    """List every session: name, where it comes from, URL, description."""
    return _list(as_json=as_json)


def _list(*, as_json: bool) -> int:
    entries = list_sessions()
    if as_json:
        lines = [_json_line(entry) for entry in entries]
    else:
        rows = [(e.name, e.source, mask_url(e.url), e.error or e.description) for e in entries]
        lines = columns(rows)
    if lines:
        put("\n".join(lines))
    else:
        say("There are no sessions. `rtui sessions new NAME URL` makes one.")
    return Status.DONE


def _json_line(entry: SessionEntry) -> str:
    fields = {
        "name": entry.name,
        "source": entry.source,
        "path": str(entry.path),
        "url": mask_url(entry.url),
        "protocol": entry.protocol,
        "description": entry.description,
        "error": entry.error,
    }
    return json.dumps({key: value for key, value in fields.items() if value}, ensure_ascii=False)


def columns(rows: Iterable[Sequence[str]]) -> list[str]:
    """`rows` as aligned lines, each cell safe for a terminal."""
    cells = [[clean(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells]


@sessions.command()
@click.argument("session", type=Target())
@click.option("--as-command", is_flag=True, help="As commands: websocat, curl, mosquitto_pub, grpcurl, and rtui's own.")
def show(session: str, as_command: bool) -> int:
    """Print the file of SESSION (a name or a path), or the commands that do the same.

    A secret stands in a command as $NAME, an environment variable to be set before.
    """
    path = _path(session)
    one = load_session(path, declares_for)
    if as_command:
        from rtui.cli.sessions_command import show_commands

        show_commands(one, path, session)
        return Status.DONE
    put(path.read_text(encoding="utf-8").rstrip("\n"))
    return Status.DONE


@sessions.command(cls=TargetCommand)
@click.argument("name")
@click.argument("url")
@connect_flags
@click.option("--force", is_flag=True, help="Replace an existing session.")
@click.option("--from-reflection", is_flag=True, help="Ask the server: a saved message for each of its methods (gRPC).")
@click.pass_context
def new(ctx: click.Context, /, name: str, url: str, force: bool, from_reflection: bool, **_: object) -> int:
    """Write a session called NAME for URL, with the connect options given as flags.

    NAME may hold folders (work/staging) and goes to the user's folder; a NAME that ends in .toml is a path.
    """
    path = Path(name) if name.endswith(".toml") else _in_folder(name)
    if path.exists() and not force:
        raise click.UsageError(f"{path} exists; --force replaces it")
    request = given(ctx)
    one = load(url, request)
    if from_reflection:
        from rtui.cli.offers import messages_of

        one = msgspec.structs.replace(one, messages=(*one.messages, *messages_of(resolved(one, request))))
    saved = save_session(msgspec.structs.replace(one, name=path.stem), path, adapter_of(one))
    say(f"Saved {path}" + (f", with {len(one.messages)} messages" if from_reflection else ""))
    for variable, key in saved.withheld.items():
        say(f"{key} is a secret and was not written: set {variable}, or put it into {path.parent / '.env'}")
    return Status.DONE


def _in_folder(name: str) -> Path:
    """The file of a new session in the user's folder; not one that its name would not find again."""
    if name.startswith(("/", ".")) or ".." in Path(name).parts:
        raise click.UsageError(
            f"{name!r} is no name for a session: such as staging, or work/staging; a file elsewhere ends in .toml"
        )
    return user_sessions() / f"{name}.toml"


@sessions.command()
@click.argument("session", nargs=-1, type=Target())
def lint(session: tuple[str, ...]) -> int:
    """Check each SESSION (all that can be found if none is given): file:line: key: what is wrong."""
    from rtui.runtime.step import check_steps

    paths = [_path(one) for one in session] or [entry.path for entry in list_sessions()]
    wrong = 0
    for path in paths:
        try:
            check_steps(load_session(path, declares_for))
        except SettingsError as error:
            wrong += 1
            for problem in error.problems:
                say(str(problem))
    say(f"{len(paths)} checked, {wrong} wrong")
    return Status.USAGE if wrong else Status.DONE


@sessions.command()
def schema() -> int:
    """Print the JSON schema of session files, for editors."""
    protocols = {name: registry.adapter(name) for name in registry.names()}
    put(json.dumps(session_schema(protocols), indent=2, ensure_ascii=False))
    return Status.DONE


def _path(session: str) -> Path:
    """The file of a session by name or path."""
    path = Path(session)
    if path.is_file() or path.suffix == ".toml":
        return path
    if found := find_session(session):
        return found
    raise Failure(
        Fault(kind="usage", side="us", title="No such session", cause=session, hint="`rtui sessions` lists them.")
    )
