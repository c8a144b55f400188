"""The keys of the message pane."""

from __future__ import annotations

from typing import Final

from textual.binding import Binding

from rtui.workbench.widgets.canvas import moves

KEYS: Final[tuple[Binding, ...]] = (
    *moves("message"),
    Binding("escape", "leave", "Back", id="message.leave", tooltip="Back to the log, or from the list to the chart"),
    Binding("slash", "find", "Find", id="message.find", tooltip="Type a part of the text; n and N go on"),
    Binding("n", "find_next(1)", "Next hit", show=False, id="message.next-hit", tooltip="Next hit"),
    Binding("N", "find_next(-1)", "Previous hit", show=False, id="message.previous-hit", tooltip="Previous hit"),
    Binding(
        "p",
        "mode('pretty')",
        "Pretty",
        id="message.pretty",
        tooltip="As a tree, where the format is known; again for the next format that it could be",
    ),
    Binding("r", "mode('raw')", "Raw", id="message.raw", tooltip="As text"),
    Binding("x", "mode('hex')", "Hex", id="message.hex", tooltip="As bytes"),
    Binding("m", "mode('meta')", "Meta", id="message.meta", tooltip="Times, sizes, and what the protocol told"),
    Binding("d", "mode('diff')", "Diff", id="message.diff", tooltip="What changed since the message before it there"),
    Binding(
        "v",
        "mode('chart')",
        "Chart",
        id="message.chart",
        tooltip="Its numbers over time; again to choose which; ←/→ the next one, + and - a shorter or longer time",
    ),
    Binding(
        "o",
        "own_ranges",
        "Own ranges",
        id="message.ranges",
        tooltip="In the chart: each number from its lowest to its highest, or all on one axis",
    ),
    Binding(
        "t",
        "mode('joined')",
        "Joined",
        id="message.joined",
        tooltip="The text that the stream brings piece by piece; ←/→ choose where the pieces stand",
    ),
    Binding(
        "space,enter",
        "toggle_row",
        "Fold",
        id="message.fold",
        tooltip="Fold or unfold the row; in the chart, choose the numbers",
    ),
    Binding("left,h", "close_branch", "Fold", show=False, id="message.close", tooltip="Fold, or go to what encloses"),
    Binding("right,l", "open_branch", "Unfold", show=False, id="message.open", tooltip="Unfold"),
    Binding("minus", "fold_all(True)", "Fold all", show=False, id="message.fold-all", tooltip="Top level only"),
    Binding("plus", "fold_all(False)", "Unfold all", show=False, id="message.unfold-all", tooltip="Everything"),
    Binding("f", "filter_value", "Filter by it", id="message.filter", tooltip="Only messages with this value here"),
    Binding("y", "copy('value')", "Copy value", id="message.copy-value", tooltip="Copy what the row holds"),
    Binding("Y", "copy('path')", "Copy path", id="message.copy-path", tooltip="Copy where the row is"),
    Binding("c", "copy('message')", "Copy all", show=False, id="message.copy-all", tooltip="Copy the whole payload"),
)
