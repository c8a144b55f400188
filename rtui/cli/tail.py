"""`rtui tail`: receive and print."""

from __future__ import annotations

import asyncio
from contextlib import nullcontext
from operator import attrgetter
from typing import Any, Final, cast

import click
import msgspec

from rtui.capture.journal import Journal
from rtui.capture.query import Filter
from rtui.cli.flags import Duration, ReceivingCommand, Target, capture_flags, connect_flags, given, subscription
from rtui.cli.live import Remarks, connected, first_of, handed_over, how_it_ended, link_row, recording, why_not_open
from rtui.cli.printer import (
    Filtered,
    Printer,
    Selection,
    compiled,
    form_for,
    format_option,
    render_for,
    retained_only,
    selection,
)
from rtui.cli.report import note
from rtui.cli.signals import interruption
from rtui.cli.spool import Spool
from rtui.cli.status import Status
from rtui.cli.streams import Streams
from rtui.cli.target import Resolved, apart, load, resolved
from rtui.cli.unstored import Unstored
from rtui.core.fault import Failure, Fault
from rtui.core.record import Kind
from rtui.protocols.base import Verb
from rtui.protocols.registry import is_replay
from rtui.runtime.hub import Connection
from rtui.settings.option import declared

INTERRUPTED: Final = 1
ENDED: Final = 3
REFUSED: Final = 4
FINISHED: Final = 5
TIMED_OUT: Final = frozenset({6, 7})
"""Which of the waits of `_until_done` came first: a signal, the connection's end, a refusal of all that was to be
received, the end of all streams, `--for` or `--idle`."""

_kind_of = attrgetter("kind")


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What to print and when to stop."""

    select: Selection
    filter: Filter | None
    format: str | None
    count: int | None
    duration: float | None
    idle: float | None
    subscribe: tuple[str, ...]
    subscription: Any
    """How, in the protocol's own terms: QoS and the like."""
    retry_first: bool


@click.command(cls=ReceivingCommand)
@click.argument("target", type=Target())
@click.option("--subscribe", multiple=True, metavar="CHANNEL", help="Subscribe to CHANNEL or namespace (repeatable).")
@click.option("filter_", "--filter", metavar="EXPR", help="Print only what matches, such as 'kind:error or .v>30'.")
@click.option("--count", type=click.IntRange(1), metavar="N", help="Stop after N messages that match.")
@click.option("duration", "--for", type=Duration(), metavar="TIME", help="Stop after TIME.")
@click.option("--idle", type=Duration(), metavar="TIME", help="Stop when nothing was printed for TIME.")
@format_option
@click.option("--include-sent", is_flag=True, help="Print what was sent, too.")
@click.option("--events", is_flag=True, help="Print connection events, too.")
@click.option("--retained/--no-retained", default=None, help="Only what the broker had kept, or none of it (MQTT).")
@click.option("--retry-first", is_flag=True, help="Retry the first connect as well.")
@connect_flags
@capture_flags
@click.pass_context
def tail(ctx: click.Context, /, target: str, **flags: Any) -> int:
    """Receive messages from TARGET and print them: NDJSON in a pipe, text on a terminal.

    Messages go to stdout, everything else to stderr.
    """
    request = given(ctx)
    one = resolved(load(target, request), request)
    apart(one.session, flags["capture"])
    wanted = Wanted(
        select=_selection(one, flags),
        filter=compiled(flags["filter_"]),
        format=flags["format_"],
        count=flags["count"],
        duration=flags["duration"],
        idle=flags["idle"],
        subscribe=(*flags["subscribe"], *_named(one)),
        subscription=subscription(ctx, one.adapter),
        retry_first=flags["retry_first"],
    )
    if flags["subscribe"] and Verb.SUBSCRIBE not in one.adapter.verbs:
        hint = "Leave --subscribe out: what the server sends is printed."
        raise Failure(Fault(kind="usage", side="us", title=f"{one.adapter.title} has no subscriptions", hint=hint))
    return asyncio.run(_tail(one, wanted, flags["capture"], keep=not flags["no_capture"]))


def _named(one: Resolved) -> list[str]:
    """What the URL names, unless the session says that it is off."""
    off = {wanted.channel for wanted in one.session.subscriptions if not wanted.enabled}
    return [channel for channel in one.adapter.channels(one.session.url) if channel not in off]


def _selection(one: Resolved, flags: dict[str, Any]) -> Selection:
    select = selection(sent=flags["include_sent"], events=flags["events"])
    if flags["retained"] is None:
        return select
    if all(declaration.key != "retain" for declaration in declared(one.adapter.Outgoing)):
        raise Failure(Fault(kind="usage", side="us", title=f"{one.adapter.title} has no retained messages"))
    return retained_only(select, wanted=flags["retained"])


async def _tail(one: Resolved, wanted: Wanted, capture: str | None, *, keep: bool) -> int:
    # A filter runs in the capture; without one, what is not to be kept need not be stored at all.
    stored = keep or wanted.filter is not None
    journals = recording(capture, keep=keep) if stored else nullcontext(cast("Journal", Unstored()))
    with interruption() as interrupted, journals as journal:
        async with Spool() as output:
            remarks = Remarks(attended=output.terminal)
            async with connected(journal, one, remarks, retry_first=wanted.retry_first) as connection:
                for channel in wanted.subscribe:
                    connection.subscribe(channel, wanted.subscription)
                render = render_for(form_for(wanted.format, output), {connection.id: link_row(connection)})
                printer = Printer(output, render, wanted.select, wanted.count)
                streams = Streams(connection)
                journal.taps.append(streams.tap)
                which = await _until_done(connection, journal, printer, streams, wanted, interrupted.came)
                status = _status(which, connection, printer, wanted, remarks, streams)
            return await handed_over(output, status, interrupted.came, timed_out=which in TIMED_OUT)


async def _until_done(  # noqa: PLR0917 - all that can end the command
    connection: Connection,
    journal: Journal,
    printer: Printer,
    streams: Streams,
    wanted: Wanted,
    interrupted: asyncio.Event,
) -> int:
    """Print until the first of all that can end the command, and tell which: an index into the waits below."""
    feed: Filtered | nullcontext[None]
    if wanted.filter is None:
        journal.taps.append(printer.print)
        journal.brakes.append(lambda: printer.output.full)
        feed = nullcontext()
    else:
        from rtui.runtime.decoding import decodings_of

        feed = Filtered(journal, wanted.filter, printer, decodings_of(connection.session, connection.id))
    async with feed:
        which = await first_of(
            printer.done.wait(),
            interrupted.wait(),
            printer.output.gone(),
            connection.wait_closed(),
            _refused(connection, journal),
            streams.finished(),
            _elapsed(wanted.duration),
            printer.idle(wanted.idle),
        )
        if isinstance(feed, Filtered) and which != INTERRUPTED:
            await feed.finish()
    return INTERRUPTED if interrupted.is_set() else which


def _status(  # noqa: PLR0917 - as above
    which: int, connection: Connection, printer: Printer, wanted: Wanted, remarks: Remarks, streams: Streams
) -> int:
    if which == INTERRUPTED:
        return Status.INTERRUPTED
    if printer.done.is_set() or printer.output.ended:
        return Status.DONE
    if which == ENDED:
        return _ended(connection, printer, wanted)
    if which == FINISHED or (which == REFUSED and streams.calls):
        return streams.status(remarks, printer.count, wanted.count)
    if which == REFUSED:
        for fault in _refusals(connection):
            remarks.report(fault)
        return Status.UNREACHED
    return _expired(connection, printer, wanted, "time ran out")


def _ended(connection: Connection, printer: Printer, wanted: Wanted) -> int:
    if is_replay(connection.session.url) and connection.opened and connection.fault is None:
        return _expired(connection, printer, wanted, "the capture ended")  # there is no server that could have
    return how_it_ended(connection, complete=wanted.count is None)


def _expired(connection: Connection, printer: Printer, wanted: Wanted, how: str) -> int:
    if not connection.opened:
        return why_not_open(connection)
    if wanted.count is None:
        return Status.DONE
    note(f"{how} after {printer.count:,} of {wanted.count:,} messages")
    return Status.EXPIRED


async def _refused(connection: Connection, journal: Journal) -> None:
    """Until the peer refused every subscription: nothing will ever come. For ever where there is none."""
    came = asyncio.Event()
    # A refusal is a row; by the time taps see it, the subscription knows of it.
    journal.taps.append(lambda records: came.set() if Kind.ERROR in map(_kind_of, records) else None)
    while not _refusals(connection):
        came.clear()
        await came.wait()


def _refusals(connection: Connection) -> list[Fault]:
    """Why, for each wanted subscription; none if even one may still bring something."""
    states = [one for one in connection.subscriptions if one.enabled]
    refused = [one for one in states if connection.standing(one) == "refused"]
    # What went with a connection that is lost is asked for again.
    faults = [one.refusal for one in refused if one.refusal is not None and one.refusal.side != "network"]
    return faults if len(faults) == len(states) else []


async def _elapsed(seconds: float | None) -> None:
    if seconds is None:
        await asyncio.Event().wait()
    else:
        await asyncio.sleep(seconds)
