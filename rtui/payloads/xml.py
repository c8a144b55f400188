"""XML as a tree: elements, attributes, text, comments.

Read by expat without entities: a document that declares some is refused, so that none can grow (the "billion laughs")
or name a file. Grammar: XML 1.0, fifth edition.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any, ClassVar
from xml.parsers import expat

from rtui.core.clean import clean
from rtui.core.json_path import Step
from rtui.payloads.base import NOTHING, Unreadable, View, content_type, is_text
from rtui.payloads.tree import NODE_LIMIT, Full, Item, Tree


class XmlTree(Tree):
    """Paths are XPath: `/feed/entry[2]/@id`."""

    def path(self, row: int) -> str | None:
        """See `Document`."""
        node = self._node(row)
        return None if node is None else "/" + "/".join(map(str, self._way(node)))


class _Reader:
    """Takes what expat finds. A node ends where the next event begins: expat tells only beginnings."""

    def __init__(self, tree: XmlTree) -> None:
        self._tree = tree
        self._open: list[tuple[int, Counter[str]]] = []
        """The elements that are open, and how many children of each name they have so far."""
        self._ended: list[int] = []
        self._text: list[str] = []
        self._text_at = 0
        parser = self._parser = expat.ParserCreate()
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._characters
        parser.CommentHandler = self._comment
        parser.EntityDeclHandler = self._entity
        parser.DefaultHandler = self._other
        parser.ordered_attributes = True

    def read(self, data: bytes) -> None:
        """All of it, or as much as the tree takes."""
        try:
            self._parser.Parse(data, True)
        except Full:
            self._tree.cut(self._open[-1][0] if self._open else -1, self._parser.CurrentByteIndex)
            return
        except expat.ExpatError as error:
            place = f"line {error.lineno}, column {error.offset + 1}"
            raise Unreadable(f"not XML at {place}: {expat.ErrorString(error.code)}") from None
        self._settle(len(data))

    def _settle(self, at: int) -> None:
        """What waited for the beginning of the next event."""
        for node in self._ended:
            self._tree.shut(node, at)
        self._ended.clear()

    def _add(self, step: Step, label: str, item: Item, at: int) -> int:
        parent = self._open[-1][0] if self._open else -1
        return self._tree.add(parent, step, item._replace(label=label), at)

    def _start(self, name: str, attributes: list[str]) -> None:
        at = self._next()
        step = self._numbered(name)
        node = self._add(step, name, Item("", "text", ""), at)
        self._open.append((node, Counter()))
        for key, value in zip(attributes[::2], attributes[1::2], strict=True):
            inner = self._add(f"@{key}", f"@{key}", Item("", "string", value), at)
            self._ended.append(inner)

    def _numbered(self, name: str) -> str:
        """The step of the next child called `name`: the first has no number, as XPath allows."""
        if not self._open:
            return name
        counts = self._open[-1][1]
        counts[name] += 1
        return name if counts[name] == 1 else f"{name}[{counts[name]}]"

    def _end(self, _name: str) -> None:
        self._next()
        self._ended.append(self._open.pop()[0])

    def _characters(self, text: str) -> None:
        if not self._text:
            self._settle(self._parser.CurrentByteIndex)
            self._text_at = self._parser.CurrentByteIndex
        self._text.append(text)

    def _comment(self, text: str) -> None:
        self._ended.append(self._add("comment()", "", Item("", "dim", f"<!--{text}-->"), self._next()))

    def _entity(self, *_declared: object) -> None:
        raise Unreadable("XML with entities of its own: they can hide or multiply text, raw shows it as it is")

    def _other(self, _text: str) -> None:
        self._next()

    def _next(self) -> int:
        """Another event begins: where, after what was before it is settled."""
        at = self._parser.CurrentByteIndex
        text = "".join(self._text).strip()
        self._text.clear()
        if text and self._open:
            self._tree.shut(self._add("text()", "", Item("", "string", text), self._text_at), at)
        self._settle(at)
        return at


class XmlView(View):
    """XML."""

    name: ClassVar[str] = "xml"
    title = "XML"

    def claim(self, data: bytes, meta: Mapping[str, Any]) -> float:
        """By the told type, or the first and last signs."""
        told = content_type(meta)
        if told in {"application/xml", "text/xml"} or told.endswith("+xml"):
            return 0.95
        head, tail = data[:64].lstrip(b"\xef\xbb\xbf \t\r\n"), data[-64:].rstrip()
        if head.startswith(b"<?xml"):
            return 0.9
        return 0.7 if head.startswith(b"<") and tail.endswith(b">") and is_text(data) else 0.0

    def open(self, data: bytes, meta: Mapping[str, Any] = NOTHING) -> XmlTree:  # noqa: ARG002 - the bytes tell all
        """The tree, all unfolded."""
        tree = XmlTree(data, NODE_LIMIT)
        try:
            _Reader(tree).read(data)
        except LookupError as error:  # an encoding that Python does not know
            raise Unreadable(f"not XML: {clean(str(error))}") from None
        return tree
