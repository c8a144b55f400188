"""Actions on what the peer offers to be called, and on the calls that run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rtui.protocols.base import Verb
from rtui.workbench import offer
from rtui.workbench.action import Book
from rtui.workbench.actions.connection import can_send, is_open

if TYPE_CHECKING:
    from rtui.core.event import Offer
    from rtui.runtime.hub import Connection
    from rtui.workbench.screens.desk import Desk

LISTED: Final = 1_000
"""Channels in a list to choose from."""

BOOK = Book("Call")
_action = BOOK.action


def has_offers(desk: Desk) -> bool:
    """Whether the peer told what can be sent to it."""
    return can_send(desk) and bool(desk.sure.offered)


def can_half_close(desk: Desk) -> bool:
    """Whether a call is open that we may still write to."""
    return is_open(desk) and Verb.HALF_CLOSE in desk.sure.adapter.verbs and open_calls(desk.sure)[1] > 0


def can_cancel(desk: Desk) -> bool:
    """Whether a call is open."""
    return is_open(desk) and Verb.CANCEL in desk.sure.adapter.verbs and open_calls(desk.sure)[0] > 0


def open_calls(connection: Connection) -> tuple[int, int]:
    """How many calls are open, and to how many of them we may still write."""
    told = connection.details.get("stream", {})
    return told.get("calls", 0), told.get("writable", 0)


@_action(
    "offered",
    "O,alt+o",
    "Choose channel…",
    when=has_offers,
    footer=True,
    called=lambda desk: f"{desk.sure.adapter.words.channels.capitalize()}…",
    menu=("tree", "composer"),
)
async def choose(desk: Desk) -> None:
    """Choose from what the peer offers, by any part of the name, and write to it."""
    await choose_channel(desk)


@_action("half-close", "F,alt+h", "End sending", when=can_half_close, footer=True, menu=("tree", "log", "composer"))
def half_close(desk: Desk) -> None:
    """Tell the peer that no more will be sent in the newest open call, and wait for its answer."""
    desk.sure.half_close(target(desk))
    desk.log_view.action_follow()


@_action("cancel", "Q,alt+q", "Cancel call", when=can_cancel, footer=True, menu=("tree", "log", "composer"))
def cancel(desk: Desk) -> None:
    """Give up the newest open call."""
    desk.sure.cancel(target(desk))
    desk.log_view.action_follow()


@_action(
    "template",
    "",
    "Template",
    when=lambda desk: can_send(desk) and desk.composer is not None and desk.composer.has_template,
    own="composer.template",
)
def put_template(desk: Desk) -> None:
    """A message with every field that the composer's channel takes; what stood there goes into the history."""
    desk.show_pane("composer")
    desk.sure_picture.composer.action_template()


@_action("about", "I", "About…", when=lambda desk: pointed_at(desk) is not None, menu=("tree", "log", "composer"))
async def about(desk: Desk) -> None:
    """What the peer says of the channel: what goes in, what comes out, and its own words about it."""
    from rtui.workbench.screens.dialog import Note

    chosen = pointed_at(desk)
    if chosen is not None:
        parts = (f"{chosen.kind}: {chosen.signature}", chosen.description, offer.laid_out(chosen.template))
        await desk.ask(Note(chosen.channel, "\n\n".join(filter(None, parts))))


async def choose_channel(desk: Desk, part: str = "") -> None:
    """Put a channel that is offered or was seen into the composer; `part` narrows the list from the start."""
    from rtui.workbench.screens.dialog import Choice, Choose

    connection = desk.sure
    choices = [Choice(one.channel, one.channel, one.kind) for one in connection.offered]
    seen, detail = _seen(connection, part)
    choices += [Choice(name, name) for name in seen]
    known = offer.of(connection.offered, part) is not None
    title = connection.adapter.words.channels
    picked = await desk.ask(Choose(title, choices, current=part, typed="" if known else part, detail=detail))
    if picked is not None:
        desk.show_pane("composer")
        desk.sure_picture.composer.aim(picked)


def _seen(connection: Connection, part: str) -> tuple[list[str], str]:
    """Channels that are not offered and were seen, as many as a list can hold, and a word on the others."""
    offered = {one.channel for one in connection.offered}
    names = [name for name in connection.channels.names() if name and name not in offered]
    if len(names) <= LISTED:
        return names, ""
    words = part.casefold().split()
    fitting = [name for name in names if all(word in name.casefold() for word in words)]
    return fitting[:LISTED], f"{min(len(fitting), LISTED):,} of {len(names):,}: type a part of the name first"


def target(desk: Desk) -> str:
    """Whose newest call is meant: that of the pane with the focus; "" = the newest of all."""
    pane = desk.focused_pane
    if pane == "composer":
        return desk.sure_picture.composer.draft.channel
    if pane == "tree":
        node = desk.sure_tree.selected
        return node.full if node is not None and not node.children else ""
    row = None if desk.log_view.follow else desk.bench.catalog.record(desk.log_view.cursor_seq)
    return row.channel if row is not None else ""


def pointed_at(desk: Desk) -> Offer | None:
    """What is offered under the name of the channel that the pane with the focus is about, else the composer."""
    if desk.connection is None:
        return None
    return offer.of(desk.sure.offered, target(desk)) or _chosen(desk)


def _chosen(desk: Desk) -> Offer | None:
    return offer.of(desk.sure.offered, desk.composer.draft.channel) if desk.composer is not None else None
