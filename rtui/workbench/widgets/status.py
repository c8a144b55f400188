"""Two lines that are always there: how the connection is, and how the capture is."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from rich.segment import Segment
from textual.strip import Strip
from textual.widget import Widget

from rtui.core.clean import cell_width, clean, clip, clip_middle
from rtui.core.lifecycle import State
from rtui.core.words import counted
from rtui.protocols.base import Verb
from rtui.workbench.widgets import figure
from rtui.workbench.widgets.glyph import UNICODE, Glyphs
from rtui.workbench.widgets.row import Piece

if TYPE_CHECKING:
    from rtui.protocols.playback import Playback
    from rtui.runtime.hub import Connection

SPARK = 10
GAP = 3
"""Cells between two pieces."""
ADDRESS = "address"
"""The tone of what may be shortened in its middle."""
FIGURE = "figure"
"""The tone of a number and, behind a blank, its picture, which is left out first: half a number is another."""
NAME = "name"
DETAIL = "detail"
"""The tone of what was agreed on once and for all: it is not worth much of an address."""
SHORTEST = 18
"""Cells that an address keeps before anything else is left out."""
COMFORT = 30
"""Cells that an address keeps before a detail is left out."""
CUT = 12
"""Cells of a sentence that say something without the rest."""
STREAM = "stream"
"""The key of the details that move while the connection stands (`core.event.Progressed`)."""
COUNTED_DOWN = 5_000_000_000
"""Nanoseconds between an answer and the next request from which the wait is shown."""
FIRSTS = {"first_byte_ms": "first byte", "first_event_ms": "first event"}
TONES = {
    State.OPEN: "in",
    State.CLOSED: "error",
    State.WAITING: "notice",
    State.CONNECTING: "notice",
    State.CLOSING: "notice",
    State.IDLE: "dim",
}


class Ledger(Protocol):
    """What the status line asks of `capture.journal.Journal`."""

    @property
    def stored(self) -> int:
        """Rows in the file."""

    @property
    def backlog(self) -> int:
        """Rows not stored yet."""

    @property
    def lagging(self) -> bool:
        """Whether reading waits for the disk."""

    @property
    def trouble(self) -> str:
        """What is wrong, or empty."""


class Line(Widget):
    """One row of pieces, painted only when they change."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        f"line--{name}" for name in ("text", ADDRESS, FIGURE, NAME, DETAIL, "dim", "in", "error", "notice")
    }

    DEFAULT_CSS = """
    Line {
        height: 1;
        width: 1fr;
        background: $surface;
        color: $foreground;
        & > .line--name { text-style: bold; }
        & > .line--detail { color: $rt-dim; }
        & > .line--dim { color: $rt-dim; }
        & > .line--in { color: $rt-in; }
        & > .line--error { color: $rt-error; text-style: bold; }
        & > .line--notice { color: $rt-notice; }
    }
    """

    def __init__(self, *, glyphs: Glyphs = UNICODE, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, classes=classes)
        self.glyphs = glyphs
        self.pieces: Sequence[Piece] = ()

    @property
    def text(self) -> str:
        """What stands in the line, uncut."""
        return f" {self.glyphs.dot} ".join(text for _, text in self.pieces)

    def put(self, pieces: Sequence[Piece]) -> None:
        """Show clean pieces, the most important first. See `fitted` for when there is no room."""
        if pieces != self.pieces:
            self.pieces = pieces
            self.refresh()

    def render_line(self, y: int) -> Strip:
        """The pieces that fit, with dots between."""
        width = self.size.width
        base = self.get_component_rich_style("line--text")
        if y:
            return Strip.blank(width, base)
        segments = [Segment(" ", base)]
        for place, (style, text) in enumerate(fitted(self.pieces, width - 1)):
            if place:
                segments.append(Segment(f" {self.glyphs.dot} ", self.get_component_rich_style("line--dim")))
            segments.append(Segment(text, self.get_component_rich_style(f"line--{style}")))
        return Strip(segments).crop_extend(0, width, base)


def fitted(pieces: Sequence[Piece], cells: int) -> list[Piece]:
    """What goes into a line of `cells`: an address gives way first, then the last pieces; sentences may be cut."""
    shown: list[Piece] = []
    left = cells
    comfort = sum(min(cell_width(text), COMFORT) - _least(tone, text) for tone, text in pieces if tone == ADDRESS)
    for tone, text in pieces:
        room = left - (GAP if shown else 0)
        if _least(tone, text) + (comfort if tone == DETAIL else 0) <= room:
            shown.append((tone, text))
            left = room - _least(tone, text)
        elif not shown or (tone not in {FIGURE, "dim", DETAIL, ADDRESS} and room >= CUT):
            shown.append((tone, clip(text, room)))
            left = 0
        elif tone == FIGURE and cell_width(bare := text.partition(" ")[0]) <= room:
            shown.append((tone, bare))
            left = room - cell_width(bare)
        else:
            break
    return [(tone, clip_middle(text, SHORTEST + left) if tone == ADDRESS else text) for tone, text in shown]


def _least(tone: str, text: str) -> int:
    """Cells without which a piece is not shown, or is cut."""
    return min(cell_width(text), SHORTEST) if tone == ADDRESS else cell_width(text)


class ConnectionHeader(Line):
    """State, what is wrong, address, rate, round trip, ages, and what was negotiated."""

    def tick(self, connection: Connection | None, name: str = "") -> None:
        """Look at the connection; paint if what it shows changed. `name`: its own, where it must be said."""
        if connection is None:
            self.put([("dim", "all connections")])
        else:
            self.put(named(header_pieces(connection, self.glyphs), name))


class StatusLine(Line):
    """How much is recorded, and whether that works; behind that, what a pane has to tell."""

    journal: Ledger | None = None
    """What it reports on; None for a capture that was opened."""
    _aside: Sequence[Piece] = ()

    def tick(self, journal: Ledger | None = None) -> None:
        """Look at the capture; paint if what it shows changed."""
        self.journal = journal or self.journal
        recorded = status_pieces(self.journal) if self.journal is not None else [("dim", "reading a capture")]
        self.put([*recorded, *self._aside])

    def tell(self, aside: Sequence[Piece]) -> None:
        """What stands behind the figures from now on, clean."""
        shown = self.pieces[: len(self.pieces) - len(self._aside)]
        self._aside = tuple(aside)
        self.put([*shown, *self._aside])


def sign(connection: Any, glyphs: Glyphs) -> Piece:
    """The state at a glance. An end that was meant is no error."""
    state: State = connection.state
    if (playback := _playback(connection)) is not None:
        from rtui.workbench.widgets import replay_badge

        return "notice", replay_badge.sign(playback, ascii_only=glyphs.opened.isascii())
    if state is State.CLOSED and connection.fault is None:
        return "dim", glyphs.of_state(State.IDLE)
    return TONES[state], glyphs.of_state(state)


def _playback(connection: Any) -> Playback | None:
    """What is played instead of a live connection; nothing of one that failed."""
    return connection.adapter.playback if connection.fault is None else None


def named(pieces: list[Piece], name: str) -> list[Piece]:
    """The name first; who reads it needs no address before the figures."""
    if not name:
        return pieces
    figures = [piece for piece in pieces if piece[0] != ADDRESS]
    place = next((place + 1 for place, (tone, _) in enumerate(figures) if tone == FIGURE), 0)
    return [(NAME, clean(name)), *figures[:place], *(one for one in pieces if one[0] == ADDRESS), *figures[place:]]


def header_pieces(connection: Any, glyphs: Glyphs) -> list[Piece]:
    """A connection in a line, what matters most first."""
    state: State = connection.state
    tone, glyph = sign(connection, glyphs)
    pieces: list[Piece] = [(tone, f"{glyph} {_state(connection)}")]
    if getattr(connection.link.options, "insecure", False):
        pieces.append(("error", "INSECURE: certificate not verified"))
    pieces += _awaited(connection)
    if connection.waiting:
        peer = clean(connection.adapter.words.peer)
        pieces.append(("error", f"{counted(connection.waiting, 'message')} unsent: the {peer} does not read"))
    if connection.faults:
        pieces.append(("error", f"misbehaving: {', '.join(sorted(connection.faults))} (B ends it)"))
    if state is not State.OPEN and connection.fault is not None:
        pieces.append(("error", clean(connection.fault.sentence())))
        if connection.fault.hint:
            pieces.append(("notice", clean(connection.fault.hint)))
    elif state is State.CLOSED and connection.closed is not None and connection.closed.reason:
        pieces.append(("text", clean(connection.closed.reason)))
    meter = connection.meter
    pieces.append((ADDRESS, clean(connection.url)))
    pieces.append((FIGURE, f"{figure.amount(meter.rate)}/s {glyphs.sparkline([*map(float, meter.history())], SPARK)}"))
    if state is State.OPEN:
        rtt = [f"rtt {figure.latency(connection.rtt)}"] if connection.rtt is not None else []
        pieces += [("dim", told) for told in (*rtt, *_ages(connection))]
    return [*pieces, *((DETAIL, told) for told in _protocol(connection))]


def _awaited(connection: Any) -> list[Piece]:
    """What has not come, and when it will."""
    if connection.stalled:
        return [("error", clean(connection.stalled))]
    if connection.state is not State.OPEN:
        return []
    if wait := _next_poll(connection):
        return [("text", wait)]
    if connection.channels.root.total:
        return _open_calls(connection)
    if connection.offered:
        return [
            ("notice", f"{counted(len(connection.offered), clean(connection.adapter.words.channel))}, none used yet")
        ]
    return [("notice", "nothing came yet")] if Verb.SEND not in connection.adapter.verbs else []


def _open_calls(connection: Any) -> list[Piece]:
    """How many calls wait for their end."""
    calls = connection.details.get(STREAM, {}).get("calls", 0)
    return [("in", f"{counted(calls, 'call')} open")] if calls else []


def _next_poll(connection: Any) -> str:
    """The countdown to the next request, where there is time for one."""
    told = connection.details.get(STREAM, {})
    due = told.get("next_poll", 0)
    if due - told.get("last_byte", due) < COUNTED_DOWN:
        return ""
    return f"next poll in {max(0.0, (due - time.monotonic_ns()) / 1e9):.0f} s"


def _ages(connection: Any) -> list[str]:
    """When the first byte, the first event and the last byte came: a proxy that holds an answer back shows here."""
    told = connection.details.get(STREAM, {})
    ages = []
    for key, name in FIRSTS.items() if connection.rtt is None else ():
        if isinstance(spent := told.get(key), int | float):
            ages.append(f"{name} after {figure.latency(int(spent * 1e6))}")
    if "last_byte" in told:
        ages.append(f"last byte {_since(time.monotonic_ns() - told['last_byte'])}")
    return ages


def _since(nanoseconds: int) -> str:
    ago = figure.ago(max(nanoseconds, 0) / 1e9)
    return ago if ago == "now" else f"{ago} ago"


def _state(connection: Any) -> str:
    """The state in words: open for how long, the countdown of a retry, the number of the attempt."""
    state: State = connection.state
    if (playback := _playback(connection)) is not None:
        from rtui.workbench.widgets.replay_badge import badge

        return badge(playback)
    if state is State.OPEN:
        return f"open {figure.elapsed(connection.age)}"
    if state is State.WAITING and connection.retry_in is not None:
        return f"waiting, attempt {connection.attempt + 1} in {connection.retry_in:.0f} s"
    if state is State.CONNECTING and connection.attempt > 1:
        return f"connecting, attempt {connection.attempt}"
    return str(state.value)


def _protocol(connection: Any) -> list[str]:
    """The protocol and what was negotiated with it."""
    details = connection.details
    told = [str(details[key]) for key in ("protocol", "tls", "subprotocol", "compression") if details.get(key)]
    return [clean(one) for one in told or [connection.adapter.title]]


def status_pieces(journal: Ledger) -> list[Piece]:
    """The capture in a line."""
    pieces: list[Piece] = []
    if journal.trouble:
        pieces.append(("error", clean(journal.trouble)))
    if journal.lagging:
        pieces.append(("error", f"disk is behind by {counted(journal.backlog, 'message')}: reading waits"))
    pieces.append(("dim", f"{counted(journal.stored, 'row')} recorded"))
    return pieces
