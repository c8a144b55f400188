"""The menu of a pane, opened with the right button or its key, and a real click on what it offers."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path

import pytest
from textual.geometry import Offset
from textual.widgets import OptionList

from rtui.core.lifecycle import State
from rtui.core.record import Direction, Kind
from rtui.workbench.bindings import ACTIONS
from rtui.workbench.layout import PANES
from rtui.workbench.panes.sidebar import Sidebar
from rtui.workbench.panes.tabstrip import TabStrip
from rtui.workbench.screens.dialog import Choose, Prompt
from rtui.workbench.screens.menu import Menu, entries_of
from rtui.workbench.screens.menu_column import MenuColumn, columns
from rtui.workbench.widgets.footer import KeyLine
from tests.workbench.scene import Scene, stage

MENU = ACTIONS["app.menu"]


async def right_click(at: Scene, selector: str, offset: tuple[int, int]) -> list[str]:
    """Open the menu of what is there; the titles that it offers."""
    await at.pilot.click(selector, offset=offset, button=3)
    await at.until(lambda: isinstance(at.screen, Menu), "the menu")
    await at.pilot.pause()
    return [str(option.prompt).strip() for column in at.screen.query(MenuColumn) for option in column.options]


async def choose(at: Scene, title: str) -> None:
    """Click on the row of the menu that begins with `title`."""
    rows, line = next(
        (column, line)
        for column in at.screen.query(MenuColumn)
        for line, one in enumerate(column.options)
        if str(one.prompt).strip().startswith(title) and one.id
    )
    rows.highlighted = line
    await at.pilot.pause()
    await at.pilot.click(rows, offset=(2, line - rows.scroll_offset.y))
    await at.until(lambda: not isinstance(at.screen, Menu), "it is chosen")
    await at.pilot.pause()


async def test_a_row_of_the_log_is_pointed_at_and_sent_again(tmp_path: Path) -> None:
    async with stage(MENU, "echo", tmp_path) as at:
        await at.talk("one", "two")
        log = at.desk.log_view
        first = next(row for row in at.rows(direction=Direction.OUT))
        titles = await right_click(at, "#log", (20, log.gutter.top + log._window.index_of(first.seq)))
        assert log.cursor_seq == first.seq
        assert any(title.startswith("Mark") and title.endswith("m") for title in titles), "with its key"
        assert not any(title.startswith(("Up ", "Page down")) for title in titles)
        await choose(at, "Send again")
        await at.until(lambda: [row.payload for row in at.rows(direction=Direction.OUT)].count(b"one") == 2, "again")


async def test_a_key_of_the_pane_can_be_clicked_too(tmp_path: Path) -> None:
    async with stage(MENU, "echo", tmp_path) as at:
        await at.talk("one")
        await right_click(at, "#log", (20, 2))
        await choose(at, "Mark")
        assert at.desk.log_view.picks.marks


async def test_a_channel_is_written_to(tmp_path: Path) -> None:
    async with stage(MENU, "plant", tmp_path) as at:
        tree = await at.publish("a")
        await at.press("f4")
        await right_click(at, "#tree", (4, tree.gutter.top + tree.cursor))
        await choose(at, "Send here")
        await at.until(lambda: at.desk.sure_picture.composer.draft.channel == "a")


async def test_a_message_is_shown_in_hex(tmp_path: Path) -> None:
    async with stage(MENU, "echo", tmp_path) as at:
        await at.talk('{"v": 1}')
        at.desk.show_pane("message")
        await right_click(at, "#message", (4, 2))
        await choose(at, "Hex")
        assert at.desk.sure_picture.view.mode == "hex"


async def test_a_saved_message_is_sent_from_the_composer(tmp_path: Path) -> None:
    async with stage(MENU, "echo", tmp_path) as at:
        at.desk.show_pane("composer")
        await at.pilot.pause()
        await right_click(at, "#composer TextArea", (4, 0))
        await choose(at, "Send saved")
        await at.until(lambda: type(at.screen) is Choose, "which one")
        await at.press("enter")
        await at.until(lambda: at.rows(direction=Direction.OUT), "sent")


async def test_a_tab_is_gone_to_and_its_connection_closed(tmp_path: Path) -> None:
    async with stage(MENU, "echoes", tmp_path) as at:
        strip = at.desk.query_one(TabStrip)
        other = next(tab for tab in strip.tabs if tab.name == "other")
        await right_click(at, "#tabs", (strip.tabs[0].width + 2, 0))
        assert at.desk.sheets.current is at.desk.sheets.get(other.key)
        await choose(at, "Disconnect")
        states = {one.name: one.state for one in at.bench.hub.connections}
        await at.until(lambda: at.bench.hub.connections[1].state is State.CLOSED, "closed")
        assert states["echo"] is State.OPEN


async def test_a_click_goes_to_a_tab(tmp_path: Path) -> None:
    async with stage(MENU, "echoes", tmp_path) as at:
        strip = at.desk.query_one(TabStrip)
        start = 0
        for tab in strip.tabs:
            await at.pilot.click("#tabs", offset=(start + 2, 0))
            await at.until(lambda key=tab.key: at.desk.sheets.current is at.desk.sheets.get(key), "it is shown")  # type: ignore[misc]
            start += tab.width


@pytest.mark.parametrize("pane", PANES)
async def test_a_click_goes_to_a_pane(pane: str, tmp_path: Path) -> None:
    async with stage(MENU, "echo", tmp_path) as at:
        at.desk.show_pane("tree" if pane == "log" else "log")
        await at.pilot.pause()
        await at.pilot.click("#composer TextArea" if pane == "composer" else f"#{pane}", offset=(3, 1))
        await at.until(lambda: at.desk.focused_pane == pane, "it has the focus")


async def test_the_menu_of_the_other_half_is_about_its_connection(tmp_path: Path) -> None:
    async with stage(MENU, "echoes", tmp_path) as at:
        await at.press("vertical_line")
        await at.until(lambda: at.desk.sheets.is_split, "two halves")
        other = at.desk.sheets.other
        assert other is not None
        rows = next(half.rows for half in at.desk.halves if half.rows is not at.desk.log_view)
        await at.pilot.click(rows, offset=(20, 1), button=3)
        await at.until(lambda: isinstance(at.screen, Menu), "the menu")
        assert at.desk.sheets.current is other
        await choose(at, "Mark")
        await at.until(lambda: rows.picks.marks, "its row is marked")


async def test_a_session_is_pointed_at_and_not_connected(tmp_path: Path) -> None:
    async with stage(MENU, "none", tmp_path) as at:
        sidebar = at.desk.query_one(Sidebar)
        place = next(line for line in range(sidebar.last_line) if "binary" in str(sidebar.get_node_at_line(line).label))  # type: ignore[union-attr]
        titles = await right_click(at, "#sessions", (8, sidebar.gutter.top + place))
        assert sidebar.cursor_line == place
        assert not at.bench.hub.connections
        assert any(title.startswith("Duplicate") for title in titles)
        await choose(at, "Duplicate")
        await at.until(lambda: isinstance(at.screen, Prompt), "under which name")


async def test_a_click_beside_the_menu_leaves_it(tmp_path: Path) -> None:
    async with stage(MENU, "echo", tmp_path) as at:
        await right_click(at, "#log", (20, 2))
        await at.pilot.click(offset=(1, 38))
        await at.until(lambda: at.screen is at.desk, "it is gone")


@pytest.mark.parametrize("size", [(140, 40), (80, 24), (60, 20)])
async def test_the_menu_stands_inside_the_screen(size: tuple[int, int], tmp_path: Path) -> None:
    async with stage(MENU, "echo", tmp_path) as at:
        await at.talk("one")
        await at.pilot.resize_terminal(*size)
        await at.pilot.pause()
        log = at.desk.log_view
        await right_click(at, "#log", (log.size.width - 4, log.size.height - 2))
        box = at.screen.query_one(".dialog").region
        assert at.screen.region.contains_region(box)
        assert box.offset != Offset(0, 0)


async def test_the_bottom_line_and_the_palette_can_be_clicked(tmp_path: Path) -> None:
    async with stage(ACTIONS["app.ping"], "echo", tmp_path) as at:
        line = at.desk.query_one(KeyLine)
        start = next(start for hint, start in line._placed() if hint.title == "Commands")
        await at.pilot.click("#keys", offset=(start, 0))
        await at.until(lambda: at.screen.query(OptionList) and at.screen.query_one(OptionList).option_count, "palette")
        await at.write("Connection: Ping")
        hits = at.screen.query_one(OptionList)
        await at.until(lambda: ["Ping" in str(one.prompt) for one in hits.options] == [True], "one hit")
        await at.pilot.click(hits, offset=(4, 1))
        await at.until(lambda: at.rows(Kind.PING), "a ping")


@pytest.mark.parametrize("pane", PANES)
async def test_whatever_is_in_a_menu_can_be_done(pane: str, tmp_path: Path) -> None:
    async with stage(MENU, "echo", tmp_path) as at:
        await at.talk("one")
        at.desk.show_pane(pane)
        await at.pilot.pause()
        entries = entries_of(at.desk, pane)
        assert len({entry.title for entry in entries}) == len(entries), "no two rows read the same"
        assert {"app.palette", "app.help", "app.zoom"} <= {entry.id for entry in entries}


@pytest.mark.parametrize("place", [*PANES, "tabs", "bottom"])
async def test_rows_stand_under_what_they_are_about(place: str, tmp_path: Path) -> None:
    async with stage(MENU, "echo", tmp_path) as at:
        await at.talk("one")
        if place in PANES:
            at.desk.show_pane(place)
            await at.pilot.pause()
        subjects = [entry.subject for entry in entries_of(at.desk, place)]
        assert len(set(subjects)) > 1
        assert len([subject for subject, _ in groupby(subjects)]) == len(set(subjects)), "each heading stands once"


async def test_a_menu_begins_on_a_row_that_does_something_and_letters_go_on_from_there(tmp_path: Path) -> None:
    async with stage(MENU, "echo", tmp_path) as at:
        await at.talk("one")
        menu = await opened(at)
        first = menu.query(MenuColumn).first()
        assert first.has_focus
        assert first.highlighted == 1, "the first row below the first heading"
        titles = {one.id: one.title for one in entries_of(at.desk, "log")}
        seen = []
        for key in ("c", "c", "h", "backspace", "e", "x", "p"):
            await at.press(key)
            seen.append(here(menu))
        assert seen[0] != seen[1], "the same letter again goes on"
        assert all(titles[one].startswith("C") for one in seen[:3])
        assert seen[2] == "app.chart", "letters make a word"
        assert seen[-1] == "app.export", "a move begins another"
        await at.press("enter")
        await at.until(lambda: isinstance(at.screen, Prompt), "it was chosen")


async def opened(at: Scene) -> Menu:
    """The menu of the log, by its key."""
    await at.press("f10")
    await at.until(lambda: isinstance(at.screen, Menu) and at.screen.focused, "the menu")
    await at.pilot.pause()
    assert isinstance(at.screen, Menu)
    return at.screen


def here(menu: Menu) -> str:
    """The one row that the cursor is on, which is in view."""
    found = [(column, column.highlighted) for column in menu.query(MenuColumn) if column.highlighted is not None]
    assert len(found) == 1
    column, line = found[0]
    assert column.has_focus
    assert 0 <= line - column.scroll_offset.y < column.size.height
    return column.get_option_at_index(line).id or ""


@pytest.mark.parametrize(("size", "columns"), [((140, 40), 2), ((140, 60), 1), ((80, 24), 1), ((60, 20), 1)])
async def test_every_row_of_the_longest_menu_can_be_reached(
    size: tuple[int, int], columns: int, tmp_path: Path
) -> None:
    async with stage(MENU, "echo", tmp_path) as at:
        await at.talk("one")
        await at.pilot.resize_terminal(*size)
        menu = await opened(at)
        assert len(menu.query(MenuColumn)) == columns
        assert at.screen.region.contains_region(at.screen.query_one(".dialog").region)
        ids = [entry.id for entry in entries_of(at.desk, "log")]
        down = [here(menu)]
        while len(down) < len(ids):
            await at.press("down")
            down.append(here(menu))
        assert down == ids
        await at.press("down")
        assert here(menu) == ids[0]
        await at.press("up")
        assert here(menu) == ids[-1]
        last = menu.query(MenuColumn).last()
        ends = {last.render_line(line).text.rstrip()[-1:] for line in range(last.size.height)}
        assert "p" in ends, "a key at the right"


async def test_a_menu_that_has_columns_shows_all_of_itself_and_left_and_right_go_between_them(tmp_path: Path) -> None:
    async with stage(MENU, "echo", tmp_path) as at:
        await at.talk("one")
        menu = await opened(at)
        left, right = menu.query(MenuColumn)
        assert (left.max_scroll_y, right.max_scroll_y) == (0, 0)
        await at.press("down", "down", "right")
        assert right.highlighted == 3
        assert here(menu)
        await at.press("left")
        assert left.highlighted == 3
        await at.press("right", "enter")
        await at.until(lambda: not isinstance(at.screen, Menu), "it was chosen")


async def test_a_menu_whose_screen_becomes_smaller_keeps_its_place(tmp_path: Path) -> None:
    async with stage(MENU, "echo", tmp_path) as at:
        await at.talk("one")
        menu = await opened(at)
        await at.press("right")
        before = here(menu)
        for size, columns in (((80, 24), 1), ((140, 40), 2)):
            await at.pilot.resize_terminal(*size)
            await at.until(lambda columns=columns: len(menu.query(MenuColumn)) == columns, "other columns")  # type: ignore[misc]
            await at.until(lambda: menu.focused is not None, "the cursor")
            assert here(menu) == before


@pytest.mark.parametrize(
    ("height", "most", "lines"),
    [(20, 3, [12]), (9, 3, [7, 5]), (7, 3, [7, 5]), (6, 3, [4, 3, 5]), (6, 2, [12]), (3, 9, [12])],
)
def test_groups_stand_in_even_columns_and_are_not_torn(height: int, most: int, lines: list[int]) -> None:
    groups = ["abc", "de", "fghi"]  # with their headings 4, 3 and 5 lines
    found = columns(groups, height, most)
    assert [sum(len(group) + 1 for group in part) for part in found] == lines
    assert [group for part in found for group in part] == groups
