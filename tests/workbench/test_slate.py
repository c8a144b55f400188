"""What a terminal shows is the same with and without `Slate`, and what is there already is not sent again."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, TypeAlias

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from rtui.capture.reader import Reader
from rtui.workbench.app import Workbench
from rtui.workbench.slate import Slate
from tests.workbench.conftest import running, until
from tests.workbench.test_snapshot import write_capture

WIDTH, HEIGHT = 12, 4
Cell: TypeAlias = tuple[str, tuple[tuple[str, str], ...]]
"""A character and its pen."""
RESET = "\x1b[0m"


class Screen:
    """A terminal of the least kind: cells of (character, pen), with full parsing of what `Slate` may send."""

    def __init__(self) -> None:
        self.cells: dict[tuple[int, int], Cell] = {}
        self.row = self.column = 1
        self.pen: dict[str, str] = {}

    def write(self, data: str) -> None:
        for part in re.finditer(r"\x1b\[([0-9;]*)([A-Za-z])|([^\x1b])", data):
            if part[3]:
                self._put(part[3])
            elif part[2] == "m":
                self._colour(part[1])
            elif part[2] == "H":
                self.row, self.column = map(int, part[1].split(";"))
            elif part[2] == "C":
                self.column += int(part[1])
            elif part[2] == "J":
                self.cells.clear()

    def _put(self, char: str) -> None:
        if char == "\n":
            self.row, self.column = self.row + 1, 1
            return
        self.cells[self.row, self.column] = (char, tuple(sorted(self.pen.items())))
        for beside in range(1, cell_len(char)):
            self.cells[self.row, self.column + beside] = ("", ())
        self.column += cell_len(char)

    def _colour(self, parameters: str) -> None:
        numbers = parameters.split(";")
        while numbers:
            number = numbers.pop(0)
            if number in {"", "0"}:
                self.pen = {}
            elif number in {"38", "48"}:
                count = 2 if numbers[0] == "5" else 4
                self.pen[number[0]], numbers = ";".join([number, *numbers[:count]]), numbers[count:]
            elif number in {"39", "49"}:
                self.pen.pop(number[0], None)
            elif len(number) == 1:
                self.pen[f"attribute {number}"] = number
            else:
                self.pen["4" if number.startswith(("4", "10")) else "3"] = number


PENS = ("0", "1", "31", "31;44", "1;97;104", "38;2;1;2;3", "38;2;1;2;3;48;2;4;5;6", "3;48;5;31", "7;38;5;4;41")
TEXTS = st.text("ab c─世", min_size=1, max_size=6)
PIECES = st.tuples(st.sampled_from(PENS), TEXTS).map(lambda piece: f"\x1b[{piece[0]}m{piece[1]}{RESET}")
PLACES = st.tuples(st.integers(1, HEIGHT), st.integers(1, WIDTH)).map(lambda place: f"\x1b[{place[0]};{place[1]}H")
LINES = st.builds(lambda place, pieces: place + "".join(pieces), PLACES, st.lists(PIECES, min_size=1, max_size=4))
UPDATES = st.lists(LINES | st.just("\x1b[2J"), min_size=1, max_size=6).map("".join)


def _halves_cleared(cells: dict[tuple[int, int], Cell]) -> dict[tuple[int, int], object]:
    """Without what is left of wide characters that were half overwritten: terminals differ, and Textual never does."""
    return {place: cell for place, cell in cells.items() if len(cell[0]) == cell_len(cell[0]) == 1}


@given(st.lists(UPDATES, min_size=1, max_size=8))
def test_the_screen_is_the_same_with_less(updates: list[str]) -> None:
    raw, lean, slate = Screen(), Screen(), Slate()
    for update in updates:
        raw.write(update)
        lean.write(slate.write(update))
        assert _halves_cleared(lean.cells) == _halves_cleared(raw.cells)
        assert (lean.row, lean.column, lean.pen) == (raw.row, raw.column, raw.pen)


@given(st.text("ab\x1b[]0;1mHJ\n\x07?P", max_size=40))
def test_what_it_does_not_know_passes_and_ends_what_it_knew(noise: str) -> None:
    slate, line = Slate(), f"\x1b[1;1H\x1b[31mred{RESET}"
    slate.write(line)
    slate.write(noise + "\x1bP")
    assert "red" in slate.write(line)


def test_a_second_time_nothing_is_sent_and_a_change_costs_its_cells() -> None:
    slate = Slate()
    line = f"\x1b[3;1H\x1b[38;2;1;2;3;48;2;4;5;6m12:00:01 hello{RESET}"
    assert slate.write(line).endswith("hello\x1b[m")
    assert slate.write(line) == ""
    assert slate.write(line.replace("01", "02")) == "\x1b[3;8H\x1b[38;2;1;2;3;48;2;4;5;6m2\x1b[m\x1b[6C"


def test_a_pen_that_shares_a_colour_sends_the_other() -> None:
    slate = Slate()
    two = f"\x1b[1;1H\x1b[31;44ma{RESET}\x1b[32;44mb{RESET}\x1b[1;32;44mc{RESET}"
    assert slate.write(two) == "\x1b[1;1H\x1b[31;44ma\x1b[32mb\x1b[0;1;32;44mc\x1b[m"


def test_what_only_passes_through_changes_nothing() -> None:
    slate = Slate()
    line = f"\x1b[1;1Hhello{RESET}"
    slate.write(line)
    sequences = ("\x1b[?2026h", "\x1b[?2026l", "\x1b[?25l", "\x07")
    commands = ("\x1b]52;c;YQ==\x07", "\x1b]0;title\x07", "\x1b]22;text\x1b\\")
    for passing in sequences + commands:
        assert slate.write(passing) == passing
    assert slate.write(line) == ""


def test_after_a_change_of_size_everything_is_sent_again() -> None:
    slate = Slate()
    line = f"\x1b[1;1Hhello{RESET}"
    first = slate.write(line)
    slate.forget()
    assert slate.write(line) == first
    assert slate.write("\x1b[?1049h") == "\x1b[?1049h"
    assert slate.write(line) == first


def test_behind_text_of_doubtful_width_nothing_is_left_out() -> None:
    slate = Slate()
    line = f"\x1b[1;1H世{RESET}\x1b[31mabc{RESET}"
    slate.write(line)
    again = slate.write(line)
    assert "世" in again
    assert "\x1b[1;3H" in again
    assert "abc" in again


async def test_a_cursor_that_moves_costs_two_rows(tmp_path: Path) -> None:
    write_capture(tmp_path / "old.rtui")
    async with running(None, reader=Reader(tmp_path / "old.rtui")) as (bench, pilot):
        await until(pilot, lambda: bench.desk.log_view.total == 45, "all rows")
        await pilot.press("up", "up")
        await pilot.pause()
        sent = Sent(bench)
        bench.repaint()
        await until(pilot, lambda: sent.count > 4_000, "the whole screen")
        await pilot.pause()
        sent.count = 0
        await pilot.press("up")
        await until(pilot, lambda: sent.count, "the cursor")
        await pilot.pause()
        assert sent.count < 2_500


async def test_a_screen_that_is_painted_again_is_not_sent_again(tmp_path: Path) -> None:
    write_capture(tmp_path / "old.rtui")
    async with running(None, reader=Reader(tmp_path / "old.rtui")) as (bench, pilot):
        await until(pilot, lambda: bench.desk.log_view.total == 45, "all rows")
        sent = Sent(bench)
        bench.repaint()
        await until(pilot, lambda: sent.count > 4_000, "the whole screen")
        await pilot.pause()
        sent.count = sent.raw = 0
        bench.desk.refresh()
        for widget in bench.desk.walk_children():
            widget.refresh()
        await pilot.pause()
        await until(pilot, lambda: sent.raw > 8_000, "all of it")
        assert sent.count < sent.raw / 5  # rows with wide characters, which are never left out


class Sent:
    """Counts what a driver would be given, and what of that it would send."""

    def __init__(self, bench: Workbench) -> None:
        self._bench, self._display = bench, bench._display
        self.count = self.raw = 0
        bench._display = self._shown  # type: ignore[method-assign, assignment]

    def _shown(self, screen: Any, update: Any) -> None:
        self._display(screen, update)
        if update is not None:
            data = update.render_segments(self._bench.console)
            self.raw += len(data)
            self.count += len(self._bench.slate.write(data))
