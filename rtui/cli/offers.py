"""What `rtui sessions new --from-reflection` adds: a saved message for every method that the server has."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Sequence
from typing import cast

import click
import msgspec

from rtui.capture.journal import Journal
from rtui.cli.live import Remarks, connected, first_of, until_open, why_not_open
from rtui.cli.signals import interruption
from rtui.cli.status import Status
from rtui.cli.target import Resolved, unsubscribed
from rtui.cli.unstored import Unstored
from rtui.core.event import Offer
from rtui.core.fault import Failure, Fault
from rtui.protocols.base import Verb
from rtui.settings.session import SavedMessage


def messages_of(one: Resolved) -> tuple[SavedMessage, ...]:
    """One for each method: a request with every field, to be filled in.

    Raises:
        Failure: if the server does not tell what it has.
        Exit: if it is not reached.
    """
    if Verb.HALF_CLOSE not in one.adapter.verbs:
        raise Failure(Fault(kind="usage", side="us", title=f"{one.adapter.title} has no reflection"))
    session = unsubscribed(one.session, one.adapter)
    offers = asyncio.run(_offered(msgspec.structs.replace(one, session=session)))
    names = _names([offer.channel for offer in offers])
    return tuple(
        SavedMessage(name=name, channel=offer.channel, payload=_laid_out(offer.template), format="json")
        for name, offer in zip(names, offers, strict=True)
    )


async def _offered(one: Resolved) -> Sequence[Offer]:
    journal = cast("Journal", Unstored())
    with interruption() as interrupted:
        async with connected(journal, one, Remarks(), retry_first=False) as connection:
            await first_of(interrupted.came.wait(), until_open(connection))
            if not connection.opened:
                raise click.exceptions.Exit(
                    Status.INTERRUPTED if interrupted.came.is_set() else why_not_open(connection)
                )
            if not connection.offered:
                hint = "Give its schema with --proto FILE or --protoset FILE"
                raise Failure(Fault(kind="usage", side="them", title="The server does not tell its methods", hint=hint))
            return connection.offered


def _laid_out(template: str) -> str:
    """One field a line, to be edited; templates hold no number that would lose digits."""
    return json.dumps(json.loads(template or "{}"), indent=2, ensure_ascii=False)


def _names(channels: Sequence[str]) -> list[str]:
    """`Service/Method`, with the package where that would be the name of two."""
    short = [channel.rpartition("/")[0].rpartition(".")[2] + "/" + channel.rpartition("/")[2] for channel in channels]
    count = Counter(short)
    return [name if count[name] == 1 else channel for name, channel in zip(short, channels, strict=True)]
