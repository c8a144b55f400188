"""The keys of the tree."""

from __future__ import annotations

from typing import Final

from textual.binding import Binding

from rtui.workbench.widgets.canvas import moves

KEYS: Final[tuple[Binding, ...]] = (
    *moves("tree"),
    Binding("escape", "screen.back", "Back", id="tree.leave", tooltip="Back to the log"),
    Binding(
        "enter",
        "filter",
        "Filter",
        id="tree.filter",
        tooltip="Show only this channel and what is below; write to what is offered and was never used",
    ),
    Binding(
        "equals_sign",
        "history",
        "Only this",
        id="tree.history",
        tooltip="Show only exactly this channel in the log",
    ),
    Binding(
        "space",
        "switch",
        "On/off, mute",
        id="tree.switch",
        tooltip="Switch the subscription that stands here off or on; elsewhere dim the channel and what is below",
    ),
    Binding("u", "unsubscribe", "Unsubscribe", id="tree.unsubscribe", tooltip="End the subscription here"),
    Binding("right,l", "unfold", "Expand", show=False, id="tree.expand", tooltip="Show what is below"),
    Binding("left,h", "fold", "Fold", show=False, id="tree.fold", tooltip="Hide what is below, or go up"),
    Binding("plus", "fold_all(False)", "Expand all", show=False, id="tree.expand-all", tooltip="Show every level"),
    Binding("minus", "fold_all(True)", "Fold all", show=False, id="tree.fold-all", tooltip="Show the top level only"),
    Binding("s", "compose", "Send here", id="tree.compose", tooltip="Write a message to this channel"),
    Binding("y", "copy", "Copy name", show=False, id="tree.copy", tooltip="Copy the channel's name"),
    Binding(
        "delete",
        "clear_retained",
        "Clear retained",
        show=False,
        id="tree.clear-retained",
        tooltip="Have the peer forget the message it keeps here; below a level: after a question",
    ),
    Binding("o", "order", "Order", id="tree.order", tooltip="Sort by name, count, rate, recency"),
    Binding("slash", "find", "Find", id="tree.find", tooltip="Type a part of the name; n and N go on"),
    Binding("n", "find_next(1)", "Next hit", show=False, id="tree.next-hit", tooltip="Next hit"),
    Binding("N", "find_next(-1)", "Previous hit", show=False, id="tree.previous-hit", tooltip="Previous hit"),
)
