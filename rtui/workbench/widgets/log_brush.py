"""How the rows of the log are drawn: columns, colours, and the cache of finished strips."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from operator import attrgetter
from typing import Final, NamedTuple, TypeAlias

from rich.segment import Segment
from rich.style import Style
from textual.cache import LRUCache
from textual.strip import Strip

from rtui.core.clean import cell_width, clean
from rtui.core.record import Record
from rtui.workbench.widgets.column import Column
from rtui.workbench.widgets.density import LINES, Density
from rtui.workbench.widgets.glyph import Glyphs
from rtui.workbench.widgets.large_row import block
from rtui.workbench.widgets.log_pick import Picks
from rtui.workbench.widgets.meant_row import as_meant
from rtui.workbench.widgets.need import Need
from rtui.workbench.widgets.palette import Palette, sheet
from rtui.workbench.widgets.row import MAX_SOURCE, Columns, Context, Look, Piece, TimeMode, layout, pieces
from rtui.workbench.widgets.source import Named

CACHED_STRIPS: Final = 512
"""Several screens, so that paging back and forth redraws nothing."""

COLOURS: Final = {
    "dim": "$rt-dim",
    "in": "$rt-in",
    "out": "$rt-out",
    "error": "$rt-error",
    "notice": "$rt-notice",
    "key": "$rt-key",
    "channel": "$rt-string",
    "source": "$rt-number",
    "null": "$rt-null",
}
SHADES: Final = ("source", "key", "null", "channel", "in")
"""In which the names of connections are written, one after the other."""
STYLES: Final = ("text", *COLOURS, "cursor", "selected")
"""Component classes are `log--` + one of these."""

CSS: Final = sheet(
    "MessageLog",
    "log",
    COLOURS,
    """
    height: 1fr;
    width: 1fr;
    & > .log--selected { background: $panel; }
    &.-ascii { scrollbar-size-vertical: 0; }
    """,
)

Lines: TypeAlias = tuple[Strip, ...]
"""One row, as many strips as its density has lines."""
LookOf: TypeAlias = Callable[[int, str], Look]
"""(link, channel) → how its rows stand out."""


class Scene(NamedTuple):
    """What all rows of one paint share."""

    columns: Columns
    mode: TimeMode
    began: int
    """What the relative mode counts from, in nanoseconds."""
    names: Mapping[int, Named] | None
    """The connections, if rows name theirs."""
    look: LookOf
    picks: Picks
    cursor: int | None
    lean: bool

    def context(self, record: Record, before: Record | None) -> Context:
        """All that decides how `record` is drawn below `before`."""
        return Context(
            columns=self.columns,
            mode=self.mode,
            since=self._since(record, before),
            source=source_name(self.names, record.link) if self.names is not None else "",
            shade=SHADES[(record.link - 1) % len(SHADES)],
            marked=record.seq in self.picks.marks,
            selected=record.seq in self.picks.selected,
            cursor=record.seq == self.cursor,
            look=self.look(record.link, record.channel),
            lean=self.lean,
        )

    def _since(self, record: Record, before: Record | None) -> int:
        """What the time column counts from; 0 in absolute mode, so that the cache holds."""
        if self.mode is TimeMode.DELTA:
            return before.time if before is not None else record.time
        return self.began if self.mode is TimeMode.RELATIVE else 0


def source_name(names: Mapping[int, Named], link: int) -> str:
    """What a connection is called in the log."""
    row = names.get(link)
    return clean(row.name) if row is not None else f"#{link}"


class Brush:
    """Draws rows of one width. A strip is cached under what it shows, never under where it stands."""

    def __init__(self, style_of: Callable[[str], Style], glyphs: Glyphs) -> None:
        """`style_of` gives the style of a component class, by its name in `STYLES`."""
        self.glyphs = glyphs
        self.strips: LRUCache[tuple[int, Context], Lines] = LRUCache(CACHED_STRIPS)
        self.columns = layout(0, channel=0, source=0)
        self.palette = Palette(style_of, tinted_as="channel")
        self._need = Need()
        self.meant: Callable[[Record], bytes] = attrgetter("payload")
        """What is shown of a record's payload: the JSON that it means, where that is known."""
        self.chosen: tuple[Column, ...] = ()
        """The columns of the user; empty for the usual ones."""
        self.density = Density.NORMAL
        self.large = LINES
        """Lines of a large row."""

    def begin(self) -> None:
        """Other rows will be drawn: they need other columns."""
        self._need = Need()
        self.strips.clear()

    def forget(self) -> None:
        """Every colour is suspect."""
        self.palette.forget()
        self.strips.clear()

    def fit(self, window: Sequence[Record]) -> None:
        """Columns follow what has been seen: they change seldom, and never back, under the reader's eyes."""
        self._need.see(window)

    def lay_out(self, width: int, names: Mapping[int, Named] | None) -> Columns:
        """The columns of rows of `width` cells, which name one of the connections unless `names` is None."""
        source = max((cell_width(source_name(names, link)) for link in names), default=0) if names else 0
        self.columns = layout(
            width,
            channel=self._need.channel,
            body=self._need.body,
            source=min(source, MAX_SOURCE),
            chosen=self.chosen,
            density=self.density,
            lines=self.density.lines(self.large),
        )
        return self.columns

    def row(self, record: Record, context: Context) -> Lines:
        """One row."""
        key = (record.seq, context)
        lines = self.strips.get(key)
        if lines is None:
            lines = self.strips[key] = self._draw(record, context)
        return lines

    def blank(self, width: int) -> Strip:
        """No row."""
        return Strip.blank(width, self.palette.style("text"))

    def hint(self, text: str, width: int) -> Strip:
        """A line in the middle of nothing; without text, nothing."""
        style = self.palette.style("dim")
        return Strip([Segment(clean(text).center(width), style)]).crop(0, width) if text else Strip.blank(width, style)

    def read(self, record: Record) -> Record:
        """`record` as it is shown."""
        return as_meant(record, self.meant(record))

    def _draw(self, record: Record, context: Context) -> Lines:
        over = "cursor" if context.cursor else "selected" if context.selected else ""
        record = self.read(record)
        if context.columns.density is not Density.LARGE:
            return (self._strip(pieces(record, context, self.glyphs), context, over),)
        rows = block(record, context, self.glyphs)
        *shown, last = [self._strip(row, context, over) for row in rows]
        return (*shown, last if rows[-1] else self.blank(context.columns.width))

    def _strip(self, row: Sequence[Piece], context: Context, over: str) -> Strip:
        segments = [Segment(text, self.palette.style(name, over)) for name, text in row]
        return Strip(segments).adjust_cell_length(context.columns.width, self.palette.style("text", over))
