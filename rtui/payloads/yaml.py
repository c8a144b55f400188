"""YAML as a tree, without loss and without trust; JSON is YAML too, and can be read so.

Only the parser's events are used: nothing is constructed, no tag means anything, and an alias stays one row (`*name`),
so that no text can grow (the "billion laughs" of YAML). A value is a slice of the source. Comments are in raw only.
Grammar: YAML 1.1 as libyaml reads it; what is a number or true is told by the core schema of YAML 1.2 (10.3).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Final, TypeAlias

from rtui.core.clean import clean
from rtui.core.json_path import Step
from rtui.core.words import counted
from rtui.payloads.base import NOTHING, Line, Style, Unreadable, View, content_type, is_text
from rtui.payloads.tree import NODE_LIMIT, Full, Item, Tree

Event: TypeAlias = Any
"""One of `yaml.events`, which are imported when used; each kind has attributes of its own."""

TYPES: Final = frozenset({"application/yaml", "application/x-yaml", "text/yaml", "text/x-yaml", "text/vnd.yaml"})
_NULL: Final = re.compile(r"|~|null|Null|NULL|true|True|TRUE|false|False|FALSE")
_NUMBER: Final = re.compile(
    r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+|[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?"
    r"|[-+]?\.(?:inf|Inf|INF)|\.nan|\.NaN|\.NAN"
)
_BEGINNING: Final = re.compile(rb"(?:#[^\n]*\n|\s*\n)*(?:---(?:\s|$)|%YAML )")
_ENTRY: Final = re.compile(rb"(?m)^[ ]*(?:- )?[\w\"'./-]{1,64}:(?:[ \r\n]|$)|^[ ]*- \S")
_ENTRIES: Final = 2
"""Lines that look like YAML before a text is offered as it."""
DEEPEST: Final = 256
"""Levels within each other: libyaml looks at all that are open at each sign, so 100,000 would take a minute."""
_SHOWN_KEY: Final = 256
_SIGNS: Final = frozenset("-?:")
"""Labels that are no names: of an item, of a collection that is a key, of the value behind that."""


class YamlTree(Tree):
    """Rows as YAML in blocks has them. Positions count characters, as the parser does."""

    def __init__(self, data: bytes, text: str) -> None:
        super().__init__(data, NODE_LIMIT)
        self.text = text

    def value(self, row: int) -> bytes:
        """See `Document`."""
        node = self._node(row)
        return b"" if node is None else self.text[self._start[node] : self._end[node]].encode()

    def _line(self, node: int) -> Line:
        """An item of a list stands behind a dash, not behind its number."""
        line = super()._line(node)
        if self._labels[node] in _SIGNS:
            return [(style, text) if text != ": " else ("punct", " ") for style, text in line]
        return line


class _Open:
    """A collection that is being read."""

    def __init__(self, node: int, is_map: bool, start: str) -> None:
        self.node = node
        self.is_map = is_map
        self.start = start
        """What its row says before the number of its items."""
        self.count = 0
        self.key: str | None = None
        """The key that waits for its value."""


class _Reader:
    """Takes the parser's events."""

    def __init__(self, tree: YamlTree) -> None:
        self._tree = tree
        self._stack: list[_Open] = []
        self._documents = 0

    def read(self, events: Iterable[Event]) -> None:
        """All of them, or as many as the tree takes."""
        start = 0
        try:
            for event in events:
                start = event.start_mark.index
                self._take(event)
        except Full:
            position = len(self._tree.text[:start].encode())
            self._tree.cut(self._stack[-1].node if self._stack else -1, position)

    def _take(self, event: Event) -> None:
        match event.__class__.__name__:
            case "ScalarEvent":
                self._scalar(event)
            case "AliasEvent":
                self._leaf(event, Item("", "link", f"*{event.anchor}"), f"*{event.anchor}")
            case "MappingStartEvent":
                self._begin(event, is_map=True)
            case "SequenceStartEvent":
                self._begin(event, is_map=False)
            case "MappingEndEvent" | "SequenceEndEvent":
                self._end(event)
            case "DocumentStartEvent":
                self._documents += 1
            case _:
                pass  # the stream's begin and end, a document's end

    # Where a value stands

    def _place(self) -> tuple[int, Step | None, str]:
        """Parent, step and label of the next value."""
        if not self._stack:
            return -1, self._documents - 1 if self._documents > 1 else None, "---" if self._documents > 1 else ""
        top = self._stack[-1]
        top.count += 1
        if not top.is_map:
            return top.node, top.count - 1, "-"
        key, top.key = top.key, None
        return top.node, key, (key or "")[:_SHOWN_KEY]

    def _awaits_key(self) -> bool:
        return bool(self._stack) and self._stack[-1].is_map and self._stack[-1].key is None

    # Values

    def _scalar(self, event: Event) -> None:
        source = self._source(event)
        if self._awaits_key():
            self._stack[-1].key = event.value
            return
        head, *rest = source.split("\n")
        node, end = self._add(event, Item("", _style(event), head)), event.start_mark.index + len(source)
        self._lines(node, rest, event.start_mark.index + len(head) + 1)
        self._tree.shut(node, end)

    def _leaf(self, event: Event, item: Item, key: str) -> None:
        if self._awaits_key():
            self._stack[-1].key = key
        else:
            self._tree.shut(self._add(event, item), event.end_mark.index)

    def _lines(self, node: int, lines: list[str], at: int) -> None:
        """The other lines of a text, each in a row, without the indentation that all of them have."""
        margin = min((len(line) - len(line.lstrip(" ")) for line in lines if line.strip()), default=0)
        for line in lines:
            self._tree.shut(self._tree.add(node, None, Item("", "string", line[margin:]), at), at + len(line))
            at += len(line) + 1

    def _begin(self, event: Event, *, is_map: bool) -> None:
        if len(self._stack) >= DEEPEST:
            raise Unreadable(f"YAML of more than {DEEPEST} levels: raw shows it")
        start = " ".join(part for part in (event.anchor and f"&{event.anchor}", _short(event.tag)) if part)
        if self._awaits_key():  # a collection as a key: its rows stand where it is
            self._stack[-1].key = ":"
            node = self._tree.add(self._stack[-1].node, None, Item("?", "dim", start), event.start_mark.index)
        else:
            node = self._add(event, Item("", "dim", start))
        self._stack.append(_Open(node, is_map, start))

    def _end(self, event: Event) -> None:
        done = self._stack.pop()
        size = counted(done.count, "pair" if done.is_map else "item")
        label = self._tree.label(done.node)
        brackets = f"{{ {size} }}" if done.is_map else f"[ {size} ]"
        self._tree.reword(done.node, Item(label, "dim", f"{done.start} {brackets}".strip()))
        self._tree.shut(done.node, event.end_mark.index)

    def _add(self, event: Event, item: Item) -> int:
        parent, step, label = self._place()
        return self._tree.add(parent, step, item._replace(label=label), event.start_mark.index)

    def _source(self, event: Event) -> str:
        """A scalar as it is written, its anchor and tag before it."""
        return self._tree.text[event.start_mark.index : event.end_mark.index].rstrip()


def _style(event: Event) -> Style:
    if event.style:
        return "string"
    if _NULL.fullmatch(event.value):
        return "null"
    return "number" if _NUMBER.fullmatch(event.value) else "string"


def _short(tag: str | None) -> str:
    return (tag or "").replace("tag:yaml.org,2002:", "!!")


class YamlView(View):
    """YAML."""

    name: ClassVar[str] = "yaml"
    title = "YAML"

    def claim(self, data: bytes, meta: Mapping[str, Any]) -> float:
        """By the told type or the first line; what only looks like it, and JSON, are offered behind other views."""
        told = content_type(meta)
        if told in TYPES or told.endswith("+yaml"):
            return 0.95
        head = data[:2048]
        if not is_text(data):
            return 0.0
        if _BEGINNING.match(head):
            return 0.65
        if head[:1] and head[:1] in b"{[":
            return 0.2
        return 0.35 if len(_ENTRY.findall(head)) >= _ENTRIES else 0.0

    def open(self, data: bytes, meta: Mapping[str, Any] = NOTHING) -> YamlTree:  # noqa: ARG002 - the bytes tell all
        """The tree, all unfolded; of several documents, one below the other."""
        import yaml

        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise Unreadable(f"not YAML: no UTF-8 at byte {error.start}") from None
        tree = YamlTree(data, text)
        try:
            _Reader(tree).read(yaml.parse(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)))
        except yaml.YAMLError as error:
            raise Unreadable(_trouble(error)) from None
        return tree


def _trouble(error: Exception) -> str:
    """What the parser says, and where."""
    mark, problem = getattr(error, "problem_mark", None), getattr(error, "problem", None)
    if mark is not None:
        return f"not YAML at line {mark.line + 1}, column {mark.column + 1}: {clean(str(problem))}"
    reason, position = getattr(error, "reason", None) or problem or error, getattr(error, "position", None)
    return f"not YAML: {clean(str(reason))}" + ("" if position is None else f" at character {position + 1}")
