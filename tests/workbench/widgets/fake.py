"""Small models with the real interface."""

from __future__ import annotations

from array import array
from collections.abc import Sequence

from textual.app import App, ComposeResult
from textual.geometry import Region
from textual.widget import Widget

from rtui.core.record import Record
from rtui.workbench.look import VARIABLES

SIZES = ((80, 24), (140, 40), (60, 20))
HOSTILE = "\x1b]52;c;aGk=\x07\x9b31m\u202eabc\u200b[/x]\r\n\t\x00é" + "e\u0301" * 20


class FakeLens:
    def __init__(self) -> None:
        self.seqs = array("q")
        self.revision = 0
        self.records: dict[int, Record] = {}
        self.asked: list[tuple[int, int]] = []

    def add(self, *records: Record) -> None:
        for record in records:
            self.records[record.seq] = record
            self.seqs.append(record.seq)
        self.revision += 1

    def fill(self, count: int, payload: bytes = b'{"v":21.5,"unit":"C"}') -> None:
        start = (self.seqs[-1] if self.seqs else 0) + 1
        self.add(*(row(seq, payload) for seq in range(start, start + count)))

    def number(self, start: int, stop: int) -> None:
        """Rows whose payload is their sequence."""
        self.add(*(row(seq, b"%d" % seq) for seq in range(start, stop)))

    def refresh(self) -> None:
        pass

    def rows(self, first: int, count: int) -> Sequence[Record]:
        self.asked.append((first, count))
        return [self.records[seq] for seq in self.seqs[first : first + count]]


def row(seq: int, payload: bytes = b"{}", *, kind: int = 0, direction: int = 1, channel: str = "ticks") -> Record:
    return Record(seq, 1_700_000_000_000_000_000 + seq * 1_000_000, 1, kind, direction, channel, payload)


class Host(App[None]):
    """One widget on a screen, with our theme variables; keeps the messages it posts."""

    def __init__(self, widget: Widget) -> None:
        super().__init__()
        self.widget = widget

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return VARIABLES

    def compose(self) -> ComposeResult:
        yield self.widget


def screen_text(widget: Widget) -> list[str]:
    size = widget.size
    return [strip.text for strip in widget.render_lines(Region(0, 0, size.width, size.height))]
