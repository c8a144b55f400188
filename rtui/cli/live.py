"""One connection on the command line: journal, hub, signals, and how it ended."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, Final

import msgspec

from rtui.capture.journal import Journal
from rtui.capture.prune import prune
from rtui.capture.reader import LinkRow
from rtui.cli.report import note, report_details, report_fault, say
from rtui.cli.spool import GRACE, Spool
from rtui.cli.status import Status
from rtui.cli.target import Resolved
from rtui.core.clean import clean, clean_bytes
from rtui.core.fault import Failure, Fault
from rtui.core.lifecycle import State
from rtui.core.record import Direction, Kind, Record
from rtui.runtime.hub import Connection, Hub
from rtui.runtime.tasks import spawn
from rtui.settings.config import load_config
from rtui.settings.files import make_private_folder
from rtui.settings.paths import captures_folder

HURRY: Final = 0.3
"""Seconds without progress after which an interrupted command leaves its reader alone."""
REMARKS: Final = frozenset({Kind.RECONNECT, Kind.GAP, Kind.ERROR, Kind.NOTICE})
"""Rows that a user wants to know of although they are no messages."""
NOT_KEPT: Final = "what is recorded ends with this run"
REMEMBERED: Final = 512
"""Rows told last that a fault may repeat: more than are under way at once."""


class Remarks:
    """Rows that are told on stderr as they come; those of a connection that opens only if `attended`.

    Who sits at a terminal wants to know whether a silence is that of an open connection.
    """

    def __init__(self, *, attended: bool = False) -> None:
        self._kinds = REMARKS | {Kind.OPEN} if attended else REMARKS
        self._told: deque[bytes] = deque(maxlen=REMEMBERED)

    def tap(self, records: Sequence[Record]) -> None:
        """Tell those of `records` that are no messages."""
        for record in records:
            if record.kind in self._kinds and record.direction != Direction.OUT:
                self._told.append(record.payload)
                note(clean_bytes(record.payload))
                for line in _details(record.meta):
                    say(f"  {line}")

    def report(self, fault: Fault) -> None:
        """Tell what came of a command; only what its row did not say, if there was one."""
        told = fault.sentence().encode(errors="surrogateescape") in self._told
        (report_details if told else report_fault)(fault)


def _details(meta: str | None) -> Iterator[str]:
    """What a status of gRPC carries besides its message, one line each: `ErrorInfo {"reason": …}`."""
    if not meta or '"details"' not in meta:
        return
    found = msgspec.json.decode(meta).get("details")
    for one in found if isinstance(found, list) else []:
        fields = {key: value for key, value in one.items() if key != "@type"} if isinstance(one, dict) else one
        name = one.get("@type", "").rpartition(".")[2] if isinstance(one, dict) else ""
        yield clean(f"{name} {msgspec.json.encode(fields).decode()}".strip())


@contextmanager
def recording(capture: str | None, keep: bool) -> Iterator[Journal]:
    """The journal of this run: FILE, a new file in the user's folder, or a temporary one.

    Where the user's folder cannot be written, the work goes on with a temporary one, which is told.
    """
    journal = _named(capture) if keep else Journal.create()
    try:
        yield journal
    finally:
        journal.close()
        if journal.trouble:
            note(journal.trouble)
        if keep and not capture:
            _prune()


def _named(capture: str | None) -> Journal:
    if capture:
        return Journal.create(Path(capture))
    folder = captures_folder()
    try:
        make_private_folder(folder)
        return Journal.create(folder / time.strftime(f"%Y-%m-%d_%H%M%S-{time.time_ns() % 10**6:06d}.rtui"))
    except (OSError, Failure) as error:
        cause = error.fault.cause if isinstance(error, Failure) else f"{folder}: {error.strerror}"
        note(f"{NOT_KEPT}: {cause}")
        return Journal.create()


def _prune() -> None:
    config, _ = load_config()
    prune(captures_folder(), config.capture_max_size, config.capture_max_age)


@asynccontextmanager
async def connected(
    journal: Journal, one: Resolved, remarks: Remarks, *, retry_first: bool
) -> AsyncIterator[Connection]:
    """A connection being opened; closed properly at the end of the block."""
    hub = Hub(journal)
    journal.taps.append(remarks.tap)
    try:
        yield hub.open(one.session, one.secrets, one.renderer, retry_first=retry_first)
    finally:
        await hub.close_all()


def link_row(connection: Connection) -> LinkRow:
    """The connection as its capture knows it."""
    return LinkRow(connection.id, connection.name, connection.protocol, connection.url)


def why_not_open(connection: Connection) -> int:
    """Say why the first connect failed."""
    fault = connection.fault or _not_connected(connection)
    report_fault(fault)
    return Status.USAGE if fault.kind == "usage" else Status.UNREACHED


def how_it_ended(connection: Connection, complete: bool) -> int:
    """The status for a connection that ended by itself, `complete` if nothing more was to come."""
    if not connection.opened:
        return why_not_open(connection)
    if connection.fault is not None:
        report_fault(connection.fault)
        return Status.LOST
    if complete:
        return Status.DONE
    note(f"the server closed the connection{_words(connection)}")
    return Status.LOST


def _not_connected(connection: Connection) -> Fault:
    """The end of a connection that never was one, although nothing went wrong: HTTP 204, or a second thought."""
    return Fault(kind="closed", side="them", title=f"Not connected{_words(connection)}")


def _words(connection: Connection) -> str:
    """The code and the reason of the end, where there are any."""
    closed = connection.closed
    code = f" ({closed.code})" if closed is not None and closed.code is not None else ""
    reason = f": {closed.reason}" if closed is not None and closed.reason else ""
    return code + reason


async def handed_over(output: Spool, status: int, interrupted: asyncio.Event, *, timed_out: bool = False) -> int:
    """Wait for the reader of stdout to take what was printed; returns the status of the command.

    For as long as it takes, as every program in a pipe does; but if time ran out or a signal came, a reader that has
    stopped is not waited for.
    """
    if interrupted.is_set():
        await output.drained(HURRY)
        return Status.INTERRUPTED
    await first_of(output.drained(GRACE if timed_out else None), interrupted.wait())
    if interrupted.is_set():
        return Status.INTERRUPTED
    if output.waiting:
        note(f"the reader of stdout stopped: {output.waiting:,} bytes were not printed")
        return status or Status.EXPIRED
    return status


async def first_of(*works: Awaitable[Any]) -> int:
    """Wait until one of `works` is done, end the others, and return its index; the first counts if several are.

    Raises:
        Exception: what the work that was done first raised.
    """
    tasks = [spawn(_awaited(work), f"wait-{index}") for index, work in enumerate(works)]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    index = next(i for i, task in enumerate(tasks) if not task.cancelled())
    tasks[index].result()
    return index


async def _awaited(work: Awaitable[Any]) -> None:
    await work


async def beyond_end(connection: Connection, fault: Fault) -> None:
    """Return if the connection outlives `fault`; else never: its end ends the command, and tells how it was."""
    if connection.state is not State.OPEN or fault.kind == "lost":
        await asyncio.Event().wait()


async def until_open(connection: Connection) -> bool:
    """Wait until it is open; False if it ended instead. One that ended in the moment it opened was open."""
    if connection.state is State.OPEN:
        return True
    try:
        await connection.wait_open()
    except Failure:
        return connection.opened > 0
    return True
