"""Asks again and again: when, what is told of the answers, and when it is over.

One request at a time, all times from the loop's monotonic clock. An answer with an error is a row and a longer wait;
only a refusal of our credentials, or a broken line, ends the attempt.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import random
import time
from typing import Any, Final, Literal

from rtui.core.command import Break, Command, Hangup, Poke
from rtui.core.event import Closed, Event, Measured, Notice, Opened, Progressed, Sent, Stalled
from rtui.core.fault import Failure, Fault, FaultKind
from rtui.core.record import Kind
from rtui.core.words import counted
from rtui.protocols.base import Link
from rtui.protocols.polling import LongOptions, Options
from rtui.protocols.wire.poll_answer import NOT_MODIFIED, Answer, Reader
from rtui.protocols.wire.poll_request import Asker
from rtui.protocols.wire.poll_schedule import Pause, Schedule, retries
from rtui.protocols.wire.reach_fault import Unopened, usage
from rtui.protocols.wire.sabotage import dropped, told
from rtui.protocols.wire.web import Exchange
from rtui.protocols.wire.web_fault import refused

STEP: Final = 1.0
"""Seconds between two looks at what is late. A long poll that was not answered by then is being held."""
SURVIVABLE: Final[frozenset[FaultKind]] = frozenset({"handshake", "protocol", "limit", "busy"})
"""What may be wrong with one answer while the line is whole."""


async def converse(link: Link) -> Closed:
    """One attempt, from the first request to the end."""
    session = Session(link)
    try:
        return await session.run()
    finally:
        await session.leave()


class Session:
    """What runs from the first request on."""

    def __init__(self, link: Link) -> None:
        """Raises `Failure` if the options cannot be used."""
        options: Options = link.options
        self._link = link
        self._options = options
        self._long = isinstance(options, LongOptions)
        self._hold = options.hold if isinstance(options, LongOptions) else 0.0
        self._name = "longpoll" if self._long else "polling"
        self._reader = Reader(options, link.memory)
        self._asker = Asker(options, link.url, link.memory)
        self._clock = asyncio.get_running_loop().time
        self._schedule = Schedule(options.every, options.jitter, self._clock(), random.random)
        self._retries = retries(options.every, random.random)
        self._pause = Pause()
        self._due = self._clock()
        self._asking: float | None = None
        """When the request that is under way began."""
        self._opened = self._slow = self._deaf = self._stalled = False
        self._trouble = ""
        """Why the server is left alone for a while."""
        self._poke = 0
        """The command that wants a request now."""
        self._poked = asyncio.Event()
        self._verdict: Closed | None = None
        self._failure: Exception | None = None
        self._polls: asyncio.Task[None]

    async def run(self) -> Closed:
        """Ask until the line breaks, the server refuses us, or the user has enough."""
        async with asyncio.TaskGroup() as group:
            self._polls = group.create_task(self._poll_on(), name=f"{self._name} requests")
            helpers = [
                group.create_task(self._obey(), name=f"{self._name} commands"),
                group.create_task(self._watch(), name=f"{self._name} watch"),
            ]
            await asyncio.wait([self._polls])
            for helper in helpers:
                helper.cancel()
        if self._verdict is None:
            assert self._failure is not None  # noqa: S101 - nothing else ends the requests
            raise self._failure
        return self._verdict

    async def leave(self) -> None:
        """Close every connection."""
        await self._asker.web.close()

    # Requests

    async def _poll_on(self) -> None:
        try:
            while True:
                await self._wait()
                self._due = await self._poll()
                left = self._due - self._clock()
                self._link.emit([Progressed({"next_poll": time.monotonic_ns() + int(left * 1e9)})])
        except Exception as error:  # noqa: BLE001 - for `run`: a task group would wrap it
            self._failure = error

    async def _wait(self) -> None:
        """Until a request is due, or wanted now."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout_at(self._due):
                await self._poked.wait()
        self._poked.clear()

    async def _poll(self) -> float:
        """One request; returns when the next one is due."""
        command, self._poke = self._poke, 0
        self._asking = began = self._clock()
        try:
            exchange = await self._asker.ask(self._patience())
            try:
                await self._take(exchange, command)
            finally:
                await exchange.close()
        except Failure as error:
            return self._survived(error, command)
        finally:
            self._asking = None
        return self._next_long(exchange, began) if self._long else self._next(began, poked=bool(command))

    def _patience(self) -> float:
        """Seconds to wait for an answer."""
        if self._deaf or (self._long and not self._hold):
            return math.inf
        return self._hold or self._options.timeout

    async def _take(self, exchange: Exchange, command: int) -> None:
        if not (200 <= exchange.status < 300 or exchange.status == NOT_MODIFIED):  # noqa: PLR2004 - success
            raise Unopened(refused(exchange, await exchange.beginning(), "polled"))
        self._open(exchange.details())
        answer = await self._asker.read(exchange)
        self._answered(exchange, answer)
        for batch in self._reader.events(answer, command):
            await self._link.pour(batch)
        if complaint := self._asker.learn(answer):
            self._say(complaint, "warning")

    def _open(self, details: dict[str, Any]) -> None:
        if not self._opened:
            self._opened = self._link.memory["answered"] = True
            title = "long polling" if self._long else "polling"
            self._link.emit(
                [Opened(details={**details, "protocol": f"{title} over {details.get('protocol', 'HTTP')}"})]
            )

    def _answered(self, exchange: Exchange, answer: Answer) -> None:
        """A success came whole: figures, and the end of what was wrong."""
        # Of this answer, no figure would be true while the next one is waited for; its row has them.
        progress = Progressed({"last_byte": time.monotonic_ns()})
        events: list[Event] = [progress]
        if not self._long:
            # How long a server holds a request says nothing of the way to it.
            events = [Measured(int(exchange.first_byte_ms * 1e6)), progress]
        if self._stalled:
            events.append(Stalled(""))
        if failures := self._retries.failures:
            text = f"{answer.status} again, after {counted(failures, 'error')}"
            events.append(Notice(text=text, channel=self._asker.channel))
        self._link.emit(events)
        self._stalled, self._trouble = False, ""
        self._retries.reset()

    # When the next one is due

    def _next(self, began: float, *, poked: bool) -> float:
        now = self._clock()
        if poked:
            return self._schedule.resume(now)
        tick = self._schedule.next(now)
        if tick.skipped and not self._slow:
            self._say(f"{counted(tick.skipped, 'tick')} skipped: the answer took {now - began:.1f} s", "warning")
        self._slow = bool(tick.skipped)
        return tick.at

    def _next_long(self, exchange: Exchange, began: float) -> float:
        if self._pause.note(held=exchange.first_byte_ms / 1000, fresh=self._reader.fresh):
            self._say("the server answers at once and with nothing new: it is asked more slowly", "warning")
        every = self._options.every * (1 + self._options.jitter * random.random())  # noqa: S311 - not for secrets
        return max(self._clock() + self._pause.length, began + every)

    def _survived(self, error: Failure, command: int) -> float:
        """An answer that is none: a row, and a longer wait.

        Raises:
            Failure: `error`, if it ends the attempt.
        """
        why = error.fault
        if self._hold and why.kind == "timeout" and (why.meta or {}).get("stage") == "handshake":
            self._open(self._standing())
            self._say(f"no answer for {self._hold:g} s: asked anew", "info")
            return self._clock()
        if why.kind not in SURVIVABLE or not self._link.memory.get("answered"):
            raise error
        self._open(self._standing())
        wait = self._retries.next(why.retry_after)
        assert wait is not None  # noqa: S101 - this policy never gives up
        self._due = self._schedule.resume(self._clock() + wait)
        self._tell_error(why, command)
        return self._due

    def _standing(self) -> dict[str, Any]:
        """What is known of the connection before an answer."""
        trip = self._asker.web.trip
        found = {**trip.tls, "local": trip.local, "remote": trip.remote, "proxy": trip.proxy, "timings": trip.timings}
        return {key: value for key, value in found.items() if value}

    # What is told

    def _tell_error(self, why: Fault, command: int) -> None:
        meta = why.meta or {}
        status = meta.get("status_code", "")
        self._trouble = str(meta.get("status") or why.title)
        name = f"{self._asker.channel} {status}".rstrip()
        text = f"{why.sentence()}; {self._next_poll()}"
        self._link.emit([Notice(text=text, level="error", command=command, channel=name, fault=why)])
        self._stall(f"{self._trouble}, {self._next_poll()}")

    def _next_poll(self) -> str:
        return f"next poll in {max(0.0, self._due - self._clock()):.0f} s"

    def _say(self, text: str, level: Literal["info", "warning"]) -> None:
        self._link.emit([Notice(text=text, level=level, channel=self._asker.channel)])

    def _stall(self, text: str) -> None:
        self._stalled = True
        self._link.emit([Stalled(text)])

    async def _watch(self) -> None:
        """Tell each second what is late."""
        while True:
            await asyncio.sleep(STEP)
            since = None if self._asking is None else self._clock() - self._asking
            if since is not None and since >= STEP:
                self._tell_waiting(since)
            elif since is None and self._trouble:
                self._stall(f"{self._trouble}, {self._next_poll()}")

    def _tell_waiting(self, since: float) -> None:
        if not self._long:
            self._stall(f"no answer for {since:.0f} s")
        elif self._asker.web.trip.at == "handshake":
            self._open(self._standing())

    # Commands

    async def _obey(self) -> None:
        async for command in self._link.commands:
            match command:
                case Poke():
                    self._poll_now(command)
                case Hangup():
                    self._end(Closed(by="us", clean=True, reason=command.reason))
                case Break():
                    self._break(command)
                case _:
                    hint = "What a request carries stands in the options"
                    self._refuse(command, usage("Polling cannot do this", "a request is made when it is due", hint))

    def _poll_now(self, command: Poke) -> None:
        if self._asking is not None or self._poke:
            hint = "The option hold sets how long an answer may take" if self._long else ""
            self._refuse(command, usage("A request is under way", "there are never two at once", hint))
            return
        self._poke = command.id
        self._link.emit([Sent(command.id, self._asker.channel, b"", Kind.PING, {"type": "poll"})])
        self._poked.set()

    def _break(self, command: Break) -> None:
        match command.what:
            case "drop":
                self._asker.web.cut()
                self._end(dropped())
            case "stop-reading":
                self._deaf = command.on
                self._asker.web.hold(command.on)
            case _:
                self._refuse(command, usage(f"Polling cannot do {command.what}", "only answers come over this line"))
                return
        self._link.emit([told(command)])

    def _end(self, verdict: Closed) -> None:
        self._verdict = verdict
        self._polls.cancel()

    def _refuse(self, command: Command, why: Fault) -> None:
        self._link.emit([Notice(text=why.sentence(), level="error", command=command.id, fault=why)])
