"""Actions on the channel under the tree's cursor, and on the past of the message under the log's."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from rtui.core.clean import clean, clip
from rtui.settings.option import build, declared
from rtui.workbench.action import Book
from rtui.workbench.actions.connection import can_send, explain_silence, is_open
from rtui.workbench.actions.message import has_row

if TYPE_CHECKING:
    from rtui.capture.channels import Node
    from rtui.protocols.base import Adapter
    from rtui.workbench.screens.desk import Desk

BOOK = Book("Channel")
_action = BOOK.action

RETAIN: Final = "retain"
"""The key of the option that has the peer keep a message."""
BURST: Final = 100
"""Messages sent between two chances for everything else."""
NAMED: Final = 3
"""Channels named in a question."""


def has_channel(desk: Desk) -> bool:
    """Whether the tree has a row for actions to be about."""
    tree = desk.tree_view
    return tree is not None and tree.selected is not None and desk.pane_shown("tree")


def can_clear(desk: Desk) -> bool:
    """Whether the peer can be told to forget."""
    return has_channel(desk) and is_open(desk) and retains(desk.sure.adapter)


def retains(adapter: Adapter | type[Adapter]) -> bool:
    """Whether the protocol has messages that the peer keeps."""
    return any(one.key == RETAIN for one in declared(adapter.Outgoing))


@_action("channel-branch", "", "Filter by branch", when=has_channel, own="tree.filter")
def filter_branch(desk: Desk) -> None:
    """Show only the tree's channel and what is below it in the log."""
    desk.sure_tree.action_filter()


@_action("channel-history", "", "Filter by channel", when=has_channel, own="tree.history")
def filter_channel(desk: Desk) -> None:
    """Show only exactly the tree's channel in the log."""
    desk.sure_tree.action_history()


@_action(
    "channel-compose",
    "",
    "Send to channel",
    when=lambda desk: has_channel(desk) and can_send(desk),
    own="tree.compose",
)
def compose(desk: Desk) -> None:
    """Write a message to the tree's channel."""
    desk.sure_tree.action_compose()


@_action("channel-copy", "", "Copy name", when=has_channel, own="tree.copy")
def copy_name(desk: Desk) -> None:
    """Copy the name of the tree's channel."""
    desk.sure_tree.action_copy()


@_action("channel-mute", "", "Mute", when=has_channel, menu=("tree",))
def mute(desk: Desk) -> None:
    """Dim the rows of the tree's channel, or show them as before."""
    desk.sure_tree.action_mute()


@_action("clear-retained", "", "Clear retained…", when=can_clear, own="tree.clear-retained")
def clear(desk: Desk) -> None:
    """Have the peer forget the messages that it keeps on the tree's channel and below."""
    desk.sure_tree.action_clear_retained()


@_action("meta", "", "Meta", when=has_row, menu=("log",))
def meta(desk: Desk) -> None:
    """What came with the message: properties, headers, flags, times; a click on a badge of the row shows it too."""
    desk.show_message_as("meta")


@_action("diff", "", "Diff", when=has_row, menu=("log",))
def diff(desk: Desk) -> None:
    """What changed since the message before on its channel."""
    desk.show_message_as("diff")


@_action("chart", "", "Chart", when=has_row, menu=("log",))
def chart(desk: Desk) -> None:
    """The numbers of the message over time."""
    desk.show_message_as("chart")


@_action("joined", "", "Joined text", when=has_row, menu=("log",))
def joined(desk: Desk) -> None:
    """The text that the stream around the row brings piece by piece, as Markdown."""
    desk.show_message_as("joined")


def compose_to(desk: Desk, channel: str) -> None:
    """Put the channel into the composer and go there."""
    if not is_open(desk):
        desk.say("not connected: nothing can be sent", severity="warning")
        return
    if not desk.sends:
        explain_silence(desk)
        return
    desk.show_pane("composer")
    if desk.composer is not None:
        desk.composer.aim(channel)


async def clear_retained(desk: Desk, node: Node) -> None:
    """Clear one at once, more after a question that says how many."""
    from rtui.workbench.screens.dialog import Confirm

    connection = desk.connection
    if connection is None or not is_open(desk) or not retains(connection.adapter):
        desk.say("nothing can be cleared here", severity="warning")
        return
    kept = [node.full] if not node.children else [one.full for one in node.walk() if one.retained]
    if not kept:
        desk.say(f"no retained message is known at {clip(clean(node.full), 40)} or below")
        return
    if node.children and not await desk.ask(
        Confirm("clear retained", _question(node, kept), yes=f"Clear {len(kept):,}")
    ):
        return
    outgoing = build(connection.adapter.Outgoing, {RETAIN: True})
    for number, channel in enumerate(kept, 1):
        connection.send(b"", channel, outgoing)  # an empty one takes its place: MQTT 5.0, 3.3.1.3
        if number % BURST == 0:
            await asyncio.sleep(0)
    desk.say(f"asked the {connection.adapter.words.peer} to clear {_counted(len(kept))}")


def _question(node: Node, kept: list[str]) -> str:
    names = [f"  {clip(clean(name), 56)}" for name in kept[:NAMED]]
    more = [f"  … and {len(kept) - NAMED:,} more"] if len(kept) > NAMED else []
    where = (
        f"{_counted(len(kept))} at {clip(clean(node.full) or '(no name)', 40)} and below will be gone for everybody:"
    )
    return "\n".join([where, *names, *more])


def _counted(count: int) -> str:
    return "1 retained message" if count == 1 else f"{count:,} retained messages"
