"""How one record becomes a large row: a head line, the payload wrapped below it, an empty line. No Textual."""

from __future__ import annotations

from typing import Final

import msgspec

from rtui.core.clean import cell_width, clean, clip
from rtui.core.record import Kind, Record
from rtui.payloads.wrap import wrapped
from rtui.workbench.widgets.column import PAYLOAD
from rtui.workbench.widgets.density import text_lines
from rtui.workbench.widgets.glyph import UNICODE, Glyphs
from rtui.workbench.widgets.row import (
    MAX_ALIAS,
    Context,
    Piece,
    badges,
    body,
    coloured,
    fitted,
    gutter,
    in_columns,
    merged,
    row_style,
    sign_style,
    time_text,
)

INDENT: Final = 2
"""Blanks in front of the payload, so that heads stand out."""


def block(record: Record, context: Context, glyphs: Glyphs = UNICODE) -> list[list[Piece]]:
    """The lines of the row: each at most `context.columns.width` cells wide."""
    text = _payload(record, context, text_lines(context.columns.lines))
    return [_head(record, context, glyphs), *text, *([] for _ in range(context.columns.lines - 1 - len(text)))]


def _head(record: Record, context: Context, glyphs: Glyphs) -> list[Piece]:
    """When, which way, which channel; the badges at the right end."""
    columns = context.columns
    own = tuple(one for one in columns.chosen if one.name != PAYLOAD)
    if own and record.kind == Kind.MESSAGE:
        return in_columns(
            record, msgspec.structs.replace(context, columns=msgspec.structs.replace(columns, chosen=own)), glyphs
        )
    look = context.look
    style = row_style(record, muted=look.muted)
    line: list[Piece] = [("dim", f"{gutter(context, glyphs)}{time_text(record, context)} ")]
    if columns.source:
        line.append((context.shade, fitted(context.source, columns.source)))
    line.append((sign_style(record, style), glyphs.of_kind(record.kind, record.direction) + " "))
    alias = clip(clean(look.badge), MAX_ALIAS) if record.kind == Kind.MESSAGE else ""
    end = " ".join(filter(None, (alias, *badges(record, glyphs, named=bool(record.channel)))))
    room = columns.width - sum(cell_width(text) for _, text in line) - cell_width(end) - 2
    shade = (look.colour or "channel") if style == "text" else style
    line += [(shade, fitted(_subject(record, context), max(room, 0))), ("dim", end)]
    return merged(line, columns.width)


def _subject(record: Record, context: Context) -> str:
    """The channel; what is about the connection as a whole says its kind."""
    own = context.look.name or record.channel
    return own if own or record.kind == Kind.MESSAGE else Kind(record.kind).word


def _payload(record: Record, context: Context, most: int) -> list[list[Piece]]:
    """As many lines as there are, `most` at most; JSON keeps its blanks, sentences are broken at theirs."""
    room = max(context.columns.width - INDENT - 1, 1)
    text = body(record, room * most, False)
    style = row_style(record, muted=context.look.muted)
    spans = coloured(text) if style == "text" and not context.lean else [(style if text else "dim", text)]
    lines = wrapped(spans, room, anywhere=text[:1] in {"{", "["})
    shown = lines[:most]
    if len(lines) > most:
        shown[-1] = _cut(shown[-1])
    return [[("text", " " * INDENT), *line] for line in shown]


def _cut(line: list[Piece]) -> list[Piece]:
    """The line with an ellipsis in its last cell: there is more."""
    style, text = line[-1]
    return [*line[:-1], (style, clip(text + "……", cell_width(text)))]
