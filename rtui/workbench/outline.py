"""Which rows a tree of channels shows: depth first, siblings in an order, without what is folded. No widgets here.

Nothing is listed. A node knows how many are below it (`Node.size`), so a row is found by counting down from the top,
and only the branches on the way are ever sorted: with 50,000 topics, listing all of them took 400 ms each time that
one was added.
"""

from __future__ import annotations

import time
from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Iterator
from itertools import accumulate, islice
from typing import Final

from rtui.capture.channels import Channels, Node, sort_key

ORDERS: Final = ("name", "count", "rate", "recent")
SYSTEM: Final = "$"
"""Channels whose name begins so are about the peer itself (MQTT 5.0, 4.7.2); they start folded."""
LAZY: Final = 1_000
"""Branches below one node that are folded as it is unfolded: each costs time whenever a node is added."""
DENSE: Final = 2_000
"""From so many hits on a search looks at the next rows first: putting all hits in order would take longer."""


class _Branch:
    """The children of one node as they stood at `stamp`."""

    __slots__ = ("children", "ends", "known", "stamp")

    def __init__(self) -> None:
        self.children: list[Node] = []
        """In order."""
        self.ends: list[int] | None = None
        """Rows down to the end of each child; None where each child is one row."""
        self.known = 0
        """How many of the node's children, by age, are in `children`."""
        self.stamp = -1


class Outline:
    """The rows of one tree. When nodes were added (`stale`), `sync` comes before anything else."""

    def __init__(self, channels: Channels, clock: Callable[[], int] = time.time_ns) -> None:
        self.channels = channels
        self.height = 0
        """Visible rows."""
        self._clock = clock
        self._order = ORDERS[0]
        self._folded: set[Node] = set()
        self._deep: set[Node] = set()
        """Folded nodes below which everything counts as folded too."""
        self._hidden: dict[Node, int] = {}
        """Rows that folding takes away below a node."""
        self._branches: dict[Node, _Branch] = {}
        self._stamp = 0
        self._shape = -1
        self._losses = channels.losses
        self._tops = 0
        """Top-level nodes that were looked at for being folded from the start."""
        self.sync()

    @property
    def order(self) -> str:
        """One of `ORDERS`."""
        return self._order

    @order.setter
    def order(self, order: str) -> None:
        self._order = order
        self.resort()

    # Keeping up

    @property
    def stale(self) -> bool:
        """Whether nodes were added since `sync`."""
        return self._shape != self.channels.shape

    def sync(self) -> None:
        """Take in new nodes, and let go of those that were taken away."""
        self._shape = self.channels.shape
        tops = self.channels.root.children
        if self._losses != self.channels.losses:
            self._losses = self.channels.losses
            self._branches.clear()
            self._folded = set(filter(_is_there, self._folded))
            self._deep &= self._folded
            self._tops = min(self._tops, len(tops))
        self._folded.update(node for node in islice(tops.values(), self._tops, None) if node.name.startswith(SYSTEM))
        self._tops = len(tops)
        self._settle()

    def resort(self) -> None:
        """Put every branch in order anew, when it is next looked at."""
        self._branches.clear()
        self._settle()

    def _settle(self) -> None:
        self._stamp += 1
        self._hidden = {}
        for node in self._folded:
            if not self._inside_fold(node):
                for above in _ancestors(node):
                    self._hidden[above] = self._hidden.get(above, 0) + node.size
        self.height = self._rows_of(self.channels.root) - 1

    def _inside_fold(self, node: Node) -> bool:
        return any(above in self._folded for above in _ancestors(node))

    def _rows_of(self, node: Node) -> int:
        """Rows of a node and what is visible below it."""
        return 1 if node in self._folded else 1 + node.size - self._hidden.get(node, 0)

    # Rows

    def row(self, index: int) -> tuple[Node, int]:
        """The node that stands in a row, and its depth."""
        node, depth = self.channels.root, 0
        while True:
            branch = self._branch(node)
            if branch.ends is None:
                return branch.children[index], depth
            place = bisect_right(branch.ends, index)
            start = branch.ends[place - 1] if place else 0
            node = branch.children[place]
            if index == start:
                return node, depth
            index, depth = index - start - 1, depth + 1

    def index_of(self, node: Node) -> int | None:
        """The row of a node; None if it is folded away or not taken in yet."""
        index = -1
        while node.parent is not None:
            above = node.parent
            branch = self._branch(above)
            place = self._place(branch, node)
            if place is None or above in self._folded:
                return None
            before = place if branch.ends is None else branch.ends[place - 1] if place else 0
            index, node = index + 1 + before, above
        return index

    def _branch(self, node: Node) -> _Branch:
        branch = self._branches.get(node)
        if branch is None:
            branch = self._branches[node] = _Branch()
        if branch.stamp != self._stamp:
            branch.stamp = self._stamp
            self._admit(branch, node)
            branch.ends = self._ends(branch.children, node)
        return branch

    def _ends(self, children: list[Node], node: Node) -> list[int] | None:
        if node.size == len(children):
            return None
        if not self._hidden.get(node):  # five times as quick, and the rule
            return list(accumulate([1 + child.size for child in children]))
        return list(accumulate(map(self._rows_of, children)))

    def _admit(self, branch: _Branch, node: Node) -> None:
        """Put children that are new where they belong."""
        fresh = list(islice(node.children.values(), branch.known, None))
        known, branch.known = branch.known, branch.known + len(fresh)
        if self._order == ORDERS[0] and 8 * len(fresh) < known:
            for one in fresh:
                insort(branch.children, one, key=_by_name)
            return
        branch.children += fresh
        if self._order == ORDERS[0]:
            branch.children.sort(key=_by_name)
        elif not known:  # later ones stay at the end until `resort`
            branch.children.sort(key=sort_key(self._order, self._clock()))

    def _place(self, branch: _Branch, node: Node) -> int | None:
        """Where a node stands among its siblings."""
        children = branch.children
        if self._order == ORDERS[0]:
            place = bisect_left(children, _by_name(node), key=_by_name)
            return place if place < len(children) and children[place] is node else None
        return children.index(node) if node in children else None

    # Folding

    def is_folded(self, node: Node) -> bool:
        """Whether what is below it is hidden."""
        return node in self._folded

    def fold(self, node: Node, *, folded: bool = True) -> None:
        """Hide what is below a node, or show it."""
        if folded:
            self._folded.add(node)
        else:
            self._unfold(node)
        self._settle()

    def fold_all(self, *, folded: bool) -> None:
        """Show the top level only, and from there one level at a time; or everything."""
        self._folded.clear()
        self._deep.clear()
        if folded:
            self._fold_below(self.channels.root)
        self._settle()

    def reveal(self, node: Node) -> None:
        """Unfold whatever hides a node."""
        for above in reversed(tuple(_ancestors(node))):
            self._unfold(above)
        self._settle()

    def _unfold(self, node: Node) -> None:
        self._folded.discard(node)
        if node in self._deep:
            self._deep.discard(node)
            self._fold_below(node)

    def _fold_below(self, node: Node) -> None:
        inner = [child for child in node.children.values() if child.children]
        if node.parent is None or len(inner) <= LAZY:
            self._folded.update(inner)
            self._deep.update(inner)

    # Finding

    def find(self, needle: str, here: int, step: int) -> Node | None:
        """The next (1) or previous (-1) node whose name holds `needle`, around the ends, folded away or not."""
        needle = needle.casefold()
        hits = list(self._hits(needle)) if needle else []
        if len(hits) >= DENSE:
            for offset in range(1, min(DENSE, self.height)):
                node, _ = self.row((here + step * offset) % self.height)
                if _is_hit(node, needle):
                    return node
        return self._nearest(hits, here, step) if hits else None

    def _hits(self, needle: str) -> Iterator[Node]:
        """The nodes whose own part of the name completes `needle`."""
        seen: set[Node] = set()
        for channel in self.channels:
            node = channel
            while node.parent is not None and node not in seen and needle in node.full.casefold():
                seen.add(node)
                if _is_hit(node, needle):
                    yield node
                node = node.parent

    def _nearest(self, hits: list[Node], here: int, step: int) -> Node:
        places = sorted((self._path(node), number) for number, node in enumerate(hits))
        stand = self._path(self.row(here)[0])
        at = bisect_right(places, (stand, len(hits))) if step > 0 else bisect_left(places, (stand, -1)) - 1
        return hits[places[at % len(places)][1]]

    def _path(self, node: Node) -> tuple[int, ...]:
        """Places among siblings from the top down: in the order of rows, folded away or not."""
        steps = []
        while node.parent is not None:
            steps.append(self._place(self._branch(node.parent), node) or 0)
            node = node.parent
        return tuple(reversed(steps))


def _by_name(node: Node) -> tuple[str, str]:
    return node.name.casefold(), node.name


def _is_hit(node: Node, needle: str) -> bool:
    """Whether `needle` is in the name, and not in the parent's already."""
    at = node.full.casefold().rfind(needle)
    return at >= 0 and at + len(needle) > len(node.parent.full.casefold() if node.parent is not None else "")


def _is_there(node: Node) -> bool:
    """Whether it was not taken away."""
    return node.parent is not None and node.parent.children.get(node.name) is node


def _ancestors(node: Node) -> Iterator[Node]:
    """From the parent up to the root."""
    above = node.parent
    while above is not None:
        yield above
        above = above.parent
