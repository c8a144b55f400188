"""What became of a message, told below the composer: on a busy log its row is gone at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rtui.core.fault import Fault
from rtui.protocols.base import Verb
from rtui.workbench.widgets import figure

if TYPE_CHECKING:
    from rtui.workbench.draft import Draft
    from rtui.workbench.screens.writing import Writing


async def tell_outcome(desk: Writing, command: int, draft: Draft, *, confirmed: bool) -> None:
    """Tell of `command`, which sent `draft` over the tab's connection; `confirmed`: the peer will say so too."""
    connection = desk.sure
    for acked in (False, True) if confirmed else (False,):
        outcome = await connection.wait_outcome(command, acked=acked)
        composer = desk.composer
        if desk.connection is not connection or composer is None or (acked and composer.draft != draft):
            return  # another text stands there now
        ticket = connection.link.ledger.get(command)
        took = f" in {figure.latency(ticket.took)}" if ticket is not None and ticket.took else ""
        if isinstance(outcome, Fault):
            composer.tell(outcome.sentence(), wrong=True)
            return
        taken = "answered" if Verb.HALF_CLOSE in connection.adapter.verbs else "acknowledged"
        composer.tell(f"{taken}{took}" if outcome == "acked" else "sent")
        sent = desk.bench.catalog.record(ticket.seq) if ticket is not None else None
        if sent is not None and sent.reply_to is not None:
            return  # the answer is to what it goes on with
