"""How the rows of the log are drawn: columns, colours, and the cache of finished strips."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final

from rich.segment import Segment
from rich.style import Style
from textual.cache import LRUCache
from textual.strip import Strip

from rtui.core.clean import cell_width, clean
from rtui.core.record import Record
from rtui.workbench.widgets.glyph import Glyphs
from rtui.workbench.widgets.row import MAX_CHANNEL, MAX_SOURCE, Columns, Context, layout, pieces

CACHED_STRIPS: Final = 512
"""Several screens, so that paging back and forth redraws nothing."""

STYLES: Final = (*("text", "dim", "in", "out", "error", "notice", "key", "channel", "source", "cursor", "selected"),)
"""Component classes are `log--` + one of these."""

CSS: Final = """
MessageLog {
    height: 1fr;
    width: 1fr;
    background: $surface;
    color: $foreground;
    overflow-y: scroll;
    overflow-x: hidden;
    scrollbar-size-vertical: 1;
    & > .log--dim { color: $rt-dim; }
    & > .log--in { color: $rt-in; }
    & > .log--out { color: $rt-out; }
    & > .log--error { color: $rt-error; }
    & > .log--notice { color: $rt-notice; }
    & > .log--key { color: $rt-key; }
    & > .log--channel { color: $rt-string; }
    & > .log--source { color: $rt-number; }
    & > .log--selected { background: $panel; }
    & > .log--cursor {
        background: $block-cursor-blurred-background;
        color: $block-cursor-blurred-foreground;
        text-style: $block-cursor-blurred-text-style;
    }
    &:focus > .log--cursor {
        background: $block-cursor-background;
        color: $block-cursor-foreground;
        text-style: $block-cursor-text-style;
    }
    &.-ascii { scrollbar-size-vertical: 0; }
}
"""


class Brush:
    """Draws rows of one width. A strip is cached under what it shows, never under where it stands."""

    def __init__(self, style_of: Callable[[str], Style], glyphs: Glyphs) -> None:
        """`style_of` gives the style of a component class, by its name in `STYLES`."""
        self.glyphs = glyphs
        self.strips: LRUCache[tuple[int, Context], Strip] = LRUCache(CACHED_STRIPS)
        self.columns = layout(0, channel=0, source=0)
        self._style_of = style_of
        self._styles: dict[tuple[str, str], Style] = {}
        self._channel_cells = 0

    def begin(self) -> None:
        """Other rows will be drawn: they need other columns."""
        self._channel_cells = 0
        self.strips.clear()

    def forget(self) -> None:
        """Every colour is suspect."""
        self._styles.clear()
        self.strips.clear()

    def fit(self, window: Sequence[Record]) -> None:
        """Columns grow with what has been seen and never shrink under the reader's eyes."""
        if self._channel_cells < MAX_CHANNEL:
            longest = max((record.channel for record in window), key=len, default="")
            self._channel_cells = max(self._channel_cells, min(MAX_CHANNEL, cell_width(clean(longest[:MAX_CHANNEL]))))

    def lay_out(self, width: int, sources: Iterable[str] = ()) -> Columns:
        """The columns of rows of `width` cells that name one of `sources`."""
        source = max(map(cell_width, sources), default=0)
        self.columns = layout(width, channel=self._channel_cells, source=min(source, MAX_SOURCE))
        return self.columns

    def row(self, record: Record, context: Context) -> Strip:
        """One row."""
        key = (record.seq, context)
        strip = self.strips.get(key)
        if strip is None:
            strip = self.strips[key] = self._draw(record, context)
        return strip

    def blank(self, width: int) -> Strip:
        """No row."""
        return Strip.blank(width, self._style("text", ""))

    def hint(self, text: str, width: int) -> Strip:
        """A line in the middle of nothing; without text, nothing."""
        style = self._style("dim", "")
        return Strip([Segment(clean(text).center(width), style)]).crop(0, width) if text else Strip.blank(width, style)

    def _draw(self, record: Record, context: Context) -> Strip:
        over = "cursor" if context.cursor else "selected" if context.selected else ""
        segments = [Segment(text, self._style(name, over)) for name, text in pieces(record, context, self.glyphs)]
        return Strip(segments).adjust_cell_length(context.columns.width, self._style("text", over))

    def _style(self, name: str, over: str) -> Style:
        style = self._styles.get((name, over))
        if style is None:
            style = self._style_of(name)
            if over == "cursor":
                style = self._style_of("cursor")
            elif over:
                style += Style(bgcolor=self._style_of(over).bgcolor)
            self._styles[name, over] = style
        return style
