"""Two tabs side by side: which is the current one, what each half keeps, how they stand, and what comes back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from rtui.capture.journal import Journal
from rtui.core.lifecycle import State
from rtui.demo import websocket as demo
from rtui.settings.config import Config
from rtui.settings.session import Session, save_session
from rtui.workbench.app import Workbench
from rtui.workbench.panes.tabstrip import TabStrip
from rtui.workbench.screens.dialog import Choose
from rtui.workbench.sheet import Sheet
from rtui.workbench.state import State as Kept
from rtui.workbench.state_file import load_state, save_state, state_file
from rtui.workbench.widgets.filterbar import FilterBar
from rtui.workbench.widgets.log import MessageLog
from rtui.workbench.widgets.row import TimeMode
from tests.workbench.conftest import running, until
from tests.workbench.glass import Glass, all_shown
from tests.workbench.test_desk import toasts, write
from tests.workbench.test_snapshot import desk, settle

__all__ = ["desk"]


def keys(bench: Workbench) -> list[int]:
    """What the halves show."""
    return [sheet.key for sheet in bench.desk.sheets.shown]


def current(bench: Workbench) -> int:
    sheet = bench.desk.sheets.current
    assert sheet is not None
    return sheet.key


def sheet(bench: Workbench, key: int) -> Sheet:
    found = bench.desk.sheets.get(key)
    assert found is not None
    return found


def logs(bench: Workbench) -> list[MessageLog]:
    return [half.rows for half in bench.desk.halves]


def seen(bench: Workbench) -> list[MessageLog]:
    """The logs on the screen."""
    return [log for log in logs(bench) if log.region and all(one.display for one in log.ancestors_with_self)]


async def split(bench: Workbench, pilot: Pilot[Any]) -> None:
    """The first tab on the left, the second on the right, which is the current one."""
    bench.desk.go_to(sheet(bench, 1))
    await pilot.press("vertical_line")
    await until(pilot, lambda: keys(bench) == [1, 2] and len(seen(bench)) == 2, "two logs")


async def test_a_key_puts_two_tabs_side_by_side_and_again_ends_it(journal: Journal, server: demo.Server) -> None:
    urls = f"{server.url}/echo", f"{server.url}/ticker?rate=50"
    async with running(journal, *urls, config=Config(animations=False, time="delta")) as (bench, pilot):
        await split(bench, pilot)
        left, right = logs(bench)
        assert left.time_mode is right.time_mode is TimeMode.DELTA
        assert left.region.y == right.region.y
        assert abs(left.region.width - right.region.width) <= 1
        assert right.region.x >= left.region.right
        for half, path in zip(bench.desk.halves, ("/echo", "/ticker"), strict=True):
            assert path in half.header.text
            assert half.header.region.y < half.rows.region.y
        assert not bench.desk.query_one("#header").region
        assert current(bench) == 2
        await until(pilot, lambda: right.total > 5, "both are kept up to date")
        await pilot.press("vertical_line")
        await until(pilot, lambda: seen(bench) == [right], "the current one is alone")
        assert bench.desk.query_one("#header").region
        assert keys(bench) == [2]


async def test_panes_and_keys_are_about_the_half_with_the_focus(journal: Journal, server: demo.Server) -> None:
    async with running(journal, f"{server.url}/ticker?rate=50", f"{server.url}/echo", size=(190, 50)) as (bench, pilot):
        await split(bench, pilot)
        tree, composer = bench.desk.sure_tree, bench.desk.composer
        assert composer is not None
        left, right = logs(bench)
        channels = [sheet(bench, key).connection.channels for key in (1, 2)]  # type: ignore[union-attr]
        assert tree._channels is channels[1]
        await pilot.press("s")
        await write(pilot, "to the right")
        await pilot.press("escape", "backslash")
        assert (current(bench), bench.desk.log_view, bench.focused) == (1, left, left)
        assert tree._channels is channels[0]
        assert composer.draft.payload == ""
        await pilot.click(right)
        await until(pilot, lambda: current(bench) == 2, "a click goes there")
        assert bench.focused is right
        assert composer.draft.payload == "to the right"
        await pilot.click(bench.desk.halves[0].header)
        await until(pilot, lambda: bench.focused is left and current(bench) == 1, "also one on the line above it")


async def test_each_half_keeps_its_own_place_filter_and_picture(journal: Journal, server: demo.Server) -> None:
    url = f"{server.url}/ticker?rate=50"
    async with running(journal, url, f"{url}&seed=2") as (bench, pilot):
        await split(bench, pilot)
        left, right = logs(bench)
        await until(pilot, lambda: left.total > 60 and right.total > 60, "rows")
        await pilot.press("z", "slash")
        await write(pilot, "ch:trade")
        await pilot.press("enter")
        await until(pilot, lambda: sheet(bench, 2).filter_text == "ch:trade", "a filter on the right")
        await pilot.press("z", "backslash", "up", "up", "t", "x")
        place, picked = left.cursor_seq, set(left.picks.selected)
        assert not left.follow
        assert right.frozen
        assert (sheet(bench, 1).filter_text, bench.desk.query_one(FilterBar).input.value) == ("", "")
        assert left.time_mode is not right.time_mode
        await pilot.press("backslash", "backslash")
        assert (left.cursor_seq, set(left.picks.selected)) == (place, picked)
        assert right.frozen
        assert bench.desk.query_one(FilterBar).input.value == ""
        await pilot.press("vertical_line")
        await until(pilot, lambda: seen(bench) == [left], "alone")
        assert (left.cursor_seq, left.follow) == (place, False)


async def test_a_tab_goes_into_the_current_half_or_to_the_half_that_shows_it(
    journal: Journal, server: demo.Server
) -> None:
    urls = [f"{server.url}/echo?{number}" for number in range(3)]
    async with running(journal, *urls) as (bench, pilot):
        await split(bench, pilot)
        strip = bench.desk.query_one(TabStrip)
        starts = {tab.key: start for tab, start in strip.places()}
        assert (strip.selected, strip.beside) == (2, 1)
        await pilot.click(strip, offset=(starts[1] + 1, 0))
        await until(pilot, lambda: current(bench) == 1, "the other half")
        assert keys(bench) == [1, 2]
        await pilot.press("right_square_bracket")
        assert keys(bench) == [3, 2]
        await pilot.press("T")
        assert keys(bench) == [0, 2]
        assert bench.desk.halves[0].rows.show_source
        assert not bench.desk.halves[1].rows.show_source


@pytest.mark.parametrize("way", [{"button": 2}, {"meta": True}])
async def test_the_mouse_puts_a_tab_beside_the_current_one(
    journal: Journal, server: demo.Server, way: dict[str, Any]
) -> None:
    urls = [f"{server.url}/echo?{number}" for number in range(3)]
    async with running(journal, *urls) as (bench, pilot):
        strip = bench.desk.query_one(TabStrip)
        bench.desk.go_to(sheet(bench, 1))
        await until(pilot, lambda: len(strip.tabs) == 4, "tabs")
        starts = {tab.key: start for tab, start in strip.places()}
        for key, halves in ((3, [1, 3]), (2, [2, 3])):
            await pilot.click(strip, offset=(starts[key] + 1, 0), **way)
            await until(pilot, lambda: keys(bench) == halves, f"tab {key} beside it")  # noqa: B023


async def test_in_a_narrow_terminal_one_stands_above_the_other(journal: Journal, server: demo.Server) -> None:
    async with running(journal, f"{server.url}/echo", f"{server.url}/silent", size=(80, 24)) as (bench, pilot):
        await split(bench, pilot)
        upper, lower = logs(bench)
        assert upper.region.x == lower.region.x
        assert upper.region.bottom < lower.region.y
        assert min(upper.body_height, lower.body_height) >= 3


async def test_where_there_is_no_room_it_is_refused_in_words(journal: Journal, server: demo.Server) -> None:
    async with running(journal, f"{server.url}/echo", f"{server.url}/silent", size=(80, 19)) as (bench, pilot):
        await pilot.press("vertical_line")
        await until(pilot, lambda: "no room for two tabs" in toasts(bench), "told")
        assert not bench.desk.sheets.is_split


async def test_a_split_outlives_a_terminal_that_is_too_small_for_it(journal: Journal, server: demo.Server) -> None:
    async with running(journal, f"{server.url}/ticker?rate=50", f"{server.url}/echo") as (bench, pilot):
        await split(bench, pilot)
        left, right = logs(bench)
        await pilot.press("backslash")
        await until(pilot, lambda: left.total > 60, "rows")
        await pilot.press(*["up"] * 5)
        place = left.cursor_seq
        for size, there in (((60, 20), [left, right]), ((20, 5), [left]), ((60, 19), [left])):
            await pilot.resize_terminal(*size)
            await until(pilot, lambda: seen(bench) == there, f"{size}")  # noqa: B023
        await pilot.press("backslash")
        await until(pilot, lambda: seen(bench) == [right], "one at a time, each by the same key")
        await pilot.press("backslash")
        await until(pilot, lambda: seen(bench) == [left], "and back")
        await pilot.resize_terminal(140, 40)
        await until(pilot, lambda: seen(bench) == [left, right], "both again")
        assert (left.cursor_seq, right.follow, keys(bench)) == (place, True, [1, 2])


async def test_a_zoomed_log_is_the_current_one(journal: Journal, server: demo.Server) -> None:
    async with running(journal, f"{server.url}/echo", f"{server.url}/silent") as (bench, pilot):
        await split(bench, pilot)
        left, right = logs(bench)
        await pilot.press("f7")
        await until(pilot, lambda: seen(bench) == [right] and right.size.width > 130, "alone")
        await pilot.press("backslash")
        await until(pilot, lambda: seen(bench) == [left] and bench.focused is left, "the other one, alone too")
        await pilot.press("f7")
        await until(pilot, lambda: seen(bench) == [left, right], "both")


@pytest.mark.parametrize("closed", [1, 2])
async def test_closing_a_tab_leaves_the_other_as_it_was(journal: Journal, server: demo.Server, closed: int) -> None:
    url = f"{server.url}/ticker?rate=50"
    async with running(journal, url, f"{url}&seed=2") as (bench, pilot):
        await split(bench, pilot)
        kept = logs(bench)[2 - closed]
        await until(pilot, lambda: kept.total > 40, "rows")
        bench.desk.go_to(sheet(bench, 3 - closed))
        await pilot.press("up", "up", "up")
        place = kept.cursor_seq
        await pilot.press("backslash", "ctrl+w")
        await until(pilot, lambda: seen(bench) == [kept], "alone")
        assert (kept.cursor_seq, keys(bench), bench.focused) == (place, [3 - closed], kept)
        bench.connect(Session(name="new", url=f"{server.url}/echo"), show=False)
        await pilot.press("vertical_line")
        await until(pilot, lambda: len(seen(bench)) == 2, "and it can be split again")
        assert seen(bench)[0] is kept
        assert kept.region.x < seen(bench)[1].region.x


async def test_with_one_tab_a_session_is_asked_for(journal: Journal, server: demo.Server, tmp_path: Path) -> None:
    folder = tmp_path / "config" / "sessions"
    folder.mkdir(parents=True)
    save_session(Session(name="mine", url=f"{server.url}/chat"), folder / "mine.toml")
    async with running(journal, f"{server.url}/echo") as (bench, pilot):
        await pilot.press("vertical_line")
        await until(pilot, lambda: isinstance(bench.screen, Choose), "the question")
        await write(pilot, "mine")
        await pilot.press("enter")
        await until(pilot, lambda: len(seen(bench)) == 2, "connected beside the tab")
        shown = bench.desk.sheets.current
        assert shown is not None
        assert shown.name == "mine"
        assert [one.name for one in bench.desk.sheets.shown][1] == "mine"


async def test_another_tab_can_be_chosen_by_name(journal: Journal, server: demo.Server) -> None:
    async with running(journal, f"{server.url}/echo", f"{server.url}/silent") as (bench, pilot):
        bench.desk.go_to(sheet(bench, 1))
        bench.desk.perform("app.split-with")
        await until(pilot, lambda: isinstance(bench.screen, Choose), "the question")
        await write(pilot, "timeline")
        await pilot.press("enter")
        await until(pilot, lambda: keys(bench) == [1, 0], "the timeline")


async def test_the_split_is_there_again(journal: Journal, server: demo.Server) -> None:
    urls = [f"{server.url}/echo", f"{server.url}/silent"]
    async with running(journal, *urls) as (bench, pilot):
        await split(bench, pilot)
        await pilot.press("backslash", "right_square_bracket")
        assert keys(bench) == [0, 2]
        await pilot.press("ctrl+q")
        await until(pilot, lambda: bench._exit, "left")
    assert load_state(state_file())[0].split == ["", urls[1]]
    async with running(journal) as (bench, pilot):
        await until(pilot, lambda: len(seen(bench)) == 2, "two logs")
        timeline, second = bench.desk.sheets.shown
        assert timeline.is_timeline
        assert second.connection is not None
        assert second.connection.url.endswith("/silent")
        assert bench.desk.sheets.current is timeline
        await pilot.press("vertical_line", "ctrl+q")
        await until(pilot, lambda: bench._exit, "left")
    assert load_state(state_file())[0].split == []


async def test_a_split_with_a_session_that_is_gone_is_none(
    journal: Journal, server: demo.Server, tmp_path: Path
) -> None:
    here, gone = f"{server.url}/echo", f"{tmp_path}/gone.toml"
    save_state(Kept(opened=[here, gone], split=[here, gone], half=7), state_file())
    async with running(journal) as (bench, _):
        assert keys(bench) == [1]


async def test_both_halves_reach_the_terminal(journal: Journal, server: demo.Server) -> None:
    async with running(journal, f"{server.url}/echo", f"{server.url}/echo?2") as (bench, pilot):
        glass = Glass(bench)
        connections = [one.connection for one in bench.desk.sheets if one.connection is not None]
        await until(pilot, lambda: all(one.state is State.OPEN for one in connections), "open")
        await split(bench, pilot)
        bench.refresh()
        bench.desk._compositor_refresh()

        sizes = {4: (80, 24), 6: (60, 20), 7: (20, 5), 8: (140, 40)}
        for number, key in enumerate(("backslash", "z", "backslash", "f7", "f7", "backslash", "z", "up", "T", "z")):
            for connection in connections:
                for _ in range(30):
                    connection.send(f"message {number}".encode())
            await until(pilot, lambda: all(one.meter.count >= 60 * (number + 1) for one in connections), "echoed")  # noqa: B023
            await pilot.press(key)
            if number in sizes:
                await pilot.resize_terminal(*sizes[number])
            await all_shown(pilot, glass, f"{number}: {key}")


async def test_an_idle_half_costs_a_look_at_its_lens(journal: Journal, server: demo.Server) -> None:
    async with running(journal, f"{server.url}/ticker?rate=200", f"{server.url}/echo") as (bench, pilot):
        await split(bench, pilot)
        busy, idle = logs(bench)
        await until(pilot, lambda: idle.total == 1 and busy.total > 40, "rows")
        await pilot.pause()
        looks = 0
        lens: Any = sheet(bench, 2).lens
        look: Callable[[], None] = lens.refresh

        def counted() -> None:
            nonlocal looks
            looks += 1
            look()

        def never(*_: object) -> None:
            raise AssertionError("an idle half asks for rows")

        lens.refresh, lens.rows = counted, never
        idle.repaint = never  # type: ignore[method-assign]
        painted, total = idle.painted.repainted, busy.total
        await until(pilot, lambda: looks > 20 and busy.total > total + 40, "frames")
        del idle.repaint
        del lens.rows
        assert idle.painted.repainted == painted


@pytest.mark.parametrize("size", [(80, 24), (140, 40)])
def test_picture(snap_compare: Callable[..., bool], desk: Callable[[str], Workbench], size: tuple[int, int]) -> None:
    async def side_by_side(pilot: Pilot[Any]) -> None:
        bench = pilot.app
        assert isinstance(bench, Workbench)
        await settle(pilot)
        bench.pump.start()
        bench.desk.go_to(sheet(bench, 1))
        bench.desk.turn(lambda sheets: sheets.split(sheet(bench, 2)))
        await until(pilot, lambda: [log.total for log in logs(bench)] == [43, 2], "all rows")
        ticks = bench.pump.ticks + 30
        await until(pilot, lambda: bench.pump.ticks > ticks, "a second of frames")
        bench.pump.stop()
        await pilot.pause()

    assert snap_compare(desk("dark"), terminal_size=size, run_before=side_by_side)
