from __future__ import annotations

import msgspec
import pytest
from textual.message import Message

from rtui.capture.reader import LinkRow
from rtui.core.record import Kind
from rtui.workbench.widgets.glyph import ASCII
from rtui.workbench.widgets.log import MessageLog
from tests.waiting import eventually
from tests.workbench.widgets.fake import FakeLens, Host, row, screen_text


async def test_a_new_row_redraws_only_itself() -> None:
    lens, log = FakeLens(), MessageLog()
    lens.fill(200)
    async with Host(log).run_test(size=(100, 20)) as pilot:
        log.set_lens(lens, {})
        await pilot.pause()
        hits, misses = log.brush.strips.hits, log.brush.strips.misses
        lens.fill(1)
        log.tick()
        await pilot.pause()
        assert log.brush.strips.misses - misses == 1
        assert log.brush.strips.hits - hits >= 19


@pytest.mark.parametrize(("key", "follows", "top"), [("end", True, 480), ("home", False, 0)])
async def test_where_one_goes_ends_the_scrolling_that_a_click_on_the_bar_began(
    key: str, follows: bool, top: int
) -> None:
    lens, log = FakeLens(), MessageLog()
    lens.fill(500)
    app = Host(log)
    async with app.run_test(size=(80, 20)) as pilot:
        app.animation_level = "full"
        log.focus()
        log.set_lens(lens, {})
        await pilot.pause()
        log.scroll_page_up()
        await eventually(lambda: not log.follow)
        await pilot.press(key)
        await eventually(lambda: not app.animator.is_being_animated(log, "scroll_y"))
        assert (log.follow, log.scroll_y) == (follows, top)


async def test_another_tab_ends_the_scrolling_that_a_click_on_the_bar_began() -> None:
    lens, log = FakeLens(), MessageLog()
    lens.fill(500)
    app = Host(log)
    async with app.run_test(size=(80, 20)) as pilot:
        app.animation_level = "full"
        log.set_lens(lens, {})
        await pilot.pause()
        log.scroll_page_up()
        await eventually(lambda: not log.follow)
        log.set_lens(lens, {})
        await eventually(lambda: not app.animator.is_being_animated(log, "scroll_y"))
        assert (log.follow, log.scroll_y) == (True, 480)


async def test_a_flood_fetches_only_what_is_seen_and_a_quiet_tick_nothing() -> None:
    lens, log = FakeLens(), MessageLog()
    lens.fill(10_000)
    async with Host(log).run_test(size=(140, 40)) as pilot:
        log.set_lens(lens, {})
        await pilot.pause()
        lens.asked.clear()
        for _ in range(5):
            lens.fill(8_000)
            log.tick()
            await pilot.pause()
        assert lens.asked
        assert all(count <= 41 for _, count in lens.asked)
        lens.asked.clear()
        log.tick()
        await pilot.pause()
        assert lens.asked == []


async def test_up_stops_following_new_rows_are_counted_and_end_returns() -> None:
    lens, log = FakeLens(), MessageLog()
    lens.fill(100)
    async with Host(log).run_test(size=(80, 24)) as pilot:
        log.focus()
        log.set_lens(lens, {})
        await pilot.press("k", "k")
        assert (log.follow, log.cursor_seq) == (False, 99)
        before = screen_text(log)
        lens.fill(7)
        log.tick()
        await pilot.pause()
        assert log.new_count == 7
        assert screen_text(log) == before
        await pilot.press("end")
        assert (log.follow, log.new_count, log.cursor_seq) == (True, 0, 107)
        assert log.scroll_offset.y == 107 - log.size.height


@pytest.mark.parametrize("key", ["k", "z"])
async def test_a_key_holds_the_picture_that_its_user_saw(key: str) -> None:
    """At a thousand messages a second the lens has grown since the last paint."""
    lens, log = FakeLens(), MessageLog()
    lens.fill(100)
    async with Host(log).run_test(size=(80, 24)) as pilot:
        log.focus()
        log.set_lens(lens, {})
        await pilot.pause()
        before = screen_text(log)
        lens.fill(50)
        await pilot.press(key)
        assert log.cursor_seq == 100
        assert [line.lstrip("› ") for line in screen_text(log)] == [line.lstrip() for line in before]
        log.tick()
        assert log.new_count == 50


async def test_the_cursor_is_in_view_also_on_a_row_that_came_after_the_last_tick() -> None:
    lens, log = FakeLens(), MessageLog()
    lens.fill(100)
    async with Host(log).run_test(size=(80, 24)) as pilot:
        log.set_lens(lens, {})
        await pilot.pause()
        lens.fill(50)
        log.go_to(150)
        await pilot.pause()
        assert log.scroll_offset.y == 150 - log.size.height


async def test_a_row_that_is_jumped_to_stands_in_the_middle_unless_it_was_in_view() -> None:
    lens, log = FakeLens(), MessageLog()
    lens.fill(100)
    async with Host(log).run_test(size=(80, 24)) as pilot:
        log.set_lens(lens, {})
        log.go_to(50)
        await pilot.pause()
        top = log.scroll_offset.y
        assert 10 <= 49 - top <= 12
        log.go_to(60)
        assert log.scroll_offset.y == top
        log.go_to(1)
        assert log.scroll_offset.y == 0
        log.go_to(99)
        assert log.scroll_offset.y == 100 - log.size.height


async def test_the_bar_stands_where_the_rows_do_however_many_come_at_once() -> None:
    lens, log = FakeLens(), MessageLog()
    async with Host(log).run_test(size=(80, 24)) as pilot:
        log.set_lens(lens, {})
        await pilot.pause()
        lens.fill(143)
        log.tick()
        await pilot.pause()
        assert log.scroll_offset.y == 143 - log.size.height
        assert log.vertical_scrollbar.position == log.scroll_y


async def test_the_names_of_connections_next_to_each_other_differ_in_colour() -> None:
    lens, log = FakeLens(), MessageLog()
    lens.add(row(1), msgspec.structs.replace(row(2), link=2))
    names = {link: LinkRow(link, f"name{link}", "websocket", "ws://x") for link in (1, 2)}
    async with Host(log).run_test(size=(80, 24)) as pilot:
        log.show_source = True
        log.set_lens(lens, names)
        painted = []
        for elsewhere, line in ((2, 0), (1, 1)):  # the cursor has its own colours
            log.go_to(elsewhere)
            await pilot.pause()
            painted += [piece for piece in log.render_line(line) if "name" in piece.text]
        assert [piece.text.strip() for piece in painted] == ["name1", "name2"]
        assert painted[0].style != painted[1].style


async def test_freezing_holds_the_picture() -> None:
    lens, log = FakeLens(), MessageLog()
    lens.fill(100)
    async with Host(log).run_test(size=(80, 24)) as pilot:
        log.focus()
        log.set_lens(lens, {})
        await pilot.press("z")
        before = screen_text(log)
        lens.fill(50)
        log.tick()
        await pilot.pause()
        assert screen_text(log) == before
        assert (log.frozen, log.new_count, log.count, log.total) == (True, 50, 100, 150)
        await pilot.press("G")
        assert (log.frozen, log.follow, log.count) == (False, True, 150)


async def test_older_rows_put_in_front_leave_the_view_where_it_is() -> None:
    lens, log = FakeLens(), MessageLog()
    lens.number(1000, 1100)
    async with Host(log).run_test(size=(80, 24)) as pilot:
        log.focus()
        log.set_lens(lens, {})
        await pilot.press("pageup", "pageup")
        before = screen_text(log)
        for seq in range(999, 0, -1):
            lens.records[seq] = row(seq)
            lens.seqs.insert(0, seq)
        lens.revision += 1
        log.tick()
        await pilot.pause()
        assert screen_text(log) == before


async def test_marks_errors_and_selection() -> None:
    lens, log = FakeLens(), MessageLog()
    lens.add(*(row(seq, kind=Kind.ERROR if seq == 40 else 0) for seq in range(1, 101)))
    wanted: list[int] = []

    def note(message: Message) -> None:
        if isinstance(message, MessageLog.ErrorWanted):
            wanted.append(message.step)

    async with Host(log).run_test(size=(80, 24), message_hook=note) as pilot:
        log.focus()
        log.set_lens(lens, {})
        log.go_to(10)
        await pilot.press("m")
        log.go_to(70)
        await pilot.press("m", "apostrophe")
        assert log.cursor_seq == 10
        await pilot.press("e", "E")
        assert wanted[:1] == [1]
        assert set(wanted) == {1, -1}
        log.go_to(40)
        await pilot.press("x", "shift+down", "shift+down")
        assert log.selected_seqs() == [40, 41, 42]
        await pilot.press("escape")
        assert log.selected_seqs() == [42]
        await pilot.press("g")
        assert log.cursor_seq == 1


async def test_wheel_stops_following_and_click_selects() -> None:
    lens, log = FakeLens(), MessageLog()
    lens.fill(100)
    async with Host(log).run_test(size=(80, 24)) as pilot:
        log.set_lens(lens, {})
        log.scroll_relative(y=-3, animate=False)
        await pilot.pause()
        assert not log.follow
        top = log.scroll_offset.y
        await pilot.click(log, offset=(5, 4))
        assert log.cursor_seq == lens.seqs[top + 4]


async def test_ascii_glyphs_are_ascii_and_an_empty_log_says_what_to_do() -> None:
    lens, log = FakeLens(), MessageLog(glyphs=ASCII)
    async with Host(log).run_test(size=(80, 24)) as pilot:
        log.set_lens(lens, {})
        await pilot.pause()
        assert any("press s to send" in line for line in screen_text(log))
        lens.add(*(row(seq, kind=seq) for seq in range(10)))
        log.tick()
        await pilot.pause()
        assert all(line.isascii() for line in screen_text(log))
