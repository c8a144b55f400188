"""Markdown as rows, also while it is being written: what was added is read, what stands above is not read again.

A block that another one follows cannot change any more (CommonMark, appendix: a closed block stays closed), unless the
one that follows has only begun with a line that goes on. So only the last block or two are read anew with each piece,
and never more than `OPEN` characters: a longer block is cut between two of its parts or lines.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from rtui.payloads.base import Document, Line
from rtui.payloads.markdown_block import Block, Edge, Gap, Item, Rule, blocks_of, lines_of

OPEN: Final = 8 * 1024
"""Characters of a block that is still being written. They are read in some 10 ms, a list of short items in 40."""
KEPT: Final = 1 << 20
"""Characters that are kept; older blocks are dropped by the quarter."""
WIDTH: Final = 80
"""Cells before the first `reflow`."""


class _Done(NamedTuple):
    """A block that does not change any more."""

    source: str
    items: list[Item]


class _Rows:
    """The rows of some items."""

    def __init__(self) -> None:
        self.lines: list[Line] = []
        self.items: list[Item] = []
        """Which item each row belongs to."""

    def add(self, items: list[Item], width: int) -> int:
        """Lay items out; how many rows that made."""
        before = len(self.lines)
        for item in items:
            rows = item.rows(width)
            self.lines += rows
            self.items += [item] * len(rows)
        return len(self.lines) - before

    def drop(self, count: int) -> None:
        """Forget the first rows."""
        del self.lines[:count], self.items[:count]


class Markdown(Document):
    """A text that grows at its end."""

    def __init__(self, text: str = "", *, most_open: int = OPEN, kept: int = KEPT) -> None:
        self.dropped = 0
        """Characters that are gone from the beginning."""
        self._most_open = most_open
        self._kept = kept
        self._width = WIDTH
        self._done: list[_Done] = []
        self._heights: list[int] = []
        """Rows of each block in `_done`."""
        self._size = 0
        """Characters in `_done`."""
        self._above = _Rows()
        self._open = ""
        """What may still change."""
        self._blocks: list[Block] = []
        """`_open` read."""
        self._below = _Rows()
        self._fence = ""
        """The line that opened the fenced code which `_open` goes on with."""
        self._joins = False
        """Whether the next block goes on with what stands above it, so that no gap belongs between."""
        self.append(text)

    @property
    def source(self) -> str:
        """All of the text that is kept, exactly."""
        return "".join([one.source for one in self._done]) + self._open

    def append(self, text: str) -> None:
        """Add to the end."""
        for start in range(0, len(text), self._most_open):
            self._open += text[start : start + self._most_open]
            self._read()
            self._settle()
        self._show_open()

    def divide(self) -> None:
        """What comes next is another text: end every block and draw a line."""
        if not self._done and not self._open:
            return
        self._finish(self._blocks, self._open)
        self._open, self._blocks, self._fence, self._joins = "", [], "", False
        self._keep(_Done("", [Gap(Edge([], [])), Rule(Edge([], []), "")]))
        self._show_open()

    # Reading

    def _read(self) -> None:
        self._blocks = blocks_of(self._open, reopened=self._fence)

    def _settle(self) -> None:
        """Take out of the open part what cannot change any more."""
        lines = lines_of(self._open)
        whole = len(lines) if self._open.endswith("\n") else len(lines) - 1
        settled = sum(block.begin < whole for block in self._blocks[1:])
        if settled:
            self._cut(lines, self._blocks[settled].begin, settled)
        if len(self._open) > self._most_open:
            self._force()

    def _cut(self, lines: list[str], line: int, settled: int) -> None:
        """End the first `settled` blocks before a line."""
        self._finish(self._blocks[:settled], "".join(lines[:line]))
        self._open, self._fence = "".join(lines[line:]), ""
        left = self._blocks[settled:]
        self._blocks = [
            block._replace(begin=block.begin - line, parts=[at - line for at in block.parts]) for block in left
        ]

    def _force(self) -> None:
        """Cut the block that has grown too long: before its last part, else before its last line, else anywhere."""
        lines = lines_of(self._open)
        block = self._blocks[-1] if self._blocks else Block(0, [], "", [])
        fence = block.fence
        line = max(block.parts, default=0) or (len(lines) - 1 if lines[-1:] != [self._open] else 0)
        head, tail = "".join(lines[:line]), "".join(lines[line:])
        if not head:
            head, tail = self._open, ""
        self._finish(blocks_of(head, reopened=self._fence), head)
        self._open, self._fence, self._joins = tail, fence, True
        self._read()

    def _finish(self, blocks: list[Block], source: str) -> None:
        """Keep blocks for good; `source` is what all of them were made of."""
        items = list(self._gapped(blocks))
        if source:
            self._keep(_Done(source, items))
        self._joins = False

    def _keep(self, done: _Done) -> None:
        self._done.append(done)
        self._heights.append(self._above.add(done.items, self._width))
        self._size += len(done.source)
        if self._size > self._kept:
            self._drop()

    def _drop(self) -> None:
        """Forget the oldest blocks."""
        count = rows = 0
        while self._size > self._kept - self._kept // 4 and count < len(self._done) - 1:
            size = len(self._done[count].source)
            self._size -= size
            self.dropped += size
            rows += self._heights[count]
            count += 1
        del self._done[:count], self._heights[:count]
        self._above.drop(rows)

    def _gapped(self, blocks: list[Block]) -> Iterator[Item]:
        """The items of blocks, a gap before each block."""
        for number, block in enumerate(blocks):
            if (number or self._done) and not (self._joins and not number):
                yield Gap(Edge([], []))
            yield from block.items

    # Rows

    def _show_open(self) -> None:
        self._below = _Rows()
        self._below.add(list(self._gapped(self._blocks)), self._width)

    @property
    def height(self) -> int:
        """See `Document`."""
        return len(self._above.lines) + len(self._below.lines)

    def lines(self, first: int, count: int) -> list[Line]:
        """See `Document`."""
        first = max(first, 0)
        above = self._above.lines[first : first + count]
        start = max(first - len(self._above.lines), 0)
        return above + self._below.lines[start : start + count - len(above)]

    def reflow(self, width: int) -> bool:
        """See `Document`."""
        if width == self._width:
            return False
        self._width = width
        self._above = _Rows()
        self._heights = [self._above.add(one.items, width) for one in self._done]
        self._show_open()
        return True

    def value(self, row: int) -> bytes:
        """The Markdown of what the row belongs to: a paragraph, a table; of code, the code."""
        items = (self._above.items, self._below.items)
        at = row - len(items[0])
        item = items[0][row] if at < 0 <= row else items[1][at] if 0 <= at < len(items[1]) else None
        return item.source.encode("utf-8", "surrogatepass") if item is not None else b""
