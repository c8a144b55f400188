"""How one record becomes one line of the log: pure text layout, no Textual."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from enum import Enum
from typing import Any, Final, TypeAlias

import msgspec

from rtui.core.clean import cell_width, clean, clean_bytes, clip
from rtui.core.record import Direction, Kind, Record
from rtui.workbench.widgets import figure
from rtui.workbench.widgets.column import FIGURES, PAYLOAD, TIME, Column, value
from rtui.workbench.widgets.density import LINES, Density
from rtui.workbench.widgets.ellipsis import elided
from rtui.workbench.widgets.glyph import UNICODE, Glyphs
from rtui.workbench.widgets.meant_row import size_of

Piece: TypeAlias = tuple[str, str]
"""Style name and clean text."""

NARROW: Final = 60
"""Below this many cells the time is told in seconds."""
TIGHT: Final = 52
"""Below this many cells beside the source, the channel gives way to the payload."""
CLOCK_CELLS: Final = 12
SHORT_CLOCK_CELLS: Final = 8
MAX_CHANNEL: Final = 96
CHANNEL_SHARE: Final = 0.45
"""Of what channel and payload have together, the part that names may take where payloads would fill the rest too."""
LEAST_BODY: Final = 24
"""Cells that payloads keep, however long the names are."""
COMPACT_CHANNEL: Final = 18
MAX_SOURCE: Final = 14
MAX_ALIAS: Final = 14
MAX_ID: Final = 12
MAX_STATUS: Final = 20
BIG: Final = 1000
"""Bytes from which a row tells its size."""
MAX_KEYS: Final = 12
"""JSON keys dimmed per row: each costs two changes of style, some 80 bytes to the terminal."""

SENTENCE: Final = Column(PAYLOAD)

EMPTY: Final = "(empty)"
UNCHANGED: Final = "(not modified)"

_KEY: Final = re.compile(r'"(?:[^"\\]|\\.)*"\s?(?=:)')
_CODE: Final = re.compile(r'"status":\d')
_KIND_STYLE: Final[dict[int, str]] = {
    Kind.ERROR: "error",
    Kind.CLOSE: "error",
    Kind.OPEN: "notice",
    Kind.RECONNECT: "notice",
    Kind.GAP: "notice",
    Kind.NOTICE: "notice",
    Kind.SUBSCRIBE: "dim",
    Kind.ACK: "dim",
    Kind.PING: "dim",
}


class TimeMode(Enum):
    """What the time column tells; the value is the word shown to users."""

    ABSOLUTE = "absolute"
    RELATIVE = "relative"
    DELTA = "delta"

    def next(self) -> TimeMode:
        """The one after this, round and round."""
        modes = list(TimeMode)
        return modes[(modes.index(self) + 1) % len(modes)]


class Columns(msgspec.Struct, frozen=True):
    """Widths in cells. Part of every cache key: rows of one layout look alike."""

    width: int
    time: int
    source: int
    channel: int
    chosen: tuple[Column, ...] = ()
    """Those of the user in place of channel, payload and badges; empty for the usual ones."""
    density: Density = Density.NORMAL
    lines: int = LINES
    """Of a large row."""

    @property
    def body(self) -> int:
        """Cells for payload and badges."""
        taken = 1 + self.time + 1 + 2  # gutter, time, space, glyph, space
        for column in (self.source, self.channel):
            taken += column + 1 if column else 0
        return max(0, self.width - taken)


def layout(
    width: int,
    *,
    channel: int,
    source: int,
    body: int = sys.maxsize,
    chosen: tuple[Column, ...] = (),
    density: Density = Density.NORMAL,
    lines: int = LINES,
) -> Columns:
    """Columns for `width` cells, given what the longest channel, source (0 = no such column) and payload seen need."""
    narrow, compact = width < NARROW, density is Density.COMPACT
    source = min(source, MAX_SOURCE, width // 6)
    bare = Columns(width, SHORT_CLOCK_CELLS if narrow or compact else CLOCK_CELLS, source, 0, chosen, density, lines)
    if width - source < TIGHT or not channel:
        return bare
    room = bare.body - 1
    most = min(max(int(room * CHANNEL_SHARE), room - body), room - LEAST_BODY, MAX_CHANNEL)
    return msgspec.structs.replace(bare, channel=min(channel, COMPACT_CHANNEL if compact else most, most))


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """How the rows of one channel stand out."""

    muted: bool = False
    colour: str = ""
    """Of the channel and of `badge`; empty for the theme's own."""
    name: str = ""
    """Shown in place of the channel."""
    badge: str = ""
    """Shown at the right end: the alias of a subscription that brings more than this channel."""


PLAIN: Final = Look()


class Context(msgspec.Struct, frozen=True, kw_only=True):
    """What a row needs besides its record. Hashable: with the sequence it is the cache key."""

    columns: Columns
    mode: TimeMode = TimeMode.ABSOLUTE
    since: int = 0
    """Nanoseconds that RELATIVE and DELTA count from; 0 in ABSOLUTE, so that the cache holds."""
    source: str = ""
    shade: str = "source"
    """The style of that: connections next to each other differ."""
    marked: bool = False
    selected: bool = False
    cursor: bool = False
    look: Look = PLAIN
    lean: bool = False
    """Leave the payload in one colour: under a flood nobody reads keys, and each costs terminal output."""


def pieces(record: Record, context: Context, glyphs: Glyphs = UNICODE) -> list[Piece]:
    """The line, exactly `context.columns.width` cells wide."""
    if context.columns.chosen:
        return in_columns(record, context, glyphs)
    look = context.look
    columns = _columns(record, context)
    style = row_style(record, muted=look.muted)
    line: list[Piece] = [("dim", f"{gutter(context, glyphs)}{time_text(record, context)} ")]
    if columns.source:
        line.append((context.shade, fitted(context.source, columns.source)))
    head = glyphs.of_kind(record.kind, record.direction) + " "
    line.append((sign_style(record, style), head))
    if columns.channel:
        shade = (look.colour or "channel") if style == "text" else style
        line.append((shade, fitted(look.name or record.channel, columns.channel)))
    badge = " ".join(_beside(record, columns, glyphs))
    room = columns.body - (cell_width(badge) + 1 if badge else 0)
    compact = columns.density is Density.COMPACT
    alias = clip(clean(look.badge), MAX_ALIAS) if record.kind == Kind.MESSAGE and not compact else ""
    if alias and room - cell_width(alias) - 1 >= columns.body // 2:
        room -= cell_width(alias) + 1
    else:
        alias = ""
    text = clip(body(record, room, columns.channel == 0), room)
    line += coloured(text) if style == "text" and not context.lean else [(style if text else "dim", text)]
    padding = " " * (room - cell_width(text))
    if alias:
        line += [("dim", f"{padding} "), ("dim" if look.muted else look.colour or "channel", alias)]
        padding = ""
    line.append(("dim", f"{padding} {badge}" if badge else padding))
    return merged(line, columns.width)


def in_columns(record: Record, context: Context, glyphs: Glyphs) -> list[Piece]:
    """A row in the user's columns; what is no message says its sentence, behind the time if that comes first."""
    style = row_style(record, muted=context.look.muted)
    columns = context.columns.chosen
    if record.kind != Kind.MESSAGE:
        columns = (*(one for one in columns[:1] if one.name == TIME), SENTENCE)
    line: list[Piece] = [("dim", gutter(context, glyphs))]
    if context.columns.source:
        line.append((context.shade, fitted(context.source, context.columns.source)))
    line.append((sign_style(record, style), glyphs.of_kind(record.kind, record.direction) + " "))
    room = context.columns.width - sum(cell_width(text) for _, text in line)
    for column in columns[:-1]:
        cells = min(column.cells, room // 2)
        line.append((_shade(column, context.look, style), fitted(_cell(column, record, context, cells), cells)))
        room -= cells + 1
    text = clip(_cell(columns[-1], record, context, room), room)
    whole = style == "text" and columns[-1].name == PAYLOAD and not context.lean
    line += coloured(text) if whole else [(_shade(columns[-1], context.look, style), text)]
    line.append(("dim", " " * (room - cell_width(text))))
    return merged(line, context.columns.width)


def _cell(column: Column, record: Record, context: Context, room: int) -> str:
    if column.name == TIME:
        return time_text(record, context)
    if column.name == PAYLOAD:
        return body(record, room, True)
    text = value(column, record, room)
    return text.rjust(min(room, column.cells)) if column.name in FIGURES else text


def _shade(column: Column, look: Look, style: str) -> str:
    if style != "text":
        return style
    if column.name == "channel":
        return look.colour or "channel"
    return "dim" if column.name == TIME or column.name in FIGURES else style


def shown_badges(record: Record, context: Context, glyphs: Glyphs = UNICODE) -> list[str]:
    """The badges at the right end of the row's first line, as far as they are shown."""
    columns = _columns(record, context)
    if columns.density is Density.LARGE:
        in_head = any(one.name != PAYLOAD for one in columns.chosen) and record.kind == Kind.MESSAGE
        return [] if in_head else badges(record, glyphs, named=bool(record.channel))
    return [] if columns.chosen else _beside(record, columns, glyphs)


def _beside(record: Record, columns: Columns, glyphs: Glyphs) -> list[str]:
    """The badges that stand beside the payload: none where they would take half of its room."""
    if columns.density is Density.COMPACT:
        return []
    found = badges(record, glyphs, named=columns.channel > 0)
    return found if columns.body - cell_width(" ".join(found)) - 1 >= columns.body // 2 else []


def _columns(record: Record, context: Context) -> Columns:
    """Those of the log; what is about the connection has no channel, and its sentence takes that room."""
    columns = context.columns
    if columns.channel and not record.channel and record.kind != Kind.MESSAGE:
        return msgspec.structs.replace(columns, channel=0)
    return columns


def row_style(record: Record, *, muted: bool = False) -> str:
    """The style of the body."""
    if muted:
        return "dim"
    return _KIND_STYLE.get(record.kind, "text")


def badges(record: Record, glyphs: Glyphs = UNICODE, *, named: bool = False) -> list[str]:
    """What stands at the right end, short enough to sit beside the payload; `named`: the channel stands there too."""
    found = _meta_badges(record.meta) if record.meta and record.kind == Kind.MESSAGE else []
    if named and found and record.channel.endswith(f" {found[0]}"):
        del found[0]  # the status, which polled URLs are counted by
    if _is_answer(record):
        found.append(f"{figure.size(size_of(record))}B")
    elif size_of(record) >= BIG:
        found.append(figure.size(size_of(record)))
    if record.latency is not None:
        found.append(f"{glyphs.reply} {figure.latency(record.latency)}")
    return found


_META_BADGES: Final[dict[str, Callable[[Any], str]]] = {
    "status": lambda status: clip(clean(str(status)), MAX_STATUS) if isinstance(status, int | str) else "",
    "id": lambda name: f"#{clip(clean(name), MAX_ID)}" if isinstance(name, str) else "",
    "latency_ms": lambda spent: figure.latency(int(spent * 1e6)) if isinstance(spent, int | float) else "",
    "held_ms": lambda spent: f"held {figure.latency(int(spent * 1e6))}" if isinstance(spent, int | float) else "",
    "type": lambda word: "bin" if word == "binary" else "",
    "invalid": lambda why: clip(clean(why), MAX_STATUS) if isinstance(why, str) else "",
    "fragments": lambda count: f"{count} frag" if isinstance(count, int) and count > 1 else "",
    "qos": lambda qos: f"q{qos}" if qos in {1, 2} else "",
    "retain": lambda on: "retained" if on else "",
    "duplicate": lambda on: "dup" if on else "",
    "ack": lambda number: "ack?" if isinstance(number, int) and not isinstance(number, bool) else "",
}
"""Meta keys that earn a badge, for any protocol that has them."""


def _is_answer(record: Record) -> bool:
    """Whether it is all that a request was answered with: how large it is says something, however small."""
    meta = record.meta or ""
    return bool(record.payload) and record.kind == Kind.MESSAGE and bool(_CODE.search(meta)) and '"item":' not in meta


def _meta_badges(meta: str) -> list[str]:
    if not any(f'"{key}"' in meta for key in _META_BADGES):
        return []
    values = _values(meta)
    return [text for key, show in _META_BADGES.items() if key in values and (text := show(_scalar(values[key])))]


def _values(meta: str) -> dict[str, Any]:
    """What the protocol told."""
    try:
        values = msgspec.json.decode(meta)
    except (msgspec.DecodeError, RecursionError):
        return {}
    return values if isinstance(values, dict) else {}


def _scalar(value: object) -> object:
    """Lists and objects cannot be looked up in sets; they earn no badge."""
    return value if isinstance(value, str | int | float | bool) else None


def gutter(context: Context, glyphs: Glyphs) -> str:
    """The sign of a selected or marked row, and of the one under the cursor; one cell."""
    if context.selected:
        return glyphs.selected
    if context.marked:
        return glyphs.mark
    return glyphs.cursor if context.cursor else " "


def time_text(record: Record, context: Context) -> str:
    """The time column."""
    cells = context.columns.time
    if context.mode is TimeMode.ABSOLUTE:
        return figure.clock(record.time)[:cells]
    return figure.span(record.time - context.since).rjust(cells)[:cells]


def sign_style(record: Record, style: str) -> str:
    """The style of the sign in front of a row whose body is in `style`."""
    if style != "text":
        return style
    return "out" if record.direction == Direction.OUT else "in"


def fitted(text: str, cells: int) -> str:
    """Text from outside in `cells` cells and a blank; what is too long loses its middle."""
    shown = elided(clean(text), cells)
    return shown + " " * (cells - cell_width(shown) + 1)


def body(record: Record, room: int, with_channel: bool) -> str:
    """At least `room` cells of payload, if there are as many; `with_channel`: no column says what is subscribed to."""
    # Four bytes a cell is the most that UTF-8 needs; a little more lets the ellipsis show that it goes on.
    text = clean_bytes(record.payload, 4 * room + 8)
    if with_channel and record.channel and record.kind == Kind.SUBSCRIBE:
        return f"{text} {clean(record.channel)}"
    if not text and record.kind == Kind.MESSAGE:
        return UNCHANGED if not_modified(record) else EMPTY
    return text or _ending(record)


def _ending(record: Record) -> str:
    """How it ended, where an acknowledgement says nothing but that."""
    told = _values(record.meta) if record.kind == Kind.ACK and record.meta else {}
    return " · ".join(clean(str(told[key])) for key in ("status", "message") if told.get(key))


def not_modified(record: Record) -> bool:
    """Whether it says that what was sent before still holds (RFC 9110, 15.4.5)."""
    return record.kind == Kind.MESSAGE and record.meta is not None and '"status":304' in record.meta


def coloured(text: str) -> list[Piece]:
    """JSON keys dimmed, the rest as it is."""
    if text[:1] not in "{[" or '"' not in text:
        return [("dim" if text in {EMPTY, UNCHANGED} else "text", text)]
    line: list[Piece] = []
    end = 0
    for count, found in enumerate(_KEY.finditer(text)):
        if count == MAX_KEYS:
            break
        line += [("text", text[end : found.start()]), ("key", found[0])]
        end = found.end()
    line.append(("text", text[end:]))
    return line


def merged(line: list[Piece], width: int) -> list[Piece]:
    """Neighbours of one style joined, empties dropped, nothing past `width`."""
    joined: list[Piece] = []
    used = 0
    for style, text in line:
        fitting = text if used + len(text) * 2 <= width else clip(text, width - used)
        if not fitting:
            continue
        used += cell_width(fitting)
        if joined and joined[-1][0] == style:
            joined[-1] = (style, joined[-1][1] + fitting)
        else:
            joined.append((style, fitting))
    return joined
