"""Rows of one line and of several: what stands in them, and that all arithmetic of the log holds in each density."""

from __future__ import annotations

from itertools import pairwise

import msgspec
import pytest

from rtui.core.clean import cell_width
from rtui.core.record import Kind
from rtui.workbench.widgets.column import read
from rtui.workbench.widgets.density import LINES, Density
from rtui.workbench.widgets.large_row import block
from rtui.workbench.widgets.log import MessageLog
from rtui.workbench.widgets.row import PLAIN, Context, Look, TimeMode, layout, pieces
from tests.workbench.widgets.fake import HOSTILE, SIZES, FakeLens, Host, row, screen_text

EACH = pytest.mark.parametrize("density", list(Density))
LONG = b'{"rack": "r1", "text": "' + b"abcdefghij" * 40 + b'"}'


def context(density: Density, width: int = 80, *, look: Look = PLAIN) -> Context:
    return Context(columns=layout(width, channel=40, source=0, density=density), look=look)


def large(payload: bytes, *, kind: int = 0, channel: str = "ticks") -> list[str]:
    lines = block(row(1, payload, kind=kind, channel=channel), context(Density.LARGE))
    return ["".join(text for _, text in line) for line in lines]


def test_a_large_row_wraps_its_payload_below_its_head_and_says_that_there_is_more() -> None:
    head, first, second, _ = large(LONG)
    assert "ticks" in head
    assert "rack" not in head
    assert (first + second).replace(" ", "").startswith('{"rack":"r1","text":"abcdefghij')
    assert second.endswith("…")
    assert all(cell_width(line) <= 80 for line in (head, first, second))


@pytest.mark.parametrize(("lines", "filled"), [(2, 2), (3, 2), (4, 3), (8, 7)])
def test_a_large_row_has_the_lines_that_are_asked_for(lines: int, filled: int) -> None:
    columns = layout(80, channel=40, source=0, density=Density.LARGE, lines=lines)
    drawn = block(row(1, LONG * 4), Context(columns=columns))
    assert len(drawn) == lines == Density.LARGE.lines(lines)
    assert [bool(line) for line in drawn] == [True] * filled + [False] * (lines - filled)
    assert drawn[filled - 1][-1][1].endswith("…")
    assert Density.NORMAL.lines(lines) == 1


def test_a_short_payload_leaves_the_other_lines_empty() -> None:
    assert [line.strip() for line in large(b'{"v":1}')[1:]] == ['{"v":1}', "", ""]


def test_wide_characters_are_cut_to_the_width() -> None:
    for line in large("王芳".encode() * 200):
        assert cell_width(line) <= 80
    assert large("王芳".encode() * 200)[2].endswith("…")


def test_a_sentence_is_broken_at_its_blanks() -> None:
    sentence = b"the broker cut the connection without a goodbye, and then it did so again " * 2
    assert all(word in sentence.decode().split() for line in large(sentence, channel="")[1:-1] for word in line.split())


def test_what_is_about_the_connection_says_its_kind_in_the_head() -> None:
    head, text, *_ = large(b"3.0 s without a connection", kind=Kind.GAP, channel="")
    assert "gap" in head
    assert "3.0 s without a connection" in text


def test_the_columns_of_the_user_stand_in_the_head_without_the_payload() -> None:
    columns = layout(80, channel=0, source=0, chosen=read("size payload .v"), density=Density.LARGE)
    lines = block(row(1, b'{"v":21.5}'), Context(columns=columns))
    head, text, *_ = ["".join(part for _, part in line) for line in lines]
    assert "21.5" in head
    assert "{" not in head
    assert '{"v":21.5}' in text


def test_a_badge_and_an_alias_stand_at_the_end_of_the_head() -> None:
    answer = msgspec.structs.replace(row(1, LONG), latency=1_300_000)
    line = block(answer, context(Density.LARGE, look=Look(badge="rack")))[0]
    head = "".join(text for _, text in line)
    assert head.rstrip().endswith("1.3 ms")
    assert " rack " in head


def test_a_compact_row_gives_its_room_to_the_payload() -> None:
    answer = msgspec.structs.replace(row(1, LONG, channel="factory/site-1/line-1/pressure"), latency=1_300_000)

    def shown(density: Density) -> str:
        return "".join(text for _, text in pieces(answer, context(density, width=100)))

    normal, compact = shown(Density.NORMAL), shown(Density.COMPACT)
    assert "1.3 ms" in normal
    assert "ms" not in compact
    assert compact.index("{") < normal.index("{")


def test_the_words_of_settings_lead_to_the_densities_and_unknown_ones_to_the_usual() -> None:
    assert [Density.named(one.value) for one in Density] == list(Density)
    assert Density.named("huge") is Density.NORMAL
    assert Density.LARGE.next() is Density.COMPACT


@EACH
@pytest.mark.parametrize("size", SIZES)
async def test_lines_fill_the_width_exactly_and_hold_nothing_a_terminal_obeys(
    size: tuple[int, int], density: Density
) -> None:
    lens, log = FakeLens(), MessageLog()
    lens.add(*(row(seq, HOSTILE.encode(), channel=HOSTILE, kind=seq % 10, direction=seq % 3) for seq in range(1, 60)))
    async with Host(log).run_test(size=size) as pilot:
        log.set_density(density)
        log.set_lens(lens, {})
        await pilot.pause()
        for mode in TimeMode:
            log.time_mode = mode
            for y in range(log.size.height):
                strip = log.render_line(y)
                assert strip.cell_length == log.scrollable_content_region.width
                assert strip.text.isprintable()
        assert not log.render_line(10_000).text.strip()


def heads(log: MessageLog) -> list[int]:
    """The payloads' numbers from top to bottom, each where its row stands."""
    return [int(word) for line in screen_text(log) for word in line.split() if word.isdecimal()]


@EACH
async def test_following_shows_the_last_row_whole_and_rows_in_order(density: Density) -> None:
    lens, log = FakeLens(), MessageLog()
    lens.number(100, 200)
    async with Host(log).run_test(size=(80, 23)) as pilot:
        log.set_density(density)
        log.set_lens(lens, {})
        await pilot.pause()
        shown = heads(log)
        assert shown[-1] == 199
        assert all(after - before == 1 for before, after in pairwise(shown))
        assert len(shown) == 23 // density.lines() + (23 % density.lines() >= LINES - 1)
        lens.add(row(200, b"200"))
        log.tick()
        await pilot.pause()
        assert heads(log)[-1] == 200


@EACH
async def test_keys_and_clicks_reach_the_row_that_is_seen(density: Density) -> None:
    lens, log = FakeLens(), MessageLog()
    lens.number(100, 200)
    async with Host(log).run_test(size=(80, 24)) as pilot:
        log.focus()
        log.set_density(density)
        log.set_lens(lens, {})
        await pilot.press("k", "k", "k")
        assert log.cursor_seq == 197
        await pilot.press("pageup")
        assert log.cursor_seq == 197 - max(1, 24 // density.lines() - 1)
        await pilot.press("g")
        assert (log.cursor_seq, log.scroll_offset.y) == (100, 0)
        await pilot.press("pagedown")
        cursor = log.cursor_seq
        assert any(line.startswith("›") for line in screen_text(log))
        for y in range(log.size.height):
            await pilot.click(log, offset=(8, y))
            assert log.cursor_seq == lens.seqs[(log.scroll_offset.y + y) // density.lines()]
            log.go_to(cursor or 0)
        await pilot.press("end")
        assert (log.follow, log.scroll_offset.y) == (True, 100 * density.lines() - 24)


@EACH
async def test_a_wheel_scrolls_lines_and_rows_put_in_front_move_nothing(density: Density) -> None:
    lens, log = FakeLens(), MessageLog()
    lens.number(1000, 1100)
    async with Host(log).run_test(size=(80, 24)) as pilot:
        log.set_density(density)
        log.set_lens(lens, {})
        log.scroll_relative(y=-7, animate=False)
        await pilot.pause()
        assert not log.follow
        before, offset = screen_text(log), log.scroll_offset.y
        for seq in range(999, 899, -1):
            lens.records[seq] = row(seq)
            lens.seqs.insert(0, seq)
        lens.revision += 1
        log.tick()
        await pilot.pause()
        assert screen_text(log) == before
        assert log.scroll_offset.y == offset + 100 * density.lines()


async def test_another_density_keeps_the_row_under_the_cursor_in_view() -> None:
    lens, log = FakeLens(), MessageLog()
    lens.number(100, 200)
    async with Host(log).run_test(size=(80, 24)) as pilot:
        log.focus()
        log.set_lens(lens, {})
        log.go_to(150)
        await pilot.press("up", "up")
        for density in (Density.LARGE, Density.COMPACT, Density.LARGE, Density.NORMAL):
            log.set_density(density)
            await pilot.pause()
            assert log.cursor_seq == 148
            assert 148 in heads(log)
            assert not log.follow


@EACH
async def test_a_screen_that_shrinks_keeps_the_row_under_the_cursor_in_view(density: Density) -> None:
    lens, log = FakeLens(), MessageLog()
    lens.number(100, 200)
    async with Host(log).run_test(size=(80, 24)) as pilot:
        log.focus()
        log.set_density(density)
        log.set_lens(lens, {})
        await pilot.press("up", "up")
        for height in (8, 30, 5):
            await pilot.resize_terminal(80, height)
            await pilot.pause()
            assert 198 in heads(log), height
        log.scroll_relative(y=-40, animate=False)
        await pilot.pause()
        top = heads(log)[0]
        await pilot.resize_terminal(80, 12)
        await pilot.pause()
        assert heads(log)[0] == top  # out of view, it moves nothing


@pytest.mark.parametrize("lines", [2, 3, 5, 8])
async def test_large_rows_of_any_height_keep_the_arithmetic(lines: int) -> None:
    lens, log = FakeLens(), MessageLog()
    lens.number(100, 200)
    async with Host(log).run_test(size=(80, 24)) as pilot:
        log.focus()
        log.set_density(Density.LARGE, lines)
        log.set_lens(lens, {})
        await pilot.pause()
        assert (heads(log)[-1], log.scroll_offset.y) == (199, 100 * lines - 24)
        await pilot.press("up", "up")
        log.set_density(Density.LARGE, 10 - lines)
        await pilot.pause()
        assert 198 in heads(log)
        assert log.cursor_seq == 198
        for y in range(24):
            await pilot.click(log, offset=(8, y))
            assert log.cursor_seq == lens.seqs[(log.scroll_offset.y + y) // (10 - lines)]
            log.go_to(198)


async def test_another_density_goes_on_following() -> None:
    lens, log = FakeLens(), MessageLog()
    lens.number(100, 200)
    async with Host(log).run_test(size=(80, 24)) as pilot:
        log.set_lens(lens, {})
        for density in (Density.LARGE, Density.NORMAL):
            log.set_density(density)
            await pilot.pause()
            assert log.follow
            assert heads(log)[-1] == 199


async def test_a_selection_and_marks_are_of_rows_in_a_large_log_too() -> None:
    lens, log = FakeLens(), MessageLog()
    lens.number(100, 200)
    async with Host(log).run_test(size=(80, 24)) as pilot:
        log.focus()
        log.set_density(Density.LARGE)
        log.set_lens(lens, {})
        log.go_to(150)
        await pilot.press("m", "x", "shift+down", "shift+down")
        assert log.selected_seqs() == [150, 151, 152]
        assert sum(line.startswith("▪") for line in screen_text(log)) == 3


@EACH
async def test_a_new_row_draws_only_itself_and_a_quiet_tick_nothing(density: Density) -> None:
    lens, log = FakeLens(), MessageLog()
    lens.fill(200)
    async with Host(log).run_test(size=(100, 20)) as pilot:
        log.set_density(density)
        log.set_lens(lens, {})
        await pilot.pause()
        misses, painted = log.brush.strips.misses, log.painted.repainted
        log.tick()
        log.repaint()
        assert log.painted.repainted == painted
        lens.fill(1)
        log.tick()
        await pilot.pause()
        assert log.brush.strips.misses - misses == 1
        lens.asked.clear()
        lens.fill(5_000)
        log.tick()
        await pilot.pause()
        assert all(count <= 20 // density.lines() + 3 for _, count in lens.asked)


@EACH
async def test_moving_the_cursor_paints_two_rows(density: Density) -> None:
    lens, log = FakeLens(), MessageLog()
    lens.fill(200)
    async with Host(log).run_test(size=(100, 20)) as pilot:
        log.focus()
        log.set_density(density)
        log.set_lens(lens, {})
        await pilot.press("up", "up")
        await pilot.pause()
        before = log.painted.repainted
        await pilot.press("up")
        # The empty line below a large row looks the same under the cursor.
        assert log.painted.repainted - before == 2 * max(1, density.lines() - 1)
