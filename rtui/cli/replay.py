"""`rtui replay`: a recorded capture, played as if it came live, or its sent messages sent again."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any, Final, cast

import click
import msgspec

from rtui.capture.journal import Journal
from rtui.capture.reader import LinkRow
from rtui.capture.salvage import Salvage
from rtui.cli.flags import Duration, Target, TargetCommand, capture_flags, connect_flags, given
from rtui.cli.live import Remarks, first_of, handed_over, link_row, recording, why_not_open
from rtui.cli.look import look_flags, look_of
from rtui.cli.printer import Printer, Selection, compiled, form_for, format_option, render_for, selection
from rtui.cli.report import note
from rtui.cli.signals import interruption
from rtui.cli.spool import Spool
from rtui.cli.status import Status
from rtui.cli.target import apart
from rtui.cli.unstored import Unstored
from rtui.core.fault import Failure, Fault
from rtui.protocols.wire.replay_address import chosen, titles, written
from rtui.protocols.wire.replay_place import PLACE_HINT, parse_place, parse_speed
from rtui.runtime.hub import Connection, Hub
from rtui.runtime.retelling import is_retold
from rtui.settings.secrets import Secrets
from rtui.settings.session import Session, session_from_url

INTERRUPTED: Final = 1
ENDED: Final = 3
TIMED_OUT: Final = frozenset({4, 5})
"""Which of the waits of `_until_done` came first: a signal, the end of the recording, `--for` or `--idle`."""


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What to print and when to stop."""

    select: Selection
    format: str | None
    count: int | None
    duration: float | None
    idle: float | None


class ReplayCommand(TargetCommand):
    """A `TargetCommand` only if there is a TARGET."""

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """The protocols' flags come with `--to`."""
        return super().get_params(ctx) if ctx.meta.get(_SENDS) else click.Command.get_params(self, ctx)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Look for `--to` first."""
        ctx.meta[_SENDS] = any(word == "--to" or word.startswith("--to=") for word in args)
        return super().parse_args(ctx, args)


_SENDS: Final = "rtui.cli.replay.sends"


def _place(_ctx: click.Context, _param: click.Parameter, text: str | None) -> str | None:
    """A place, checked as far as it can be without the capture."""
    try:
        parse_place(text or "0%", 0, 0)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None
    return text


def _speed(_ctx: click.Context, _param: click.Parameter, text: str | None) -> str | None:
    try:
        parse_speed(text or "1")
    except ValueError as error:
        raise click.BadParameter(str(error)) from None
    return text


@click.command(cls=ReplayCommand)
@click.argument("capture_file", metavar="CAPTURE", type=click.Path(exists=True, dir_okay=False))
@click.option("--connection", multiple=True, metavar="NAME", help="Play only this connection (repeatable).")
@click.option("--speed", metavar="X", callback=_speed, help="2 is twice as fast as it was recorded, 0.5 half; max.")
@click.option("begin", "--from", metavar="TIME", callback=_place, help=f"Begin there: {PLACE_HINT}.")
@click.option("--until", metavar="TIME", callback=_place, help="End there.")
@click.option("--loop", is_flag=True, help="Begin again at the end.")
@click.option("--max-silence", type=Duration(), metavar="TIME", help="Shorten silences to TIME, which is told.")
@click.option("filter_", "--filter", metavar="EXPR", help="Play only what matches, such as 'ch:sensors/# or .v>30'.")
@click.option("--count", type=click.IntRange(1), metavar="N", help="Stop after N messages.")
@click.option("duration", "--for", type=Duration(), metavar="TIME", help="Stop after TIME.")
@click.option("--idle", type=Duration(), metavar="TIME", help="Stop when nothing was printed for TIME.")
@format_option
@click.option("--include-sent", is_flag=True, help="Print what was sent, too.")
@click.option("--events", is_flag=True, help="Print connection events, too.")
@click.option("--to", "target", type=Target(), metavar="TARGET", help="Send the sent messages again, to TARGET.")
@connect_flags
@capture_flags
@look_flags
@click.pass_context
def replay(ctx: click.Context, /, capture_file: str, **flags: Any) -> int:
    """Play CAPTURE as if it came live: in the workbench, or printed like `rtui tail` in a pipe or with --format.

    Every row comes at its distance to the others, over all connections. What is printed is stamped now; meta.recorded
    tells when it was. Nothing is recorded again unless --capture says where to, or the workbench is used.

    With --to, the messages that were sent are sent to TARGET instead, at their distances and with their options, and
    what comes back is printed.
    """
    compiled(flags["filter_"])
    path = Path(capture_file).absolute()
    apart(session_from_url(written(path)), flags["capture"])
    names = _names(path, flags["connection"])
    settings = {key: str(flags[name]) for key, name in _SETTINGS.items() if flags[name]}
    if flags["target"]:
        from rtui.cli.resending import resend

        return resend(given(ctx), path, names, settings, flags)
    sessions = [session_from_url(written(path, name, settings)) for name in names]
    wanted = Wanted(
        select=selection(sent=flags["include_sent"], events=flags["events"]),
        format=flags["format_"],
        count=flags["count"],
        duration=flags["duration"],
        idle=flags["idle"],
    )
    if _is_for_eyes(flags):
        from rtui.cli.open import record_and_show, require_terminal

        require_terminal()
        look = look_of(flags)
        return asyncio.run(record_and_show(sessions, flags["capture"], keep=not flags["no_capture"], look=look))
    return asyncio.run(_print(sessions, wanted, flags["capture"]))


_SETTINGS: Final[Mapping[str, str]] = {
    "speed": "speed",
    "from": "begin",
    "until": "until",
    "loop": "loop",
    "max_silence": "max_silence",
    "filter": "filter_",
}
"""The settings of a replay's URL, and the flags that give them."""
_PRINTS: Final = ("format_", "count", "duration", "idle", "include_sent", "events")


def _is_for_eyes(flags: Mapping[str, Any]) -> bool:
    """Whether nothing speaks against the workbench."""
    terminal = all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stdout, sys.stderr))
    return terminal and not any(flags[name] for name in _PRINTS)


def _names(path: Path, wanted: Sequence[str]) -> list[str]:
    """The connections to play, by their titles.

    Raises:
        Failure: the file cannot be read, or has no such connection.
    """
    reader = Salvage(path)
    try:
        links = reader.links()
    finally:
        reader.close()
    known = titles(links)
    if not known:
        raise Failure(Fault(kind="usage", side="us", title="Nothing to play", cause=f"{path} has no connections"))
    rows = {chosen(links, name).id for name in wanted}
    return [title for title, link in known.items() if link.id in rows or not wanted]


async def _print(sessions: Sequence[Session], wanted: Wanted, capture: str | None) -> int:
    journals = recording(capture, keep=True) if capture else nullcontext(cast("Journal", Unstored()))
    with interruption() as interrupted, journals as journal:
        async with Spool() as output:
            hub = Hub(journal)
            links: dict[int, LinkRow] = {}
            remarks = Remarks()
            journal.taps.append(lambda rows: remarks.tap([row for row in rows if not is_retold(row)]))
            printer = Printer(output, render_for(form_for(wanted.format, output), links), wanted.select, wanted.count)
            journal.taps.append(printer.print)
            journal.brakes.append(lambda: output.full)
            try:
                for session in sessions:
                    connection = hub.open(session, Secrets(), retry_first=False)
                    links[connection.id] = link_row(connection)
                which = await _until_done(hub.connections, printer, wanted, interrupted.came)
                status = _status(which, hub.connections, printer, wanted.count)
            finally:
                await hub.close_all()
            return await handed_over(output, status, interrupted.came, timed_out=which in TIMED_OUT)


async def _until_done(
    connections: Sequence[Connection], printer: Printer, wanted: Wanted, interrupted: asyncio.Event
) -> int:
    """Which of the waits below was the first to end."""
    which = await first_of(
        printer.done.wait(),
        interrupted.wait(),
        printer.output.gone(),
        _all_closed(connections),
        _elapsed(wanted.duration),
        printer.idle(wanted.idle),
    )
    return INTERRUPTED if interrupted.is_set() else which


def _status(which: int, connections: Sequence[Connection], printer: Printer, wanted: int | None) -> int:
    if which == INTERRUPTED:
        return Status.INTERRUPTED
    if printer.done.is_set() or printer.output.ended:
        return Status.DONE
    if which == ENDED:
        failed = next((one for one in connections if one.fault is not None), None)
        if failed is not None:
            return why_not_open(failed)
    if wanted is None:
        return Status.DONE
    how = "the capture ended" if which == ENDED else "time ran out"
    note(f"{how} after {printer.count:,} of {wanted:,} messages")
    return Status.EXPIRED


async def _all_closed(connections: Sequence[Connection]) -> None:
    for connection in connections:
        await connection.wait_closed()


async def _elapsed(seconds: float | None) -> None:
    await (asyncio.Event().wait() if seconds is None else asyncio.sleep(seconds))
