"""A tree of labelled values that a reader fills in the order of its source: what binary formats and XML share.

Parallel arrays, as in `json.JsonTree`, but the rows carry text made by the reader: these formats have no text of
their own. Nothing here is recursive, so depth costs nothing.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from typing import Final, NamedTuple

from rtui.core.clean import clean
from rtui.core.json_path import Step, write
from rtui.payloads.base import Document, Line, Style, unfold

NODE_LIMIT: Final = 200_000
"""Values listed; raw and hex show what is behind them."""
TEXT_LIMIT: Final = 8192
"""Characters of one value shown in its row; copying gives all of it."""
INDENT_LIMIT: Final = 40
"""Levels that move the text to the right; deeper ones stay there."""


class Full(Exception):
    """The tree has as many nodes as it takes."""


class Item(NamedTuple):
    """What a row says."""

    label: str
    """Before the value; "" where the value stands alone."""
    style: Style
    text: str


class Tree(Document):
    """Nodes in the order of the source, and the rows that folding leaves visible."""

    def __init__(self, data: bytes, limit: int = NODE_LIMIT) -> None:
        """No nodes yet: a reader calls `add` and `shut` for each."""
        self.data = data
        self.unread = 0
        """Bytes behind the last value listed."""
        self._limit = limit
        self._labels: list[str] = []
        self._styles: list[Style] = []
        self._texts: list[str] = []
        # Not a list of items: the collector would look at each of them, and hold up the screen for 100 ms meanwhile.
        self._steps: list[Step | None] = []
        self._start, self._end = array("q"), array("q")
        self._parent, self._after, self._depth = array("q"), array("q"), array("q")
        self._folded: set[int] = set()
        self._rows = array("q")

    # Filling

    def add(self, parent: int, step: Step | None, item: Item, start: int) -> int:
        """A node below `parent` (-1: none), to be `shut`. `step` is its place there; None repeats the parent's place.

        Raises:
            Full: the node before was the last.
        """
        node = len(self._labels)
        if node >= self._limit:
            raise Full
        self._labels.append(item.label)
        self._styles.append(item.style)
        self._texts.append(item.text)
        self._steps.append(step)
        self._start.append(start)
        self._end.append(start)
        self._parent.append(parent)
        self._after.append(node + 1)
        self._depth.append(self._depth[parent] + 1 if parent >= 0 else 0)
        self._rows.append(node)
        return node

    def shut(self, node: int, end: int) -> None:
        """All nodes below `node` were added; its bytes end at `end`."""
        self._after[node] = len(self._labels)
        self._end[node] = end

    def cut(self, node: int, position: int) -> None:
        """Reading ended early inside `node`, at `position`."""
        self.unread = len(self.data) - position
        while node >= 0:
            self.shut(node, len(self.data))
            node = self._parent[node]

    def reword(self, node: int, item: Item) -> None:
        """Say something else in the row of a node: what is known of it only at its end."""
        self._labels[node], self._styles[node], self._texts[node] = item

    def label(self, node: int) -> str:
        """What stands before the value of a node."""
        return self._labels[node]

    # Rows

    @property
    def height(self) -> int:
        """Visible rows, and one that tells of bytes not listed."""
        return len(self._rows) + (1 if self.unread else 0)

    def lines(self, first: int, count: int) -> list[Line]:
        """See `Document`."""
        first = max(first, 0)
        shown = [self._line(node) for node in self._rows[first : first + count]]
        if self.unread and first <= len(self._rows) < first + count:
            shown.append([("dim", f"… {self.unread:,} bytes more: hex shows them")])
        return shown

    def _line(self, node: int) -> Line:
        label, text = self._labels[node], self._texts[node]
        pad = "  " * min(self._depth[node], INDENT_LIMIT)
        line: Line = [("dim", pad + ("▸ " if node in self._folded else "▾ "))] if self._inner(node) else []
        line = line or [("text", pad + "  ")]
        if label:
            line += [("key", clean(label[:TEXT_LIMIT])), ("punct", ": ")]
        line.append((self._styles[node], clean(text[:TEXT_LIMIT])))
        if len(text) > TEXT_LIMIT:
            line.append(("dim", f"… {len(text):,} characters"))
        return line

    def _inner(self, node: int) -> bool:
        return self._after[node] > node + 1

    # Folding

    def _node(self, row: int) -> int | None:
        return self._rows[row] if 0 <= row < len(self._rows) else None

    def foldable(self, row: int) -> bool:
        """See `Document`."""
        node = self._node(row)
        return node is not None and self._inner(node)

    def toggle(self, row: int) -> bool:
        """See `Document`."""
        if not self.foldable(row):
            return False
        node = self._rows[row]
        if node in self._folded:
            self._folded.remove(node)
            self._rows[row : row + 1] = self._visible(node, self._after[node])
        else:
            self._folded.add(node)
            del self._rows[row + 1 : bisect_left(self._rows, self._after[node], row)]
        return True

    def fold_below(self, depth: int) -> bool:
        """See `Document`; top-level nodes are at 0."""
        self._folded = {node for node, level in enumerate(self._depth) if level >= depth and self._inner(node)}
        self._rows = self._visible(0, len(self._labels))
        return True

    def _visible(self, node: int, end: int) -> array[int]:
        if not self._folded:
            return array("q", range(node, end))
        rows = array("q")
        while node < end:
            rows.append(node)
            node = self._after[node] if node in self._folded else node + 1
        return rows

    def find(self, needle: str, row: int, step: int) -> int | None:
        """See `Document`: labels and values, as the rows have them."""
        wanted, count = needle.casefold(), len(self._labels)
        here = self._node(row)
        first = (here if here is not None else -1 if row < 0 else count) + step
        for node in range(first, count if step > 0 else -1, step):
            if wanted in f"{self._labels[node]}: {self._texts[node]}".casefold():
                return self._reveal(node)
        return None

    def _reveal(self, node: int) -> int:
        """The row of a node, with all unfolded that encloses it."""
        if unfold(self._folded, self._parent, node):
            self._rows = self._visible(0, len(self._labels))
        return bisect_left(self._rows, node)

    # Where a row is and what stands behind it

    def parent(self, row: int) -> int | None:
        """See `Document`."""
        node = self._node(row)
        if node is None or self._parent[node] < 0:
            return None
        return bisect_left(self._rows, self._parent[node])

    def path(self, row: int) -> str | None:
        """See `Document`."""
        node = self._node(row)
        return None if node is None else write(self._way(node))

    def _way(self, node: int) -> list[Step]:
        """The steps from the top to `node`."""
        steps: list[Step] = []
        while node >= 0:
            step = self._steps[node]
            if step is not None:
                steps.append(step)
            node = self._parent[node]
        return steps[::-1]

    def value(self, row: int) -> bytes:
        """The slice of the source."""
        node = self._node(row)
        return b"" if node is None else self.data[self._start[node] : self._end[node]]
