"""The tree of channels: counts, rates and last values of `capture.channels`, 50,000 nodes and more."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import ClassVar, Final

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message

from rtui.capture.channels import Channels, Node, sort_key
from rtui.core.clean import cell_width, clean, clean_bytes, clip
from rtui.protocols.base import Words
from rtui.workbench.widgets import figure
from rtui.workbench.widgets.canvas import Canvas, moves
from rtui.workbench.widgets.glyph import UNICODE, Glyphs
from rtui.workbench.widgets.row import Piece

ORDERS: Final = ("name", "count", "rate", "recent")
SHARE: Final = 20
"""Listing the rows anew may take one part in this many of the time."""
SPARK: Final = 6
UNNAMED: Final = "(all)"
"""Shown for the channel "", where the protocol or the message has none."""


class ChannelTree(Canvas):
    """Channels of one connection, with the means to filter by one and to mute one."""

    BINDINGS: ClassVar[list[BindingType]] = [
        *moves("tree"),
        Binding("enter", "filter", "Filter", id="tree.filter", tooltip="Show only this channel in the log"),
        Binding("space", "mute", "Mute", id="tree.mute", tooltip="Dim this channel's rows, or subscribe and not"),
        Binding("right,l", "unfold", "Expand", show=False, id="tree.expand", tooltip="Show what is below"),
        Binding("left,h", "fold", "Fold", show=False, id="tree.fold", tooltip="Hide what is below, or go up"),
        Binding("plus", "fold_all(False)", "Expand all", show=False, id="tree.expand-all", tooltip="Show every level"),
        Binding(
            "minus", "fold_all(True)", "Fold all", show=False, id="tree.fold-all", tooltip="Show the top level only"
        ),
        Binding("o", "order", "Order", id="tree.order", tooltip="Sort by name, count, rate, recency"),
        Binding("slash", "find", "Find", id="tree.find", tooltip="Type a part of the name; n and N go on"),
        Binding("n", "find_next(1)", "Next hit", show=False, id="tree.next-hit", tooltip="Next hit"),
        Binding("N", "find_next(-1)", "Previous hit", show=False, id="tree.previous-hit", tooltip="Previous hit"),
    ]

    hint = "no channels yet — they appear with the messages"

    class FilterRequested(Message):
        """The user wants to see one channel. `expression` is in the language of the filter."""

        def __init__(self, channel: str, expression: str) -> None:
            super().__init__()
            self.channel = channel
            self.expression = expression

    class MuteToggled(Message):
        """The user wants a channel muted, or heard again."""

        def __init__(self, channel: str) -> None:
            super().__init__()
            self.channel = channel

    def __init__(
        self,
        *,
        glyphs: Glyphs = UNICODE,
        clock: Callable[[], int] = time.time_ns,
        id: str | None = None,  # noqa: A002
        classes: str | None = None,
    ) -> None:
        super().__init__(id=id, classes=classes)
        self.glyphs = glyphs
        self.order = "name"
        self.needle = ""
        self.finding = False
        self._clock = clock
        self._channels: Channels | None = None
        self._words: Words | None = None
        self._rows: list[tuple[Node, int]] = []
        self._folded: set[str] = set()
        self._shape = -1
        self._listed_at = 0.0
        self._cost = 0.0
        self._seen: tuple[int, int] = (-1, -1)

    def set_channels(self, channels: Channels | None, words: Words | None) -> None:
        """Show other channels."""
        self._channels = channels
        self._words = words
        self._folded.clear()
        self.cursor = 0
        self.needle = ""
        word = words.channels if words is not None else "channels"
        self.hint = f"no {clean(word)} yet — they appear with the messages"
        self._list()

    def tick(self) -> None:
        """Paint if a figure changed; list the rows anew if there are other ones, as often as that is cheap."""
        channels = self._channels
        if channels is None or not self.is_attached:
            return
        reordered = self.order != "name" and channels.revision != self._seen[0]
        if (channels.shape != self._shape or reordered) and self._may_list():
            self._list()
        seen = (channels.revision, self._clock() // 1_000_000_000)
        if seen != self._seen:
            # Rates fall while nothing comes: a quiet tree is painted once a second.
            self._seen = seen
            self.refresh()

    # Rows

    def row_count(self) -> int:
        """See `Canvas`."""
        return len(self._rows)

    def row_pieces(self, index: int, width: int) -> list[Piece]:
        """Branch, name, last value; at the right count, rate and sparkline where there is room."""
        node, depth = self._rows[index]
        now = self._clock()
        figures = self._figures(node, now, width)
        room = max(4, width - cell_width(figures) - 1)
        head = " " * min(depth * 2, room // 2) + self._branch(node) + " "
        name = clip(head + (clean(node.name) or UNNAMED), room)
        left = room - cell_width(name)
        value = ""
        if left > 4 and not node.children:  # noqa: PLR2004 - a shorter value says nothing
            value = clip(" " + clean_bytes(node.last, 4 * left), left)
        style = "dim" if node.muted else "text"
        padding = " " * (left - cell_width(value) + 1)
        return [(style, name), ("dim", value + padding), ("dim" if node.muted else "number", figures)]

    @property
    def selected(self) -> Node | None:
        """The node under the cursor."""
        return self._rows[self.cursor][0] if self._rows else None

    # Actions

    def action_filter(self) -> None:
        """Ask for this channel's rows only."""
        if (node := self.selected) is not None:
            self.post_message(self.FilterRequested(node.full, self._expression(node)))

    def action_mute(self) -> None:
        """Mute, or hear again."""
        if (node := self.selected) is not None:
            self.post_message(self.MuteToggled(node.full))

    def action_unfold(self) -> None:
        """Show what is below, or go there."""
        node = self.selected
        if node is None or not node.children:
            return
        if node.full in self._folded:
            self._folded.discard(node.full)
            self._list()
        else:
            self.action_move(1)

    def action_fold(self) -> None:
        """Hide what is below, or go to what is above."""
        node = self.selected
        if node is None:
            return
        if node.children and node.full not in self._folded:
            self._folded.add(node.full)
            self._list()
        elif node.parent is not None:
            above = next((i for i, (one, _) in enumerate(self._rows) if one is node.parent), None)
            if above is not None:
                self.go_to_row(above)

    def action_fold_all(self, fold: bool) -> None:
        """Every level, or the top one only."""
        self._folded.clear()
        if fold and self._channels is not None:
            self._folded = {node.full for node in self._channels.root.children.values() if node.children}
        self._list()

    def action_order(self) -> None:
        """The next order."""
        self.order = ORDERS[(ORDERS.index(self.order) + 1) % len(ORDERS)]
        self.border_subtitle = "" if self.order == "name" else f"by {self.order}"
        self._list()

    def action_find(self) -> None:
        """Begin to type a name."""
        self.finding = True
        self.needle = ""
        self.border_subtitle = "find: "

    def action_find_next(self, step: int) -> None:
        """To the next or previous row whose name holds what was typed."""
        if not self.needle:
            return
        count = len(self._rows)
        needle = self.needle.casefold()
        for offset in range(1, count + 1):
            index = (self.cursor + step * offset) % count
            if needle in self._rows[index][0].full.casefold():
                self.go_to_row(index)
                return

    def on_key(self, event: events.Key) -> None:
        """While finding, keys are letters."""
        if not self.finding:
            return
        event.stop()
        event.prevent_default()
        if event.key in {"escape", "enter"}:
            self.finding = False
            self.border_subtitle = ""
            return
        if event.key == "backspace":
            self.needle = self.needle[:-1]
        elif event.is_printable and event.character:
            self.needle += event.character
        from textual.content import Content

        self.border_subtitle = Content(f"find: {clean(self.needle)}")
        if self._rows and self.needle.casefold() not in self._rows[self.cursor][0].full.casefold():
            self.action_find_next(1)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """While finding, keys are letters; hits exist once something was typed."""
        if self.finding:
            return False
        if action == "find_next":
            return bool(self.needle)
        return super().check_action(action, parameters)

    def on_click(self, event: events.Click) -> None:
        """One click puts the cursor, on the branch sign it folds; two filter."""
        index = self.row_at(event)
        if index is None:
            return
        self.go_to_row(index)
        node, depth = self._rows[index]
        offset = event.get_content_offset(self)
        if node.children and offset is not None and offset.x <= depth * 2 + 1:
            self._folded ^= {node.full}
            self._list()
        elif event.chain == 2:  # noqa: PLR2004 - a double click
            self.action_filter()

    # Inside

    def _may_list(self) -> bool:
        return time.monotonic() - self._listed_at >= SHARE * self._cost

    def _list(self) -> None:
        """The rows that folding leaves, in order; the cursor stays on its node."""
        began = time.perf_counter()
        kept = self.selected if self.cursor < len(self._rows) else None
        channels = self._channels
        self._rows = []
        if channels is not None:
            self._shape = channels.shape
            self._rows = _flat(channels.root, sort_key(self.order, self._clock()), self._folded)
        if kept is not None and not (self.cursor < len(self._rows) and self._rows[self.cursor][0] is kept):
            self.cursor = next((i for i, (node, _) in enumerate(self._rows) if node is kept), self.cursor)
        self._cost = time.perf_counter() - began
        self._listed_at = time.monotonic()
        self.resettle()

    def _branch(self, node: Node) -> str:
        if node.muted:
            return self.glyphs.muted
        if not node.children:
            return self.glyphs.leaf
        return self.glyphs.branch_shut if node.full in self._folded else self.glyphs.branch_open

    def _figures(self, node: Node, now: int, width: int) -> str:
        rate = node.rate_at(now)
        parts = [figure.amount(node.total).rjust(5)]
        if width >= 24:  # noqa: PLR2004 - cells
            parts.append((figure.amount(rate) + "/s" if rate else "").rjust(7))
        if width >= 44:  # noqa: PLR2004 - cells
            parts.append(self.glyphs.sparkline([float(count) for count in node.history(now)], SPARK))
        return " ".join(parts)

    def _expression(self, node: Node) -> str:
        separator = self._channels.separator if self._channels is not None else None
        name = f"{node.full}{separator}#" if node.children and separator else node.full
        plain = bool(name) and all(char.isalnum() or char in "/_-.#+:$" for char in name)
        return f"ch:{name}" if plain else 'ch:"{}"'.format(name.replace("\\", "\\\\").replace('"', '\\"'))


def _flat(root: Node, key: Callable[[Node], tuple[float | str, ...]], folded: set[str]) -> list[tuple[Node, int]]:
    """Depth first, without recursion: a topic may have thousands of levels."""
    rows: list[tuple[Node, int]] = []
    stack = [(node, 0) for node in sorted(root.children.values(), key=key, reverse=True)]
    # Reversed twice: the smallest key is popped first.
    while stack:
        node, depth = stack.pop()
        rows.append((node, depth))
        if node.children and node.full not in folded:
            stack += [(child, depth + 1) for child in sorted(node.children.values(), key=key, reverse=True)]
    return rows
