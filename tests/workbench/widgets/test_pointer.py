"""The mouse in the log."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from textual.pilot import Pilot

from rtui.workbench.widgets.column import read
from rtui.workbench.widgets.density import Density
from rtui.workbench.widgets.glyph import UNICODE
from rtui.workbench.widgets.log import MessageLog
from rtui.workbench.widgets.log_pointer import badge_at
from rtui.workbench.widgets.row import Context, layout
from tests.waiting import PATIENCE
from tests.workbench.widgets.fake import FakeLens, Host, row


async def drag(pilot: Pilot[Any], log: MessageLog, *lines: int) -> None:
    """Press on the first of these lines and let go on the last one."""
    await pilot.mouse_down(log, offset=(8, lines[0]))
    for line in lines[1:]:
        await pilot.hover(log, offset=(8, line))
    await pilot.mouse_up(log, offset=(8, lines[-1]))


@pytest.mark.parametrize("density", [Density.NORMAL, Density.LARGE])
async def test_dragging_selects_rows_and_a_click_lets_go_of_them(density: Density) -> None:
    lens, log = FakeLens(), MessageLog()
    lens.number(100, 200)
    async with Host(log).run_test(size=(80, 24)) as pilot:
        log.set_density(density)
        log.set_lens(lens, {})
        log.go_to(120)
        top = log.scroll_offset.y
        seqs = [lens.seqs[(top + line) // density.lines()] for line in range(24)]
        await drag(pilot, log, 2, 9, 12)
        assert log.selected_seqs() == list(range(seqs[2], seqs[12] + 1))
        assert log.cursor_seq == seqs[12]
        await drag(pilot, log, 12, 4)
        assert log.selected_seqs() == list(range(seqs[4], seqs[12] + 1))
        await pilot.hover(log, offset=(8, 20))
        assert log.selected_seqs()[-1] == seqs[12], "the button is up"
        assert log.app.mouse_captured is None
        await pilot.click(log, offset=(8, 6))
        assert log.selected_seqs() == [seqs[6]]
        assert not log.picks.selected


async def test_dragging_over_the_edge_scrolls() -> None:
    lens, log = FakeLens(), MessageLog()
    log.styles.height = 10
    lens.number(100, 200)
    async with Host(log).run_test(size=(80, 24)) as pilot:
        log.set_lens(lens, {})
        log.go_to(150)
        first = lens.seqs[log.scroll_offset.y]
        await drag(pilot, log, 4, 9, 10, 11, 12, 13)
        assert log.selected_seqs()[0] == first + 4
        assert lens.seqs[log.scroll_offset.y] > first
        assert log.cursor_seq == log.selected_seqs()[-1]


async def test_with_control_a_click_adds_a_row_and_with_shift_all_up_to_it() -> None:
    lens, log = FakeLens(), MessageLog()
    lens.number(100, 200)
    async with Host(log).run_test(size=(80, 24)) as pilot:
        log.set_lens(lens, {})
        log.go_to(100)
        for line in (2, 5, 9, 5):
            await pilot.click(log, offset=(8, line), control=True)
        assert log.selected_seqs() == [102, 109]
        await pilot.click(log, offset=(8, 2))
        await pilot.click(log, offset=(8, 6), shift=True)
        assert log.selected_seqs() == [102, 103, 104, 105, 106]


async def test_the_right_button_keeps_a_selection_that_it_is_pressed_on() -> None:
    lens, log = FakeLens(), MessageLog()
    lens.number(100, 200)
    async with Host(log).run_test(size=(80, 24)) as pilot:
        log.set_lens(lens, {})
        log.go_to(100)
        await drag(pilot, log, 2, 5)
        await pilot.click(log, offset=(8, 3), button=3)
        assert log.selected_seqs() == [102, 103, 104, 105]
        await pilot.click(log, offset=(8, 9), button=3)
        assert log.selected_seqs() == [109]


async def test_two_clicks_open_the_message(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Host, "CLICK_CHAIN_TIME_THRESHOLD", PATIENCE)  # a slow machine takes longer for two
    lens, log = FakeLens(), MessageLog()
    lens.number(100, 200)
    opened: set[int] = set()

    def note(message: object) -> None:
        if isinstance(message, MessageLog.Opened):
            opened.add(message.seq)

    async with Host(log).run_test(size=(80, 24), message_hook=note) as pilot:
        log.set_lens(lens, {})
        await pilot.click(log, offset=(8, 3), times=2)
        await pilot.pause()
        assert opened == {log.cursor_seq}


async def test_where_there_is_no_row_a_click_does_nothing() -> None:
    lens, log = FakeLens(), MessageLog()
    lens.number(100, 103)
    async with Host(log).run_test(size=(80, 24)) as pilot:
        log.set_lens(lens, {})
        await drag(pilot, log, 20, 15)
        await pilot.click(log, offset=(8, 20))
        assert log.follow
        assert not log.picks.selected


def test_a_badge_is_found_where_it_stands() -> None:
    answer = msgspec.structs.replace(row(1, b"{}"), latency=1_300_000, meta='{"qos":1,"retain":true}')
    for density in (Density.NORMAL, Density.LARGE):
        context = Context(columns=layout(100, channel=5, source=0, density=density))
        found = [badge_at(answer, context, UNICODE, x) for x in range(100)]
        assert found[-8:] == ["↩ 1.3 ms"] * 8
        assert found[-9] == ""
        assert found[-17:-9] == ["retained"] * 8
        assert found[-20:-18] == ["q1"] * 2
        assert set(found[:-20]) == {""}
    for columns in (
        layout(100, channel=5, source=0, density=Density.COMPACT),
        layout(100, channel=5, source=0, chosen=read("time payload")),
        layout(30, channel=5, source=0),
    ):
        assert not any(badge_at(answer, Context(columns=columns), UNICODE, x) for x in range(100))
