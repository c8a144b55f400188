"""The tree of channels: counts, rates and last values of `capture.channels`, 50,000 nodes and more."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from operator import attrgetter
from typing import TYPE_CHECKING, ClassVar, Final

from textual import events
from textual.binding import BindingType
from textual.message import Message

from rtui.capture.channels import Channels, Node
from rtui.capture.quote import quoted
from rtui.core.clean import cell_width, clean, clean_bytes, clip, clip_middle
from rtui.protocols.base import Words
from rtui.workbench.mouse import LEFT, RIGHT
from rtui.workbench.outline import ORDERS, Outline
from rtui.workbench.widgets import figure
from rtui.workbench.widgets.finder import Finder
from rtui.workbench.widgets.glyph import UNICODE, Glyphs
from rtui.workbench.widgets.painted import retitle
from rtui.workbench.widgets.row import MAX_ALIAS, Piece
from rtui.workbench.widgets.tree_keys import KEYS

if TYPE_CHECKING:
    from rtui.core.event import Offer
    from rtui.runtime.subscription import Subscriptions, SubscriptionState

SHARE: Final = 20
"""Putting the rows in order anew may take one part in this many of the time."""
SPARK: Final = 6
NARROW: Final = 24
"""Cells below which there is no room for a rate."""
WIDE: Final = 44
"""Cells from which there is room for everything."""
DAY: Final = 86_400
"""Seconds after which an age says nothing: the capture is an old one."""
LEVELS: Final = "/"
"""The separator for which the filter language has + and #."""
GONE: Final = "gone"
"""Said of what the peer offers no more."""
UNNAMED: Final = "(all)"
"""Shown for the channel "", where the protocol or the message has none."""


class ChannelTree(Finder):
    """Channels of one connection, with the means to filter by one and to mute one."""

    BINDINGS: ClassVar[list[BindingType]] = [*KEYS]

    hint = "no channels yet — they appear with the messages"

    class FilterRequested(Message):
        """The user wants to see one channel. `expression` is in the language of the filter."""

        def __init__(self, channel: str, expression: str) -> None:
            super().__init__()
            self.channel = channel
            self.expression = expression

    class MuteToggled(Message):
        """The user wants a channel and what is below it muted, or heard again."""

        def __init__(self, node: Node) -> None:
            super().__init__()
            self.node = node

    class SubscriptionToggled(Message):
        """The user wants a subscription switched off or on."""

        def __init__(self, channel: str) -> None:
            super().__init__()
            self.channel = channel

    class UnsubscribeRequested(Message):
        """The user wants a subscription ended."""

        def __init__(self, channel: str) -> None:
            super().__init__()
            self.channel = channel

    class CopyRequested(Message):
        """The user wants the name of a channel in the clipboard."""

        def __init__(self, channel: str) -> None:
            super().__init__()
            self.channel = channel

    class ComposeRequested(Message):
        """The user wants to write to a channel."""

        def __init__(self, channel: str) -> None:
            super().__init__()
            self.channel = channel

    class ClearRequested(Message):
        """The user wants the peer to forget what it keeps here and below."""

        def __init__(self, node: Node) -> None:
            super().__init__()
            self.node = node

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
        self.title = "channels"
        """What they are called."""
        self.retains = False
        """Whether the peer keeps messages, so that they can be cleared."""
        self.sends = True
        """Whether messages can be sent to a channel."""
        self.subscriptions: Subscriptions | None = None
        """Those of the connection, to mark where they stand."""
        self.brings: Callable[[SubscriptionState], bool] = lambda wanted: wanted.enabled and not wanted.ended
        """Whether a subscription brings messages now: granted, on an open connection."""
        self.meant: Callable[[Node], bytes] = attrgetter("last")
        """What is shown of a channel's last payload: the JSON that it means, where that is known."""
        self.offered: Mapping[str, Offer] = {}
        """What the peer says it has, by channel."""
        self._clock = clock
        self._channels: Channels | None = None
        self._words: Words | None = None
        self._outline: Outline | None = None
        self._here: Node | None = None
        """What the cursor stands on, wherever that is by now."""
        self._sorted_at = 0.0
        self._cost = 0.0
        self._head = 0
        """Cells of the title that tell the order."""
        self._seen: tuple[int, int] = (-1, -1)

    def set_channels(self, channels: Channels | None, words: Words | None) -> None:
        """Show other channels."""
        self._channels = channels
        self._words = words
        self._outline = None
        if channels is not None:
            self._outline = Outline(channels, self._clock)
            self._outline.order = self.order
        self.forget_needle()
        word = words.channels if words is not None else "channels"
        self.title = clean(word)
        self.cursor = 0
        self._here = self.selected
        self.say_title()
        self.resettle()

    def tick(self) -> None:
        """Paint if a figure changed; put the rows in order anew as often as that is cheap."""
        channels, outline = self._channels, self._outline
        if channels is None or outline is None or not self.is_attached:
            return
        if outline.order != ORDERS[0] and channels.revision != self._seen[0] and self._may_sort():
            self._sort(outline)
        elif outline.stale or outline.height != self.virtual_size.height:  # who asks for a row takes in nodes too
            self.resettle()
        seen = (channels.revision, self._clock() // 1_000_000_000)
        if seen != self._seen:
            # Rates fall while nothing comes: a quiet tree is painted once a second.
            self._seen = seen
            self.repaint()

    # Rows

    def row_count(self) -> int:
        """See `Canvas`. Channels that came since the last look are taken in first; the cursor stays on its own."""
        outline = self._outline
        if outline is None:
            return 0
        if outline.stale:
            outline.sync()
            self._stay(outline)
        return outline.height

    def cursor_moved(self) -> None:
        """See `Canvas`."""
        self._here = self.selected

    def row_pieces(self, index: int, width: int) -> list[Piece]:
        """Branch, name, kind, last value; at the right count, rate and sparkline where there is room."""
        if self._outline is None:
            return []
        node, depth = self._outline.row(index)
        now = self._clock()
        figures = self._figures(node, now, width)
        room = max(4, width - cell_width(figures) - 1)
        head = " " * min(depth * _step(width), room // 2) + self._branch(node) + " "
        retained = f" {self.glyphs.retained}" if node.retained else ""
        shade, wish = self._wish(node)
        marks = cell_width(wish) + len(retained)
        name = head + clip_middle(clean(node.name) or UNNAMED, room - marks - cell_width(head))
        left = room - cell_width(name) - marks
        kind = self._kind(node, width, left)
        left -= cell_width(kind)
        value = ""
        if left > 4 and not node.children:  # noqa: PLR2004 - a shorter value says nothing
            value = clip(" " + clean_bytes(self.meant(node), 4 * left), left)
        style = "dim" if node.quiet or node.gone else "text"
        padding = " " * (left - cell_width(value) + 1)
        ends: list[Piece] = [("dim", value + padding), ("dim" if node.quiet else "number", figures)]
        return [(style, name), ("key", kind), (shade, wish), ("notice", retained), *ends]

    @property
    def selected(self) -> Node | None:
        """The node under the cursor."""
        return self._outline.row(self.cursor)[0] if self._outline is not None and self.row_count() else None

    def subscription_at(self, node: Node) -> SubscriptionState | None:
        """The subscription to exactly this channel, or to everything at and below it."""
        if self.subscriptions is None:
            return None
        separator = self._channels.separator if self._channels is not None else None
        branch = self.subscriptions.get(f"{node.full}{separator}#") if separator else None
        return self.subscriptions.get(node.full) or branch

    # Actions

    def action_filter(self) -> None:
        """Ask for this channel's rows only; where nothing came on what is offered, to be the first to write there."""
        if (node := self.selected) is None:
            return
        if node.full in self.offered and not node.total and self.sends:
            self.action_compose()
        else:
            self.post_message(self.FilterRequested(node.full, self._expression(node)))

    def action_switch(self) -> None:
        """Switch a subscription off or on; mute where there is none."""
        if (node := self.selected) is None:
            return
        if (wanted := self.subscription_at(node)) is not None:
            self.post_message(self.SubscriptionToggled(wanted.channel))
        else:
            self.action_mute()

    def action_unsubscribe(self) -> None:
        """Ask for the subscription that stands here to be ended."""
        if (node := self.selected) is not None and (wanted := self.subscription_at(node)) is not None:
            self.post_message(self.UnsubscribeRequested(wanted.channel))

    def action_mute(self) -> None:
        """Mute, or hear again."""
        if (node := self.selected) is not None:
            self.post_message(self.MuteToggled(node))

    def action_history(self) -> None:
        """Ask for the rows of exactly this channel."""
        if (node := self.selected) is not None:
            self.post_message(self.FilterRequested(node.full, f"ch={quoted(node.full)}"))

    def action_copy(self) -> None:
        """Ask for the channel's name in the clipboard."""
        if (node := self.selected) is not None:
            self.post_message(self.CopyRequested(node.full))

    def action_compose(self) -> None:
        """Ask to write to this channel."""
        if (node := self.selected) is not None:
            self.post_message(self.ComposeRequested(node.full))

    def action_clear_retained(self) -> None:
        """Ask for what the peer keeps here to be cleared."""
        if (node := self.selected) is not None:
            self.post_message(self.ClearRequested(node))

    def action_unfold(self) -> None:
        """Show what is below, or go there."""
        node, outline = self.selected, self._outline
        if node is None or outline is None or not node.children:
            return
        if outline.is_folded(node):
            self._fold(outline, node, folded=False)
        else:
            self.action_move(1)

    def action_fold(self) -> None:
        """Hide what is below, or go to what is above."""
        node, outline = self.selected, self._outline
        if node is None or outline is None:
            return
        if node.children and not outline.is_folded(node):
            self._fold(outline, node, folded=True)
        elif node.parent is not None and (above := outline.index_of(node.parent)) is not None and above >= 0:
            self.go_to_row(above)

    def action_fold_all(self, fold: bool) -> None:
        """Every level, or the top one only."""
        if self._outline is not None:
            self._outline.fold_all(folded=fold)
            self._stay(self._outline)
            self.resettle()

    def action_order(self) -> None:
        """The next order."""
        self.order = ORDERS[(ORDERS.index(self.order) + 1) % len(ORDERS)]
        self.say_title()
        if self._outline is not None:
            self._outline.order = self.order
            self._sort(self._outline)

    def seek(self, step: int) -> bool:
        """See `Finder`. What is folded away opens."""
        outline, here = self._outline, self.selected
        if outline is None or here is None:
            return False
        if not step and self.needle.casefold() in here.full.casefold():
            return True
        found = outline.find(self.needle, self.cursor, step or 1)
        if found is None:
            return False
        outline.reveal(found)
        self._here = found
        self._stay(outline)
        self.resettle()
        self.go_to_row(self.cursor)
        return True

    def say_title(self) -> None:
        """What is shown, in which order, and what is sought: beside the title, for there is no lower border."""
        parts = [self.title, f"by {self.order}"]
        self._head = cell_width(" · ".join(parts))
        if self.finding:
            parts.append(self.sought)
        retitle(self, " · ".join(parts))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """What the peer cannot do, and what is not subscribed to, has no key. See `Finder` too."""
        if self.finding:
            return False
        if action == "clear_retained":
            return self.retains
        if action == "compose":
            return self.sends
        if action == "unsubscribe":
            node = self.selected
            return node is not None and self.subscription_at(node) is not None
        return super().check_action(action, parameters)

    def on_click(self, event: events.Click) -> None:
        """One click puts the cursor, on the branch sign it folds; two filter. One on the title sorts otherwise."""
        index = self.row_at(event)
        if index is None:
            if event.y == 0 and self.gutter.top and event.button == LEFT and event.x <= self._head:
                self.action_order()
            return
        self.go_to_row(index)
        outline = self._outline
        if outline is None or event.button == RIGHT:
            return
        node, depth = outline.row(index)
        offset = event.get_content_offset(self)
        if node.children and offset is not None and offset.x <= depth * _step(self.body_width) + 1:
            self._fold(outline, node, folded=not outline.is_folded(node))
        elif event.chain == 2:  # noqa: PLR2004 - a double click
            self.action_filter()

    # Inside

    def _may_sort(self) -> bool:
        return time.monotonic() - self._sorted_at >= SHARE * self._cost

    def _sort(self, outline: Outline) -> None:
        began = time.thread_time()  # a moment in which the machine did something else is no cost of ours
        outline.resort()
        self._stay(outline)
        self._cost = time.thread_time() - began
        self._sorted_at = time.monotonic()
        self.resettle()

    def _fold(self, outline: Outline, node: Node, *, folded: bool) -> None:
        outline.fold(node, folded=folded)
        self._stay(outline)
        self.resettle()

    def _stay(self, outline: Outline) -> None:
        """Put the cursor where its node is now, or what that was folded into."""
        if self._here is None and outline.height:
            self._here = outline.row(min(self.cursor, outline.height - 1))[0]
        node = self._here
        while node is not None and node.parent is not None:
            index = outline.index_of(node)
            if index is not None:
                self.cursor = index
                break
            node = node.parent
        self._here = node if node is not None and node.parent is not None else self._here

    def _branch(self, node: Node) -> str:
        if node.quiet:
            return self.glyphs.muted
        if not node.children:
            return self.glyphs.leaf
        shut = self._outline is not None and self._outline.is_folded(node)
        return self.glyphs.branch_shut if shut else self.glyphs.branch_open

    def _kind(self, node: Node, width: int, room: int) -> str:
        """How a conversation goes on what is offered, in a word where there is no room for all."""
        one = self.offered.get(node.full)
        if one is None and not node.gone:
            return ""
        word = one.kind if one is not None else GONE
        kind = " " + clean(word if width >= WIDE else word.partition(" ")[0])
        return kind if cell_width(kind) <= room else ""

    def _wish(self, node: Node) -> Piece:
        """The mark of a subscription that stands here, and its style."""
        wanted = self.subscription_at(node)
        if wanted is None:
            return "dim", ""
        on = self.brings(wanted)
        sign = self.glyphs.subscribe if on else self.glyphs.idle
        alias = f" {clip(clean(wanted.alias), MAX_ALIAS)}" if wanted.alias else ""
        return (wanted.colour or "notice") if on else "dim", f" {sign}{alias}"

    def _figures(self, node: Node, now: int, width: int) -> str:
        """Count, rate (or age, where nothing comes) and sparkline; a leaf keeps its room for the value first."""
        rate = node.rate_at(now)
        parts = [figure.amount(node.total).rjust(5)] if node.children or width >= WIDE else []
        if width >= NARROW:
            age = (now - node.last_time) / 1e9
            ago = f"{figure.ago(max(1.0, age))} ago" if age < DAY else ""
            parts.append((f"{figure.amount(rate)}/s" if rate else ago).rjust(7))
        if width >= WIDE:
            parts.append(self.glyphs.sparkline([float(count) for count in node.history(now)], SPARK))
        return " ".join(parts)

    def _expression(self, node: Node) -> str:
        separator = self._channels.separator if self._channels is not None else None
        if not node.children or not separator:
            return f"ch:{quoted(node.full)}"
        if separator == LEVELS:
            return f"ch:{quoted(f'{node.full}{separator}#')}"
        return f"ch:{quoted(f'{node.full}{separator}*')} or ch={quoted(node.full)}"


def _step(width: int) -> int:
    """Cells by which a level stands further in than the one above."""
    return 2 if width >= WIDE else 1
