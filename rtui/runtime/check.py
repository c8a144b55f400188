"""Runs the steps of a session over its connection: what `rtui check` reports, and what is presented one by one.

An `expect` takes the first row that matches its filter among those that came since the last thing done (send, close,
reconnect) before it, and that no other `expect` took: answers may come in any order. What we sent is no answer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from itertools import islice
from typing import Final, Literal, TypeAlias

import msgspec

from rtui.capture.journal import Journal
from rtui.capture.meaning import meant
from rtui.capture.query import Filter, FilterError, compile_filter
from rtui.capture.reader import Reader
from rtui.core import json_path
from rtui.core.fault import Failure, Fault
from rtui.core.lifecycle import State
from rtui.core.record import Direction, Kind, Record
from rtui.runtime.decoding import decodings_of
from rtui.runtime.hub import Connection
from rtui.runtime.step import label, message_of, verb_of
from rtui.settings.option import OptionErrors
from rtui.settings.secrets import Secrets, is_secret_header
from rtui.settings.session_model import Step
from rtui.settings.template import Renderer

Outcome: TypeAlias = Literal["passed", "failed", "invalid", "unreached", "lost", "interrupted", "skipped"]
PERIOD: Final = 0.02
"""Seconds between looks into the capture."""
CHUNK: Final = 5_000
"""Rows matched at once; between two chunks others have their turn."""
NEAREST: Final = 3
"""Rows told of an `expect` that nothing matched: the last that came."""


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one step."""

    number: int
    """1, 2, 3 … in the order of the file."""
    label: str
    verb: str
    outcome: Outcome
    seconds: float = 0.0
    matched: Record | None = None
    nearest: tuple[Record, ...] = ()
    """The last rows that came and did not match."""
    captured: dict[str, str] = {}
    fault: Fault | None = None
    """Why it is not passed."""


def result(number: int, step: Step, outcome: Outcome, fault: Fault | None = None) -> Result:
    """A step that was not run to its end."""
    return Result(number=number, label=label(step), verb=verb_of(step), outcome=outcome, fault=fault)


class Unmet(Exception):
    """A step did not do what it should."""

    def __init__(self, outcome: Outcome, fault: Fault, nearest: Sequence[Record] = ()) -> None:
        super().__init__(fault.sentence())
        self.outcome: Outcome = outcome
        self.fault = fault
        self.nearest = tuple(nearest)


class Check:
    """The steps of one connection."""

    def __init__(
        self,
        connection: Connection,
        journal: Journal,
        renderer: Renderer,
        secrets: Secrets,
        *,
        joined: bool = False,
    ) -> None:
        """`joined`: the connection was in use before, and what came until now is no answer to the first thing done."""
        self._connection = connection
        self._journal = journal
        self._renderer = renderer
        self._secrets = secrets
        self._decodings = decodings_of(connection.session, connection.id)
        self._since = 0
        """Rows up to this one came before the last thing done."""
        self._taken: set[int] = set()
        self._expecting = joined
        """Whether something was, or may have been, expected since the last thing done."""
        self._left = False
        """Whether the last thing done was our own close."""

    async def run(self, steps: Sequence[Step], tell: Callable[[Result], None]) -> None:
        """Run `steps` in order until one is not passed, telling of each as it ends."""
        for number, step in enumerate(steps, 1):
            one = await self.take(number, step)
            tell(one)
            if one.outcome != "passed":
                return

    async def take(self, number: int, step: Step) -> Result:
        """Run one step, the first time or again. An `expect` that failed may be met by what came since."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        one = await self._one(number, step)
        return msgspec.structs.replace(one, seconds=loop.time() - began)

    async def _one(self, number: int, step: Step) -> Result:
        try:
            matched = await self._do(step)
            captured = self._captured(step, matched) if matched else {}
        except Unmet as error:
            return msgspec.structs.replace(result(number, step, error.outcome, error.fault), nearest=error.nearest)
        except Failure as error:
            return result(number, step, "invalid", error.fault)
        except OptionErrors as error:
            return result(number, step, "invalid", _fault("Wrong options", str(error)))
        done = result(number, step, "passed")
        return msgspec.structs.replace(done, matched=matched, captured=captured)

    async def _do(self, step: Step) -> Record | None:
        verb = verb_of(step)
        if verb == "expect":
            self._expecting = True
            return await self._expect(step)
        if verb == "sleep":
            await asyncio.sleep(step.sleep or 0.0)
            return None
        if self._expecting:
            self._expecting, self._since = False, self._journal.last
        await {"send": self._send, "close": self._close, "reconnect": self._reconnect}[verb](step)
        return None

    # Things done

    async def _send(self, step: Step) -> None:
        await self._open(step)
        message = message_of(step, self._connection.session)
        command = self._connection.send_saved(message)
        try:
            async with asyncio.timeout(step.within):
                outcome = await self._connection.wait_outcome(command)
        except TimeoutError:
            raise Unmet("failed", _late("Not sent", step)) from None
        if isinstance(outcome, Fault):
            raise self._ended() if self._is_over else Unmet("failed", outcome)

    async def _close(self, step: Step) -> None:
        if step.close:
            self._left = True
            self._connection.close()
            await self._connection.wait_closed()

    async def _reconnect(self, step: Step) -> None:
        if step.reconnect:
            self._connection.close()
            await self._connection.wait_closed()
            self._left = False
            self._connection.reconnect()
            await self._open(step)

    async def _open(self, step: Step) -> None:
        """Wait for an open connection, which may be on its way back.

        Raises:
            Unmet: if there will be none, or not in time.
        """
        try:
            async with asyncio.timeout(step.within):
                await self._connection.wait_open()
        except Failure:
            raise self._ended() from None
        except TimeoutError:
            raise Unmet("lost", _late("Not connected", step)) from None

    @property
    def _is_over(self) -> bool:
        return self._connection.state is State.CLOSED

    def _ended(self) -> Unmet:
        """The connection is over: by a step of our own, or by the peer or the network."""
        if self._left:
            return Unmet(
                "failed", _fault("The connection is closed", "by an earlier step", "A step `reconnect` opens it.")
            )
        closed = self._connection.closed
        fault = self._connection.fault or (closed.fault if closed else None)
        return Unmet("lost", fault or Fault(kind="closed", side="them", title="The server closed the connection"))

    # Things expected

    async def _expect(self, step: Step) -> Record:
        wanted = self._filter(step)
        reader = Reader(self._journal.path, self._decodings)
        try:
            found = await self._first(reader, wanted, step.within)
            if found is None:
                rows = self._nearest(reader)
                raise self._unmatched(step, rows)
        finally:
            reader.close()
        self._taken.add(found.seq)
        return found

    def _filter(self, step: Step) -> Filter:
        text = self._renderer.render(step.expect or "", "expect")
        try:
            return compile_filter(text)
        except FilterError as error:
            raise Failure(
                _fault("Not a filter", f"{error} in {text}", "Write captured text as {{ name|json }}.")
            ) from None

    async def _first(self, reader: Reader, wanted: Filter, within: float) -> Record | None:
        """The first row that matches and came in time; None if there is none, or none can come any more."""
        loop = asyncio.get_running_loop()
        deadline, seen, last = loop.time() + within, self._since, None
        while True:
            if last is None and (loop.time() >= deadline or self._is_over):
                last = self._journal.last
            committed = self._journal.committed
            high = min(seen + CHUNK, committed if last is None else min(committed, last))
            if found := self._match(reader, wanted, seen + 1, high):
                return found
            seen = max(seen, high)
            if last is not None and (seen >= last or self._journal.trouble):
                return None
            await asyncio.sleep(0 if seen < min(committed, last or committed) else PERIOD)

    def _match(self, reader: Reader, wanted: Filter, first: int, last: int) -> Record | None:
        if first > last:
            return None
        seqs = reader.seqs(wanted, self._connection.id, first, last)
        rows = (row for seq in seqs if seq not in self._taken for row in reader.window([seq]))
        return next((row for row in rows if _is_answer(row)), None)

    def _nearest(self, reader: Reader) -> list[Record]:
        first = max(self._since + 1, self._journal.committed - CHUNK)
        rows = reader.of_link(self._connection.id, first, self._journal.committed)
        came = (row for row in reversed(rows) if _is_answer(row) and row.seq not in self._taken)
        return list(islice(came, NEAREST))[::-1]

    def _unmatched(self, step: Step, rows: Sequence[Record]) -> Unmet:
        if self._connection.state is not State.OPEN and not self._left:
            ended = self._ended()
            return Unmet("lost", ended.fault, rows)
        cause = f"none in {step.within:g} s" if not self._is_over else "the connection is closed"
        return Unmet("failed", _fault("No message matched", cause), rows)

    def _captured(self, step: Step, matched: Record) -> dict[str, str]:
        """Set the variables of `step`; a name such as `token` makes its value a secret."""
        values: dict[str, str] = {}
        payload = meant(matched, self._decodings)
        for name, path in step.capture.items():
            part = json_path.cut(payload, json_path.read(path))
            if part is None:
                raise Unmet("failed", _fault("Nothing to capture", f"no {path} in the match for {name!r}"), (matched,))
            values[name] = _text(part)
            if is_secret_header(name):
                self._secrets.add(values[name])
        self._renderer.values.update(values)
        return values


def _is_answer(row: Record) -> bool:
    return row.kind != Kind.MESSAGE or row.direction == Direction.IN


def _text(part: bytes) -> str:
    """A string without its quotes; anything else as it is written."""
    return msgspec.json.decode(part, type=str) if part.startswith(b'"') else part.decode()


def _late(title: str, step: Step) -> Fault:
    return Fault(kind="timeout", side="network", title=title, cause=f"not in {step.within:g} s")


def _fault(title: str, cause: str, hint: str = "") -> Fault:
    return Fault(kind="usage", side="us", title=title, cause=cause, hint=hint)
