"""One clock for all the connections of a capture that are played together, so that their order and distances hold.

Whoever plays a connection awaits `play`: one of them turns the reel and tells the rows of all, the others wait; when
that one leaves, the next goes on from where it stands.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Final, Protocol

import msgspec

from rtui.capture.query import Filter
from rtui.core.event import Event, Notice, Retold
from rtui.core.fault import Fault
from rtui.core.record import Kind, Record
from rtui.protocols.wire.replay_place import SECOND, span
from rtui.protocols.wire.replay_reel import Reel, Span, Window, opened

AT_ONCE: Final = 500
"""Rows told between two looks at what the user wants."""


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What is played, and how it begins. Connections with one plan share a deck."""

    path: Path
    speed: float = 1.0
    begin: str = ""
    """As `replay_place.parse_place` reads it."""
    until: str = ""
    loop: bool = False
    filter: str = ""
    max_silence: float = 0.0


class Listener(Protocol):
    """Who hears rows: a link, or who stands in for one."""

    async def pour(self, events: Sequence[Event]) -> None:
        """See `protocols.base.Link.pour`."""


class Deck:
    """See the module; the figures and switches are those of `protocols.playback.Playback`."""

    def __init__(self, plan: Plan, found: Filter | None, part: Callable[[Reel, Span], Span]) -> None:
        """`part` says which rows of the capture are played; it runs in a thread."""
        self.path = plan.path
        self.speed = plan.speed
        self.loop = plan.loop
        self.max_silence = plan.max_silence
        self.paused = self.over = False
        self.begin = self.end = 0
        self.members: dict[Listener, int] = {}
        """Who hears the rows of which connection."""
        self._filter = found
        self._part = part
        self._reel: Reel | None = None
        self._span = Span(1, 0, 0, 0)
        self._door, self._baton = asyncio.Lock(), asyncio.Lock()
        self._changed = asyncio.Event()
        self._check: asyncio.Future[Fault | None] | None = None
        self._ahead: asyncio.Future[Window] | None = None
        self._rows: Sequence[Record] = ()
        self._index = 0
        """Of the next row to tell in `_rows`."""
        self._next = 1
        """The sequence that the window behind `_rows` begins with."""
        self._at = self._due = 0
        self._since = 0.0
        """Loop time at which it was at `_at`, as long as the clock moves."""
        self._heard = 0
        """Where the present silence began."""
        self._shortened = 0
        """The length of the silence before the row that is told next, if it was shortened."""
        self._jump: int | None = None
        self._steps = 0
        self._threaded: set[int] = set()
        """The connections whose rows are in the part that is played."""
        self.told = 0
        """Rows told since it began, the last time: a round that brings none is not repeated."""
        self.users = 0
        """Who holds it: with the last of them it goes."""

    # What others see and do

    @property
    def position(self) -> int:
        """How far it is."""
        if self.paused or self.over or self.speed == math.inf:
            return min(self._at, self.end)
        moved = (asyncio.get_running_loop().time() - self._since) * self.speed
        return min(self._at + int(moved * SECOND), self.end)

    @property
    def silence(self) -> float:
        """See `Playback`."""
        still = self.paused or self.over or self.speed == math.inf
        return 0.0 if still else max(0.0, (self._wake() - self.position) / SECOND / self.speed)

    def pause(self, *, on: bool) -> None:
        """See `Playback`."""
        self._stand(self.position)
        self.paused, self._steps = on, 0
        self._changed.set()

    def step(self) -> None:
        """See `Playback`."""
        if not self.paused:
            self.pause(on=True)
        self._steps += 1
        self._changed.set()

    def seek(self, position: int) -> None:
        """See `Playback`."""
        self._jump = max(self.begin, min(position, self.end))
        self._changed.set()

    def hasten(self, speed: float) -> None:
        """See `Playback`."""
        self._stand(self.position)
        self.speed = speed
        self._changed.set()

    def repeat(self, *, on: bool) -> None:
        """See `Playback`."""
        self.loop = on

    def shorten(self, most: float) -> None:
        """See `Playback`."""
        self.max_silence = most
        self._changed.set()

    # Opening and closing

    async def ready(self) -> Reel:
        """The capture, opened by the first who asks.

        Raises:
            Failure: it cannot be read, or what is to be played is not in it.
        """
        async with self._door:
            if self._reel is None:
                self._reel = await opened(self.path, self._filter)
            return self._reel

    async def thread(self) -> None:
        """Put the reel in: the part that is played has rows of those who listen by now.

        Raises:
            Failure: there is no such part.
        """
        reel = await self.ready()
        async with self._door:
            links = self._threaded.union(self.members.values())
            if links == self._threaded:
                return
            self._span = span = await reel.read(lambda: self._part(reel, reel.between(sorted(links))))
            self.begin, self.end = span.begin, span.end
            if not self._threaded:
                self._next = span.first
                self._heard = self.begin
                self._stand(self.begin)
            self._threaded = links

    def close(self) -> None:
        """Let go of the file."""
        self._forget()
        if self._reel is not None:
            self._reel.close()

    async def verified(self) -> Fault | None:
        """What is wrong with the file."""
        reel = await self.ready()
        if self._check is None:
            self._check = asyncio.get_running_loop().run_in_executor(None, reel.verify)
        return await asyncio.shield(self._check)

    # Playing

    async def play(self) -> None:
        """Until the end of the recording."""
        async with self._baton:
            while not self.over:
                await self._go_on()

    async def _go_on(self) -> None:
        if self._jump is not None:
            await self._seek(self._jump)
        self._skip()
        if self._index < len(self._rows):
            if await self._is_time(self._rows[self._index].time):
                await self._tell()
        elif self._next <= self._span.last:
            await self._load()
        elif await self._is_time(self.end):
            await self._end()

    def _skip(self) -> None:
        """Past the rows that nobody hears."""
        heard = set(self.members.values())
        while self._index < len(self._rows) and self._rows[self._index].link not in heard:
            self._index += 1

    async def _is_time(self, time: int) -> bool:
        """Wait until the clock has come to `time`; False if something else is wanted first."""
        self._due = min(max(self._due, time), self.end)
        while self._jump is None:
            if self._steps:
                return True
            left = None if self.paused else (self._wake() - self.position) / SECOND / self.speed
            if left is not None and left <= 0:
                self._leap()
                return True
            self._changed.clear()
            try:
                async with asyncio.timeout(left):
                    await self._changed.wait()
            except TimeoutError:
                pass
        return False

    def _wake(self) -> int:
        """When the next row is told: in its time, or where the silence before it has lasted long enough."""
        if not self.max_silence or self.speed == math.inf:
            return self._due
        return min(self._due, self._heard + int(self.max_silence * SECOND))

    def _leap(self) -> None:
        """Over what is left of a silence."""
        if self._wake() < self._due:
            self._shortened = self._due - self._heard
            self._stand(self._due)

    async def _tell(self) -> None:
        """Rows of one connection whose time has come; while stepping, one."""
        first = self._rows[self._index]
        rows = self._rows[self._index : self._behind(first)]
        self._index += len(rows)
        self.told += len(rows)
        if self._steps or self.speed == math.inf:
            self._stand(rows[-1].time)
            self._steps -= bool(self._steps and first.kind == Kind.MESSAGE)
        self._heard = max(self._heard, rows[-1].time)
        told = [*self._remarks(), Retold(rows)]
        for link in [link for link, heard in self.members.items() if heard == first.link]:
            await link.pour(told)

    def _remarks(self) -> list[Event]:
        """What is to be known of the silence before a row."""
        length, self._shortened = self._shortened, 0
        return [Notice(text=f"a silence of {span(length)} was shortened")] if length else []

    def _behind(self, first: Record) -> int:
        """The index behind the rows that are told together with `first`."""
        rows, index = self._rows, self._index + 1
        if self._steps:
            return index
        now = math.inf if self.speed == math.inf else max(self.position, self._due)
        most = min(len(rows), self._index + AT_ONCE)
        while index < most and rows[index].link == first.link and rows[index].time <= now:
            index += 1
        return index

    async def _load(self) -> None:
        """The next window, and the one behind it while this one is told."""
        reel, last = await self.ready(), self._span.last
        self._ahead = self._ahead or reel.read(partial(reel.window, self._next, last))
        window = await asyncio.shield(self._ahead)
        self._rows, self._index, self._next = window.rows, 0, window.next
        self._ahead = reel.read(partial(reel.window, window.next, last)) if window.next <= last else None

    async def _seek(self, position: int) -> None:
        reel = await self.ready()
        place = await reel.read(lambda: reel.locate(position))
        self._rewind(max(place, self._span.first), position)
        if self._jump == position:  # and no other place is wanted by now
            self._jump = None

    async def _end(self) -> None:
        if self._next <= self._span.last:
            return  # another connection came meanwhile, and goes on for longer
        if self.loop and self.told:
            self._rewind(self._span.first, self.begin)
            await asyncio.sleep(0)
        else:
            self._stand(self.end)
            self.over = True

    def _rewind(self, seq: int, position: int) -> None:
        self._forget()
        self._rows, self._index, self._next = (), 0, seq
        self._due = self.told = self._shortened = 0
        self._heard = position
        self._stand(position)

    def _stand(self, position: int) -> None:
        """The clock goes on from `position`, if it goes."""
        self._at, self._since = position, asyncio.get_running_loop().time()

    def _forget(self) -> None:
        if self._ahead is not None:
            self._ahead.cancel()
            self._ahead = None
