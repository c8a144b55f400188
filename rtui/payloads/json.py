r"""JSON as a tree that can be folded, without loss.

Nothing is converted: every row shows a slice of the source. So numbers keep their digits (`1e999`, 5,000 digits),
keys their duplicates and strings their escapes (a lone `\ud800` too), and 100,000 nested brackets need no recursion.
Grammar: RFC 8259, and `NaN`, `Infinity` and raw control characters in strings, which many servers send.
"""

from __future__ import annotations

import json
import re
from array import array
from bisect import bisect_right
from collections.abc import Mapping
from typing import Any, ClassVar, Final

from rtui.core.clean import clean, decode
from rtui.core.json_path import Step, Steps, write
from rtui.payloads.base import NOTHING, Document, Line, Span, Style, Unreadable, View, content_type, unfold
from rtui.payloads.needle import hits, pattern

NODE_LIMIT: Final = 200_000
"""Values listed; raw and hex show what is behind them."""
VALUE_LIMIT: Final = 8192
"""Bytes of one string shown in its row; copying gives all of it."""
LITERAL_LIMIT: Final = 1024
"""Bytes of a value that a filter can be made of."""
INDENT_LIMIT: Final = 40
"""Levels that move the text to the right; deeper ones stay there."""

_STRING: Final = rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"'
_NUMBER: Final = rb"-?(?:(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?(?:[eE][+-]?[0-9]++)?|Infinity)"
_VALUE: Final = rb"([\[{]|" + _STRING + rb"|" + _NUMBER + rb"|true|false|null|NaN)[ \t\r\n]*+(,?)"
_ITEM: Final = re.compile(rb"[ \t\r\n]*+" + _VALUE, re.DOTALL)
_MEMBER: Final = re.compile(rb"[ \t\r\n]*+(" + _STRING + rb")[ \t\r\n]*+:[ \t\r\n]*+" + _VALUE, re.DOTALL)
_TAIL: Final = re.compile(rb"[ \t\r\n]*+([,}\]])")
_SPACE: Final = re.compile(rb"[ \t\r\n]*+")
_KEY: Final = re.compile(_STRING, re.DOTALL)
_ESCAPE: Final = re.compile(
    r"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|.)", re.DOTALL
)
_OPENERS: Final = frozenset(b"{[")
_CLOSER: Final = {0x7B: 0x7D, 0x5B: 0x5D}
_BRACE: Final = 0x7B


class JsonTree(Document):
    """The nodes of one document in its order, as parallel arrays, and the rows that folding leaves visible.

    A row is a node's number, or its complement (`~node`) for the line with the closing bracket.
    """

    def __init__(self, data: bytes, limit: int = NODE_LIMIT) -> None:
        """Read `data`.

        Raises:
            Unreadable: with the byte at which it is not JSON.
        """
        self.data = data
        self.unread = 0
        """Bytes behind the last value listed."""
        self._start, self._end, self._key = array("q"), array("q"), array("q")
        self._parent, self._after = array("q"), array("q")
        self._depth, self._count = array("q"), array("q")
        self._folded: set[int] = set()
        self._rows = array("q")
        self._read(limit)
        self._all = self._rows[:]
        """The rows while nothing is folded: finding them again would take 50 ms for a million bytes."""

    # Reading

    def _read(self, limit: int) -> None:
        """Fill the arrays in one pass: one match per value, another where containers close."""
        data = self.data
        stack: list[int] = []
        parent, in_object, position, wants_value = -1, False, 0, True
        while wants_value:
            found = (_MEMBER if in_object else _ITEM).match(data, position)
            if found is None:
                raise self._bad(position)
            node = self._add(found, parent, len(stack))
            position = found.end()
            if data[self._start[node]] in _OPENERS:
                if found[found.lastindex or 0]:
                    raise self._bad(found.end() - 1)
                stack.append(node)
                parent, in_object = node, data[self._start[node]] == _BRACE
                empty = _TAIL.match(data, position)
                wants_value = not (empty and empty[1] != b",")
            else:
                wants_value = bool(found[found.lastindex or 0])
            if not wants_value:
                position, wants_value = self._close(stack, position)
                parent = stack[-1] if stack else -1
                in_object = parent >= 0 and data[self._start[parent]] == _BRACE
            elif parent < 0:
                raise self._bad(position)
            if wants_value and node + 1 >= limit:
                self._cut(stack, position)
                return
        self._finish(position)

    def _add(self, found: re.Match[bytes], parent: int, depth: int) -> int:
        node = len(self._start)
        value = (found.lastindex or 0) - 1
        start, end = found.span(value)
        self._start.append(start)
        self._end.append(end)
        self._key.append(found.start(1) if value > 1 else -1)
        self._parent.append(parent)
        self._after.append(node + 1)
        self._depth.append(depth)
        self._count.append(0)
        self._rows.append(node)
        if parent >= 0:
            self._count[parent] += 1
        return node

    def _close(self, stack: list[int], position: int) -> tuple[int, bool]:
        """Close what ends at `position`; where reading goes on and whether a comma asks for another value."""
        data = self.data
        while stack:
            found = _TAIL.match(data, position)
            if found is None:
                raise self._bad(position)
            position = found.end()
            if found[1] == b",":
                return position, True
            node = stack.pop()
            if data[position - 1] != _CLOSER[data[self._start[node]]]:
                raise self._bad(position - 1)
            self._shut(node, position)
        return position, False

    def _shut(self, node: int, end: int) -> None:
        self._end[node] = end
        self._after[node] = len(self._start)
        if self._count[node]:
            self._rows.append(~node)

    def _cut(self, stack: list[int], position: int) -> None:
        self.unread = len(self.data) - position
        while stack:
            self._shut(stack.pop(), len(self.data))

    def _finish(self, position: int) -> None:
        rest = _SPACE.match(self.data, position)
        if rest is None or rest.end() < len(self.data):
            raise self._bad(position)

    def _bad(self, position: int) -> Unreadable:
        space = _SPACE.match(self.data, position)
        place = space.end() if space else position
        if place >= len(self.data):
            return Unreadable(f"not JSON: ends at byte {place} in the middle of a value")
        return Unreadable(f"not JSON at byte {place}: {clean(decode(self.data[place : place + 20]))}")

    # Rows

    @property
    def height(self) -> int:
        """Visible rows, and one that tells of bytes not listed."""
        return len(self._rows) + (1 if self.unread else 0)

    def lines(self, first: int, count: int) -> list[Line]:
        """Rows `first` to `first + count - 1`."""
        first = max(first, 0)
        shown = [self._line(row) for row in self._rows[first : first + count]]
        if self.unread and first <= len(self._rows) < first + count:
            shown.append([("dim", f"… {self.unread:,} bytes more: raw and hex show them")])
        return shown

    def _line(self, row: int) -> Line:
        node = row if row >= 0 else ~row
        pad = "  " * min(self._depth[node], INDENT_LIMIT)
        comma: Line = [("punct", ",")] if self._followed(node) else []
        if row < 0:
            return [("text", pad + "  "), ("punct", self._bracket(node, closing=True)), *comma]
        fold = "  " if not self._count[node] else "▸ " if node in self._folded else "▾ "
        line: Line = [("dim", pad + fold)] if fold.strip() else [("text", pad + fold)]
        if self._key[node] >= 0:
            line += [("key", _readable(self._key_source(node))), ("punct", ": ")]
        if self.data[self._start[node]] not in _OPENERS:
            return [*line, *self._scalar(node), *comma]
        opened = self._bracket(node)
        if not self._count[node]:
            return [*line, ("punct", opened + self._bracket(node, closing=True)), *comma]
        if node in self._folded:
            line += [("punct", opened), ("dim", f" {_counted(self._count[node])} ")]
            return [*line, ("punct", self._bracket(node, closing=True)), *comma]
        return [*line, ("punct", opened)]

    def _scalar(self, node: int) -> list[Span]:
        start, end = self._start[node], self._end[node]
        text = _readable(decode(self.data[start:end], VALUE_LIMIT))
        shown: list[Span] = [(_style(self.data[start]), text)]
        if end - start > VALUE_LIMIT:
            shown.append(("dim", f"… {end - start:,} bytes"))
        return shown

    def _bracket(self, node: int, *, closing: bool = False) -> str:
        opener = self.data[self._start[node]]
        return chr(_CLOSER[opener] if closing else opener)

    def _followed(self, node: int) -> bool:
        parent = self._parent[node]
        return parent >= 0 and self._after[node] < self._after[parent]

    def _key_source(self, node: int) -> str:
        found = _KEY.match(self.data, self._key[node])
        return decode(found[0]) if found else ""

    # Folding

    def foldable(self, row: int) -> bool:
        """Whether the row opens, closes or stands for something with values in it."""
        node = self._node(row)
        return node is not None and self._count[node] > 0

    def toggle(self, row: int) -> bool:
        """Fold or unfold; on a closing bracket, what it closes."""
        node = self._node(row)
        if node is None or not self._count[node]:
            return False
        first = row if self._rows[row] >= 0 else self._rows.index(node)
        if node in self._folded:
            self._folded.remove(node)
            if self._folded:
                self._rows[first : first + 1] = self._visible(node)
            else:
                self._rows = self._all[:]
        else:
            self._folded.add(node)
            del self._rows[first + 1 : self._rows.index(~node, first) + 1]
        return True

    def fold_below(self, depth: int) -> bool:
        """Fold all containers at `depth` and deeper (the document itself is at 0) and unfold the others."""
        self._folded = {node for node, level in enumerate(self._depth) if level >= depth and self._count[node]}
        self._rows = self._visible(0) if self._folded else self._all[:]
        return True

    def _visible(self, root: int) -> array[int]:
        """The rows of `root` and what is unfolded in it."""
        rows = array("q")
        opened: list[int] = []
        node, end = root, self._after[root]
        while node < end or opened:
            if opened and node >= self._after[opened[-1]]:
                rows.append(~opened.pop())
                continue
            rows.append(node)
            if node in self._folded:
                node = self._after[node]
                continue
            if self._count[node]:
                opened.append(node)
            node += 1
        return rows

    def _node(self, row: int) -> int | None:
        if not 0 <= row < len(self._rows):
            return None
        node = self._rows[row]
        return node if node >= 0 else ~node

    # Where a row is and what stands behind it

    def parent(self, row: int) -> int | None:
        """The row that opens what encloses `row`."""
        node = self._node(row)
        if node is None or self._parent[node] < 0:
            return None
        return self._rows.index(self._parent[node])

    def path(self, row: int) -> str | None:
        """Where the value of a row stands, as the filter language writes it; the document itself is `.`."""
        node = self._node(row)
        if node is None:
            return None
        steps: list[Step] = []
        while self._parent[node] >= 0:
            steps.append(self._step(node))
            node = self._parent[node]
        return write(reversed(steps))

    def find(self, needle: str, row: int, step: int) -> int | None:
        """See `Document`. Keys and values are looked at as they came; a hit in what is not listed is the last row."""
        at, known = self._edge(row, step), len(self.data) - self.unread
        here = self._node(row)
        for found in hits(pattern(needle), self.data, at, step):
            node = self._node_at(found.end() - 1)
            if found.start() < known and node != here:
                return self._reveal(node)
            if found.start() >= known and (len(self._rows) - row) * step > 0:
                return len(self._rows)
        return None

    def _edge(self, row: int, step: int) -> int:
        """The byte behind what the row itself says, or (`step` < 0) the one where that begins."""
        if not 0 <= row < len(self._rows):
            return 0 if row < 0 else len(self.data)
        node = self._rows[row]
        if node < 0:
            return self._end[~node] - (step < 0)
        if step < 0:
            return self._begin(node)
        return self._start[node] + 1 if self._count[node] else self._end[node]

    def _begin(self, node: int) -> int:
        return self._key[node] if self._key[node] >= 0 else self._start[node]

    def _node_at(self, position: int) -> int:
        """The last value that begins, with its key, at `position` or before."""
        node = bisect_right(self._start, position)
        return node if node < len(self._start) and self._begin(node) <= position else max(node - 1, 0)

    def _reveal(self, node: int) -> int:
        """The row of a value, with all unfolded that encloses it."""
        if unfold(self._folded, self._parent, node):
            self._rows = self._visible(0) if self._folded else self._all[:]
        return self._rows.index(node)

    def place(self, steps: Steps) -> int | None:
        """The byte at which the value begins that stands at `steps`; None if there is none."""
        node = 0
        for step in steps:
            child, end, at = node + 1, self._after[node], 0
            while child < end and (at if self._key[child] < 0 else _name(self._key_source(child))) != step:
                child, at = self._after[child], at + 1
            if child >= end:
                return None
            node = child
        return self._start[node]

    def _step(self, node: int) -> Step:
        if self._key[node] >= 0:
            return _name(self._key_source(node))
        place, sibling = 0, self._parent[node] + 1
        while sibling < node:
            place, sibling = place + 1, self._after[sibling]
        return place

    def value(self, row: int) -> bytes:
        """The slice of the source, white space inside it included."""
        node = self._node(row)
        return b"" if node is None else self.data[self._start[node] : self._end[node]]

    def literal(self, row: int) -> str | None:
        """See `Document`."""
        source = self.value(row)
        if not source or source[0] in _OPENERS or len(source) > LITERAL_LIMIT:
            return None
        if source.startswith(b'"'):
            name = _name(decode(source)).replace("\\", "\\\\").replace('"', '\\"')
            return f'"{name}"' if name.isprintable() else None
        return None if source[-1:] in b"Ny" else decode(source)

    def items(self) -> list[tuple[int, int]]:
        """Where the values that stand directly in the document begin and end; none if it is a scalar."""
        spans, node = [], 1
        while node < len(self._start):
            spans.append((self._start[node], self._end[node]))
            node = self._after[node]
        return spans

    def kind(self, row: int) -> str:
        """One of object, array, string, number, boolean, null; "" behind the end."""
        node = self._node(row)
        return "" if node is None else _kind(self.data[self._start[node]])


def _kind(first: int) -> str:
    kinds = {"{": "object", "[": "array", '"': "string", "t": "boolean", "f": "boolean", "n": "null"}
    return kinds.get(chr(first), "number")


def _style(first: int) -> Style:
    kind = _kind(first)
    return "string" if kind == "string" else "number" if kind == "number" else "null"


def _counted(count: int) -> str:
    return f"{count:,} item" if count == 1 else f"{count:,} items"


def _name(source: str) -> str:
    """The text that a key's source stands for; the source itself where an escape is not one of JSON's."""
    try:
        name: str = json.loads(source, strict=False)
    except ValueError:
        return source[1:-1]
    return name


def _readable(source: str) -> str:
    r"""String source for eyes: `\u65e5` as 日, but escapes of what has no safe shape stay escapes."""
    if "\\u" not in source:
        return clean(source)
    return clean(_ESCAPE.sub(_unescaped, source))


def _unescaped(found: re.Match[str]) -> str:
    if len(found[0]) <= len("\\n"):
        return found[0]
    text: str = json.loads(f'"{found[0]}"')
    return text if not text.isascii() and text.isprintable() else found[0]


class JsonView(View):
    """Pretty JSON."""

    name: ClassVar[str] = "json"
    title = "JSON"

    def claim(self, data: bytes, meta: Mapping[str, Any]) -> float:
        """By the first and last byte, or the told type."""
        told = content_type(meta)
        if told == "application/json" or told.endswith("+json"):
            return 0.95
        head, tail = data[:64].lstrip(b" \t\r\n"), data[-64:].rstrip(b" \t\r\n")
        if (head[:1], tail[-1:]) in {(b"{", b"}"), (b"[", b"]")}:
            return 0.9
        return 0.5 if head[:1] and head[:1] in b'"-0123456789tfn' and len(head) <= VALUE_LIMIT else 0.0

    def open(self, data: bytes, meta: Mapping[str, Any] = NOTHING) -> JsonTree:  # noqa: ARG002 - the bytes tell all
        """The tree, all unfolded."""
        return JsonTree(data)
