"""Records as lines on stdout, in batches, with an exact count."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Final, Self, TypeAlias, TypeVar

import click
import msgspec

from rtui.capture.export import ndjson_lines, raw_line, text_line
from rtui.capture.journal import Journal
from rtui.capture.meaning import Meaning
from rtui.capture.query import Filter, FilterError, compile_filter
from rtui.capture.reader import LinkRow, Reader
from rtui.cli.output import Output
from rtui.cli.spool import Spool
from rtui.core.clean import clean
from rtui.core.record import Direction, Kind, Record
from rtui.runtime.tasks import spawn

FORMATS: Final = ("ndjson", "text", "raw")
Selection: TypeAlias = Callable[[Sequence[Record]], list[Record]]
Render: TypeAlias = Callable[[Sequence[Record]], bytes]
F = TypeVar("F", bound=Callable[..., object])

_MESSAGE: Final = int(Kind.MESSAGE)
_IN: Final = int(Direction.IN)


def format_option(command: F) -> F:
    """`--format`."""
    return click.option(
        "format_",
        "--format",
        type=click.Choice(FORMATS),
        help="How to print; by default text on a terminal and ndjson in a pipe.",
    )(command)


def form_for(name: str | None, output: Output | Spool) -> str:
    """The format that was asked for, or the one that fits where `output` goes."""
    return name or ("text" if output.terminal else "ndjson")


def render_for(form: str, links: Mapping[int, LinkRow]) -> Render:
    """The function that makes the lines of a batch. `links` may grow meanwhile."""
    if form == "ndjson":
        return lambda records: ndjson_lines(records, links)
    line = raw_line if form == "raw" else text_line
    return lambda records: b"".join([line(record, links[record.link]) for record in records])


def selection(*, sent: bool, events: bool = False, acks: bool = False) -> Selection:
    """Which records are printed: what was received, and if wanted what was sent and what else happened."""
    kinds = frozenset(Kind) - {Kind.MESSAGE} if events else frozenset({Kind.ACK} if acks else ())
    directions = frozenset({_IN, int(Direction.OUT)} if sent else {_IN})
    if not kinds:
        return lambda records: [r for r in records if r.kind == _MESSAGE and r.direction in directions]
    return lambda records: [
        r for r in records if (r.direction in directions if r.kind == _MESSAGE else r.kind in kinds)
    ]


def retained_only(select: Selection, *, wanted: bool) -> Selection:
    """Of what `select` takes, only the messages that the broker had kept, or only those it had not."""
    return lambda records: [record for record in select(records) if record.kind != _MESSAGE or _kept(record) is wanted]


def _kept(record: Record) -> bool:
    """Whether the message's own meta say so; the text alone could be a user property's."""
    return '"retain":true' in (record.meta or "") and msgspec.json.decode(record.meta or "{}").get("retain") is True


def compiled(text: str | None) -> Filter | None:
    """The filter of `--filter`."""
    if text is None:
        return None
    try:
        return compile_filter(text)
    except FilterError as error:
        place = " " * len(clean(text[: error.position])) + "^"
        hint = f"\n{error.hint}" if error.hint else ""
        raise click.UsageError(f"--filter: {error.message}\n  {clean(text)}\n  {place}{hint}") from None


class Printer:
    """Prints what is selected, until `limit` messages are printed or the reader is gone."""

    def __init__(self, output: Spool, render: Render, select: Selection, limit: int | None = None) -> None:
        self.output = output
        self.count = 0
        """Messages printed (and events, where nothing limits them)."""
        self.done = asyncio.Event()
        """As many are printed as were wanted."""
        self._render = render
        self._select = select
        self._limit = limit
        self._fed = asyncio.Event()

    def print(self, records: Sequence[Record]) -> None:
        """Print the selected among `records`: one write for all of them."""
        if self.done.is_set() or self.output.ended:
            return
        chosen = self._counted(self._select(records))
        if not chosen:
            return
        self.output.write(self._render(chosen))
        self._fed.set()
        if self.count == self._limit:
            self.done.set()

    def _counted(self, records: list[Record]) -> list[Record]:
        """`records` up to the last message that may be printed. Connection events are not counted."""
        if self._limit is None:
            self.count += len(records)
            return records
        for index, record in enumerate(records):
            self.count += record.kind == _MESSAGE
            if self.count == self._limit:
                return records[: index + 1]
        return records

    async def idle(self, seconds: float | None) -> None:
        """Return when nothing was printed for so long; never, if None."""
        while True:
            self._fed.clear()
            try:
                async with asyncio.timeout(seconds):
                    await self._fed.wait()
            except TimeoutError:
                return


class Filtered:
    """Feeds a printer with what matches a filter, as it is stored: the filter runs in the capture."""

    PERIOD: Final = 0.02
    CHUNK: Final = 5_000
    GRACE: Final = 1.0
    """Seconds that an answer has before a filter that asks for it (`Filter.moves`) judges the request."""

    def __init__(self, journal: Journal, wanted: Filter, printer: Printer, meaning: Meaning | None = None) -> None:
        """`meaning` lets the filter see into binary payloads."""
        self._journal = journal
        self._meaning = meaning
        self._filter = wanted
        self._printer = printer
        self._seen = journal.last
        self._waits = wanted.moves
        self._young: deque[tuple[float, int]] = deque()
        """When (monotonic seconds) which rows were stored that are not to be judged yet."""

    async def __aenter__(self) -> Self:
        self._reader = Reader(self._journal.path, self._meaning)
        self._task = spawn(self._run(), "filter")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        self._reader.close()

    async def finish(self) -> None:
        """Print what matches among the rows that are recorded already, while somebody reads."""
        last = self._journal.last
        # An answer that has come shall count: nothing is judged before all that was received is stored.
        while self._journal.committed < last and not self._given_up:  # noqa: ASYNC110
            await asyncio.sleep(self.PERIOD)
        self._waits = False
        while self._seen < last and not self._given_up:  # noqa: ASYNC110
            await asyncio.sleep(self.PERIOD)

    @property
    def _given_up(self) -> bool:
        return self._over or bool(self._journal.trouble)

    @property
    def _over(self) -> bool:
        output = self._printer.output
        return self._printer.done.is_set() or output.ended or output.stopped

    async def _run(self) -> None:
        while True:
            due = self._due()
            while self._seen < due:
                await self._step(min(due, self._seen + self.CHUNK))
            await asyncio.sleep(self.PERIOD)

    def _due(self) -> int:
        """The last row that can be judged."""
        if not self._waits:
            return self._journal.committed
        now, young = time.monotonic(), self._young
        if not young or self._journal.committed > young[-1][1]:
            young.append((now, self._journal.committed))
        due = self._seen
        while young and young[0][0] + self.GRACE <= now:
            due = young.popleft()[1]
        return due

    async def _step(self, last: int) -> None:
        await self._printer.output.room()
        sequences = self._reader.seqs(self._filter, None, self._seen + 1, last)
        self._printer.print(self._reader.window(sequences))
        self._seen = last
        await asyncio.sleep(0)
