"""What `rtui send` does where a message opens a call: prints all replies; the status of the call is its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Final

from rtui.cli.live import first_of, until_open, why_not_open
from rtui.cli.report import note
from rtui.cli.sending import Sending
from rtui.cli.status import Status
from rtui.core.fault import Fault

MANY_REQUESTS: Final = frozenset({"client stream", "bidi stream"})
"""Kinds of `Offer` whose calls take more than one message."""


class Calling(Sending):
    """One call for each message, one after the other; one for all of them where the method takes a stream."""

    async def run(self, first: bytes | None, more: AsyncIterator[bytes]) -> None:
        """Until the last call has ended, as many replies came as are waited for, or time ran out."""
        if not await until_open(self._connection):
            self.status = why_not_open(self._connection)
            return
        try:
            async with asyncio.timeout(self._wanted.duration):
                await first_of(self._call(_chained(first, more)), self._replies.enough.wait())
        except TimeoutError:
            self.timed_out = True
        self._count()

    async def _call(self, messages: AsyncIterator[bytes]) -> None:
        if self._streams():
            await self._stream(messages)
        else:
            async for payload in messages:
                await self._settle([self._hand_over(payload)])
        self.complete = True

    def _streams(self) -> bool:
        kinds = {offer.channel: offer.kind for offer in self._connection.offered}
        return kinds.get(self._wanted.channel) in MANY_REQUESTS

    async def _stream(self, messages: AsyncIterator[bytes]) -> None:
        async for payload in messages:
            command = self._hand_over(payload)
            if await self._went_out(command):
                await first_of(self._feed(messages), self._ended(command))
            return

    async def _feed(self, messages: AsyncIterator[bytes]) -> None:
        """Send the rest and end our half. Returns only if a message is refused: half a stream is no request."""
        async for payload in messages:
            if not await self._went_out(self._hand_over(payload)):
                return
        self._connection.half_close(self._wanted.channel)
        await asyncio.Event().wait()

    async def _went_out(self, command: int) -> bool:
        outcome = await self._connection.wait_outcome(command)
        if isinstance(outcome, Fault):
            self.status = await self._failed(outcome, command)
        return not isinstance(outcome, Fault)

    async def _ended(self, command: int) -> None:
        """Until the call that `command` opened has."""
        outcome = await self._connection.wait_outcome(command, acked=True)
        if isinstance(outcome, Fault):
            self.status = await self._failed(outcome, command)

    def _count(self) -> None:
        """Whether there were as many replies as wanted."""
        wait, count = self._wanted.wait or 0, self._replies.count
        if self.status != Status.DONE or count >= wait:
            return
        how = "time ran out" if self.timed_out else "the call ended"
        note(f"{how} after {count:,} of {wait:,} replies")
        self.status = Status.EXPIRED if self.timed_out else Status.FAILED


async def _chained(first: bytes | None, more: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    if first is not None:
        yield first
    async for payload in more:
        yield payload
