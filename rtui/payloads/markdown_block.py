"""Markdown read into blocks, and each block laid out as rows: what `payloads.markdown` is made of.

CommonMark 0.31 with the tables and the strikethrough of GFM, read by markdown-it. HTML stays text. So do reference
links: a definition that comes late would change what stands far above.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

from rtui.core.clean import cell_width, clean, clip
from rtui.payloads.base import Line, Span, Style
from rtui.payloads.wrap import wrapped

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

INDENT: Final = 2
"""Cells by which code stands further in."""
NARROWEST: Final = 8
"""Cells that a text has left, however deep it stands."""
TAB: Final = 4

_LINE: Final = re.compile(r"[^\r\n]*(?:\r\n?|\n|\Z)")
_MARKS: Final[dict[str, Style]] = {"em": "emphasis", "strong": "strong", "s": "struck", "link": "link"}
_RANK: Final[tuple[Style, ...]] = ("link", "heading", "strong", "emphasis", "struck", "text")
"""Which style is seen where several hold."""


@cache
def _parser() -> MarkdownIt:
    from markdown_it import MarkdownIt

    return MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"]).disable("reference")


class Item(Protocol):
    """A part of a block that is laid out by itself."""

    @property
    def source(self) -> str:
        """What it was made of, for copying."""

    def rows(self, width: int) -> list[Line]:
        """The rows at `width` cells."""


class Edge(NamedTuple):
    """What stands left of a text: bars of quotes, bullets, indents."""

    first: Line
    """Before its first row."""
    rest: Line
    """Before the others: as many cells."""

    @property
    def cells(self) -> int:
        """Cells taken."""
        return sum(cell_width(text) for _, text in self.rest)


class Prose(NamedTuple):
    """A paragraph, a heading: text that is wrapped."""

    edge: Edge
    spans: Line
    source: str

    def rows(self, width: int) -> list[Line]:
        """See `Item`."""
        return _beside(self.edge, wrapped(self.spans, max(width - self.edge.cells, NARROWEST)))


class Code(NamedTuple):
    """Lines that keep their blanks. Their source is the code without its fences, as it would be pasted elsewhere."""

    edge: Edge
    source: str

    def rows(self, width: int) -> list[Line]:
        """See `Item`."""
        room = max(width - self.edge.cells - INDENT, NARROWEST)
        rows: list[Line] = []
        for line in self.source.split("\n"):
            code: Line = [("code", clean(line.expandtabs(TAB)))]
            rows += [[("code", " " * INDENT), *row] for row in wrapped(code, room, anywhere=True)] or [[]]
        return _beside(self.edge, rows)


class Rule(NamedTuple):
    """A line across."""

    edge: Edge
    source: str

    def rows(self, width: int) -> list[Line]:
        """See `Item`."""
        return _beside(self.edge, [[("dim", "─" * max(width - self.edge.cells, NARROWEST))]])


class Gap(NamedTuple):
    """A row between two texts."""

    edge: Edge
    source: str = ""

    def rows(self, width: int) -> list[Line]:  # noqa: ARG002 - see `Item`
        """See `Item`."""
        return [list(self.edge.rest)]


class Table(NamedTuple):
    """Cells in columns; a column that has no room is cut."""

    edge: Edge
    cells: list[list[Line]]
    """Rows of cells; the first are the heads."""
    sides: list[str]
    """"left", "center", "right" of each column."""
    source: str

    def rows(self, width: int) -> list[Line]:
        """See `Item`."""
        widths = _shares(self._widths(), max(width - self.edge.cells, NARROWEST))
        rows = [_joined([_cell(*each) for each in zip(row, widths, self.sides, strict=True)]) for row in self.cells]
        rows.insert(1, [("dim", "─┼─".join("─" * cells for cells in widths))])
        return _beside(self.edge, rows)

    def _widths(self) -> list[int]:
        return [max(1, *(_cells(row[at]) for row in self.cells)) for at in range(len(self.sides))]


class Block(NamedTuple):
    """What stands at the top level."""

    begin: int
    """Its first line."""
    parts: list[int]
    """The first lines of its own parts, such as the items of a list: places where it may be cut."""
    fence: str
    """The line that opens it, if it is fenced code."""
    items: list[Item]


def lines_of(text: str) -> list[str]:
    """The lines as Markdown counts them, each with its end."""
    lines = _LINE.findall(text)
    return lines[:-1] if lines and not lines[-1] else lines


def blocks_of(text: str, *, reopened: str = "") -> list[Block]:
    """The blocks of `text`; `reopened` is the line that opened the fenced code of which `text` is a later part."""
    tokens = _parser().parse(reopened + text)
    lines = ["", *lines_of(text)] if reopened else lines_of(text)
    blocks = [_block(part, lines) for part in _top(tokens)]
    if not reopened:
        return blocks
    shifted = [block._replace(begin=max(block.begin - 1, 0), parts=[at - 1 for at in block.parts]) for block in blocks]
    first = shifted[0]  # its language was told before
    return [first._replace(items=first.items[-1:], fence=reopened), *shifted[1:]]


def _top(tokens: Sequence[Token]) -> Iterator[list[Token]]:
    """The tokens of each block."""
    part: list[Token] = []
    for token in tokens:
        part.append(token)
        if not token.level and token.nesting <= 0:
            yield part
            part = []


def _block(tokens: list[Token], lines: list[str]) -> Block:
    head = tokens[0]
    begin = head.map[0] if head.map else 0
    parts = [token.map[0] for token in tokens if token.type == "list_item_open" and token.level == 1 and token.map]
    fence = f"{head.markup}{head.info}\n" if head.type == "fence" else ""
    return Block(begin, parts, fence, _Layout(tokens, lines).items)


class _Layout:
    """Walks over the tokens of one block."""

    def __init__(self, tokens: list[Token], lines: list[str]) -> None:
        self.items: list[Item] = []
        self._lines = lines
        self._tokens = tokens
        self._edges: list[Edge] = []
        self._tight: list[bool] = []
        """Of each list that is open, outermost first."""
        self._first = False
        """Whether nothing of the innermost list was put yet."""
        self._table: list[list[Line]] = []
        self._sides: list[str] = []
        self._begun = ""
        """The source of the table."""
        self._map: list[int] = [0, 0]
        self._heading = 0
        for at, token in enumerate(tokens):
            self._take(at, token)

    def _take(self, at: int, token: Token) -> None:
        if token.map and token.type != "inline":
            self._map = token.map
        match token.type.partition("_"):
            case "inline", _, _:
                self._inline(token)
            case ("fence", _, _) | ("code", _, "block"):
                self._code(token)
            case "hr", _, _:
                self._put(Rule(self._edge(), self._source()))
            case "heading", _, side:
                self._heading = int(token.tag[1:]) if side == "open" else 0
            case (("bullet" | "ordered" | "list" | "blockquote"), _, _):
                self._nest(at, token)
            case (("table" | "tr" | "th" | "td"), _, _):
                self._tabulate(token)

    def _nest(self, at: int, token: Token) -> None:
        """Into a list, an item or a quote, or out of it."""
        match token.type:
            case "bullet_list_open" | "ordered_list_open":
                self._tight.append(_is_tight(self._tokens, at))
                self._first = True
            case "bullet_list_close" | "ordered_list_close":
                self._tight.pop()
            case "list_item_open":
                self._item(token)
            case "blockquote_open":
                self._edges.append(Edge([("punct", "│ ")], [("punct", "│ ")]))
            case _:
                self._leave()

    def _item(self, token: Token) -> None:
        marker = f"{token.info}{token.markup} " if token.info else "• "
        self._edges.append(Edge([("punct", marker)], [("punct", " " * len(marker))]))

    def _leave(self) -> None:
        """An item without a text still shows its bullet."""
        if _is_fresh(self._edges[-1]):
            self._put(Prose(self._edge(), [("text", "")], self._source()))
        self._edges.pop()

    def _edge(self) -> Edge:
        """What stands left of the next text."""
        return Edge(
            [span for one in self._edges for span in one.first], [span for one in self._edges for span in one.rest]
        )

    def _put(self, item: Item) -> None:
        """Add an item, with a gap before it except in a tight list."""
        around = self._tight[-2:-1] if self._first else self._tight[-1:]
        self._first = False
        if self.items and not any(around):
            above = next((at for at, edge in enumerate(self._edges) if _is_fresh(edge)), len(self._edges))
            self.items.append(Gap(Edge([], [span for one in self._edges[:above] for span in one.rest])))
        self.items.append(item)
        self._edges = [Edge(one.rest, one.rest) for one in self._edges]  # a bullet is put once

    def _source(self) -> str:
        return "".join(self._lines[slice(*self._map)]).rstrip("\r\n")

    def _inline(self, token: Token) -> None:
        base: Style = "heading" if self._heading else "strong" if len(self._table) == 1 else "text"
        parts = list(_spans(token.children or (), base))
        if self._table:
            self._table[-1].append([span for part in parts for span in part])
            return
        marks: Line = [("punct", "#" * self._heading + " ")] if self._heading else []
        for number, part in enumerate(parts):
            edge = self._edge()
            item = Prose(edge, [*marks, *part] if not number else part, self._source())
            if number:
                self.items.append(item)  # a line break within a paragraph
            else:
                self._put(item)

    def _code(self, token: Token) -> None:
        language = token.info.split(maxsplit=1)[:1]
        code = token.content.removesuffix("\n")
        if language:
            self._put(Prose(self._edge(), [("dim", clean(language[0]))], code))
            self.items.append(Code(self._edge(), code))
        else:
            self._put(Code(self._edge(), code))

    def _tabulate(self, token: Token) -> None:
        match token.type:
            case "table_open":
                self._table, self._sides, self._begun = [], [], self._source()
            case "tr_open":
                self._table.append([])
            case "table_close":
                self._put(Table(self._edge(), self._table, self._sides, self._begun))
                self._table = []
            case "th_open":
                self._sides.append(str(token.attrs.get("style", "")).removeprefix("text-align:") or "left")


def _is_fresh(edge: Edge) -> bool:
    """Whether nothing was put behind it yet."""
    return edge.first is not edge.rest


def _is_tight(tokens: list[Token], at: int) -> bool:
    """Whether the list that opens at `at` has no blank lines between its items (CommonMark 5.3)."""
    level = tokens[at].level
    for token in tokens[at + 1 :]:
        if token.level <= level:
            break
        if token.type == "paragraph_open" and token.level == level + 2:
            return token.hidden
    return True


def _spans(children: Sequence[Token], base: Style) -> Iterator[Line]:
    """The text in styles, cut at hard breaks."""
    line: Line = []
    open_: list[Style] = [base]
    target, begin = "", 0
    for child in children:
        if child.type == "hardbreak":
            yield line
            line, begin = [], 0
        elif child.nesting:
            mark = _MARKS[child.type.rpartition("_")[0]]
            (open_.append if child.nesting > 0 else open_.remove)(mark)
            if child.type == "link_open":
                target, begin = clean(str(child.attrs.get("href", ""))), len(line)
            elif child.type == "link_close" and target != span_text(line[begin:]):
                line.append(("dim", f" ({target})"))
        else:
            line += _leaf(child, min(open_, key=_RANK.index))
    yield line


def _leaf(child: Token, style: Style) -> Line:
    """A piece of text."""
    match child.type:
        case "softbreak":
            return [(style, " ")]
        case "code_inline":
            return [("code", f"`{clean(child.content)}`")]
        case "image":
            return [("link", clean(child.content) or "image"), ("dim", f" ({clean(str(child.attrs.get('src', '')))})")]
        case _:
            return [(style, clean(child.content))]


def _beside(edge: Edge, rows: list[Line]) -> list[Line]:
    """`rows` with the edge at their left."""
    if not edge.rest:
        return rows
    return [[*(edge.rest if number else edge.first), *row] for number, row in enumerate(rows)] or [list(edge.first)]


def _cells(line: Line) -> int:
    return sum(cell_width(text) for _, text in line)


def _shares(wanted: list[int], width: int) -> list[int]:
    """What each column gets of `width` cells, three of them between two columns: the widest give way."""
    room = max(width - 3 * (len(wanted) - 1), len(wanted))
    most = max(wanted)
    while sum(min(cells, most) for cells in wanted) > room and most > 1:
        most -= 1
    return [min(cells, most) for cells in wanted]


def _cell(line: Line, width: int, side: str) -> Line:
    """A cell of a table, as wide as its column."""
    shown: Line = []
    left = width
    for style, text in line:
        part = clip(text, left)
        left -= cell_width(part)
        shown.append((style, part))
        if part != text:
            break
    before = {"left": 0, "center": left // 2}.get(side, left)
    return [("text", " " * before), *shown, ("text", " " * (left - before))]


def _joined(cells: list[Line]) -> Line:
    row: Line = []
    for number, cell in enumerate(cells):
        row += [("dim", " │ "), *cell] if number else cell
    return row


def span_text(line: Sequence[Span]) -> str:
    """A row without its styles."""
    return "".join([text for _, text in line])
