"""A link that only remembers: what an adapter's tests put in the runtime's place."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any, Self, TypeVar

from rtui.core.command import Command, Subscribe
from rtui.core.event import Closed, Event, Notice, Opened, Received, Sent
from rtui.protocols.base import Adapter
from tests.waiting import PATIENCE, eventually

E = TypeVar("E")


class Recorder:
    """Implements `rtui.protocols.base.Link`."""

    def __init__(self, url: str, options: Any, memory: dict[str, Any] | None = None) -> None:
        self.url = url
        self.options = options
        self.memory = {} if memory is None else memory
        self.events: list[Event] = []
        self._by_kind: defaultdict[type[Event], list[Any]] = defaultdict(list)
        self._payloads: list[bytes] = []
        self.longest_batch = 0
        self.channels: tuple[str, ...] = ()
        """What the URL names: subscribed to at the open, as the hub does."""
        self._queue: asyncio.Queue[Command | None] = asyncio.Queue()

    def emit(self, events: Sequence[Event]) -> None:
        self.longest_batch = max(self.longest_batch, len(events))
        self.events.extend(events)
        for event in events:
            self._by_kind[type(event)].append(event)
            if isinstance(event, Received):
                self._payloads.append(event.payload)
        if any(isinstance(event, Opened) for event in events):
            for channel in self.channels:
                self.ask(Subscribe(id=0, channel=channel))

    async def pour(self, events: Sequence[Event]) -> None:
        self.emit(events)
        await asyncio.sleep(0)

    @property
    def commands(self) -> AsyncIterator[Command]:
        return self._commands()

    async def _commands(self) -> AsyncIterator[Command]:
        while (command := await self._queue.get()) is not None:
            yield command

    def ask(self, command: Command) -> None:
        self._queue.put_nowait(command)

    # Tests poll these while thousands come in: each is a copy of what is kept apart, never a search.

    def of(self, kind: type[E]) -> list[E]:
        return self._by_kind[kind].copy()  # type: ignore[index]

    @property
    def received(self) -> list[Received]:
        return self.of(Received)

    @property
    def payloads(self) -> list[bytes]:
        return self._payloads.copy()

    @property
    def details(self) -> dict[str, Any]:
        return dict(self.of(Opened)[0].details)


class Run:
    """One attempt of an adapter against a recorder; an async context manager that cancels what still runs."""

    def __init__(self, adapter: Adapter, link: Recorder) -> None:
        self.adapter = adapter
        self.link = link
        link.channels = adapter.channels(link.url)
        self.task: asyncio.Task[Closed | None]

    async def __aenter__(self) -> Self:
        self.task = asyncio.get_running_loop().create_task(self.adapter.run(self.link), name="attempt")
        return self

    async def __aexit__(self, *_: object) -> None:
        self.task.cancel()
        await asyncio.wait([self.task], timeout=PATIENCE)
        if not self.task.cancelled():
            self.task.exception()

    async def opened(self) -> Run:
        await self.until(lambda: self.link.of(Opened))
        return self

    async def until(self, condition: Callable[[], object]) -> None:
        """Wait for `condition`; an attempt that ends with an error first fails the test with that error."""
        await eventually(
            lambda: condition() or (self.task.done() and not self.task.cancelled() and self.task.exception())
        )
        if not condition():
            await self.task
            raise AssertionError("the attempt ended before what was waited for")

    async def closed(self) -> Closed:
        async with asyncio.timeout(PATIENCE):
            closed = await self.task
        assert closed is not None
        return closed

    async def error(self) -> BaseException:
        await asyncio.wait([self.task], timeout=PATIENCE)
        assert self.task.done(), "the attempt hangs"
        error = self.task.exception()
        assert error is not None, f"no error but {self.task.result()}"
        return error

    def ask(self, command: Command) -> None:
        self.link.ask(command)

    def notices(self) -> list[Notice]:
        return self.link.of(Notice)

    def sent(self) -> list[Sent]:
        return self.link.of(Sent)
