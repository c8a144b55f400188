"""Two lines that are always there: how the connection is, and how the capture is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from rich.segment import Segment
from textual.strip import Strip
from textual.widget import Widget

from rtui.core.clean import cell_width, clean, clip
from rtui.core.lifecycle import State
from rtui.core.words import counted
from rtui.workbench.widgets import figure
from rtui.workbench.widgets.glyph import UNICODE, Glyphs
from rtui.workbench.widgets.row import Piece

if TYPE_CHECKING:
    from rtui.runtime.hub import Connection

SPARK = 10
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
    def last(self) -> int:
        """Rows taken in."""

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

    COMPONENT_CLASSES: ClassVar[set[str]] = {f"line--{name}" for name in ("text", "dim", "in", "error", "notice")}

    DEFAULT_CSS = """
    Line {
        height: 1;
        width: 1fr;
        background: $surface;
        color: $foreground;
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
        """Show clean pieces, the most important first: the last are dropped when there is no room."""
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
        left = width - 1
        for place, (style, text) in enumerate(self.pieces):
            gap = f" {self.glyphs.dot} " if place else ""
            shown = clip(text, left - len(gap))
            if not shown or left <= len(gap):
                break
            segments += [Segment(gap, self.get_component_rich_style("line--dim"))] if gap else []
            segments.append(Segment(shown, self.get_component_rich_style(f"line--{style}")))
            left -= len(gap) + cell_width(shown)
        return Strip(segments).crop_extend(0, width, base)


class ConnectionHeader(Line):
    """State, what is wrong, address, rate, round trip."""

    def tick(self, connection: Connection | None) -> None:
        """Look at the connection; paint if what it shows changed."""
        if connection is None:
            self.put([("dim", "all connections")])
        else:
            self.put(header_pieces(connection, self.glyphs))


class StatusLine(Line):
    """How much is recorded, and whether that works."""

    journal: Ledger | None = None
    """What it reports on; None for a capture that was opened."""

    def tick(self, journal: Ledger | None = None) -> None:
        """Look at the capture; paint if what it shows changed."""
        self.journal = journal or self.journal
        self.put(status_pieces(self.journal) if self.journal is not None else [("dim", "reading a capture")])


def header_pieces(connection: Any, glyphs: Glyphs) -> list[Piece]:
    """A connection in a line, what matters most first."""
    state: State = connection.state
    pieces: list[Piece] = [(TONES[state], f"{glyphs.of_state(state)} {_state(connection)}")]
    if getattr(connection.link.options, "insecure", False):
        pieces.append(("error", "INSECURE: certificate not verified"))
    if connection.stalled:
        pieces.append(("error", clean(connection.stalled)))
    if connection.faults:
        pieces.append(("error", f"misbehaving: {', '.join(sorted(connection.faults))} (B ends it)"))
    if state is not State.OPEN and connection.fault is not None:
        pieces.append(("error", clean(connection.fault.sentence())))
        if connection.fault.hint:
            pieces.append(("notice", clean(connection.fault.hint)))
    pieces.append(("text", clean(connection.url)))
    pieces.append(("dim", _protocol(connection)))
    if connection.rtt is not None and state is State.OPEN:
        pieces.append(("dim", f"rtt {figure.latency(connection.rtt)}"))
    meter = connection.meter
    pieces.append(("text", f"{figure.amount(meter.rate)}/s {glyphs.sparkline([*map(float, meter.history())], SPARK)}"))
    return pieces


def _state(connection: Any) -> str:
    """The state in words: open for how long, the countdown of a retry, the number of the attempt."""
    state: State = connection.state
    if state is State.OPEN:
        return f"open {figure.elapsed(connection.age)}"
    if state is State.WAITING and connection.retry_in is not None:
        return f"waiting, attempt {connection.attempt + 1} in {connection.retry_in:.0f} s"
    if state is State.CONNECTING and connection.attempt > 1:
        return f"connecting, attempt {connection.attempt}"
    return str(state.value)


def _protocol(connection: Any) -> str:
    """The protocol and what was negotiated with it."""
    details = connection.details
    told = [str(details[key]) for key in ("protocol", "tls", "subprotocol", "compression") if details.get(key)]
    return clean(" ".join(told) if told else connection.adapter.title)


def status_pieces(journal: Ledger) -> list[Piece]:
    """The capture in a line."""
    pieces: list[Piece] = []
    if journal.trouble:
        pieces.append(("error", clean(journal.trouble)))
    if journal.lagging:
        pieces.append(("error", f"disk is behind by {counted(journal.backlog, 'message')}: reading waits"))
    pieces.append(("dim", f"{counted(journal.last, 'row')} recorded"))
    return pieces
