"""What `rtui tail` asks for where a subscription is a call: a stream, which the server may end by itself."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

from rtui.cli.live import Remarks, until_open
from rtui.cli.report import note
from rtui.cli.status import Status
from rtui.core.fault import Failure, Fault
from rtui.core.record import Kind, Record
from rtui.protocols.base import Verb
from rtui.runtime.hub import Connection
from rtui.runtime.subscription import SubscriptionState

ENDED: Final = b"unsubscribed"
"""The payload of the row that tells so."""


class Streams:
    """Which of the streams have ended; none ever does where subscriptions last as long as the connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.calls = Verb.HALF_CLOSE in connection.adapter.verbs
        """Whether subscriptions are calls."""
        self._ended: set[str] = set()
        self._news = asyncio.Event()

    def tap(self, records: Sequence[Record]) -> None:
        """Note which ended, and which were asked for again."""
        for record in records if self.calls else ():
            if record.kind == Kind.SUBSCRIBE:
                (self._ended.add if record.payload == ENDED else self._ended.discard)(record.channel)
                self._news.set()

    async def finished(self) -> None:
        """Until all have ended.

        Raises:
            Failure: if one is no stream: nothing would ever come.
        """
        if not self.calls or not await until_open(self._connection):
            await asyncio.Event().wait()
        self._check()
        while not self._over():
            self._news.clear()
            await self._news.wait()

    def status(self, remarks: Remarks, count: int, wanted: int | None) -> int:
        """Of a command that got `count` messages."""
        failed = [one for one in self._asked() if one.refusal is not None]
        for one in failed:
            assert one.refusal is not None  # noqa: S101 - by the line above
            remarks.report(one.refusal)
        if failed:
            called = any(one.ticket is not None and one.ticket.sent_at for one in failed)
            return Status.FAILED if called else Status.USAGE
        if wanted is None:
            return Status.DONE
        note(f"the server ended the stream after {count:,} of {wanted:,} messages")
        return Status.LOST

    def _asked(self) -> list[SubscriptionState]:
        return [one for one in self._connection.subscriptions if one.enabled]

    def _check(self) -> None:
        kinds = {offer.channel: offer.kind for offer in self._connection.offered}
        for one in self._asked():
            kind = kinds.get(one.channel, "")
            if kind in {"unary", "client stream"}:
                hint = f"Call it with: rtui send … --to {one.channel} '{{…}}'"
                cause = f"{one.channel} is {kind}"
                raise Failure(
                    Fault(kind="usage", side="us", title="Not a stream of the server", cause=cause, hint=hint)
                )

    def _over(self) -> bool:
        """Not those that went with a connection that was lost: they are asked for again."""
        lost = any(one.refusal is not None and one.refusal.side == "network" for one in self._asked())
        return not lost and bool(self._ended) and self._ended >= {one.channel for one in self._asked()}
