"""`rtui captures`: what was recorded."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import click

from rtui.capture.prune import list_captures
from rtui.capture.prune import prune as prune_folder
from rtui.capture.reader import Reader
from rtui.cli.flags import Duration, Size
from rtui.cli.output import put
from rtui.cli.reading import reading
from rtui.cli.report import say
from rtui.cli.sessions import columns
from rtui.cli.status import Status
from rtui.core.fault import Failure
from rtui.core.words import counted
from rtui.settings.config import load_config
from rtui.settings.paths import captures_folder


@click.group(invoke_without_command=True)
@click.pass_context
def captures(ctx: click.Context) -> int | None:
    """List, show and prune recorded captures. `rtui FILE` opens one in the workbench."""
    return _list() if ctx.invoked_subcommand is None else None


@captures.command("list")
def list_() -> int:
    """List the captures of the user's folder, newest first: file, last change, size, connections."""
    return _list()


def _list() -> int:
    found = list_captures(captures_folder())
    if not found:
        say("There are no captures yet. Every run makes one, unless it is told --no-capture.")
        return Status.DONE
    rows = [
        (str(one.path), _moment(one.modified), _size(one.size), "recording" if one.in_use else _connections(one.path))
        for one in found
    ]
    put("\n".join(columns(rows)))
    return Status.DONE


def _connections(path: Path) -> str:
    try:
        reader = Reader(path)
    except Failure as failure:
        return failure.fault.sentence()
    try:
        return ", ".join(dict.fromkeys(link.name for link in reader.links()))
    finally:
        reader.close()


@captures.command()
@click.argument("capture", type=click.Path(exists=True, dir_okay=False))
def show(capture: str) -> int:
    """Say what is in CAPTURE: its connections, with the messages of each."""
    with reading(Path(capture)) as reader:
        first, last = (reader.window([seq]) for seq in reader.bounds())
        lines = [f"{counted(reader.count(), 'row')}, {_size(Path(capture).stat().st_size)}"]
        if first and last:
            lines.append(f"from {_moment(first[0].time / 1e9)} to {_moment(last[0].time / 1e9)}")
        rows = [(row.name, row.protocol, row.url, counted(reader.count(link=row.id), "row")) for row in reader.links()]
        put("\n".join(lines + columns(rows)))
    return Status.DONE


@captures.command()
@click.option("--max-size", type=Size(), metavar="SIZE", help="Keep at most so much; default from config.toml.")
@click.option("--max-age", type=Duration(), metavar="TIME", help="Keep what is younger; default from config.toml.")
def prune(max_size: int | None, max_age: float | None) -> int:
    """Delete the oldest captures beyond a size or an age. What is being recorded stays."""
    config, problems = load_config()
    for problem in problems:
        say(str(problem))
    size = config.capture_max_size if max_size is None else max_size
    age = config.capture_max_age if max_age is None else max_age
    gone: Sequence[Path] = prune_folder(captures_folder(), size, age)
    if gone:
        put("\n".join(map(str, gone)))
    say(f"{len(gone)} deleted")
    return Status.DONE


def _moment(seconds: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(seconds))


def _size(count: int) -> str:
    """Bytes for people: "1.4 MiB"."""
    number = float(count)
    for unit in ("B", "KiB", "MiB"):
        if number < 1024:  # noqa: PLR2004 - the size of a unit
            return f"{number:.0f} {unit}" if unit == "B" else f"{number:.1f} {unit}"
        number /= 1024
    return f"{number:.1f} GiB"
